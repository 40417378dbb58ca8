// When a practitioner can be booked: weekly hours and absences in the hospital's time zone, as instants. Pure.
import { Temporal } from "temporal-polyfill";

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

/**
 * Epoch milliseconds, `end` excluded. `scheduleId` is null in an extra time. `windowStart`: where the window began before leave and the
 * asked range cut it; slots are counted from there.
 */
export type OpenTime = { start: number; end: number; windowStart: number; scheduleId: string | null };

/** What an appointment keeps free, with buffers; epoch milliseconds, `until` excluded. */
export type BlockedRange = { from: number; until: number };

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

type Interval = { start: number; end: number };

/**
 * A minute of a local day as an instant: a time that a change of clocks leaves out is the moment of the change, one that comes twice is
 * the first.
 */
function toInstant(day: Temporal.PlainDate, minute: number, zone: string): number {
  const days = Math.floor(minute / 1440);
  const time = Temporal.PlainTime.from({ hour: Math.floor((minute % 1440) / 60), minute: minute % 60 });
  const local = day.add({ days }).toPlainDateTime(time);
  const found = local.toZonedDateTime(zone, { disambiguation: "compatible" });
  const isLeftOut = Temporal.PlainDateTime.compare(found.toPlainDateTime(), local) !== 0;
  return (isLeftOut ? (found.getTimeZoneTransition("previous") ?? found) : found).epochMilliseconds;
}

/** The windows of one schedule on the local days that touch the range. */
function windowsOf({ weekly, validFrom, validUntil }: Schedule, zone: string, from: number, until: number): Interval[] {
  const windows: Interval[] = [];
  const last = Temporal.Instant.fromEpochMilliseconds(until).toZonedDateTimeISO(zone).toPlainDate();
  let day = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(zone).toPlainDate();
  for (; Temporal.PlainDate.compare(day, last) <= 0; day = day.add({ days: 1 })) {
    const date = day.toString();
    if ((validFrom !== null && date < validFrom) || (validUntil !== null && date > validUntil)) continue;
    for (const [weekday, start, end] of weekly)
      if (weekday === day.dayOfWeek) windows.push({ start: toInstant(day, start, zone), end: toInstant(day, end, zone) });
  }
  return windows;
}

/** What is left of an interval without the others. */
function subtract(interval: Interval, taken: readonly Interval[]): Interval[] {
  return taken.reduce<Interval[]>(
    (left, { start, end }) =>
      left.flatMap((part) =>
        end <= part.start || part.end <= start
          ? [part]
          : [
              { start: part.start, end: start },
              { start: end, end: part.end },
            ].filter((rest) => rest.start < rest.end),
      ),
    [interval],
  );
}

const clip = ({ start, end }: Interval, from: number, until: number): Interval => ({
  start: Math.max(start, from),
  end: Math.min(end, until),
});

/**
 * Open times within [from, until), sorted by start: weekly windows and extra times without leave and closures. Two schedules of one
 * practitioner may be open at the same time, at different places.
 * @param zone IANA time zone of the hospital
 */
export function openTimes({ schedules, exceptions }: Plan, zone: string, from: number, until: number): OpenTime[] {
  const taken = exceptions
    .filter(({ kind }) => kind !== "extra")
    .map(({ fromAt, untilAt, locationId }) => ({ start: fromAt, end: untilAt, locationId }));
  const takenAt = (locationId: string | null) =>
    taken.filter((away) => away.locationId === null || away.locationId === locationId);
  const weekly = schedules.flatMap((schedule) =>
    windowsOf(schedule, zone, from - DAY_MS, until).flatMap((window) =>
      subtract(window, takenAt(schedule.locationId)).map((open) => ({
        ...clip(open, from, until),
        windowStart: window.start,
        scheduleId: schedule.id,
      })),
    ),
  );
  const extra = exceptions
    .filter(({ kind }) => kind === "extra")
    .flatMap(({ fromAt, untilAt, locationId }) =>
      subtract({ start: fromAt, end: untilAt }, takenAt(locationId)).map((open) => ({
        ...clip(open, from, until),
        windowStart: fromAt,
        scheduleId: null,
      })),
    );
  return [...weekly, ...extra].filter(({ start, end }) => start < end).sort((a, b) => a.start - b.start || a.end - b.end);
}

/** The open time that contains [start, end); null if none does. Windows that meet are one time for an appointment over both. */
export function findOpenTime(plan: Plan, zone: string, start: number, end: number): OpenTime | null {
  let reached = start;
  let first: OpenTime | null = null;
  for (const open of openTimes(plan, zone, start, end)) {
    if (open.start > reached) break;
    first ??= open;
    reached = Math.max(reached, open.end);
  }
  return reached >= end ? first : null;
}

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
