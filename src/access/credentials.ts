// SQL statements that check the credentials of devices and apps, for the access checks in access.ts.
import { type SQL, sql } from "drizzle-orm";
import type { Db } from "../platform/db/client.ts";
import type { AppActor, DeviceActor, EffectiveRoleRow } from "./actor.ts";
import { matchesPatient, PATIENT_COLUMNS, type PatientRow, type PatientTarget } from "./patient-row.ts";
import { type AppScope, type DeviceScope, type Permission, requiredScopes } from "./permissions.ts";

/** "Last used" has a resolution of five minutes, so that a busy machine writes at most one row in that time. */
const LAST_USED_RESOLUTION_MS = 5 * 60_000;

/** A redeemed link has already proved the credential (file-links.ts); then only its state is checked. */
function credentialMatches({ credentialId, secretHash }: DeviceActor | AppActor): SQL {
  return sql`c.id = ${credentialId} AND ${secretHash === null ? sql`1` : sql`c.secret_hash = ${secretHash}`}`;
}

const credentialIsActive = (now: number) => sql`c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > ${now})`;

/** Records the use of an active credential. */
export function markUsed(db: Db, actor: DeviceActor | AppActor, now: number) {
  return db.run(sql`UPDATE credentials AS c SET last_used_at = CAST(${now} AS INTEGER)
    WHERE ${credentialMatches(actor)} AND ${credentialIsActive(now)} AND (last_used_at IS NULL OR last_used_at < ${now - LAST_USED_RESOLUTION_MS})`);
}

/** True for a credential that exists. Only its denials are recorded: unknown credentials could flood the audit log. */
export const credentialExists = (actor: DeviceActor | AppActor): SQL =>
  sql`EXISTS (SELECT 1 FROM credentials c WHERE ${credentialMatches(actor)})`;

export type DeviceRow = PatientRow & {
  device_id: string;
  device_kind: string;
  device_hospital: string;
  device_owner: string | null;
  scopes: string;
  bound: number;
  own: number;
  was_assigned: number;
  /** Null without an assignment at that time. */
  assigned_at: number | null;
  assigned_until: number | null;
  changed_at: number | null;
};

/** The device of a credential, and its assignment at the time that was asked for. Times are Unix ms. */
export type Device = {
  deviceId: string;
  kind: string;
  hospitalId: string;
  /** A patient's own device: what it sends for no patient is refused, not kept for the hospital's staff. */
  isPatientOwned: boolean;
  /** Whether the device was ever assigned to a patient. */
  wasAssigned: boolean;
  /** `changedAt`, for the current one: when the device was last assigned to another patient, or to nobody between two assignments. */
  assignment: { endedAt: number | null; changedAt: number | null } | null;
};

export function toDevice(row: DeviceRow): Device {
  return {
    deviceId: row.device_id,
    kind: row.device_kind,
    hospitalId: row.device_hospital,
    isPatientOwned: row.device_owner !== null,
    wasAssigned: row.was_assigned === 1,
    assignment: row.assigned_at === null ? null : { endedAt: row.assigned_until, changedAt: row.changed_at },
  };
}

/** The newest assignments of a device that are read to decide whether it changed patients. */
const MAX_READ_ASSIGNMENTS = 50;

/** The assignment that held at a time (Unix ms; null: the current one). Requires the aliases `a` and `d`. */
function assignmentAt(at: number | null): SQL {
  if (at === null) return sql`a.device_id = d.id AND a.ended_at IS NULL`;
  // Two assignments of one millisecond, or of two clocks, may end before they began: they never held.
  return sql`a.id = (SELECT id FROM device_assignments WHERE device_id = d.id AND started_at <= ${at}
    AND (ended_at IS NULL OR ended_at > started_at) ORDER BY started_at DESC LIMIT 1) AND (a.ended_at IS NULL OR a.ended_at > ${at})`;
}

/**
 * The last end of an assignment that `a` does not simply continue: one to another patient, or one after which the device was
 * assigned to nobody. Null if there is none. Requires the aliases `a` and `d`.
 */
const LAST_CHANGE = sql`(SELECT max(o.ended_at) FROM (SELECT patient_id, started_at, ended_at FROM device_assignments
    WHERE device_id = d.id ORDER BY started_at DESC LIMIT ${MAX_READ_ASSIGNMENTS}) o
  WHERE o.ended_at > o.started_at AND (o.patient_id <> a.patient_id
    OR NOT EXISTS (SELECT 1 FROM device_assignments n WHERE n.device_id = d.id AND n.started_at = o.ended_at)))`;

/**
 * The device, the target patient, and whether the device is bound to the patient or uploaded the report.
 * @param at the time of the assignment that counts, Unix ms; null: the current one
 */
