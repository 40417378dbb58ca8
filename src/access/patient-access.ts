// Access to one patient: who may perform which operation on which record, on which basis. No other module reads patient rows by id.
import { type SQL, sql } from "drizzle-orm";
import type { BatchResponse } from "drizzle-orm/batch";
import { batch, type Statement } from "../platform/db/client.ts";
import { SELF_CARE_HOSPITAL_ID } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { findRoleDenial } from "./access.ts";
import type { AppActor, Call, EffectiveRole, EffectiveRoleRow, Role, UserCall, UserEffectiveRole } from "./actor.ts";
import { auditAction } from "./audit-actions.ts";
import type { AuditEvent } from "./audit-event.ts";
import { type ConsentGrant, PURPOSE_OF_USE, parseGrants, selectGrants } from "./consented.ts";
import { credentialExists, markUsed, selectAppAndPatient } from "./credentials.ts";
import { denyAccess } from "./deny.ts";
import { authorizeDevice } from "./device-access.ts";
import { activeSession, roleColumns, toEffectiveRole } from "./effective-role.ts";
import { EMERGENCY_READS, isClinicalRole, SELECT_REACHED_RECORD, selectEmergency } from "./emergency.ts";
import { isGuardianOf, isGuardianPermission } from "./guardians.ts";
import { rememberSession } from "./known-sessions.ts";
import {
  matchesPatient,
  OWN_RECORD,
  PATIENT_COLUMNS,
  type PatientRow,
  type PatientTarget,
  selectPatientId,
} from "./patient-row.ts";
import { isAllowedDespiteRestriction, type Permission, roleAllows } from "./permissions.ts";

export type AccessBasis = "self" | "guardian" | "staff" | "care_team" | "consent" | "emergency" | "admin" | "device" | "app";

export type Access = {
  patient: PatientRow;
  basis: AccessBasis;
  role: Role | "device" | "app";
  /** The patient's hospital, for the audit log. */
  hospitalId: string;
  deviceId: string | null;
  /** For a device: the time of the assignment that grants the access, Unix ms; null: it is the current one. */
  assignedAt?: number | null;
  /** For a device: whether it is a patient's own. */
  isPatientOwned?: boolean;
  /** Null for a device. */
  effectiveRole: EffectiveRole | null;
  /** What the access is limited to, on the basis `consent`. */
  grants?: readonly ConsentGrant[];
  /** The running emergency access, on the basis `emergency`. */
  emergencyId?: string;
  /** With `forEmergency`: the record of the person at the caller's hospital. */
  ownPatientId?: string;
};

/**
 * `byConsent`: the operation limits what it returns to `Access.grants`; any other refuses access by consent.
 * `forEmergency`: the operation begins an emergency access; the basis `emergency` then means that the caller may.
 */
export type AccessOptions = { byConsent?: boolean; forEmergency?: boolean };

/** Whether the access is neither by role nor by care team: what was entered in error is then not shown. */
export const isBeyondRole = ({ basis }: Access): boolean => basis === "consent" || basis === "emergency";

type AccessFields = Pick<AuditEvent, "role" | "basis" | "purpose" | "ground"> & {
  hospitalId: string;
  actorHospitalId?: string | null;
};

/** What the event of an access says of it; of several grants, that of the first, which is the one that was used (`coverTime`). */
export function accessFields({
  role,
  basis,
  hospitalId,
  effectiveRole,
  grants: [grant] = [],
  emergencyId,
}: Access): AccessFields {
  const fields = { role, basis, hospitalId };
  const actorHospitalId = effectiveRole?.hospitalId ?? null;
  if (emergencyId !== undefined)
    return { ...fields, purpose: "BTG", actorHospitalId, ground: { emergency_access_id: emergencyId } };
  if (!grant) return fields;
  return { ...fields, purpose: PURPOSE_OF_USE[grant.purpose], actorHospitalId, ground: { consent_id: grant.id } };
}

/** Whether a caller with access to the patient may also read another kind of data of the same patient. */
export const accessAllows = ({ effectiveRole }: Access, permission: Permission): boolean =>
  effectiveRole !== null && roleAllows(effectiveRole, permission);

/**
 * Fetches a patient that the caller may access, in one statement with the state of session, user and role.
 * @throws ApiError unauthenticated, forbidden (never allowed for the role), not_found (absent or not visible)
 */
export async function authorizePatient(
  call: Call,
  target: PatientTarget,
  permission: Permission,
  options: AccessOptions = {},
): Promise<Access> {
  return (await withPatient(call, target, permission, () => [], options)).access;
}

