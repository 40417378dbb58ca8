// Age as a ward writes it: years, months for infants, days for newborns.
import { t } from "../platform/messages/translate.ts";

/** @param dateOfBirth YYYY-MM-DD @param nowMs epoch milliseconds */
export function formatPatientAge(dateOfBirth: string, nowMs: number): string {
  const [year = 0, month = 1, day = 1] = dateOfBirth.split("-").map(Number);
  const now = new Date(nowMs);
  const months = (now.getUTCFullYear() - year) * 12 + now.getUTCMonth() + 1 - month - (now.getUTCDate() < day ? 1 : 0);
  if (months >= 24) return String(Math.floor(months / 12));
  if (months >= 2) return t("record.months", { n: months });
  return t("record.days", { n: Math.max(0, Math.floor((nowMs - Date.UTC(year, month - 1, day)) / 86_400_000)) });
}
