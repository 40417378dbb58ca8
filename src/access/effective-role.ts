// The current role of a session or an app's credential, for use inside other statements.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { COUNTER_SCOPES } from "../platform/counters.ts";
import type { Db } from "../platform/db/client.ts";
import {
  type AppEffectiveRole,
  type EffectiveRole,
  type EffectiveRoleRow,
  getActorId,
  type Principal,
  type UserActor,
  type UserEffectiveRole,
} from "./actor.ts";
import { appHasScopes, selectAppRole } from "./credentials.ts";
import type { Permission } from "./permissions.ts";
import { enrolmentRequired, HAS_SECOND_STEP, SIGNED_IN_AT, signInSuffices } from "./sign-in.ts";

/** The row that decides a role, of the tables of `activeSession`. */
export const roleColumns = (now: number): SQL => sql`u.is_admin AS is_admin, m.role AS member_role,
  s.hospital_id AS acting_hospital, h.doctor_scope AS doctor_scope, NULL AS scopes, ${SIGNED_IN_AT} AS signed_in_at,
  ${HAS_SECOND_STEP} AS second_step, ${enrolmentRequired(now)} AS enrolment_required`;

/** An active membership: neither ended nor suspended. Requires the table alias `m`. */
export const ACTIVE_MEMBERSHIP = sql`m.ended_at IS NULL AND m.suspended_at IS NULL`;

/** The hospital's id while it is active, else NULL: a NOT NULL column then fails the batch (`isConditionFailed`). */
export const activeHospitalId = (id: string): SQL => sql`(SELECT id FROM hospitals WHERE id = ${id} AND active = 1)`;

/** FROM and WHERE for the active session with its user, membership and hospital. */
export function activeSession(actor: UserActor, now: number): { from: SQL; where: SQL } {
  return {
    from: sql`sessions s JOIN users u ON u.id = s.user_id AND u.active = 1
      LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = s.hospital_id AND ${ACTIVE_MEMBERSHIP}
      LEFT JOIN hospitals h ON h.id = s.hospital_id AND h.active = 1`,
    where: sql`s.id = ${actor.sessionId} AND s.user_id = ${actor.userId} AND s.revoked_at IS NULL AND s.expires_at > ${now}`,
  };
}

/** Null when the session acts for a hospital that was deactivated or that the user has left. */
export function toEffectiveRole(row: EffectiveRoleRow | undefined): EffectiveRole | null {
  if (!row) return null;
  const { acting_hospital: hospitalId, member_role: role, doctor_scope: doctorScope } = row;
  if (role === "app") {
    return { role, hospitalId: hospitalId ?? "", doctorScope: "care_team", scopes: row.scopes?.split(" ") ?? [] };
  }
  const signIn = {
    at: row.signed_in_at ?? 0,
    hasSecondStep: row.second_step === 1,
    isEnrolmentRequired: row.enrolment_required === 1,
  };
  if (row.is_admin) return { role: "admin", hospitalId, doctorScope: "care_team", signIn };
  if (hospitalId === null) return { role: "patient", hospitalId: null, doctorScope: "care_team", signIn };
  if (!role || !doctorScope) return null;
  return { role, hospitalId, doctorScope, signIn };
}

export function selectEffectiveRole(db: Db, actor: Principal, now: number) {
  if (actor.kind === "app") return selectAppRole(db, actor, now);
  const { from, where } = activeSession(actor, now);
  return db.all<EffectiveRoleRow>(sql`SELECT ${roleColumns(now)} FROM ${from} WHERE ${where}`);
}

/**
 * Fails its batch (`isRoleChanged`) unless the session or credential has this role and permission, and a sign-in that suffices for
 * it: the absolute value of the smallest integer overflows. For writes in the same round trip as their check.
 */
