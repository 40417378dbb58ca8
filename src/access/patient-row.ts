// The patient row that access checks read, and the ways a request identifies a patient.
import { type SQL, sql } from "drizzle-orm";
import { UUID_PATTERN } from "../platform/ids.ts";

/** Identifies a patient by id or patient number, or by something of theirs. */
export type PatientTarget =
  | { patient: string }
  | { report: string }
  | { document: string }
  | { encounter: string }
  | { appointment: string }
  | typeof OWN_RECORD;
/** The caller's own record, or the patient that the calling device is bound to. */
export const OWN_RECORD = { patient: "own" } as const;

export type PatientRow = {
  id: string;
  patient_number: number;
  hospital_id: string;
  ward_id: string | null;
  monitoring: "off" | "home" | "ward";
  patient_uid: string | null;
  uid_basis: "staff" | "self" | null;
  identity_sealed: string;
  clinical_sealed: string;
  assigned_doctor_id: string | null;
  active: number;
  /** Epoch milliseconds; null unless the record is locked until it is erased. */
  restricted_at: number | null;
  /** The record that this one was merged into: it is read there, and no longer changed here. */
  merged_into: string | null;
  created_at: number;
  updated_at: number;
  version: number;
};

/** Columns for lists; `PATIENT_COLUMNS` adds those shown on the patient's page. */
export const PATIENT_SUMMARY_COLUMNS = sql`patients.id AS id, patients.patient_number AS patient_number, patients.hospital_id AS hospital_id,
  patients.ward_id AS ward_id, patients.monitoring AS monitoring, patients.patient_uid AS patient_uid,
  patients.uid_basis AS uid_basis, patients.identity_sealed AS identity_sealed,
  patients.assigned_doctor_id AS assigned_doctor_id, patients.active AS active, patients.restricted_at AS restricted_at, patients.merged_into AS merged_into,
  patients.created_at AS created_at, patients.updated_at AS updated_at, patients.version AS version`;
export const PATIENT_COLUMNS = sql`${PATIENT_SUMMARY_COLUMNS}, patients.clinical_sealed AS clinical_sealed`;

/** @param ownPatientId SQL for the id that `OWN_RECORD` stands for */
export function matchesPatient(target: PatientTarget, ownPatientId: SQL): SQL {
  if (target === OWN_RECORD) return sql`patients.id = ${ownPatientId}`;
  if ("report" in target) return sql`patients.id = (SELECT patient_id FROM reports WHERE id = ${target.report})`;
  if ("document" in target) return sql`patients.id = (SELECT patient_id FROM documents WHERE id = ${target.document})`;
  if ("encounter" in target) return sql`patients.id = (SELECT patient_id FROM encounters WHERE id = ${target.encounter})`;
  if ("appointment" in target) return sql`patients.id = (SELECT patient_id FROM appointments WHERE id = ${target.appointment})`;
  if (/^[1-9][0-9]{0,14}$/.test(target.patient)) return sql`patients.patient_number = CAST(${target.patient} AS INTEGER)`;
  return sql`patients.id = ${UUID_PATTERN.test(target.patient) ? target.patient : null}`;
}

/** The id of the patient that a request identifies, as SQL; NULL if there is none. @param ownPatientId as above */
export function selectPatientId(target: PatientTarget, ownPatientId: SQL): SQL {
  if (target !== OWN_RECORD && "patient" in target && UUID_PATTERN.test(target.patient)) return sql`${target.patient}`;
  return sql`(SELECT patients.id FROM patients WHERE ${matchesPatient(target, ownPatientId)})`;
}
