// Changes of a patient, at a version that the caller has seen, with the history of what identifies the person.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { type Call, getActorId } from "../access/actor.ts";
import { recordAuditEvent } from "../access/audit.ts";
import { denyAccess, failWithAudit } from "../access/deny.ts";
import { type Access, authorizePatient } from "../access/patient-access.ts";
import type { PatientRow } from "../access/patient-row.ts";
import { type ExpectedVersion, matchVersion } from "../http/conditional-requests.ts";
import { batch, isConditionFailed, isForeignKeyViolation, type Statement } from "../platform/db/client.ts";
import { ROW_LIMITS, toLimitError } from "../platform/db/row-limits.ts";
import { patients } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { toIso } from "../platform/time.ts";
import { computePatientTokens, computeTraitTokensOf } from "./identity/patient-tokens.ts";
import { isKnownToHospital, OTHER_PERSON_DETAIL, preparePersonChange } from "./identity/person.ts";
import { type Identity, pickClinical, pickIdentity, sealPatient } from "./identity/sealed-fields.ts";
import {
  activeDoctorId,
  activeWardId,
  deleteTokens,
  insertSearchTokens,
  type NewPatient,
  readIdentitySettings,
  replaceSearchTokens,
} from "./new-patient.ts";
import { failStaleVersion, patientEvent, toPatientDetail, UidColumns, UNKNOWN_REFERENCE_DETAIL } from "./patients.ts";
import { teamAuthorUnlessFull } from "./record/care-team.ts";
import { compareVersions, recordChange } from "./record/changes.ts";
import { changesProof, endOpenCodes } from "./record/claim-codes.ts";

const UpdatedRows = z.array(UidColumns);

export type PatientChange = Partial<Omit<NewPatient, "monitoring">> & {
  monitoring?: PatientRow["monitoring"] | undefined;
  is_active?: boolean | undefined;
  /** Why; required for `is_active`. */
  reason?: string | undefined;
};

/** Fields that a role may not change: patients no administrative fields; assigning a doctor is for nurses and managers. */
const FORBIDDEN_FIELDS = {
  patient: ["assigned_doctor_id", "ward_id", "monitoring", "is_active", "notes"],
  doctor: ["assigned_doctor_id"],
  app: ["assigned_doctor_id"],
} as const satisfies Record<string, readonly (keyof PatientChange)[]>;

/** Statements of the caller in the batch of the change: first, and last with the condition that this change was made. */
type Attached = { before?: readonly Statement[]; after?: (isThisUpdate: SQL) => readonly Statement[] };

/**
 * Updates a patient at a version that the caller has seen; both sealed columns are re-encrypted for the next version.
 * @throws ApiError not_found, precondition_failed, forbidden (a field the caller may not change), invalid_request, conflict
 *   (numbers of two persons)
 */
