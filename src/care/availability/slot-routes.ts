// The route of free times.
import { createRoute, z } from "@hono/zod-openapi";
import { integerParam } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  okPage,
  pageResponse,
  problemResponses,
  TimeInput,
  Timestamp,
} from "../../http/router.ts";
import { listSlots, MAX_PRACTITIONERS } from "./slots.ts";

const Slot = z
  .object({
    practitioner_id: Id.openapi({ example: EXAMPLES.practitioner }),
    hospital_id: Id,
    location_id: Id.nullable(),
    start: Timestamp,
    end: Timestamp,
  })
  .openapi("Slot");
const slotQuery = z.strictObject({
  from: TimeInput.openapi({ example: "2026-12-01T00:00:00Z" }),
  to: TimeInput.openapi({ example: "2026-12-08T00:00:00Z", description: "At most 31 days after from" }),
  practitioner_id: Id.optional().openapi({ example: EXAMPLES.practitioner }),
  specialty: z.string().min(1).max(120).optional(),
  location_id: Id.optional(),
  duration_minutes: integerParam(5, 480).optional().openapi({ description: "Default: the schedule's" }),
  limit: integerParam(1, 1_000).default(100).openapi({ default: 100 }),
  cursor: z.string().max(500).optional(),
});

export const slotRoutes = createRouter().openapi(
  createRoute({
    method: "get",
    path: "/appointments/slots",
    tags: ["Schedule"],
    summary: "List free times",
    description:
      `Of at most ${MAX_PRACTITIONERS} practitioners, by start. Patients get the times that they may book. A free time is not reserved: ` +
      "the booking decides.",
    security: BEARER_AUTH,
    request: { query: slotQuery },
    responses: {
      200: pageResponse(Slot, "Earliest first", {
        ...{ practitioner_id: EXAMPLES.practitioner, hospital_id: EXAMPLES.hospital, location_id: null },
        ...{ start: "2026-12-01T04:30:00.000Z", end: "2026-12-01T05:00:00.000Z" },
      }),
      ...problemResponses(401, 403),
    },
  }),
  async (c) => okPage(c, await listSlots(c.get("call"), c.req.valid("query"))),
);
