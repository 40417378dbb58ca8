// Accounts: one row a person, found by keyed indexes of e-mail and user name.
import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { asCaller, requireRole } from "../access.ts";
import { type Call, idOf, type Role } from "../actor.ts";
import { audit } from "../audit.ts";
import { unlock } from "../auth/lockout.ts";
import { emailIndex, usernameIndex } from "../auth/names.ts";
import { hashPassword, requireGoodPassword } from "../auth/passwords.ts";
import type { Keys } from "../config.ts";
import { count, scopes } from "../counters.ts";
import { open, seal } from "../crypto.ts";
import { batch, isConflict, isMissingReference } from "../db/client.ts";
import { hospitals, memberships, type STAFF_ROLES, users } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import type { Taking } from "../idempotency.ts";
import { uuidv7 } from "../ids.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../pagination.ts";
import { refuse } from "../refusals.ts";

export type NewUser = { email: string; username?: string | undefined; full_name: string; password: string };
export type StaffRole = (typeof STAFF_ROLES)[number];

const Profile = z.object({ email: z.string(), username: z.string().nullable(), full_name: z.string() });
export type Profile = z.infer<typeof Profile>;
const place = (id: string) => ({ table: "users", column: "profile", id });

export async function openProfile(keys: Keys, user: { id: string; profileSealed: string }): Promise<Profile> {
  return Profile.parse(await open(keys.fields, place(user.id), user.profileSealed));
}

/** The row of a new account. @throws ApiError invalid_request (weak password) */
export async function prepareUser(call: Call, input: NewUser): Promise<typeof users.$inferInsert> {
  requireGoodPassword(input.password, [input.email, input.username ?? "", input.full_name]);
  return userRow(call, input);
}

/** As `prepareUser`, without the password policy: for the demo world alone. */
export async function userRow({ keys, now }: Call, input: NewUser): Promise<typeof users.$inferInsert> {
  const id = uuidv7();
  const profile: Profile = { email: input.email, username: input.username ?? null, full_name: input.full_name };
  return {
    id,
    emailIndex: await emailIndex(keys, input.email),
    usernameIndex: input.username === undefined ? null : await usernameIndex(keys, input.username),
    profileSealed: await seal(keys.fields, place(id), profile),
    passwordHash: await hashPassword(input.password),
    passwordChangedAt: now,
    createdAt: now,
    updatedAt: now,
  };
}

/** What a role may give: nobody raises anybody above themselves. */
const MAY_GIVE: Record<Role, readonly StaffRole[]> = {
  admin: ["nurse", "doctor", "hospital_admin"],
  hospital_admin: ["nurse", "doctor", "hospital_admin"],
  doctor: [],
  nurse: [],
  patient: [],
};

/**
 * Creates a member of staff at a hospital: a hospital administrator at their own, an administrator anywhere.
 * @throws ApiError forbidden, not_found (hospital), already_exists, invalid_request
 */
export async function createStaff(
  anyCall: Call,
  input: NewUser & { hospital_id?: string | undefined; role: StaffRole },
  taking: Taking,
): Promise<string> {
  const { call, standing } = await requireRole(anyCall, "user:create");
  const hospitalId = standing.role === "admin" ? input.hospital_id : standing.hospitalId;
  const { role } = standing;
  if (!MAY_GIVE[role].includes(input.role)) return refuse(call, "user:create", "forbidden", { role });
  if (!hospitalId) throw new ApiError("invalid_request", "Name hospital_id.");
  if (input.hospital_id && input.hospital_id !== hospitalId) {
    return refuse(call, "user:create", "not_found", { role, hospitalId, target: { hospital: input.hospital_id } });
  }
  return insertStaff(call, await prepareUser(call, input), hospitalId, input.role, standing.role, taking);
}

/** The account that a repeated request has made before, for a caller who may still make one. */
export async function replayStaff(anyCall: Call, id: string): Promise<string> {
  const { call, standing } = await requireRole(anyCall, "user:create");
  const { role, hospitalId } = standing;
  const entity = { type: "user", id };
  await batch(call.db, audit(call.db, call.actor, call.now, { event: "user.replay", action: "R", role, hospitalId, entity }));
  return id;
}

