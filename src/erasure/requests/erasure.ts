// A request for erasure as the API shows it, and who may see it.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { type AuditAction, afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { denyNotFound } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { Certificate } from "../run/certificate.ts";
import type { ErasureRow } from "../run/progress.ts";
import { hasOpenHold } from "../run/start.ts";
import { unsealReason } from "./reasons.ts";

export type SeenErasure = ErasureRow & { isHeld: number };

const COLUMNS = sql`erasures.id AS id, erasures.patient_id AS patientId, erasures.hospital_id AS hospitalId, erasures.state AS state,
  erasures.reason_sealed AS reasonSealed, erasures.requested_by AS requestedBy, erasures.requested_at AS requestedAt,
  erasures.decided_by AS decidedBy, erasures.decided_at AS decidedAt, erasures.decision_reason_sealed AS decisionReasonSealed,
  erasures.erase_on AS eraseOn, erasures.started_at AS startedAt, erasures.erased_at AS erasedAt, erasures.progress AS progress,
  erasures.list_hash AS listHash, erasures.certificate AS certificate, erasures.failures AS failures,
  erasures.failure AS failure, erasures.retry_at AS retryAt, ${hasOpenHold(sql`erasures.patient_id`)} AS isHeld`;

export const selectErasures = (where: SQL): SQL => sql`SELECT ${COLUMNS} FROM erasures WHERE ${where}`;

/** Patients see those of their own records, which end with the record. */
export const isErasureVisible = (effectiveRole: UserEffectiveRole, userId: string): SQL =>
  effectiveRole.role === "patient"
    ? sql`erasures.patient_id IN (SELECT patient_id FROM patient_links WHERE user_id = ${userId})`
    : isInCallerHospital(effectiveRole, sql`erasures.hospital_id`);

/** Why an approved erasure has not begun; null when it is due. */
function findObstacle({ state, isHeld, eraseOn }: SeenErasure, now: number): "legal_hold" | "retention" | null {
  if (state !== "restricted") return null;
  if (isHeld === 1) return "legal_hold";
  return (eraseOn ?? 0) > now ? "retention" : null;
}

export async function toErasure({ keys, now }: Pick<Call, "keys" | "now">, row: SeenErasure) {
  const { id } = row;
  const [reason, decisionReason] = await Promise.all([
    unsealReason(keys, { table: "erasures", column: "reason", id }, row.reasonSealed),
    unsealReason(keys, { table: "erasures", column: "decision_reason", id }, row.decisionReasonSealed),
  ]);
  return {
    erasure_id: id,
    patient_id: row.patientId,
    hospital_id: row.hospitalId,
    state: row.state,
    reason,
    requested_by: row.requestedBy,
    requested_at: toIso(row.requestedAt),
    decided_by: row.decidedBy,
    decided_at: toIsoOrNull(row.decidedAt),
    decision_reason: decisionReason,
    erase_on: toIsoOrNull(row.eraseOn),
    waits_for: findObstacle(row, now),
    failures: row.failures,
    last_failure: row.failure,
    retry_at: toIsoOrNull(row.failures > 0 ? row.retryAt : null),
    erased_at: toIsoOrNull(row.erasedAt),
  };
}

export const erasureEvent = (role: UserEffectiveRole["role"], row: ErasureRow, event: string, action: AuditAction) => ({
  event,
  action,
  role,
  hospitalId: row.hospitalId,
  entity: { type: "erasure", id: row.id },
  subjects: [row.patientId],
});

/** @throws ApiError not_found (audited) */
export async function requireErasure(
  anyCall: Call,
  id: string,
  permission: Permission,
): Promise<{ call: UserCall; effectiveRole: UserEffectiveRole; row: SeenErasure; isOwnRecord: boolean }> {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db, actor }) => [
    db.all<SeenErasure>(selectErasures(sql`erasures.id = ${id} AND ${isErasureVisible(effectiveRole, actor.userId)}`)),
    db.all(sql`SELECT 1 FROM erasures e JOIN patient_links l ON l.patient_id = e.patient_id
      WHERE e.id = ${id} AND l.user_id = ${actor.userId}`),
  ]);
  const [[row], links] = results;
  if (!row) return denyNotFound(call, permission, effectiveRole, { erasure: id });
  return { call, effectiveRole, row, isOwnRecord: links.length > 0 };
}

export async function getErasure(anyCall: Call, id: string) {
  const { call, effectiveRole, row } = await requireErasure(anyCall, id, "erasure:read");
  const event = erasureEvent(effectiveRole.role, row, "erasure.read", "R");
  return afterAudit(appendAuditEvent(call, event), toErasure(call, row));
}

/** @throws ApiError not_found, also before the erasure has ended */
export async function getCertificate(anyCall: Call, id: string): Promise<Certificate> {
  const { call, effectiveRole, row } = await requireErasure(anyCall, id, "erasure:read");
  if (row.certificate === null) return denyNotFound(call, "erasure:read", effectiveRole, { erasure: id });
  await appendAuditEvent(call, erasureEvent(effectiveRole.role, row, "erasure.certificate", "R"));
  return Certificate.parse(JSON.parse(row.certificate));
}
