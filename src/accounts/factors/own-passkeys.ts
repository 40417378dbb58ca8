// The caller's own passkeys: register, list, rename, remove.
import { and, eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { denyNotFound } from "../../access/deny.ts";
import { unsealProfile } from "../../access/profile.ts";
import { batch, isUniqueViolation } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { passkeys } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { consumeCeremony, newCeremony } from "./ceremonies.ts";
import { ageOtherSessions, recordFactorChange, removeRestOfFactors, requireOwnFactors, upgradeSession } from "./own-factors.ts";
import { sealPasskeyName, toPasskey } from "./passkey-names.ts";
import { createRecoveryCodes, hasRecoveryCodes, insertRecoveryCodes } from "./recovery-codes.ts";
import { checkRegistration, createRegistrationOptions } from "./relying-party.ts";
import type { PasskeyRegistration } from "./schemas.ts";

/** Options for a new passkey of the caller. */
export async function createPasskeyOptions(env: Env, anyCall: Call) {
  const { call, factors, user } = await requireOwnFactors(anyCall);
  const { keys, actor, now } = call;
  const { email, full_name: fullName } = await unsealProfile(keys, user);
  const ceremony = newCeremony("register", actor.userId, now);
  return createRegistrationOptions(env, keys, ceremony, { userId: actor.userId, email, fullName }, factors.passkeys);
}

/**
 * Stores a new passkey. @returns also recovery codes when these are the first ones, else null
 * @throws ApiError invalid_passkey (any mismatch, a used challenge), already_exists, limit_reached
 */
export async function registerPasskey(env: Env, anyCall: Call, name: string, response: PasskeyRegistration) {
  const own = await requireOwnFactors(anyCall);
  const { db, keys, actor, now } = own.call;
  const checked = await checkRegistration(env, own.call, actor.userId, response);
  if (!checked) throw new ApiError("invalid_passkey");
  const { ceremony, credentialId, publicKey, counter, isBackedUp } = checked;
  const id = uuidv7();
  const row = {
    id,
    userId: actor.userId,
    credentialId,
    publicKey,
    counter,
    transports: (response.response.transports ?? []).join(" "),
    isBackedUp: Number(isBackedUp),
    nameSealed: await sealPasskeyName(keys, id, name),
    createdAt: now,
    lastUsedAt: null,
  };
  const recovery = await createRecoveryCodes(keys, actor.userId);
  const transports = unlessFull(row.transports, ROW_LIMITS.passkeys, sql`passkeys WHERE user_id = ${actor.userId}`);
  const [, , inserted] = await batch(db, [
    consumeCeremony(db, ceremony, now),
    db.insert(passkeys).values({ ...row, transports }),
    insertRecoveryCodes(db, actor.userId, recovery, now, sql`NOT ${hasRecoveryCodes(actor.userId)}`),
    upgradeSession(own.call, "passkey"),
    ageOtherSessions(own.call),
    ...recordFactorChange(own, { event: "factor.add", action: "C", kind: "account.factor_added", method: "passkey" }),
  ]).catch((error: unknown) => {
    if (isUniqueViolation(error, "ceremonies")) throw new ApiError("invalid_passkey");
    if (isUniqueViolation(error, "passkeys")) throw new ApiError("already_exists");
    throw toLimitError(error, ROW_LIMITS.passkeys);
  });
  return { ...(await toPasskey(keys, row)), recovery_codes: inserted.length > 0 ? recovery.codes : null };
}

/** The caller's passkeys, oldest first (at most 20). */
export async function listPasskeys(anyCall: Call) {
  const { call, results } = await withUser(anyCall, "factor:read", (_, { db, actor }) => [
    db.select().from(passkeys).where(eq(passkeys.userId, actor.userId)).orderBy(passkeys.id),
  ]);
  return Promise.all(results[0].map((row) => toPasskey(call.keys, row)));
}

const isOwnPasskey = (userId: string, id: string) => and(eq(passkeys.id, id), eq(passkeys.userId, userId));

/** @throws ApiError not_found */
export async function renamePasskey(anyCall: Call, id: string, name: string) {
  const own = await requireOwnFactors(anyCall);
  const { db, keys, actor } = own.call;
  const nameSealed = await sealPasskeyName(keys, id, name);
  const [[row]] = await batch(db, [
    db.update(passkeys).set({ nameSealed }).where(isOwnPasskey(actor.userId, id)).returning(),
    ...recordFactorChange(own, { event: "factor.rename", action: "U", method: "passkey", when: sql`changes() > 0` }),
  ]);
  if (!row) return denyNotFound(own.call, "factor:manage", own.effectiveRole, { passkey: id });
  return toPasskey(keys, row);
}

/** @throws ApiError not_found */
export async function removePasskey(anyCall: Call, id: string): Promise<void> {
  const own = await requireOwnFactors(anyCall);
  const { db, actor } = own.call;
  if (!own.factors.passkeys.some((passkey) => passkey.id === id))
    return denyNotFound(own.call, "factor:manage", own.effectiveRole, { passkey: id });
  await batch(db, [
    db.delete(passkeys).where(isOwnPasskey(actor.userId, id)),
    ...removeRestOfFactors(own.call),
    ...recordFactorChange(own, { event: "factor.remove", action: "D", kind: "account.factor_removed", method: "passkey" }),
  ]);
}