/** The account, its membership and the trace in one batch. @throws ApiError not_found (hospital), already_exists */
export async function insertStaff(
  call: Call,
  row: typeof users.$inferInsert,
  hospitalId: string,
  role: StaffRole,
  actingRole: Role,
  taking: Taking = () => [],
): Promise<string> {
  const { db, actor, now } = call;
  const createdBy = idOf(actor);
  try {
    await batch(db, [
      ...taking(row.id),
      db.insert(users).values(row),
      count(db, [{ scope: scopes.all, day: 0, name: "users", n: 1 }]),
      db.insert(memberships).values({ userId: row.id, hospitalId, role, createdBy, createdAt: now }),
      ...audit(db, actor, now, {
        event: "user.create",
        action: "C",
        role: actingRole,
        hospitalId,
        entity: { type: "user", id: row.id },
        detail: { role },
      }),
    ]);
  } catch (error) {
    if (isConflict(error, "users")) throw new ApiError("already_exists");
    if (isMissingReference(error)) throw new ApiError("not_found");
    throw error;
  }
  return row.id;
}

/** Lifts a lock: administrators anyone's, hospital administrators that of their hospital's staff. */
export async function unlockUser(anyCall: Call, userId: string): Promise<void> {
  const { call, standing, results } = await asCaller(anyCall, "user:unlock", (standing, { db }) => [
    db
      .select({ id: users.id })
      .from(users)
      .where(
        and(
          eq(users.id, userId),
          standing.role === "admin"
            ? sql`1`
            : sql`EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = ${userId} AND m.hospital_id = ${standing.hospitalId} AND m.ended_at IS NULL)`,
        ),
      ),
  ]);
  const { db, actor, now } = call;
  const { role, hospitalId } = standing;
  if (results[0].length === 0) await refuse(call, "user:unlock", "not_found", { role, hospitalId, target: { user: userId } });
  const entity = { type: "user", id: userId };
  await batch(db, [
    unlock(db, userId),
    ...audit(db, actor, now, { event: "user.unlock", action: "U", role, hospitalId, entity }),
  ]);
}

/** The caller: profile, live role and hospital. */
export async function me(anyCall: Call) {
  const { call, standing, results } = await asCaller(anyCall, "self:read", (standing, { db, actor }) => [
    db.select().from(users).where(eq(users.id, actor.userId)),
    db.select({ id: hospitals.id, name: hospitals.name }).from(hospitals).where(sql`${hospitals.id} = ${standing.hospitalId}`),
  ]);
  const [[user], [hospital]] = results;
  if (!user) throw new ApiError("unauthenticated");
  return {
    user_id: user.id,
    ...(await openProfile(call.keys, user)),
    role: standing.role,
    hospital: hospital ?? null,
    created_at: new Date(user.createdAt).toISOString(),
  };
}

/** Every account of the deployment, newest first. */
export async function listUsers(anyCall: Call, query: PageQuery) {
  const start = await startOf(anyCall, "admin.users", query);
  const { where, orderBy } = keyset(start, users.createdAt, users.id);
  const { call, standing, results } = await asCaller(anyCall, "admin:read", (_, { db }) => [
    db
      .select()
      .from(users)
      .where(where)
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM users LIMIT ${COUNT_LIMIT + 1})`),
  ]);
  const { db, keys, actor, now } = call;
  const [rows, [counted]] = results;
  const { rows: kept, pagination } = await toPage(start, rows, (r) => ({ value: r.createdAt, id: r.id }), {
    n: counted?.n ?? 0,
    exact: false,
  });
  const ids = JSON.stringify(kept.map((row) => row.id));
  const [roles] = await batch(db, [
    db.all<{ user_id: string; hospital_id: string; role: StaffRole }>(
      sql`SELECT user_id, hospital_id, role FROM memberships WHERE ended_at IS NULL AND user_id IN (SELECT value FROM json_each(${ids}))`,
    ),
    ...audit(db, actor, now, { event: "user.list", action: "R", role: standing.role, detail: { count: kept.length } }),
  ]);
  const items = await Promise.all(
    kept.map(async (row) => ({
      user_id: row.id,
      ...(await openProfile(keys, row)),
      is_admin: row.isAdmin === 1,
      is_active: row.active === 1,
      memberships: roles.filter((m) => m.user_id === row.id).map(({ hospital_id, role }) => ({ hospital_id, role })),
      created_at: new Date(row.createdAt).toISOString(),
    })),
  );
  return { items, pagination };
}
