// Lists audit events: administrators see all, hospital administrators their hospital's, patients those about them.

import { withUser } from "../access/access.ts";
import type { Call, UserEffectiveRole } from "../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../access/audit.ts";
import { denyNotFound } from "../access/deny.ts";
import { type LogEntry, NO_HOSPITAL_LOG } from "../audit-log/contract.ts";
import { handOverStaged } from "../audit-log/hand-over.ts";
import { buildOpenEndedPagination, resolvePageStart } from "../http/pagination.ts";
import { toIso } from "../platform/time.ts";
import { type ActorNames, NO_NAMES, readActorNames } from "./actor-names.ts";
import { recordOwnRead, selectOwnRead } from "./own-log-read.ts";
import type { ShownEvent } from "./schemas.ts";
import { type AuditQuery, isHospitalHidden, selectPlaces, toVisibleLogs } from "./visible-logs.ts";
import { readShown, selectWithheld, withheldFrom } from "./withheld.ts";

/**
 * Lists events, newest first; what waits in D1 is handed over first. Reading the audit log is itself recorded: each read of an
 * administrator, the first of a UTC day of a patient.
 */
export async function listAuditEvents(env: Env, anyCall: Call, query: AuditQuery) {
  const start = await resolvePageStart(anyCall, "audit-events", { ...query, offset: 0 });
  const { call, effectiveRole, results } = await withUser(anyCall, "audit:read", (effectiveRole, { db, actor, now }) => [
    selectPlaces(db, query, effectiveRole, actor),
    selectWithheld(db, effectiveRole, actor, now),
    ...(effectiveRole.role === "patient" ? [selectOwnRead(db, actor, now)] : []),
  ]);
  if (isHospitalHidden(query, effectiveRole, results[0]))
    return denyNotFound(call, "audit:read", effectiveRole, { hospital: query.hospital_id ?? "" });
  const logs = toVisibleLogs(results[0], query, effectiveRole);
  await handOverStaged(env, call.now);
  const before = start.after && { recorded: start.after.value, id: start.after.id };
  const source = { env, keys: call.keys, logs };
  const { entries, next } = await readShown(source, before, start.limit, withheldFrom(effectiveRole, results[1]));
  const stored = results[2]
    ? recordOwnRead(call, results[2])
    : appendAuditEvent(call, readEvent(effectiveRole, query, entries.length));
  const end = next && { value: next.recorded, id: next.id };
  const naming = effectiveRole.role === "patient" ? readActorNames(call, entries) : Promise.resolve(NO_NAMES);
  const [pagination, names] = await afterAudit(
    stored,
    Promise.all([buildOpenEndedPagination(start, entries.length, end), naming]),
  );
  return { items: entries.map((entry) => toAuditEvent(entry, effectiveRole, names)), pagination };
}

const readEvent = ({ role, hospitalId }: UserEffectiveRole, { hospital_id, patient_id }: AuditQuery, count: number) => ({
  event: "audit.read",
  action: "R" as const,
  role,
  hospitalId: role === "admin" && hospital_id !== NO_HOSPITAL_LOG ? (hospital_id ?? null) : hospitalId,
  // An empty result has no subject: otherwise anybody could write into any patient's access log.
  subjects: patient_id && count > 0 ? [patient_id] : [],
  detail: { count },
});

/**
 * Patients see who accessed their data, but nothing of other patients (ids of what the same page lists; ids of held samples begin with
 * the patient of their object) nor IP addresses. A hospital sees
 * the IP addresses of its own staff only. Does not reveal the hospital of a patient that the caller's staff may not see.
 */
export function toAuditEvent(
  entry: LogEntry & { log: string },
  { role: reader, hospitalId }: UserEffectiveRole,
  names: ActorNames = NO_NAMES,
): ShownEvent {
  const { actor_hospital_id: workplaceId } = entry;
  const isDeniedAbroad = reader === "hospital_admin" && workplaceId === hospitalId && entry.outcome === "denied";
  const isOtherHospitalStaff = reader === "hospital_admin" && workplaceId !== null && workplaceId !== hospitalId;
  const { report_ids: _, held_ids: __, emergency_access_ids: ___, review_ids: ____, ...detailForPatient } = entry.detail ?? {};
  const isHeldEntry = reader === "patient" && entry.entity?.type === "held_observations";
  return {
    id: entry.id,
    log: entry.log === NO_HOSPITAL_LOG ? null : entry.log,
    seq: entry.seq,
    recorded: toIso(entry.recorded),
    event: entry.event,
    action: entry.action,
    outcome: entry.outcome,
    reason: entry.reason,
    actor: { kind: entry.actor.kind, id: entry.actor.id, role: entry.actor.role, name: names.get(entry.actor.id ?? "") ?? null },
    hospital_id: isDeniedAbroad ? null : entry.hospital_id,
    actor_hospital_id: workplaceId,
    basis: entry.basis,
    purpose: entry.purpose,
    entity: isHeldEntry ? null : entry.entity,
    request_id: entry.request_id,
    ip: reader === "patient" || isOtherHospitalStaff ? null : entry.ip,
    detail: reader === "patient" && entry.detail ? detailForPatient : entry.detail,
  };
}
