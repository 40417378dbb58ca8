// Hospitals: the tenants, and who works in them.
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { asCaller, requireRole } from "../access.ts";
import type { Call, Role, UserActor, UserStanding } from "../actor.ts";
import { audit } from "../audit.ts";
import { count, scopes } from "../counters.ts";
import { batch } from "../db/client.ts";
import { careTeam, hospitals, memberships, sessions, users } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import type { Taking } from "../idempotency.ts";
import { uuidv7 } from "../ids.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../pagination.ts";
import { refuse } from "../refusals.ts";
import type { Action } from "../roles.ts";
import { openProfile, type StaffRole } from "../users/users.ts";

export type NewHospital = { name: string; doctor_scope: "care_team" | "hospital" };

/** The hospitals a person may know: administrators all, staff their own, patients those that hold their records. */
function visible(standing: UserStanding, actor: UserActor): SQL {
  if (standing.role === "admin") return sql`1`;
  if (standing.role !== "patient") return eq(hospitals.id, standing.hospitalId ?? "");
  return sql`${hospitals.id} IN (SELECT p.hospital_id FROM patient_links l JOIN patients p ON p.id = l.patient_id WHERE l.user_id = ${actor.userId})`;
}

function toHospital(row: typeof hospitals.$inferSelect) {
  return {
    hospital_id: row.id,
    name: row.name,
    is_active: row.active === 1,
    doctor_scope: row.doctorScope,
    created_at: new Date(row.createdAt).toISOString(),
  };
}

export async function createHospital(anyCall: Call, input: NewHospital, taking: Taking) {
  const { call, standing } = await requireRole(anyCall, "hospital:create");
  return insertHospital(call, input, standing.role, taking);
}

export async function insertHospital(call: Call, input: NewHospital, role: Role, taking: Taking = () => []) {
  const { db, actor, now } = call;
  const id = uuidv7();
  const insert = db
    .insert(hospitals)
    .values({ id, name: input.name, doctorScope: input.doctor_scope, createdAt: now, updatedAt: now });
  const [[row]] = await batch(db, [
    insert.returning(),
    ...taking(id),
    count(db, [{ scope: scopes.all, day: 0, name: "hospitals", n: 1 }]),
    ...audit(db, actor, now, { event: "hospital.create", action: "C", role, hospitalId: id, entity: { type: "hospital", id } }),
  ]);
  if (!row) throw new ApiError("unavailable");
  return toHospital(row);
}

export async function getHospital(anyCall: Call, id: string) {
  const { call, standing, results } = await asCaller(anyCall, "hospital:read", (standing, { db, actor }) => [
    db
      .select()
      .from(hospitals)
      .where(and(eq(hospitals.id, id), visible(standing, actor))),
  ]);
  const [row] = results[0];
  return row ? toHospital(row) : notFound(call, "hospital:read", standing, { hospital: id });
}

