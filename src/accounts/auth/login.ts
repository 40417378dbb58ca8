// Login. Response and response time are the same whether or not the account exists.
import { and, eq, sql } from "drizzle-orm";
import type { Context } from "hono";
import type { Call, DoctorScope, Role, UserActor, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { limitLogin } from "../../http/rate-limit.ts";
import type { AppEnv } from "../../http/router.ts";
import { notify } from "../../notifications/notify.ts";
import { batch, isConditionFailed } from "../../platform/db/client.ts";
import { users } from "../../platform/db/schema.ts";
import { normalizeName } from "../../platform/email.ts";
import { ApiError } from "../../platform/errors.ts";
import { type HashSlot, hashCaller, hashCallerOfBrowser, withHashSlot } from "../passwords/hash-queue.ts";
import {
  type AttemptSlot,
  acquireSlot,
  browserSubject,
  clearFailedAttempts,
  recordFailedAttempt,
  throwAccountLocked,
} from "../passwords/lockout.ts";
import { hashPassword, verifyPassword } from "../passwords/passwords.ts";
import type { AccessTokenSubject } from "../sessions/access-tokens.ts";
import { accountName, findKnownBrowser, rememberBrowser } from "../sessions/known-browser.ts";
import { isNewBrowser, selectRecentSessions } from "../sessions/new-browser.ts";
import { prepareSession, refreshToken, type SessionClient } from "../sessions/sessions.ts";
import { computeEmailIndex, computeUsernameIndex } from "./login-names.ts";

type LoginAccount = {
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
  recent_sessions: string;
};

export type SessionTokens = AccessTokenSubject & { refreshToken: string };

type NameColumn = "email_index" | "username_index";
type LoginName = { column: NameColumn; index: string; browserId: string | null; transport: "json" | "cookie" };
/** The client of a sign-in. `isNew` says whether the account was never used from it. */
type LoginClient = SessionClient & { isNew: (account: LoginAccount) => Promise<boolean> };

/**
 * Logs in with a slot in the hash queue, taken before the account is looked up.
 * @param name e-mail or user name  @param transport with `cookie`, the browser is remembered
 * @throws ApiError invalid_credentials (unknown, wrong and disabled alike), account_locked, rate_limited, unavailable (queue full)
 */
export async function login(
  c: Context<AppEnv>,
  name: string,
  password: string,
  transport: "json" | "cookie",
): Promise<SessionTokens> {
  const call = c.get("call");
  const isEmail = normalizeName(name).includes("@");
  const index = await (isEmail ? computeEmailIndex(call.keys, name) : computeUsernameIndex(call.keys, name));
  const browser = await findKnownBrowser(c, index);
  await limitLogin(c, index, browser);
  const browserId = browser?.id ?? null;
  const caller = browser ? hashCallerOfBrowser(browser) : hashCaller(call.actor);
  const loginName: LoginName = { column: isEmail ? "email_index" : "username_index", index, browserId, transport };
  const client = readClient(c);
  const isNew = (account: LoginAccount) => isNewBrowser(c, transport, account, index, client);
  const session = await withHashSlot(caller, (slot) => verifyLogin(call, loginName, password, { ...client, isNew }, slot));
  if (transport === "cookie") {
    await rememberBrowser(c, [index, accountName(session.userId)], session.claimedRole.role !== "patient");
  }
  return session;
}

async function verifyLogin(call: Call, name: LoginName, password: string, client: LoginClient, hashSlot: HashSlot) {
  const { found, slot } = await acquireLoginSlot(call, name);
  const { isCorrect, needsRehash } = await hashSlot.run(() => verifyPassword(password, found?.password_hash ?? null));
  if (!isCorrect || !found?.active || !canLogIn(found))
    return rejectLogin(call, slot, found, isCorrect ? "disabled" : "wrong_password");
  const upgradedHash = needsRehash ? await hashSlot.run(() => hashPassword(password)) : null;
  try {
    return await startSession(call, found, slot, client, upgradedHash);
  } catch (error) {
    if (!isConditionFailed(error, "sessions.user_id")) throw error;
    return rejectLogin(call, slot, found, "changed_meanwhile");
  }
}

/** Users whose hospitals are all closed or have suspended them can only act for their own records. */
const canLogIn = (found: LoginAccount) => found.is_admin || found.role || !found.has_membership || found.has_record;

async function acquireLoginSlot(call: Call, { column, index, browserId, transport }: LoginName) {
  const { db } = call;
  const match = column === "email_index" ? sql`u.email_index = ${index}` : sql`u.username_index = ${index}`;
  const account = sql`coalesce((SELECT u.id FROM users u WHERE ${match}), ${`name:${index}`})`;
  const subject = browserId === null ? account : browserSubject(account, browserId);
  const user = db.all<LoginAccount>(sql`SELECT u.id AS id, u.password_hash AS password_hash, u.active AS active,
      u.password_changed_at AS password_changed_at, u.is_admin AS is_admin, m.role AS role, m.hospital_id AS hospital_id,
      h.doctor_scope AS doctor_scope,
      EXISTS (SELECT 1 FROM memberships x WHERE x.user_id = u.id AND x.ended_at IS NULL) AS has_membership,
      EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = u.id) AS has_record,
      ${selectRecentSessions(transport)} AS recent_sessions
    FROM users u LEFT JOIN memberships m ON m.user_id = u.id AND ${ACTIVE_MEMBERSHIP}
        AND EXISTS (SELECT 1 FROM hospitals x WHERE x.id = m.hospital_id AND x.active = 1)
      LEFT JOIN hospitals h ON h.id = m.hospital_id
    WHERE ${match} ORDER BY m.created_at, m.hospital_id LIMIT 1`);
  const slotResult = await acquireSlot(call, subject, user);
  if (slotResult.slot) return slotResult;
  await batch(db, recordLoginEvent(call, "login.locked", slotResult.found, "account_locked"));
  return throwAccountLocked(slotResult.lockedForS);
}

async function rejectLogin(
  call: Call,
  slot: AttemptSlot,
  found: LoginAccount | undefined,
  failureReason: string,
): Promise<never> {
  const reason = found ? failureReason : "unknown_name";
  await batch(call.db, [
    ...recordFailedAttempt(call.db, slot, call.now),
    ...recordLoginEvent(call, "login.failed", found, reason),
  ]);
  throw new ApiError("invalid_credentials");
}

function recordLoginEvent(call: Call, event: string, found: LoginAccount | undefined, reason: string) {
  return recordAuditEvent(call.db, call.actor, call.now, {
    event,
    action: "E",
    outcome: "denied",
    reason,
    hospitalId: found?.hospital_id ?? null,
    ...(found && { entity: { type: "user", id: found.id } }),
  });
}

/** The membership that the session will act under. */
const isActiveMember = (userId: string, hospitalId: string | null) =>
  hospitalId === null
    ? sql`1`
    : sql`EXISTS (SELECT 1 FROM memberships m JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1
        WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND ${ACTIVE_MEMBERSHIP})`;

/** @param upgradedHash replaces an outdated hash, if that is still stored */
async function startSession(
  call: Call,
  found: LoginAccount,
  slot: AttemptSlot,
  { isNew, ...client }: LoginClient,
  upgradedHash: string | null,
): Promise<SessionTokens> {
  const { db, keys, now } = call;
  const claimedRole: UserEffectiveRole = {
    role: found.is_admin ? "admin" : (found.role ?? "patient"),
    hospitalId: found.is_admin ? null : found.hospital_id,
    doctorScope: found.is_admin ? "care_team" : (found.doctor_scope ?? "care_team"),
  };
  // The account may have changed its password, been disabled or removed while the hash was computed.
  const isUnchanged = sql`EXISTS (SELECT 1 FROM users WHERE id = ${found.id} AND active = 1
    AND password_changed_at = ${found.password_changed_at}) AND ${isActiveMember(found.id, claimedRole.hospitalId)}`;
  const session = await prepareSession(call, found.id, claimedRole, client, isUnchanged);
  const actor: UserActor = { kind: "user", userId: found.id, sessionId: session.id, claimedRole, via: call.actor.via };
  const recipients = sql`SELECT ${found.id}`;
  const notice = { kind: "account.new_browser", hospitalId: null, refs: { session_id: session.id }, recipients } as const;
  await batch(db, [
    ...session.statements,
    ...((await isNew(found)) ? notify(db, actor, now, notice) : []),
    clearFailedAttempts(db, slot),
    ...(upgradedHash === null
      ? []
      : [
          db
            .update(users)
            .set({ passwordHash: upgradedHash })
            .where(and(eq(users.id, found.id), eq(users.passwordHash, found.password_hash))),
        ]),
    ...recordAuditEvent(db, actor, now, {
      event: "login.success",
      action: "E",
      role: claimedRole.role,
      hospitalId: claimedRole.hospitalId,
      entity: { type: "session", id: session.id },
      ...(upgradedHash !== null && { detail: { rehashed: true } }),
    }),
  ]);
  return {
    userId: found.id,
    sessionId: session.id,
    claimedRole,
    refreshToken: await refreshToken(keys, found.id, session.id, 1),
  };
}

/** Client details that the session list shows. */
export function readClient(c: Context<AppEnv>): SessionClient {
  return { user_agent: c.req.header("User-Agent")?.slice(0, 200) ?? null, ip: c.get("call").actor.via.ip };
}
