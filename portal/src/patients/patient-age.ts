// Age as a ward writes it: years, months for infants, days for newborns.
import { dayInZone } from "../platform/design/calendar-days.ts";
import { DAY_MS } from "../platform/durations.ts";
import { t } from "../platform/messages/translate.ts";

/** On the calendar of the screen's time zone. @param dateOfBirth YYYY-MM-DD @param nowMs epoch milliseconds */
export function formatPatientAge(dateOfBirth: string, nowMs: number): string {
  const today = dayInZone(nowMs);
  const [year = 0, month = 1, day = 1] = dateOfBirth.split("-").map(Number);
  const [thisYear = 0, thisMonth = 1, thisDay = 1] = today.split("-").map(Number);
  const months = (thisYear - year) * 12 + thisMonth - month - (thisDay < day ? 1 : 0);
  if (months >= 24) return String(Math.floor(months / 12));
  if (months >= 2) return t("record.months", { n: months });
  return t("record.days", { n: Math.max(0, (Date.parse(today) - Date.parse(dateOfBirth)) / DAY_MS) });
}
