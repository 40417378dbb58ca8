// Converts between a hospital's calendar days and instants: the API filters by instant, users choose days.

import { DAY_MS } from "../platform/durations.ts";

/** Start of the day in the zone. @param zone the hospital's; default: the browser's */
export function startOfDayIso(day: string, zone?: string): string {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // Two passes: at a clock change, the offset at the guess differs from the offset at the result.
  let at = midnight - zoneOffsetMs(midnight, zone);
  at = midnight - zoneOffsetMs(at, zone);
  return new Date(at).toISOString();
}

export const endOfDayIso = (day: string, zone?: string): string =>
  startOfDayIso(new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10), zone);

/** Offset of the zone from UTC at that instant, ms. */
function zoneOffsetMs(at: number, zone: string | undefined): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    ...(zone && { timeZone: zone }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(new Date(at));
  const part = (type: string) => Number(parts.find((found) => found.type === type)?.value);
  const localMs = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return localMs - Math.floor(at / 1000) * 1000;
}

/** Instant of a local time of the hospital: "2026-11-21T08:34". @returns null when invalid */
export function parseWallTime(wallTime: string, zone?: string): string | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(wallTime)) return null;
  const asUtc = Date.parse(`${wallTime}:00Z`);
  if (Number.isNaN(asUtc)) return null;
  const at = asUtc - zoneOffsetMs(asUtc, zone);
  return new Date(asUtc - zoneOffsetMs(at, zone)).toISOString();
}

/** Local time of the hospital at an instant: "2026-11-21T08:34". */
export const formatWallTime = (at: number, zone?: string): string =>
  new Date(at + zoneOffsetMs(at, zone)).toISOString().slice(0, 16);
