// The identity module: from an Aadhaar number to a person's random public identifier. Nothing else reads
// `person_identifiers`, and the number itself goes no further than this file.
import { z } from "@hono/zod-openapi";
import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { computeMac, toBase64Url } from "../../platform/crypto.ts";
import type { Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { randomOpaqueId } from "../../platform/ids.ts";
import { toAsciiDigits } from "../../platform/text.ts";
import { hasValidCheckDigit } from "./verhoeff.ts";

/** The digits of a number as people write it: any script's digits, spaces and hyphens between them. */
function normalizeDigits(text: string): string {
  return toAsciiDigits(text).replace(/[\s\u2010-\u2015-]/g, "");
}

/** UIDAI: twelve digits, the first 2 to 9, the last Verhoeff's; no palindrome is ever issued (999999999999 would pass). */
export function isAadhaar(digits: string): boolean {
  return /^[2-9][0-9]{11}$/.test(digits) && hasValidCheckDigit(digits) && digits !== [...digits].reverse().join("");
}

const INVALID_NUMBER = "Not an Aadhaar number";

export const AadhaarNumber = z
  .string(INVALID_NUMBER)
  .max(40, INVALID_NUMBER)
  .transform(normalizeDigits)
  .refine(isAadhaar, INVALID_NUMBER)
  .openapi({
    type: "string",
    maxLength: 40,
    example: "9999 9999 0019",
    description: "Twelve digits; kept nowhere. The answer shows the last four and the person's patient_uid.",
  });

/** A person by their number, which is forgotten here: its MACs by key version, and what may be shown of it. */
export type PersonRef = { macs: { keyId: string; mac: string }[]; last4: string };

/** @throws ApiError invalid_request where the deployment has no identity key */
export async function identifyPerson({ keys }: Call, number: string): Promise<PersonRef> {
  if (!keys.identity) {
    throw new ApiError("invalid_request", "This deployment takes no Aadhaar numbers.", {
      errors: [{ path: "aadhaar_number", message: "Not taken here", code: "not_enabled" }],
    });
  }
  const macs = [...keys.identity.keys].map(async ([keyId, key]) => ({
    keyId,
    mac: toBase64Url(await computeMac(key, ["aadhaar", keyId, number])),
  }));
  return { macs: await Promise.all(macs), last4: number.slice(-4) };
}

const selectPatientUid = ({ macs }: PersonRef) => {
  const matches = macs.map(({ keyId, mac }) => sql`(key_id = ${keyId} AND mac = ${mac})`);
  return sql`(SELECT patient_uid FROM person_identifiers WHERE ${sql.join(matches, sql` OR `)} LIMIT 1)`;
};

/**
 * Knows the person under every version of the key, with the identifier they have or a new one: one statement, so that two
 * hospitals at once meet in one identity. `uidOf` reads it in the statements behind.
 */
export function upsertPerson({ db, now }: Call, person: PersonRef): Statement {
  return db.run(sql`INSERT INTO person_identifiers (key_id, mac, patient_uid, created_at)
    SELECT value->>'keyId', value->>'mac', coalesce(${selectPatientUid(person)}, ${randomOpaqueId()}), CAST(${now} AS INTEGER)
    FROM json_each(${JSON.stringify(person.macs)}) WHERE 1 ON CONFLICT (key_id, mac) DO NOTHING`);
}

/** The person's identifier, as SQL, once they are remembered. */
export function patientUidOf(person: PersonRef): SQL {
  return selectPatientUid(person);
}
