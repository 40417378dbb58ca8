// The one gate: who may do what to which patient. Nothing else reads a patient's row, file or object.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { BatchResponse } from "drizzle-orm/batch";
import { batch, isOtherwise, type Statement } from "../platform/db/client.ts";
import { SELF_CARE } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import type {
  Actor,
  AppActor,
  Call,
  DeviceActor,
  Principal,
  PrincipalCall,
  Role,
  Standing,
  UserCall,
  UserStanding,
} from "./actor.ts";
import { idOf } from "./actor.ts";
import { appPatientStatement, deviceStatement, machineStillHolds, touch, wasGood } from "./machines.ts";
import { OWN, PATIENT, type PatientRow, patientMatch, type Target } from "./patient-row.ts";
import { type Refusal, refuse } from "./refusals.ts";
import { type Action, auditAction, couldEver, mayEver } from "./roles.ts";
import {
  claimedBy,
  holdsStatement,
  liveSession,
  STANDING,
  type StandingRow,
  same,
  standingOf,
  standingStatement,
} from "./standing.ts";

export type Basis = "self" | "staff" | "care_team" | "admin" | "device" | "app";

type Decided<C, S, T extends readonly Statement[]> = { call: C; standing: S; results: BatchResponse<T> };

/**
 * Runs statements for a person or an app together with the check of their session or credential, in one round trip.
 * `build` gets the standing that the token claims; when the database knows another one, the statements are built and run
 * again with it.
 * @throws ApiError unauthenticated, forbidden (both audited)
 */
export async function asPrincipal<const T extends readonly Statement[]>(
  anyCall: Call,
  action: Action,
  build: (standing: Standing, call: PrincipalCall) => T | Promise<T>,
): Promise<Decided<PrincipalCall, Standing, T>> {
  const { db, actor, now } = anyCall;
  if (actor.kind === "device") return refuseDevice(anyCall, actor, action);
  if (actor.kind !== "user" && actor.kind !== "app") throw new ApiError("unauthenticated");
  const call: PrincipalCall = { ...anyCall, actor };
  let standing = claimedBy(actor);
  for (let round = 0; round < 3; round++) {
    const allowed = couldEver(standing, action);
    const statements: readonly Statement[] = allowed ? await build(standing, call) : [];
    const used = actor.kind === "app" ? [touch(db, actor, now)] : [];
    const [rows, ...results] = await batch(db, [standingStatement(db, actor, now), ...statements, ...used]);
    const live = standingOf(rows[0]);
    if (!live) return refuse(call, action, "unauthenticated", actor.kind === "app" ? { when: wasGood(actor) } : {});
    if (same(live, standing)) {
      if (!mayEver(live, action)) return refuse(call, action, "forbidden", { role: live.role, hospitalId: live.hospitalId });
      call.debug?.("access given", { action, role: live.role });
      return { call, standing: live, results: results as BatchResponse<T> };
    }
    standing = live;
  }
  throw new ApiError("unavailable");
}

/** As `asPrincipal`, for people alone: apps are refused like a role that may never. */
export async function asCaller<const T extends readonly Statement[]>(
  anyCall: Call,
  action: Action,
  build: (standing: UserStanding, call: UserCall) => T | Promise<T>,
): Promise<Decided<UserCall, UserStanding, T>> {
  const { actor } = anyCall;
  if (actor.kind === "app") {
    const { standing } = await asPrincipal(anyCall, action, () => []);
    return refuse(anyCall, action, "forbidden", { role: standing.role, hospitalId: standing.hospitalId });
  }
  const decided = await asPrincipal(anyCall, action, (standing, call) =>
    standing.role === "app" || call.actor.kind === "app" ? unreachable() : build(standing, { ...call, actor: call.actor }),
  );
  const { call, standing, results } = decided;
  if (standing.role === "app" || call.actor.kind === "app") return unreachable();
  return { call: { ...call, actor: call.actor }, standing, results };
}

function unreachable(): never {
  throw new Error("an app passed a gate for people");
}

/** The check alone, for verbs whose writes follow. */
export async function requireRole(anyCall: Call, action: Action): Promise<{ call: UserCall; standing: UserStanding }> {
  const { call, standing } = await asCaller(anyCall, action, () => []);
  return { call, standing };
}

