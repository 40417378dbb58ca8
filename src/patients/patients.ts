// Patients: create, read, update, delete. Every operation checks access and records an audit event in the same batch.

import { and, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { type Access, authorizePatient, withWriter } from "../access/access.ts";
import { type Call, type EffectiveRole, getActorId, type Principal, type PrincipalCall } from "../access/actor.ts";
import { afterAudit, recordAuditEvent } from "../access/audit.ts";
import { type Denial, denyAccess, failWithAudit, requiredFieldError } from "../access/deny.ts";
import { resolveHospitalId } from "../access/effective-role.ts";
import type { PatientRow } from "../access/patient-row.ts";
import { type ExpectedVersion, matchVersion } from "../http/conditional-requests.ts";
import type { KeyStatements } from "../http/idempotency.ts";
import { COUNTER_SCOPES } from "../platform/counters.ts";
import { batch, isConditionFailed, isForeignKeyViolation, type Statement } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError } from "../platform/db/row-limits.ts";
import {
  alertRules,
  careTeam,
  patientClaimCodes,
  patients,
  patientTokens,
  SELF_CARE_HOSPITAL_ID,
} from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { toIso } from "../platform/time.ts";
import { identifyPerson, isKnownToHospital, patientUidOf, upsertPerson } from "./identity/aadhaar.ts";
import {
  type Identity,
  pickClinical,
  pickIdentity,
  sealPatient,
  unsealClinical,
  unsealIdentity,
} from "./identity/sealed-fields.ts";
import { computeSearchTokens } from "./identity/search-tokens.ts";
import {
  activeDoctorId,
  activeWardId,
  type NewPatient,
  preparePatient,
  readIdentitySettings,
  replaceSearchTokens,
} from "./new-patient.ts";
import { teamAuthorUnlessFull } from "./record/care-team.ts";

const UNKNOWN_REFERENCE_DETAIL = "hospital_id, ward_id or assigned_doctor_id does not exist at that hospital.";

/** Columns assigned by the database. */
const UidColumns = z.object({ uid: z.string().nullable(), basis: z.enum(["staff", "self"]).nullable() });
const InsertedRow = z.tuple([UidColumns.extend({ number: z.number() })]);
const UpdatedRows = z.array(UidColumns);
const DeletedRows = z.array(z.object({ id: z.string() }));

/**
 * Creates a patient at the caller's hospital; a creating doctor and the assigned doctor join the care team.
 * @throws ApiError forbidden, not_found (another hospital), invalid_request (unknown doctor or ward)
 */
export function createPatient(call: Call, input: CreatePatientInput, keyStatements: KeyStatements) {
  return withWriter(
    call,
    "patient:create",
    (effectiveRole, { actor }) => findCreateDenial(effectiveRole, actor, input),
    (effectiveRole, writerCall, checkStatements) =>
      insertPatient(writerCall, effectiveRole, input, (id) => [...checkStatements, ...keyStatements(id)]),
  );
}

type CreatePatientInput = NewPatient & { hospital_id?: string | undefined };

function findCreateDenial(effectiveRole: EffectiveRole, actor: Principal, input: CreatePatientInput): Denial | null {
  const { role } = effectiveRole;
  const hospitalId = resolveHospitalId(effectiveRole, input.hospital_id);
  if (!hospitalId) return requiredFieldError("hospital_id");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE_HOSPITAL_ID) {
    return { error: "not_found", facts: { hospitalId } };
  }
  const doctor = input.assigned_doctor_id;
  const assignsOther = doctor && (role === "app" || (role === "doctor" && doctor !== getActorId(actor)));
  return assignsOther ? { error: "forbidden", facts: { hospitalId, target: { user: doctor } } } : null;
}

async function insertPatient(
  call: PrincipalCall,
  effectiveRole: EffectiveRole,
  input: CreatePatientInput,
  leadingStatements: KeyStatements,
) {
  const { db, now } = call;
  const hospitalId = resolveHospitalId(effectiveRole, input.hospital_id) ?? "";
  const { id, identity, statements, insertIndex } = await preparePatient(call, input, hospitalId, effectiveRole.role);
  const leading = leadingStatements(id);
  const results = await batch(db, [...leading, ...statements]).catch((error: unknown) => {
    if (isConditionFailed(error, "patients.hospital_id")) throw new ApiError("not_found");
    throw isForeignKeyViolation(error) ? new ApiError("invalid_request", UNKNOWN_REFERENCE_DETAIL) : error;
  });
  const [{ number, uid, basis }] = InsertedRow.parse(results[leading.length + insertIndex]);
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
  return { ...toPatientSummary(row, identity), ...pickClinical(input) };
}

