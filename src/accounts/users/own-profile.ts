// What people see and change of their own account.
import { and, eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { sealProfile, unsealProfile } from "../../access/profile.ts";
import { batch, isUniqueViolation } from "../../platform/db/client.ts";
import { hospitals, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { computeUsernameIndex } from "../auth/login-names.ts";
import type { StaffRole } from "./users.ts";

type OwnMembership = { hospital_id: string; name: string; role: StaffRole };
type OwnRecord = { patient_id: string; hospital_id: string };

const selectSelf = ({ db, actor }: UserCall) => db.select().from(users).where(eq(users.id, actor.userId));

/** The caller: profile, live role, hospitals to act for and records of their own. */
export async function getOwnProfile(anyCall: Call) {
  const { call, effectiveRole, results } = await withUser(anyCall, "self:read", (effectiveRole, call) => [
    selectSelf(call),
    call.db
      .select({ id: hospitals.id, name: hospitals.name })
      .from(hospitals)
      .where(sql`${hospitals.id} = ${effectiveRole.hospitalId}`),
    call.db.all<OwnMembership>(sql`SELECT m.hospital_id AS hospital_id, h.name AS name, m.role AS role FROM memberships m
      JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1 WHERE m.user_id = ${call.actor.userId} AND ${ACTIVE_MEMBERSHIP}
      ORDER BY m.created_at, m.hospital_id`),
    call.db.all<OwnRecord>(sql`SELECT p.id AS patient_id, p.hospital_id AS hospital_id FROM patient_links l
      JOIN patients p ON p.id = l.patient_id WHERE l.user_id = ${call.actor.userId} ORDER BY p.id`),
  ]);
  const [[user], [hospital], memberships, patients] = results;
  if (!user) throw new ApiError("unauthenticated");
  return {
    user_id: user.id,
    ...(await unsealProfile(call.keys, user)),
    role: effectiveRole.role,
    hospital: hospital ?? null,
    memberships: memberships,
    patients,
    created_at: new Date(user.createdAt).toISOString(),
    version: user.version,
  };
}

/**
 * Changes the caller's own name or user name. The address is a manager's to change: links and invitations go by it.
 * @throws ApiError precondition_failed, already_exists
 */
export async function updateOwnProfile(
  anyCall: Call,
  version: number,
  change: { full_name?: string | undefined; username?: string | null | undefined },
) {
  const { call, effectiveRole, results } = await withUser(anyCall, "self:write", (_, call) => [selectSelf(call)]);
  const [row] = results[0];
  if (!row) throw new ApiError("unauthenticated");
  const { db, keys, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  const event = { event: "user.update", action: "U", role, hospitalId, entity: { type: "user", id: row.id } } as const;
  const before = await unsealProfile(keys, row);
  const { full_name = before.full_name, username = before.username } = change;
  const [changed] = await batch(db, [
    db
      .update(users)
      .set({
        profileSealed: await sealProfile(keys, row.id, { ...before, full_name, username }),
        usernameIndex: username === null ? null : await computeUsernameIndex(keys, username),
        updatedAt: now,
        version: version + 1,
      })
      .where(and(eq(users.id, row.id), eq(users.version, version), eq(users.version, row.version)))
      .returning({ id: users.id }),
    ...recordAuditEvent(db, actor, now, { ...event, detail: { fields: Object.keys(change) }, when: sql`changes() > 0` }),
  ]).catch((error: unknown) => {
    throw isUniqueViolation(error, "users") ? new ApiError("already_exists") : error;
  });
  if (changed.length === 0) return failWithAudit(call, "precondition_failed", event);
  return { user_id: row.id, ...before, full_name, username, version: version + 1 };
}
