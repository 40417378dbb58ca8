// Hourly rollups of a patient: closed hours from D1 and, when they are older than 60 days, from files in R2 (packed-hours); open ones
// from the patient's object.

import { sql } from "drizzle-orm";
import { mapAsync, partition } from "es-toolkit/array";
import type { Call } from "../../access/actor.ts";
import type { PatientRow } from "../../access/patient-row.ts";
import type { PageStart } from "../../http/pagination.ts";
import { HOUR_MS } from "../../platform/time.ts";
import { callMonitor } from "../intake/ingest.ts";
import { mergeVersions, readMonthFile, type StoredHour } from "../packed-hours/month-file.ts";
import { listMonths, mayBePacked } from "../packed-hours/months.ts";
import type { LimitsQuery } from "../patient-object/context/limits-history.ts";
import type { Bucket } from "../patient-object/samples/buckets.ts";
import { computeMean, mergeRollups, type Rollup, unpackHour } from "../patient-object/samples/rollup.ts";
import type { TimeRange } from "./query.ts";

/** The rollup of a code and hour (since the epoch). `open`: D1 does not have the hour yet, and more samples may arrive. */
export type HourRollup = Rollup & { hour: number; code: string; open: boolean };
export type ClosedHour = Pick<StoredHour, "hour" | "stats">;
/** An hour, or a file that has the hours of a month; then `hour` is the month. */
export type ClosedHourRow = StoredHour & { file_key: string | null; file_size: number };

/** Months with packed hours in the longest range (366 days) are at most 12: the newest two are in D1. */
const CONCURRENT_FILES = 4;

/**
 * Call before the D1 query: an hour that closes in between then appears twice (`mergeHours` drops one) and is not missed.
 * @param chart the range and codes of limits to return; null for none
 */
export async function getOpenHours(env: Env, patientId: string, chart: LimitsQuery | null = null) {
  const { hours, ...more } = await callMonitor(env, async () => env.PATIENT_MONITOR.getByName(patientId).openHours(chart));
  return { open: hours.map((rollup): HourRollup => ({ ...rollup, open: true })), ...more };
}

/**
 * The closed hours of a range, for a batch; reads at most one row per hour and one per month. Pass the rows to `openClosedHours`.
 * @param page only hours with one of the codes, and at most `limit` of them; ignored where hours may be packed, since a row without
 * the code may be a correction of an hour with it
 */
export function selectClosedHours(
  { db, now }: Call,
  { id, hospital_id }: PatientRow,
  range: TimeRange,
  page: { codes: string[] | null; limit: number } = { codes: null, limit: range.to - range.from },
) {
  const { from, to } = range;
  const hours = Array.from({ length: to - from }, (_, i) => from + i);
  const rows = sql`SELECT hour, stats, version, NULL AS file_key, 0 AS file_size FROM vital_hours
    WHERE hospital_id = ${hospital_id} AND patient_id = ${id} AND hour IN (SELECT value FROM json_each(${JSON.stringify(hours)}))`;
  if (mayBePacked(from, now)) {
    return db.all<ClosedHourRow>(sql`${rows}
      UNION ALL SELECT month, '', 0, file_key, file_size FROM vital_months WHERE hospital_id = ${hospital_id} AND patient_id = ${id}
        AND month IN (SELECT value FROM json_each(${JSON.stringify(listMonths(range))})) AND file_key IS NOT NULL ORDER BY 1`);
  }
  const hasCode =
    page.codes === null
      ? sql`1`
      : sql`EXISTS (SELECT 1 FROM json_each(stats) WHERE key IN (SELECT value FROM json_each(${JSON.stringify(page.codes)})))`;
  return db.all<ClosedHourRow>(sql`${rows} AND ${hasCode} ORDER BY hour LIMIT ${page.limit}`);
}

