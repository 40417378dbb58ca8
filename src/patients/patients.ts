// Patients: create, read, update, delete. Everything goes through the gate and leaves its trace in the same batch.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { type Access, asWriter, requirePatient } from "../access.ts";
import { type Call, idOf, type Principal, type PrincipalCall, type Standing } from "../actor.ts";
import { afterAudit, audit } from "../audit.ts";
import { scopes } from "../counters.ts";
import { batch, isMissingReference, isUnmet, type Statement } from "../db/client.ts";
import { alertRules, careTeam, patientClaimCodes, patients, patientTokens, SELF_CARE } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import type { Taking } from "../idempotency.ts";
import type { PatientRow } from "../patient-row.ts";
import { missing, type Refusal, refuse } from "../refusals.ts";
import { personOf, rememberPerson, uidOf } from "./aadhaar.ts";
import { type Identity, openClinical, openIdentity, pickClinical, pickIdentity, sealPatient } from "./identity.ts";
import { addTokens, doctorThere, type NewPatient, newPatient, wardThere } from "./new-patient.ts";
import { tokensOf } from "./search-tokens.ts";

const NOT_THERE = "hospital_id, ward_id or assigned_doctor_id names nothing of that hospital.";

/** What the database gave a new record. */
const Uid = z.object({ uid: z.string().nullable(), basis: z.enum(["staff", "self"]).nullable() });
const Given = z.tuple([Uid.extend({ number: z.number() })]);
const Changed = z.array(Uid);
const Ids = z.array(z.object({ id: z.string() }));

/**
 * Registers a patient at the caller's hospital; a creating doctor and the assigned one join the care team.
 * @throws ApiError forbidden, not_found (another hospital), invalid_request (a doctor or ward that is not there)
 */
export function createPatient(call: Call, input: PatientInput, taking: Taking) {
  return asWriter(
    call,
    "patient:create",
    (standing, { actor }) => mayNotCreate(standing, actor, input),
    (standing, writer, check) => writePatient(writer, standing, input, (id) => [...check, ...taking(id)]),
  );
}

type PatientInput = NewPatient & { hospital_id?: string | undefined };

const placeOf = ({ role, hospitalId }: Standing, input: PatientInput) => (role === "admin" ? input.hospital_id : hospitalId);

function mayNotCreate(standing: Standing, actor: Principal, input: PatientInput): Refusal | null {
  const { role } = standing;
  const hospitalId = placeOf(standing, input);
  if (!hospitalId) return missing("hospital_id");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE) {
    return { error: "not_found", facts: { hospitalId } };
  }
  const doctor = input.assigned_doctor_id;
  const others = doctor && (role === "app" || (role === "doctor" && doctor !== idOf(actor)));
  return others ? { error: "forbidden", facts: { hospitalId, target: { user: doctor } } } : null;
}

async function writePatient(call: PrincipalCall, standing: Standing, input: PatientInput, before: Taking) {
  const { db, now } = call;
  const hospitalId = placeOf(standing, input) ?? "";
  const { id, identity, statements, rowAt } = await newPatient(call, input, hospitalId, standing.role);
  const first = before(id);
  const results = await batch(db, [...first, ...statements]).catch((error: unknown) => {
    if (isUnmet(error, "patients.hospital_id")) throw new ApiError("not_found");
    throw isMissingReference(error) ? new ApiError("invalid_request", NOT_THERE) : error;
  });
  const [{ number, uid, basis }] = Given.parse(results[first.length + rowAt]);
  const row = {
    id,
    patient_number: number,
    hospital_id: hospitalId,
    ward_id: input.ward_id,
    patient_uid: uid,
    uid_basis: basis,
    monitoring: input.monitoring,
    assigned_doctor_id: input.assigned_doctor_id,
    active: 1,
    created_at: now,
    updated_at: now,
    version: 1,
  };
  return { ...toSummary(row, identity), ...pickClinical(input) };
}

const iso = (time: number) => new Date(time).toISOString();

export function toSummary(row: Omit<PatientRow, "identity_sealed" | "clinical_sealed">, identity: Identity) {
  return {
    patient_id: row.id,
    patient_number: row.patient_number,
    patient_uid: row.patient_uid,
    uid_basis: row.uid_basis,
    hospital_id: row.hospital_id,
    ward_id: row.ward_id,
    monitoring: row.monitoring,
    assigned_doctor_id: row.assigned_doctor_id,
    is_active: row.active === 1,
    ...identity,
    created_at: iso(row.created_at),
    updated_at: iso(row.updated_at),
    version: row.version,
  };
}

