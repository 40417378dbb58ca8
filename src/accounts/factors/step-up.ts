// Step-up: the person of a session proves again who they are. Somebody with a second factor needs it; others need the password.
import { sql } from "drizzle-orm";
import { requireRole } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failsUnless } from "../../access/sign-in.ts";
import { batch, isRoleChanged, isUniqueViolation } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { selectAccount } from "../auth/start-session.ts";
import { hashCaller, withHashSlot } from "../passwords/hash-queue.ts";
import {
  type AttemptSlot,
  acquireSlot,
  browserSubject,
  clearFailedAttempts,
  recordFailedAttempt,
  releaseSlot,
  throwAccountLocked,
} from "../passwords/lockout.ts";
import { verifyPassword } from "../passwords/passwords.ts";
import { newCeremony } from "./ceremonies.ts";
import { findCodeProof } from "./check-code.ts";
import {
  type FactorProof,
  type Factors,
  type FactorsRow,
  factorColumns,
  hasFactor,
  hasFactors,
  listMethods,
  toFactors,
} from "./factors.ts";
import { upgradeSession } from "./own-factors.ts";
import { createAssertionOptions, findPasskeyProof } from "./relying-party.ts";
import type { FactorAnswer } from "./second-step.ts";

export type StepUpAnswer = FactorAnswer & { password?: string | undefined };

async function readFactors({ db, actor }: UserCall): Promise<Factors> {
  const [row] = await db.all<FactorsRow>(sql`SELECT ${factorColumns(sql`u.id`)} FROM users u WHERE u.id = ${actor.userId}`);
  if (!row) throw new ApiError("unauthenticated");
  return toFactors(row);
}

/** The methods that the caller can use, and options for a passkey if they have one. */
export async function createStepUpOptions(env: Env, anyCall: Call) {
  const { call } = await requireRole(anyCall, "self:read");
  const { keys, actor, now } = call;
  const factors = await readFactors(call);
  const methods = hasFactors(factors) ? listMethods(factors) : (["password"] as const);
  const ceremony = newCeremony("step_up", actor.userId, now);
  const options = factors.passkeys.length > 0 ? await createAssertionOptions(env, keys, ceremony, factors.passkeys) : null;
  return { methods: [...methods], passkey_options: options };
}

/**
 * Renews the caller's sign-in. Five failures lock it for the session.
 * @param limit counts the attempt once the session was found active
 * @throws ApiError wrong_password, invalid_code, invalid_passkey, second_step_required (a password of somebody with a factor),
 *   account_locked, rate_limited, unavailable (hash queue full)
 */
export async function stepUp(env: Env, anyCall: Call, answer: StepUpAnswer, limit: () => Promise<void>): Promise<void> {
  const { call, effectiveRole } = await requireRole(anyCall, "self:write");
  await limit();
  const run = (check: (hash: string) => Promise<boolean>) => prove(env, call, effectiveRole, answer, check);
  const { password } = answer;
  if (password === undefined) return run(async () => false);
  return withHashSlot(hashCaller(call.actor), (slot) =>
    run(async (hash) => (await slot.run(() => verifyPassword(password, hash))).isCorrect),
  );
}

async function prove(
  env: Env,
  call: UserCall,
  effectiveRole: UserEffectiveRole,
  answer: StepUpAnswer,
  isPassword: (hash: string) => Promise<boolean>,
): Promise<void> {
  const { db, actor } = call;
  const account = selectAccount(db, sql`u.id = ${actor.userId}`, "cookie");
  // Attempts of its own: wrong passwords of others at the login do not keep the person of a session out.
  const { found, ...attempt } = await acquireSlot(call, browserSubject(sql`${actor.userId}`, actor.sessionId), account);
  if (!found) throw new ApiError("unauthenticated");
  if (!attempt.slot) {
    await batch(db, recordStepUp(call, effectiveRole, "account_locked"));
    return throwAccountLocked(attempt.lockedForS);
  }
  const { slot } = attempt;
  const factors = toFactors(found);
  const reject = (error: "wrong_password" | "invalid_code" | "invalid_passkey") => rejectStepUp(call, effectiveRole, slot, error);
  if (answer.password !== undefined) {
    if (hasFactors(factors)) return askForFactor(call, slot, factors);
    if (!(await isPassword(found.password_hash))) return reject("wrong_password");
    return renew(call, effectiveRole, slot, null).catch(async (thrown: unknown) => {
      // A first factor was enrolled meanwhile.
      if (isRoleChanged(thrown)) return askForFactor(call, slot, await readFactors(call));
      throw thrown;
    });
  }
  const proof = await findProof(env, call, factors, answer);
  const error = answer.code === undefined ? "invalid_passkey" : "invalid_code";
  if (!proof) return reject(error);
  return renew(call, effectiveRole, slot, proof).catch((thrown: unknown) => {
    if (isRoleChanged(thrown) || isUniqueViolation(thrown, "ceremonies")) return reject(error);
    throw thrown;
  });
}

async function findProof(env: Env, call: UserCall, factors: Factors, { code, passkey: response }: FactorAnswer) {
  const { userId } = call.actor;
  if (code !== undefined) return findCodeProof(call, userId, factors, code);
  const passkey = factors.passkeys.find(({ credentialId }) => credentialId === response?.id);
  return passkey && response ? findPasskeyProof(env, call, { kind: "step_up", userId }, passkey, response) : null;
}

async function renew(call: UserCall, effectiveRole: UserEffectiveRole, slot: AttemptSlot, proof: FactorProof | null) {
  const { db, actor, now } = call;
  const renewal = proof
    ? [failsUnless(db, proof.when), ...proof.use, upgradeSession(call, proof.method)]
    : [
        failsUnless(db, sql`NOT ${hasFactor(sql`${actor.userId}`)}`),
        db.run(sql`UPDATE sessions SET authenticated_at = CAST(${now} AS INTEGER) WHERE id = ${actor.sessionId}`),
      ];
  await batch(db, [...renewal, clearFailedAttempts(db, slot), ...recordStepUp(call, effectiveRole, null)]);
}

function recordStepUp({ db, actor, now }: UserCall, { role, hospitalId }: UserEffectiveRole, reason: string | null) {
  const entity = { type: "session", id: actor.sessionId };
  const outcome = reason === null ? {} : ({ outcome: "denied", reason } as const);
  return recordAuditEvent(db, actor, now, { event: "session.step_up", action: "E", role, hospitalId, entity, ...outcome });
}

async function rejectStepUp(
  call: UserCall,
  effectiveRole: UserEffectiveRole,
  slot: AttemptSlot,
  error: "wrong_password" | "invalid_code" | "invalid_passkey",
): Promise<never> {
  await batch(call.db, [...recordFailedAttempt(call.db, slot, call.now), ...recordStepUp(call, effectiveRole, error)]);
  throw new ApiError(error);
}

/** Costs no attempt: the password was not looked at. */
async function askForFactor({ db }: UserCall, slot: AttemptSlot, factors: Factors): Promise<never> {
  await batch(db, [releaseSlot(db, slot)]);
  throw new ApiError("second_step_required", undefined, { members: { methods: listMethods(factors) } });
}
