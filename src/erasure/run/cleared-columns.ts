// What an erasure clears in rows of D1 that belong to others.
import { type SQL, sql } from "drizzle-orm";
import type { Subject } from "./progress.ts";

export const list = (ids: readonly string[]): SQL => sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`;

/** Versions of consents of the person at other hospitals that have the record among the shared ones. */
export const namesShared = ({ patientId }: Subject): SQL => sql`consent_id IN (SELECT consent_id FROM consent_records
  WHERE patient_id = ${patientId}) AND EXISTS (SELECT 1 FROM json_each(artefact, '$.shared') WHERE value = ${patientId})`;
export const withoutPatient = ({ patientId }: Subject): SQL =>
  sql`json_set(artefact, '$.shared', json((SELECT json_group_array(value) FROM json_each(artefact, '$.shared') WHERE value <> ${patientId})))`;

/** Whether another record has the person's identifier: the current one, or one from before a change of the numbers. */
export const isUidUsedElsewhere = ({ patientId }: Subject): SQL =>
  sql`EXISTS (SELECT 1 FROM patients o WHERE o.patient_uid = person_identifiers.patient_uid AND o.id <> ${patientId})`;

type ClearedColumn = {
  table: string;
  column: string;
  /** What names a row; by default the column `id`. */
  id?: SQL;
  where: (subject: Subject) => SQL;
  /** What is left of a column that has more than the id; by default it becomes NULL. */
  rest?: (subject: Subject) => SQL;
};

/** Columns of rows that belong to others: the patient's id is removed and the row stays. */
export const CLEARED_COLUMNS: readonly ClearedColumn[] = [
  // Consents for records of the person that stay, such as one that a code was used for.
  { table: "consents", column: "decided_by", where: ({ users }: Subject) => sql`decided_by IN ${list(users)}` },
  {
    table: "consent_versions",
    column: "artefact",
    id: sql`consent_id || ' ' || version`,
    where: namesShared,
    rest: withoutPatient,
  },
  { table: "report_changes", column: "from_patient_id", where: ({ patientId }: Subject) => sql`from_patient_id = ${patientId}` },
  {
    table: "patients",
    column: "merged_into",
    where: ({ patientId, hospitalId }: Subject) => sql`hospital_id = ${hospitalId} AND merged_into = ${patientId}`,
  },
  // Payments stay for the accounts.
  {
    table: "payment_intents",
    column: "appointment_id",
    where: ({ patientId }: Subject) => sql`appointment_id IN (SELECT id FROM appointments WHERE patient_id = ${patientId})`,
  },
  { table: "payment_intents", column: "patient_id", where: ({ patientId }: Subject) => sql`patient_id = ${patientId}` },
  // Numbers that lead to a person of whom other hospitals have records.
  {
    table: "person_identifiers",
    column: "patient_id",
    id: sql`key_id || ' ' || mac`,
    where: (s: Subject) => sql`patient_id = ${s.patientId} AND ${isUidUsedElsewhere(s)}`,
  },
];
