// What the database says of a machine's credential: statements for the gate (access.ts), which decides.
import { type SQL, sql } from "drizzle-orm";
import type { Db } from "../platform/db/client.ts";
import type { AppActor, DeviceActor } from "./actor.ts";
import { PATIENT, type PatientRow, patientMatch, type Target } from "./patient-row.ts";
import type { Action } from "./roles.ts";
import type { StandingRow } from "./standing.ts";

/** "Last used" is kept to five minutes, so that a busy machine costs one row written in that time. */
const TOUCH_MS = 5 * 60_000;

/** A redeemed link has proved the credential already (reports/links.ts); then only its state counts. */
function proven({ credentialId, secretHash }: DeviceActor | AppActor): SQL {
  return sql`c.id = ${credentialId} AND ${secretHash === null ? sql`1` : sql`c.secret_hash = ${secretHash}`}`;
}

const live = (now: number) => sql`c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > ${now})`;

/** Notes that a live credential was used. */
export function touch(db: Db, actor: DeviceActor | AppActor, now: number) {
  return db.run(sql`UPDATE credentials AS c SET last_used_at = CAST(${now} AS INTEGER)
    WHERE ${proven(actor)} AND ${live(now)} AND (last_used_at IS NULL OR last_used_at < ${now - TOUCH_MS})`);
}

/** True for a credential that was good once: its refusal leaves a trace; one that never existed could fill the trail. */
export const wasGood = (actor: DeviceActor | AppActor): SQL => sql`EXISTS (SELECT 1 FROM credentials c WHERE ${proven(actor)})`;

export type DeviceRow = PatientRow & {
  device_id: string;
  device_kind: string;
  device_hospital: string;
  bound: number;
  own: number;
};

/** The device, the patient it is asked about, and whether it is bound to them or brought the report itself. */
export function deviceStatement(db: Db, actor: DeviceActor, target: Target, now: number) {
  const uploaded =
    "report" in target
      ? sql`EXISTS (SELECT 1 FROM reports r WHERE r.id = ${target.report} AND r.uploaded_by_kind = 'device' AND r.uploaded_by = d.id)`
      : sql`0`;
  return db.all<DeviceRow>(sql`
    SELECT d.id AS device_id, d.kind AS device_kind, d.hospital_id AS device_hospital, patients.id = a.patient_id AS bound,
      ${uploaded} AS own, ${PATIENT}
    FROM credentials c JOIN devices d ON d.id = c.device_id AND d.active = 1
      JOIN hospitals h ON h.id = d.hospital_id AND h.active = 1
      LEFT JOIN device_assignments a ON a.device_id = d.id AND a.ended_at IS NULL
      LEFT JOIN patients ON ${patientMatch(target, sql`a.patient_id`)}
    WHERE ${proven(actor)} AND c.kind = 'device' AND ${live(now)}`);
}

/** The app's credential while it lives and its hospital works. */
function liveApp(actor: AppActor, now: number): { from: SQL; where: SQL } {
  return {
    from: sql`credentials c JOIN hospitals h ON h.id = c.hospital_id AND h.active = 1`,
    where: sql`${proven(actor)} AND c.kind = 'app' AND ${live(now)}`,
  };
}

/** The columns of a person's standing, for an app. */
export const APP_STANDING = sql`0 AS is_admin, 'app' AS member_role, c.hospital_id AS acting_hospital,
  'care_team' AS doctor_scope, c.scopes AS scopes`;

export function appStandingStatement(db: Db, actor: AppActor, now: number) {
  const { from, where } = liveApp(actor, now);
  return db.all<StandingRow>(sql`SELECT ${APP_STANDING} FROM ${from} WHERE ${where}`);
}

/** A row while the app's credential lives and has the scope. */
export function appHolds(actor: AppActor, action: Action, now: number): SQL {
  const { from, where } = liveApp(actor, now);
  return sql`SELECT 1 FROM ${from} WHERE ${where} AND instr(' ' || c.scopes || ' ', ${` ${action} `}) > 0`;
}

/** The app's standing and the patient it is asked about, if the record is its hospital's. */
export function appPatientStatement(db: Db, actor: AppActor, target: Target, now: number) {
  const { from, where } = liveApp(actor, now);
  return db.all<StandingRow & PatientRow>(sql`SELECT ${APP_STANDING}, ${PATIENT}
    FROM ${from} LEFT JOIN patients ON ${patientMatch(target, sql`NULL`)} AND patients.hospital_id = c.hospital_id WHERE ${where}`);
}

/** The access that a machine was given, as a condition, at the end of a long upload. */
export function machineStillHolds(actor: DeviceActor | AppActor, patientId: string, hospitalId: string, now: number): SQL {
  if (actor.kind === "app") {
    const { from, where } = liveApp(actor, now);
    return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND c.hospital_id = ${hospitalId})`;
  }
  return sql`EXISTS (SELECT 1 FROM credentials c JOIN devices d ON d.id = c.device_id AND d.active = 1
    JOIN hospitals h ON h.id = d.hospital_id AND h.active = 1
    JOIN device_assignments a ON a.device_id = d.id AND a.ended_at IS NULL AND a.patient_id = ${patientId}
    WHERE ${proven(actor)} AND ${live(now)})`;
}
