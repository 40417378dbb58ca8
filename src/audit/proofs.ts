// Checkpoints of an audit log, and proofs that an event is in it.
import { sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../access/actor.ts";
import { appendAuditEvent } from "../access/audit.ts";
import { denyNotFound } from "../access/deny.ts";
import { type AuditLogCalls, type LogEntry, type LogProof, NO_HOSPITAL_LOG } from "../audit-log/contract.ts";
import { handOverStaged } from "../audit-log/hand-over.ts";
import { leafBytes, saltOf, secretOf } from "../audit-log/tree/leaf.ts";
import { toBase64Url } from "../platform/crypto.ts";
import type { Db } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { isAddressHidden, isDeniedAbroad, type LogQuery, requireLog, toHospitalId, visiblePatients } from "./visible-log.ts";
import { selectPlaces, toVisibleLogs } from "./visible-logs.ts";
import { selectWithheld, type WithheldRow, withheldBy } from "./withheld.ts";

export const selectHospital = (db: Db, { hospital_id: id }: LogQuery) =>
  db.all<{ id: string }>(sql`SELECT id FROM hospitals WHERE id = ${id ?? ""}`);

/** The newest checkpoint: a new one if events were added since the last. @throws ApiError not_found (audited) */
export async function getCheckpoint(env: Env, anyCall: Call, query: LogQuery) {
  const permission = "audit_checkpoint:read";
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (_, { db }) => [selectHospital(db, query)]);
  const logId = await requireLog(call, permission, effectiveRole, query, results[0]);
  const hospitalId = toHospitalId(logId);
  const { checkpoint, size, rootHash, verifierKey } = await env.AUDIT_LOG.getByName(logId).checkpoint();
  await appendAuditEvent(call, {
    event: "audit.checkpoint",
    action: "R",
    role: effectiveRole.role,
    hospitalId,
    detail: { size },
  });
  return { hospital_id: hospitalId, size, root_hash: rootHash, checkpoint, verifier_key: verifierKey };
}

/**
 * The proof that a log has an event. Patients get those of their own log only, with the one subject hash that is theirs opened.
 * @throws ApiError not_found (audited): no such event, or not visible to the caller (yet), or deleted after the retention time
 */
export async function getProof(env: Env, anyCall: Call, eventId: string, query: LogQuery) {
  const permission = "audit:read";
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db, actor, now }) => [
    selectHospital(db, query),
    selectPlaces(db, { limit: 1 }, effectiveRole, actor),
    selectWithheld(db, effectiveRole, actor, now),
  ]);
  const [hospitals, places, withheld] = results;
  const isWithheld = withheldBy(withheld);
  const ownIds = effectiveRole.role === "patient" ? places.flatMap(({ patient }) => (patient === null ? [] : [patient])) : null;
  const isSearched = (logId: string) => query.hospital_id === undefined || query.hospital_id === logId;
  const logIds = ownIds
    ? [...new Set(toVisibleLogs(places, { limit: 1 }, effectiveRole).map(({ logId }) => logId))].filter(isSearched)
    : [await requireLog(call, permission, effectiveRole, query, hospitals)];
  await handOverStaged(env, call.now);
  const found = await findProof(
    env,
    logIds,
    eventId,
    (proof) => !isWithheld(proof.entry) && isVisible(proof, effectiveRole, ownIds),
  );
  if (!found) return denyNotFound(call, permission, effectiveRole, { audit_event: eventId });
  return recordProof(call, effectiveRole, found.logId, found.proof, ownIds);
}

/** The first log's proof of an event that the caller may see, or null. */
async function findProof(env: Env, logIds: readonly string[], eventId: string, isShown: (proof: LogProof) => boolean) {
  for (const logId of logIds) {
    const proof = await prove(env, logId, eventId);
    if (proof && isShown(proof)) return { logId, proof };
  }
  return null;
}

/** @throws ApiError unavailable when the log does not answer */
async function prove(env: Env, logId: string, eventId: string): Promise<LogProof | null> {
  // RPC types make `never` of values with members of unknown type.
  const calls = env.AUDIT_LOG.getByName(logId) as unknown as AuditLogCalls;
  try {
    return await calls.prove(eventId);
  } catch (cause) {
    throw new ApiError("unavailable", undefined, { cause, headers: { "Retry-After": "2" } });
  }
}

/**
 * An event about one of a patient's own records.
 * @param places the own records with their hospitals (`selectPlaces`)  @param withheld of `selectWithheld`
 * @returns the entry, and the own record that it is about; null if none of their logs has it, or no longer
 */
export async function findOwnEntry(
  env: Env,
  { now }: Pick<Call, "now">,
  places: readonly { log: string; patient: string | null }[],
  withheld: readonly WithheldRow[],
  eventId: string,
): Promise<{ entry: LogEntry; patientId: string } | null> {
  const patientOf = ({ subjects }: LogEntry) =>
    places.find(({ patient }) => patient !== null && subjects.includes(patient))?.patient;
  await handOverStaged(env, now);
  const logIds = [...new Set([...places.map(({ log }) => log), ...(places.length > 0 ? [NO_HOSPITAL_LOG] : [])])];
  const isWithheld = withheldBy(withheld);
  const found = await findProof(env, logIds, eventId, ({ entry }) => patientOf(entry) !== undefined && !isWithheld(entry));
  const patientId = found && patientOf(found.proof.entry);
  return patientId ? { entry: found.proof.entry, patientId } : null;
}

/** The leaf of a denial abroad names the hospital of a patient whom the caller's staff may not see. */
function isVisible({ entry }: LogProof, effectiveRole: UserEffectiveRole, ownIds: readonly string[] | null): boolean {
  if (ownIds) return entry.subjects.some((id) => ownIds.includes(id));
  return !isDeniedAbroad(entry, effectiveRole);
}

async function recordProof(
  call: UserCall,
  effectiveRole: UserEffectiveRole,
  logId: string,
  proof: LogProof,
  ownIds: readonly string[] | null,
) {
  const { entry, index, size, rootHash, hashes, checkpoint, verifierKey } = proof;
  const { role } = effectiveRole;
  const [patientId] = ownIds ? visiblePatients(entry, effectiveRole, ownIds) : [];
  const entity = { type: "audit_event", id: entry.id };
  const subjects = patientId ? [patientId] : [];
  await appendAuditEvent(call, { event: "audit.proof", action: "R", role, hospitalId: toHospitalId(logId), entity, subjects });
  const { detail, entity: eventEntity, ip, seed } = entry;
  const isOpened = !isAddressHidden(entry, effectiveRole);
  return {
    event_id: entry.id,
    hospital_id: toHospitalId(logId),
    index,
    size,
    root_hash: rootHash,
    leaf: Buffer.from(leafBytes(entry)).toString("base64"),
    hashes,
    checkpoint,
    verifier_key: verifierKey,
    subject: patientId ? { patient_id: patientId, salt: toBase64Url(saltOf(seed)) } : null,
    opened: isOpened ? { detail, entity: eventEntity, ip, secret: toBase64Url(secretOf(seed)) } : null,
  };
}
