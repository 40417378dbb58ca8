// Patient creation: the request schema, and the statements that insert a record into the caller's batch.
import { z } from "@hono/zod-openapi";
import { type SQL, sql } from "drizzle-orm";
import { type Call, type EffectiveRole, getActorId } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { ACTIVE_MEMBERSHIP, activeHospitalId } from "../access/effective-role.ts";
import { type HospitalSettings, readHospitalSettings } from "../access/hospital-settings.ts";
import { Id } from "../http/router.ts";
import { COUNTER_SCOPES, counterValue, incrementCounters } from "../platform/counters.ts";
import type { Statement } from "../platform/db/client.ts";
import { careTeam, patients, patientTokens, SELF_CARE_HOSPITAL_ID } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { toLocalDate } from "../platform/time.ts";
import { AadhaarNumber } from "./identity/aadhaar.ts";
import { BIRTH_DATE_RANGE, firstDayOf, isPastEverywhere } from "./identity/birth-date.ts";
import { computePatientTokens, findSimilar } from "./identity/patient-tokens.ts";
import { identifyPerson, type PersonRef, patientUidOf, upsertPerson } from "./identity/person.ts";
import {
  clinicalFields,
  type Identity,
  identityFields,
  pickClinical,
  pickIdentity,
  sealPatient,
} from "./identity/sealed-fields.ts";

export const Monitoring = z.enum(["off", "home", "ward"]);

export const NewPatientBody = z.strictObject({
  ...identityFields,
  ...clinicalFields,
  aadhaar_number: AadhaarNumber.optional(),
  assigned_doctor_id: Id.nullable().default(null),
  ward_id: Id.nullable().default(null),
  monitoring: Monitoring.default("off"),
});
export type NewPatient = z.output<typeof NewPatientBody>;

/** The user if they are an active doctor of the hospital, else an id that does not exist: the foreign key fails the batch. */
export function activeDoctorId(userId: string, hospitalId: string): SQL {
  return sql`CASE WHEN EXISTS (SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id AND u.active = 1
    WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND m.role = 'doctor' AND ${ACTIVE_MEMBERSHIP})
    THEN ${userId} ELSE 'nobody' END`;
}

/** The ward if it is active at the hospital, else an id that does not exist. */
export function activeWardId(wardId: string, hospitalId: string): SQL {
  return sql`CASE WHEN EXISTS (SELECT 1 FROM wards w WHERE w.id = ${wardId} AND w.hospital_id = ${hospitalId} AND w.active = 1)
    THEN ${wardId} ELSE 'nowhere' END`;
}

type NewRecord = { id: string; identity: Identity; person: PersonRef | null; statements: Statement[]; insertIndex: number };

/**
 * The settings by which the hospital reads an identity; they are loaded only for a number or a date of today.
 * @throws ApiError invalid_request for a birth date after today at the hospital. Records that patients made themselves belong to
 *   no time zone: their birth date may be today anywhere.
 */
export async function readIdentitySettings(
  { db, now }: Call,
  hospitalId: string,
  { date_of_birth: born, phone }: Pick<Identity, "date_of_birth" | "phone">,
): Promise<Pick<HospitalSettings, "country">> {
  const isRecent = born !== null && !isPastEverywhere(born, now) && hospitalId !== SELF_CARE_HOSPITAL_ID;
  if (phone === null && !isRecent) return { country: null };
  const settings = await readHospitalSettings(db, hospitalId, now);
  if (isRecent && (firstDayOf(born) ?? "") > toLocalDate(now, settings.timeZone)) {
    const errors = [{ path: "date_of_birth", message: BIRTH_DATE_RANGE, code: "custom" }];
    throw new ApiError("invalid_request", undefined, { errors });
  }
  return settings;
}

/**
 * Statements for the row (its result is at `insertIndex`), search tokens, care team (a creating and the assigned doctor),
 * counters and audit event.
 * @throws ApiError invalid_request (a number where none is accepted). The batch fails on a foreign key for an unknown doctor
 *   or ward, on patients.hospital_id for an inactive hospital, and with `unlessSimilar` on patients.created_by where a record of
 *   the hospital may be of the same person; on person_identifiers.patient_uid as `upsertPerson` says
 */
