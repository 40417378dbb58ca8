// Birth dates: a day, or the month or year alone for people who do not know more (FHIR `date`).
import { z } from "@hono/zod-openapi";
import { daysOf } from "../../platform/partial-date.ts";
import { HOUR_MS, toIsoDate } from "../../platform/time.ts";

export const BIRTH_DATE_RANGE = "Must be a date from 1880-01-01 to today";
/** The zones with the first and the last midnight of a date, 14 hours before and 12 hours after UTC. */
const LATEST_ZONE_MS = 14 * HOUR_MS;
const EARLIEST_ZONE_MS = 12 * HOUR_MS;

/** The first day that the date can mean, `YYYY-MM-DD`; null for no date. */
export function firstDayOf(date: string): string | null {
  const days = daysOf(date);
  return days && toIsoDate(days.first);
}

/** Today or earlier everywhere, so that the hospital's time zone need not be read. */
export const isPastEverywhere = (date: string, now: number) => (firstDayOf(date) ?? "") <= toIsoDate(now - EARLIEST_ZONE_MS);

/** Up to today by the hospital's date, which new-patient.ts compares. */
function isBirthDate(date: string): boolean {
  const first = firstDayOf(date);
  return first !== null && first >= "1880-01-01" && first <= toIsoDate(Date.now() + LATEST_ZONE_MS);
}

export const BirthDate = z
  .string()
  .max(10)
  .regex(/^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/, "Must be a day (1964-03-04), a month (1964-03) or a year (1964)")
  .refine(isBirthDate, BIRTH_DATE_RANGE)
  .openapi({ example: "1964-03-04", description: "A day; or a month or year alone, if no more is known" });
