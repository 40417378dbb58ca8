// Reading in an emergency (break-glass): a running emergency access opens one record to the person who began it, at the hospital for
// which they began it, as far as the reach of the hospitals allows.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { type EffectiveRole, getActorId, type Principal, type Role } from "./actor.ts";
import { type CoveredRow, selectConsentOf } from "./consented.ts";
import type { Permission } from "./permissions.ts";
import { isSamePerson, selectRecordAt } from "./persons.ts";
import { patientVisibility } from "./visibility.ts";

/** Reads of one patient's data that an emergency access opens. No write, nothing of devices and of administration. */
export const EMERGENCY_READS: readonly Permission[] = [
  "patient:read",
  "care_team:read",
  "report:read",
  "document:read",
  "observation:read",
  "live:read",
  "alert:read",
  "alert_rule:read",
  "encounter:read",
  "appointment:read",
];

const CLINICAL_ROLES: readonly (Role | "app")[] = ["doctor", "nurse"];
export const isClinicalRole = ({ role }: EffectiveRole): boolean => CLINICAL_ROLES.includes(role);

type Reader = { userId: SQL | string; hospitalId: SQL | string | null };

/**
 * FROM and WHERE of running emergency accesses `e`. What allowed the beginning counts at each use: the settings of both hospitals, and
 * that both records are of one person.
 */
const running = ({ userId, hospitalId }: Reader, patientId: SQL, now: number): SQL => sql`emergency_accesses e
  JOIN hospitals er ON er.id = e.hospital_id AND er.active = 1
  JOIN hospitals eh ON eh.id = e.record_hospital_id AND eh.active = 1
  JOIN patients held ON held.id = e.patient_id AND held.hospital_id = e.record_hospital_id
  JOIN patients own ON own.id = e.own_patient_id AND own.hospital_id = e.hospital_id
  WHERE e.user_id = ${userId} AND e.patient_id = ${patientId} AND e.hospital_id = ${hospitalId}
    AND e.ends_at > ${now} AND e.ended_at IS NULL
    AND iif(e.record_hospital_id = e.hospital_id, er.emergency_reach <> 'none',
      er.emergency_reach = 'any_hospital' AND eh.emergency_reach = 'any_hospital'
        AND ${isSamePerson(sql`e.patient_id`, sql`e.own_patient_id`)})`;

/** The id of the caller's running access to the row `patients`, or NULL. Requires the tables of `activeSession`. */
export const selectEmergency = (now: number): SQL => sql`(SELECT e.id
  FROM ${running({ userId: sql`u.id`, hospitalId: sql`s.hospital_id` }, sql`patients.id`, now)} ORDER BY e.ends_at DESC LIMIT 1)`;

/**
 * The id of the record of the person at the caller's hospital if the caller may begin an emergency access to the row `patients`, else
 * NULL: the row itself in the own hospital. Requires the tables of `activeSession`.
 */
export const SELECT_REACHED_RECORD: SQL = sql`(CASE
  WHEN patients.hospital_id = s.hospital_id THEN iif(h.emergency_reach <> 'none', patients.id, NULL)
  WHEN h.emergency_reach = 'any_hospital' AND EXISTS (SELECT 1 FROM hospitals eh WHERE eh.id = patients.hospital_id
    AND eh.active = 1 AND eh.emergency_reach = 'any_hospital') THEN ${selectRecordAt(sql`s.hospital_id`)} END)`;

/** For lists and live views of one record: the caller's running access to it, as JSON (`RowEmergency`), or NULL. */
export function selectEmergencyOf(effectiveRole: EffectiveRole, actor: Principal, now: number, patientId: SQL): SQL {
  if (!isClinicalRole(effectiveRole)) return sql`NULL`;
  const reader = { userId: getActorId(actor), hospitalId: effectiveRole.hospitalId };
  return sql`(SELECT json_array(e.id, 'emergency', e.ends_at) FROM ${running(reader, patientId, now)} ORDER BY e.ends_at DESC LIMIT 1)`;
}

/** An access that opens a record (`selectEmergencyOf`). `endsAt`: Unix ms, excluded. */
export type RowEmergency = { emergencyId: string; endsAt: number };

export function parseRowEmergency(json: string): RowEmergency {
  const [emergencyId, , endsAt]: [string, "emergency", number] = JSON.parse(json);
  return { emergencyId, endsAt };
}

/**
 * For lists of one record: what opens a row that the caller's role does not show, as JSON: an emergency access (`selectEmergencyOf`),
 * else a consent (`selectConsentOf`), or NULL. @param row adds the column of the hospital that holds the record
 */
export const selectGroundOf = (
  effectiveRole: EffectiveRole,
  actor: Principal,
  now: number,
  row: CoveredRow & { hospitalId: SQL },
): SQL => sql`iif(${patientVisibility(effectiveRole, actor, row.patientId, row.hospitalId)}, NULL,
  coalesce(${selectEmergencyOf(effectiveRole, actor, now, sql`${row.patientId}`)}, ${selectConsentOf(effectiveRole, actor, now, row)}))`;

/** `selectEmergencyOf` for a row that the caller's role does not show. @param hospitalId column of the hospital that holds the record */
export const selectEmergencyGround = (
  effectiveRole: EffectiveRole,
  actor: Principal,
  now: number,
  { patientId, hospitalId }: { patientId: SQLWrapper; hospitalId: SQL },
): SQL => sql`iif(${patientVisibility(effectiveRole, actor, patientId, hospitalId)}, NULL,
  ${selectEmergencyOf(effectiveRole, actor, now, sql`${patientId}`)})`;

/** Whether the caller has had emergency access to the record: what they may see of it changes with the clock. */
export const hadEmergency = ({ hospitalId }: EffectiveRole, actor: Principal, patientId: string): SQL =>
  sql`EXISTS (SELECT 1 FROM emergency_accesses e WHERE e.user_id = ${getActorId(actor)} AND e.patient_id = ${patientId}
    AND e.hospital_id = ${hospitalId})`;

/** A row while a delay of the record holds the notice back. One that the reader has set holds back no notice of their own access. */
export const selectDelay = (patientId: SQL | string, readerId: SQL | string, now: number): SQL =>
  sql`SELECT 1 FROM notice_delays d WHERE d.patient_id = ${patientId} AND d.set_by <> ${readerId} AND d.until > ${now}`;
