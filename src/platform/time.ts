// Time helpers: durations in milliseconds, and epoch milliseconds as ISO 8601 in UTC.

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** @param time epoch milliseconds  @returns e.g. `2026-11-21T09:30:00.000Z` */
export function toIso(time: number): string {
  return new Date(time).toISOString();
}

export function toIsoOrNull(time: number | null): string | null {
  return time === null ? null : toIso(time);
}

/** @param time epoch milliseconds  @returns the UTC date, e.g. `2026-11-21` */
export function toIsoDate(time: number): string {
  return toIso(time).slice(0, 10);
}

/** The UTC day number of an epoch time in milliseconds. */
export function utcDayOf(time: number): number {
  return Math.floor(time / DAY_MS);
}
