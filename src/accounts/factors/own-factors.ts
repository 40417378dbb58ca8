// The caller's own factors: the list, the authenticator app, and recovery codes.
import { eq, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { unsealProfile } from "../../access/profile.ts";
import { failsUnless } from "../../access/sign-in.ts";
import type { NotificationKind } from "../../notifications/kinds.ts";
import { notify } from "../../notifications/notify.ts";
import { batch, isRoleChanged, type Statement } from "../../platform/db/client.ts";
import { passkeys, sessions, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { toAsciiDigits } from "../../platform/text.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { requiredFrom } from "./factor-policy.ts";
import { AMR, type FactorsRow, factorColumns, hasFactor, hasFactors, type Method, toFactors } from "./factors.ts";
import { toPasskey } from "./passkey-names.ts";
import { createRecoveryCodes, hasRecoveryCodes, insertRecoveryCodes } from "./recovery-codes.ts";
import { createTotpSecret, findTimeStep, sealTotpSecret, toTotpUri, unsealTotpSecret } from "./totp.ts";

type FactorChange = { call: UserCall; effectiveRole: UserEffectiveRole };

/** The audit event and the notice of a change of the own factors. */
export function recordFactorChange(
  { call, effectiveRole }: FactorChange,
  change: { event: string; action: "C" | "U" | "D"; kind?: NotificationKind; method: Method; when?: SQL },
): Statement[] {
  const { db, actor, now } = call;
  const { event, action, kind, method, when } = change;
  const { role, hospitalId } = effectiveRole;
  const entity = { type: "user", id: actor.userId };
  return [
    ...recordAuditEvent(db, actor, now, { event, action, role, hospitalId, entity, detail: { method }, ...(when && { when }) }),
    ...(kind
      ? notify(db, actor, now, { kind, hospitalId: null, refs: { method }, recipients: sql`SELECT ${actor.userId}` })
      : []),
  ];
}

/** Notes the factor in the caller's session: enrolling it has proved it. */
export function upgradeSession({ db, actor, now }: UserCall, method: Method): Statement {
  return db.run(sql`UPDATE sessions SET authenticated_at = CAST(${now} AS INTEGER),
    amr = CASE WHEN instr(amr, 'pwd') > 0 THEN 'pwd ' ELSE '' END || ${AMR[method]} WHERE id = ${actor.sessionId}`);
}

/** After the first factor, sessions that began without it are no recent sign-ins: their step-up asks for the factor. */
export const ageOtherSessions = ({ db, actor }: UserCall): Statement =>
  db
    .update(sessions)
    .set({ authenticatedAt: 0 })
    .where(sql`user_id = ${actor.userId} AND id <> ${actor.sessionId} AND revoked_at IS NULL AND instr(amr, 'mfa') = 0`);

/** After the last factor: its recovery codes go, and sessions no longer count as having a second step. */
export function removeRestOfFactors({ db, actor }: UserCall): Statement[] {
  const isNoneLeft = sql`NOT ${hasFactor(sql`${actor.userId}`)}`;
  return [
    db.run(sql`DELETE FROM recovery_codes WHERE user_id = ${actor.userId} AND ${isNoneLeft}`),
    db
      .update(sessions)
      .set({ amr: sql`replace(amr, ' mfa', '')` })
      .where(sql`user_id = ${actor.userId} AND revoked_at IS NULL AND ${isNoneLeft}`),
  ];
}

const selectFactors = ({ db, actor }: UserCall) =>
  db.all<FactorsRow & { pending: string | null; confirmed_at: number | null }>(sql`SELECT ${factorColumns(sql`u.id`)},
    (SELECT secret_sealed FROM totp_factors WHERE user_id = u.id AND confirmed_at IS NULL) AS pending,
    (SELECT confirmed_at FROM totp_factors WHERE user_id = u.id) AS confirmed_at FROM users u WHERE u.id = ${actor.userId}`);

/**
 * Fetches the caller's factors.
 * @throws ApiError step_up_required, also in a session without a second step of somebody who has one: it began before they enrolled
 */
export async function requireOwnFactors(anyCall: Call) {
  const { call, effectiveRole, results } = await withUser(anyCall, "factor:manage", (_, call) => [
    selectFactors(call),
    call.db.select().from(users).where(eq(users.id, call.actor.userId)),
  ]);
  const [[row], [user]] = results;
  if (!row || !user) throw new ApiError("unauthenticated");
  const factors = toFactors(row);
  const { role, hospitalId, signIn } = effectiveRole;
  if (hasFactors(factors) && !signIn?.hasSecondStep)
    return denyAccess(call, "factor:manage", "step_up_required", { role, hospitalId });
  return { call, effectiveRole, factors, pending: row.pending, pendingSince: row.totp_created_at, user };
}

/** The caller's factors without their secrets. */
export async function listFactors(anyCall: Call) {
  const { call, results } = await withUser(anyCall, "factor:read", (effectiveRole, call) => [
    selectFactors(call),
    call.db.select().from(passkeys).where(eq(passkeys.userId, call.actor.userId)).orderBy(passkeys.id),
    call.db.all<{ required_from: number | null }>(sql`SELECT ${requiredFrom(effectiveRole)} AS required_from`),
  ]);
  const [[row], keys, [policy]] = results;
  if (!row) throw new ApiError("unauthenticated");
  const confirmedAt = row.totp_sealed === null ? null : row.confirmed_at;
  return {
    totp: confirmedAt === null ? null : { created_at: toIso(confirmedAt) },
    passkeys: await Promise.all(keys.map((key) => toPasskey(call.keys, key))),
    recovery_codes_left: row.recovery_codes,
    second_step_required_from: toIsoOrNull(policy?.required_from ?? null),
  };
}

/**
 * Begins the enrolment of an authenticator app; a later one replaces it until a code is confirmed.
 * @throws ApiError conflict (one is confirmed)
 */
export async function enrollTotp(anyCall: Call) {
  const own = await requireOwnFactors(anyCall);
  const { call, factors, user } = own;
  if (factors.totp) throw new ApiError("conflict", "Remove the authenticator app first.");
  const { db, keys, actor, now } = call;
  const secret = createTotpSecret();
  const sealed = await sealTotpSecret(keys, actor.userId, secret);
  const [stored] = await batch(db, [
    db.all(sql`INSERT INTO totp_factors (user_id, secret_sealed, created_at)
      VALUES (${actor.userId}, ${sealed}, CAST(${now} AS INTEGER))
      ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, last_step = 0,
          created_at = max(excluded.created_at, totp_factors.created_at + 1)
        WHERE confirmed_at IS NULL RETURNING user_id`),
    ...recordFactorChange(own, { event: "factor.enroll", action: "C", method: "totp", when: sql`changes() > 0` }),
  ]);
  if (stored.length === 0) throw new ApiError("conflict", "Remove the authenticator app first.");
  const { email } = await unsealProfile(keys, user);
  return { secret, uri: toTotpUri(secret, email) };
}

/**
 * Confirms the authenticator app with its first code. @returns recovery codes when these are the first ones, else null
 * @throws ApiError invalid_code, conflict (nothing to confirm, or replaced meanwhile)
 */
export async function confirmTotp(anyCall: Call, text: string): Promise<{ recovery_codes: string[] | null }> {
  const own = await requireOwnFactors(anyCall);
  const { call, pending, pendingSince } = own;
  if (pending === null) throw new ApiError("conflict", "Begin the enrolment first.");
  const { db, keys, actor, now } = call;
  const code = toAsciiDigits(text).replace(/\s/g, "");
  const step = findTimeStep(await unsealTotpSecret(keys, actor.userId, pending), code, now);
  if (step === null) throw new ApiError("invalid_code");
  const recovery = await createRecoveryCodes(keys, actor.userId);
  const isPending = sql`user_id = ${actor.userId} AND created_at = ${pendingSince} AND confirmed_at IS NULL`;
  const [, , inserted] = await batch(db, [
    failsUnless(db, sql`EXISTS (SELECT 1 FROM totp_factors WHERE ${isPending})`),
    db.run(
      sql`UPDATE totp_factors SET confirmed_at = CAST(${now} AS INTEGER), last_step = CAST(${step} AS INTEGER) WHERE ${isPending}`,
    ),
    insertRecoveryCodes(db, actor.userId, recovery, now, sql`NOT ${hasRecoveryCodes(actor.userId)}`),
    upgradeSession(call, "totp"),
    ageOtherSessions(call),
    ...recordFactorChange(own, { event: "factor.add", action: "C", kind: "account.factor_added", method: "totp" }),
  ]).catch(asConflict);
  return { recovery_codes: inserted.length > 0 ? recovery.codes : null };
}

function asConflict(error: unknown): never {
  throw isRoleChanged(error) ? new ApiError("conflict", "The factor was changed meanwhile.") : error;
}

/** Removes the authenticator app. @throws ApiError not_found */
export async function removeTotp(anyCall: Call): Promise<void> {
  const own = await requireOwnFactors(anyCall);
  const { call, factors, pending } = own;
  if (!factors.totp && pending === null) throw new ApiError("not_found");
  const { db, actor } = call;
  const kind = factors.totp ? ({ kind: "account.factor_removed" } as const) : {};
  await batch(db, [
    failsUnless(db, sql`EXISTS (SELECT 1 FROM totp_factors WHERE user_id = ${actor.userId})`),
    db.run(sql`DELETE FROM totp_factors WHERE user_id = ${actor.userId}`),
    ...removeRestOfFactors(call),
    ...recordFactorChange(own, { event: "factor.remove", action: "D", method: "totp", ...kind }),
  ]).catch((error: unknown) => {
    throw isRoleChanged(error) ? new ApiError("not_found") : error;
  });
}

/** Replaces all recovery codes. @throws ApiError conflict (no factor) */
export async function replaceRecoveryCodes(anyCall: Call): Promise<{ recovery_codes: string[] }> {
  const own = await requireOwnFactors(anyCall);
  const { db, keys, actor, now } = own.call;
  const recovery = await createRecoveryCodes(keys, actor.userId);
  await batch(db, [
    failsUnless(db, hasFactor(sql`${actor.userId}`)),
    db.run(sql`DELETE FROM recovery_codes WHERE user_id = ${actor.userId}`),
    insertRecoveryCodes(db, actor.userId, recovery, now, sql`1`),
    ...recordFactorChange(own, {
      event: "factor.codes_replaced",
      action: "U",
      kind: "account.recovery_codes_replaced",
      method: "recovery_code",
    }),
  ]).catch((error: unknown) => {
    throw isRoleChanged(error) ? new ApiError("conflict", "Add a passkey or an authenticator app first.") : error;
  });
  return { recovery_codes: recovery.codes };
}
