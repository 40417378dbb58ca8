// Alarm counts by hour and the median time to acknowledgement.

import { HOUR_MS } from "../platform/durations.ts";
import type { Alarm } from "./api.ts";

/** Median seconds from an alarm to its acknowledgement; null when none was acknowledged. */
export function medianAcknowledgeSeconds(alarms: readonly Alarm[]): number | null {
  const seconds = alarms
    .flatMap(({ raised_at, acknowledged_at }) =>
      acknowledged_at ? [(Date.parse(acknowledged_at) - Date.parse(raised_at)) / 1000] : [],
    )
    .sort((a, b) => a - b);
  const middle = Math.floor(seconds.length / 2);
  const [upper, lower] = [seconds[middle], seconds[middle - 1]];
  if (upper === undefined) return null;
  return seconds.length % 2 === 0 && lower !== undefined ? (lower + upper) / 2 : upper;
}

/** The last 24 hours; the current hour is last. */
export function countAlarmsByHour(alarms: readonly Alarm[], now: number): { at: number; n: number }[] {
  const currentHour = Math.floor(now / HOUR_MS);
  const counts = new Map<number, number>(Array.from({ length: 24 }, (_, i) => [currentHour - 23 + i, 0]));
  for (const { raised_at } of alarms) {
    const hour = Math.floor(Date.parse(raised_at) / HOUR_MS);
    const n = counts.get(hour);
    if (n !== undefined) counts.set(hour, n + 1);
  }
  return [...counts].map(([hour, n]) => ({ at: hour * HOUR_MS, n }));
}