export function toPatientSummary(row: Omit<PatientRow, "identity_sealed" | "clinical_sealed">, identity: Identity) {
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
    created_at: toIso(row.created_at),
    updated_at: toIso(row.updated_at),
    version: row.version,
  };
}

export async function toPatientDetail(call: Call, row: PatientRow) {
  const [identity, clinical] = await Promise.all([unsealIdentity(call.keys, row), unsealClinical(call.keys, row)]);
  return { ...toPatientSummary(row, identity), ...clinical };
}

/** The audit event of an access to one patient. */
export function patientEvent(access: Access, event: string, action: "C" | "R" | "U" | "D") {
  const { patient, role, basis, hospitalId } = access;
  return { event, action, role, basis, hospitalId, entity: { type: "patient", id: patient.id }, subjects: [patient.id] };
}

/** Returns a patient with history and symptoms. @param ref id or patient_number  @throws ApiError not_found */
export async function getPatient(call: Call, ref: string) {
  const access = await authorizePatient(call, { patient: ref }, "patient:read");
  const event = patientEvent(access, "patient.read", "R");
  return afterAudit(
    batch(call.db, recordAuditEvent(call.db, call.actor, call.now, event)),
    toPatientDetail(call, access.patient),
  );
}

export type PatientChange = Partial<Omit<NewPatient, "monitoring">> & {
  monitoring?: PatientRow["monitoring"] | undefined;
  is_active?: boolean | undefined;
};

/** Fields that a role may not change: patients no administrative fields; assigning a doctor is for nurses and managers. */
const FORBIDDEN_FIELDS = {
  patient: ["assigned_doctor_id", "ward_id", "monitoring", "is_active", "notes"],
  doctor: ["assigned_doctor_id"],
  app: ["assigned_doctor_id"],
} as const satisfies Record<string, readonly (keyof PatientChange)[]>;

/**
 * Updates a patient at a version that the caller has seen; both sealed columns are re-encrypted for the next version.
 * @throws ApiError not_found, precondition_failed, forbidden (a field the caller may not change), invalid_request
 */
export async function updatePatient(call: Call, ref: string, expected: ExpectedVersion, change: PatientChange) {
  const { db, keys, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "patient:update");
  const { patient, role, hospitalId } = access;
  const forbiddenFields: readonly string[] =
    role === "patient" || role === "doctor" || role === "app" ? FORBIDDEN_FIELDS[role] : [];
  if (Object.keys(change).some((field) => forbiddenFields.includes(field))) {
    const target = { patient: patient.id };
    await denyAccess(call, "patient:update", "forbidden", { role, hospitalId, target, patientId: patient.id });
  }
  const version = matchVersion(expected, patient.version);
  if (patient.version !== version) return failStaleVersion(call, access, "patient.update");
  const { aadhaar_number, ...changedFields } = change;
  if (aadhaar_number && role === "patient" && !(await isKnownToHospital(db, getActorId(actor)))) {
    const target = { patient: patient.id };
    const fields = ["aadhaar_number"];
    return denyAccess(call, "patient:update", "forbidden", { role, hospitalId, target, patientId: patient.id, fields });
  }
  const person = aadhaar_number ? await identifyPerson(call, aadhaar_number) : null;
  const before = await toPatientDetail(call, patient);
  const after = { ...before, ...changedFields, ...(person && { aadhaar_last4: person.last4 }) };
  const identity = pickIdentity(after);
  const sealed = await sealPatient(keys, patient.id, version + 1, identity, pickClinical(after));
  const { assigned_doctor_id: doctor, ward_id: ward } = changedFields;
  const update = db
    .update(patients)
    .set({
      ...sealed,
      monitoring: after.monitoring,
      active: after.is_active ? 1 : 0,
      ...(person && { patientUid: patientUidOf(person), uidBasis: role === "patient" ? "self" : "staff" }),
      ...(ward !== undefined && { wardId: ward && activeWardId(ward, hospitalId) }),
      ...(doctor !== undefined && { assignedDoctorId: doctor && activeDoctorId(doctor, hospitalId) }),
      updatedAt: now,
      version: version + 1,
    })
    .where(and(eq(patients.id, patient.id), eq(patients.version, version)))
    .returning({ uid: patients.patientUid, basis: patients.uidBasis });
  // The nonce makes the sealed value unique to this call, so of two writers of one version only the winner finds it.
  const isThisUpdate = sql`EXISTS (SELECT 1 FROM patients WHERE id = ${patient.id} AND identity_sealed = ${sealed.identitySealed})`;
  const event = {
    ...patientEvent(access, "patient.update", "U"),
    detail: { fields: Object.keys(change), ...(doctor && { assigned_doctor_id: doctor }) },
    when: isThisUpdate,
  };
  const results = await batch(db, [
    ...(person ? [upsertPerson(call, person)] : []),
    update,
    ...recordAuditEvent(db, actor, now, event),
    ...(await updateSearchTokens(call, access, pickIdentity(before), identity, isThisUpdate)),
    ...(doctor ? [joinCareTeam(call, patient.id, doctor, isThisUpdate)] : []),
  ]).catch((error: unknown) => {
    if (isForeignKeyViolation(error)) throw new ApiError("invalid_request", UNKNOWN_REFERENCE_DETAIL);
    throw toLimitError(error, ROW_LIMITS.currentCareTeam);
  });
  const [changed] = UpdatedRows.parse(results.at(person ? 1 : 0));
  if (!changed) return failStaleVersion(call, access, "patient.update");
  const { uid, basis } = changed;
  return { ...after, patient_uid: uid, uid_basis: basis, updated_at: toIso(now), version: version + 1 };
}

