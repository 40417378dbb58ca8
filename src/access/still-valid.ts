// The condition that a granted access still holds, for writes minutes after the check.
import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "./actor.ts";
import { credentialStillValid } from "./credentials.ts";
import { activeSession } from "./effective-role.ts";
import { isGuardianOf } from "./guardians.ts";
import type { Access, AccessBasis } from "./patient-access.ts";
import { enrolmentRequired } from "./sign-in.ts";

/**
 * A condition that holds while a granted access is still valid, for a write minutes after the check, such as a long upload:
 * the session or credential is active and the basis still holds.
 */
export function accessStillValid(actor: Actor, { basis, patient, hospitalId, assignedAt = null }: Access, now: number): SQL {
  const isUnrestricted = sql`NOT EXISTS (SELECT 1 FROM patients WHERE id = ${patient.id} AND restricted_at IS NOT NULL)`;
  if (actor.kind === "device" || actor.kind === "app")
    return sql`${credentialStillValid(actor, patient.id, hospitalId, now, assignedAt)} AND ${isUnrestricted}`;
  if (actor.kind !== "user") return sql`0`;
  const { from, where } = activeSession(actor, now);
  const basisConditions: Partial<Record<AccessBasis, SQL>> = {
    self: sql`EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = u.id AND l.patient_id = ${patient.id})
      AND EXISTS (SELECT 1 FROM hospitals o WHERE o.id = ${hospitalId} AND o.active = 1)`,
    guardian: sql`${isGuardianOf(sql`u.id`, sql`${patient.id}`, now)}`,
    staff: sql`m.role IS NOT NULL AND h.id = ${hospitalId}`,
    care_team: sql`m.role IS NOT NULL AND h.id = ${hospitalId} AND EXISTS
      (SELECT 1 FROM care_team t WHERE t.user_id = u.id AND t.patient_id = ${patient.id} AND t.ended_at IS NULL)`,
    admin: sql`u.is_admin = 1`,
  };
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where} AND ${basisConditions[basis] ?? sql`0`}
    AND NOT ${enrolmentRequired(now)}) AND ${isUnrestricted}`;
}
