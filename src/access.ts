// The one gate: who may do what to which patient. Nothing else reads a patient's row, file or object.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { BatchResponse } from "drizzle-orm/batch";
import type { Actor, Call, DeviceActor, Role, Standing, UserActor, UserCall } from "./actor.ts";
import { audit } from "./audit.ts";
import { batch, type Statement } from "./db/client.ts";
import { ApiError } from "./errors.ts";
import { UUID } from "./ids.ts";
import { type Action, auditAction, mayEver } from "./roles.ts";
import { liveSession, STANDING, type StandingRow, same, standingOf, standingStatement } from "./standing.ts";

export type Basis = "self" | "staff" | "care_team" | "admin" | "device";

export function requireUser(call: Call): UserCall {
  const { actor } = call;
  if (actor.kind === "user") return { ...call, actor };
  throw new ApiError(actor.kind === "device" ? "forbidden" : "unauthenticated");
}

type Refused = {
  role?: Role | "device";
  hospitalId?: string | null;
  target?: Record<string, string>;
  patientId?: string | null;
  /** The refusal is recorded only if this holds. */
  when?: SQL;
};

/** Ids of ours. A path may hold a name or a phone number instead, and those stay out of the trail. */
const ours = (id: string) => UUID.test(id) || /^[1-9][0-9]{0,8}$/.test(id);

/** Records a refusal, then throws it: denials are decisions too. @throws ApiError always */
export async function refuse(
  call: Call,
  action: Action,
  error: "unauthenticated" | "forbidden" | "not_found",
  facts: Refused = {},
): Promise<never> {
  const [type, id] = Object.entries(facts.target ?? {})[0] ?? [];
  await batch(
    call.db,
    audit(call.db, call.actor, call.now, {
      event: "access.denied",
      action: auditAction(action),
      outcome: "denied",
      reason: error,
      detail: { action },
      ...(facts.role && { role: facts.role }),
      hospitalId: facts.hospitalId ?? null,
      ...(type && id && ours(id) && { entity: { type, id } }),
      subjects: facts.patientId ? [facts.patientId] : [],
      ...(facts.when && { when: facts.when }),
    }),
  );
  throw new ApiError(error);
}

/**
 * Runs statements for a person together with the check of their session and role, in one round trip. `build` gets the
 * standing that the token claims; when the database knows another one, the statements are built and run again with it.
 * @throws ApiError unauthenticated, forbidden (both audited)
 */
export async function asCaller<const T extends readonly Statement[]>(
  anyCall: Call,
  action: Action,
  build: (standing: Standing, call: UserCall) => T,
): Promise<{ call: UserCall; standing: Standing; results: BatchResponse<T> }> {
  if (anyCall.actor.kind === "device") await refuseDevice(anyCall, anyCall.actor, action);
  const call = requireUser(anyCall);
  const { db, actor, now } = call;
  let standing = actor.claimed;
  for (let round = 0; round < 3; round++) {
    const allowed = mayEver(standing.role, action);
    const statements: readonly Statement[] = allowed ? build(standing, call) : [];
    const [rows, ...results] = await batch(db, [standingStatement(db, actor, now), ...statements]);
    const live = standingOf(rows[0]);
    if (!live) return refuse(call, action, "unauthenticated");
    if (same(live, standing)) {
      if (!allowed) return refuse(call, action, "forbidden", { role: live.role, hospitalId: live.hospitalId });
      return { call, standing, results: results as BatchResponse<T> };
    }
    standing = live;
  }
  throw new ApiError("unavailable");
}

/** The check alone, for verbs whose writes follow. */
export async function requireRole(anyCall: Call, action: Action): Promise<{ call: UserCall; standing: Standing }> {
  const { call, standing } = await asCaller(anyCall, action, () => []);
  return { call, standing };
}

/**
 * The condition that lists, counts and searches use: rows whose patient the person may see.
 * @param patientId the column that names the patient  @param hospitalId the column that names the patient's hospital
 */
export function patientScope(standing: Standing, actor: UserActor, patientId: SQLWrapper, hospitalId: SQLWrapper): SQL {
  switch (standing.role) {
    case "admin":
      return sql`1`;
    case "patient":
      return sql`${patientId} IN (SELECT patient_id FROM patient_links WHERE user_id = ${actor.userId})`;
    case "doctor":
      if (standing.doctorScope === "hospital") return sql`${hospitalId} = ${standing.hospitalId}`;
      return sql`+${hospitalId} = ${standing.hospitalId} AND ${patientId} IN
        (SELECT patient_id FROM care_team WHERE user_id = ${actor.userId} AND ended_at IS NULL)`;
    case "nurse":
    case "hospital_admin":
      return sql`${hospitalId} = ${standing.hospitalId}`;
  }
}