export async function listHospitals(anyCall: Call, query: PageQuery) {
  const start = await startOf(anyCall, "hospitals", query);
  const { where, orderBy } = keyset(start, hospitals.createdAt, hospitals.id);
  const { results } = await asCaller(anyCall, "hospital:read", (standing, { db, actor }) => [
    db
      .select()
      .from(hospitals)
      .where(and(visible(standing, actor), where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM (SELECT 1 FROM hospitals WHERE ${visible(standing, actor)} LIMIT ${COUNT_LIMIT + 1})`,
    ),
  ]);
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  return { items: kept.map(toHospital), pagination };
}

/** Hospitals that the caller administers. */
function administers(standing: UserStanding, hospitalId: string): boolean {
  return standing.role === "admin" || standing.hospitalId === hospitalId;
}

function notFound(
  call: Call,
  action: Action,
  { role, hospitalId }: UserStanding,
  target: Record<string, string>,
): Promise<never> {
  return refuse(call, action, "not_found", { role, hospitalId, target });
}

/** The people who work at a hospital, at most 1,000. */
export async function listMembers(anyCall: Call, hospitalId: string) {
  const { call, standing, results } = await asCaller(anyCall, "member:read", (standing, { db }) => [
    db.all<{ id: string; profileSealed: string; role: StaffRole; active: number; created_at: number }>(sql`
      SELECT u.id AS id, u.profile_sealed AS profileSealed, m.role AS role, u.active AS active, m.created_at AS created_at
      FROM memberships m JOIN users u ON u.id = m.user_id
      WHERE m.hospital_id = ${hospitalId} AND m.ended_at IS NULL AND ${administers(standing, hospitalId) ? sql`1` : sql`0`}
      ORDER BY u.id LIMIT 1000`),
  ]);
  if (!administers(standing, hospitalId)) return notFound(call, "member:read", standing, { hospital: hospitalId });
  const { db, actor, now } = call;
  await batch(
    db,
    audit(db, actor, now, {
      event: "member.list",
      action: "R",
      role: standing.role,
      hospitalId,
      entity: { type: "hospital", id: hospitalId },
    }),
  );
  return Promise.all(
    results[0].map(async (row) => ({
      user_id: row.id,
      ...(await openProfile(call.keys, row)),
      role: row.role,
      is_active: row.active === 1,
      since: new Date(row.created_at).toISOString(),
    })),
  );
}

/** Gives an existing account a role at a hospital, or another role there. @throws ApiError not_found */
export async function setMember(anyCall: Call, hospitalId: string, userId: string, role: StaffRole): Promise<void> {
  const { call, standing, results } = await asCaller(anyCall, "member:manage", (_, { db }) => [
    db.select({ id: users.id }).from(users).where(eq(users.id, userId)),
    db.select({ id: hospitals.id }).from(hospitals).where(eq(hospitals.id, hospitalId)),
  ]);
  if (!administers(standing, hospitalId) || !results[0][0] || !results[1][0]) {
    return notFound(call, "member:manage", standing, { hospital: hospitalId });
  }
  const { db, actor, now } = call;
  // A hospital administrator changes members only; bringing in an account, or back, takes an administrator.
  const write =
    standing.role === "admin"
      ? sql`INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at)
          VALUES (${userId}, ${hospitalId}, ${role}, ${actor.userId}, CAST(${now} AS INTEGER))
          ON CONFLICT (user_id, hospital_id) DO UPDATE SET role = excluded.role, ended_at = NULL,
            created_by = CASE WHEN ended_at IS NULL THEN created_by ELSE excluded.created_by END,
            created_at = CASE WHEN ended_at IS NULL THEN created_at ELSE excluded.created_at END`
      : sql`UPDATE memberships SET role = ${role} WHERE user_id = ${userId} AND hospital_id = ${hospitalId} AND ended_at IS NULL`;
  const [rows] = await batch(db, [
    db.all<{ user_id: string }>(sql`${write} RETURNING user_id`),
    ...audit(db, actor, now, {
      event: "member.set",
      action: "U",
      role: standing.role,
      hospitalId,
      entity: { type: "user", id: userId },
      detail: { role },
      when: sql`changes() > 0`,
    }),
  ]);
  if (rows.length === 0) await notFound(call, "member:manage", standing, { hospital: hospitalId });
}

/** Ends a membership with its sessions and places in care teams: coming back begins anew. @throws ApiError not_found */
export async function endMember(anyCall: Call, hospitalId: string, userId: string): Promise<void> {
  const { call, standing, results } = await asCaller(anyCall, "member:manage", (_, { db }) => [
    db
      .select({ role: memberships.role })
      .from(memberships)
      .where(and(eq(memberships.userId, userId), eq(memberships.hospitalId, hospitalId), isNull(memberships.endedAt))),
  ]);
  if (!administers(standing, hospitalId) || !results[0][0]) {
    return notFound(call, "member:manage", standing, { user: userId });
  }
  const { db, actor, now } = call;
  await batch(db, [
    db
      .update(memberships)
      .set({ endedAt: now })
      .where(and(eq(memberships.userId, userId), eq(memberships.hospitalId, hospitalId), isNull(memberships.endedAt))),
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
      .where(and(eq(sessions.userId, userId), eq(sessions.hospitalId, hospitalId), isNull(sessions.revokedAt))),
    db
      .update(careTeam)
      .set({ endedAt: now })
      .where(
        and(
          eq(careTeam.userId, userId),
          isNull(careTeam.endedAt),
          sql`${careTeam.patientId} IN (SELECT id FROM patients WHERE hospital_id = ${hospitalId})`,
        ),
      ),
  ]);
}
