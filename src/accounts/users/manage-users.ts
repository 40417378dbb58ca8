// Account changes by managers. Nobody grants a role above their own or changes an account above themselves.
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { revokeOwnDeviceCredentials } from "../../access/credentials.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { activeSession, isCallerHospitalStaff, isInCallerHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { sealProfile, unsealProfile } from "../../access/profile.ts";
import { enrolmentRequired } from "../../access/sign-in.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { batch, isUniqueViolation } from "../../platform/db/client.ts";
import { sessions, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { computeEmailIndex, computeUsernameIndex } from "../auth/login-names.ts";
import { addressChangedStatements, verificationStatements } from "../email/email-links.ts";
import { selectMemberships, toUser } from "./list-users.ts";
import { endMember } from "./memberships.ts";
import type { UserChange } from "./schemas.ts";

type UserRow = typeof users.$inferSelect;
type ManagedUser = { call: UserCall; effectiveRole: UserEffectiveRole; row: UserRow };

/** Fetches an account that the caller manages. @throws ApiError not_found */
export async function requireManagedUser(anyCall: Call, permission: Permission, userId: string): Promise<ManagedUser> {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db }) => [
    db
      .select()
      .from(users)
      .where(and(eq(users.id, userId), isCallerHospitalStaff(effectiveRole, users.id))),
  ]);
  const [row] = results[0];
  return row ? { call, effectiveRole, row } : denyAccess(call, permission, "not_found", denialFacts(effectiveRole, userId));
}

const denialFacts = ({ role, hospitalId }: UserEffectiveRole, userId: string) => ({ role, hospitalId, target: { user: userId } });

export const denyForbidden = (
  { call, effectiveRole, row }: ManagedUser,
  permission: Permission,
  fields: string[] = [],
): Promise<never> => denyAccess(call, permission, "forbidden", { ...denialFacts(effectiveRole, row.id), fields });

const userEvent = ({ effectiveRole, row }: ManagedUser, event: string, action: "U" | "D") => ({
  event,
  action,
  role: effectiveRole.role,
  hospitalId: effectiveRole.hospitalId,
  entity: { type: "user", id: row.id },
});

