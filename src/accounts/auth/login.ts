// Login with a password. Response and response time are the same whether or not the account exists.
import { sql } from "drizzle-orm";
import type { Context } from "hono";
import type { Call } from "../../access/actor.ts";
import { limitLogin } from "../../http/rate-limit.ts";
import type { AppEnv } from "../../http/router.ts";
import { batch, isConditionFailed } from "../../platform/db/client.ts";
import { normalizeName } from "../../platform/email.ts";
import { ApiError } from "../../platform/errors.ts";
import { findCodeProof } from "../factors/check-code.ts";
import { type FactorProof, hasFactors, toFactors } from "../factors/factors.ts";
import { askForSecondStep } from "../factors/second-step.ts";
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
import { accountName, findKnownBrowser, type KnownBrowser, rememberBrowser } from "../sessions/known-browser.ts";
import { type SignInClient, type Transport, toSignInClient } from "../sessions/new-browser.ts";
import type { SessionClient } from "../sessions/session-client.ts";
import { computeEmailIndex, computeUsernameIndex } from "./login-names.ts";
import {
  canLogIn,
  type LoginAccount,
  recordLoginEvent,
  type SessionTokens,
  selectAccount,
  startSession,
  upgradeHash,
} from "./start-session.ts";

export type { SessionTokens } from "./start-session.ts";

type NameColumn = "email_index" | "username_index";
type LoginName = { column: NameColumn; index: string; browser: KnownBrowser | null };
type Attempt = { env: Env; call: Call; name: LoginName; password: string; mfaCode: string | undefined; client: SignInClient };

/**
 * Logs in with a slot in the hash queue, taken before the account is looked up.
 * @param name e-mail or user name  @param transport with `cookie`, the browser is remembered  @param mfaCode second step, if any
 * @throws ApiError invalid_credentials (unknown, wrong and disabled alike), second_step_required, invalid_code (both only after the
 *   right password), account_locked, rate_limited, unavailable (queue full)
 */
export async function login(
  c: Context<AppEnv>,
  name: string,
  password: string,
  transport: "json" | "cookie",
  mfaCode?: string,
): Promise<SessionTokens> {
  const call = c.get("call");
  const isEmail = normalizeName(name).includes("@");
  const index = await (isEmail ? computeEmailIndex(call.keys, name) : computeUsernameIndex(call.keys, name));
  const browser = await findKnownBrowser(c, index);
  await limitLogin(c, index, browser);
  const caller = browser ? hashCallerOfBrowser(browser) : hashCaller(call.actor);
  const loginName: LoginName = { column: isEmail ? "email_index" : "username_index", index, browser };
  const client = toSignInClient(c, transport, readClient(c), index);
  const attempt: Attempt = { env: c.env, call, name: loginName, password, mfaCode, client };
  const session = await withHashSlot(caller, (slot) => verifyLogin(attempt, slot));
  if (transport === "cookie")
    await rememberBrowser(c, [index, accountName(session.userId)], session.claimedRole.role !== "patient");
  return session;
}

async function verifyLogin(attempt: Attempt, hashSlot: HashSlot): Promise<SessionTokens> {
  const { call, password, client } = attempt;
  const { found, slot } = await acquireLoginSlot(call, attempt.name, client.transport);
  const { isCorrect, needsRehash } = await hashSlot.run(() => verifyPassword(password, found?.password_hash ?? null));
  if (!isCorrect || !found || !canLogIn(found)) return rejectLogin(call, slot, found, isCorrect ? "disabled" : "wrong_password");
  const hash = needsRehash ? await hashSlot.run(() => hashPassword(password)) : null;
  const upgrade = upgradeHash(call.db, found, hash);
  const proof = await requireSecondStep(attempt, found, slot, upgrade);
  try {
    const statements = [clearFailedAttempts(call.db, slot), ...upgrade];
    return await startSession(call, found, client, { password: true, proof }, statements, hash !== null);
  } catch (error) {
    if (!isConditionFailed(error, "sessions.user_id")) throw error;
    return rejectLogin(call, slot, found, "changed_meanwhile", proof ? "invalid_code" : "invalid_credentials");
  }
}

/** Null for an account without factors. @throws ApiError second_step_required, invalid_code */
async function requireSecondStep(
  { env, call, name, mfaCode }: Attempt,
  found: LoginAccount,
  slot: AttemptSlot,
  upgrade: ReturnType<typeof upgradeHash>,
): Promise<FactorProof | null> {
  const factors = toFactors(found);
  if (!hasFactors(factors)) return null;
  if (mfaCode === undefined) return askForSecondStep(env, call, found, factors, slot, name, upgrade);
  const proof = await findCodeProof(call, found.id, factors, mfaCode);
  return proof ?? rejectLogin(call, slot, found, "wrong_code", "invalid_code");
}

async function acquireLoginSlot(call: Call, { column, index, browser }: LoginName, transport: Transport) {
  const match = column === "email_index" ? sql`u.email_index = ${index}` : sql`u.username_index = ${index}`;
  const account = sql`coalesce((SELECT u.id FROM users u WHERE ${match}), ${`name:${index}`})`;
  const subject = browser === null ? account : browserSubject(account, browser.id);
  const slotResult = await acquireSlot(call, subject, selectAccount(call.db, match, transport));
  if (slotResult.slot) return slotResult;
  await batch(call.db, recordLoginEvent(call, "login.locked", slotResult.found, "account_locked"));
  return throwAccountLocked(slotResult.lockedForS);
}

async function rejectLogin(
  call: Call,
  slot: AttemptSlot,
  found: LoginAccount | undefined,
  failureReason: string,
  error: "invalid_credentials" | "invalid_code" = "invalid_credentials",
): Promise<never> {
  const reason = found ? failureReason : "unknown_name";
  await batch(call.db, [
    ...recordFailedAttempt(call.db, slot, call.now),
    ...recordLoginEvent(call, "login.failed", found, reason),
  ]);
  throw new ApiError(error);
}

/** Client details that the session list shows. */
export function readClient(c: Context<AppEnv>): SessionClient {
  return { user_agent: c.req.header("User-Agent")?.slice(0, 200) ?? null, ip: c.get("call").actor.via.ip };
}
