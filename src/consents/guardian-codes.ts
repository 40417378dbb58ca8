// Codes by which somebody proves to staff that they are present: made at their own login, entered by staff, used once.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import type { Keys } from "../platform/config.ts";
import { computeBlindIndex } from "../platform/crypto.ts";
import { batch, type Db, type Statement } from "../platform/db/client.ts";
import { randomOpaqueId } from "../platform/ids.ts";
import { toIso } from "../platform/time.ts";

export const GUARDIAN_CODE_MS = 15 * 60_000;
/** 60 bits in base 32, as codes that share records have. */
const CODE_LENGTH = 12;

export const hashGuardianCode = (keys: Keys, code: string): Promise<string> =>
  computeBlindIndex(keys.index, "guardian_code", code);

/** Rows `k` of `guardian_codes` with this code that can be used, by a login that is active. */
export const isUsableCode = (codeHash: string, now: number): SQL => sql`k.code_hash = ${codeHash} AND k.valid_until > ${now}
  AND EXISTS (SELECT 1 FROM users u WHERE u.id = k.user_id AND u.active = 1)`;

/** Creates the caller's code, which replaces the one before. It is returned here alone; stores hold its keyed hash. @throws ApiError forbidden */
export async function createGuardianCode(anyCall: Call) {
  const { call, effectiveRole } = await withUser(anyCall, "guardian_code:create", () => []);
  const { db, keys, actor, now } = call;
  const code = randomOpaqueId().slice(0, CODE_LENGTH);
  const codeHash = await hashGuardianCode(keys, code);
  const validUntil = now + GUARDIAN_CODE_MS;
  const { role } = effectiveRole;
  await batch(db, [
    db.run(sql`INSERT INTO guardian_codes (user_id, code_hash, valid_until) VALUES (${actor.userId}, ${codeHash},
        CAST(${validUntil} AS INTEGER))
      ON CONFLICT (user_id) DO UPDATE SET code_hash = excluded.code_hash, valid_until = excluded.valid_until`),
    ...recordAuditEvent(db, actor, now, { event: "guardian.code", action: "C", role, basis: "self", hospitalId: null }),
  ]);
  return { code: (code.toUpperCase().match(/.{4}/g) ?? []).join("-"), valid_until: toIso(validUntil) };
}

/** Deletes codes that have expired. */
export const pruneGuardianCodes = (db: Db, now: number): Statement =>
  db.run(sql`DELETE FROM guardian_codes WHERE valid_until < ${now}`);
