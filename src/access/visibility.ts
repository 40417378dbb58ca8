// Which patients' rows lists, counts and searches may contain. Others than the person see no restricted record.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { type EffectiveRole, getActorId, type Principal } from "./actor.ts";
import { isGuardianshipOf } from "./guardians.ts";

/**
 * The condition for pages, counts and searches: rows whose patient the caller may see.
 * @param patientId the column that names the patient  @param hospitalId the column that names the patient's hospital
 */
export function patientVisibility(
  effectiveRole: EffectiveRole,
  actor: Principal,
  patientId: SQLWrapper,
  hospitalId: SQLWrapper,
): SQL {
  const scope = countedVisibility(effectiveRole, actor, patientId, hospitalId);
  return effectiveRole.role === "patient" ? scope : sql`${scope} AND ${isUnrestricted(effectiveRole, patientId)}`;
}

/** Rows whose patient the caller may see, and of open records that the caller is a guardian of. */
export function guardianVisibility(
  effectiveRole: EffectiveRole,
  actor: Principal,
  patientId: SQLWrapper,
  hospitalId: SQLWrapper,
  now: number,
): SQL {
  const visible = patientVisibility(effectiveRole, actor, patientId, hospitalId);
  if (effectiveRole.role !== "patient") return visible;
  return sql`(${visible} OR ${patientId} IN (SELECT g.patient_id FROM guardianships g JOIN patients w ON w.id = g.patient_id
    AND w.restricted_at IS NULL WHERE ${isGuardianshipOf(getActorId(actor) ?? "", now)}))`;
}

/**
 * The condition for rows of no restricted record, for staff and apps. A partial index holds the few records that are restricted; while
 * there are none, the column of the row is not read.
 * @param patientId the column that names the patient; NULL fulfils no condition
 */
export function isUnrestricted({ role, hospitalId }: EffectiveRole, patientId: SQLWrapper): SQL {
  const restricted = sql`SELECT r.id FROM patients r WHERE r.restricted_at IS NOT NULL
    ${role === "admin" ? sql`` : sql`AND r.hospital_id = ${hospitalId}`}`;
  return sql`(NOT EXISTS (${restricted}) OR ${patientId} NOT IN (${restricted}))`;
}

/**
 * `patientVisibility` for the totals of long lists, which contain restricted records: an index by time does not name the patient, so
 * each counted row would be read.
 */
export function countedVisibility(
  effectiveRole: EffectiveRole,
  actor: Principal,
  patientId: SQLWrapper,
  hospitalId: SQLWrapper,
): SQL {
  switch (effectiveRole.role) {
    case "admin":
      return sql`1`;
    case "patient":
      return sql`${patientId} IN (SELECT patient_id FROM patient_links WHERE user_id = ${getActorId(actor)})`;
    case "doctor":
      if (effectiveRole.doctorScope === "hospital") return sql`${hospitalId} = ${effectiveRole.hospitalId}`;
      return sql`+${hospitalId} = ${effectiveRole.hospitalId} AND ${patientId} IN
        (SELECT patient_id FROM care_team WHERE user_id = ${getActorId(actor)} AND ended_at IS NULL)`;
    case "nurse":
    case "hospital_admin":
    case "app":
      return sql`${hospitalId} = ${effectiveRole.hospitalId}`;
  }
}
