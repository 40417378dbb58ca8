// Routes: audit log (FHIR AuditEvent).
import { createRoute, z } from "@hono/zod-openapi";
import { NO_HOSPITAL_LOG } from "../audit-log/contract.ts";
import { booleanParam, pageQuery } from "../http/pagination.ts";
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
  Uuid,
} from "../http/router.ts";
import { listAuditEvents } from "./list-audit-events.ts";

const AuditEvent = z
  .object({
    id: z.string().openapi({ description: "UUIDv7; an event that stands in two logs has the same id in both" }),
    log: z.string().nullable().openapi({ description: "Hospital whose log the entry is in; null for the log of no hospital" }),
    seq: z.number().int().openapi({ description: "Index of the entry in its log" }),
    recorded: Timestamp,
    event: z.string(),
    action: z.enum(["C", "R", "U", "D", "E"]),
    outcome: z.enum(["success", "denied", "failed"]),
    reason: z.string().nullable(),
    actor: z.object({ kind: z.string(), id: z.string().nullable(), role: z.string().nullable() }),
    hospital_id: z.string().nullable().openapi({
      description:
        "Hospital whose data was accessed; null when the hospital's own staff were denied a patient of another hospital or an unknown id",
    }),
    actor_hospital_id: z.string().nullable().openapi({ description: "Hospital of the actor, if it is another one" }),
    basis: z.string().nullable(),
    purpose: z.string().nullable(),
    entity: z.object({ type: z.string(), id: z.string() }).nullable(),
    request_id: z.string(),
    ip: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()).nullable(),
  })
  .openapi("AuditEvent");

export const auditRoutes = createRouter().openapi(
  createRoute({
    method: "get",
    path: "/audit-events",
    tags: ["AuditEvent"],
    summary: "List audit events",
    security: BEARER_AUTH,
    request: {
      query: z.strictObject({
        limit: pageQuery.limit,
        cursor: pageQuery.cursor,
        hospital_id: z
          .union([Uuid, z.literal(NO_HOSPITAL_LOG)])
          .optional()
          .openapi({
            description: `For platform administrators: one hospital's log, or \`${NO_HOSPITAL_LOG}\` for events of no hospital; needed with 100 hospitals or more`,
            example: EXAMPLES.hospital,
          }),
        patient_id: Id.optional(),
        actor_id: z.string().max(64).toLowerCase().optional(),
        event: z.string().max(64).optional(),
        outcome: z.enum(["success", "denied", "failed"]).optional(),
        from: TimeInput.optional(),
        to: TimeInput.optional(),
        abroad: booleanParam.optional().openapi({
          description:
            "Only access of the hospital's staff to data of other hospitals, and attempts on patients who are not the hospital's or do not exist",
        }),
      }),
    },
    responses: {
      200: pageResponse(AuditEvent, "Newest first", {
        id: EXAMPLES.request,
        log: EXAMPLES.hospital,
        seq: 4711,
        recorded: EXAMPLES.time,
        event: "report.download",
        action: "R",
        outcome: "success",
        reason: null,
        actor: { kind: "user", id: EXAMPLES.user, role: "doctor" },
        hospital_id: EXAMPLES.hospital,
        actor_hospital_id: null,
        basis: "care_team",
        purpose: "treatment",
        entity: { type: "report", id: EXAMPLES.report },
        request_id: EXAMPLES.request,
        ip: "203.0.113.7",
        detail: { via: "link" },
      }),
      ...problemResponses(401, 403),
    },
  }),
  async (c) => okPage(c, await listAuditEvents(c.env, c.get("call"), c.req.valid("query"))),
);
