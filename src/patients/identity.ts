// What identifies a patient and what is told of them: two sealed columns, opened only behind the gate.
import { z } from "@hono/zod-openapi";
import { Email } from "../auth/names.ts";
import type { Keys } from "../config.ts";
import { open, seal } from "../crypto.ts";

/** Any script, no control characters; outer spaces go. */
const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point.
    .refine((text) => !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(text), "No control characters")
    .refine((text) => text.normalize("NFKC").trim().length > 0, "Not only spaces");
const prose = (max: number) => z.string().max(max);

export const identityFields = {
  first_name: line(100).openapi({ example: "Asha" }),
  last_name: line(100).nullable().default(null).openapi({ example: "Verma" }),
  /** FHIR administrative-gender. */
  gender: z.enum(["male", "female", "other", "unknown"]).default("unknown"),
  date_of_birth: z.iso
    .date()
    .refine((date) => date >= "1880-01-01" && date <= new Date().toISOString().slice(0, 10), "Not in the future")
    .nullable()
    .default(null)
    .openapi({ example: "1964-03-04" }),
  phone: z
    .string()
    .trim()
    .regex(/^\+?[0-9][0-9 ().-]{4,24}$/, "A phone number of digits")
    .nullable()
    .default(null)
    .openapi({ example: "+91 98765 43210" }),
  email: Email.nullable().default(null),
  address: prose(500).nullable().default(null).openapi({ example: "12 Lake Road, Pune" }),
};

export const clinicalFields = {
  medical_history: prose(20_000).nullable().default(null).openapi({ example: "Hypertension since 2015." }),
  notes: prose(20_000).nullable().default(null),
  symptoms: z
    .array(line(200))
    .max(50)
    .default([])
    .openapi({ example: ["palpitations"] }),
};

export const Identity = z.object(identityFields);
export const Clinical = z.object(clinicalFields);
export type Identity = z.infer<typeof Identity>;
export type Clinical = z.infer<typeof Clinical>;

const StoredIdentity = z.object({
  first_name: z.string(),
  last_name: z.string().nullable(),
  gender: z.enum(["male", "female", "other", "unknown"]),
  date_of_birth: z.string().nullable(),
  phone: z.string().nullable(),
  email: z.string().nullable(),
  address: z.string().nullable(),
});
const StoredClinical = z.object({
  medical_history: z.string().nullable(),
  notes: z.string().nullable(),
  symptoms: z.array(z.string()),
});

const place = (column: string, id: string, version: number) => ({ table: "patients", column, id, version });

export async function sealPatient(keys: Keys, id: string, version: number, identity: Identity, clinical: Clinical) {
  const [identitySealed, clinicalSealed] = await Promise.all([
    seal(keys.fields, place("identity", id, version), identity),
    seal(keys.fields, place("clinical", id, version), clinical),
  ]);
  return { identitySealed, clinicalSealed };
}

type SealedRow = { id: string; version: number; identity_sealed: string };

export async function openIdentity(keys: Keys, row: SealedRow): Promise<Identity> {
  return StoredIdentity.parse(await open(keys.fields, place("identity", row.id, row.version), row.identity_sealed));
}

export async function openClinical(keys: Keys, row: SealedRow & { clinical_sealed: string }): Promise<Clinical> {
  return StoredClinical.parse(await open(keys.fields, place("clinical", row.id, row.version), row.clinical_sealed));
}

/** How a person is called in a line of text. */
export function displayName(identity: Pick<Identity, "first_name" | "last_name">): string {
  return [identity.first_name, identity.last_name].filter(Boolean).join(" ");
}