/** No statement unless a field changes that is searched. @throws ApiError invalid_request for a birth date after today */
async function updateSearchTokens(
  call: Call,
  { patient, hospitalId }: Access,
  previous: Identity,
  next: Identity,
  isThisUpdate: SQL,
): Promise<Statement[]> {
  const isUnchanged = (field: keyof Identity) => previous[field] === next[field];
  const changed = { date_of_birth: isUnchanged("date_of_birth") ? null : next.date_of_birth, phone: next.phone };
  const isSearchUnchanged = (["first_name", "last_name", "phone", "email"] as const).every(isUnchanged);
  if (isSearchUnchanged) {
    await readIdentitySettings(call, hospitalId, { ...changed, phone: null });
    return [];
  }
  const { country } = await readIdentitySettings(call, hospitalId, changed);
  const tokens = await computeSearchTokens(call.keys, hospitalId, country, next);
  return replaceSearchTokens(call, hospitalId, patient.id, tokens, isThisUpdate);
}

/** Records the failure. @throws ApiError precondition_failed always */
const failStaleVersion = (call: Call, access: Access, name: string): Promise<never> =>
  failWithAudit(call, "precondition_failed", patientEvent(access, name, "U"));

/** Adds the assigned doctor to the care team, if this update won. */
function joinCareTeam({ db, actor, now }: Call, patientId: string, userId: string, isThisUpdate: SQL): Statement {
  return db.run(sql`INSERT INTO care_team (patient_id, user_id, added_by, started_at)
    SELECT ${patientId}, ${userId}, ${teamAuthorUnlessFull(getActorId(actor), patientId, userId)}, CAST(${now} AS INTEGER)
    WHERE ${isThisUpdate}
    ON CONFLICT (patient_id, user_id) DO UPDATE SET ended_at = NULL,
      started_at = CASE WHEN ended_at IS NULL THEN started_at ELSE excluded.started_at END`);
}

/**
 * Deletes a record created by mistake. A patient with any related record (a report, device, login or intake) cannot be deleted,
 * only made inactive.
 * @throws ApiError not_found, forbidden, precondition_failed, conflict
 */
export async function deletePatient(call: Call, ref: string, expected: ExpectedVersion): Promise<string> {
  const { db, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "patient:delete");
  const { patient, hospitalId } = access;
  const version = matchVersion(expected, patient.version);
  if (patient.version !== version) return failStaleVersion(call, access, "patient.delete");
  const isCurrentVersion = sql`EXISTS (SELECT 1 FROM patients WHERE id = ${patient.id} AND version = ${version})`;
  const dependentTables = [careTeam, patientTokens, patientClaimCodes];
  const scopeNames = JSON.stringify([COUNTER_SCOPES.all, COUNTER_SCOPES.hospital(hospitalId)]);
  try {
    const results = await batch(db, [
      ...dependentTables.map((table) => db.delete(table).where(and(eq(table.patientId, patient.id), isCurrentVersion))),
      db.delete(alertRules).where(and(eq(alertRules.scopeId, patient.id), isCurrentVersion)),
      db.run(sql`UPDATE counters SET n = n - 1 WHERE day = 0 AND name = 'patients'
        AND scope IN (SELECT value FROM json_each(${scopeNames})) AND ${isCurrentVersion}`),
      ...recordAuditEvent(db, actor, now, { ...patientEvent(access, "patient.delete", "D"), when: isCurrentVersion }),
      db
        .delete(patients)
        .where(and(eq(patients.id, patient.id), eq(patients.version, version)))
        .returning({ id: patients.id }),
    ]);
    if (DeletedRows.parse(results.at(-1)).length === 0) return failStaleVersion(call, access, "patient.delete");
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error;
    await batch(
      db,
      recordAuditEvent(db, actor, now, { ...patientEvent(access, "patient.delete", "D"), outcome: "failed", reason: "conflict" }),
    );
    throw new ApiError("conflict", "The patient has related records; set is_active to false instead.");
  }
  return patient.id;
}
