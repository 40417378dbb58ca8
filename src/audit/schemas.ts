// Query parameters that routes of the audit log share.
import { z } from "@hono/zod-openapi";
import { NO_HOSPITAL_LOG } from "../audit-log/contract.ts";
import { booleanParam } from "../http/pagination.ts";
import { EXAMPLES, Id, TimeInput, Uuid } from "../http/router.ts";

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
