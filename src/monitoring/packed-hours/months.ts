// When hours leave D1, and the calendar of their files: months in UTC, counted since January 1970.

import { DAY_MS, HOUR_MS } from "../../platform/time.ts";

/** Hours of this many whole days stay in D1 as rows. Samples are rejected after 30 days (sample-validation.ts). */
export const HOURS_KEPT_DAYS = 60;
const HOURS_PER_DAY = DAY_MS / HOUR_MS;

/** The first hour (since the epoch) that stays in D1 at this time: the start of a day in UTC. */
export function firstKeptHour(now: number): number {
  return (Math.floor(now / DAY_MS) - HOURS_KEPT_DAYS) * HOURS_PER_DAY;
}

/** Whether hours from this one on may be packed. A day of tolerance: the job may have run on a clock that is ahead. */
export function mayBePacked(hour: number, now: number): boolean {
  return hour < firstKeptHour(now) + HOURS_PER_DAY;
}

export function toMonth(hour: number): number {
  const date = new Date(hour * HOUR_MS);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** The first hour of a month. */
export function firstHourOf(month: number): number {
  return Date.UTC(1970, month) / HOUR_MS;
}

export const toDay = (hour: number): number => Math.floor(hour / HOURS_PER_DAY);
export const firstHourOfDay = (day: number): number => day * HOURS_PER_DAY;

/** The months that hours `from` to `to` (exclusive) touch. */
export function listMonths({ from, to }: { from: number; to: number }): number[] {
  const first = toMonth(from);
  return Array.from({ length: toMonth(to - 1) - first + 1 }, (_, i) => first + i);
}