/**
 * The hours of the rows, oldest first, with those in files. Of an hour in both, the later version: a correction waits in D1 until it
 * is packed. @throws ApiError unavailable, integrity_error
 */
export async function openClosedHours(
  env: Env,
  { keys }: Call,
  { id, hospital_id }: PatientRow,
  { from, to }: TimeRange,
  rows: ClosedHourRow[],
): Promise<ClosedHour[]> {
  const [files, hours] = partition(rows, ({ file_key }) => file_key !== null);
  if (files.length === 0) return hours;
  const packed = await mapAsync(
    files,
    ({ hour: month, file_key, file_size }) =>
      readMonthFile(
        env.FILES,
        keys.fields,
        { key: file_key ?? "", size: file_size },
        { hospitalId: hospital_id, patientId: id, month },
      ),
    { concurrency: CONCURRENT_FILES },
  );
  return mergeVersions(
    packed.flat().filter(({ hour }) => hour >= from && hour < to),
    hours,
  );
}

/**
 * The rows of a page and one more, if there is one: the hours after its start, oldest first and by code within an hour.
 * @param closedRows the first `limit + 2` closed hours from the hour of the start on; that hour may add no row
 */
export function pageOfHours(
  { after, limit }: PageStart,
  open: HourRollup[],
  closedRows: readonly ClosedHour[],
  range: TimeRange,
  codes: string[] | null,
): HourRollup[] {
  // Beyond the last row read, closed hours are missing.
  const to = closedRows.length < limit + 2 ? range.to : (closedRows.at(-1)?.hour ?? 0) + 1;
  return mergeHours(open, closedRows, { from: range.from, to }, codes)
    .filter(({ hour, code }) => !after || hour > after.value || (hour === after.value && code > after.id))
    .slice(0, limit + 1);
}

/** All hours of a range, oldest first and by code within an hour. @param codes null for all */
export function mergeHours(
  open: HourRollup[],
  closedRows: readonly ClosedHour[],
  { from, to }: TimeRange,
  codes: string[] | null,
): HourRollup[] {
  const closed = closedRows.flatMap(({ hour, stats }) =>
    unpackHour(hour, stats).map(([code, rollup]) => ({ ...rollup, hour, code, open: false })),
  );
  const closedHours = new Set(closedRows.map(({ hour }) => hour));
  return [...closed, ...open.filter(({ hour }) => hour >= from && hour < to && !closedHours.has(hour))]
    .filter(({ code }) => codes === null || codes.includes(code))
    .sort((a, b) => a.hour - b.hour || (a.code < b.code ? -1 : 1));
}

/** One rollup of all hours, by code. */
export function mergeRollupsByCode(hours: readonly HourRollup[]): Map<string, Rollup> {
  const codes = new Map<string, Rollup>();
  for (const { hour: _hour, open: _open, code, ...rollup } of hours) {
    const before = codes.get(code);
    codes.set(code, before ? mergeRollups(before, rollup) : rollup);
  }
  return codes;
}

/** `downsample` (samples/buckets.ts) for hourly rollups: parts of whole hours, at most one part per hour. */
export function bucketHourRollups(hours: readonly HourRollup[], { from, to }: TimeRange, buckets: number): Bucket[] {
  const span = to - from;
  const parts = Math.min(buckets, span);
  const toEdge = (part: number) => (from + Math.ceil((part * span) / parts)) * HOUR_MS;
  const groups = Map.groupBy(hours, ({ hour }) => Math.floor(((hour - from) * parts) / span));
  return [...groups]
    .flatMap(([part, group]) =>
      [...mergeRollupsByCode(group)].map(([code, rollup]) => {
        const { count: n, min, max, last, last_at } = rollup;
        return { code, from: toEdge(part), to: toEdge(part + 1), n, min, max, mean: computeMean(rollup), last, last_at };
      }),
    )
    .sort((a, b) => (a.code === b.code ? a.from - b.from : a.code < b.code ? -1 : 1));
}
