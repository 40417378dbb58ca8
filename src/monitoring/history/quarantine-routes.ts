// Routes by which staff file or discard quarantined observations.
import { createRoute, z } from "@hono/zod-openapi";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  PatientRef,
  problemResponses,
  TimeInput,
} from "../../http/router.ts";
import { discardHeldObservations, fileHeldObservations, MAX_RESOLVED } from "./resolve-held.ts";

const tags = ["Observation"];
const HeldId = z.string().min(1).max(100).toLowerCase();
const Reason = z.string().trim().min(1).max(500).openapi({ description: "Kept sealed with the entry" });
const selection = {
  device_id: Id.openapi({ example: EXAMPLES.device }),
  held_ids: z.array(HeldId).min(1).max(MAX_RESOLVED).optional().openapi({
    description: "Entries of the device; without it all that are held, oldest first",
  }),
  from: TimeInput.optional().openapi({ description: "Without held_ids: received at or after" }),
  to: TimeInput.optional().openapi({ description: "Without held_ids: received before" }),
  after: HeldId.optional().openapi({ description: "Without held_ids: next of the response before" }),
};
type Selection = { held_ids?: unknown; from?: unknown; to?: unknown; after?: unknown };
const isOneSelection = ({ held_ids, from, to, after }: Selection) =>
  held_ids === undefined || (from === undefined && to === undefined && after === undefined);
const SELECTION = "Either held_ids, or from, to and after";

const Resolutions = z
  .object({
    results: z.array(
      z.object({
        held_id: z.string(),
        status: z.enum(["filed", "discarded", "conflict", "held"]).openapi({
          description:
            "conflict: filed for another patient, or discarded by somebody; held: nothing could be stored, for these reasons",
        }),
        stored: z.int(),
        duplicate: z.int(),
        refused: z.int(),
        reasons: z.array(z.string()),
      }),
    ),
    next: z.string().nullable().openapi({ description: "More entries match: send the request again with this as after" }),
  })
  .openapi("HeldResolutions");
const example = (status: "filed" | "discarded") => ({
  results: [{ held_id: EXAMPLES.request, status, stored: status === "filed" ? 1 : 0, duplicate: 0, refused: 0, reasons: [] }],
  next: null,
});

export const heldRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/observations/quarantine/file",
      tags,
      summary: "File quarantined observations",
      description: `Stores the samples of at most ${MAX_RESOLVED} entries as history of a patient of the same hospital: as their device sent them, and without an alarm. A repeated request changes nothing.`,
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(
          z.strictObject({ patient_id: PatientRef, reason: Reason, ...selection }).refine(isOneSelection, SELECTION),
          { patient_id: EXAMPLES.patient, reason: "Bed 4, confirmed by the ward", device_id: EXAMPLES.device },
        ),
      },
      responses: {
        200: jsonResponse(Resolutions, "What became of each entry", example("filed")),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => ok(c, await fileHeldObservations(c.env, c.get("call"), c.req.valid("json"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/observations/quarantine/discard",
      tags,
      summary: "Discard quarantined observations",
      description: `At most ${MAX_RESOLVED} entries. They stay readable until they are deleted, 90 days after they were received. A repeated request changes nothing.`,
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(z.strictObject({ reason: Reason, ...selection }).refine(isOneSelection, SELECTION), {
          reason: "Test of the device",
          device_id: EXAMPLES.device,
        }),
      },
      responses: {
        200: jsonResponse(Resolutions, "What became of each entry", example("discarded")),
        ...problemResponses(401, 403, 404, 413, 415),
      },
    }),
    async (c) => ok(c, await discardHeldObservations(c.get("call"), c.req.valid("json"))),
  );
