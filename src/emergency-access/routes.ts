// Routes of emergency access: begin, read and end.
import { createRoute, z } from "@hono/zod-openapi";
import { readIdempotencyKey, runOnce } from "../http/idempotency.ts";
import { pageQuery } from "../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  PatientRef,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../http/router.ts";
import { endEmergency, getEmergency, listEmergencies } from "./read.ts";
import { EmergencyReason } from "./schemas.ts";
import { startEmergency } from "./start.ts";

const tags = ["Emergency access"];
const params = z.object({ emergency_access_id: Id.openapi({ example: EXAMPLES.emergencyAccess }) });

const EmergencyAccess = z
  .object({
    emergency_access_id: Id,
    status: z.enum(["active", "ended"]),
    hospital_id: Id.openapi({ description: "The reader's hospital" }),
    user_id: Id,
    patient_id: Id.openapi({ description: "The record that is open to the user" }),
    record_hospital_id: Id.openapi({ description: "The hospital that holds the record" }),
    purpose: z.literal("BTG"),
    reason: z.string(),
    second_step: z.boolean().openapi({ description: "False: the session had no recent second step; the review comes first" }),
    started_at: Timestamp,
    ends_at: Timestamp.openapi({ description: "60 minutes after started_at, excluded" }),
    ended_at: Timestamp.nullable(),
    patient_notified_at: Timestamp.nullable().openapi({ description: "For privacy officers; null for others" }),
  })
  .openapi("EmergencyAccess");
const example = {
  emergency_access_id: EXAMPLES.emergencyAccess,
  status: "active" as const,
  hospital_id: EXAMPLES.hospital,
  user_id: EXAMPLES.user,
  patient_id: EXAMPLES.patient,
  record_hospital_id: EXAMPLES.hospital,
  purpose: "BTG" as const,
  reason: "Unconscious after a fall; allergies and medication are needed",
  second_step: true,
  started_at: EXAMPLES.time,
  ends_at: "2026-11-21T10:30:00.000Z",
  ended_at: null,
  patient_notified_at: null,
};
const exampleEnded = { ...example, status: "ended" as const, ended_at: "2026-11-21T09:45:00.000Z" };

const Request = z
  .strictObject({ patient_id: PatientRef, reason: EmergencyReason, purpose: z.literal("BTG") })
  .openapi("EmergencyAccessRequest");
const exampleRequest = { patient_id: EXAMPLES.patient, reason: example.reason, purpose: "BTG" as const };

export const emergencyAccessRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/emergency-access",
      tags,
      summary: "Begin an emergency access",
      description:
        "Opens one record to the caller for 60 minutes, read only. For doctors and nurses, as far as `emergency_reach` of the " +
        "hospital allows; a record of another hospital also needs that hospital's setting and a record of the person at the " +
        "caller's, which staff of both has identified. Privacy officers and the patient are notified, every read is marked, and a review is opened. A further access " +
        "to the record needs a new reason. At most 50 per person and UTC day.",
      security: BEARER_AUTH,
      request: { headers: idempotencyHeaders, body: jsonRequestBody(Request, exampleRequest) },
      responses: {
        201: jsonResponse(EmergencyAccess, "The emergency access", example),
        ...problemResponses(401, 403, 404, 409, 413, 415, 429),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const key = await readIdempotencyKey(c, "emergency_access.start");
      const started = await runOnce(
        call,
        key,
        input,
        (statements) => startEmergency(call, { patientId: input.patient_id, reason: input.reason }, statements),
        (id) => getEmergency(call, id),
      );
      return ok(c, started, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/emergency-access",
      tags,
      summary: "List emergency accesses",
      description: "The caller's own; for a privacy officer, those by staff of the hospital or to its records. Newest first.",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({ ...pageQuery, status: z.enum(["active", "ended"]).optional(), patient_id: Id.optional() }),
      },
      responses: { 200: pageResponse(EmergencyAccess, "Emergency accesses", example), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listEmergencies(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/emergency-access/{emergency_access_id}",
      tags,
      summary: "Get an emergency access",
      security: BEARER_AUTH,
      request: { params },
      responses: { 200: jsonResponse(EmergencyAccess, "The emergency access", example), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getEmergency(c.get("call"), c.req.valid("param").emergency_access_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/emergency-access/{emergency_access_id}/end",
      tags,
      summary: "End an emergency access",
      description: "By the person who began it. Live views close, and what begins after the response is refused.",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(EmergencyAccess, "The emergency access", exampleEnded),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await endEmergency(c.env, c.get("call"), c.req.valid("param").emergency_access_id)),
  );
