// Login: one slot, one hash, one session. The same answer and the same time whether the name exists or not.
import { sql } from "drizzle-orm";
import type { Context } from "hono";
import type { Call, DoctorScope, Role, UserActor, UserStanding } from "../actor.ts";
import { audit } from "../audit.ts";
import { batch } from "../db/client.ts";
import { ApiError } from "../errors.ts";
import type { AppEnv } from "../router.ts";
import { MEMBER_NOW } from "../standing.ts";
import { clearFailures, MAX_FAILURES, recordFailure, reserveSlot, type Slot } from "./lockout.ts";
import { emailIndex, normalName, usernameIndex } from "./names.ts";
import { verifyPassword } from "./passwords.ts";
import { type Client, newSession, refreshToken } from "./sessions.ts";
import type { AccessToken } from "./tokens.ts";

const WAIT_LIMIT_MS = 3_000;
const WAIT_STEP_MS = 100;

type Found = {
  id: string;
  password_hash: string;
  active: number;
  is_admin: number;
  role: Role | null;
  hospital_id: string | null;
  doctor_scope: DoctorScope | null;
  has_membership: number;
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
  const { found, slot } = await takeSlot(call, isEmail ? "email_index" : "username_index", index);
  const right = await verifyPassword(password, found?.password_hash ?? null);
  if (!right || !found?.active || !mayWork(found)) return refuseLogin(call, slot, found, right);
  return openSession(call, found, slot, client);
}

/** A member of deactivated hospitals alone has nowhere to act. */
const mayWork = (found: Found) => found.is_admin || found.role || !found.has_membership;

async function takeSlot(call: Call, column: "email_index" | "username_index", index: string) {
  const { db } = call;
  const match = column === "email_index" ? sql`u.email_index = ${index}` : sql`u.username_index = ${index}`;
  const subject = sql`coalesce((SELECT u.id FROM users u WHERE ${match}), ${`name:${index}`})`;
  const user = db.all<Found>(sql`SELECT u.id AS id, u.password_hash AS password_hash, u.active AS active,
      u.is_admin AS is_admin, m.role AS role, m.hospital_id AS hospital_id, h.doctor_scope AS doctor_scope,
      EXISTS (SELECT 1 FROM memberships x WHERE x.user_id = u.id AND x.ended_at IS NULL) AS has_membership
    FROM users u LEFT JOIN (memberships m JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1)
      ON m.user_id = u.id AND ${MEMBER_NOW}
    WHERE ${match} ORDER BY m.created_at, m.hospital_id LIMIT 1`);
  // Steps alone would stretch: the hashes that are waited for hold the isolate.
  for (let waited = 0; ; waited = Math.max(waited + WAIT_STEP_MS, Date.now() - call.now)) {
    const now = call.now + waited;
    const slot = reserveSlot(db, subject, now);
    const [users, reserved, failures] = await batch(db, [user, slot.reserve, slot.failures]);
    const taken = reserved[0];
    if (taken) return { found: users[0], slot: { subject: taken.subject, id: slot.id } satisfies Slot };
    const { n = 0, until = null } = failures[0] ?? {};
    if (n >= MAX_FAILURES) await refuseLocked(call, users[0], until ?? now, now);
    if (waited >= WAIT_LIMIT_MS) throw new ApiError("rate_limited", undefined, { headers: { "Retry-After": "5" } });
    await scheduler.wait(WAIT_STEP_MS);
  }
}

async function refuseLocked(call: Call, found: Found | undefined, until: number, now: number): Promise<never> {
  await batch(call.db, loginEvent(call, "login.locked", found, "account_locked"));
  const seconds = Math.max(1, Math.ceil((until - now) / 1000));
  throw new ApiError("account_locked", undefined, { headers: { "Retry-After": String(seconds) } });
}

async function refuseLogin(call: Call, slot: Slot, found: Found | undefined, right: boolean): Promise<never> {
  const reason = !found ? "unknown_name" : right ? "disabled" : "wrong_password";
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

async function openSession(call: Call, found: Found, slot: Slot, client: Client): Promise<Login> {
  const { db, keys, now } = call;
  const claimed: UserStanding = {
    role: found.is_admin ? "admin" : (found.role ?? "patient"),
    hospitalId: found.is_admin ? null : found.hospital_id,
    doctorScope: found.is_admin ? "care_team" : (found.doctor_scope ?? "care_team"),
  };
  const session = await newSession(call, found.id, claimed, client);
  const actor: UserActor = { kind: "user", userId: found.id, sessionId: session.id, claimed, via: call.actor.via };
  await batch(db, [
    ...session.statements,
    clearFailures(db, slot),
    ...audit(db, actor, now, {
      event: "login.success",
      action: "E",
      role: claimed.role,
      hospitalId: claimed.hospitalId,
      entity: { type: "session", id: session.id },
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
