// D1's size year by year under the reference traffic, from the bytes of the rows that the run has left in D1 and the fill of pages.
import type { RowBytes } from "../../bench/cost/lasting.ts";
import { HOURS_KEPT_DAYS } from "../../src/monitoring/packed-hours/months.ts";
import { MAX_STATS_DAYS } from "../../src/reports/upload/new-report.ts";
import { PATIENTS, UPLOADS_PER_DAY } from "./month.ts";

const DAYS_PER_YEAR = 365;
const DAYS_PER_MONTH = 30.4;
/** Counts of a patient's reports by day are deleted with the next report after this many days; a patient has one every five days. */
const COUNTED_DAYS = MAX_STATS_DAYS + 5;

/**
 * Bytes of pages per byte of their cells, measured in SQLite files after two months in steady state: hours arrive beside those of other
 * hospitals and are deleted day by day, a month grows by a day per day, uploads arrive in order of time.
 */
const PAGES = { hours: 1.1, months: 1.35, uploads: 1.09 };

/** Bytes in D1 at the end of a year, by kind of row with its indexes. */
export type YearEnd = {
  year: number;
  audit: number;
  hours: number;
  months: number;
  reports: number;
  uploads: number;
  other: number;
  total: number;
};

const isOf = (table: string) => (name: string) =>
  name === table || name.startsWith(`${table}_`) || name.startsWith(`sqlite_autoindex_${table}_`);
const TABLES = { reports: isOf("reports"), uploads: isOf("uploads"), audit: isOf("audit"), counters: isOf("counters") };

/**
 * Staged events are handed over, and hours older than 60 days are packed, so both stay as they are after the first months. Monthly
 * rows of patients, reports, and the log of uploads stay for ever.
 */
export function computeCurve({ upload, staged, hour, monthRow, packedDay, perPatient }: RowBytes, years: number): YearEnd[] {
  const uploaded = (isWanted: (name: string) => boolean) =>
    Object.entries(upload).reduce((sum, [name, bytes]) => sum + (isWanted(name) ? bytes : 0), 0);
  const { reports: isReport, uploads: isUpload, audit: isAudit, counters: isCounter } = TABLES;
  const isOther = (name: string) => ![isReport, isUpload, isAudit, isCounter].some((isNamed) => isNamed(name));
  return Array.from({ length: years }, (_, i) => {
    const days = (i + 1) * DAYS_PER_YEAR;
    const stored = days * UPLOADS_PER_DAY;
    const counted = Math.min(days, COUNTED_DAYS) * UPLOADS_PER_DAY;
    const packedDays = Math.max(0, days - HOURS_KEPT_DAYS) * PATIENTS;
    const parts = {
      audit: staged,
      // The day that is being packed comes on top.
      hours: PAGES.hours * PATIENTS * (Math.min(days, HOURS_KEPT_DAYS) + 1) * 24 * hour,
      months: PAGES.months * (packedDays * packedDay + (packedDays / DAYS_PER_MONTH) * monthRow),
      reports: PAGES.uploads * stored * uploaded(isReport),
      uploads: PAGES.uploads * stored * uploaded(isUpload),
      other: PAGES.uploads * (stored * uploaded(isOther) + counted * uploaded(isCounter)) + PATIENTS * perPatient,
    };
    return { year: i + 1, ...parts, total: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0) };
  });
}
