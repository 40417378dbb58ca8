// The second step of a sign-in: the ticket after the right password, and the code or passkey that finishes it.
import { sql } from "drizzle-orm";
import type { Context } from "hono";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { limitLogin } from "../../http/rate-limit.ts";
import type { AppEnv } from "../../http/router.ts";
import { batch, isConditionFailed, isUniqueViolation, type Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import {
  canLogIn,
  type LoginAccount,
  recordLoginEvent,
  type SessionTokens,
  selectAccount,
  startSession,
} from "../auth/start-session.ts";
import {
  type AttemptSlot,
  acquireSlot,
  browserSubject,
  clearFailedAttempts,
  recordFailedAttempt,
  releaseSlot,
  throwAccountLocked,
} from "../passwords/lockout.ts";
import { accountName, type KnownBrowser, rememberBrowser } from "../sessions/known-browser.ts";
import { type SignInClient, type Transport, toSignInClient } from "../sessions/new-browser.ts";
import type { SessionClient } from "../sessions/session-client.ts";
import { consumeCeremony, newCeremony } from "./ceremonies.ts";
import { findCodeProof } from "./check-code.ts";
import { type FactorProof, type Factors, listMethods, toFactors } from "./factors.ts";
import { createAssertionOptions, findPasskeyProof } from "./relying-party.ts";
import type { PasskeyAssertion } from "./schemas.ts";
import { readTicket, signTicket, type Ticket } from "./tickets.ts";

/** Exactly one of both. */
export type FactorAnswer = { code?: string | undefined; passkey?: PasskeyAssertion | undefined };

/**
 * Ends the first step of somebody with factors. The attempt is released and not forgotten: codes count towards the same lockout.
 * @throws ApiError second_step_required always, with the ticket
 */
export async function askForSecondStep(
  env: Env,
  call: Call,
  found: LoginAccount,
  factors: Factors,
  slot: AttemptSlot,
  name: { index: string; browser: KnownBrowser | null },
  statements: readonly Statement[],
): Promise<never> {
  const { db, keys, actor, now } = call;
  const ceremony = newCeremony("second_step", found.id, now);
  const ticket: Ticket = {
    id: ceremony.id,
    userId: found.id,
    expiresAt: ceremony.expiresAt,
    passwordChangedAt: found.password_changed_at,
    nameIndex: name.index,
    browser: name.browser,
  };
  const members = {
    ticket: await signTicket(keys, ticket),
    methods: listMethods(factors),
    passkey_options: factors.passkeys.length > 0 ? await createAssertionOptions(env, keys, ceremony, factors.passkeys) : null,
  };
  await batch(db, [
    releaseSlot(db, slot),
    ...statements,
    ...recordAuditEvent(db, actor, now, {
      event: "login.second_step",
      action: "E",
      outcome: "denied",
      reason: "second_step_required",
      hospitalId: found.hospital_id,
      entity: { type: "user", id: found.id },
    }),
  ]);
  throw new ApiError("second_step_required", undefined, { members });
}

/**
 * Finishes a sign-in with its ticket.
 * @throws ApiError invalid_ticket, invalid_code, invalid_passkey, account_locked, rate_limited
 */
export async function finishSecondStep(
  c: Context<AppEnv>,
  ticketText: string,
  answer: FactorAnswer,
  transport: Transport,
  details: SessionClient,
): Promise<SessionTokens> {
  const call = c.get("call");
  const ticket = await readTicket(call.keys, ticketText, call.now);
  if (!ticket) throw new ApiError("invalid_ticket");
  await limitLogin(c, ticket.nameIndex, ticket.browser);
  const client = toSignInClient(c, transport, details, ticket.nameIndex);
  const session = await finish(c.env, call, ticket, answer, client);
  if (transport === "cookie")
    await rememberBrowser(c, [ticket.nameIndex, accountName(session.userId)], session.claimedRole.role !== "patient");
  return session;
}

async function finish(env: Env, call: Call, ticket: Ticket, answer: FactorAnswer, client: SignInClient): Promise<SessionTokens> {
  const { db, now } = call;
  const subject = ticket.browser ? browserSubject(sql`${ticket.userId}`, ticket.browser.id) : sql`${ticket.userId}`;
  const isOpen = sql`u.id = ${ticket.userId} AND u.password_changed_at = ${ticket.passwordChangedAt}
    AND NOT EXISTS (SELECT 1 FROM ceremonies WHERE id = ${ticket.id})`;
  const { found, ...attempt } = await acquireSlot(call, subject, selectAccount(db, isOpen, client.transport));
  if (!attempt.slot) {
    await batch(db, recordLoginEvent(call, "login.locked", found, "account_locked"));
    return throwAccountLocked(attempt.lockedForS);
  }
  const { slot } = attempt;
  if (!found || !canLogIn(found)) return endTicket(call, slot);
  const proof = await findProof(env, call, ticket, toFactors(found), answer);
  if (!proof) return rejectFactor(call, slot, found, answer);
  try {
    // The challenge of the passkey is that of the ticket, and `proof.use` uses it up.
    const ceremony = { id: ticket.id, kind: "second_step", userId: ticket.userId, expiresAt: ticket.expiresAt } as const;
    const useTicket = proof.method === "passkey" ? [] : [consumeCeremony(db, ceremony, now)];
    const statements = [clearFailedAttempts(db, slot), ...useTicket];
    return await startSession(call, found, client, { password: true, proof }, statements);
  } catch (error) {
    if (isUniqueViolation(error, "ceremonies")) return endTicket(call, slot);
    if (isConditionFailed(error, "sessions.user_id")) return rejectFactor(call, slot, found, answer);
    throw error;
  }
}

async function findProof(
  env: Env,
  call: Call,
  ticket: Ticket,
  factors: Factors,
  { code, passkey: response }: FactorAnswer,
): Promise<FactorProof | null> {
  if (code !== undefined) return findCodeProof(call, ticket.userId, factors, code);
  const passkey = factors.passkeys.find(({ credentialId }) => credentialId === response?.id);
  if (!passkey || !response) return null;
  const expected = { kind: "second_step", userId: ticket.userId, ceremonyId: ticket.id } as const;
  return findPasskeyProof(env, call, expected, passkey, response);
}

/** The ticket was used, or account or password changed since: costs no attempt. */
async function endTicket({ db }: Call, slot: AttemptSlot): Promise<never> {
  await batch(db, [releaseSlot(db, slot)]);
  throw new ApiError("invalid_ticket");
}

async function rejectFactor(call: Call, slot: AttemptSlot, found: LoginAccount, { code }: FactorAnswer): Promise<never> {
  await batch(call.db, [
    ...recordFailedAttempt(call.db, slot, call.now),
    ...recordLoginEvent(call, "login.failed", found, code === undefined ? "wrong_passkey" : "wrong_code"),
  ]);
  throw new ApiError(code === undefined ? "invalid_passkey" : "invalid_code");
}