export function assertEffectiveRole(db: Db, actor: Principal, effectiveRole: EffectiveRole, permission: Permission, now: number) {
  const stillHeld =
    actor.kind === "app" ? appHasScopes(actor, permission, now) : userHasRole(actor, effectiveRole, permission, now);
  return db.all(sql`SELECT abs(-9223372036854775807 - 1 + EXISTS (${stillHeld})) > 0 AS holds`);
}

function userHasRole(
  actor: UserActor,
  { role, hospitalId, doctorScope }: EffectiveRole,
  permission: Permission,
  now: number,
): SQL {
  const { from, where } = activeSession(actor, now);
  const roleCondition: SQL =
    role === "admin"
      ? sql`u.is_admin = 1`
      : role === "patient"
        ? sql`u.is_admin = 0 AND s.hospital_id IS NULL`
        : sql`u.is_admin = 0 AND m.role = ${role} AND h.doctor_scope = ${doctorScope}`;
  return sql`SELECT 1 FROM ${from} WHERE ${where} AND s.hospital_id IS ${hospitalId} AND ${roleCondition}
    AND ${signInSuffices(permission, now)}`;
}

/** The role that the token claims, to be confirmed by the database. An app's token claims no scopes. */
export function roleFromToken(actor: Principal): EffectiveRole {
  if (actor.kind === "user") return actor.claimedRole;
  return { role: "app", hospitalId: actor.hospitalId, doctorScope: "care_team", scopes: [] } satisfies AppEffectiveRole;
}

/** True when statements built for one role are valid for the other. */
export function isSameEffectiveRole(a: EffectiveRole, b: EffectiveRole): boolean {
  return a.role === b.role && a.hospitalId === b.hospitalId && a.doctorScope === b.doctorScope;
}

/** The hospital that a request is about: platform administrators specify one, others have their own. */
export function resolveHospitalId({ role, hospitalId }: EffectiveRole, requestedId: string | undefined): string | null {
  return role === "admin" ? (requestedId ?? null) : hospitalId;
}

/** The condition for rows of the caller's hospital; true for platform administrators. @param hospitalId column of the row */
export function isInCallerHospital({ role, hospitalId: callerHospitalId }: EffectiveRole, hospitalId: SQLWrapper): SQL {
  return role === "admin" ? sql`1` : sql`${hospitalId} = ${callerHospitalId ?? ""}`;
}

/** True for every row with a hospital. SQLite then uses an index that begins with `hospital_id` even when all hospitals are read. */
export const isInAnyHospital = (hospitalId: SQLWrapper): SQL => sql`${hospitalId} IN (SELECT id FROM hospitals)`;

/** The condition for hospitals that the caller may see: patients see those that hold their records. @param hospitalId column */
export function isVisibleHospital(effectiveRole: EffectiveRole, actor: Principal, hospitalId: SQLWrapper): SQL {
  if (effectiveRole.role !== "patient") return isInCallerHospital(effectiveRole, hospitalId);
  return sql`${hospitalId} IN (SELECT p.hospital_id FROM patient_links l JOIN patients p ON p.id = l.patient_id
    WHERE l.user_id = ${getActorId(actor)})`;
}

/** The counter scope that covers all patients whom the caller may see; null if they see only some of a hospital's. */
export function findCounterScope({ role, hospitalId, doctorScope }: EffectiveRole): string | null {
  if (role === "admin") return COUNTER_SCOPES.all;
  if (role === "patient" || (role === "doctor" && doctorScope === "care_team")) return null;
  return COUNTER_SCOPES.hospital(hospitalId ?? "");
}

/** The condition for staff of the caller's hospital, suspended or not; true for platform administrators. @param userId column */
export function isCallerHospitalStaff({ role, hospitalId }: EffectiveRole, userId: SQLWrapper): SQL {
  if (role === "admin") return sql`1`;
  return sql`EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND m.ended_at IS NULL)`;
}

/** True for members of the hospital and for platform administrators. */
export function canManageHospital(effectiveRole: UserEffectiveRole, hospitalId: string): boolean {
  return effectiveRole.role === "admin" || effectiveRole.hospitalId === hospitalId;
}
