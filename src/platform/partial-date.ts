// FHIR dates: a day (1964-03-04), a month (1964-03) or a year (1964), each as the days that it may stand for.
import { DAY_MS } from "./time.ts";

const PARTIAL_DATE = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?$/;

/** The first and the last day that the date may stand for, each as its start in epoch milliseconds UTC; null for other text. */
export function daysOf(date: string): { first: number; last: number } | null {
  const [, year, month, day] = PARTIAL_DATE.exec(date) ?? [];
  if (year === undefined) return null;
  const first = Date.UTC(Number(year), Number(month ?? 1) - 1, Number(day ?? 1));
  // A month or a day that does not exist, such as 1964-02-30, is another day for `Date`.
  if (!new Date(first).toISOString().startsWith(date)) return null;
  const following = month === undefined ? Date.UTC(Number(year) + 1, 0, 1) : Date.UTC(Number(year), Number(month), 1);
  return { first, last: day === undefined ? following - DAY_MS : first };
}

/** Whether the date names one day. */
export const isWholeDate = (date: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(date);
