// The two sealed columns of a patient: identity and clinical data. Only unsealed after an access check.

import { z } from "@hono/zod-openapi";
import type { Keys } from "../../platform/config.ts";
import { sealValue } from "../../platform/crypto.ts";
import { Email } from "../../platform/email.ts";
import { phoneNumber } from "../../platform/phone.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { multiLine, singleLine } from "../../platform/text.ts";
import { AbhaNumber } from "./abha.ts";
import { BirthDate } from "./birth-date.ts";

export const identityFields = {
  first_name: singleLine(100).openapi({ example: "Asha" }),
  last_name: singleLine(100).nullable().default(null).openapi({ example: "Verma" }),
  /** FHIR administrative-gender. */
  gender: z.enum(["male", "female", "other", "unknown"]).default("unknown"),
  date_of_birth: BirthDate.nullable().default(null),
  phone: phoneNumber.nullable().default(null).openapi({ example: "+91 98765 43210" }),
  email: Email.nullable().default(null),
  address: multiLine(500).nullable().default(null).openapi({ example: "12 Lake Road, Pune" }),
  abha_number: AbhaNumber.nullable().default(null),
};

export const clinicalFields = {
  medical_history: multiLine(20_000).nullable().default(null).openapi({ example: "Hypertension since 2015." }),
  notes: multiLine(20_000).nullable().default(null),
  symptoms: z
    .array(singleLine(200))
    .max(50)
    .default([])
    .openapi({ example: ["palpitations"] }),
};

const StoredIdentity = z.object({
  first_name: z.string(),
  last_name: z.string().nullable(),
  gender: z.enum(["male", "female", "other", "unknown"]),
  date_of_birth: z.string().nullable(),
  phone: z.string().nullable(),
  email: z.string().nullable(),
  address: z.string().nullable(),
  /** Only the last four digits are stored, to compare with the card. */
  aadhaar_last4: z.string().nullable().default(null),
  /** XX-XXXX-XXXX-XXXX */
  abha_number: z.string().nullable().default(null),
});
const StoredClinical = z.object({
  medical_history: z.string().nullable(),
  notes: z.string().nullable(),
  symptoms: z.array(z.string()),
});
export type Identity = z.output<typeof StoredIdentity>;
export type Clinical = z.output<typeof StoredClinical>;

const sealContext = (column: string, id: string, version: number) => ({ table: "patients", column, id, version });

export async function sealPatient(keys: Keys, id: string, version: number, identity: Identity, clinical: Clinical) {
  const [identitySealed, clinicalSealed] = await Promise.all([
    sealValue(keys.fields, sealContext("identity", id, version), identity),
    sealValue(keys.fields, sealContext("clinical", id, version), clinical),
  ]);
  return { identitySealed, clinicalSealed };
}

type SealedRow = { id: string; version: number; identity_sealed: string };

export function unsealIdentity(keys: Keys, row: SealedRow): Promise<Readonly<Identity>> {
  return readSealed(keys.fields, sealContext("identity", row.id, row.version), row.identity_sealed, StoredIdentity);
}

export function unsealClinical(keys: Keys, row: SealedRow & { clinical_sealed: string }): Promise<Readonly<Clinical>> {
  return readSealed(keys.fields, sealContext("clinical", row.id, row.version), row.clinical_sealed, StoredClinical);
}

export function pickIdentity(identity: Identity): Identity {
  const { first_name, last_name, gender, date_of_birth, phone, email, address, aadhaar_last4, abha_number } = identity;
  return { first_name, last_name, gender, date_of_birth, phone, email, address, aadhaar_last4, abha_number };
}

export function pickClinical({ medical_history, notes, symptoms }: Clinical): Clinical {
  return { medical_history, notes, symptoms };
}

/** The patient's display name. */
export function displayName(identity: Pick<Identity, "first_name" | "last_name">): string {
  return [identity.first_name, identity.last_name].filter(Boolean).join(" ");
}
