// All blind-index tokens of a patient: those of the search, and those by which a hospital finds records of the same person.
import { type SQL, sql } from "drizzle-orm";
import type { Keys } from "../../platform/config.ts";
import { computeMac, toBase64Url } from "../../platform/crypto.ts";
import { type CountryCode, digitsOf } from "../../platform/phone.ts";
import { foldWords } from "../../platform/text.ts";
import { type PersonRef, patientUidOf } from "./person.ts";
import type { Identity } from "./sealed-fields.ts";
import { computeSearchTokens } from "./search-tokens.ts";

const TOKEN_BYTES = 8;

/** A phone number by its national digits, so that one with and without the country code are equal. */
export const phoneKey = (phone: string): string => digitsOf(phone).slice(-10);

/** A name without spaces, case and accents: "D'Souza" is "D Souza". */
const foldName = (...names: readonly (string | null)[]) => names.flatMap((name) => foldWords(name ?? "")).join("");

/** 1964-03-04: 1964-03 and 1964. */
const coarserDates = (date: string) => [date.slice(0, 7), date.slice(0, 4)].filter((coarser) => coarser.length < date.length);

type Trait = readonly [kind: "name_and_birth_date" | "phone", ...parts: string[]];

/** What is stored of a record. A birth date is stored as it is, and as lying in its month and year. */
function traitsOf({ first_name, last_name, date_of_birth: date, phone }: Identity): Trait[] {
  const name = foldName(first_name, last_name);
  const dates = date === null ? [] : [["is", date], ...coarserDates(date).map((coarser) => ["within", coarser])];
  return [
    ...(name === "" ? [] : dates.map((parts): Trait => ["name_and_birth_date", name, ...parts])),
    ...(phone ? [["phone", phoneKey(phone)] satisfies Trait] : []),
  ];
}

/** The traits of records that may be of the same person: first and last name may be exchanged, a birth date may be less exact. */
function similarTraits({ first_name, last_name, date_of_birth: date, phone }: Identity): Trait[] {
  const names = [...new Set([foldName(first_name, last_name), foldName(last_name, first_name)])].filter(Boolean);
  const dates = date === null ? [] : [["is", date], ["within", date], ...coarserDates(date).map((coarser) => ["is", coarser])];
  return [
    ...names.flatMap((name) => dates.map((parts): Trait => ["name_and_birth_date", name, ...parts])),
    ...(phone ? [["phone", phoneKey(phone)] satisfies Trait] : []),
  ];
}

function computeTraitTokens(keys: Keys, hospitalId: string, traits: readonly Trait[]): Promise<string[]> {
  const computeToken = async (trait: Trait) =>
    toBase64Url((await computeMac(keys.index, ["same_person", hospitalId, ...trait])).subarray(0, TOKEN_BYTES));
  return Promise.all(traits.map(computeToken));
}

/** The tokens of a record's traits, by which similar records are found. */
export const computeTraitTokensOf = (keys: Keys, hospitalId: string, identity: Identity): Promise<string[]> =>
  computeTraitTokens(keys, hospitalId, traitsOf(identity));

/** All distinct tokens of a patient, about 55. @param country of the hospital */
export async function computePatientTokens(
  keys: Keys,
  hospitalId: string,
  country: CountryCode | null,
  identity: Identity,
): Promise<string[]> {
  const search = computeSearchTokens(keys, hospitalId, country, identity);
  const traits = computeTraitTokensOf(keys, hospitalId, identity);
  return [...new Set((await Promise.all([search, traits])).flat())];
}

/** SQL that selects `id` of the hospital's records that may be of the same person; up to `limit` for each kind of likeness. */
export async function findSimilar(
  keys: Keys,
  hospitalId: string,
  identity: Identity,
  person: PersonRef | null,
  limit = 1,
): Promise<SQL> {
  const tokens = await computeTraitTokens(keys, hospitalId, similarTraits(identity));
  const byTraits = sql`SELECT DISTINCT patient_id AS id FROM patient_tokens WHERE hospital_id = ${hospitalId}
    AND token IN (SELECT value FROM json_each(${JSON.stringify(tokens)})) LIMIT ${limit}`;
  if (!person) return byTraits;
  return sql`SELECT id FROM (${byTraits}) UNION SELECT id FROM (SELECT same.id AS id FROM patients same
    WHERE same.patient_uid = ${patientUidOf(person)} AND same.hospital_id = ${hospitalId} LIMIT ${limit})`;
}

export type MatchedBy = "patient_uid" | Trait[0];

/** By which traits two identities may be one person's. */
export function matchIdentities(sought: Identity, found: Identity): Trait[0][] {
  const known = new Set(traitsOf(found).map((trait) => JSON.stringify(trait)));
  return [...new Set(similarTraits(sought).flatMap((trait) => (known.has(JSON.stringify(trait)) ? [trait[0]] : [])))];
}
