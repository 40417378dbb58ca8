// Calendar days of a hospital's zone, for filters and for what is counted by the day.
const known = new Map<string, Intl.DateTimeFormat>();

/** "2026-11-22". Without a zone the browser's. */
export function dayOf(at: number, zone?: string): string {
  const key = zone ?? "";
  const format =
    known.get(key) ??
    new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", ...(zone && { timeZone: zone }) });
  known.set(key, format);
  return format.format(at);
}

/** The first instant of a day: its zone may be hours off UTC, and change that offset on the day itself. */
export function startOfDay(day: string, zone?: string): number {
  const utc = Date.parse(`${day}T00:00:00Z`);
  const QUARTER = 15 * 60_000;
  let at = utc - 14 * 3_600_000;
  while (dayOf(at, zone) < day) at += QUARTER;
  return at;
}

/** The day so many days later, or earlier. */
export const dayAfter = (day: string, days = 1): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
