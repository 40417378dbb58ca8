// Members of a hospital whom no channel reaches with a new alarm: no verified address, browser with Web Push or verified number, or the
// channels that they have are switched off for it.

import { eq, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { denyNotFound } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP, canManageHospital } from "../../access/effective-role.ts";
import { unsealProfile } from "../../access/profile.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { hospitals, type STAFF_ROLES } from "../../platform/db/schema.ts";
import { type PersonChannel, ruleOf } from "../kinds.ts";
import { isRowsChannelOn } from "../notify.ts";
import { REACHABLE_BY } from "./preferences.ts";

type MemberRow = { id: string; profileSealed: string; role: (typeof STAFF_ROLES)[number] };

const isReachedBy = (channel: PersonChannel): SQL =>
  sql`(${REACHABLE_BY[channel]} AND ${isRowsChannelOn(ruleOf("alert.raised"), channel)})`;

const IS_UNREACHABLE = sql`u.active = 1 AND ${ACTIVE_MEMBERSHIP} AND NOT EXISTS (SELECT 1
  FROM (SELECT u.id AS id, 'alert.raised' AS kind, m.hospital_id AS hospital_id) r
  WHERE ${isReachedBy("email")} OR ${isReachedBy("push")} OR ${isReachedBy("sms")})`;

/** Active members, ordered by user id. @throws ApiError not_found (another hospital) */
export async function listUnreachableMembers(anyCall: Call, hospitalId: string, query: PageQuery) {
  const start = await resolvePageStart(anyCall, `unreachable:${hospitalId}`, query);
  const { call, effectiveRole, results } = await withUser(anyCall, "user:read", (effectiveRole, { db }) => {
    const from = sql`memberships m CROSS JOIN users u ON u.id = m.user_id WHERE m.hospital_id = ${
      canManageHospital(effectiveRole, hospitalId) ? hospitalId : ""
    } AND ${IS_UNREACHABLE}`;
    return [
      db.all<MemberRow>(sql`SELECT u.id AS id, u.profile_sealed AS profileSealed, m.role AS role FROM ${from}
        AND ${start.after ? sql`m.user_id > ${start.after.id}` : sql`1`}
        ORDER BY m.user_id LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${from} LIMIT ${COUNT_LIMIT + 1})`),
      db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
    ];
  });
  const [rows, [counted], [hospital]] = results;
  if (!hospital || !canManageHospital(effectiveRole, hospitalId))
    return denyNotFound(call, "user:read", effectiveRole, { hospital: hospitalId });
  const count = { n: counted?.n ?? 0, exact: false };
  const { rows: pageRows, pagination } = await buildPage(start, rows, (row) => ({ value: 0, id: row.id }), count);
  const entity = { type: "hospital", id: hospitalId };
  const event = { event: "member.unreachable", action: "R", role: effectiveRole.role, hospitalId, entity } as const;
  const stored = appendAuditEvent(call, { ...event, detail: { count: pageRows.length } });
  const toMember = async (row: MemberRow) => {
    const { full_name } = await unsealProfile(call.keys, row);
    return { user_id: row.id, full_name, role: row.role };
  };
  return { items: await afterAudit(stored, Promise.all(pageRows.map(toMember))), pagination };
}