export async function preparePatient(
  call: Call,
  input: NewPatient,
  hospitalId: string,
  role: EffectiveRole["role"],
  { unlessSimilar, id = uuidv7() }: { unlessSimilar: boolean; id?: string | undefined } = { unlessSimilar: false },
): Promise<NewRecord> {
  const { db, keys, actor, now } = call;
  const actorId = getActorId(actor);
  const { country } = await readIdentitySettings(call, hospitalId, input);
  const named = await identifyPerson(call, input);
  // Whoever registers has proved nothing: the numbers are not looked up, only kept: of Aadhaar the last digits.
  const person = role === "patient" ? null : named;
  const identity = pickIdentity({ ...input, aadhaar_last4: named?.last4 ?? null });
  const sealed = await sealPatient(keys, id, 1, identity, pickClinical(input));
  const { assigned_doctor_id: doctor, ward_id: ward } = input;
  const tokens = await computePatientTokens(keys, hospitalId, country, identity);
  const similar = unlessSimilar ? await findSimilar(keys, hospitalId, identity, person) : null;
  const careTeamIds = new Set([...(role === "doctor" ? [actorId] : []), ...(doctor ? [doctor] : [])]);
  const insert = db.insert(patients).values({
    id,
    // D1 has one writer, so a single statement assigns each number once; the counter prevents reuse after a deletion.
    patientNumber: sql`(SELECT max(coalesce(max(patient_number), 0), ${counterValue(COUNTER_SCOPES.all, "patient_number")}) + 1 FROM patients)`,
    hospitalId: activeHospitalId(hospitalId),
    wardId: ward && activeWardId(ward, hospitalId),
    monitoring: input.monitoring,
    patientUid: person && patientUidOf(person),
    uidBasis: person && "staff",
    ...sealed,
    assignedDoctorId: doctor && activeDoctorId(doctor, hospitalId),
    createdBy: similar ? sql`CASE WHEN EXISTS (${similar}) THEN NULL ELSE ${actorId} END` : actorId,
    createdAt: now,
    updatedAt: now,
  });
  const row = insert.returning({ number: patients.patientNumber, uid: patients.patientUid, basis: patients.uidBasis });
  const totals = [COUNTER_SCOPES.all, COUNTER_SCOPES.hospital(hospitalId)].map((scope) => ({
    scope,
    day: 0,
    name: "patients",
    n: 1,
  }));
  return {
    id,
    identity,
    person,
    insertIndex: person ? 1 : 0,
    statements: [
      ...(person ? [upsertPerson(call, person, id)] : []),
      row,
      db.run(sql`INSERT INTO counters (scope, day, name, n) SELECT ${COUNTER_SCOPES.all}, 0, 'patient_number', max(patient_number)
        FROM patients WHERE 1 ON CONFLICT (scope, day, name) DO UPDATE SET n = excluded.n`),
      insertSearchTokens(call, hospitalId, id, tokens),
      ...[...careTeamIds].map((userId) =>
        db.insert(careTeam).values({ patientId: id, userId, addedBy: actorId, startedAt: now }),
      ),
      incrementCounters(db, totals),
      ...recordAuditEvent(db, actor, now, {
        event: "patient.create",
        action: "C",
        role,
        basis: role === "admin" || role === "app" ? role : role === "patient" ? "self" : "staff",
        hospitalId,
        entity: { type: "patient", id },
        subjects: [id],
        derivedBytes: tokens.length * TOKEN_ROW_BYTES,
        ...(doctor && { detail: { assigned_doctor_id: doctor } }),
      }),
    ],
  };
}

/** A search token with its index entry, which one statement inserts from a list: two hospital or patient ids each. */
const TOKEN_ROW_BYTES = 180;

/** @param when condition for writing the tokens */
export function insertSearchTokens(
  { db }: Call,
  hospitalId: string,
  id: string,
  tokens: string[],
  when: SQL = sql`1`,
): Statement {
  return db.run(sql`INSERT INTO ${patientTokens} (hospital_id, token, patient_id)
    SELECT ${hospitalId}, value, ${id} FROM json_each(${JSON.stringify(tokens)}) WHERE ${when} ON CONFLICT DO NOTHING`);
}

/** Deletes these tokens of a patient. @param when condition for it */
export function deleteTokens({ db }: Call, hospitalId: string, id: string, tokens: string[], when: SQL): Statement {
  return db.run(sql`DELETE FROM patient_tokens WHERE hospital_id = ${hospitalId} AND patient_id = ${id}
    AND token IN (SELECT value FROM json_each(${JSON.stringify(tokens)})) AND ${when}`);
}

/** Replaces all tokens, also those that earlier rules made; writes only the difference. @param when condition for the change */
export function replaceSearchTokens(call: Call, hospitalId: string, id: string, tokens: string[], when: SQL): Statement[] {
  return [
    call.db.run(sql`DELETE FROM patient_tokens WHERE hospital_id = ${hospitalId} AND patient_id = ${id}
      AND token NOT IN (SELECT value FROM json_each(${JSON.stringify(tokens)})) AND ${when}`),
    insertSearchTokens(call, hospitalId, id, tokens, when),
  ];
}