/**
 * Runs statements about a patient together with the access check, in one round trip. Their results are returned only if the check
 * grants the access. @param build gets the patient's id as SQL; it may name nobody, or a patient whom the caller may not access
 */
export async function withPatient<const T extends readonly Statement[]>(
  call: Call,
  target: PatientTarget,
  permission: Permission,
  build: (patientId: SQL) => T,
  options: AccessOptions = {},
): Promise<{ access: Access; results: BatchResponse<T> }> {
  const { access, results } = await resolvePatientAccess(call, target, permission, build, options);
  call.debug?.("access granted", { action: permission, basis: access.basis, role: access.role });
  return { access, results: results as BatchResponse<T> };
}

type Resolved = { access: Access; results: readonly unknown[] };
type Build = (patientId: SQL) => readonly Statement[];

async function resolvePatientAccess(
  call: Call,
  target: PatientTarget,
  permission: Permission,
  build: Build,
  options: AccessOptions,
): Promise<Resolved> {
  const { actor, db } = call;
  switch (actor.kind) {
    case "user":
      return resolveUserAccess({ ...call, actor }, target, permission, build, options);
    case "device": {
      const access = await authorizeDevice(call, actor, target, permission);
      return { access, results: await batch(db, build(sql`${access.patient.id}`)) };
    }
    case "app":
      return resolveAppAccess(call, actor, target, permission, build);
    default:
      throw new ApiError("unauthenticated");
  }
}

async function resolveUserAccess(
  call: UserCall,
  target: PatientTarget,
  permission: Permission,
  build: Build,
  { byConsent = false, forEmergency = false }: AccessOptions,
): Promise<Resolved> {
  const { db, actor, now } = call;
  const session = activeSession(actor, now);
  const ownId = sql`(SELECT l.patient_id FROM patient_links l WHERE l.user_id = ${actor.userId})`;
  const [[row], ...results] = await batch(db, [
    db.all<EffectiveRoleRow & PatientRow & LinkedRow & { links: number } & OpenedRow>(sql`
    SELECT ${roleColumns(now)}, ${PATIENT_COLUMNS}, patients.restricted_at IS NULL
      AND (SELECT active FROM hospitals o WHERE o.id = patients.hospital_id) AS open,
      EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = u.id AND l.patient_id = patients.id) AS linked,
      EXISTS (SELECT 1 FROM care_team t WHERE t.patient_id = patients.id AND t.user_id = u.id AND t.ended_at IS NULL) AS in_team,
      ${isGuardianPermission(permission) ? isGuardianOf(sql`u.id`, sql`patients.id`, now) : sql`0`} AS guarded,
      (SELECT count(*) FROM patient_links l WHERE l.user_id = u.id) AS links,
      ${byConsent ? selectGrants(now) : sql`NULL`} AS grants,
      ${EMERGENCY_READS.includes(permission) ? selectEmergency(now) : sql`NULL`} AS emergency,
      ${forEmergency ? SELECT_REACHED_RECORD : sql`NULL`} AS own_record
    FROM ${session.from} LEFT JOIN patients ON ${matchesPatient(target, ownId)}
    WHERE ${session.where}`),
    ...build(selectPatientId(target, ownId)),
  ]);
  const effectiveRole = toEffectiveRole(row);
  if (!row || !effectiveRole || effectiveRole.role === "app") return denyAccess(call, permission, "unauthenticated", { target });
  rememberSession(actor, now);
  const { role, hospitalId: callerHospitalId } = effectiveRole;
  // Recorded identically for another hospital's patient and for an unknown id: the audit log does not tell the caller's hospital which exists.
  const ownHospitalId = target === OWN_RECORD ? callerHospitalId : null;
  const denialFacts = { role, hospitalId: row.hospital_id ?? ownHospitalId, callerHospitalId, target, patientId: row.id };
  const denial = findRoleDenial(effectiveRole, permission, now);
  if (denial) return denyAccess(call, permission, denial, denialFacts);
  if (target === OWN_RECORD && role !== "patient") throw new ApiError("invalid_request", "patient_id is required.");
  if (target === OWN_RECORD && row.links > 1) throw new ApiError("patient_ambiguous");
  const basis = row.id ? resolveAnyBasis(effectiveRole, row, permission) : null;
  if (!basis) return denyAccess(call, permission, "not_found", denialFacts);
  // Patients do not change records that a hospital created; neither a closed hospital nor a restricted record accepts writes.
  const isForbiddenUpdate = permission === "patient:update" && row.hospital_id !== SELF_CARE_HOSPITAL_ID;
  const isWrite = auditAction(permission) !== "R";
  if (basis === "self" && (isForbiddenUpdate || (!row.open && isWrite)))
    return denyAccess(call, permission, "forbidden", denialFacts);
  assertUnmerged(row, isWrite && !isAllowedDespiteRestriction(permission));
  return {
    access: { patient: row, basis, role, hospitalId: row.hospital_id, deviceId: null, effectiveRole, ...openedBy(basis, row) },
    results,
  };
}

