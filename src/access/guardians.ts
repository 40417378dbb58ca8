// Guardianships as a right: which are in force, and what a guardian may do for the person of a record.
import { type SQL, sql } from "drizzle-orm";
import type { Permission } from "./permissions.ts";

/** What a guardian does for the person, beside deciding about consents (consents/persons.ts). Nothing clinical is read by it. */
const GUARDIAN_PERMISSIONS: readonly Permission[] = [
  "appointment:read",
  "appointment:create",
  "appointment:update",
  "waiting_list:read",
  "waiting_list:create",
  "waiting_list:update",
  "calendar_feed:read",
  "calendar_feed:manage",
  "video:join",
];

export const isGuardianPermission = (permission: Permission): boolean => GUARDIAN_PERMISSIONS.includes(permission);

/** Rows `g` that have not ended: recorded or confirmed. */
export const isOpenGuardianship = (now: number): SQL => sql`g.ended_at IS NULL AND g.valid_until > ${now}`;

/** Rows `g` by which the guardian decides now. */
const isInForce = (now: number): SQL => sql`g.confirmed_at IS NOT NULL AND ${isOpenGuardianship(now)}
  AND EXISTS (SELECT 1 FROM patients gp JOIN hospitals gh ON gh.id = gp.hospital_id WHERE gp.id = g.patient_id AND gh.active = 1)`;

/** Rows `g` of the login that are in force. */
export const isGuardianshipOf = (userId: string | SQL, now: number): SQL => sql`g.guardian_id = ${userId} AND ${isInForce(now)}`;

/** Whether the login is a guardian of the person of a record. */
export const isGuardianOf = (userId: string | SQL, patientId: SQL, now: number): SQL =>
  sql`EXISTS (SELECT 1 FROM guardianships g WHERE g.patient_id = ${patientId} AND ${isGuardianshipOf(userId, now)})`;

/** The logins that are guardians of the person of a record now. */
export const selectGuardianIds = (patientId: string, now: number): SQL =>
  sql`SELECT g.guardian_id FROM guardianships g WHERE g.patient_id = ${patientId} AND ${isInForce(now)}`;
