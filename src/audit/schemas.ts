// An audit event as the API shows it, and query parameters that routes of the audit log share.
import { z } from "@hono/zod-openapi";
import { NO_HOSPITAL_LOG } from "../audit-log/contract.ts";
import { booleanParam } from "../http/pagination.ts";
import { EXAMPLES, Id, TimeInput, Timestamp, Uuid } from "../http/router.ts";

/** A hospital's id, or the log of no hospital. */
const logId = z
  .union([Uuid, z.literal(NO_HOSPITAL_LOG)])
  .optional()
  .openapi({ type: "string", maxLength: 36, pattern: "^([0-9a-f-]{36}|none)$", example: EXAMPLES.hospital });

export const auditFilters = {
  hospital_id: logId.openapi({
    description: `For platform administrators: one hospital's log, or \`${NO_HOSPITAL_LOG}\` for events of no hospital; needed with 100 hospitals or more`,
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
};

/** The log that a request is about. */
export const logQuery = z.strictObject({
  hospital_id: logId.openapi({
    description: `For platform administrators: the hospital's log; without it, or with \`${NO_HOSPITAL_LOG}\`, that of events of no hospital`,
  }),
});

export const AuditEvent = z
  .object({
    id: z.string().openapi({ description: "UUIDv7; an event that stands in two logs has the same id in both" }),
    log: z.string().nullable().openapi({ description: "Hospital whose log the entry is in; null for the log of no hospital" }),
    seq: z.number().int().openapi({ description: "Index of the entry in its log" }),
    recorded: Timestamp,
    event: z.string(),
    action: z.enum(["C", "R", "U", "D", "E"]),
    outcome: z.enum(["success", "denied", "failed"]),
    reason: z.string().nullable(),
    actor: z.object({
      kind: z.string(),
      id: z.string().nullable(),
      role: z.string().nullable(),
      name: z.string().nullable().openapi({
        description:
          "Of staff, in the list that a patient reads; null to other readers, in exports, and when the account is gone",
      }),
    }),
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
export type ShownEvent = z.infer<typeof AuditEvent>;