/** Whether a restricted record is closed: it is readable for the person alone; others see only what the erasure itself needs. */
const isLocked = ({ restricted_at }: PatientRow, role: Role | "app", permission: Permission): boolean =>
  restricted_at !== null && role !== "patient" && !isAllowedDespiteRestriction(permission);

/** A record that was merged into another is read, and written there. */
function assertUnmerged({ merged_into }: PatientRow, isWrite: boolean): void {
  if (merged_into !== null && isWrite)
    throw new ApiError("record_merged", "Use the record that it was merged into.", { members: { merged_into } });
}

/** The basis on which a user may access a patient, or null. */
function resolveBasis(effectiveRole: UserEffectiveRole, patient: PatientRow & LinkedRow): AccessBasis | null {
  const isSameHospital = effectiveRole.hospitalId === patient.hospital_id;
  switch (effectiveRole.role) {
    case "admin":
      return "admin";
    case "patient":
      if (patient.linked) return "self";
      return patient.guarded && patient.open ? "guardian" : null;
    case "nurse":
    case "hospital_admin":
      return isSameHospital ? "staff" : null;
    case "doctor":
      if (isSameHospital && patient.in_team) return "care_team";
      return isSameHospital && effectiveRole.doctorScope === "hospital" ? "staff" : null;
  }
}

/** `open`: neither restricted nor of a closed hospital. */
type LinkedRow = { linked: number; in_team: number; guarded: number; open: number | null };
/** What opens a record beyond the role: grants as JSON, a running emergency access, and the record from which one may begin. */
type OpenedRow = { grants: string | null; emergency: string | null; own_record: string | null };

/** By role first. A restricted record is open in an emergency, beside what its erasure needs. */
function resolveAnyBasis(effectiveRole: UserEffectiveRole, row: PatientRow & LinkedRow & OpenedRow, permission: Permission) {
  const opened = resolveOpenedBasis(effectiveRole, row);
  if (isLocked(row, effectiveRole.role, permission)) return opened === "emergency" ? opened : null;
  return resolveBasis(effectiveRole, row) ?? opened;
}

function resolveOpenedBasis(effectiveRole: UserEffectiveRole, row: OpenedRow): AccessBasis | null {
  if ((row.emergency ?? row.own_record) !== null && isClinicalRole(effectiveRole)) return "emergency";
  return parseGrants(row.grants).length > 0 ? "consent" : null;
}

function openedBy(basis: AccessBasis, { grants, emergency, own_record }: OpenedRow): Partial<Access> {
  if (basis === "consent") return { grants: parseGrants(grants) };
  if (basis !== "emergency") return {};
  return { ...(emergency !== null && { emergencyId: emergency }), ...(own_record !== null && { ownPatientId: own_record }) };
}

async function resolveAppAccess(
  call: Call,
  actor: AppActor,
  target: PatientTarget,
  permission: Permission,
  build: Build,
): Promise<Resolved> {
  const { db, now } = call;
  const statements = [markUsed(db, actor, now), ...build(selectPatientId(target, sql`NULL`))];
  const [[row], , ...results] = await batch(db, [selectAppAndPatient(db, actor, target, now), ...statements]);
  const effectiveRole = toEffectiveRole(row);
  if (!row || !effectiveRole) return denyAccess(call, permission, "unauthenticated", { target, when: credentialExists(actor) });
  const denialFacts = { role: "app", hospitalId: effectiveRole.hospitalId, target } as const;
  if (!roleAllows(effectiveRole, permission)) return denyAccess(call, permission, "forbidden", denialFacts);
  if (target === OWN_RECORD) throw new ApiError("invalid_request", "patient_id is required.");
  if (!row.id || isLocked(row, "app", permission)) return denyAccess(call, permission, "not_found", denialFacts);
  assertUnmerged(row, auditAction(permission) !== "R");
  const access: Access = { patient: row, basis: "app", role: "app", hospitalId: row.hospital_id, deviceId: null, effectiveRole };
  return { access, results };
}
