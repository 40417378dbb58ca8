// Login: one slot, one hash, one session. The same answer and the same time whether the name exists or not.
import { and, eq, sql } from "drizzle-orm";
import type { Context } from "hono";
import type { Call, DoctorScope, Role, UserActor, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { MEMBER_NOW } from "../../access/standing.ts";
import type { AppEnv } from "../../http/router.ts";
import { batch, isUnmet } from "../../platform/db/client.ts";
import { users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { clearFailures, recordFailure, refuseLocked, type Slot, takeSlot } from "../passwords/lockout.ts";
import { hashPassword, isOutdated, verifyPassword } from "../passwords/passwords.ts";
import { type Client, newSession, refreshToken } from "../sessions/sessions.ts";
import type { AccessToken } from "../sessions/tokens.ts";
import { emailIndex, normalName, usernameIndex } from "./names.ts";

type Found = {
  id: string;
  password_hash: string;
  password_changed_at: number;
  active: number;
  is_admin: number;
  role: Role | null;
  hospital_id: string | null;
  doctor_scope: DoctorScope | null;
  has_membership: number;
  has_record: number;
};

export type Login = AccessToken & { refreshToken: string };

/**
 * @param name e-mail or user name  @param client what the session list shows later
 * @throws ApiError invalid_credentials (unknown, wrong and disabled alike), account_locked, rate_limited
 */
export async function login(call: Call, name: string, password: string, client: Client): Promise<Login> {
  const { keys } = call;
  const isEmail = normalName(name).includes("@");
  const index = isEmail ? await emailIndex(keys, name) : await usernameIndex(keys, name);
  const { found, slot } = await slotFor(call, isEmail ? "email_index" : "username_index", index);
  const right = await verifyPassword(password, found?.password_hash ?? null);
  if (!right || !found?.active || !mayWork(found)) return refuseLogin(call, slot, found, right ? "disabled" : "wrong_password");
  const stronger = isOutdated(found.password_hash) ? await hashPassword(password) : null;
  try {
    return await openSession(call, found, slot, client, stronger);
  } catch (error) {
    if (!isUnmet(error, "sessions.user_id")) throw error;
    return refuseLogin(call, slot, found, "changed_meanwhile");
  }
}

/** Whose hospitals have all closed or suspended them has nowhere to act, but for the records that are their own. */
const mayWork = (found: Found) => found.is_admin || found.role || !found.has_membership || found.has_record;

async function slotFor(call: Call, column: "email_index" | "username_index", index: string) {
  const { db } = call;
  const match = column === "email_index" ? sql`u.email_index = ${index}` : sql`u.username_index = ${index}`;
  const subject = sql`coalesce((SELECT u.id FROM users u WHERE ${match}), ${`name:${index}`})`;
  const user = db.all<Found>(sql`SELECT u.id AS id, u.password_hash AS password_hash, u.active AS active,
      u.password_changed_at AS password_changed_at, u.is_admin AS is_admin, m.role AS role, m.hospital_id AS hospital_id,
      h.doctor_scope AS doctor_scope,
      EXISTS (SELECT 1 FROM memberships x WHERE x.user_id = u.id AND x.ended_at IS NULL) AS has_membership,
      EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = u.id) AS has_record
    FROM users u LEFT JOIN memberships m ON m.user_id = u.id AND ${MEMBER_NOW}
        AND EXISTS (SELECT 1 FROM hospitals x WHERE x.id = m.hospital_id AND x.active = 1)
      LEFT JOIN hospitals h ON h.id = m.hospital_id
    WHERE ${match} ORDER BY m.created_at, m.hospital_id LIMIT 1`);
  const taken = await takeSlot(call, subject, user);
  if (taken.slot) return taken;
  await batch(db, loginEvent(call, "login.locked", taken.found, "account_locked"));
  return refuseLocked(taken.lockedForS);
}

async function refuseLogin(call: Call, slot: Slot, found: Found | undefined, why: string): Promise<never> {
  const reason = found ? why : "unknown_name";
  await batch(call.db, [...recordFailure(call.db, slot, call.now), ...loginEvent(call, "login.failed", found, reason)]);
  throw new ApiError("invalid_credentials");
}

function loginEvent(call: Call, event: string, found: Found | undefined, reason: string) {
  return audit(call.db, call.actor, call.now, {
    event,
    action: "E",
    outcome: "denied",
    reason,
    hospitalId: found?.hospital_id ?? null,
    ...(found && { entity: { type: "user", id: found.id } }),
  });
}

/** The membership that the session will act under, as it is when the session begins. */
const stillWorks = (userId: string, hospitalId: string | null) =>
  hospitalId === null
    ? sql`1`
    : sql`EXISTS (SELECT 1 FROM memberships m JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1
        WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND ${MEMBER_NOW})`;

/** @param stronger the hash that replaces an outdated one, if that is still there */
async function openSession(call: Call, found: Found, slot: Slot, client: Client, stronger: string | null): Promise<Login> {
  const { db, keys, now } = call;
  const claimed: UserStanding = {
    role: found.is_admin ? "admin" : (found.role ?? "patient"),
    hospitalId: found.is_admin ? null : found.hospital_id,
    doctorScope: found.is_admin ? "care_team" : (found.doctor_scope ?? "care_team"),
  };
  // While the hash ran, the account may have been given another password, disabled or dismissed.
  const asVerified = sql`EXISTS (SELECT 1 FROM users WHERE id = ${found.id} AND active = 1
    AND password_changed_at = ${found.password_changed_at}) AND ${stillWorks(found.id, claimed.hospitalId)}`;
  const session = await newSession(call, found.id, claimed, client, asVerified);
  const actor: UserActor = { kind: "user", userId: found.id, sessionId: session.id, claimed, via: call.actor.via };
  await batch(db, [
    ...session.statements,
    clearFailures(db, slot),
    ...(stronger === null
      ? []
      : [
          db
            .update(users)
            .set({ passwordHash: stronger })
            .where(and(eq(users.id, found.id), eq(users.passwordHash, found.password_hash))),
        ]),
    ...audit(db, actor, now, {
      event: "login.success",
      action: "E",
      role: claimed.role,
      hospitalId: claimed.hospitalId,
      entity: { type: "session", id: session.id },
      ...(stronger !== null && { detail: { rehashed: true } }),
    }),
  ]);
  return {
    userId: found.id,
    sessionId: session.id,
    claimed,
    refreshToken: await refreshToken(keys, found.id, session.id, 1),
  };
}

/** What the list of sessions will show of where this one began. */
export function clientOf(c: Context<AppEnv>): Client {
  return { user_agent: c.req.header("User-Agent")?.slice(0, 200) ?? null, ip: c.get("call").actor.via.ip };
}