export function selectDeviceAndPatient(db: Db, actor: DeviceActor, target: PatientTarget, now: number, at: number | null) {
  const uploaded =
    "report" in target
      ? sql`EXISTS (SELECT 1 FROM reports r WHERE r.id = ${target.report} AND r.uploaded_by_kind = 'device' AND r.uploaded_by = d.id)`
      : sql`0`;
  return db.all<DeviceRow>(sql`
    SELECT d.id AS device_id, c.scopes AS scopes, d.kind AS device_kind, d.hospital_id AS device_hospital,
      d.owner_patient_id AS device_owner, patients.id = a.patient_id AS bound,
      ${uploaded} AS own, a.started_at AS assigned_at, a.ended_at AS assigned_until, ${at === null ? LAST_CHANGE : sql`NULL`} AS changed_at,
      EXISTS (SELECT 1 FROM device_assignments e WHERE e.device_id = d.id) AS was_assigned, ${PATIENT_COLUMNS}
    FROM credentials c JOIN devices d ON d.id = c.device_id AND d.active = 1
      JOIN hospitals h ON h.id = d.hospital_id AND h.active = 1
      LEFT JOIN device_assignments a ON ${assignmentAt(at)}
      LEFT JOIN patients ON ${matchesPatient(target, sql`a.patient_id`)}
    WHERE ${credentialMatches(actor)} AND c.kind = 'device' AND ${credentialIsActive(now)}`);
}

/** FROM and WHERE for the app's credential, while it and its hospital are active. */
function activeAppCredential(actor: AppActor, now: number): { from: SQL; where: SQL } {
  return {
    from: sql`credentials c JOIN hospitals h ON h.id = c.hospital_id AND h.active = 1`,
    where: sql`${credentialMatches(actor)} AND c.kind = 'app' AND ${credentialIsActive(now)}`,
  };
}

/** `roleColumns` of a user's session, for an app. */
export const APP_ROLE_COLUMNS = sql`0 AS is_admin, 'app' AS member_role, c.hospital_id AS acting_hospital,
  'care_team' AS doctor_scope, c.scopes AS scopes, NULL AS signed_in_at, 0 AS second_step, 0 AS enrolment_required`;

export function selectAppRole(db: Db, actor: AppActor, now: number) {
  const { from, where } = activeAppCredential(actor, now);
  return db.all<EffectiveRoleRow>(sql`SELECT ${APP_ROLE_COLUMNS} FROM ${from} WHERE ${where}`);
}

/** When the credential expires, epoch milliseconds; NULL when it does not. */
export const credentialExpiry = ({ credentialId }: AppActor): SQL =>
  sql`(SELECT expires_at FROM credentials WHERE id = ${credentialId})`;

/**
 * Revokes the credentials that a person issued for own devices of a record, or of every record to which the person is linked.
 * @param when for the statements before it in the batch
 */
export function revokeOwnDeviceCredentials(db: Db, userId: string, patientId: string | null, now: number, when: SQL) {
  const records =
    patientId === null ? sql`(SELECT patient_id FROM patient_links WHERE user_id = ${userId})` : sql`(${patientId})`;
  return db.run(sql`UPDATE credentials SET revoked_at = CAST(${now} AS INTEGER)
    WHERE device_id IN (SELECT id FROM devices WHERE owner_patient_id IN ${records}) AND created_by = ${userId}
      AND revoked_at IS NULL AND ${when}`);
}

/** Requires the table alias `c`. */
export const credentialHasScope = (scope: AppScope | DeviceScope): SQL => sql`instr(' ' || c.scopes || ' ', ${` ${scope} `}) > 0`;

/** Selects a row while the app's credential is active and has the scopes of the permission. */
export function appHasScopes(actor: AppActor, permission: Permission, now: number): SQL {
  const { from, where } = activeAppCredential(actor, now);
  const scopes = requiredScopes(permission).map(credentialHasScope);
  return sql`SELECT 1 FROM ${from} WHERE ${sql.join([where, ...(scopes.length > 0 ? scopes : [sql`0`])], sql` AND `)}`;
}

/** The app's role and the target patient, if the patient belongs to the app's hospital. */
export function selectAppAndPatient(db: Db, actor: AppActor, target: PatientTarget, now: number) {
  const { from, where } = activeAppCredential(actor, now);
  return db.all<EffectiveRoleRow & PatientRow>(sql`SELECT ${APP_ROLE_COLUMNS}, ${PATIENT_COLUMNS}
    FROM ${from} LEFT JOIN patients ON ${matchesPatient(target, sql`NULL`)} AND patients.hospital_id = c.hospital_id WHERE ${where}`);
}

/**
 * A condition that holds while a machine may still send a report for the patient, for the end of a long upload.
 * @param at for a device: the time of the assignment that counts, Unix ms; null: the current one
 */
export function credentialStillValid(
  actor: DeviceActor | AppActor,
  patientId: string,
  hospitalId: string,
  now: number,
  at: number | null,
): SQL {
  if (actor.kind === "app") {
    const { from, where } = activeAppCredential(actor, now);
    return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND c.hospital_id = ${hospitalId} AND ${credentialHasScope("report:create")})`;
  }
  return sql`EXISTS (SELECT 1 FROM credentials c JOIN devices d ON d.id = c.device_id AND d.active = 1
    JOIN hospitals h ON h.id = d.hospital_id AND h.active = 1
    JOIN device_assignments a ON ${assignmentAt(at)} AND a.patient_id = ${patientId}
    JOIN patients p ON p.id = a.patient_id AND p.active = 1
    WHERE ${credentialMatches(actor)} AND ${credentialIsActive(now)} AND ${credentialHasScope("report:create")})`;
}
