// Memberships: grant, change and end a user's role at a hospital.
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, denyNotFound, failWithAudit } from "../../access/deny.ts";
import { activeSession, canManageHospital } from "../../access/effective-role.ts";
import { enrolmentRequired } from "../../access/sign-in.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError } from "../../platform/db/row-limits.ts";
import { careTeam, hospitals, memberships, SELF_CARE_HOSPITAL_ID, sessions, users } from "../../platform/db/schema.ts";
import { memberAuthorUnlessFull, type StaffRole } from "./users.ts";

/**
 * The access check of both changes: fetches account, hospital and membership, if the caller may change it.
 * @throws ApiError not_found, forbidden (the caller's own; that of a platform administrator)
 */
async function requireMember(anyCall: Call, hospitalId: string, userId: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "member:manage", (_, { db }) => [
    db.select({ isAdmin: users.isAdmin, passwordGiven: users.passwordGiven }).from(users).where(eq(users.id, userId)),
    db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
    db.select({ role: memberships.role }).from(memberships).where(isCurrentMembership(hospitalId, userId)),
  ]);
  const [[user], [hospital], [member]] = results;
  const { role } = effectiveRole;
  const isVisible = user && hospital && (member || role === "admin");
  const target = { user: userId };
  if (!canManageHospital(effectiveRole, hospitalId) || !isVisible)
    return denyNotFound(call, "member:manage", effectiveRole, target);
  if (userId === call.actor.userId || (user.isAdmin && role !== "admin")) {
    return denyAccess(call, "member:manage", "forbidden", { role, hospitalId, target });
  }
  return { call, effectiveRole, member: member ?? null, passwordGiven: user.passwordGiven === 1 };
}

const isCurrentMembership = (hospitalId: string, userId: string) =>
  and(eq(memberships.userId, userId), eq(memberships.hospitalId, hospitalId), isNull(memberships.endedAt));

/** Repeats the access check inside the write: when two administrators demote each other, one remains. */
function callerStillManages({ actor, now }: UserCall, hospitalId: string): SQL {
  const { from, where } = activeSession(actor, now);
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where}
    AND (u.is_admin = 1 OR (m.role = 'hospital_admin' AND h.id = ${hospitalId})) AND NOT ${enrolmentRequired(now)})`;
}

const isNotAdmin = (userId: string) => sql`NOT EXISTS (SELECT 1 FROM users x WHERE x.id = ${userId} AND x.is_admin = 1)`;

/**
 * Grants an existing account a role at a hospital, or changes the role there.
 * @throws ApiError not_found, forbidden, password_given and limit_reached (for a new member)
 */
export async function setMember(anyCall: Call, hospitalId: string, userId: string, role: StaffRole): Promise<void> {
  const { call, effectiveRole, member, passwordGiven } = await requireMember(anyCall, hospitalId, userId);
  const { db, actor, now } = call;
  if (hospitalId === SELF_CARE_HOSPITAL_ID) {
    return denyAccess(call, "member:manage", "forbidden", {
      role: effectiveRole.role,
      hospitalId,
      target: { hospital: hospitalId },
    });
  }
  const { role: callerRole } = effectiveRole;
  const event = { event: "member.set", action: "U", role: callerRole, hospitalId, entity: { type: "user", id: userId } } as const;
  // Otherwise whoever set the password at another hospital would gain access here.
  if (passwordGiven && !member) return failWithAudit(call, "password_given", { ...event, detail: { role } });
  const hasOwnPassword = sql`EXISTS (SELECT 1 FROM users x WHERE x.id = ${userId} AND (x.password_given = 0 OR EXISTS
    (SELECT 1 FROM memberships e WHERE e.user_id = x.id AND e.hospital_id = ${hospitalId} AND e.ended_at IS NULL)))`;
  const canStillManage = callerStillManages(call, hospitalId);
  // A hospital administrator changes existing members only; adding an account, or adding one again, takes an administrator.
  const upsertMembership =
    effectiveRole.role === "admin"
      ? sql`INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at)
          SELECT ${userId}, id, ${role}, ${memberAuthorUnlessFull(actor.userId, hospitalId, userId)}, CAST(${now} AS INTEGER) FROM hospitals
          WHERE id = ${hospitalId} AND active = 1 AND ${hasOwnPassword} AND ${canStillManage}
          ON CONFLICT (user_id, hospital_id) DO UPDATE SET role = excluded.role, ended_at = NULL,
            suspended_at = CASE WHEN ended_at IS NULL THEN suspended_at ELSE NULL END,
            created_by = CASE WHEN ended_at IS NULL THEN created_by ELSE excluded.created_by END,
            created_at = CASE WHEN ended_at IS NULL THEN created_at ELSE excluded.created_at END`
      : sql`UPDATE memberships SET role = ${role} WHERE ${isCurrentMembership(hospitalId, userId)} AND ${isNotAdmin(userId)} AND ${canStillManage}`;
  const [rows] = await batch(db, [
    db.all<{ user_id: string }>(sql`${upsertMembership} RETURNING user_id`),
    ...recordAuditEvent(db, actor, now, { ...event, detail: { role }, when: sql`changes() > 0` }),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.members);
  });
  if (rows.length === 0) await denyNotFound(call, "member:manage", effectiveRole, { user: userId });
}

/** Ends a membership with its sessions and care team memberships. @throws ApiError not_found, forbidden */
export async function endMember(anyCall: Call, hospitalId: string, userId: string): Promise<void> {
  const { call, effectiveRole, member } = await requireMember(anyCall, hospitalId, userId);
  if (!member) return denyNotFound(call, "member:manage", effectiveRole, { user: userId });
  const { db, actor, now } = call;
  const canEnd = effectiveRole.role === "admin" ? undefined : isNotAdmin(userId);
  // The following statements run only if this statement, or a concurrent one at the same instant, ended the membership.
  const ended = sql`EXISTS (SELECT 1 FROM memberships e WHERE e.user_id = ${userId} AND e.hospital_id = ${hospitalId} AND e.ended_at = ${now})`;
  const [rows] = await batch(db, [
    db
      .update(memberships)
      .set({ endedAt: now, privacyOfficer: 0 })
      .where(and(isCurrentMembership(hospitalId, userId), canEnd, callerStillManages(call, hospitalId)))
      .returning({ userId: memberships.userId }),
    ...recordAuditEvent(db, actor, now, {
      event: "member.end",
      action: "D",
      role: effectiveRole.role,
      hospitalId,
      entity: { type: "user", id: userId },
      when: sql`changes() > 0`,
    }),
    db
      .update(sessions)
      .set({ revokedAt: now, revokedReason: "membership_ended" })
      .where(and(eq(sessions.userId, userId), eq(sessions.hospitalId, hospitalId), isNull(sessions.revokedAt), ended)),
    db
      .update(careTeam)
      .set({ endedAt: now })
      .where(
        and(
          eq(careTeam.userId, userId),
          isNull(careTeam.endedAt),
          sql`${careTeam.patientId} IN (SELECT id FROM patients WHERE hospital_id = ${hospitalId})`,
          ended,
        ),
      ),
  ]);
  if (rows.length === 0) await denyNotFound(call, "member:manage", effectiveRole, { user: userId });
}