/** Repeats the access check inside the write: when two administrators demote each other, one remains. */
function callerStillManages({ call, effectiveRole }: ManagedUser): SQL {
  const { from, where } = activeSession(call.actor, call.now);
  const roleCondition =
    effectiveRole.role === "admin" ? sql`u.is_admin = 1` : sql`m.role = 'hospital_admin' AND h.id = ${effectiveRole.hospitalId}`;
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND ${roleCondition} AND NOT ${enrolmentRequired(call.now)})`;
}

/** Fields that each kind of manager may change, for others and for themselves. */
const EDITABLE_FIELDS = {
  admin: {
    others: ["full_name", "username", "email", "is_active", "is_admin"],
    self: ["full_name", "username", "email"],
  },
  hospital_admin: { others: ["role", "is_active"], self: [] },
} as const satisfies Record<string, { others: readonly (keyof UserChange)[]; self: readonly (keyof UserChange)[] }>;

/** The fields of a change that the caller may not change. */
function findForbiddenFields({ call, effectiveRole, row }: ManagedUser, fields: string[]): string[] {
  if (effectiveRole.role !== "admin" && (effectiveRole.role !== "hospital_admin" || row.isAdmin)) return fields;
  const { others, self } = EDITABLE_FIELDS[effectiveRole.role];
  const allowed: readonly string[] = row.id === call.actor.userId ? self : others;
  return fields.filter((field) => !allowed.includes(field));
}

/**
 * Updates an account at a version. For a hospital administrator `role` and `is_active` apply to the membership; for a platform
 * administrator `is_active` applies to the account.
 * @throws ApiError not_found, forbidden, precondition_failed, already_exists, conflict (the last administrator),
 *   password_given (a future administrator whose password was set by another person)
 */
export async function updateUser(anyCall: Call, userId: string, expected: ExpectedVersion, change: UserChange) {
  const target = await requireManagedUser(anyCall, "user:update", userId);
  const forbiddenFields = findForbiddenFields(target, Object.keys(change));
  if (forbiddenFields.length > 0) return denyForbidden(target, "user:update", forbiddenFields);
  if (target.row.version !== matchVersion(expected, target.row.version))
    return failWithAudit(target.call, "precondition_failed", userEvent(target, "user.update", "U"));
  return target.effectiveRole.role === "admin" ? changeAccount(target, change) : changeMembership(target, change);
}

/** The last active administrator stays: nobody else could create one. */
const NOT_LAST_ADMIN = sql`(is_admin = 0 OR active = 0 OR EXISTS
  (SELECT 1 FROM users o WHERE o.is_admin = 1 AND o.active = 1 AND o.id <> users.id))`;

async function changeAccount(target: ManagedUser, change: UserChange) {
  const { call, effectiveRole, row } = target;
  const isPromotion = change.is_admin === true && row.isAdmin === 0;
  if (isPromotion && row.passwordGiven) return failWithAudit(call, "password_given", userEvent(target, "user.update", "U"));
  const { db, keys, actor, now } = call;
  const before = await unsealProfile(keys, row);
  const { full_name = before.full_name, username = before.username, email = before.email } = change;
  const { is_active = row.active === 1, is_admin = row.isAdmin === 1 } = change;
  const profileSealed = await sealProfile(keys, row.id, { email, username, full_name });
  // The nonce makes the sealed value unique to this call, so the following statements run only if this update won.
  const isThisUpdate = sql`EXISTS (SELECT 1 FROM users WHERE id = ${row.id} AND profile_sealed = ${profileSealed})`;
  const emailIndex = await computeEmailIndex(keys, email);
  const isMoved = emailIndex !== row.emailIndex;
  const update = db
    .update(users)
    .set({
      profileSealed,
      emailIndex,
      ...(isMoved && { emailVerifiedAt: null }),
      usernameIndex: username === null ? null : await computeUsernameIndex(keys, username),
      active: is_active ? 1 : 0,
      isAdmin: is_admin ? 1 : 0,
      updatedAt: now,
      version: row.version + 1,
    })
    .where(
      and(
        eq(users.id, row.id),
        eq(users.version, row.version),
        is_active && is_admin ? undefined : NOT_LAST_ADMIN,
        isPromotion ? eq(users.passwordGiven, 0) : undefined,
        callerStillManages(target),
      ),
    )
    .returning();
  const event = { ...userEvent(target, "user.update", "U"), detail: { fields: Object.keys(change) }, when: isThisUpdate };
  const [[after], memberships, [stored]] = await batch(db, [
    update,
    selectMemberships(db, effectiveRole, sql`${row.id}`),
    db.select({ version: users.version }).from(users).where(eq(users.id, row.id)),
    ...recordAuditEvent(db, actor, now, event),
    ...(isMoved ? await movedAddressStatements(target, before.email, email, isThisUpdate) : []),
    ...(is_active
      ? []
      : [
          endManagedSessions(target, "deactivated", isThisUpdate),
          revokeOwnDeviceCredentials(db, row.id, null, now, isThisUpdate),
        ]),
  ]).catch((error: unknown) => {
    throw isUniqueViolation(error, "users") ? new ApiError("already_exists") : error;
  });
  if (after) return toUser(keys, effectiveRole, after, memberships);
  const failureCode = stored?.version === row.version ? "conflict" : "precondition_failed";
  return failWithAudit(call, failureCode, userEvent(target, "user.update", "U"));
}

/** The new address is unverified and gets a link; the former one and the person are told. */
async function movedAddressStatements({ call, row }: ManagedUser, formerEmail: string, email: string, when: SQL) {
  const former = row.emailVerifiedAt === null ? null : formerEmail;
  return [
    ...(await addressChangedStatements(call, { userId: row.id, former, when })),
    ...(await verificationStatements(call, row.id, email, when)),
  ];
}

async function changeMembership(target: ManagedUser, { role, is_active }: UserChange) {
  const { call, effectiveRole, row } = target;
  const { db, keys, actor, now } = call;
  const profileSealed = await sealProfile(keys, row.id, await unsealProfile(keys, row));
  const isThisUpdate = sql`EXISTS (SELECT 1 FROM users WHERE id = ${row.id} AND profile_sealed = ${profileSealed})`;
  const update = db
    .update(users)
    .set({ profileSealed, updatedAt: now, version: row.version + 1 })
    .where(
      and(
        eq(users.id, row.id),
        eq(users.version, row.version),
        eq(users.isAdmin, 0),
        isCallerHospitalStaff(effectiveRole, users.id),
        callerStillManages(target),
      ),
    )
    .returning();
  const suspended =
    is_active === undefined ? sql`suspended_at` : is_active ? sql`NULL` : sql`coalesce(suspended_at, CAST(${now} AS INTEGER))`;
  const detail = { ...(role && { role }), ...(is_active !== undefined && { is_active }) };
  const [[after], , memberships] = await batch(db, [
    update,
    db.run(sql`UPDATE memberships SET role = coalesce(${role ?? null}, role), suspended_at = ${suspended}
      WHERE user_id = ${row.id} AND hospital_id = ${effectiveRole.hospitalId} AND ended_at IS NULL AND ${isThisUpdate}`),
    selectMemberships(db, effectiveRole, sql`${row.id}`),
    ...recordAuditEvent(db, actor, now, { ...userEvent(target, "member.set", "U"), detail, when: isThisUpdate }),
    ...(is_active === false ? [endManagedSessions(target, "suspended", isThisUpdate)] : []),
  ]);
  if (!after) return failWithAudit(call, "precondition_failed", userEvent(target, "member.set", "U"));
  return toUser(keys, effectiveRole, after, memberships);
}

/** Sessions the caller may end: administrators all, hospital administrators those acting for their hospital. */
function endManagedSessions({ call, effectiveRole, row }: ManagedUser, reason: string, when: SQL) {
  const actingCondition = isInCallerHospital(effectiveRole, sessions.hospitalId);
  return call.db
    .update(sessions)
    .set({ revokedAt: call.now, revokedReason: reason })
    .where(and(eq(sessions.userId, row.id), isNull(sessions.revokedAt), actingCondition, when))
    .returning({ id: sessions.id });
}

/**
 * Removes a user: an administrator deactivates the account, a hospital administrator ends the membership.
 * @throws ApiError not_found, forbidden, conflict (the last administrator, or a concurrent change)
 */
export async function removeUser(anyCall: Call, userId: string): Promise<void> {
  const target = await requireManagedUser(anyCall, "user:update", userId);
  const { call, effectiveRole, row } = target;
  if (findForbiddenFields(target, ["is_active"]).length > 0) return denyForbidden(target, "user:update");
  if (effectiveRole.role !== "admin") return endMember(call, effectiveRole.hospitalId ?? "", userId);
  const { db, actor, now } = call;
  const isDeactivated = sql`EXISTS (SELECT 1 FROM users WHERE id = ${userId} AND active = 0)`;
  const [rows] = await batch(db, [
    db
      .update(users)
      .set({ active: 0, updatedAt: now, version: row.version + 1 })
      .where(and(eq(users.id, userId), eq(users.version, row.version), NOT_LAST_ADMIN, callerStillManages(target)))
      .returning({ id: users.id }),
    ...recordAuditEvent(db, actor, now, { ...userEvent(target, "user.deactivate", "D"), when: sql`changes() > 0` }),
    endManagedSessions(target, "deactivated", isDeactivated),
    revokeOwnDeviceCredentials(db, userId, null, now, isDeactivated),
  ]);
  if (rows.length === 0) return failWithAudit(call, "conflict", userEvent(target, "user.deactivate", "D"));
}

/** Ends the user's sessions that the caller may end. @returns their number  @throws ApiError not_found, forbidden */
export async function endUserSessions(anyCall: Call, userId: string): Promise<number> {
  const target = await requireManagedUser(anyCall, "user:update", userId);
  if (target.effectiveRole.role !== "admin" && target.row.isAdmin) return denyForbidden(target, "user:update");
  const { db, actor, now } = target.call;
  const [ended] = await batch(db, [
    endManagedSessions(target, "revoked", callerStillManages(target)),
    ...recordAuditEvent(db, actor, now, userEvent(target, "session.revoke_all", "D")),
  ]);
  return ended.length;
}
