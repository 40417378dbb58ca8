// Whose open times are changed: a practitioner's, or the closures of a hospital. Every change raises the version of the calendar in its
// batch; a booking compares the version that it was decided by.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserActor, UserEffectiveRole } from "../../access/actor.ts";
import { denyNotFound } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { type Db, isForeignKeyViolation, type Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";

/** A practitioner's calendar, or that of a hospital. */
export type Owner = { id: string; hospitalId: string; zone: string; version: number };

/** Doctors and nurses change their own calendar, managers those of their hospital. */
export function isEditableBy(effectiveRole: UserEffectiveRole, { userId }: UserActor): SQL {
  const isHere = isInCallerHospital(effectiveRole, sql`n.hospital_id`);
  const isOwn = effectiveRole.role === "doctor" || effectiveRole.role === "nurse";
  return isOwn ? sql`${isHere} AND n.user_id = ${userId}` : isHere;
}

export const selectPractitioner = (
  id: string,
  condition: SQL,
): SQL => sql`SELECT n.id AS id, n.hospital_id AS hospitalId, h.time_zone AS zone,
  coalesce((SELECT c.version FROM practitioner_calendars c WHERE c.owner_id = n.id), 0) AS version
  FROM practitioners n JOIN hospitals h ON h.id = n.hospital_id WHERE n.id = ${id} AND ${condition}`;

export const selectHospital = (id: string, condition: SQL): SQL => sql`SELECT h.id AS id, h.id AS hospitalId, h.time_zone AS zone,
  coalesce((SELECT c.version FROM practitioner_calendars c WHERE c.owner_id = h.id), 0) AS version
  FROM hospitals h WHERE h.id = ${id} AND ${condition}`;

export async function requireOwner(
  anyCall: Call,
  permission: Permission,
  target: Record<string, string>,
  select: (effectiveRole: UserEffectiveRole, actor: UserActor) => SQL,
) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db, actor }) => [
    db.all<Owner>(select(effectiveRole, actor)),
  ]);
  const [owner] = results[0];
  if (!owner) return denyNotFound(call, permission, effectiveRole, target);
  return { call, effectiveRole, owner };
}

export const calendarEvent = (
  event: "availability.read" | "availability.update" | "schedule_exception.create" | "schedule_exception.delete",
  action: "C" | "R" | "U" | "D",
  { role }: UserEffectiveRole,
  { id, hospitalId }: Owner,
) => ({ event, action, role, hospitalId, entity: { type: id === hospitalId ? "hospital" : "practitioner", id } });

export const raiseVersion = (db: Db, { id, hospitalId }: Owner): Statement =>
  db.run(sql`INSERT INTO practitioner_calendars (owner_id, hospital_id) VALUES (${id}, ${hospitalId})
    ON CONFLICT (owner_id) DO UPDATE SET version = practitioner_calendars.version + 1`);

export const isLocationOf = (locationId: string | null, hospitalId: string): SQL | null =>
  locationId === null
    ? null
    : sql`coalesce((SELECT id FROM locations WHERE id = ${locationId} AND hospital_id = ${hospitalId}), 'nowhere')`;

export const unknownLocation = (error: unknown): unknown =>
  isForeignKeyViolation(error)
    ? new ApiError("invalid_request", undefined, {
        errors: [{ path: "location_id", message: "Must be a location of the hospital", code: "custom" }],
      })
    : error;
