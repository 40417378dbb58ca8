// Aadhaar numbers: validation, and the mapping to a person's random public identifier. Only this file reads
// `person_identifiers` and handles the full number.
import { z } from "@hono/zod-openapi";
import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { computeMac, toBase64Url } from "../../platform/crypto.ts";
import type { Db, Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { randomOpaqueId } from "../../platform/ids.ts";
import { toAsciiDigits } from "../../platform/text.ts";
import { hasValidCheckDigit } from "./verhoeff.ts";

/** Normalizes digits of any script, spaces and hyphens. */
function normalizeDigits(text: string): string {
  return toAsciiDigits(text).replace(/[\s\u2010-\u2015-]/g, "");
}

/** UIDAI: twelve digits, the first 2 to 9, the last a Verhoeff check digit; no palindromes (999999999999 would pass). */
export function isAadhaar(digits: string): boolean {
  return /^[2-9][0-9]{11}$/.test(digits) && hasValidCheckDigit(digits) && digits !== [...digits].reverse().join("");
}

const INVALID_NUMBER = "Not a valid Aadhaar number";

export const AadhaarNumber = z
  .string(INVALID_NUMBER)
  .max(40, INVALID_NUMBER)
  .transform(normalizeDigits)
  .refine(isAadhaar, INVALID_NUMBER)
  .openapi({
    type: "string",
    maxLength: 40,
    example: "9999 9999 0019",
    description: "Twelve digits; not stored. The response contains the last four and the person's patient_uid.",
  });

/** A person without the number itself: its MACs by key version, and the last four digits. */
export type PersonRef = { macs: { keyId: string; mac: string }[]; last4: string };

/** @throws ApiError invalid_request where the deployment has no identity key */
export async function identifyPerson({ keys }: Call, number: string): Promise<PersonRef> {
  if (!keys.identity) {
    throw new ApiError("invalid_request", "Aadhaar numbers are not enabled in this deployment.", {
      errors: [{ path: "aadhaar_number", message: "Not enabled in this deployment", code: "not_enabled" }],
    });
  }
  const macs = [...keys.identity.keys].map(async ([keyId, key]) => ({
    keyId,
    mac: toBase64Url(await computeMac(key, ["aadhaar", keyId, number])),
  }));
  return { macs: await Promise.all(macs), last4: number.slice(-4) };
}

/**
 * Whether a hospital knows the user: by a claimed record or a membership. Only then may they map a number to an identifier for
 * themselves; anybody can register an account.
 */
export async function isKnownToHospital(db: Db, userId: string): Promise<boolean> {
  const rows = await db.all(sql`SELECT 1 FROM patient_links WHERE user_id = ${userId} AND method = 'claim_code'
    UNION ALL SELECT 1 FROM memberships WHERE user_id = ${userId} AND ended_at IS NULL LIMIT 1`);
  return rows.length > 0;
}

const selectPatientUid = ({ macs }: PersonRef) => {
  const matches = macs.map(({ keyId, mac }) => sql`(key_id = ${keyId} AND mac = ${mac})`);
  return sql`(SELECT patient_uid FROM person_identifiers WHERE ${sql.join(matches, sql` OR `)} LIMIT 1)`;
};

/**
 * Inserts the person under every version of the key, with the existing identifier or a new one. One statement, so that two
 * hospitals registering a person at once get one identifier. `patientUidOf` reads it in later statements of the batch.
 */
export function upsertPerson({ db, now }: Call, person: PersonRef): Statement {
  return db.run(sql`INSERT INTO person_identifiers (key_id, mac, patient_uid, created_at)
    SELECT value->>'keyId', value->>'mac', coalesce(${selectPatientUid(person)}, ${randomOpaqueId()}), CAST(${now} AS INTEGER)
    FROM json_each(${JSON.stringify(person.macs)}) WHERE 1 ON CONFLICT (key_id, mac) DO NOTHING`);
}

/** SQL for the person's identifier, after `upsertPerson`. */
export function patientUidOf(person: PersonRef): SQL {
  return selectPatientUid(person);
}
