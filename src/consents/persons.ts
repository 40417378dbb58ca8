// Whose consent it is: the person decides about their own records alone, or a guardian, and a hospital learns nothing of the others.

import { type SQL, sql } from "drizzle-orm";
import { isGuardianOf, isGuardianshipOf } from "../access/guardians.ts";
import { areDifferentPersons, isSamePerson } from "../access/persons.ts";
import type { Db } from "../platform/db/client.ts";

/** Whether a record is linked to the login, or another record of the same person is. */
const isOwnRecord = (userId: string | SQL, patientId: SQL): SQL => sql`EXISTS (SELECT 1 FROM patient_links l
  WHERE l.user_id = ${userId} AND (l.patient_id = ${patientId} OR ${isSamePerson(sql`l.patient_id`, patientId)}))`;

/** Ids, some repeated, of the records whose person the user counts as: linked to their login, or of a guardianship in force. */
export const selectRecordsOf = (userId: string, now: number): SQL => sql`SELECT l.patient_id FROM patient_links l
  WHERE l.user_id = ${userId} UNION ALL SELECT g.patient_id FROM guardianships g WHERE ${isGuardianshipOf(userId, now)}`;

/**
 * Ids, some repeated, of the consents that a person sees, answers and ends: those about records linked to their login or that share
 * one. Of a record that only the same number connects, those that they have decided: whoever holds a login with this number may be
 * somebody else, so they answer once they have claimed the record. Of a guardian, those about the record of the guardianship or that
 * share it.
 */
export const selectConsentsOf = (
  userId: string,
  now: number,
): SQL => sql`SELECT k.id FROM patient_links l JOIN consents k ON k.patient_id = l.patient_id
    WHERE l.user_id = ${userId}
  UNION ALL SELECT k.id FROM patient_links l JOIN patients x ON x.id = l.patient_id AND x.uid_basis = 'staff'
      JOIN patients y ON y.patient_uid = x.patient_uid AND y.uid_basis = 'staff' JOIN consents k ON k.patient_id = y.id
    WHERE l.user_id = ${userId} AND k.decided_by = l.user_id
  UNION ALL SELECT r.consent_id FROM patient_links l JOIN consent_records r ON r.patient_id = l.patient_id WHERE l.user_id = ${userId}
  UNION ALL SELECT k.id FROM guardianships g JOIN consents k ON k.patient_id = g.patient_id WHERE ${isGuardianshipOf(userId, now)}
  UNION ALL SELECT r.consent_id FROM guardianships g JOIN consent_records r ON r.patient_id = g.patient_id
    WHERE ${isGuardianshipOf(userId, now)}`;

/**
 * Whether the user may share a record under a consent for the record `ownId` of the hospital that reads: of another hospital, and not
 * known to be somebody else's. It is linked to their login; or they are its guardian, and that of `ownId` or of what is known to be the
 * same person's, so that a guardian's own record never gets the other's data. Neither record is restricted.
 */
export const isShareable = (
  userId: string | SQL,
  patientId: SQL,
  ownId: SQL,
  hospitalId: SQL,
  now: number,
): SQL => sql`EXISTS (SELECT 1
  FROM patients p JOIN hospitals h ON h.id = p.hospital_id
  WHERE p.id = ${patientId} AND p.hospital_id <> ${hospitalId} AND h.active = 1 AND p.restricted_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM patients own WHERE own.id = ${ownId} AND own.restricted_at IS NOT NULL)
    AND ((EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = ${userId} AND l.patient_id = p.id)
        AND (NOT ${isGuardianOf(userId, ownId, now)} OR ${isOwnRecord(userId, ownId)} OR ${isSamePerson(sql`p.id`, ownId)}))
      OR (${isGuardianOf(userId, sql`p.id`, now)} AND (${isGuardianOf(userId, ownId, now)} OR ${isSamePerson(sql`p.id`, ownId)})))
    AND NOT ${areDifferentPersons(sql`p.id`, ownId)})`;

/**
 * The guardianship by which a user decides about the first of these records that has one; none where the user is the person of all.
 * Whoever is guardian of a record is not its person, also where the record is linked to their login.
 * @param patientIds a query of one column
 */
export const selectActingGuardianship = (db: Db, userId: string, patientIds: SQL, now: number) =>
  db.all<{ id: string }>(sql`SELECT g.id AS id FROM guardianships g WHERE ${isGuardianshipOf(userId, now)}
    AND g.patient_id IN (${patientIds}) ORDER BY g.id LIMIT 1`);

/** The guardianships in force that a user holds, at most `ROW_LIMITS.guardianRecords`. */
export const selectGuardianshipsHeld = (db: Db, userId: string, now: number) =>
  db.all<{ id: string; patientId: string }>(sql`SELECT g.id AS id, g.patient_id AS patientId FROM guardianships g
    WHERE ${isGuardianshipOf(userId, now)} ORDER BY g.id`);

/** Whether a guardianship is in force still. */
export const isStillGuardian = (userId: string, guardianshipId: string, now: number): SQL =>
  sql`EXISTS (SELECT 1 FROM guardianships g WHERE g.id = ${guardianshipId} AND ${isGuardianshipOf(userId, now)})`;
