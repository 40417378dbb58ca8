// What decides whether a time can be booked: the hospital's rules, the practitioner, and the open times with their version.

import { type SQL, sql } from "drizzle-orm";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import type { Db } from "../../platform/db/client.ts";
import { ROW_LIMITS, unlessFull } from "../../platform/db/row-limits.ts";
import type { SELF_BOOKING } from "../../platform/db/vocabulary.ts";
import { CARE_DEFAULTS } from "../availability/care-settings.ts";
import type { Plan, ScheduleException } from "../availability/open-times.ts";
import { type ScheduleRow, toSchedule } from "../availability/schedule-rows.ts";

/** The rules that bookings follow; a hospital without any has the defaults. */
export type CareRules = Record<"leadMinutes" | "windowDays" | "cancelUntilMinutes" | "maxOpenOwn" | "proposalMinutes", number> & {
  selfBooking: (typeof SELF_BOOKING)[number];
};
const DEFAULTS: CareRules = {
  selfBooking: CARE_DEFAULTS.self_booking,
  leadMinutes: CARE_DEFAULTS.lead_minutes,
  windowDays: CARE_DEFAULTS.window_days,
  cancelUntilMinutes: CARE_DEFAULTS.cancel_until_minutes,
  maxOpenOwn: CARE_DEFAULTS.max_open_own,
  proposalMinutes: CARE_DEFAULTS.proposal_minutes,
};

type RulesRow = Partial<Record<keyof CareRules, number | string | null>> & { zone: string; version: string };

/** A profile `n` that is active, of a doctor or nurse who works at the hospital. */
export const isBookablePractitioner = (
  practitionerId: string,
  hospitalId: SQL | string,
): SQL => sql`EXISTS (SELECT 1 FROM practitioners n
  JOIN users u ON u.id = n.user_id AND u.active = 1 JOIN hospitals h ON h.id = n.hospital_id AND h.active = 1
  JOIN memberships m ON m.user_id = n.user_id AND m.hospital_id = n.hospital_id AND ${ACTIVE_MEMBERSHIP}
  WHERE n.id = ${practitionerId} AND n.hospital_id = ${hospitalId} AND n.active = 1 AND m.role IN ('doctor', 'nurse'))`;

/** Changes with every change of the open times of the practitioner, and of the hospital's closures. */
export const selectCalendarVersion = (practitionerId: string): SQL => sql`(SELECT
  coalesce((SELECT c.version FROM practitioner_calendars c WHERE c.owner_id = ${practitionerId}), 0) || '.' ||
  coalesce((SELECT c.version FROM practitioner_calendars c JOIN practitioners n ON n.hospital_id = c.owner_id
    WHERE n.id = ${practitionerId}), 0))`;

export const PATIENT_BUSY = "The patient has another appointment at that time.";
const MAX_LENGTH_MS = 8 * 3_600_000;
/** Whether the patient has an appointment other than `exceptId` that intersects: a person cannot be at two places at once. */
export const isPatientBusy = (patientId: string, start: number, end: number, now: number, exceptId = ""): SQL => sql`EXISTS (
  SELECT 1 FROM appointments WHERE patient_id = ${patientId} AND holds = 1 AND starts_at > ${start - MAX_LENGTH_MS}
    AND starts_at < ${end} AND ends_at > ${start} AND id <> ${exceptId} AND (status <> 'proposed' OR expires_at > ${now}))`;

/** The id, or NULL for a practitioner who has as many appointments ahead as there may be. */
export const unlessBookedOut = (practitionerId: string, now: number): SQL =>
  unlessFull(
    practitionerId,
    ROW_LIMITS.practitionerAppointments,
    sql`appointments WHERE practitioner_id = ${practitionerId} AND starts_at > ${now} AND holds = 1`,
  );

/** Statements that read the plan of a practitioner, for `toPlan`. @param from @param until exceptions that touch this range, Unix ms */
export const selectPlan = (db: Db, practitionerId: string, from: number, until: number) =>
  [
    db.all<RulesRow>(sql`SELECT h.time_zone AS zone, ${selectCalendarVersion(practitionerId)} AS version, s.self_booking AS selfBooking,
        s.lead_minutes AS leadMinutes, s.window_days AS windowDays, s.cancel_until_minutes AS cancelUntilMinutes,
        s.max_open_own AS maxOpenOwn, s.proposal_minutes AS proposalMinutes
      FROM practitioners n JOIN hospitals h ON h.id = n.hospital_id LEFT JOIN care_settings s ON s.hospital_id = h.id
      WHERE n.id = ${practitionerId}`),
    db.all<ScheduleRow>(sql`SELECT id, practitioner_id AS practitionerId, location_id AS locationId, weekly, valid_from AS validFrom,
        valid_until AS validUntil, slot_minutes AS slotMinutes, buffer_before AS bufferBefore, buffer_after AS bufferAfter,
        bookable_by AS bookableBy FROM schedules WHERE practitioner_id = ${practitionerId} AND active = 1`),
    db.all<ScheduleException>(sql`SELECT id, practitioner_id AS practitionerId, location_id AS locationId, kind, from_at AS fromAt,
        until_at AS untilAt FROM schedule_exceptions WHERE practitioner_id = ${practitionerId} AND until_at > ${from} AND from_at < ${until}
      UNION ALL SELECT e.id, NULL, e.location_id, e.kind, e.from_at, e.until_at FROM practitioners n
        JOIN schedule_exceptions e ON e.hospital_id = n.hospital_id AND e.practitioner_id IS NULL AND e.until_at > ${from}
          AND e.from_at < ${until} WHERE n.id = ${practitionerId}`),
  ] as const;

export type BookingPlan = { rules: CareRules; zone: string; version: string; plan: Plan };

/** Null for a practitioner who does not exist. */
export function toPlan(
  [row]: readonly RulesRow[],
  schedules: readonly ScheduleRow[],
  exceptions: readonly ScheduleException[],
): BookingPlan | null {
  if (!row) return null;
  const { zone, version, ...found } = row;
  const known = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null));
  const plan = {
    schedules: schedules.map(toSchedule),
    exceptions,
  };
  return { rules: { ...DEFAULTS, ...known } as CareRules, zone, version, plan };
}
