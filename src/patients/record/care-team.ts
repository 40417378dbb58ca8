// Care teams: the doctors and nurses of a patient. Determines which patients a doctor may see.

import { and, count, eq, isNull, type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { authorizePatient, withPatient } from "../../access/patient-access.ts";
import { unsealProfile } from "../../access/profile.ts";
import { buildPage, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { careTeam } from "../../platform/db/schema.ts";
import { toIso } from "../../platform/time.ts";
import { patientEvent } from "../patients.ts";

type CareTeamMemberRow = { id: string; profileSealed: string; role: string | null; started_at: number };

/** Lists current members, oldest first. @throws ApiError not_found */
export async function listCareTeam(call: Call, ref: string, query: PageQuery) {
  const start = await resolvePageStart(call, `care_team:${ref}`, query);
  const { where, orderBy } = keysetClauses(start, careTeam.startedAt, careTeam.userId, true);
  const { db, keys } = call;
  const isCurrent = (patientId: SQL) => and(eq(careTeam.patientId, patientId), isNull(careTeam.endedAt));
  const { access, results } = await withPatient(call, { patient: ref }, "care_team:read", (patientId) => [
    db.all<CareTeamMemberRow>(sql`SELECT u.id AS id, u.profile_sealed AS profileSealed, m.role AS role,
        care_team.started_at AS started_at
      FROM care_team JOIN users u ON u.id = care_team.user_id
      LEFT JOIN memberships m ON m.user_id = u.id AND m.hospital_id = (SELECT hospital_id FROM patients WHERE id = ${patientId}) AND ${ACTIVE_MEMBERSHIP}
      WHERE ${and(isCurrent(patientId), where)} ORDER BY ${sql.join(orderBy, sql`, `)} LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
    db.select({ n: count() }).from(careTeam).where(isCurrent(patientId)),
  ]);
  const [rows, [counted]] = results;
  const key = (row: CareTeamMemberRow) => ({ value: row.started_at, id: row.id });
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: true });
  const items = Promise.all(
    pageRows.map(async (row) => ({
      user_id: row.id,
      full_name: (await unsealProfile(keys, row)).full_name,
      role: row.role,
      since: toIso(row.started_at),
    })),
  );
  return { items: await afterAudit(appendAuditEvent(call, patientEvent(access, "care_team.read", "R")), items), pagination };
}

type CareTeamChange = "join" | "leave";

/** The author of a membership while the team may have another member besides the user. */
export function teamAuthorUnlessFull(author: string, patientId: string, userId: string): SQL {
  const others = sql`care_team WHERE patient_id = ${patientId} AND user_id <> ${userId} AND ended_at IS NULL`;
  return unlessFull(author, ROW_LIMITS.currentCareTeam, others);
}

/** Adds or removes a member of the hospital's staff. @throws ApiError not_found, forbidden (doctors), limit_reached */
export async function changeCareTeam(call: Call, ref: string, userId: string, change: CareTeamChange): Promise<string> {
  const { db, actor, now } = call;
  const { patient, role, basis, hospitalId } = await authorizePatient(call, { patient: ref }, "care_team:update");
  const addedBy = getActorId(actor);
  const statement =
    change === "join"
      ? sql`INSERT INTO care_team (patient_id, user_id, added_by, started_at)
          SELECT ${patient.id}, m.user_id, ${teamAuthorUnlessFull(addedBy, patient.id, userId)}, CAST(${now} AS INTEGER) FROM memberships m
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
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.currentCareTeam);
  });
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
