// A hospital's policy: from when which role needs a second step to sign in.
import { eq, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP, canManageHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { notify } from "../../notifications/notify.ts";
import { batch } from "../../platform/db/client.ts";
import { factorPolicies, hospitals, SELF_CARE_HOSPITAL_ID, STAFF_ROLES } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { DAY_MS, toIso, toIsoOrNull } from "../../platform/time.ts";
import { hasFactor } from "./factors.ts";

export type PolicyRole = (typeof STAFF_ROLES)[number];
/** Epoch milliseconds by role; null: not required. */
export type PolicyTimes = Record<PolicyRole, number | null>;

/** Members per role who get a message; the portal reminds everybody at each sign-in. */
export const MAX_NOTIFIED = 2_000;

/** A value per role. */
export const byRole = <T>(toValue: (role: PolicyRole) => T): Record<PolicyRole, T> => ({
  nurse: toValue("nurse"),
  doctor: toValue("doctor"),
  hospital_admin: toValue("hospital_admin"),
});

/** When the acting hospital requires a second step of the caller, epoch milliseconds; SQL NULL for patients and administrators. */
export const requiredFrom = ({ role, hospitalId }: UserEffectiveRole): SQL =>
  sql`(SELECT required_from FROM factor_policies WHERE hospital_id = ${hospitalId ?? ""} AND role = ${role})`;

async function requirePolicy(anyCall: Call, permission: Permission, hospitalId: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (_, { db }) => [
    db.select().from(factorPolicies).where(eq(factorPolicies.hospitalId, hospitalId)),
    db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
  ]);
  const [rows, [hospital]] = results;
  if (!hospital || hospitalId === SELF_CARE_HOSPITAL_ID || !canManageHospital(effectiveRole, hospitalId))
    return denyNotFound(call, permission, effectiveRole, { hospital: hospitalId });
  const times: PolicyTimes = byRole((role) => rows.find((row) => row.role === role)?.requiredFrom ?? null);
  return { call, effectiveRole, times };
}

const toPolicy = (hospitalId: string, times: PolicyTimes) => ({
  hospital_id: hospitalId,
  required_from: byRole((role) => toIsoOrNull(times[role])),
});

/** @throws ApiError not_found (another hospital) */
export async function getFactorPolicy(anyCall: Call, hospitalId: string) {
  const { times } = await requirePolicy(anyCall, "factor_policy:read", hospitalId);
  return toPolicy(hospitalId, times);
}

/**
 * Replaces the policy; it acts on every session from the next request on. Members of a role with a new date who have no factor
 * get a message, at most MAX_NOTIFIED.
 * @throws ApiError not_found (another hospital), step_up_required, invalid_request (a new date that is past)
 */
export async function setFactorPolicy(anyCall: Call, hospitalId: string, times: PolicyTimes) {
  const { call, effectiveRole, times: before } = await requirePolicy(anyCall, "factor_policy:manage", hospitalId);
  const { db, actor, now } = call;
  const changed = STAFF_ROLES.filter((role) => times[role] !== before[role]);
  if (changed.length === 0) return toPolicy(hospitalId, times);
  assertNotPast(changed, times, now);
  const rows = STAFF_ROLES.flatMap((role) => {
    const requiredFrom = times[role];
    return requiredFrom === null ? [] : [{ hospitalId, role, requiredFrom, setBy: actor.userId, setAt: now }];
  });
  await batch(db, [
    db.delete(factorPolicies).where(eq(factorPolicies.hospitalId, hospitalId)),
    ...(rows.length > 0 ? [db.insert(factorPolicies).values(rows)] : []),
    ...recordAuditEvent(db, actor, now, {
      event: "factor_policy.set",
      action: "U",
      role: effectiveRole.role,
      hospitalId,
      actorHospitalId: effectiveRole.hospitalId,
      entity: { type: "hospital", id: hospitalId },
      detail: { required_from: toPolicy(hospitalId, times).required_from },
    }),
    ...changed.flatMap((role) => notifyMembers(call, hospitalId, role, times[role])),
  ]);
  return toPolicy(hospitalId, times);
}

/** A day that has begun anywhere on earth is today. */
const MAX_PAST_MS = 2 * DAY_MS;

/** @throws ApiError invalid_request (a new date that is past) */
function assertNotPast(changed: readonly PolicyRole[], times: PolicyTimes, now: number): void {
  const errors = changed
    .filter((role) => (times[role] ?? now) < now - MAX_PAST_MS)
    .map((role) => ({ path: `required_from.${role}`, message: "Must be today or later", code: "custom" }));
  if (errors.length > 0) throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
}

function notifyMembers({ db, actor, now }: UserCall, hospitalId: string, role: PolicyRole, requiredFrom: number | null) {
  if (requiredFrom === null) return [];
  return notify(db, actor, now, {
    kind: "account.second_step_required",
    hospitalId,
    refs: { role, required_from: toIso(requiredFrom) },
    recipients: sql`SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId} AND m.role = ${role}
      AND ${ACTIVE_MEMBERSHIP} AND NOT ${hasFactor(sql`m.user_id`)}`,
    maxRecipients: MAX_NOTIFIED,
  });
}