export async function updatePatient(
  call: Call,
  ref: string,
  expected: ExpectedVersion,
  change: PatientChange,
  { before: leading = [], after: following = () => [] }: Attached = {},
) {
  const { db, keys, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "patient:update");
  const { patient, role, hospitalId } = access;
  const forbiddenFields: readonly string[] =
    role === "patient" || role === "doctor" || role === "app" ? FORBIDDEN_FIELDS[role] : [];
  if (Object.keys(change).some((field) => forbiddenFields.includes(field))) {
    const target = { patient: patient.id };
    await denyAccess(call, "patient:update", "forbidden", { role, hospitalId, target, patientId: patient.id });
  }
  const version = matchVersion(expected, patient.version);
  if (patient.version !== version) return failStaleVersion(call, access, "patient.update");
  const { aadhaar_number, reason = null, ...changedFields } = change;
  const fields = (["aadhaar_number", "abha_number"] as const).filter((field) => change[field]);
  if (fields.length > 0 && role === "patient" && !(await isKnownToHospital(db, getActorId(actor)))) {
    const target = { patient: patient.id };
    return denyAccess(call, "patient:update", "forbidden", { role, hospitalId, target, patientId: patient.id, fields });
  }
  const before = await toPatientDetail(call, patient);
  const isExpected = sql`EXISTS (SELECT 1 FROM patients WHERE id = ${patient.id} AND version = ${version})`;
  const person = await preparePersonChange(call, access, before, change, isExpected);
  const last4 = person.last4 ?? before.aadhaar_last4;
  const after = endMonitoring({ ...before, ...changedFields, aadhaar_last4: last4 }, changedFields);
  const identity = pickIdentity(after);
  const sealed = await sealPatient(keys, patient.id, version + 1, identity, pickClinical(after));
  const { assigned_doctor_id: doctor, ward_id: ward } = changedFields;
  const update = db
    .update(patients)
    .set({
      ...sealed,
      monitoring: after.monitoring,
      active: after.is_active ? 1 : 0,
      ...person.columns,
      ...(ward !== undefined && { wardId: ward && activeWardId(ward, hospitalId) }),
      ...(doctor !== undefined && { assignedDoctorId: doctor && activeDoctorId(doctor, hospitalId) }),
      updatedAt: now,
      version: version + 1,
    })
    .where(and(eq(patients.id, patient.id), eq(patients.version, version)))
    .returning({ uid: patients.patientUid, basis: patients.uidBasis });
  // The nonce makes the sealed value unique to this call, so of two writers of one version only the winner finds it.
  const isThisUpdate = sql`EXISTS (SELECT 1 FROM patients WHERE id = ${patient.id} AND identity_sealed = ${sealed.identitySealed})`;
  const event = {
    ...patientEvent(access, "patient.update", "U"),
    detail: { fields: Object.keys(change), ...(doctor && { assigned_doctor_id: doctor }) },
    when: isThisUpdate,
  };
  const results = await batch(db, [
    ...leading,
    ...person.statements,
    update,
    ...recordAuditEvent(db, actor, now, event),
    ...(await recordChange(call, access, { reason, fields: compareVersions(before, after) }, isThisUpdate)),
    ...(changesProof(before, after) ? [endOpenCodes(call, patient.id, isThisUpdate)] : []),
    ...(await updateSearchTokens(call, access, pickIdentity(before), identity, isThisUpdate)),
    ...(doctor ? [joinCareTeam(call, patient.id, doctor, isThisUpdate)] : []),
    ...following(isThisUpdate),
  ]).catch((error: unknown) => {
    if (isConditionFailed(error, "person_identifiers.patient_uid"))
      return failWithAudit(call, "conflict", patientEvent(access, "patient.update", "U"), OTHER_PERSON_DETAIL);
    if (isForeignKeyViolation(error)) throw new ApiError("invalid_request", UNKNOWN_REFERENCE_DETAIL);
    throw toLimitError(error, ROW_LIMITS.currentCareTeam, ROW_LIMITS.patientChanges);
  });
  const [changed] = UpdatedRows.parse(results.at(leading.length + person.statements.length));
  if (!changed) return failStaleVersion(call, access, "patient.update");
  const { uid, basis } = changed;
  return { ...after, patient_uid: uid, uid_basis: basis, updated_at: toIso(now), version: version + 1 };
}

/** An inactive record is not monitored, and stays unmonitored when it is active again. @throws ApiError invalid_request */
function endMonitoring<T extends { is_active: boolean; monitoring: PatientRow["monitoring"] }>(
  after: T,
  change: PatientChange,
): T {
  if (after.is_active) return after;
  if ((change.monitoring ?? "off") === "off") return { ...after, monitoring: "off" as const };
  throw new ApiError("invalid_request", "An inactive record is not monitored.", {
    errors: [{ path: "monitoring", message: "Must be off for an inactive record", code: "inactive" }],
  });
}

/** No statement unless a field changes that is indexed. @throws ApiError invalid_request for a birth date after today */
async function updateSearchTokens(
  call: Call,
  { patient, hospitalId }: Access,
  previous: Identity,
  next: Identity,
  isThisUpdate: SQL,
): Promise<Statement[]> {
  const isUnchanged = (field: keyof Identity) => previous[field] === next[field];
  const isSearchUnchanged = (["first_name", "last_name", "phone", "email", "abha_number"] as const).every(isUnchanged);
  if (isSearchUnchanged && isUnchanged("date_of_birth")) return [];
  const changed = { date_of_birth: isUnchanged("date_of_birth") ? null : next.date_of_birth, phone: next.phone };
  const { country } = await readIdentitySettings(call, hospitalId, isSearchUnchanged ? { ...changed, phone: null } : changed);
  if (!isSearchUnchanged) {
    const tokens = await computePatientTokens(call.keys, hospitalId, country, next);
    return replaceSearchTokens(call, hospitalId, patient.id, tokens, isThisUpdate);
  }
  const [before = [], after = []] = await Promise.all(
    [previous, next].map((identity) => computeTraitTokensOf(call.keys, hospitalId, identity)),
  );
  return [
    deleteTokens(call, hospitalId, patient.id, before, isThisUpdate),
    insertSearchTokens(call, hospitalId, patient.id, after, isThisUpdate),
  ];
}

/** Adds the assigned doctor to the care team, if this update won. */
function joinCareTeam({ db, actor, now }: Call, patientId: string, userId: string, isThisUpdate: SQL): Statement {
  return db.run(sql`INSERT INTO care_team (patient_id, user_id, added_by, started_at)
    SELECT ${patientId}, ${userId}, ${teamAuthorUnlessFull(getActorId(actor), patientId, userId)}, CAST(${now} AS INTEGER)
    WHERE ${isThisUpdate}
    ON CONFLICT (patient_id, user_id) DO UPDATE SET ended_at = NULL,
      started_at = CASE WHEN ended_at IS NULL THEN started_at ELSE excluded.started_at END`);
}
