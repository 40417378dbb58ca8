// Calendar days and wall times of a time zone, and the instants for which they stand. People choose days; the API filters by instant.
import { DAY_MS, HOUR_MS } from "../durations.ts";
import { getScreenZone } from "./screen-zone.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

function getFormat(zone: string): Intl.DateTimeFormat {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  formats.set(zone, format);
  return format;
}

/** Offset of the zone from UTC at that instant, ms. */
function zoneOffsetMs(at: number, zone: string): number {
  const parts = new Map(
    getFormat(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? Number.NaN;
  const local = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return local - Math.floor(at / 1000) * 1000;
}

/** "2026-11-21", and a day that exists. */
export const isDateString = (text: string | undefined): text is string =>
  text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true;

/** Local time as if it were UTC, ms. */
const toWallMs = (at: number, zone: string): number => at + zoneOffsetMs(at, zone);

/**
 * The first instant with this local time. A time that the clocks skip has none; @returns then the first instant after the gap.
 * @param wall the local time as if it were UTC, ms
 */
function findInstant(wall: number, zone: string): { at: number; exists: boolean } {
  // No zone is a day off UTC, so these are the offsets on both sides of a change of the clocks.
  const [before, after] = [zoneOffsetMs(wall - DAY_MS, zone), zoneOffsetMs(wall + DAY_MS, zone)];
  const matches = [wall - before, wall - after].filter((at) => toWallMs(at, zone) === wall);
  if (matches.length > 0) return { at: Math.min(...matches), exists: true };
  let [skipped, reached] = [wall - Math.max(before, after), wall - Math.min(before, after)];
  while (reached - skipped > 1) {
    const middle = Math.floor((skipped + reached) / 2);
    if (toWallMs(middle, zone) < wall) skipped = middle;
    else reached = middle;
  }
  return { at: reached, exists: false };
}

/** "2026-11-22" */
export const dayInZone = (at: number, zone = getScreenZone()): string => new Date(toWallMs(at, zone)).toISOString().slice(0, 10);

/** The first instant of a day; of the next one where the zone skips the day. */
export const startOfDay = (day: string, zone = getScreenZone()): number => findInstant(Date.parse(`${day}T00:00:00Z`), zone).at;

export const startOfDayIso = (day: string, zone?: string): string => new Date(startOfDay(day, zone)).toISOString();

/** The first instant after a day. */
export const endOfDayIso = (day: string, zone?: string): string => startOfDayIso(addDays(day), zone);

/** The day `n` days later, or earlier when negative. */
export const addDays = (day: string, days = 1): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** Instant of a local time: "2026-11-21T08:34"; the first of two. @returns null when it is invalid or the clocks skip it */
export function parseWallTime(wallTime: string, zone = getScreenZone()): string | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(wallTime) || !isDateString(wallTime.slice(0, 10))) return null;
  const wall = Date.parse(`${wallTime}:00Z`);
  if (Number.isNaN(wall)) return null;
  const { at, exists } = findInstant(wall, zone);
  return exists ? new Date(at).toISOString() : null;
}

/** Local time at an instant: "2026-11-21T08:34". */
export const formatWallTime = (at: number, zone = getScreenZone()): string =>
  new Date(toWallMs(at, zone)).toISOString().slice(0, 16);

/** The instants of a window at which the clocks show a multiple of the step since midnight, for the ticks of an axis. */
export function listWallTimes({ from, to }: { from: number; to: number }, step: number, zone = getScreenZone()): number[] {
  const instants: number[] = [];
  for (let wall = Math.ceil(toWallMs(from, zone) / step) * step; wall <= toWallMs(to, zone) + HOUR_MS; wall += step) {
    const { at } = findInstant(wall, zone);
    if (at >= from && at <= to && at > (instants.at(-1) ?? Number.NEGATIVE_INFINITY)) instants.push(at);
  }
  return instants;
}
