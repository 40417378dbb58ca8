// The caller's own account: profile, role, hospitals and patient records.

import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { withUser } from "../../access/access.ts";
import type { Call, UserCall } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { sealProfile, unsealProfile } from "../../access/profile.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { unreadCount } from "../../notifications/in-app/notifications.ts";
import { batch, isUniqueViolation } from "../../platform/db/client.ts";
import { SELF_CARE_HOSPITAL_ID, STAFF_ROLES, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { computeUsernameIndex } from "../auth/login-names.ts";
import { requiredFrom } from "../factors/factor-policy.ts";
import { hasFactor } from "../factors/factors.ts";

/** JSON columns: one statement is cheaper than four. */
const Hospital = z.object({ id: z.string(), name: z.string(), time_zone: z.string() }).nullable();
const OwnMemberships = z.array(z.object({ hospital_id: z.string(), name: z.string(), role: z.enum(STAFF_ROLES) }));
const OwnRecords = z.array(
  z.object({ patient_id: z.string(), hospital_id: z.string(), hospital_name: z.string(), time_zone: z.string().nullable() }),
);
type OwnProfileRow = {
  id: string;
  profileSealed: string;
  emailVerifiedAt: number | null;
  createdAt: number;
  version: number;
  hospital: string;
  memberships: string;
  patients: string;
  required_from: number | null;
  is_enrolled: number;
  unread: number;
  is_privacy_officer: number;
};

const selectSelf = ({ db, actor }: UserCall) => db.select().from(users).where(eq(users.id, actor.userId));

/** Returns the caller's profile, current role, memberships and own patient records. */
export async function getOwnProfile(anyCall: Call) {
  const { call, effectiveRole, results } = await withUser(anyCall, "self:read", (effectiveRole, { db, actor }) => [
    db.all<OwnProfileRow>(sql`SELECT u.id AS id, u.profile_sealed AS profileSealed, u.created_at AS createdAt, u.version AS version,
      u.email_verified_at AS emailVerifiedAt,
      coalesce((SELECT json_object('id', id, 'name', name, 'time_zone', time_zone) FROM hospitals WHERE id = ${effectiveRole.hospitalId}), 'null') AS hospital,
      (SELECT json_group_array(json_object('hospital_id', hospital_id, 'name', name, 'role', role)) FROM (
        SELECT m.hospital_id AS hospital_id, h.name AS name, m.role AS role FROM memberships m
          JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1 WHERE m.user_id = u.id AND ${ACTIVE_MEMBERSHIP}
          ORDER BY m.created_at, m.hospital_id)) AS memberships,
      (SELECT json_group_array(json_object('patient_id', patient_id, 'hospital_id', hospital_id, 'hospital_name', hospital_name,
        'time_zone', time_zone)) FROM (
        SELECT p.id AS patient_id, p.hospital_id AS hospital_id, h.name AS hospital_name, CASE h.id WHEN ${SELF_CARE_HOSPITAL_ID} THEN NULL ELSE h.time_zone END AS time_zone
          FROM patient_links l
          JOIN patients p ON p.id = l.patient_id JOIN hospitals h ON h.id = p.hospital_id WHERE l.user_id = u.id ORDER BY p.id)) AS patients,
      ${requiredFrom(effectiveRole)} AS required_from, ${hasFactor(sql`u.id`)} AS is_enrolled, ${unreadCount(actor)} AS unread,
      EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id AND m.hospital_id = ${effectiveRole.hospitalId} AND m.privacy_officer = 1
        AND ${ACTIVE_MEMBERSHIP}) AS is_privacy_officer
      FROM users u WHERE u.id = ${actor.userId}`),
  ]);
  const [[user]] = results;
  if (!user) throw new ApiError("unauthenticated");
  return {
    user_id: user.id,
    ...(await unsealProfile(call.keys, user)),
    email_verified: user.emailVerifiedAt !== null,
    role: effectiveRole.role,
    is_privacy_officer: user.is_privacy_officer === 1,
    hospital: Hospital.parse(JSON.parse(user.hospital)),
    memberships: OwnMemberships.parse(JSON.parse(user.memberships)),
    patients: OwnRecords.parse(JSON.parse(user.patients)),
    second_step: {
      required_from: toIsoOrNull(user.required_from),
      is_enrolled: user.is_enrolled === 1,
      is_done: effectiveRole.signIn?.hasSecondStep ?? false,
    },
    unread_notifications: user.unread,
    created_at: toIso(user.createdAt),
    version: user.version,
  };
}

/**
 * Changes the caller's own full name or user name. The e-mail is changed by a link (email/change-address.ts) or by a manager.
 * @throws ApiError precondition_failed, already_exists
 */
export async function updateOwnProfile(
  anyCall: Call,
  expected: ExpectedVersion,
  change: { full_name?: string | undefined; username?: string | null | undefined },
) {
  const { call, effectiveRole, results } = await withUser(anyCall, "self:write", (_, call) => [selectSelf(call)]);
  const [row] = results[0];
  if (!row) throw new ApiError("unauthenticated");
  const version = matchVersion(expected, row.version);
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
      .where(and(eq(users.id, row.id), eq(users.version, version)))
      .returning({ id: users.id }),
    ...recordAuditEvent(db, actor, now, { ...event, detail: { fields: Object.keys(change) }, when: sql`changes() > 0` }),
  ]).catch((error: unknown) => {
    throw isUniqueViolation(error, "users") ? new ApiError("already_exists") : error;
  });
  if (changed.length === 0) return failWithAudit(call, "precondition_failed", event);
  return { user_id: row.id, ...before, full_name, username, version: version + 1 };
}