/** What a request may name a patient by; numbers are the documents' integer ids. */
export type Target = { patient: string } | { report: string } | typeof OWN;
/** The caller's own record, or the patient that the calling device is bound to. */
export const OWN = { patient: "own" } as const;

export type PatientRow = {
  id: string;
  patient_number: number;
  hospital_id: string;
  ward_id: string | null;
  monitoring: "off" | "home" | "ward";
  patient_uid: string | null;
  identity_sealed: string;
  clinical_sealed: string;
  assigned_doctor_id: string | null;
  active: number;
  created_at: number;
  updated_at: number;
  version: number;
};
export type Access = {
  patient: PatientRow;
  basis: Basis;
  role: Role | "device";
  /** Whose data it is: goes into the audit row. */
  hospitalId: string;
  deviceId: string | null;
};

/** What a list shows of a patient; `PATIENT` adds what only a page of their own shows. */
export const PATIENT_SUMMARY = sql`patients.id AS id, patients.patient_number AS patient_number, patients.hospital_id AS hospital_id,
  patients.ward_id AS ward_id, patients.monitoring AS monitoring, patients.patient_uid AS patient_uid,
  patients.identity_sealed AS identity_sealed, patients.assigned_doctor_id AS assigned_doctor_id, patients.active AS active,
  patients.created_at AS created_at, patients.updated_at AS updated_at, patients.version AS version`;
const PATIENT = sql`${PATIENT_SUMMARY}, patients.clinical_sealed AS clinical_sealed`;

function patientMatch(target: Target, own: SQL): SQL {
  if (target === OWN) return sql`patients.id = ${own}`;
  if ("report" in target) return sql`patients.id = (SELECT patient_id FROM reports WHERE id = ${target.report})`;
  if (/^[1-9][0-9]{0,14}$/.test(target.patient)) return sql`patients.patient_number = CAST(${target.patient} AS INTEGER)`;
  return sql`patients.id = ${UUID.test(target.patient) ? target.patient : null}`;
}

/**
 * Fetch-or-404 inside what the caller may see, in one statement with the state of session, user and role.
 * @throws ApiError unauthenticated, forbidden (a role that may never), not_found (absent or not visible: one answer)
 */
export async function requirePatient(call: Call, target: Target, action: Action): Promise<Access> {
  const { actor } = call;
  switch (actor.kind) {
    case "user":
      return userAccess({ ...call, actor }, target, action);
    case "device":
      return requireForDevice(call, actor, target, action);
    default:
      throw new ApiError("unauthenticated");
  }
}

async function userAccess(call: UserCall, target: Target, action: Action): Promise<Access> {
  const { db, actor, now } = call;
  const session = liveSession(actor, now);
  const [row] = await db.all<StandingRow & PatientRow & { linked: number; in_team: number; links: number }>(sql`
    SELECT ${STANDING}, ${PATIENT},
      EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = u.id AND l.patient_id = patients.id) AS linked,
      EXISTS (SELECT 1 FROM care_team t WHERE t.patient_id = patients.id AND t.user_id = u.id AND t.ended_at IS NULL) AS in_team,
      (SELECT count(*) FROM patient_links l WHERE l.user_id = u.id) AS links
    FROM ${session.from} LEFT JOIN patients ON ${patientMatch(target, sql`(SELECT l.patient_id FROM patient_links l WHERE l.user_id = u.id)`)}
    WHERE ${session.where}`);
  const standing = standingOf(row);
  if (!row || !standing) return refuse(call, action, "unauthenticated", { target });
  const facts = { role: standing.role, hospitalId: row.hospital_id ?? standing.hospitalId, target, patientId: row.id };
  if (!mayEver(standing.role, action)) return refuse(call, action, "forbidden", facts);
  if (target === OWN && standing.role !== "patient") throw new ApiError("invalid_request", "Name patient_id.");
  if (target === OWN && row.links > 1) throw new ApiError("patient_ambiguous");
  const basis = row.id ? basisOf(standing, row) : null;
  if (!basis) return refuse(call, action, "not_found", facts);
  return { patient: row, basis, role: standing.role, hospitalId: row.hospital_id, deviceId: null };
}

/** Why a person may see a patient, or null. Consent and break-glass will be two more lines here. */
function basisOf(standing: Standing, patient: { hospital_id: string; linked: number; in_team: number }): Basis | null {
  const ours = standing.hospitalId === patient.hospital_id;
  switch (standing.role) {
    case "admin":
      return "admin";
    case "patient":
      return patient.linked ? "self" : null;
    case "nurse":
    case "hospital_admin":
      return ours ? "staff" : null;
    case "doctor":
      if (ours && patient.in_team) return "care_team";
      return ours && standing.doctorScope === "hospital" ? "staff" : null;
  }
}

