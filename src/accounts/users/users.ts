// User accounts: creation of staff and unlocking. Accounts are found by keyed indexes of e-mail and user name.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { requireRole, withUser } from "../../access/access.ts";
import { type Call, getActorId, type Role } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit, requiredFieldError } from "../../access/deny.ts";
import { activeHospitalId, isCallerHospitalStaff, resolveHospitalId } from "../../access/effective-role.ts";
import { type Profile, sealProfile } from "../../access/profile.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { COUNTER_SCOPES, incrementCounters } from "../../platform/counters.ts";
import { batch, isConditionFailed, isUniqueViolation, type Statement } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { memberships, SELF_CARE_HOSPITAL_ID, type STAFF_ROLES, users } from "../../platform/db/schema.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { computeEmailIndex, computeUsernameIndex } from "../auth/login-names.ts";
import { verificationStatements } from "../email/email-links.ts";
import { hashCaller, withHashSlot } from "../passwords/hash-queue.ts";
import { clearLoginAttempts } from "../passwords/lockout.ts";
import { assertPasswordPolicy, hashPassword } from "../passwords/passwords.ts";

export type NewUser = { email: string; username?: string | undefined; full_name: string; password: string };
export type StaffRole = (typeof STAFF_ROLES)[number];

/** Prepares the row of a new account. @throws ApiError invalid_request (weak password), unavailable (hash queue full) */
export async function createUserRow(call: Call, input: NewUser): Promise<typeof users.$inferInsert> {
  assertPasswordPolicy(input.password, [input.email, input.username ?? "", input.full_name]);
  return withHashSlot(hashCaller(call.actor), (slot) => slot.run(() => createUnverifiedUserRow(call, input)));
}

/** Like `createUserRow`, without the password policy and the hash queue: only for demo data. */
export async function createUnverifiedUserRow({ keys, now }: Call, input: NewUser): Promise<typeof users.$inferInsert> {
  const id = uuidv7();
  const profile: Profile = { email: input.email, username: input.username ?? null, full_name: input.full_name };
  return {
    id,
    emailIndex: await computeEmailIndex(keys, input.email),
    usernameIndex: input.username === undefined ? null : await computeUsernameIndex(keys, input.username),
    profileSealed: await sealProfile(keys, id, profile),
    passwordHash: await hashPassword(input.password),
    passwordChangedAt: now,
    createdAt: now,
    updatedAt: now,
  };
}

/** Roles that each role may grant: nobody grants a role above their own. */
export const GRANTABLE_ROLES: Record<Role, readonly StaffRole[]> = {
  admin: ["nurse", "doctor", "hospital_admin"],
  hospital_admin: ["nurse", "doctor", "hospital_admin"],
  doctor: [],
  nurse: [],
  patient: [],
};

/**
 * Creates a staff account, and sends a link to verify its address: hospital administrators at their own hospital, platform administrators at any.
 * @throws ApiError forbidden, not_found (hospital), registration_refused (e-mail or user name is taken), invalid_request
 */
export async function createStaff(
  anyCall: Call,
  input: NewUser & { hospital_id?: string | undefined; role: StaffRole },
  keyStatements: KeyStatements,
): Promise<string> {
  const { call, effectiveRole } = await requireRole(anyCall, "user:create");
  const hospitalId = resolveHospitalId(effectiveRole, input.hospital_id);
  const { role } = effectiveRole;
  if (!GRANTABLE_ROLES[role].includes(input.role))
    return denyAccess(call, "user:create", "forbidden", { role, fields: ["role"] });
  if (!hospitalId) throw requiredFieldError("hospital_id");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE_HOSPITAL_ID) {
    return denyAccess(call, "user:create", "not_found", {
      role,
      hospitalId,
      target: { hospital: input.hospital_id ?? hospitalId },
    });
  }
  const row = { ...(await createUserRow(call, input)), passwordGiven: 1 };
  const verification = await verificationStatements(call, row.id, input.email);
  return insertStaff(call, row, hospitalId, input.role, effectiveRole.role, keyStatements, verification);
}

/** Replays an idempotent create, for a caller who may still create staff. */
export async function replayStaff(anyCall: Call, id: string): Promise<string> {
  const { call, effectiveRole } = await requireRole(anyCall, "user:create");
  const { role, hospitalId } = effectiveRole;
  const entity = { type: "user", id };
  await batch(
    call.db,
    recordAuditEvent(call.db, call.actor, call.now, { event: "user.replay", action: "R", role, hospitalId, entity }),
  );
  return id;
}

/** `created_by` of a new membership; NULL at the member limit. */
export const memberAuthorUnlessFull = (author: string, hospitalId: string, userId: string): SQL =>
  unlessFull(author, ROW_LIMITS.members, sql`memberships WHERE hospital_id = ${hospitalId} AND user_id <> ${userId}`);

/**
 * Inserts account, membership and audit event in one batch.
 * @throws ApiError not_found (hospital), registration_refused, limit_reached
 */
export async function insertStaff(
  call: Call,
  row: typeof users.$inferInsert,
  hospitalId: string,
  role: StaffRole,
  actingRole: Role,
  keyStatements: KeyStatements = () => [],
  verification: readonly Statement[] = [],
): Promise<string> {
  const { db, actor, now } = call;
  const createdBy = memberAuthorUnlessFull(getActorId(actor), hospitalId, row.id);
  const membership = { userId: row.id, hospitalId: activeHospitalId(hospitalId), role, createdBy, createdAt: now };
  const event = { event: "user.create", action: "C", role: actingRole, hospitalId, detail: { role } } as const;
  try {
    await batch(db, [
      ...keyStatements(row.id),
      db.insert(users).values(row),
      incrementCounters(db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "users", n: 1 }]),
      db.insert(memberships).values(membership),
      ...verification,
      ...recordAuditEvent(db, actor, now, { ...event, entity: { type: "user", id: row.id } }),
    ]);
  } catch (error) {
    if (isUniqueViolation(error, "users.")) return failWithAudit(call, "registration_refused", event);
    if (isConditionFailed(error, "memberships.hospital_id")) {
      return denyAccess(call, "user:create", "not_found", { role: actingRole, hospitalId, target: { hospital: hospitalId } });
    }
    throw toLimitError(error, ROW_LIMITS.members);
  }
  return row.id;
}

/** Unlocks an account: administrators any, hospital administrators those of their hospital's staff. */
export async function unlockUser(anyCall: Call, userId: string): Promise<void> {
  const { call, effectiveRole, results } = await withUser(anyCall, "user:unlock", (effectiveRole, { db }) => [
    db
      .select({ id: users.id })
      .from(users)
      .where(and(eq(users.id, userId), isCallerHospitalStaff(effectiveRole, users.id))),
  ]);
  const { db, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  if (results[0].length === 0) await denyAccess(call, "user:unlock", "not_found", { role, hospitalId, target: { user: userId } });
  const entity = { type: "user", id: userId };
  await batch(db, [
    clearLoginAttempts(db, userId),
    ...recordAuditEvent(db, actor, now, { event: "user.unlock", action: "U", role, hospitalId, entity }),
  ]);
}
