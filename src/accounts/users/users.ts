// Accounts: one row a person, found by keyed indexes of e-mail and user name.
import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { asCaller, requireRole } from "../../access/access.ts";
import { type Call, idOf, type Role } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { fail, missing, refuse } from "../../access/refusals.ts";
import { openHospital } from "../../access/standing.ts";
import type { Taking } from "../../http/idempotency.ts";
import type { Keys } from "../../platform/config.ts";
import { count, scopes } from "../../platform/counters.ts";
import { open, seal } from "../../platform/crypto.ts";
import { batch, isConflict, isUnmet } from "../../platform/db/client.ts";
import { memberships, SELF_CARE, type STAFF_ROLES, users } from "../../platform/db/schema.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { emailIndex, usernameIndex } from "../auth/names.ts";
import { unlock } from "../passwords/lockout.ts";
import { hashPassword, requireGoodPassword } from "../passwords/passwords.ts";

export type NewUser = { email: string; username?: string | undefined; full_name: string; password: string };
export type StaffRole = (typeof STAFF_ROLES)[number];

const Profile = z.object({ email: z.string(), username: z.string().nullable(), full_name: z.string() });
export type Profile = z.infer<typeof Profile>;
const place = (id: string) => ({ table: "users", column: "profile", id });

export function sealProfile(keys: Keys, id: string, profile: Profile): Promise<string> {
  return seal(keys.fields, place(id), profile);
}

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
    profileSealed: await sealProfile(keys, id, profile),
    passwordHash: await hashPassword(input.password),
    passwordChangedAt: now,
    createdAt: now,
    updatedAt: now,
  };
}

/** What a role may give: nobody raises anybody above themselves. */
export const MAY_GIVE: Record<Role, readonly StaffRole[]> = {
  admin: ["nurse", "doctor", "hospital_admin"],
  hospital_admin: ["nurse", "doctor", "hospital_admin"],
  doctor: [],
  nurse: [],
  patient: [],
};

/**
 * Creates a member of staff at a hospital: a hospital administrator at their own, an administrator anywhere.
 * @throws ApiError forbidden, not_found (hospital), registration_refused (address or user name are taken), invalid_request
 */
export async function createStaff(
  anyCall: Call,
  input: NewUser & { hospital_id?: string | undefined; role: StaffRole },
  taking: Taking,
): Promise<string> {
  const { call, standing } = await requireRole(anyCall, "user:create");
  const hospitalId = standing.role === "admin" ? input.hospital_id : standing.hospitalId;
  const { role } = standing;
  if (!MAY_GIVE[role].includes(input.role)) return refuse(call, "user:create", "forbidden", { role, fields: ["role"] });
  if (!hospitalId) throw missing("hospital_id");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE) {
    return refuse(call, "user:create", "not_found", { role, hospitalId, target: { hospital: input.hospital_id ?? hospitalId } });
  }
  const row = { ...(await prepareUser(call, input)), passwordGiven: 1 };
  return insertStaff(call, row, hospitalId, input.role, standing.role, taking);
}

/** The account that a repeated request has made before, for a caller who may still make one. */
export async function replayStaff(anyCall: Call, id: string): Promise<string> {
  const { call, standing } = await requireRole(anyCall, "user:create");
  const { role, hospitalId } = standing;
  const entity = { type: "user", id };
  await batch(call.db, audit(call.db, call.actor, call.now, { event: "user.replay", action: "R", role, hospitalId, entity }));
  return id;
}

/** The account, its membership and the trace in one batch. @throws ApiError not_found (hospital), registration_refused */
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
  const seat = { userId: row.id, hospitalId: openHospital(hospitalId), role, createdBy, createdAt: now };
  const event = { event: "user.create", action: "C", role: actingRole, hospitalId, detail: { role } } as const;
  try {
    await batch(db, [
      ...taking(row.id),
      db.insert(users).values(row),
      count(db, [{ scope: scopes.all, day: 0, name: "users", n: 1 }]),
      db.insert(memberships).values(seat),
      ...audit(db, actor, now, { ...event, entity: { type: "user", id: row.id } }),
    ]);
  } catch (error) {
    if (isConflict(error, "users.")) return fail(call, "registration_refused", event);
    if (isUnmet(error, "memberships.hospital_id")) {
      return refuse(call, "user:create", "not_found", { role: actingRole, hospitalId, target: { hospital: hospitalId } });
    }
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
