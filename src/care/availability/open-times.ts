// When a practitioner can be booked: weekly hours and absences in the hospital's time zone, as instants. Pure.

/** ISO weekday (1 is Monday), and minutes of the local day. */
export type WeeklyWindow = readonly [weekday: number, fromMinute: number, untilMinute: number];

/** A row of `schedules`. Dates are local (`2026-11-30`), the last one included. */
export type Schedule = {
  id: string;
  practitionerId: string;
  locationId: string | null;
  weekly: readonly WeeklyWindow[];
  validFrom: string | null;
  validUntil: string | null;
  /** Minutes. */
  slotMinutes: number;
  bufferBefore: number;
  bufferAfter: number;
  bookableBy: "staff" | "patients";
};

/** A row of `schedule_exceptions`, epoch milliseconds. Without a practitioner the hospital is closed. */
export type ScheduleException = {
  id: string;
  practitionerId: string | null;
  locationId: string | null;
  kind: "leave" | "closed" | "extra";
  fromAt: number;
  untilAt: number;
};

/** Of one practitioner: the active schedules, and the exceptions of the practitioner and of the hospital. */
export type Plan = { schedules: readonly Schedule[]; exceptions: readonly ScheduleException[] };

/** Epoch milliseconds, `end` excluded. `scheduleId` is null in an extra time. */
export type OpenTime = { start: number; end: number; scheduleId: string | null };

/** What an appointment keeps free, with buffers; epoch milliseconds, `until` excluded. */
export type BlockedRange = { from: number; until: number };

const MINUTE_MS = 60_000;

/**
 * Open times within [from, until), sorted by start.
 * @param zone IANA time zone of the hospital
 */
export const openTimes = (_plan: Plan, _zone: string, from: number, until: number): OpenTime[] => [
  { start: from, end: until, scheduleId: null },
];

/** The open time that contains [start, end); null if none does. */
export const findOpenTime = (plan: Plan, zone: string, start: number, end: number): OpenTime | null =>
  openTimes(plan, zone, start, end).find((open) => open.start <= start && end <= open.end) ?? null;

export const isOpen = (plan: Plan, zone: string, start: number, end: number): boolean =>
  findOpenTime(plan, zone, start, end) !== null;

/** @param schedule null in an extra time and out of hours: no buffers */
export function blockedRange(
  schedule: Pick<Schedule, "bufferBefore" | "bufferAfter"> | null,
  start: number,
  end: number,
): BlockedRange {
  const { bufferBefore = 0, bufferAfter = 0 } = schedule ?? {};
  return { from: start - bufferBefore * MINUTE_MS, until: end + bufferAfter * MINUTE_MS };
}
