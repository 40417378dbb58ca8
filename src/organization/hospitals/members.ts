// Who works at a hospital: the page of members, their roles there, and how a membership ends.
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { asCaller } from "../../access/access.ts";
import type { Call, UserCall } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { fail, refuse } from "../../access/refusals.ts";
import { mayEver } from "../../access/roles.ts";
import { liveSession, MEMBER_NOW } from "../../access/standing.ts";
import { openProfile, type Profile, type StaffRole } from "../../accounts/users/users.ts";
import { COUNT_LIMIT, type PageQuery, startOf, toPage } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { careTeam, hospitals, memberships, SELF_CARE, sessions, users } from "../../platform/db/schema.ts";
import { administers, notFound } from "./hospitals.ts";

export type MemberList = PageQuery & { role?: StaffRole | undefined; active?: boolean | undefined };
type MemberRow = { id: string; profileSealed: string; role: StaffRole; active: number; created_at: number };

/** Works there now: account and membership both live. */
const WORKS = sql`(u.active = 1 AND ${MEMBER_NOW})`;

function shownOf({ full_name, ...contact }: Profile, isManager: boolean) {
  return { full_name, ...(isManager && contact) };
}

/** The people who work at a hospital or are suspended there, in the order of their accounts, which is that of the index: by name to colleagues. */
export async function listMembers(anyCall: Call, hospitalId: string, query: MemberList) {
  const start = await startOf(anyCall, `members:${hospitalId}`, query);
  const { call, standing, results } = await asCaller(anyCall, "member:read", (standing, { db }) => {
    const wanted = and(
      sql`m.hospital_id = ${hospitalId} AND m.ended_at IS NULL`,
      administers(standing, hospitalId) ? undefined : sql`0`,
      query.role ? sql`m.role = ${query.role}` : undefined,
      query.active === undefined ? undefined : query.active ? WORKS : sql`NOT ${WORKS}`,
    );
    const from = sql`memberships m CROSS JOIN users u ON u.id = m.user_id`;
    return [
      db.all<MemberRow>(sql`
        SELECT u.id AS id, u.profile_sealed AS profileSealed, m.role AS role, ${WORKS} AS active, m.created_at AS created_at
        FROM ${from} WHERE ${and(wanted, start.after ? sql`m.user_id > ${start.after.id}` : undefined)}
        ORDER BY m.user_id LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${from} WHERE ${wanted} LIMIT ${COUNT_LIMIT + 1})`),
      db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
    ];
  });
  const [rows, [counted], [hospital]] = results;
  if (!administers(standing, hospitalId) || !hospital) {
    return notFound(call, "member:read", standing, { hospital: hospitalId });
  }
  const { db, keys, actor, now } = call;
  const { rows: kept, pagination } = await toPage(start, rows, (row) => ({ value: 0, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  await batch(
    db,
    audit(db, actor, now, {
      event: "member.list",
      action: "R",
      role: standing.role,
      hospitalId,
      entity: { type: "hospital", id: hospitalId },
      detail: { count: kept.length },
    }),
  );
  const isManager = mayEver(standing, "member:manage");
  const items = await Promise.all(
    kept.map(async (row) => ({
      user_id: row.id,
      ...shownOf(await openProfile(keys, row), isManager),
      role: row.role,
      is_active: row.active === 1,
      since: new Date(row.created_at).toISOString(),
    })),
  );
  return { items, pagination };
}

/**
 * The gate of both changes: an account, the hospital and the membership between them, if the caller may touch it.
 * @throws ApiError not_found, forbidden (oneself; a platform administrator, for others)
 */
async function requireMember(anyCall: Call, hospitalId: string, userId: string) {
  const { call, standing, results } = await asCaller(anyCall, "member:manage", (_, { db }) => [
    db.select({ isAdmin: users.isAdmin, passwordGiven: users.passwordGiven }).from(users).where(eq(users.id, userId)),
    db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
    db.select({ role: memberships.role }).from(memberships).where(present(hospitalId, userId)),
  ]);
  const [[user], [hospital], [member]] = results;
  const { role } = standing;
  const known = user && hospital && (member || role === "admin");
  const target = { user: userId };
  if (!administers(standing, hospitalId) || !known) return notFound(call, "member:manage", standing, target);
  if (userId === call.actor.userId || (user.isAdmin && role !== "admin")) {
    return refuse(call, "member:manage", "forbidden", { role, hospitalId, target });
  }
  return { call, standing, member: member ?? null, passwordGiven: user.passwordGiven === 1 };
}

const present = (hospitalId: string, userId: string) =>
  and(eq(memberships.userId, userId), eq(memberships.hospitalId, hospitalId), isNull(memberships.endedAt));

/**
 * The caller still manages the hospital in the very statement that writes: of two administrators who demote each other,
 * one remains.
 */
function stillManages({ actor, now }: UserCall, hospitalId: string): SQL {
  const { from, where } = liveSession(actor, now);
  return sql`EXISTS (SELECT 1 FROM ${from} WHERE ${where}
    AND (u.is_admin = 1 OR (m.role = 'hospital_admin' AND h.id = ${hospitalId})))`;
}

const notAdmin = (userId: string) => sql`NOT EXISTS (SELECT 1 FROM users x WHERE x.id = ${userId} AND x.is_admin = 1)`;

/**
 * Gives an existing account a role at a hospital, or another role there.
 * @throws ApiError not_found, forbidden, password_given (of who does not work there yet)
 */
export async function setMember(anyCall: Call, hospitalId: string, userId: string, role: StaffRole): Promise<void> {
  const { call, standing, member, passwordGiven } = await requireMember(anyCall, hospitalId, userId);
  const { db, actor, now } = call;
  if (hospitalId === SELF_CARE) {
    return refuse(call, "member:manage", "forbidden", { role: standing.role, hospitalId, target: { hospital: hospitalId } });
  }
  const { role: acting } = standing;
  const event = { event: "member.set", action: "U", role: acting, hospitalId, entity: { type: "user", id: userId } } as const;
  // Whoever has set the password elsewhere would come along.
  if (passwordGiven && !member) return fail(call, "password_given", { ...event, detail: { role } });
  const alone = sql`EXISTS (SELECT 1 FROM users x WHERE x.id = ${userId} AND (x.password_given = 0 OR EXISTS
    (SELECT 1 FROM memberships e WHERE e.user_id = x.id AND e.hospital_id = ${hospitalId} AND e.ended_at IS NULL)))`;
  const mayStill = stillManages(call, hospitalId);
  // A hospital administrator changes members only; bringing in an account, or back, takes an administrator.
  const write =
    standing.role === "admin"
      ? sql`INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at)
          SELECT ${userId}, id, ${role}, ${actor.userId}, CAST(${now} AS INTEGER) FROM hospitals
          WHERE id = ${hospitalId} AND active = 1 AND ${alone} AND ${mayStill}
          ON CONFLICT (user_id, hospital_id) DO UPDATE SET role = excluded.role, ended_at = NULL,
            suspended_at = CASE WHEN ended_at IS NULL THEN suspended_at ELSE NULL END,
            created_by = CASE WHEN ended_at IS NULL THEN created_by ELSE excluded.created_by END,
            created_at = CASE WHEN ended_at IS NULL THEN created_at ELSE excluded.created_at END`
      : sql`UPDATE memberships SET role = ${role} WHERE ${present(hospitalId, userId)} AND ${notAdmin(userId)} AND ${mayStill}`;
  const [rows] = await batch(db, [
    db.all<{ user_id: string }>(sql`${write} RETURNING user_id`),
    ...audit(db, actor, now, { ...event, detail: { role }, when: sql`changes() > 0` }),
  ]);
  if (rows.length === 0) await notFound(call, "member:manage", standing, { user: userId });
}

/** Ends a membership with its sessions and places in care teams: coming back begins anew. @throws ApiError not_found, forbidden */
export async function endMember(anyCall: Call, hospitalId: string, userId: string): Promise<void> {
  const { call, standing, member } = await requireMember(anyCall, hospitalId, userId);
  if (!member) return notFound(call, "member:manage", standing, { user: userId });
  const { db, actor, now } = call;
  const mayTouch = standing.role === "admin" ? undefined : notAdmin(userId);
  // What follows happens only if this very statement, or one of the same instant, ended the membership.
  const ended = sql`EXISTS (SELECT 1 FROM memberships e WHERE e.user_id = ${userId} AND e.hospital_id = ${hospitalId} AND e.ended_at = ${now})`;
  const [rows] = await batch(db, [
    db
      .update(memberships)
      .set({ endedAt: now })
      .where(and(present(hospitalId, userId), mayTouch, stillManages(call, hospitalId)))
      .returning({ userId: memberships.userId }),
    ...audit(db, actor, now, {
      event: "member.end",
      action: "D",
      role: standing.role,
      hospitalId,
      entity: { type: "user", id: userId },
      when: sql`changes() > 0`,
    }),
    db
      .update(sessions)
      .set({ revokedAt: now, revokedReason: "membership_ended" })
      .where(and(eq(sessions.userId, userId), eq(sessions.hospitalId, hospitalId), isNull(sessions.revokedAt), ended)),
    db
      .update(careTeam)
      .set({ endedAt: now })
      .where(
        and(
          eq(careTeam.userId, userId),
          isNull(careTeam.endedAt),
          sql`${careTeam.patientId} IN (SELECT id FROM patients WHERE hospital_id = ${hospitalId})`,
          ended,
        ),
      ),
  ]);
  if (rows.length === 0) await notFound(call, "member:manage", standing, { user: userId });
}
