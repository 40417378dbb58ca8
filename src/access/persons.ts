// Which records are known to be of one person, within a hospital and across hospitals.
import { type SQL, sql } from "drizzle-orm";

/**
 * Whether two records are known to be of one person: the same `patient_uid`, which staff of both has identified. A number that somebody
 * has typed at their own registration proves nothing.
 */
export const isSamePerson = (
  a: SQL,
  b: SQL,
): SQL => sql`EXISTS (SELECT 1 FROM patients person_a JOIN patients person_b ON person_b.patient_uid = person_a.patient_uid
  WHERE person_a.id = ${a} AND person_b.id = ${b} AND person_a.patient_uid IS NOT NULL
    AND person_a.uid_basis = 'staff' AND person_b.uid_basis = 'staff')`;

/** Whether they are known to be of different persons: staff has identified both, as two. */
export const areDifferentPersons = (a: SQL, b: SQL): SQL => sql`EXISTS (SELECT 1 FROM patients person_a JOIN patients person_b
  WHERE person_a.id = ${a} AND person_b.id = ${b} AND person_a.patient_uid <> person_b.patient_uid
    AND person_a.uid_basis = 'staff' AND person_b.uid_basis = 'staff')`;

/**
 * The id of a hospital's record of the person of the row `patients` (`isSamePerson`), or NULL. A login that both records are linked to
 * proves nothing: a parent's is linked to the child's record too.
 */
export const selectRecordAt = (hospitalId: SQL): SQL => sql`(SELECT y.id FROM patients y
  WHERE y.patient_uid = patients.patient_uid AND y.hospital_id = ${hospitalId}
    AND y.uid_basis = 'staff' AND patients.uid_basis = 'staff' ORDER BY y.id LIMIT 1)`;
