// Which patients' rows lists, counts and searches may contain. Others than the person see no restricted record.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { type EffectiveRole, getActorId, type Principal } from "./actor.ts";

/**
 * The condition for lists, counts and searches: rows whose patient the caller may see.
 * @param patientId the column that names the patient  @param hospitalId the column that names the patient's hospital
 */
export function patientVisibility(
  effectiveRole: EffectiveRole,
  actor: Principal,
  patientId: SQLWrapper,
  hospitalId: SQLWrapper,
): SQL {
  const scope = scopeOf(effectiveRole, actor, patientId, hospitalId);
  return effectiveRole.role === "patient" ? scope : sql`${scope} AND ${isUnrestricted(effectiveRole, patientId)}`;
}

/**
 * The condition for rows of no restricted record, for staff and apps. A partial index holds the few records that are restricted.
 * @param patientId the column that names the patient; NULL fulfils no condition
 */
export const isUnrestricted = ({ role, hospitalId }: EffectiveRole, patientId: SQLWrapper): SQL =>
  sql`${patientId} NOT IN (SELECT id FROM patients WHERE restricted_at IS NOT NULL
    ${role === "admin" ? sql`` : sql`AND hospital_id = ${hospitalId}`})`;

function scopeOf(effectiveRole: EffectiveRole, actor: Principal, patientId: SQLWrapper, hospitalId: SQLWrapper): SQL {
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