/**
 * One batch for the check and a person's or an app's writes. `write` puts `check` first into its batch; it is given the
 * standing that the token claims, and when the database knows another one nothing was written and it runs again.
 * @param refusal why this standing may not, or null  @throws ApiError unauthenticated, forbidden and what `refusal` says (audited)
 */
export async function asWriter<T>(
  anyCall: Call,
  action: Action,
  refusal: (standing: Standing, call: PrincipalCall) => Refusal | null,
  write: (standing: Standing, call: PrincipalCall, check: Statement[]) => Promise<T>,
): Promise<T> {
  const { db, actor, now } = anyCall;
  if (actor.kind === "user" || actor.kind === "app") {
    const call = { ...anyCall, actor };
    const claimed = claimedBy(actor);
    const used = actor.kind === "app" ? [touch(db, actor, now)] : [];
    if (couldEver(claimed, action) && !refusal(claimed, call)) {
      try {
        return await write(claimed, call, [holdsStatement(db, actor, claimed, action, now), ...used]);
      } catch (error) {
        if (!isOtherwise(error)) throw error;
      }
    }
  }
  const { call, standing } = await asPrincipal(anyCall, action, () => []);
  const refused = refusal(standing, call);
  if (refused instanceof ApiError) throw refused;
  if (refused) return refuse(call, action, refused.error, { role: standing.role, ...refused.facts });
  return write(standing, call, []);
}

/**
 * The condition that lists, counts and searches use: rows whose patient the caller may see.
 * @param patientId the column that names the patient  @param hospitalId the column that names the patient's hospital
 */
export function patientScope(standing: Standing, actor: Principal, patientId: SQLWrapper, hospitalId: SQLWrapper): SQL {
  switch (standing.role) {
    case "admin":
      return sql`1`;
    case "patient":
      return sql`${patientId} IN (SELECT patient_id FROM patient_links WHERE user_id = ${idOf(actor)})`;
    case "doctor":
      if (standing.doctorScope === "hospital") return sql`${hospitalId} = ${standing.hospitalId}`;
      return sql`+${hospitalId} = ${standing.hospitalId} AND ${patientId} IN
        (SELECT patient_id FROM care_team WHERE user_id = ${idOf(actor)} AND ended_at IS NULL)`;
    case "nurse":
    case "hospital_admin":
    case "app":
      return sql`${hospitalId} = ${standing.hospitalId}`;
  }
}

export type Access = {
  patient: PatientRow;
  basis: Basis;
  role: Role | "device" | "app";
  /** Whose data it is: goes into the audit row. */
  hospitalId: string;
  deviceId: string | null;
};

/**
 * Fetch-or-404 inside what the caller may see, in one statement with the state of session, user and role.
 * @throws ApiError unauthenticated, forbidden (a role that may never), not_found (absent or not visible: one answer)
 */
export async function requirePatient(call: Call, target: Target, action: Action): Promise<Access> {
  const access = await patientAccess(call, target, action);
  call.debug?.("access given", { action, basis: access.basis, role: access.role });
  return access;
}

async function patientAccess(call: Call, target: Target, action: Action): Promise<Access> {
  const { actor } = call;
  switch (actor.kind) {
    case "user":
      return userAccess({ ...call, actor }, target, action);
    case "device":
      return requireForDevice(call, actor, target, action);
    case "app":
      return appAccess(call, actor, target, action);
    default:
      throw new ApiError("unauthenticated");
  }
}

async function userAccess(call: UserCall, target: Target, action: Action): Promise<Access> {
  const { db, actor, now } = call;
  const session = liveSession(actor, now);
  const [row] = await db.all<
    StandingRow & PatientRow & { linked: number; in_team: number; links: number; open: number | null }
  >(sql`
    SELECT ${STANDING}, ${PATIENT}, (SELECT active FROM hospitals o WHERE o.id = patients.hospital_id) AS open,
      EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = u.id AND l.patient_id = patients.id) AS linked,
      EXISTS (SELECT 1 FROM care_team t WHERE t.patient_id = patients.id AND t.user_id = u.id AND t.ended_at IS NULL) AS in_team,
      (SELECT count(*) FROM patient_links l WHERE l.user_id = u.id) AS links
    FROM ${session.from} LEFT JOIN patients ON ${patientMatch(target, sql`(SELECT l.patient_id FROM patient_links l WHERE l.user_id = u.id)`)}
    WHERE ${session.where}`);
  const standing = standingOf(row);
  if (!row || !standing || standing.role === "app") return refuse(call, action, "unauthenticated", { target });
  const { role, hospitalId: from } = standing;
  const facts = { role, hospitalId: row.hospital_id ?? from, from, target, patientId: row.id };
  if (!mayEver(standing, action)) return refuse(call, action, "forbidden", facts);
  if (target === OWN && role !== "patient") throw new ApiError("invalid_request", "Name patient_id.");
  if (target === OWN && row.links > 1) throw new ApiError("patient_ambiguous");
  const basis = row.id ? basisOf(standing, row) : null;
  if (!basis) return refuse(call, action, "not_found", facts);
  // What a hospital has written stays the hospital's to change, and a closed one takes nothing more.
  const own = action === "patient:update" && row.hospital_id !== SELF_CARE;
  if (basis === "self" && (own || (!row.open && auditAction(action) !== "R"))) return refuse(call, action, "forbidden", facts);
  return { patient: row, basis, role, hospitalId: row.hospital_id, deviceId: null };
}

