// Safeguarding: a privacy officer has the person of a record notified of emergency access later, for example while somebody else may
// read their messages. Only privacy officers of the hospital that holds the record see the delay.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../access/audit.ts";
import { denyAccess, denyNotFound } from "../access/deny.ts";
import type { Permission } from "../access/permissions.ts";
import type { Keys } from "../platform/config.ts";
import { sealValue, unsealValue } from "../platform/crypto.ts";
import { batch } from "../platform/db/client.ts";
import type { noticeDelays } from "../platform/db/schema.ts";
import { DAY_MS, toIso } from "../platform/time.ts";
import { selectOfficerIds } from "../privacy/officers/officers.ts";

/** Days for which one decision holds. */
export const MAX_DELAY_DAYS = 30;

type DelayRow = typeof noticeDelays.$inferSelect;
type Found = { is_officer: number; patient_id: string | null } & Partial<DelayRow>;

const reasonContext = (id: string) => ({ table: "notice_delays", column: "reason", id });

async function toDelay({ fields }: Keys, row: DelayRow) {
  return {
    patient_id: row.patientId,
    reason: String(await unsealValue(fields, reasonContext(row.patientId), row.reasonSealed)),
    until: toIso(row.until),
    set_by: row.setBy,
    set_at: toIso(row.setAt),
  };
}

const isOfficer = ({ hospitalId }: UserEffectiveRole, { actor }: UserCall): SQL =>
  sql`(${actor.userId} IN (${selectOfficerIds(hospitalId ?? "")}))`;

/** @throws ApiError forbidden (no privacy officer of the acting hospital), not_found (no patient of it); both audited */
async function requireOfficer(anyCall: Call, patientId: string, permission: Permission) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, call) => [
    call.db.all<Found>(sql`SELECT ${isOfficer(effectiveRole, call)} AS is_officer,
        (SELECT p.id FROM patients p WHERE p.id = ${patientId} AND p.hospital_id = ${effectiveRole.hospitalId}) AS patient_id,
        d.reason_sealed AS reasonSealed, d.until AS until, d.set_by AS setBy, d.set_at AS setAt
      FROM (SELECT 1) LEFT JOIN notice_delays d ON d.patient_id = ${patientId}`),
  ]);
  const [found] = results[0];
  const { role, hospitalId } = effectiveRole;
  if (found?.is_officer !== 1) return denyAccess(call, permission, "forbidden", { role, hospitalId });
  if (found.patient_id === null) return denyNotFound(call, permission, effectiveRole, { patient: patientId });
  return { call, effectiveRole, found: toRow(found, patientId) };
}

function toRow({ reasonSealed, until, setBy, setAt }: Found, patientId: string): DelayRow | null {
  if (!reasonSealed || !until || !setBy || !setAt) return null;
  return { patientId, reasonSealed, until, setBy, setAt };
}

const delayEvent = ({ role, hospitalId }: UserEffectiveRole, event: string, action: "R" | "U" | "D", patientId: string) =>
  ({ event, action, role, hospitalId, entity: { type: "patient", id: patientId } }) as const;

/** @throws ApiError not_found (no delay that runs) */
export async function getDelay(anyCall: Call, patientId: string) {
  const { call, effectiveRole, found } = await requireOfficer(anyCall, patientId, "notice_delay:read");
  if (!found || found.until <= call.now) return denyNotFound(call, "notice_delay:read", effectiveRole, { patient: patientId });
  const stored = appendAuditEvent(call, delayEvent(effectiveRole, "notice_delay.read", "R", patientId));
  return afterAudit(stored, toDelay(call.keys, found));
}

/**
 * Sets the delay or replaces it. Notices that were held back are sent when it ends.
 * @param days 1 to MAX_DELAY_DAYS  @throws ApiError forbidden, not_found
 */
export async function setDelay(anyCall: Call, patientId: string, { reason, days }: { reason: string; days: number }) {
  const { call, effectiveRole } = await requireOfficer(anyCall, patientId, "notice_delay:manage");
  const { db, keys, actor, now } = call;
  const until = now + days * DAY_MS;
  const reasonSealed = await sealValue(keys.fields, reasonContext(patientId), reason);
  const changed = await batch(db, [
    // One that follows without a gap continues the earlier one: attempts since then stay withheld (audit/withheld.ts).
    db.all<{ setAt: number }>(sql`INSERT INTO notice_delays (patient_id, reason_sealed, until, set_by, set_at)
      SELECT ${patientId}, ${reasonSealed}, CAST(${until} AS INTEGER), ${actor.userId}, CAST(${now} AS INTEGER)
      WHERE ${isOfficer(effectiveRole, call)}
      ON CONFLICT (patient_id) DO UPDATE SET reason_sealed = excluded.reason_sealed, until = excluded.until, set_by = excluded.set_by,
        set_at = iif(notice_delays.until > excluded.set_at, notice_delays.set_at, excluded.set_at)
      RETURNING set_at AS setAt`),
    ...recordAuditEvent(db, actor, now, {
      ...delayEvent(effectiveRole, "notice_delay.set", "U", patientId),
      detail: { until: toIso(until) },
      when: sql`changes() > 0`,
    }),
  ]);
  const [stored] = changed[0];
  if (!stored)
    return denyAccess(call, "notice_delay:manage", "forbidden", {
      role: effectiveRole.role,
      hospitalId: effectiveRole.hospitalId,
    });
  return toDelay(keys, { patientId, reasonSealed, until, setBy: actor.userId, setAt: stored.setAt });
}

/** Ends the delay: cron sends what was held back. @throws ApiError forbidden, not_found (no delay) */
export async function removeDelay(anyCall: Call, patientId: string): Promise<void> {
  const { call, effectiveRole } = await requireOfficer(anyCall, patientId, "notice_delay:manage");
  const { db, actor, now } = call;
  const [changed] = await batch(db, [
    db.all<{ id: string }>(sql`DELETE FROM notice_delays WHERE patient_id = ${patientId} AND ${isOfficer(effectiveRole, call)}
      RETURNING patient_id AS id`),
    ...recordAuditEvent(db, actor, now, {
      ...delayEvent(effectiveRole, "notice_delay.remove", "D", patientId),
      when: sql`changes() > 0`,
    }),
  ]);
  if (changed.length === 0) await denyNotFound(call, "notice_delay:manage", effectiveRole, { patient: patientId });
}
