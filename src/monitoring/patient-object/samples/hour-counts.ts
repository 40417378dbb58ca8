// Number of stored samples by the hour in which they were measured, for the limit of one hour.
import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";

/** `counts[i]` is the number of the epoch hour `from + i`. */
export type HourCounts = { from: number; counts: number[] };

/** Older samples are rejected (sample-validation.ts), so older hours change no more. */
const MAX_COUNTED_AGE_MS = 30 * DAY_MS;

export function countOfHour({ from, counts }: HourCounts, hour: number): number {
  return counts[hour - from] ?? 0;
}

/** Counts one sample, and drops the hours that can have no further ones. */
export function countInHour(hours: HourCounts, hour: number, now: number): void {
  const old = Math.max(0, Math.floor((now - MAX_COUNTED_AGE_MS) / HOUR_MS) - hours.from);
  hours.counts.splice(0, old);
  hours.from = hours.counts.length === 0 ? hour : hours.from + old;
  while (hour < hours.from) {
    hours.counts.unshift(0);
    hours.from--;
  }
  while (hours.from + hours.counts.length <= hour) hours.counts.push(0);
  hours.counts[hour - hours.from] = countOfHour(hours, hour) + 1;
}
