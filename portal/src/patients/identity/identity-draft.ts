// The draft of an identity that is being edited, its difference to the record, and what others changed meanwhile.
import { dayInZone } from "../../platform/design/calendar-days.ts";
import type { PlainMessageKey, useTranslation } from "../../platform/messages/translate.ts";
import { toLatinDigits } from "../latin-digits.ts";
import { type BirthDateParts, joinBirthDate, splitBirthDate } from "./birth-date.ts";

export const GENDERS = ["unknown", "female", "male", "other"] as const;
const TEXT_FIELDS = ["first_name", "last_name", "phone", "email", "address", "abha_number"] as const;
export const IDENTITY_FIELDS = [
  "first_name",
  "last_name",
  "date_of_birth",
  "gender",
  "phone",
  "email",
  "address",
  "abha_number",
] as const;
export type IdentityField = (typeof IDENTITY_FIELDS)[number];

export const IDENTITY_LABELS = {
  first_name: "patients.first_name",
  last_name: "patients.last_name",
  date_of_birth: "patients.date_of_birth",
  gender: "patients.gender",
  phone: "patients.phone",
  email: "patients.email",
  address: "patients.address",
  abha_number: "patients.abha",
} as const satisfies Record<IdentityField, PlainMessageKey>;

export type IdentityDraft = Record<(typeof TEXT_FIELDS)[number], string> & {
  gender: string;
  birth: BirthDateParts;
  aadhaar_number: string;
  reason: string;
};
type Identity = {
  first_name: string;
  last_name: string | null;
  date_of_birth: string | null;
  gender: (typeof GENDERS)[number];
  phone: string | null;
  email: string | null;
  address: string | null;
  abha_number: string | null;
};
type IdentityChange = Partial<Identity> & { aadhaar_number?: string; reason?: string };

export function toDraft(patient: Identity): IdentityDraft {
  const text = (name: (typeof TEXT_FIELDS)[number]) => patient[name] ?? "";
  return {
    first_name: text("first_name"),
    last_name: text("last_name"),
    phone: text("phone"),
    email: text("email"),
    address: text("address"),
    abha_number: text("abha_number"),
    gender: patient.gender,
    birth: splitBirthDate(patient.date_of_birth),
    aadhaar_number: "",
    reason: "",
  };
}

/** The fields of the draft as the record has them. */
function fromDraft(draft: IdentityDraft): Identity {
  return {
    first_name: draft.first_name.trim(),
    last_name: draft.last_name.trim() || null,
    gender: GENDERS.find((gender) => gender === draft.gender) ?? "unknown",
    date_of_birth: joinBirthDate(draft.birth) ?? null,
    phone: draft.phone.trim() || null,
    email: draft.email.trim() || null,
    address: draft.address.trim() || null,
    abha_number: toLatinDigits(draft.abha_number.trim()) || null,
  };
}

/** Only what differs from the record; with a reason only if something does. */
export function toChange(base: Identity, draft: IdentityDraft): IdentityChange {
  const edited = fromDraft(draft);
  const fields = Object.fromEntries(
    IDENTITY_FIELDS.filter((field) => edited[field] !== base[field]).map((field) => [field, edited[field]]),
  );
  const aadhaar = toLatinDigits(draft.aadhaar_number.trim());
  const change: IdentityChange = { ...fields, ...(aadhaar && { aadhaar_number: aadhaar }) };
  return Object.keys(change).length > 0 && draft.reason.trim() ? { ...change, reason: draft.reason.trim() } : change;
}

type Checked = Pick<IdentityDraft, "first_name" | "birth" | "phone" | "email" | "aadhaar_number" | "abha_number">;

/** The API's checks that need no list of rules, with translated texts. */
export function validateIdentity(draft: Checked, t: ReturnType<typeof useTranslation>): Record<string, string> {
  const [phone, email] = [draft.phone.trim(), draft.email.trim()];
  const birth = joinBirthDate(draft.birth);
  const digits = (text: string) => toLatinDigits(text).replace(/[\s-]/g, "");
  const [aadhaar, abha] = [digits(draft.aadhaar_number), digits(draft.abha_number)];
  return {
    ...(draft.first_name.trim() === "" && { first_name: t("common.required") }),
    ...(birth === undefined && { date_of_birth: t("identity.date_wrong") }),
    ...(birth && birth > dayInZone(Date.now()).slice(0, birth.length) && { date_of_birth: t("patients.born_later") }),
    ...(phone && (phone.match(/\p{Nd}/gu) ?? []).length < 3 && { phone: t("patients.phone_wrong") }),
    ...(email && !/^.+@[^\s@]+$/.test(email) && { email: t("patients.email_wrong") }),
    ...(aadhaar && !/^[0-9]{12}$/.test(aadhaar) && { aadhaar_number: t("patients.aadhaar_wrong") }),
    ...(abha && !/^[0-9]{14}$/.test(abha) && { abha_number: t("patients.abha_wrong") }),
  };
}

export type Conflict = { field: IdentityField; saved: string | null; own: string | null };

/**
 * Both values of each field that others changed while it was edited here. The new draft has the saved value where nothing was typed.
 * @param base the record when editing began  @param current the record as it is now
 */
export function mergeDraft(
  base: Identity,
  draft: IdentityDraft,
  current: Identity,
): { draft: IdentityDraft; conflicts: Conflict[] } {
  const edited = fromDraft(draft);
  const changed = IDENTITY_FIELDS.filter((field) => current[field] !== base[field]);
  const taken = changed.filter((field) => edited[field] === base[field] || edited[field] === current[field]);
  const merged = { ...edited, ...Object.fromEntries(taken.map((field) => [field, current[field]])) };
  const { aadhaar_number, reason } = draft;
  const conflicts = changed.map((field) => ({ field, saved: current[field], own: merged[field] }));
  return { draft: { ...toDraft(merged), aadhaar_number, reason }, conflicts };
}
