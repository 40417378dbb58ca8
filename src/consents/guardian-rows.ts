// Rows of guardianships: which are in force, for which records a login decides by them, and how the API shows them.
import { type SQL, sql } from "drizzle-orm";
import { unsealProfile } from "../access/profile.ts";
import type { Keys } from "../platform/config.ts";
import { sealValue, unsealValue } from "../platform/crypto.ts";
import type { guardianships } from "../platform/db/schema.ts";
import { toIso, toIsoOrNull } from "../platform/time.ts";

export type GuardianshipRow = typeof guardianships.$inferSelect & {
  hospitalId: string;
  hospitalName: string;
  guardianProfile: string;
};

/** Columns of `guardianships g`. */
const GUARDIANSHIP_COLUMNS = sql`g.id AS id, g.patient_id AS patientId, g.guardian_id AS guardianId, g.relationship AS relationship,
  g.reason_sealed AS reasonSealed, g.valid_until AS validUntil, g.recorded_by AS recordedBy, g.recorded_at AS recordedAt,
  g.confirmed_by AS confirmedBy, g.confirmed_at AS confirmedAt, g.ended_by AS endedBy, g.ended_at AS endedAt,
  h.id AS hospitalId, h.name AS hospitalName, u.profile_sealed AS guardianProfile`;

/** Rows `g` with their record, its hospital and the guardian. @param condition on `g`, `p`, `h` and `u` */
export const selectGuardianships = (condition: SQL): SQL => sql`SELECT ${GUARDIANSHIP_COLUMNS} FROM guardianships g
  JOIN patients p ON p.id = g.patient_id JOIN hospitals h ON h.id = p.hospital_id JOIN users u ON u.id = g.guardian_id
  WHERE ${condition}`;

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

const reasonContext = (id: string) => ({ table: "guardianships", column: "reason", id });
export const sealGuardianReason = (keys: Keys, id: string, reason: string): Promise<string> =>
  sealValue(keys.fields, reasonContext(id), reason);

function stateOf(row: GuardianshipRow, now: number) {
  if (row.endedAt !== null) return "ended" as const;
  if (row.validUntil <= now) return "expired" as const;
  return row.confirmedAt === null ? ("recorded" as const) : ("active" as const);
}

/** @param isStaff the reason is for staff of the hospital alone */
export async function toGuardianship(keys: Keys, row: GuardianshipRow, now: number, isStaff: boolean) {
  const { id, guardianId, reasonSealed } = row;
  const guardian = await unsealProfile(keys, { id: guardianId, profileSealed: row.guardianProfile });
  return {
    guardianship_id: id,
    state: stateOf(row, now),
    patient_id: row.patientId,
    hospital_id: row.hospitalId,
    hospital_name: row.hospitalName,
    guardian_id: guardianId,
    guardian_name: guardian.full_name,
    relationship: row.relationship,
    reason: isStaff ? String(await unsealValue(keys.fields, reasonContext(id), reasonSealed)) : null,
    until: toIso(row.validUntil),
    recorded_by: row.recordedBy,
    recorded_at: toIso(row.recordedAt),
    confirmed_by: row.confirmedBy,
    confirmed_at: toIsoOrNull(row.confirmedAt),
    ended_by: row.endedBy,
    ended_at: toIsoOrNull(row.endedAt),
  };
}
