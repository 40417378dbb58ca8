// A person's second factors as statements of a sign-in read them, and what a proof with one of them is.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { z } from "zod";
import type { Statement } from "../../platform/db/client.ts";

export const METHODS = ["totp", "passkey", "recovery_code"] as const;
export type Method = (typeof METHODS)[number];

/** Methods of a sign-in as in RFC 8176, section 2. A recovery code is a one-time password. */
export const AMR = { password: "pwd", totp: "otp mfa", recovery_code: "otp mfa", passkey: "hwk user mfa" } as const;

/** Columns of `factorColumns`. */
export type FactorsRow = {
  totp_sealed: string | null;
  totp_created_at: number | null;
  totp_last_step: number | null;
  passkeys: string;
  recovery_codes: number;
};

/** The confirmed factors of a person, for the statement that reads the account. @param userId column */
export const factorColumns = (userId: SQLWrapper): SQL => sql`
  (SELECT secret_sealed FROM totp_factors WHERE user_id = ${userId} AND confirmed_at IS NOT NULL) AS totp_sealed,
  (SELECT created_at FROM totp_factors WHERE user_id = ${userId}) AS totp_created_at,
  (SELECT last_step FROM totp_factors WHERE user_id = ${userId}) AS totp_last_step,
  (SELECT json_group_array(json_object('id', id, 'credentialId', credential_id, 'publicKey', public_key, 'counter', counter,
    'transports', transports)) FROM passkeys WHERE user_id = ${userId}) AS passkeys,
  (SELECT count(*) FROM recovery_codes WHERE user_id = ${userId} AND used_at IS NULL) AS recovery_codes`;

/** True for a person with a second factor; recovery codes alone are none. @param userId column */
export const hasFactor = (userId: SQLWrapper): SQL => sql`(EXISTS (SELECT 1 FROM totp_factors
    WHERE user_id = ${userId} AND confirmed_at IS NOT NULL) OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = ${userId}))`;

const StoredPasskeys = z.array(
  z.object({
    id: z.string(),
    credentialId: z.string(),
    publicKey: z.string(),
    counter: z.number().int(),
    transports: z.string(),
  }),
);
export type StoredPasskey = z.infer<typeof StoredPasskeys>[number];

export type Factors = {
  /** `createdAt` says which enrolment it is: the sealed secret changes when its key is rotated. */
  totp: { sealed: string; createdAt: number; lastStep: number } | null;
  passkeys: StoredPasskey[];
  recoveryCodes: number;
};

export function toFactors(row: FactorsRow): Factors {
  return {
    totp:
      row.totp_sealed === null
        ? null
        : { sealed: row.totp_sealed, createdAt: row.totp_created_at ?? 0, lastStep: row.totp_last_step ?? 0 },
    passkeys: StoredPasskeys.parse(JSON.parse(row.passkeys)),
    recoveryCodes: row.recovery_codes,
  };
}

export const hasFactors = ({ totp, passkeys }: Factors): boolean => totp !== null || passkeys.length > 0;

/** The methods with which the person can finish a sign-in. */
export function listMethods({ totp, passkeys, recoveryCodes }: Factors): Method[] {
  const available = { totp: totp !== null, passkey: passkeys.length > 0, recovery_code: recoveryCodes > 0 };
  return METHODS.filter((method) => available[method]);
}

/** A factor that was shown. `when` holds once: before `use`, which belongs into the batch that acts on it. */
export type FactorProof = { method: Method; when: SQL; use: Statement[] };
