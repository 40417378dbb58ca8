// Calendar days in a hospital's time zone, for filters and daily counts.
import { DAY_MS, HOUR_MS } from "../durations.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

/** "2026-11-21", and a day that exists. */
export const isDateString = (text: string | undefined): text is string =>
  text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

/** "2026-11-22"; in the browser's time zone when none is given. */
export function dayInZone(at: number, zone?: string): string {
  const key = zone ?? "";
  const format =
    formats.get(key) ??
    new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", ...(zone && { timeZone: zone }) });
  formats.set(key, format);
  return format.format(at);
}

/** The first instant of a day. The zone may be hours off UTC and change its offset on that day. */
export function startOfDay(day: string, zone?: string): number {
  const utc = Date.parse(`${day}T00:00:00Z`);
  const QUARTER_HOUR_MS = 15 * 60_000;
  let at = utc - 14 * HOUR_MS;
  while (dayInZone(at, zone) < day) at += QUARTER_HOUR_MS;
  return at;
}

/** The day `n` days later, or earlier when negative. */
export const addDays = (day: string, days = 1): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
