// Weekly schedules of a practitioner (FHIR Schedule), replaced as a whole.
import { type SQL, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound, failWithAudit } from "../../access/deny.ts";
import { isVisibleHospital } from "../../access/effective-role.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { batch, type Db, isRoleChanged } from "../../platform/db/client.ts";
import { uuidv7 } from "../../platform/ids.ts";
import {
  calendarEvent,
  isEditableBy,
  isLocationOf,
  type Owner,
  requireOwner,
  selectPractitioner,
  unknownLocation,
} from "./calendars.ts";
import { EXCEPTION_COLUMNS, type ExceptionRow, toException } from "./exceptions.ts";
import { type ScheduleRow, toSchedule } from "./schedule-rows.ts";

export type NewSchedule = {
  location_id: string | null;
  weekly: readonly (readonly [number, number, number])[];
  valid_from: string | null;
  valid_until: string | null;
  slot_minutes: number;
  buffer_before: number;
  buffer_after: number;
  bookable_by: "staff" | "patients";
};
const SCHEDULE_COLUMNS = sql`id, practitioner_id AS practitionerId, location_id AS locationId, weekly, valid_from AS validFrom,
  valid_until AS validUntil, slot_minutes AS slotMinutes, buffer_before AS bufferBefore, buffer_after AS bufferAfter,
  bookable_by AS bookableBy`;
const showSchedule = (row: ScheduleRow) => {
  const { id, locationId, weekly, validFrom, validUntil, slotMinutes, bufferBefore, bufferAfter, bookableBy } = toSchedule(row);
  return {
    schedule_id: id,
    location_id: locationId,
    weekly: weekly.map(([weekday, from, until]): [number, number, number] => [weekday, from, until]),
    valid_from: validFrom,
    valid_until: validUntil,
    slot_minutes: slotMinutes,
    buffer_before: bufferBefore,
    buffer_after: bufferAfter,
    bookable_by: bookableBy,
  };
};

/** The statements of `showAvailability`. @param condition on the practitioner `n` */
const selectAvailability = (db: Db, practitionerId: string, now: number, condition: SQL) => {
  const visible = sql`SELECT n.id FROM practitioners n WHERE n.id = ${practitionerId} AND ${condition}`;
  const hospital = sql`(SELECT n.hospital_id FROM practitioners n WHERE n.id = ${practitionerId} AND ${condition})`;
  return [
    db.all<Owner>(selectPractitioner(practitionerId, condition)),
    db.all<ScheduleRow>(
      sql`SELECT ${SCHEDULE_COLUMNS} FROM schedules WHERE active = 1 AND practitioner_id IN (${visible}) ORDER BY id`,
    ),
    db.all<ExceptionRow>(sql`SELECT ${EXCEPTION_COLUMNS} FROM schedule_exceptions e WHERE e.practitioner_id IN (${visible})
        AND e.until_at > ${now}
      UNION ALL SELECT ${EXCEPTION_COLUMNS} FROM schedule_exceptions e WHERE e.practitioner_id IS NULL AND e.hospital_id = ${hospital}
        AND e.until_at > ${now}`),
  ] as const;
};

async function showAvailability(
  call: Call,
  effectiveRole: UserEffectiveRole,
  owner: Owner,
  schedules: readonly ScheduleRow[],
  exceptions: readonly ExceptionRow[],
) {
  const ordered = exceptions.toSorted((a, b) => a.fromAt - b.fromAt);
  return {
    practitioner_id: owner.id,
    hospital_id: owner.hospitalId,
    time_zone: owner.zone,
    schedules: schedules.map(showSchedule),
    exceptions: await Promise.all(ordered.map((row) => toException(call, effectiveRole, row))),
    version: owner.version,
  };
}

