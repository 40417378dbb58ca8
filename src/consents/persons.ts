// Whose consent it is: the person decides about their own records alone, and a hospital learns nothing of the others.
import { type SQL, sql } from "drizzle-orm";
import { areDifferentPersons, isSamePerson } from "../access/persons.ts";

/** Whether the user is the person of a record: it is linked to their login, or another record of the same person is. */
export const isPersonOf = (userId: string, patientId: SQL): SQL => sql`EXISTS (SELECT 1 FROM patient_links l
  WHERE l.user_id = ${userId} AND (l.patient_id = ${patientId} OR ${isSamePerson(sql`l.patient_id`, patientId)}))`;

/** Ids of the consents that a person sees and ends: those about their records, and those that share a record linked to their login. */
export const selectConsentsOf = (
  userId: string,
): SQL => sql`SELECT k.id FROM patient_links l JOIN consents k ON k.patient_id = l.patient_id
    WHERE l.user_id = ${userId}
  UNION SELECT k.id FROM patient_links l JOIN patients x ON x.id = l.patient_id AND x.uid_basis = 'staff'
      JOIN patients y ON y.patient_uid = x.patient_uid AND y.uid_basis = 'staff' JOIN consents k ON k.patient_id = y.id
    WHERE l.user_id = ${userId}
  UNION SELECT r.consent_id FROM patient_links l JOIN consent_records r ON r.patient_id = l.patient_id WHERE l.user_id = ${userId}`;

/**
 * Whether the user may share a record under a consent for the record `ownId` of the hospital that reads: it is linked to their login, of
 * another hospital, and not known to be somebody else's.
 */
export const isShareable = (userId: string | SQL, patientId: SQL, ownId: SQL, hospitalId: SQL): SQL => sql`EXISTS (SELECT 1
  FROM patient_links l JOIN patients p ON p.id = l.patient_id JOIN hospitals h ON h.id = p.hospital_id
  WHERE l.user_id = ${userId} AND l.patient_id = ${patientId} AND p.hospital_id <> ${hospitalId} AND h.active = 1
    AND NOT ${areDifferentPersons(sql`l.patient_id`, ownId)})`;
