// Changes to accounts by those who manage them. Nobody raises a role above their own, nor touches who stands above them.
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { asCaller } from "../../access/access.ts";
import type { Call, UserCall, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { fail, refuse } from "../../access/refusals.ts";
import type { Action } from "../../access/roles.ts";
import { liveSession } from "../../access/standing.ts";
import { endMember } from "../../organization/hospitals/members.ts";
import { batch, isConflict } from "../../platform/db/client.ts";
import { sessions, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { emailIndex, usernameIndex } from "../auth/names.ts";
import { managed, seatsOf, toUser } from "./directory.ts";
import type { UserChange } from "./shapes.ts";
import { openProfile, sealProfile } from "./users.ts";

type Row = typeof users.$inferSelect;
type Managed = { call: UserCall; standing: UserStanding; row: Row };

/** The account, if the caller manages it. @throws ApiError not_found */
export async function requireManaged(anyCall: Call, action: Action, userId: string): Promise<Managed> {
  const { call, standing, results } = await asCaller(anyCall, action, (standing, { db }) => [
    db
      .select()
      .from(users)
      .where(and(eq(users.id, userId), managed(standing))),
  ]);
  const [row] = results[0];
  return row ? { call, standing, row } : refuse(call, action, "not_found", factsOf(standing, userId));
}

const factsOf = ({ role, hospitalId }: UserStanding, userId: string) => ({ role, hospitalId, target: { user: userId } });

export const forbid = ({ call, standing, row }: Managed, action: Action, fields: string[] = []): Promise<never> =>
  refuse(call, action, "forbidden", { ...factsOf(standing, row.id), fields });

const eventOf = ({ standing, row }: Managed, event: string, action: "U" | "D") => ({
  event,
  action,
  role: standing.role,
  hospitalId: standing.hospitalId,
  entity: { type: "user", id: row.id },
});

/** The caller is still what the gate saw, in the very statement that writes: of two who depose each other one remains. */
function stillManages({ call, standing }: Managed): SQL {
  const { from, where } = liveSession(call.actor, call.now);
  const holds =
    standing.role === "admin" ? sql`u.is_admin = 1` : sql`m.role = 'hospital_admin' AND h.id = ${standing.hospitalId}`;
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND ${holds})`;
}

/** Fields that each kind of manager may change, of others and of themselves. */
const MAY_CHANGE = {
  admin: {
    others: ["full_name", "username", "email", "is_active", "is_admin"],
    self: ["full_name", "username", "email"],
  },
  hospital_admin: { others: ["role", "is_active"], self: [] },
} as const satisfies Record<string, { others: readonly (keyof UserChange)[]; self: readonly (keyof UserChange)[] }>;

/** Those of the fields that are not the caller's to change. */
function notTheirs({ call, standing, row }: Managed, fields: string[]): string[] {
  if (standing.role !== "admin" && (standing.role !== "hospital_admin" || row.isAdmin)) return fields;
  const { others, self } = MAY_CHANGE[standing.role];
  const allowed: readonly string[] = row.id === call.actor.userId ? self : others;
  return fields.filter((field) => !allowed.includes(field));
}

/**
 * Changes an account whose version the caller has seen. A hospital administrator's `role` and `is_active` are those of the
 * membership; an administrator's `is_active` is the account's.
 * @throws ApiError not_found, forbidden, precondition_failed, already_exists, conflict (the last administrator),
 *   password_given (an administrator-to-be whose password somebody else knows)
 */
export async function updateUser(anyCall: Call, userId: string, version: number, change: UserChange) {
  const target = await requireManaged(anyCall, "user:update", userId);
  const refused = notTheirs(target, Object.keys(change));
  if (refused.length > 0) return forbid(target, "user:update", refused);
  if (target.row.version !== version) return fail(target.call, "precondition_failed", eventOf(target, "user.update", "U"));
  return target.standing.role === "admin" ? changeAccount(target, change) : changeMembership(target, change);
}

/** Without an active administrator nobody could make another. */
const NOT_THE_LAST = sql`(is_admin = 0 OR active = 0 OR EXISTS
  (SELECT 1 FROM users o WHERE o.is_admin = 1 AND o.active = 1 AND o.id <> users.id))`;

async function changeAccount(target: Managed, change: UserChange) {
  const { call, standing, row } = target;
  const raised = change.is_admin === true && row.isAdmin === 0;
  if (raised && row.passwordGiven) return fail(call, "password_given", eventOf(target, "user.update", "U"));
  const { db, keys, actor, now } = call;
  const before = await openProfile(keys, row);
  const { full_name = before.full_name, username = before.username, email = before.email } = change;
  const { is_active = row.active === 1, is_admin = row.isAdmin === 1 } = change;
  const profileSealed = await sealProfile(keys, row.id, { email, username, full_name });
  // The seal's nonce is this call's alone: what follows happens only if this very update was the one that counted.
  const mine = sql`EXISTS (SELECT 1 FROM users WHERE id = ${row.id} AND profile_sealed = ${profileSealed})`;
  const update = db
    .update(users)
    .set({
      profileSealed,
      emailIndex: await emailIndex(keys, email),
      usernameIndex: username === null ? null : await usernameIndex(keys, username),
      active: is_active ? 1 : 0,
      isAdmin: is_admin ? 1 : 0,
      updatedAt: now,
      version: row.version + 1,
    })
    .where(
      and(
        eq(users.id, row.id),
        eq(users.version, row.version),
        is_active && is_admin ? undefined : NOT_THE_LAST,
        raised ? eq(users.passwordGiven, 0) : undefined,
        stillManages(target),
      ),
    )
    .returning();
  const event = { ...eventOf(target, "user.update", "U"), detail: { fields: Object.keys(change) }, when: mine };
  const [[after], seats, [stored]] = await batch(db, [
    update,
    seatsOf(db, standing, [row.id]),
    db.select({ version: users.version }).from(users).where(eq(users.id, row.id)),
    ...audit(db, actor, now, event),
    ...(is_active ? [] : [endSessions(target, "deactivated", mine)]),
  ]).catch((error: unknown) => {
    throw isConflict(error, "users") ? new ApiError("already_exists") : error;
  });
  if (after) return toUser(keys, standing, after, seats);
  const lost = stored?.version === row.version ? "conflict" : "precondition_failed";
  return fail(call, lost, eventOf(target, "user.update", "U"));
}

async function changeMembership(target: Managed, { role, is_active }: UserChange) {
  const { call, standing, row } = target;
  const { db, keys, actor, now } = call;
  const profileSealed = await sealProfile(keys, row.id, await openProfile(keys, row));
  const mine = sql`EXISTS (SELECT 1 FROM users WHERE id = ${row.id} AND profile_sealed = ${profileSealed})`;
  const update = db
    .update(users)
    .set({ profileSealed, updatedAt: now, version: row.version + 1 })
    .where(
      and(eq(users.id, row.id), eq(users.version, row.version), eq(users.isAdmin, 0), managed(standing), stillManages(target)),
    )
    .returning();
  const suspended =
    is_active === undefined ? sql`suspended_at` : is_active ? sql`NULL` : sql`coalesce(suspended_at, CAST(${now} AS INTEGER))`;
  const detail = { ...(role && { role }), ...(is_active !== undefined && { is_active }) };
  const [[after], , seats] = await batch(db, [
    update,
    db.run(sql`UPDATE memberships SET role = coalesce(${role ?? null}, role), suspended_at = ${suspended}
      WHERE user_id = ${row.id} AND hospital_id = ${standing.hospitalId} AND ended_at IS NULL AND ${mine}`),
    seatsOf(db, standing, [row.id]),
    ...audit(db, actor, now, { ...eventOf(target, "member.set", "U"), detail, when: mine }),
    ...(is_active === false ? [endSessions(target, "suspended", mine)] : []),
  ]);
  if (!after) return fail(call, "precondition_failed", eventOf(target, "member.set", "U"));
  return toUser(keys, standing, after, seats);
}

/** Sessions that the caller has power over: an administrator all, a hospital administrator those that act there. */
function endSessions({ call, standing, row }: Managed, reason: string, when: SQL) {
  const acting = standing.role === "admin" ? undefined : eq(sessions.hospitalId, standing.hospitalId ?? "");
  return call.db
    .update(sessions)
    .set({ revokedAt: call.now, revokedReason: reason })
    .where(and(eq(sessions.userId, row.id), isNull(sessions.revokedAt), acting, when))
    .returning({ id: sessions.id });
}

/**
 * Ends an account's part here: an administrator deactivates it, a hospital administrator ends the membership.
 * @throws ApiError not_found, forbidden, conflict (the last administrator, or changed meanwhile)
 */
export async function removeUser(anyCall: Call, userId: string): Promise<void> {
  const target = await requireManaged(anyCall, "user:update", userId);
  const { call, standing, row } = target;
  if (notTheirs(target, ["is_active"]).length > 0) return forbid(target, "user:update");
  if (standing.role !== "admin") return endMember(call, standing.hospitalId ?? "", userId);
  const { db, actor, now } = call;
  const gone = sql`EXISTS (SELECT 1 FROM users WHERE id = ${userId} AND active = 0)`;
  const [rows] = await batch(db, [
    db
      .update(users)
      .set({ active: 0, updatedAt: now, version: row.version + 1 })
      .where(and(eq(users.id, userId), eq(users.version, row.version), NOT_THE_LAST, stillManages(target)))
      .returning({ id: users.id }),
    ...audit(db, actor, now, { ...eventOf(target, "user.deactivate", "D"), when: sql`changes() > 0` }),
    endSessions(target, "deactivated", gone),
  ]);
  if (rows.length === 0) return fail(call, "conflict", eventOf(target, "user.deactivate", "D"));
}

/** Logs a person out wherever the caller has power. @returns how many sessions ended  @throws ApiError not_found, forbidden */
export async function endUserSessions(anyCall: Call, userId: string): Promise<number> {
  const target = await requireManaged(anyCall, "user:update", userId);
  if (target.standing.role !== "admin" && target.row.isAdmin) return forbid(target, "user:update");
  const { db, actor, now } = target.call;
  const [ended] = await batch(db, [
    endSessions(target, "revoked", stillManages(target)),
    ...audit(db, actor, now, eventOf(target, "session.revoke_all", "D")),
  ]);
  return ended.length;
}