/** The schedules and exceptions from now on; closures of the hospital are among the exceptions. @throws ApiError not_found */
export async function getAvailability(anyCall: Call, practitionerId: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "availability:read", (effectiveRole, { db, actor, now }) =>
    selectAvailability(db, practitionerId, now, isVisibleHospital(effectiveRole, actor, sql`n.hospital_id`)),
  );
  const [[owner], schedules, exceptions] = results;
  if (!owner) return denyNotFound(call, "availability:read", effectiveRole, { practitioner: practitionerId });
  const stored = appendAuditEvent(call, calendarEvent("availability.read", "R", effectiveRole, owner));
  return afterAudit(stored, showAvailability(call, effectiveRole, owner, schedules, exceptions));
}

/**
 * Replaces all schedules. @param expected null where the practitioner had none before
 * @throws ApiError not_found, precondition_failed, invalid_request
 */
export async function putAvailability(
  anyCall: Call,
  practitionerId: string,
  expected: ExpectedVersion | null,
  schedules: readonly NewSchedule[],
) {
  const { call, effectiveRole, owner } = await requireOwner(
    anyCall,
    "availability:manage",
    { practitioner: practitionerId },
    (role, actor) => selectPractitioner(practitionerId, isEditableBy(role, actor)),
  );
  const { db, actor, now } = call;
  const event = { ...calendarEvent("availability.update", "U", effectiveRole, owner), detail: { schedules: schedules.length } };
  const isExpected =
    owner.version === 0
      ? expected === null || expected === "*"
      : expected !== null && owner.version === matchVersion(expected, owner.version);
  if (!isExpected) return failWithAudit(call, "precondition_failed", event);
  const isThisChange = sql`(SELECT c.version FROM practitioner_calendars c WHERE c.owner_id = ${practitionerId}) = ${owner.version + 1}
    AND changes() > 0`;
  const kept = schedules.map((schedule) => ({ id: uuidv7(), ...schedule }));
  const written = await batch(db, [
    db.all(sql`INSERT INTO practitioner_calendars (owner_id, hospital_id) SELECT ${practitionerId}, ${owner.hospitalId}
      WHERE ${owner.version === 0 ? sql`NOT EXISTS (SELECT 1 FROM practitioner_calendars WHERE owner_id = ${practitionerId})` : sql`1`}
      ON CONFLICT (owner_id) DO UPDATE SET version = practitioner_calendars.version + 1
        WHERE practitioner_calendars.version = ${owner.version} RETURNING 1`),
    // Fails the batch for the loser of a race, whose statement above changed nothing.
    db.all(sql`SELECT abs(-9223372036854775807 - 1 + (${isThisChange})) > 0 AS holds`),
    db.run(sql`DELETE FROM schedules WHERE practitioner_id = ${practitionerId}`),
    ...kept.map((schedule) =>
      db.run(sql`INSERT INTO schedules (id, practitioner_id, hospital_id, location_id, weekly, valid_from, valid_until, slot_minutes,
          buffer_before, buffer_after, bookable_by, created_by, created_at, updated_at)
        VALUES (${schedule.id}, ${practitionerId}, ${owner.hospitalId}, ${isLocationOf(schedule.location_id, owner.hospitalId)},
          ${JSON.stringify(schedule.weekly)}, ${schedule.valid_from}, ${schedule.valid_until},
          CAST(${schedule.slot_minutes} AS INTEGER), CAST(${schedule.buffer_before} AS INTEGER),
          CAST(${schedule.buffer_after} AS INTEGER), ${schedule.bookable_by}, ${actor.userId}, CAST(${now} AS INTEGER),
          CAST(${now} AS INTEGER))`),
    ),
    ...recordAuditEvent(db, actor, now, event),
    ...selectAvailability(db, practitionerId, now, sql`1`),
  ]).catch((error: unknown) => {
    if (isRoleChanged(error)) return failWithAudit(call, "precondition_failed", event);
    throw unknownLocation(error);
  });
  const [[after], rows, exceptions] = written.slice(-3) as [Owner[], ScheduleRow[], ExceptionRow[]];
  return showAvailability(call, effectiveRole, after ?? owner, rows, exceptions);
}
