// Quiet hours: until when a message of normal priority is held back.
import { zoneOffsetMs } from "../../platform/local-time.ts";
import { DAY_MS } from "../../platform/time.ts";
import type { Priority } from "../kinds.ts";

const MINUTE_MS = 60_000;

/** Minutes of the local day, 0 to 1439; without quiet hours both are null. `timeZone` is an IANA name; null: that of the hospital. */
export type QuietHours = { quietFrom: number | null; quietUntil: number | null; timeZone: string | null };

/** The first of the zones that the runtime knows, else UTC: a stored name may be newer than its list. */
function findKnownZone(...zones: readonly (string | null)[]): string {
  for (const zone of zones) {
    if (zone === null) continue;
    try {
      zoneOffsetMs(0, zone);
      return zone;
    } catch {
      // Not known: the next one.
    }
  }
  return "UTC";
}

/**
 * The first instant at which the clocks there show this local time or a later one: the end of the gap where they were set forward
 * over it, and the first of two where they were set back.
 * @param local the local time read as if it were UTC, epoch milliseconds
 */
function firstInstant(local: number, zone: string): number {
  const offsets = [zoneOffsetMs(local - DAY_MS, zone), zoneOffsetMs(local + DAY_MS, zone)];
  const earliest = local - Math.max(...offsets);
  if (earliest + zoneOffsetMs(earliest, zone) === local) return earliest;
  let before = earliest;
  let after = local - Math.min(...offsets);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (middle + zoneOffsetMs(middle, zone) >= local) after = middle;
    else before = middle;
  }
  return after;
}

/**
 * Until when a message waits: the end of the quiet hours that `now` is in. Alarms and matters of security are never held back.
 * @param hospitalZone of the person's hospital, for those who chose no zone
 * @param now epoch milliseconds  @returns epoch milliseconds, or null
 */
export function quietUntil(priority: Priority, quiet: QuietHours, hospitalZone: string | null, now: number): number | null {
  const { quietFrom, quietUntil: until } = quiet;
  if (priority !== "normal" || quietFrom === null || until === null || quietFrom === until) return null;
  const zone = findKnownZone(quiet.timeZone, hospitalZone);
  const localNow = now + zoneOffsetMs(now, zone);
  const today = Math.floor(localNow / DAY_MS) * DAY_MS;
  // The hours that began yesterday may last into today.
  for (const day of [today, today - DAY_MS]) {
    const start = firstInstant(day + quietFrom * MINUTE_MS, zone);
    const end = firstInstant(day + until * MINUTE_MS + (until < quietFrom ? DAY_MS : 0), zone);
    if (start <= now && now < end) return end;
  }
  return null;
}
