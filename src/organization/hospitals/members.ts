// The list of a hospital's members with their roles.

import { and, eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { CachedRead } from "../../access/cached-read.ts";
import { denyNotFound } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP, canManageHospital } from "../../access/effective-role.ts";
import { roleAllows } from "../../access/permissions.ts";
import { type Profile, unsealProfile } from "../../access/profile.ts";
import type { StaffRole } from "../../accounts/users/users.ts";
import { COUNT_LIMIT, type CutPage, cutPage, type PageQuery, paginate, resolvePageStart } from "../../http/pagination.ts";
import type { Keys } from "../../platform/config.ts";
import { hospitals } from "../../platform/db/schema.ts";
import { toIso } from "../../platform/time.ts";

export type MemberListQuery = PageQuery & { role?: StaffRole | undefined; active?: boolean | undefined };
type MemberRow = { id: string; profileSealed: string; role: StaffRole; active: number; officer: number; created_at: number };

/** Account and membership are both active. */
const IS_ACTIVE_MEMBER = sql`(u.active = 1 AND ${ACTIVE_MEMBERSHIP})`;

function toVisibleProfile({ full_name, ...contact }: Profile, isManager: boolean) {
  return { full_name, ...(isManager && contact) };
}

async function toMember(keys: Keys, row: MemberRow, isManager: boolean) {
  return {
    user_id: row.id,
    ...toVisibleProfile(await unsealProfile(keys, row), isManager),
    role: row.role,
    is_active: row.active === 1,
    is_privacy_officer: row.officer === 1,
    since: toIso(row.created_at),
  };
}
type Member = Awaited<ReturnType<typeof toMember>>;

/**
 * Lists active and suspended members, ordered by user id to use the index. Only managers see email and username.
 * @throws ApiError not_found
 */
export async function listMembers(anyCall: Call, hospitalId: string, query: MemberListQuery) {
  const start = await resolvePageStart(anyCall, `members:${hospitalId}`, query);
  const read = new CachedRead<CutPage<Member>>("members", { ...query, hospitalId }, ["staff"]);
  const { call, effectiveRole, results } = await withUser(anyCall, "member:read", (effectiveRole, { db, actor }) => {
    const version = read.selectVersion(db, effectiveRole, actor);
    const filter = and(
      sql`m.hospital_id = ${hospitalId} AND m.ended_at IS NULL`,
      canManageHospital(effectiveRole, hospitalId) ? undefined : sql`0`,
      query.role ? sql`m.role = ${query.role}` : undefined,
      query.active === undefined ? undefined : query.active ? IS_ACTIVE_MEMBER : sql`NOT ${IS_ACTIVE_MEMBER}`,
    );
    const from = sql`memberships m CROSS JOIN users u ON u.id = m.user_id`;
    return [
      version,
      db.all<MemberRow>(sql`
        SELECT u.id AS id, u.profile_sealed AS profileSealed, m.role AS role, ${IS_ACTIVE_MEMBER} AS active,
          m.privacy_officer AS officer, m.created_at AS created_at
        FROM ${from} WHERE ${and(filter, start.after ? sql`m.user_id > ${start.after.id}` : undefined)}
        ORDER BY m.user_id LIMIT ${read.limit(start.limit + 1)} OFFSET ${start.skip}`),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${from} WHERE ${filter} LIMIT ${read.limit(COUNT_LIMIT + 1)})`,
      ),
      db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
    ];
  });
  const [version, rows, [counted], [hospital]] = results;
  if (!canManageHospital(effectiveRole, hospitalId) || !hospital) {
    return denyNotFound(call, "member:read", effectiveRole, { hospital: hospitalId });
  }
  const page = await read.finish(call, version, () => {
    const cut = cutPage(start, rows, (row) => ({ value: 0, id: row.id }), { n: counted?.n ?? 0, exact: false });
    const entity = { type: "hospital", id: hospitalId };
    const detail = { count: cut.rows.length };
    const isManager = roleAllows(effectiveRole, "member:manage");
    const value = Promise.all(cut.rows.map((row) => toMember(call.keys, row, isManager)));
    return {
      events: [{ event: "member.list", action: "R", role: effectiveRole.role, hospitalId, entity, detail }],
      value: value.then((members) => ({ ...cut, rows: members })),
    };
  });
  return { items: page.rows, pagination: await paginate(start, page.rows.length, page), etag: read.etag };
}
