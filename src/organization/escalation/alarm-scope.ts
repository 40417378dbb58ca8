// Of which patients a member of the staff can receive alarms.
import { sql } from "drizzle-orm";
import type { DoctorScope } from "../../access/actor.ts";
import { unsealProfile } from "../../access/profile.ts";
import type { Keys } from "../../platform/config.ts";
import type { STAFF_ROLES } from "../../platform/db/schema.ts";

export const ALARM_SCOPES = ["every_patient", "care_team_patients", "nobody"] as const;

/** `role` is null for who has left the hospital, is suspended or has no active account. */
export type StaffRow = { id: string; profileSealed: string; role: (typeof STAFF_ROLES)[number] | null };

/** The current role at a hospital, by the aliases `u` of the user and `m` of the membership, and what the profile is read from. */
export const STAFF_COLUMNS = sql`u.id AS id, u.profile_sealed AS profileSealed,
  CASE WHEN u.active = 1 AND m.ended_at IS NULL AND m.suspended_at IS NULL THEN m.role END AS role`;

/** Being named grants no access: some doctors see the patients of their care teams alone, and receive the alarms of no others. */
const alarmScopeOf = (role: StaffRow["role"], doctorScope: DoctorScope): (typeof ALARM_SCOPES)[number] =>
  role === null ? "nobody" : role === "doctor" && doctorScope === "care_team" ? "care_team_patients" : "every_patient";

export async function toNamedPerson(keys: Keys, row: StaffRow, doctorScope: DoctorScope) {
  const { full_name } = await unsealProfile(keys, row);
  return { user_id: row.id, full_name, role: row.role, alarm_scope: alarmScopeOf(row.role, doctorScope) };
}
