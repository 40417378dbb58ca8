// Checks a code of the second step: of an authenticator app, or a recovery code. Each counts once, also when sent 50 times at once.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { notify } from "../../notifications/notify.ts";
import { toAsciiDigits } from "../../platform/text.ts";
import type { FactorProof, Factors } from "./factors.ts";
import { hashRecoveryCode } from "./recovery-codes.ts";
import { findTimeStep, unsealTotpSecret } from "./totp.ts";

/** The proof of a correct code, else null. Call it only for somebody who has shown the password or a session. */
export async function findCodeProof(call: Call, userId: string, factors: Factors, text: string): Promise<FactorProof | null> {
  const code = toAsciiDigits(text).replace(/\s/g, "");
  if (/^\d{6}$/.test(code)) return factors.totp && findTotpProof(call, userId, factors.totp, code);
  return factors.recoveryCodes > 0 ? findRecoveryProof(call, userId, text) : null;
}

async function findTotpProof(
  { db, keys, now }: Call,
  userId: string,
  { sealed, createdAt, lastStep }: { sealed: string; createdAt: number; lastStep: number },
  code: string,
): Promise<FactorProof | null> {
  const step = findTimeStep(await unsealTotpSecret(keys, userId, sealed), code, now);
  if (step === null || step <= lastStep) return null;
  const isUnused = sql`user_id = ${userId} AND created_at = ${createdAt} AND last_step < ${step}`;
  return {
    method: "totp",
    when: sql`EXISTS (SELECT 1 FROM totp_factors WHERE ${isUnused})`,
    use: [db.run(sql`UPDATE totp_factors SET last_step = CAST(${step} AS INTEGER) WHERE ${isUnused}`)],
  };
}

async function findRecoveryProof({ db, keys, actor, now }: Call, userId: string, text: string): Promise<FactorProof | null> {
  const hash = await hashRecoveryCode(keys, userId, text);
  const isUnused = sql`user_id = ${userId} AND code_hash = ${hash} AND used_at IS NULL`;
  const [row] = await db.all(sql`SELECT 1 FROM recovery_codes WHERE ${isUnused}`);
  if (!row) return null;
  return {
    method: "recovery_code",
    when: sql`EXISTS (SELECT 1 FROM recovery_codes WHERE ${isUnused})`,
    use: [
      db.run(sql`UPDATE recovery_codes SET used_at = CAST(${now} AS INTEGER) WHERE ${isUnused}`),
      ...notify(db, actor, now, {
        kind: "account.recovery_code_used",
        hospitalId: null,
        refs: {},
        recipients: sql`SELECT ${userId}`,
      }),
    ],
  };
}
