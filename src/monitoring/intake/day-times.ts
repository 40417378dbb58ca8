// Times of daily totals that their sender states as a date: noon of that day in the hospital's zone.
import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { DAY_MS, toIso } from "../../platform/time.ts";
import { DAY_CODES } from "../vitals/catalogue-activity.ts";

const DATE_PATTERN = /^\d{4}-\d\d-\d\d$/;

type DayItem = Record<string, unknown> & { effective_at: string };

const isDayItem = (item: unknown): item is DayItem =>
  typeof item === "object" &&
  item !== null &&
  "code" in item &&
  typeof item.code === "string" &&
  DAY_CODES.has(item.code) &&
  "effective_at" in item &&
  typeof item.effective_at === "string" &&
  DATE_PATTERN.test(item.effective_at);

/** The hospital of a device's credential. */
export const hospitalOfCredential = (credentialId: string): SQL =>
  sql`(SELECT d.hospital_id FROM credentials c JOIN devices d ON d.id = c.device_id WHERE c.id = ${credentialId})`;

/**
 * Replaces the dates of daily totals by times. Noon, because the correction of a device's clock moves it to no other day. The date of a day
 * that is not over stays, and validation refuses it: its total would be another one with the next request.
 * @param hospital SQL of its id
 */
export async function resolveDays(call: Call, items: readonly unknown[], hospital: SQL): Promise<unknown[]> {
  if (!items.some(isDayItem)) return [...items];
  const [row] = await call.db.all<{ time_zone: string }>(sql`SELECT time_zone FROM hospitals WHERE id = ${hospital}`);
  if (!row) return [...items];
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: row.time_zone,
    ...{ hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" },
  });
  const today = toLocalTime(format, call.now);
  return items.map((item) => {
    if (!isDayItem(item)) return item;
    const at = findNoon(format, item.effective_at);
    const isOver = at !== null && Math.floor(today / DAY_MS) > Math.floor(toLocalTime(format, at) / DAY_MS);
    return isOver ? { ...item, effective_at: toIso(at) } : item;
  });
}

/** The zone's wall time as if it were UTC, to the minute. */
function toLocalTime(format: Intl.DateTimeFormat, at: number): number {
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"));
}

/** Null for a date that does not exist. A second look, since the offset of noon UTC may be that of before a clock change. */
function findNoon(format: Intl.DateTimeFormat, date: string): number | null {
  const noon = Date.parse(`${date}T12:00:00Z`);
  if (Number.isNaN(noon) || !toIso(noon).startsWith(date)) return null;
  const guess = noon - (toLocalTime(format, noon) - noon);
  return noon - (toLocalTime(format, guess) - guess);
}