/** Why a person may see a patient, or null. Consent and break-glass will be two more lines here. */
function basisOf(standing: UserStanding, patient: { hospital_id: string; linked: number; in_team: number }): Basis | null {
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

async function appAccess(call: Call, actor: AppActor, target: Target, action: Action): Promise<Access> {
  const { db, now } = call;
  const [[row]] = await batch(db, [appPatientStatement(db, actor, target, now), touch(db, actor, now)]);
  const standing = standingOf(row);
  if (!row || !standing) return refuse(call, action, "unauthenticated", { target, when: wasGood(actor) });
  const facts = { role: "app", hospitalId: standing.hospitalId, target } as const;
  if (!mayEver(standing, action)) return refuse(call, action, "forbidden", facts);
  if (target === OWN) throw new ApiError("invalid_request", "Name patient_id.");
  if (!row.id) return refuse(call, action, "not_found", facts);
  return { patient: row, basis: "app", role: "app", hospitalId: row.hospital_id, deviceId: null };
}

export type DeviceAccess = { deviceId: string; kind: string; hospitalId: string; access: Access | null };

/**
 * The device that a credential names and, if it may, the patient: devices write reports for the patient they are bound
 * to, and read back what they uploaded.
 * @throws ApiError unauthenticated for a credential that is unknown, revoked or expired
 */
export async function deviceAccess(call: Call, actor: DeviceActor, target: Target, action: Action): Promise<DeviceAccess> {
  const { db, now } = call;
  const [[row]] = await batch(db, [deviceStatement(db, actor, target, now), touch(db, actor, now)]);
  if (!row) return refuse(call, action, "unauthenticated", { role: "device", target, when: wasGood(actor) });
  const device = { deviceId: row.device_id, kind: row.device_kind, hospitalId: row.device_hospital };
  const brings = action === "report:create" || action === "observation:create";
  const may = (brings && row.bound) || (action === "report:read" && row.own);
  if (!row.id || !may) return { ...device, access: null };
  return {
    ...device,
    access: { patient: row, basis: "device", role: "device", hospitalId: row.hospital_id, deviceId: row.device_id },
  };
}

async function requireForDevice(call: Call, actor: DeviceActor, target: Target, action: Action): Promise<Access> {
  const { access, hospitalId } = await deviceAccess(call, actor, target, action);
  if (access) return access;
  const never = !["report:create", "report:read", "observation:create"].includes(action);
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
  if (actor.kind === "device" || actor.kind === "app") return machineStillHolds(actor, patient.id, hospitalId, now);
  if (actor.kind !== "user") return sql`0`;
  const { from, where } = liveSession(actor, now);
  const joins: Partial<Record<Basis, SQL>> = {
    self: sql`EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = u.id AND l.patient_id = ${patient.id})
      AND EXISTS (SELECT 1 FROM hospitals o WHERE o.id = ${hospitalId} AND o.active = 1)`,
    staff: sql`m.role IS NOT NULL AND h.id = ${hospitalId}`,
    care_team: sql`m.role IS NOT NULL AND h.id = ${hospitalId} AND EXISTS
      (SELECT 1 FROM care_team t WHERE t.user_id = u.id AND t.patient_id = ${patient.id} AND t.ended_at IS NULL)`,
    admin: sql`u.is_admin = 1`,
  };
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND ${joins[basis] ?? sql`0`})`;
}
