// Patients: read, delete. Every operation checks access and records an audit event in the same batch.

import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import type { Call } from "../access/actor.ts";
import { type AuditAction, afterAudit, appendAuditEvent, recordAuditEvent } from "../access/audit.ts";
import { failWithAudit } from "../access/deny.ts";
import { type Access, accessFields, authorizePatient } from "../access/patient-access.ts";
import type { PatientRow } from "../access/patient-row.ts";
import { type ExpectedVersion, matchVersion } from "../http/conditional-requests.ts";
import { COUNTER_SCOPES } from "../platform/counters.ts";
import { batch, isForeignKeyViolation } from "../platform/db/client.ts";
import { alertRules, careTeam, patientChanges, patientClaimCodes, patients, patientTokens } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { toIso } from "../platform/time.ts";
import { forgetNumbers } from "./identity/person.ts";
import { type Identity, unsealClinical, unsealIdentity } from "./identity/sealed-fields.ts";

export const UNKNOWN_REFERENCE_DETAIL = "hospital_id, ward_id or assigned_doctor_id does not exist at that hospital.";

/** Columns assigned by the database. */
export const UidColumns = z.object({ uid: z.string().nullable(), basis: z.enum(["staff", "self"]).nullable() });
const DeletedRows = z.array(z.object({ id: z.string() }));

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
export function patientEvent(access: Access, event: string, action: AuditAction) {
  const { id } = access.patient;
  return { ...accessFields(access), event, action, entity: { type: "patient", id }, subjects: [id] };
}

/** Returns a patient with history and symptoms. @param ref id or patient_number  @throws ApiError not_found */
export async function getPatient(call: Call, ref: string) {
  const access = await authorizePatient(call, { patient: ref }, "patient:read");
  return afterAudit(appendAuditEvent(call, patientEvent(access, "patient.read", "R")), toPatientDetail(call, access.patient));
}

/** Records that another version was expected. @throws ApiError precondition_failed always */
export const failStaleVersion = (call: Call, access: Access, name: string): Promise<never> =>
  failWithAudit(call, "precondition_failed", patientEvent(access, name, "U"));

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
  const dependentTables = [careTeam, patientTokens, patientClaimCodes, patientChanges];
  const scopeNames = JSON.stringify([COUNTER_SCOPES.all, COUNTER_SCOPES.hospital(hospitalId)]);
  try {
    const results = await batch(db, [
      ...dependentTables.map((table) => db.delete(table).where(and(eq(table.patientId, patient.id), isCurrentVersion))),
      db.delete(alertRules).where(and(eq(alertRules.scopeId, patient.id), isCurrentVersion)),
      db.run(sql`UPDATE counters SET n = n - 1 WHERE day = 0 AND name = 'patients'
        AND scope IN (SELECT value FROM json_each(${scopeNames})) AND ${isCurrentVersion}`),
      ...recordAuditEvent(db, actor, now, { ...patientEvent(access, "patient.delete", "D"), when: isCurrentVersion }),
      ...(patient.patient_uid ? [forgetNumbers(db, patient, isCurrentVersion)] : []),
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
