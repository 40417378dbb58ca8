// What a session's sign-in allows: a second step where the hospital requires one, and a recent sign-in for dangerous operations.
import { type SQL, sql } from "drizzle-orm";
import type { Db } from "../platform/db/client.ts";
import type { EffectiveRole } from "./actor.ts";
import { isAllowedWithoutSecondStep, type Permission, stepUpOf } from "./permissions.ts";

/** How long a sign-in counts as recent, in milliseconds. */
export const RECENT_SIGN_IN_MS = 10 * 60_000;

/** The columns of `sessions s`: epoch milliseconds of the last proof, and whether it had a second step (RFC 8176, `mfa`). */
export const SIGNED_IN_AT = sql`coalesce(s.authenticated_at, s.created_at)`;
export const HAS_SECOND_STEP = sql`(instr(' ' || s.amr || ' ', ' mfa ') > 0)`;

/** True while the acting hospital requires a second step that the session lacks. Requires the tables of `activeSession`. */
export const enrolmentRequired = (now: number): SQL => sql`(u.is_admin = 0 AND NOT ${HAS_SECOND_STEP} AND EXISTS
  (SELECT 1 FROM factor_policies f WHERE f.hospital_id = s.hospital_id AND f.role = m.role AND f.required_from <= ${now}))`;

/** The condition of `findSignInDenial` in SQL, for the batch of a write. Requires the tables of `activeSession`. */
export function signInSuffices(permission: Permission, now: number): SQL {
  const stepUp = stepUpOf(permission);
  const conditions = [
    ...(isAllowedWithoutSecondStep(permission) ? [] : [sql`NOT ${enrolmentRequired(now)}`]),
    ...(stepUp ? [sql`${SIGNED_IN_AT} > ${now - RECENT_SIGN_IN_MS}`] : []),
    ...(stepUp === "second_step" ? [HAS_SECOND_STEP] : []),
  ];
  return conditions.length > 0 ? sql.join(conditions, sql` AND `) : sql`1`;
}

/** Whether the session had a second step within RECENT_SIGN_IN_MS. */
export const hasRecentSecondStep = (effectiveRole: EffectiveRole | null, now: number): boolean =>
  effectiveRole?.role !== "app" &&
  effectiveRole?.signIn?.hasSecondStep === true &&
  effectiveRole.signIn.at > now - RECENT_SIGN_IN_MS;

/** Why the sign-in of a role that the database decided does not suffice, or null. Apps do not sign in. */
export function findSignInDenial(
  effectiveRole: EffectiveRole,
  permission: Permission,
  now: number,
): "enrolment_required" | "step_up_required" | null {
  if (effectiveRole.role === "app" || !effectiveRole.signIn) return null;
  const { at, hasSecondStep, isEnrolmentRequired } = effectiveRole.signIn;
  if (isEnrolmentRequired && !isAllowedWithoutSecondStep(permission)) return "enrolment_required";
  const stepUp = stepUpOf(permission);
  if (!stepUp) return null;
  const isRecent = at > now - RECENT_SIGN_IN_MS && (stepUp === "sign_in" || hasSecondStep);
  return isRecent ? null : "step_up_required";
}

/** Fails its batch (`isRoleChanged`) unless the condition holds: the absolute value of the smallest integer overflows. */
export const failsUnless = (db: Db, condition: SQL) =>
  db.all(sql`SELECT abs(-9223372036854775807 - 1 + (${condition})) > 0 AS holds`);
