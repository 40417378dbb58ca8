// Age and date of birth as a ward writes them; a date of birth may be a month or a year alone.
import { daysOf } from "../../../src/platform/partial-date.ts";
import { dayInZone } from "../platform/design/calendar-days.ts";
import { formatDay, formatMonth } from "../platform/design/format.ts";
import { DAY_MS } from "../platform/durations.ts";
import { t } from "../platform/messages/translate.ts";

/** @param bornMs and @param todayMs days as their starts in UTC, epoch milliseconds */
function formatAgeOf(bornMs: number, todayMs: number): string {
  const [born, today] = [new Date(bornMs), new Date(todayMs)];
  const [year, month, day] = [born.getUTCFullYear(), born.getUTCMonth(), born.getUTCDate()];
  const months = (today.getUTCFullYear() - year) * 12 + today.getUTCMonth() - month - (today.getUTCDate() < day ? 1 : 0);
  if (months >= 24) return String(Math.floor(months / 12));
  if (months >= 2) return t("record.months", { n: months });
  return t("record.days", { n: Math.max(0, (todayMs - bornMs) / DAY_MS) });
}

/**
 * Years, months for infants, days for newborns, on the calendar of the screen's time zone; both ages of a span if the date leaves them
 * open: "61–62".
 * @param dateOfBirth YYYY-MM-DD, YYYY-MM or YYYY  @param nowMs epoch milliseconds
 */
export function formatPatientAge(dateOfBirth: string, nowMs: number): string {
  const days = daysOf(dateOfBirth);
  if (!days) return t("common.unknown");
  const today = Date.parse(dayInZone(nowMs));
  const [youngest, oldest] = [formatAgeOf(Math.min(days.last, today), today), formatAgeOf(days.first, today)];
  return youngest === oldest ? oldest : `${youngest}–${oldest}`;
}

/** "4 Mar 1964", "Mar 1964" or "1964", as precise as it is known. */
export function formatBirthDate(dateOfBirth: string): string {
  const days = daysOf(dateOfBirth);
  if (!days || dateOfBirth.length === 4) return dateOfBirth;
  return dateOfBirth.length === 7 ? formatMonth(days.first, "UTC") : formatDay(dateOfBirth);
}
