// The person behind a record: the mapping from Aadhaar and ABHA numbers to a random public identifier. Only this file reads
// `person_identifiers`.
import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import type { Access } from "../../access/patient-access.ts";
import { computeMac, toBase64Url } from "../../platform/crypto.ts";
import type { Db, Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { randomOpaqueId } from "../../platform/ids.ts";
import type { Identity } from "./sealed-fields.ts";

/** Stands for the index key. No name of an identity key contains a colon. */
const ABHA_KEY_ID = "index:abha";
/** Rows of an Aadhaar number that a record keeps: one per version of the identity key. */
const MAX_KEPT_ROWS = 20;

type NumberMac = { keyId: string; mac: string };
/** A person without the numbers themselves: their MACs, and the last four digits of the Aadhaar number. */
export type PersonRef = { macs: NumberMac[]; last4: string | null };
export type PersonNumbers = { aadhaar_number?: string | undefined; abha_number?: string | null | undefined };

export const OTHER_PERSON_DETAIL =
  "Aadhaar and ABHA number are recorded as those of two persons. Compare both with the documents; nothing was saved.";

/** @throws ApiError invalid_request for an Aadhaar number where the deployment has no identity key */
async function computeAadhaarMacs({ keys }: Call, number: string): Promise<NumberMac[]> {
  if (!keys.identity) {
    throw new ApiError("invalid_request", "Aadhaar numbers are not enabled in this deployment.", {
      errors: [{ path: "aadhaar_number", message: "Not enabled in this deployment", code: "not_enabled" }],
    });
  }
  const macs = [...keys.identity.keys].map(async ([keyId, key]) => ({
    keyId,
    mac: toBase64Url(await computeMac(key, ["aadhaar", keyId, number])),
  }));
  return Promise.all(macs);
}

const computeAbhaMac = async ({ keys }: Call, number: string): Promise<NumberMac> => ({
  keyId: ABHA_KEY_ID,
  mac: toBase64Url(await computeMac(keys.index, ["abha", number])),
});

/**
 * The person of the given numbers; null where none is given.
 * @throws ApiError invalid_request for an Aadhaar number where the deployment has no identity key
 */
export async function identifyPerson(call: Call, { aadhaar_number, abha_number }: PersonNumbers): Promise<PersonRef | null> {
  const macs = [
    ...(aadhaar_number ? await computeAadhaarMacs(call, aadhaar_number) : []),
    ...(abha_number ? [await computeAbhaMac(call, abha_number)] : []),
  ];
  return macs.length > 0 ? { macs, last4: aadhaar_number?.slice(-4) ?? null } : null;
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

const matchNumbers = ({ macs }: PersonRef): SQL =>
  sql`(${sql.join(
    macs.map(({ keyId, mac }) => sql`(i.key_id = ${keyId} AND i.mac = ${mac})`),
    sql` OR `,
  )})`;

/** Whether staff has identified another record by this identifier. What nobody else relies on may be replaced. */
const isUsedElsewhere = (patientId: string): SQL => sql`EXISTS (SELECT 1 FROM patients h WHERE h.patient_uid = i.patient_uid
  AND h.uid_basis = 'staff' AND h.id <> ${patientId})`;

/** SQL for the person's identifier, or null. @param patientId the record that is identified, if there is one */
export function patientUidOf(person: PersonRef, patientId = ""): SQL {
  return sql`(SELECT i.patient_uid FROM person_identifiers i WHERE ${matchNumbers(person)}
    ORDER BY ${isUsedElsewhere(patientId)} DESC LIMIT 1)`;
}

/**
 * Which record has given a number its identifier: for a further version of the key, that of the number's other rows.
 * @param value of json_each, a NumberMac
 */
const sourceOf = (person: PersonRef, patientId: string): SQL => {
  const known = sql`FROM person_identifiers i WHERE ${matchNumbers(person)} AND i.patient_uid = ${patientUidOf(person, patientId)}
    AND (i.key_id = ${ABHA_KEY_ID}) = (value->>'keyId' = ${ABHA_KEY_ID})`;
  return sql`CASE WHEN EXISTS (SELECT 1 ${known}) THEN (SELECT i.patient_id ${known} LIMIT 1) ELSE ${patientId} END`;
};

/**
 * Maps every number of the person to one identifier: the existing one or a new one. One statement, so that two hospitals registering a
 * person at once get one identifier. `patientUidOf` reads it in later statements of the batch, which fails on
 * person_identifiers.patient_uid where other records use the numbers for two persons.
 * @param when condition for the change
 */
export function upsertPerson({ db, now }: Call, person: PersonRef, patientId: string, when: SQL = sql`1`): Statement {
  const used = sql`(SELECT count(DISTINCT i.patient_uid) FROM person_identifiers i
    WHERE ${matchNumbers(person)} AND ${isUsedElsewhere(patientId)})`;
  return db.run(sql`INSERT INTO person_identifiers (key_id, mac, patient_uid, patient_id, created_at)
    SELECT value->>'keyId', value->>'mac',
      CASE WHEN ${used} > 1 THEN NULL ELSE coalesce(${patientUidOf(person, patientId)}, ${randomOpaqueId()}) END,
      ${sourceOf(person, patientId)}, CAST(${now} AS INTEGER)
    FROM json_each(${JSON.stringify(person.macs)}) WHERE ${when}
    ON CONFLICT (key_id, mac) DO UPDATE SET patient_uid = excluded.patient_uid, patient_id = excluded.patient_id
      WHERE patient_uid <> excluded.patient_uid`);
}

export type PersonChange = {
  /** Columns of the record; without a number that is left it is nobody's. */
  columns: { patientUid?: SQL | null; uidBasis?: "staff" | "self" | null };
  /** Of a new Aadhaar number. */
  last4: string | null;
  /** To run before the update of the record. */
  statements: Statement[];
};

/**
 * What a change of numbers does to the person of a record. A number that the record keeps still counts, so that a second number joins
 * the first, and a conflict of both fails the batch as `upsertPerson` says.
 * @param when condition for the statements
 * @throws ApiError invalid_request for an Aadhaar number where the deployment has no identity key
 */
export async function preparePersonChange(
  call: Call,
  { patient, role }: Pick<Access, "patient" | "role">,
  before: RecordedNumbers,
  change: PersonNumbers,
  when: SQL,
): Promise<PersonChange> {
  const { aadhaar_number, abha_number } = change;
  if (aadhaar_number === undefined && abha_number === undefined) return { columns: {}, last4: null, statements: [] };
  const isAadhaarKept = before.aadhaar_last4 !== null && aadhaar_number === undefined;
  const toChange = (person: PersonRef | null, first: Statement[] = []): PersonChange => {
    const isKept = isAadhaarKept && patient.uid_basis === "staff";
    if (!person) return { columns: isKept ? {} : { patientUid: null, uidBasis: null }, last4: null, statements: first };
    return {
      columns: { patientUid: patientUidOf(person, patient.id), uidBasis: role === "patient" ? "self" : "staff" },
      last4: person.last4,
      statements: [...first, upsertPerson(call, person, patient.id, when)],
    };
  };
  // A person's own statement proves nothing: it neither connects two numbers nor replaces whom staff has identified.
  if (role === "patient" && patient.uid_basis === "staff" && !aadhaar_number) return { columns: {}, last4: null, statements: [] };
  if (role === "patient") return toChange(await identifyPerson(call, aadhaar_number ? { aadhaar_number } : { abha_number }));
  const { person, isCorrection } = await identifyChanged(call, patient, before, change);
  return toChange(person, isCorrection ? [withdrawNumbers(call.db, patient, when)] : []);
}

type RecordedNumbers = Pick<Identity, "aadhaar_last4" | "abha_number">;

/** The person of all numbers that a record has after a change, and whether one of two numbers was wrong. */
async function identifyChanged(
  call: Call,
  { id, patient_uid, uid_basis }: Identified,
  before: RecordedNumbers,
  { aadhaar_number, abha_number }: PersonNumbers,
): Promise<{ person: PersonRef | null; isCorrection: boolean }> {
  // What a patient has given proves nothing, and must not become the statement of staff.
  const own = patient_uid === null || uid_basis !== "staff" ? [] : await findAadhaarMacs(call.db, id, patient_uid);
  const isAadhaarKept = before.aadhaar_last4 !== null && aadhaar_number === undefined;
  const abhaAfter = abha_number === undefined ? before.abha_number : abha_number;
  const given = await identifyPerson(call, { aadhaar_number, abha_number: abhaAfter });
  const macs = [...(given?.macs ?? []), ...(isAadhaarKept ? own : [])];
  const isOtherAadhaar = aadhaar_number !== undefined && !own.some((row) => macs.some((mac) => isSameNumber(row, mac)));
  const hadBoth = before.aadhaar_last4 !== null && before.abha_number !== null;
  return {
    person: macs.length > 0 ? { macs, last4: given?.last4 ?? null } : null,
    isCorrection: hadBoth && (isOtherAadhaar || abhaAfter !== before.abha_number),
  };
}

const isSameNumber = (a: NumberMac, b: NumberMac) => a.keyId === b.keyId && a.mac === b.mac;

type Identified = { id: string; patient_uid: string | null; uid_basis: "staff" | "self" | null };

/**
 * The MACs of a record's Aadhaar number, which is not stored: those that the record itself has introduced, else all of its identifier.
 * With one wrong number, the identifier may be somebody else's, who has an Aadhaar number too.
 */
const findAadhaarMacs = (db: Db, id: string, uid: string): Promise<NumberMac[]> => {
  const rows = sql`FROM person_identifiers WHERE patient_uid = ${uid} AND key_id <> ${ABHA_KEY_ID}`;
  return db.all<NumberMac>(sql`SELECT key_id AS keyId, mac ${rows}
    AND (patient_id = ${id} OR NOT EXISTS (SELECT 1 ${rows} AND patient_id = ${id})) LIMIT ${MAX_KEPT_ROWS}`);
};

/** Takes back what a record has said about its person: it had connected two numbers of which one was wrong. */
const withdrawNumbers = (db: Db, { id, patient_uid }: Identified, when: SQL): Statement =>
  db.run(sql`DELETE FROM person_identifiers WHERE patient_uid = ${patient_uid} AND patient_id = ${id} AND ${when}`);

/** Deletes what a record made by mistake has said about its person, unless other records rely on it. */
export const forgetNumbers = (db: Db, { id, patient_uid }: Identified, when: SQL): Statement =>
  db.run(sql`DELETE FROM person_identifiers WHERE patient_uid = ${patient_uid} AND patient_id = ${id} AND ${when}
    AND NOT EXISTS (SELECT 1 FROM patients p WHERE p.patient_uid = ${patient_uid} AND p.id <> ${id})`);