export type DeviceAccess = { deviceId: string; kind: string; hospitalId: string; access: Access | null };
type DeviceRow = PatientRow & { device_id: string; device_kind: string; device_hospital: string; bound: number; own: number };

/**
 * The device that a credential names and, if it may, the patient: devices write reports for the patient they are bound
 * to, and read back what they uploaded.
 * @throws ApiError unauthenticated for a credential that is unknown, revoked or expired
 */
export async function deviceAccess(call: Call, actor: DeviceActor, target: Target, action: Action): Promise<DeviceAccess> {
  const uploaded =
    "report" in target
      ? sql`EXISTS (SELECT 1 FROM reports r WHERE r.id = ${target.report} AND r.uploaded_by_kind = 'device' AND r.uploaded_by = d.id)`
      : sql`0`;
  // A redeemed link has proved the credential already (reports/links.ts); then only its state counts.
  const secret = actor.secretHash === null ? sql`1` : sql`c.secret_hash = ${actor.secretHash}`;
  const [row] = await call.db.all<DeviceRow>(sql`
    SELECT d.id AS device_id, d.kind AS device_kind, d.hospital_id AS device_hospital, patients.id = a.patient_id AS bound,
      ${uploaded} AS own, ${PATIENT}
    FROM credentials c JOIN devices d ON d.id = c.device_id AND d.active = 1
      JOIN hospitals h ON h.id = d.hospital_id AND h.active = 1
      LEFT JOIN device_assignments a ON a.device_id = d.id AND a.ended_at IS NULL
      LEFT JOIN patients ON ${patientMatch(target, sql`a.patient_id`)}
    WHERE c.id = ${actor.credentialId} AND ${secret} AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > ${call.now})`);
  if (!row) {
    // A credential that was good once leaves a trace; one that never existed could fill the trail.
    const known = sql`EXISTS (SELECT 1 FROM credentials c WHERE c.id = ${actor.credentialId} AND ${secret})`;
    return refuse(call, action, "unauthenticated", { role: "device", target, when: known });
  }
  const device = { deviceId: row.device_id, kind: row.device_kind, hospitalId: row.device_hospital };
  const may = (action === "report:create" && row.bound) || (action === "report:read" && row.own);
  if (!row.id || !may) return { ...device, access: null };
  return {
    ...device,
    access: { patient: row, basis: "device", role: "device", hospitalId: row.hospital_id, deviceId: row.device_id },
  };
}

async function requireForDevice(call: Call, actor: DeviceActor, target: Target, action: Action): Promise<Access> {
  const { access, hospitalId } = await deviceAccess(call, actor, target, action);
  if (access) return access;
  const never = action !== "report:create" && action !== "report:read";
  return refuse(call, action, never ? "forbidden" : "not_found", { role: "device", hospitalId, target });
}

async function refuseDevice(call: Call, actor: DeviceActor, action: Action): Promise<never> {
  const { hospitalId } = await deviceAccess(call, actor, OWN, action);
  return refuse(call, action, "forbidden", { role: "device", hospitalId });
}

/**
 * The access that was given, as a condition: for a write that comes minutes after its gate, at the end of a long upload.
 * True while session or credential live and the basis still joins the caller to the patient.
 */
export function stillHolds(actor: Actor, { basis, patient, hospitalId }: Access, now: number): SQL {
  if (actor.kind === "device") {
    return sql`EXISTS (SELECT 1 FROM credentials c JOIN devices d ON d.id = c.device_id AND d.active = 1
      JOIN device_assignments a ON a.device_id = d.id AND a.ended_at IS NULL AND a.patient_id = ${patient.id}
      WHERE c.id = ${actor.credentialId} AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > ${now}))`;
  }
  if (actor.kind !== "user") return sql`0`;
  const { from, where } = liveSession(actor, now);
  const joins: Record<Exclude<Basis, "device">, SQL> = {
    self: sql`EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = u.id AND l.patient_id = ${patient.id})`,
    staff: sql`m.role IS NOT NULL AND h.id = ${hospitalId}`,
    care_team: sql`m.role IS NOT NULL AND h.id = ${hospitalId} AND EXISTS
      (SELECT 1 FROM care_team t WHERE t.user_id = u.id AND t.patient_id = ${patient.id} AND t.ended_at IS NULL)`,
    admin: sql`u.is_admin = 1`,
  };
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND ${basis === "device" ? sql`0` : joins[basis]})`;
}
