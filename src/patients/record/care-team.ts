// Care teams: the doctors and nurses of a patient. Determines which patients a doctor may see.

import { sql } from "drizzle-orm";
import { authorizePatient } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { unsealProfile } from "../../access/profile.ts";
import { batch } from "../../platform/db/client.ts";
import { toIso } from "../../platform/time.ts";

type CareTeamMemberRow = { id: string; profileSealed: string; role: string | null; started_at: number };

/** Lists current members, oldest first. @throws ApiError not_found */
export async function listCareTeam(call: Call, ref: string) {
  const { db, keys, actor, now } = call;
  const { patient, role, basis, hospitalId } = await authorizePatient(call, { patient: ref }, "care_team:read");
  const [rows] = await batch(db, [
    db.all<CareTeamMemberRow>(sql`SELECT u.id AS id, u.profile_sealed AS profileSealed, m.role AS role, t.started_at AS started_at
      FROM care_team t JOIN users u ON u.id = t.user_id
      LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = ${hospitalId} AND ${ACTIVE_MEMBERSHIP}
      WHERE t.patient_id = ${patient.id} AND t.ended_at IS NULL ORDER BY t.started_at, u.id LIMIT 200`),
    ...recordAuditEvent(db, actor, now, {
      event: "care_team.read",
      action: "R",
      role,
      basis,
      hospitalId,
      entity: { type: "patient", id: patient.id },
      subjects: [patient.id],
    }),
  ]);
  return Promise.all(
    rows.map(async (row) => ({
      user_id: row.id,
      full_name: (await unsealProfile(keys, row)).full_name,
      role: row.role,
      since: toIso(row.started_at),
    })),
  );
}

type CareTeamChange = "join" | "leave";

/** Adds or removes a member of the hospital's staff. @throws ApiError not_found, forbidden (doctors) */
export async function changeCareTeam(call: Call, ref: string, userId: string, change: CareTeamChange): Promise<string> {
  const { db, actor, now } = call;
  const { patient, role, basis, hospitalId } = await authorizePatient(call, { patient: ref }, "care_team:update");
  const addedBy = getActorId(actor);
  const statement =
    change === "join"
      ? sql`INSERT INTO care_team (patient_id, user_id, added_by, started_at)
          SELECT ${patient.id}, m.user_id, ${addedBy}, CAST(${now} AS INTEGER) FROM memberships m
          WHERE m.user_id = ${userId} AND m.hospital_id = ${hospitalId} AND m.role IN ('doctor', 'nurse') AND ${ACTIVE_MEMBERSHIP}
          ON CONFLICT (patient_id, user_id) DO UPDATE SET added_by = excluded.added_by,
            started_at = CASE WHEN ended_at IS NULL THEN started_at ELSE excluded.started_at END, ended_at = NULL`
      : sql`UPDATE care_team SET ended_at = CAST(${now} AS INTEGER)
          WHERE patient_id = ${patient.id} AND user_id = ${userId} AND ended_at IS NULL`;
  const [rows] = await batch(db, [
    db.all<{ user_id: string }>(sql`${statement} RETURNING user_id`),
    ...recordAuditEvent(db, actor, now, {
      event: change === "join" ? "care_team.join" : "care_team.leave",
      action: "U",
      role,
      basis,
      hospitalId,
      entity: { type: "user", id: userId },
      subjects: [patient.id],
      when: sql`changes() > 0`,
    }),
  ]);
  if (rows.length === 0) {
    await denyAccess(call, "care_team:update", "not_found", {
      role,
      hospitalId,
      target: { user: userId },
      patientId: patient.id,
    });
  }
  return patient.id;
}
