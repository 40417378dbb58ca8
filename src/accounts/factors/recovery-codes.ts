// Recovery codes: ten, each valid once, shown once. Only a keyed hash of user and code is stored.
import { type SQL, sql } from "drizzle-orm";
import type { Keys } from "../../platform/config.ts";
import { computeBlindIndex } from "../../platform/crypto.ts";
import type { Db } from "../../platform/db/client.ts";
import { randomOpaqueId } from "../../platform/ids.ts";

export const RECOVERY_CODES = 10;
/** Characters of base32: 50 bits. The lockout allows five guesses in 15 minutes. */
const CODE_LENGTH = 10;

/** As written by hand: capitals, spaces and hyphens make no difference. */
export const normalizeRecoveryCode = (code: string): string => code.toLowerCase().replace(/[\s-]/g, "");

export const hashRecoveryCode = (keys: Keys, userId: string, code: string): Promise<string> =>
  computeBlindIndex(keys.index, "recovery_code", `${userId}:${normalizeRecoveryCode(code)}`);

export type NewRecoveryCodes = { codes: string[]; hashes: string[] };

export async function createRecoveryCodes(keys: Keys, userId: string): Promise<NewRecoveryCodes> {
  const codes = Array.from({ length: RECOVERY_CODES }, () => {
    const code = randomOpaqueId().slice(0, CODE_LENGTH);
    return `${code.slice(0, CODE_LENGTH / 2)}-${code.slice(CODE_LENGTH / 2)}`;
  });
  return { codes, hashes: await Promise.all(codes.map((code) => hashRecoveryCode(keys, userId, code))) };
}

/** Inserts codes if `when` holds; returns a row per code. */
export function insertRecoveryCodes(db: Db, userId: string, { hashes }: NewRecoveryCodes, now: number, when: SQL) {
  return db.all<{ code_hash: string }>(sql`INSERT INTO recovery_codes (user_id, code_hash, created_at)
    SELECT ${userId}, value, CAST(${now} AS INTEGER) FROM json_each(${JSON.stringify(hashes)}) WHERE ${when} RETURNING code_hash`);
}

export const hasRecoveryCodes = (userId: string): SQL => sql`EXISTS (SELECT 1 FROM recovery_codes WHERE user_id = ${userId})`;
