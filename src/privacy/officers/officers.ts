// Privacy officers of a hospital: members who review emergency access and the questions of patients.
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { type AuditAction, type AuditEvent, afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP, activeSession, canManageHospital } from "../../access/effective-role.ts";
import { type Profile, unsealProfile } from "../../access/profile.ts";
import { enrolmentRequired } from "../../access/sign-in.ts";
import type { StaffRole } from "../../accounts/users/users.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { hospitals, memberships } from "../../platform/db/schema.ts";

type OfficerRow = { id: string; profileSealed: string; role: StaffRole };

/** The ids of the active privacy officers of a hospital, as a SELECT of one column. @param hospitalId SQL or id */
export const selectOfficerIds = (hospitalId: SQL | string): SQL =>
  sql`SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId} AND m.privacy_officer = 1 AND ${ACTIVE_MEMBERSHIP}`;

async function toOfficer(keys: Call["keys"], row: OfficerRow) {
  const { full_name }: Profile = await unsealProfile(keys, row);
  return { user_id: row.id, full_name, role: row.role };
}

/** Lists the privacy officers by user id; at most ROW_LIMITS.privacyOfficers. @throws ApiError not_found */
export async function listOfficers(anyCall: Call, hospitalId: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "privacy_officer:read", (effectiveRole, { db }) => [
    db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
    db.all<OfficerRow>(sql`SELECT u.id AS id, u.profile_sealed AS profileSealed, m.role AS role
      FROM memberships m JOIN users u ON u.id = m.user_id AND u.active = 1
      WHERE m.hospital_id = ${canManageHospital(effectiveRole, hospitalId) ? hospitalId : ""} AND m.privacy_officer = 1
        AND ${ACTIVE_MEMBERSHIP} ORDER BY m.user_id`),
  ]);
  const [[hospital], rows] = results;
  if (!hospital || !canManageHospital(effectiveRole, hospitalId))
    return denyNotFound(call, "privacy_officer:read", effectiveRole, { hospital: hospitalId });
  const entity = { type: "hospital", id: hospitalId };
  const stored = appendAuditEvent(call, {
    event: "privacy_officer.list",
    action: "R",
    role: effectiveRole.role,
    hospitalId,
    entity,
    detail: { count: rows.length },
  });
  const officers = Promise.all(rows.map((row) => toOfficer(call.keys, row)));
  return { hospital_id: hospitalId, officers: await afterAudit(stored, officers) };
}

/** @throws ApiError not_found (no member of a hospital that the caller manages) */
async function requireMember(anyCall: Call, hospitalId: string, userId: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "privacy_officer:manage", (effectiveRole, { db }) => [
    db
      .select({ id: memberships.userId, isOfficer: memberships.privacyOfficer })
      .from(memberships)
      .where(isCurrentMembership(canManageHospital(effectiveRole, hospitalId) ? hospitalId : "", userId)),
  ]);
  const [[member]] = results;
  if (!member) return denyNotFound(call, "privacy_officer:manage", effectiveRole, { user: userId });
  return { call, effectiveRole, member };
}

const isCurrentMembership = (hospitalId: string, userId: string) =>
  and(eq(memberships.userId, userId), eq(memberships.hospitalId, hospitalId), isNull(memberships.endedAt));

/** Repeats the access check inside the write. */
function callerStillManages({ actor, now }: UserCall, hospitalId: string): SQL {
  const { from, where } = activeSession(actor, now);
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where}
    AND (u.is_admin = 1 OR (m.role = 'hospital_admin' AND h.id = ${hospitalId})) AND NOT ${enrolmentRequired(now)})`;
}

const officerEvent = (
  { role }: UserEffectiveRole,
  hospitalId: string,
  userId: string,
  event: string,
  action: AuditAction,
): AuditEvent => ({ event, action, role, hospitalId, entity: { type: "user", id: userId }, when: sql`changes() > 0` });

/**
 * Makes a member of the hospital a privacy officer; a repetition changes nothing.
 * @throws ApiError not_found, limit_reached
 */
export async function addOfficer(anyCall: Call, hospitalId: string, userId: string): Promise<void> {
  const { call, effectiveRole } = await requireMember(anyCall, hospitalId, userId);
  const { db, actor, now } = call;
  const others = sql`memberships WHERE hospital_id = ${hospitalId} AND privacy_officer = 1 AND user_id <> ${userId}`;
  const [changed] = await batch(db, [
    db
      .update(memberships)
      .set({ privacyOfficer: unlessFull(sql`1`, ROW_LIMITS.privacyOfficers, others) })
      .where(and(isCurrentMembership(hospitalId, userId), callerStillManages(call, hospitalId)))
      .returning({ id: memberships.userId }),
    ...recordAuditEvent(db, actor, now, officerEvent(effectiveRole, hospitalId, userId, "privacy_officer.add", "U")),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.privacyOfficers);
  });
  if (changed.length === 0) await denyNotFound(call, "privacy_officer:manage", effectiveRole, { user: userId });
}

/** @throws ApiError not_found (no privacy officer of the hospital) */
export async function removeOfficer(anyCall: Call, hospitalId: string, userId: string): Promise<void> {
  const { call, effectiveRole } = await requireMember(anyCall, hospitalId, userId);
  const { db, actor, now } = call;
  const [changed] = await batch(db, [
    db
      .update(memberships)
      .set({ privacyOfficer: 0 })
      .where(
        and(isCurrentMembership(hospitalId, userId), eq(memberships.privacyOfficer, 1), callerStillManages(call, hospitalId)),
      )
      .returning({ id: memberships.userId }),
    ...recordAuditEvent(db, actor, now, officerEvent(effectiveRole, hospitalId, userId, "privacy_officer.remove", "D")),
  ]);
  if (changed.length === 0) await denyNotFound(call, "privacy_officer:manage", effectiveRole, { user: userId });
}
