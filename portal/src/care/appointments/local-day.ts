// Days of a hospital as the form of a booking names them: `2026-12-01`.
import { toInstant } from "../../../../src/platform/local-time.ts";

/** Today in the zone; in the browser's without one. */
export const todayIn = (zone: string | undefined, now = Date.now()): string =>
  new Intl.DateTimeFormat("en-CA", { dateStyle: "short", ...(zone && { timeZone: zone }) }).format(now);

/** The first instant of the day, Unix ms; null for no date. Midnight that the clocks skip counts as an hour later. */
export function startOfDay(day: string, zone: string | undefined): number | null {
  const local = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(local)) return null;
  for (const skipped of [0, 3_600_000]) {
    const found = toInstant(local + skipped, zone);
    if ("at" in found) return found.at;
  }
  return local;
}
