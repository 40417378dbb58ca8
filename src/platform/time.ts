// Time helpers: durations in milliseconds, and epoch milliseconds as ISO 8601 in UTC.

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** The first and the last millisecond whose year has four digits in ISO 8601: of the years 1 to 9999, in UTC. */
export const FIRST_TIME = Date.parse("0001-01-01T00:00:00Z");
export const LAST_TIME = Date.parse("9999-12-31T23:59:59.999Z");

/** @param time epoch milliseconds  @returns e.g. `2026-11-21T09:30:00.000Z`  @throws RangeError outside the years 1 to 9999 */
export function toIso(time: number): string {
  if (!(time >= FIRST_TIME && time <= LAST_TIME)) throw new RangeError("a time outside the years 1 to 9999");
  return new Date(time).toISOString();
}

export function toIsoOrNull(time: number | null): string | null {
  return time === null ? null : toIso(time);
}

/** @param time epoch milliseconds  @returns the UTC date, e.g. `2026-11-21` */
export function toIsoDate(time: number): string {
  return toIso(time).slice(0, 10);
}

/** @param timeZone IANA name  @returns the date there, e.g. `2026-11-21` */
export function toLocalDate(time: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone,
    calendar: "iso8601",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const { year, month, day } = Object.fromEntries(parts.formatToParts(time).map(({ type, value }) => [type, value]));
  return `${year}-${month}-${day}`;
}

/** The UTC day number of an epoch time in milliseconds. */
export function utcDayOf(time: number): number {
  return Math.floor(time / DAY_MS);
}
