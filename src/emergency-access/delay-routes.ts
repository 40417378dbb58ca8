// Routes of the delay with which a patient is notified of emergency access.
import { createRoute, z } from "@hono/zod-openapi";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  Timestamp,
  Uuid,
} from "../http/router.ts";
import { getDelay, MAX_DELAY_DAYS, removeDelay, setDelay } from "./notice-delays.ts";
import { EmergencyReason } from "./schemas.ts";

const tags = ["Emergency access"];
const params = z.object({ patient_id: Uuid.openapi({ example: EXAMPLES.patient }) });
const path = "/patients/{patient_id}/notice-delay";

const NoticeDelay = z
  .object({
    patient_id: Id,
    reason: z.string(),
    until: Timestamp,
    set_by: Id.openapi({ description: "Who set it last" }),
    set_at: Timestamp.openapi({ description: "Since when notices are delayed; kept when a delay that runs is replaced" }),
  })
  .openapi("NoticeDelay");
const example = {
  patient_id: EXAMPLES.patient,
  reason: "Another person reads this patient's messages",
  until: "2026-12-01T00:00:00.000Z",
  set_by: EXAMPLES.user,
  set_at: EXAMPLES.time,
};
const Request = z
  .strictObject({ reason: EmergencyReason, days: z.int().min(1).max(MAX_DELAY_DAYS).openapi({ description: "From now on" }) })
  .openapi("NoticeDelayRequest");

export const noticeDelayRoutes = createRouter()
  .openapi(
    createRoute({
      method: "put",
      path,
      tags,
      summary: "Delay notices of emergency access",
      description:
        "By a privacy officer of the hospital that holds the record, to protect the patient. Until then the patient is not " +
        "notified of emergency access that begins; the notices are sent afterwards.",
      security: BEARER_AUTH,
      request: { params, body: jsonRequestBody(Request, { reason: example.reason, days: 10 }) },
      responses: { 200: jsonResponse(NoticeDelay, "The delay", example), ...problemResponses(401, 403, 404, 413, 415) },
    }),
    async (c) => {
      return ok(c, await setDelay(c.get("call"), c.req.valid("param").patient_id, c.req.valid("json")));
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path,
      tags,
      summary: "Get the delay of notices",
      security: BEARER_AUTH,
      request: { params },
      responses: { 200: jsonResponse(NoticeDelay, "The delay", example), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getDelay(c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "delete",
      path,
      tags,
      summary: "End the delay of notices",
      description: "Notices that were held back are sent within a minute.",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(z.object({ patient_id: Id }), "The patient", { patient_id: EXAMPLES.patient }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { patient_id } = c.req.valid("param");
      await removeDelay(c.get("call"), patient_id);
      return ok(c, { patient_id });
    },
  );
