// Sealed details of a practitioner profile: validation rules and encryption.
import { z } from "@hono/zod-openapi";
import type { Keys } from "../../platform/config.ts";
import { sealValue } from "../../platform/crypto.ts";
import { phoneNumber } from "../../platform/phone.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { multiLine, singleLine } from "../../platform/text.ts";

/** Returns the canonical BCP 47 form; null if the tag is invalid. */
function canonicalLanguageTag(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}

const Language = z
  .string()
  .max(35)
  .refine((tag) => canonicalLanguageTag(tag) !== null, "Must be a BCP 47 language tag")
  .overwrite((tag) => canonicalLanguageTag(tag) ?? tag)
  .openapi({ example: "mr-IN" });

export const detailFields = {
  qualifications: z
    .array(singleLine(200))
    .max(20)
    .openapi({ example: ["MBBS", "MD (Medicine)"] }),
  registration_number: singleLine(60).nullable().openapi({ example: "MMC 2011/04/1234" }),
  languages: z
    .array(Language)
    .max(20)
    .refine((tags) => new Set(tags).size === tags.length, "Languages must be unique")
    .openapi({ example: ["en-IN", "mr-IN"] }),
  phone: phoneNumber.nullable().openapi({ example: "+91 20 5550 0199" }),
  about: multiLine(2_000).nullable().openapi({ example: "Sees patients with arrhythmia." }),
};

const StoredDetails = z.object({
  qualifications: z.array(z.string()),
  registration_number: z.string().nullable(),
  languages: z.array(z.string()),
  phone: z.string().nullable(),
  about: z.string().nullable(),
});
export type Details = z.infer<typeof StoredDetails>;

const sealContext = (id: string, version: number) => ({ table: "practitioners", column: "details", id, version });

export function sealDetails(keys: Keys, id: string, version: number, details: Details): Promise<string> {
  return sealValue(keys.fields, sealContext(id, version), details);
}

export function unsealDetails(
  keys: Keys,
  row: { id: string; version: number; detailsSealed: string },
): Promise<Readonly<Details>> {
  return readSealed(keys.fields, sealContext(row.id, row.version), row.detailsSealed, StoredDetails);
}

export function pickDetails({ qualifications, registration_number, languages, phone, about }: Details): Details {
  return { qualifications, registration_number, languages, phone, about };
}