async function toDetail(call: Call, row: PatientRow) {
  const [identity, clinical] = await Promise.all([openIdentity(call.keys, row), openClinical(call.keys, row)]);
  return { ...toSummary(row, identity), ...clinical };
}

/** The event of an access to one patient. */
export function patientEvent(access: Access, event: string, action: "C" | "R" | "U" | "D") {
  const { patient, role, basis, hospitalId } = access;
  return { event, action, role, basis, hospitalId, entity: { type: "patient", id: patient.id }, subjects: [patient.id] };
}

/** One patient with history and symptoms. @param ref id or patient_number  @throws ApiError not_found */
export async function getPatient(call: Call, ref: string) {
  const access = await requirePatient(call, { patient: ref }, "patient:read");
  const event = patientEvent(access, "patient.read", "R");
  return afterAudit(batch(call.db, audit(call.db, call.actor, call.now, event)), toDetail(call, access.patient));
}

export type PatientChange = Partial<Omit<NewPatient, "monitoring">> & {
  monitoring?: PatientRow["monitoring"] | undefined;
  is_active?: boolean | undefined;
};

/** What belongs to the hospital's own order is not the patient's to change; who is assigned is for those at the desk to say. */
const NOT_OF = {
  patient: ["assigned_doctor_id", "ward_id", "monitoring", "is_active", "notes"],
  doctor: ["assigned_doctor_id"],
  app: ["assigned_doctor_id"],
} as const satisfies Record<string, readonly (keyof PatientChange)[]>;

/**
 * Changes a patient whose version the caller has seen; both columns are sealed anew for the next version.
 * @throws ApiError not_found, precondition_failed, forbidden (a field that is not the caller's to change), invalid_request
 */
export async function updatePatient(call: Call, ref: string, version: number, change: PatientChange) {
  const { db, keys, actor, now } = call;
  const access = await requirePatient(call, { patient: ref }, "patient:update");
  const { patient, role, hospitalId } = access;
  const foreign: readonly string[] = role === "patient" || role === "doctor" || role === "app" ? NOT_OF[role] : [];
  if (Object.keys(change).some((field) => foreign.includes(field))) {
    const target = { patient: patient.id };
    await refuse(call, "patient:update", "forbidden", { role, hospitalId, target, patientId: patient.id });
  }
  if (patient.version !== version) return refuseStale(call, access, "patient.update");
  const { aadhaar_number, ...given } = change;
  const person = aadhaar_number ? await personOf(call, aadhaar_number) : null;
  const before = await toDetail(call, patient);
  const after = { ...before, ...given, ...(person && { aadhaar_last4: person.last4 }) };
  const identity = pickIdentity(after);
  const sealed = await sealPatient(keys, patient.id, version + 1, identity, pickClinical(after));
  const { assigned_doctor_id: doctor, ward_id: ward } = given;
  const update = db
    .update(patients)
    .set({
      ...sealed,
      monitoring: after.monitoring,
      active: after.is_active ? 1 : 0,
      ...(person && { patientUid: uidOf(person), uidBasis: role === "patient" ? "self" : "staff" }),
      ...(ward !== undefined && { wardId: ward && wardThere(ward, hospitalId) }),
      ...(doctor !== undefined && { assignedDoctorId: doctor && doctorThere(doctor, hospitalId) }),
      updatedAt: now,
      version: version + 1,
    })
    .where(and(eq(patients.id, patient.id), eq(patients.version, version)))
    .returning({ uid: patients.patientUid, basis: patients.uidBasis });
  // The nonce of a seal is this call's alone: of two writers of one version, only the one that counted finds it there.
  const mine = sql`EXISTS (SELECT 1 FROM patients WHERE id = ${patient.id} AND identity_sealed = ${sealed.identitySealed})`;
  const event = {
    ...patientEvent(access, "patient.update", "U"),
    detail: { fields: Object.keys(change), ...(doctor && { assigned_doctor_id: doctor }) },
    when: mine,
  };
  const results = await batch(db, [
    ...(person ? [rememberPerson(call, person)] : []),
    update,
    ...audit(db, actor, now, event),
    ...(await moveTokens(call, access, pickIdentity(before), identity, mine)),
    ...(doctor ? [joinTeam(call, patient.id, doctor, mine)] : []),
  ]).catch((error: unknown) => {
    throw isMissingReference(error) ? new ApiError("invalid_request", NOT_THERE) : error;
  });
  const [changed] = Changed.parse(results.at(person ? 1 : 0));
  if (!changed) return refuseStale(call, access, "patient.update");
  const { uid, basis } = changed;
  return { ...after, patient_uid: uid, uid_basis: basis, updated_at: iso(now), version: version + 1 };
}

