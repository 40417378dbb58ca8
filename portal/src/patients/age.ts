// How old somebody is, in the words that a ward uses: years, months of an infant, days of a newborn.
import { say } from "../messages/index.ts";

/** @param born YYYY-MM-DD @param today epoch milliseconds */
export function ageInWords(born: string, today: number): string {
  const [year = 0, month = 1, day = 1] = born.split("-").map(Number);
  const now = new Date(today);
  const months = (now.getUTCFullYear() - year) * 12 + now.getUTCMonth() + 1 - month - (now.getUTCDate() < day ? 1 : 0);
  if (months >= 24) return String(Math.floor(months / 12));
  if (months >= 2) return say("record.months", { n: months });
  return say("record.days", { n: Math.max(0, Math.floor((today - Date.UTC(year, month - 1, day)) / 86_400_000)) });
}
