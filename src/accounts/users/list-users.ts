// User lists: administrators see all accounts, hospital administrators their staff.

import { and, eq, type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { isCallerHospitalStaff, isInCallerHospital } from "../../access/effective-role.ts";
import { unsealProfile } from "../../access/profile.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, resolvePageStart } from "../../http/pagination.ts";
import type { Keys } from "../../platform/config.ts";
import type { Db } from "../../platform/db/client.ts";
import { users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIso } from "../../platform/time.ts";
import { computeEmailIndex } from "../auth/login-names.ts";
import type { UserQuery } from "./schemas.ts";
import type { StaffRole } from "./users.ts";

export type MembershipRow = { user_id: string; hospital_id: string; role: StaffRole; suspended: number };
type UserRow = typeof users.$inferSelect;

const isSuspendedAt = (hospitalId: string | null) =>
  sql`EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = ${users.id} AND m.hospital_id = ${hospitalId} AND m.suspended_at IS NOT NULL)`;

/** Like `isCallerHospitalStaff`, for lists: starts from the hospital's memberships instead of checking every account. */
const isInStaffOf = (hospitalId: string | null) =>
  sql`${users.id} IN (SELECT m.user_id FROM memberships m WHERE m.hospital_id = ${hospitalId} AND m.ended_at IS NULL)`;

/** Memberships that the caller may see: hospital administrators do not see those at other hospitals. */
export function selectMemberships(db: Db, effectiveRole: UserEffectiveRole, ids: SQL) {
  return db.all<MembershipRow>(sql`SELECT user_id, hospital_id, role, suspended_at IS NOT NULL AS suspended FROM memberships
    WHERE user_id IN (${ids}) AND ended_at IS NULL AND ${isInCallerHospital(effectiveRole, sql`hospital_id`)}
    ORDER BY created_at, hospital_id`);
}

export async function toUser(keys: Keys, effectiveRole: UserEffectiveRole, row: UserRow, memberships: MembershipRow[]) {
  const ownMemberships = memberships.filter((membership) => membership.user_id === row.id);
  const suspended = effectiveRole.role !== "admin" && ownMemberships.some((membership) => membership.suspended);
  return {
    user_id: row.id,
    ...(await unsealProfile(keys, row)),
    is_admin: row.isAdmin === 1,
    is_active: row.active === 1 && !suspended,
    memberships: ownMemberships.map(({ hospital_id, role, suspended }) => ({ hospital_id, role, is_active: !suspended })),
    created_at: toIso(row.createdAt),
    version: row.version,
  };
}

function hasRole(role: UserQuery["role"], hospitalId: string | null): SQL | undefined {
  if (role === undefined) return undefined;
  if (role === "admin") return sql`${users.isAdmin} = 1`;
  if (role === "patient") return sql`EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = ${users.id})`;
  const atHospital = hospitalId === null ? sql`1` : sql`m.hospital_id = ${hospitalId}`;
  return sql`EXISTS (SELECT 1 FROM memberships m
    WHERE m.user_id = ${users.id} AND m.role = ${role} AND m.ended_at IS NULL AND ${atHospital})`;
}

async function buildUserFilter(keys: Keys, effectiveRole: UserEffectiveRole, query: UserQuery): Promise<SQL | undefined> {
  const { role, is_active: active, hospital_id: requestedHospitalId = null, email } = query;
  const isAdmin = effectiveRole.role === "admin";
  const isWorking = isAdmin
    ? sql`${users.active} = 1`
    : sql`(${users.active} = 1 AND NOT ${isSuspendedAt(effectiveRole.hospitalId)})`;
  const hospitalId = isAdmin ? requestedHospitalId : effectiveRole.hospitalId;
  return and(
    isAdmin && requestedHospitalId === null ? undefined : isInStaffOf(hospitalId),
    hasRole(role, hospitalId),
    active === undefined ? undefined : active ? isWorking : sql`NOT ${isWorking}`,
    email === undefined ? undefined : eq(users.emailIndex, await computeEmailIndex(keys, email)),
  );
}

/**
 * Lists the accounts that the caller manages, newest first.
 * @throws ApiError not_found for another hospital and invalid_request for `role=patient`, both for non-administrators
 */
export async function listUsers(anyCall: Call, query: UserQuery, action: "user:read" | "admin:read") {
  const start = await resolvePageStart(anyCall, "users", query);
  const { where, orderBy } = keysetClauses(start, users.createdAt, users.id);
  const { call, effectiveRole, results } = await withUser(anyCall, action, async (effectiveRole, { db, keys }) => {
    const filter = await buildUserFilter(keys, effectiveRole, query);
    const page = sql`SELECT id FROM users WHERE ${and(filter, where) ?? sql`1`} ORDER BY ${sql.join(orderBy, sql`, `)}
      LIMIT ${start.limit + 1} OFFSET ${start.skip}`;
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
      selectMemberships(db, effectiveRole, page),
    ];
  });
  const { role, hospitalId } = effectiveRole;
  // An employer must not learn which staff are patients, here or anywhere.
  if (role !== "admin" && query.role === "patient") {
    throw new ApiError("invalid_request", "Only administrators can list patients.", {
      errors: [{ path: "role", message: "Must not be patient", code: "invalid_value" }],
    });
  }
  if (role !== "admin" && query.hospital_id !== undefined && query.hospital_id !== hospitalId) {
    return denyAccess(call, action, "not_found", { role, hospitalId, target: { hospital: query.hospital_id } });
  }
  const [rows, [counted], memberships] = results;
  const { rows: pageRows, pagination } = await buildPage(start, rows, (row) => ({ value: row.createdAt, id: row.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const detail = { count: pageRows.length };
  const stored = appendAuditEvent(call, { event: "user.list", action: "R", role, hospitalId, detail });
  const items = Promise.all(pageRows.map((row) => toUser(call.keys, effectiveRole, row, memberships)));
  return { items: await afterAudit(stored, items), pagination };
}

/** @throws ApiError not_found for accounts that the caller does not manage */
export async function getUser(anyCall: Call, userId: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "user:read", (effectiveRole, { db }) => [
    db
      .select()
      .from(users)
      .where(and(eq(users.id, userId), isCallerHospitalStaff(effectiveRole, users.id))),
    selectMemberships(db, effectiveRole, sql`${userId}`),
  ]);
  const { role, hospitalId } = effectiveRole;
  const [[row], memberships] = results;
  if (!row) return denyAccess(call, "user:read", "not_found", { role, hospitalId, target: { user: userId } });
  const entity = { type: "user", id: userId };
  const stored = appendAuditEvent(call, { event: "user.read", action: "R", role, hospitalId, entity });
  return afterAudit(stored, toUser(call.keys, effectiveRole, row, memberships));
}