/** Only what differs is rewritten: most changes leave the name and the numbers as they are. */
async function moveTokens(call: Call, { patient, hospitalId }: Access, from: Identity, to: Identity, mine: SQL) {
  const [before, after] = await Promise.all([from, to].map((identity) => tokensOf(call.keys, hospitalId, identity)));
  const gone = (before ?? []).filter((token) => !after?.includes(token));
  const come = (after ?? []).filter((token) => !before?.includes(token));
  const drop = call.db.run(sql`DELETE FROM patient_tokens WHERE hospital_id = ${hospitalId} AND patient_id = ${patient.id}
    AND token IN (SELECT value FROM json_each(${JSON.stringify(gone)})) AND ${mine}`);
  return [...(gone.length > 0 ? [drop] : []), ...(come.length > 0 ? [addTokens(call, hospitalId, patient.id, come, mine)] : [])];
}

/** @throws ApiError precondition_failed, after its trace */
export async function refuseStale({ db, actor, now }: Call, access: Access, name: string): Promise<never> {
  const event = patientEvent(access, name, "U");
  await batch(db, audit(db, actor, now, { ...event, outcome: "failed", reason: "precondition_failed" }));
  throw new ApiError("precondition_failed");
}

/** The assigned doctor joins, if this very update was the one that counted. */
function joinTeam({ db, actor, now }: Call, patientId: string, userId: string, mine: SQL): Statement {
  return db.run(sql`INSERT INTO care_team (patient_id, user_id, added_by, started_at)
    SELECT ${patientId}, ${userId}, ${idOf(actor)}, CAST(${now} AS INTEGER) WHERE ${mine}
    ON CONFLICT (patient_id, user_id) DO UPDATE SET ended_at = NULL,
      started_at = CASE WHEN ended_at IS NULL THEN started_at ELSE excluded.started_at END`);
}

/**
 * Takes out a record that was made by mistake. One that anything hangs on (a report, a device, a login, an intake) is a
 * medical record and stays: it can be made inactive.
 * @throws ApiError not_found, forbidden, precondition_failed, conflict
 */
export async function deletePatient(call: Call, ref: string, version: number): Promise<string> {
  const { db, actor, now } = call;
  const access = await requirePatient(call, { patient: ref }, "patient:delete");
  const { patient, hospitalId } = access;
  if (patient.version !== version) return refuseStale(call, access, "patient.delete");
  const present = sql`EXISTS (SELECT 1 FROM patients WHERE id = ${patient.id} AND version = ${version})`;
  const parts = [careTeam, patientTokens, patientClaimCodes];
  const scopeNames = JSON.stringify([scopes.all, scopes.hospital(hospitalId)]);
  try {
    const results = await batch(db, [
      ...parts.map((table) => db.delete(table).where(and(eq(table.patientId, patient.id), present))),
      db.delete(alertRules).where(and(eq(alertRules.scopeId, patient.id), present)),
      db.run(sql`UPDATE counters SET n = n - 1 WHERE day = 0 AND name = 'patients'
        AND scope IN (SELECT value FROM json_each(${scopeNames})) AND ${present}`),
      ...audit(db, actor, now, { ...patientEvent(access, "patient.delete", "D"), when: present }),
      db
        .delete(patients)
        .where(and(eq(patients.id, patient.id), eq(patients.version, version)))
        .returning({ id: patients.id }),
    ]);
    if (Ids.parse(results.at(-1)).length === 0) return refuseStale(call, access, "patient.delete");
  } catch (error) {
    if (!isMissingReference(error)) throw error;
    await batch(
      db,
      audit(db, actor, now, { ...patientEvent(access, "patient.delete", "D"), outcome: "failed", reason: "conflict" }),
    );
    throw new ApiError("conflict", "Something is recorded for this patient; set is_active to false instead.");
  }
  return patient.id;
}
