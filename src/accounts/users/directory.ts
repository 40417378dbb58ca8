// Who has an account, as far as the caller manages it: administrators all, hospital administrators their staff.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { asCaller } from "../../access/access.ts";
import type { Call, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import { COUNT_LIMIT, keyset, startOf, toPage } from "../../http/pagination.ts";
import type { Keys } from "../../platform/config.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { emailIndex } from "../auth/names.ts";
import type { UserQuery } from "./shapes.ts";
import { openProfile, type StaffRole } from "./users.ts";

export type Seat = { user_id: string; hospital_id: string; role: StaffRole; suspended: number };
type Found = typeof users.$inferSelect;

const worksAt = (hospitalId: string | null) =>
  sql`EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = ${users.id} AND m.hospital_id = ${hospitalId} AND m.ended_at IS NULL)`;
const suspendedAt = (hospitalId: string | null) =>
  sql`EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = ${users.id} AND m.hospital_id = ${hospitalId} AND m.suspended_at IS NOT NULL)`;

/** As `worksAt`, for lists: it goes from the hospital's people to their accounts, where the other looks at every account. */
const amongStaff = (hospitalId: string | null) =>
  sql`${users.id} IN (SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId} AND m.ended_at IS NULL)`;

/** Accounts that the caller manages; those whom a hospital has suspended are still its staff. */
export function managed(standing: UserStanding): SQL {
  return standing.role === "admin" ? sql`1` : worksAt(standing.hospitalId);
}

/** Where these people work, as far as the caller may know: elsewhere is not a hospital administrator's business. */
export function seatsOf(db: Db, standing: UserStanding, ids: string[]) {
  const ours = standing.role === "admin" ? sql`1` : sql`hospital_id = ${standing.hospitalId}`;
  return db.all<Seat>(sql`SELECT user_id, hospital_id, role, suspended_at IS NOT NULL AS suspended FROM memberships
    WHERE user_id IN (SELECT value FROM json_each(${JSON.stringify(ids)})) AND ended_at IS NULL AND ${ours}
    ORDER BY created_at, hospital_id`);
}

export async function toUser(keys: Keys, standing: UserStanding, row: Found, seats: Seat[]) {
  const own = seats.filter((seat) => seat.user_id === row.id);
  const suspended = standing.role !== "admin" && own.some((seat) => seat.suspended);
  return {
    user_id: row.id,
    ...(await openProfile(keys, row)),
    is_admin: row.isAdmin === 1,
    is_active: row.active === 1 && !suspended,
    memberships: own.map(({ hospital_id, role, suspended }) => ({ hospital_id, role, is_active: !suspended })),
    created_at: new Date(row.createdAt).toISOString(),
    version: row.version,
  };
}

function having(role: UserQuery["role"], hospitalId: string | null): SQL | undefined {
  if (role === undefined) return undefined;
  if (role === "admin") return sql`${users.isAdmin} = 1`;
  if (role === "patient") return sql`EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = ${users.id})`;
  const there = hospitalId === null ? sql`1` : sql`m.hospital_id = ${hospitalId}`;
  return sql`EXISTS (SELECT 1 FROM memberships m
    WHERE m.user_id = ${users.id} AND m.role = ${role} AND m.ended_at IS NULL AND ${there})`;
}

async function wanted(keys: Keys, standing: UserStanding, query: UserQuery): Promise<SQL | undefined> {
  const { role, is_active: active, hospital_id: asked = null, email } = query;
  const isAdmin = standing.role === "admin";
  const works = isAdmin ? sql`${users.active} = 1` : sql`(${users.active} = 1 AND NOT ${suspendedAt(standing.hospitalId)})`;
  const hospitalId = isAdmin ? asked : standing.hospitalId;
  return and(
    isAdmin && asked === null ? undefined : amongStaff(hospitalId),
    having(role, hospitalId),
    active === undefined ? undefined : active ? works : sql`NOT ${works}`,
    email === undefined ? undefined : eq(users.emailIndex, await emailIndex(keys, email)),
  );
}

/**
 * The accounts that the caller manages, newest first.
 * @throws ApiError not_found for another hospital than the caller's own, invalid_request (`role=patient`), but for administrators
 */
export async function listUsers(anyCall: Call, query: UserQuery, action: "user:read" | "admin:read") {
  const start = await startOf(anyCall, "users", query);
  const { where, orderBy } = keyset(start, users.createdAt, users.id);
  const { call, standing, results } = await asCaller(anyCall, action, async (standing, { db, keys }) => {
    const filter = await wanted(keys, standing, query);
    return [
      db
        .select()
        .from(users)
        .where(and(filter, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM users WHERE ${filter ?? sql`1`} LIMIT ${COUNT_LIMIT + 1})`,
      ),
    ];
  });
  const { db, keys, actor, now } = call;
  const { role, hospitalId } = standing;
  // Who of their staff is a patient, here or anywhere, is not an employer's to ask.
  if (role !== "admin" && query.role === "patient") {
    throw new ApiError("invalid_request", "Only administrators list patients.", {
      errors: [{ path: "role", message: "Not patient", code: "invalid_value" }],
    });
  }
  if (role !== "admin" && query.hospital_id !== undefined && query.hospital_id !== hospitalId) {
    return refuse(call, action, "not_found", { role, hospitalId, target: { hospital: query.hospital_id } });
  }
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const ids = kept.map((row) => row.id);
  const [seats] = await batch(db, [
    seatsOf(db, standing, ids),
    ...audit(db, actor, now, { event: "user.list", action: "R", role, hospitalId, detail: { count: kept.length } }),
  ]);
  return { items: await Promise.all(kept.map((row) => toUser(keys, standing, row, seats))), pagination };
}

/** @throws ApiError not_found for whom the caller does not manage */
export async function getUser(anyCall: Call, userId: string) {
  const { call, standing, results } = await asCaller(anyCall, "user:read", (standing, { db }) => [
    db
      .select()
      .from(users)
      .where(and(eq(users.id, userId), managed(standing))),
    seatsOf(db, standing, [userId]),
  ]);
  const { role, hospitalId } = standing;
  const [[row], seats] = results;
  if (!row) return refuse(call, "user:read", "not_found", { role, hospitalId, target: { user: userId } });
  const { db, keys, actor, now } = call;
  const entity = { type: "user", id: userId };
  await batch(db, audit(db, actor, now, { event: "user.read", action: "R", role, hospitalId, entity }));
  return toUser(keys, standing, row, seats);
}
