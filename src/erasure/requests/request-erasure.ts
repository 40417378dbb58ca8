// Requests for erasure, by the person or by an administrator of the hospital.

import { sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { authorizePatient } from "../../access/patient-access.ts";
import { batch, isUniqueViolation } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { erasures } from "../../platform/db/schema.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { toErasure } from "./erasure.ts";
import { sealReason } from "./reasons.ts";

/**
 * Requests the erasure of a record. Nothing changes for the record before somebody else has approved it.
 * @throws ApiError not_found, step_up_required, conflict (an open request), limit_reached
 */
export async function requestErasure(call: Call, ref: string, reason: string) {
  const { db, keys, actor, now } = call;
  const { patient, role, basis, hospitalId } = await authorizePatient(call, { patient: ref }, "erasure:create");
  const id = uuidv7();
  const entity = { type: "erasure", id };
  const event = { event: "erasure.request", action: "C" as const, role, basis, hospitalId, entity, subjects: [patient.id] };
  const row = {
    id,
    patientId: patient.id,
    hospitalId,
    state: "requested" as const,
    reasonSealed: await sealReason(keys, { table: "erasures", column: "reason", id }, reason),
    requestedBy: getActorId(actor),
    requestedAt: now,
  };
  try {
    await batch(db, [
      db.insert(erasures).values({
        ...row,
        requestedBy: unlessFull(row.requestedBy, ROW_LIMITS.erasureRequests, sql`erasures WHERE patient_id = ${patient.id}`),
      }),
      ...recordAuditEvent(db, actor, now, event),
    ]);
  } catch (error) {
    if (isUniqueViolation(error, "erasures")) return failWithAudit(call, "conflict", event, "The record has an open request.");
    throw toLimitError(error, ROW_LIMITS.erasureRequests);
  }
  const undecided = {
    decidedBy: null,
    decidedAt: null,
    decisionReasonSealed: null,
    eraseOn: null,
    startedAt: null,
    erasedAt: null,
  };
  const unstarted = { progress: null, listHash: "", certificate: null, failures: 0, failure: null, retryAt: null };
  return toErasure(call, { ...row, ...undecided, ...unstarted, isHeld: 0 });
}
