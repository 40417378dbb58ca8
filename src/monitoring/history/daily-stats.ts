// Statistics of old days over all visible patients: daily values of packed hours, and rows of hours that are not packed yet.

import { type SQL, sql } from "drizzle-orm";
import type { Db } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { unpackDailyValues } from "../packed-hours/daily-values.ts";
import { firstHourOfDay, listMonths } from "../packed-hours/months.ts";
import type { TimeRange } from "./query.ts";

/** Rows per request, one per patient and month: about 1 KB each. */
const MAX_MONTH_ROWS = 5_000;
/** Rows per request of hours that the job has not packed yet. */
const MAX_UNPACKED_HOURS = 20_000;

/** `hour`: the first one of a day, where the resolution is a day. */
export type StatsRow = { hour: number; code: string; patients: number; n: number; min: number; max: number; sum: number };

/** D1 returns a BLOB as an array of bytes. */
type MonthRow = { patient_id: string; days: number[] };
type UnpackedRow = {
  patient_id: string;
  day: number;
  code: string;
  hours: number;
  n: number;
  min: number;
  max: number;
  sum: number;
};

/**
 * Daily values of packed months, for a batch. @param visible condition on `v.hospital_id` and `v.patient_id`
 * @param days UTC days since the epoch; may be empty
 */
export function selectPackedMonths(db: Db, visible: SQL, days: TimeRange) {
  const months = days.from < days.to ? listMonths(toHours(days)) : [];
  return db.all<MonthRow>(sql`SELECT v.patient_id, v.days FROM vital_months v
    WHERE ${months.length > 0 ? visible : sql`0`} AND v.month IN (SELECT value FROM json_each(${JSON.stringify(months)}))
      AND v.file_key IS NOT NULL LIMIT ${MAX_MONTH_ROWS + 1}`);
}

/** The values by patient and day of hours that are still rows, for a batch. The first row, without a code, counts the hours. */
export function selectUnpackedDays(db: Db, visible: SQL, days: TimeRange) {
  const { from, to } = toHours(days);
  const hours = Array.from({ length: to - from }, (_, i) => from + i);
  return db.all<UnpackedRow>(sql`WITH picked AS MATERIALIZED (SELECT v.patient_id AS patient_id, v.hour AS hour, v.stats AS stats FROM vital_hours v
      WHERE ${hours.length > 0 ? visible : sql`0`} AND v.hour IN (SELECT value FROM json_each(${JSON.stringify(hours)}))
      LIMIT ${MAX_UNPACKED_HOURS + 1})
    SELECT '' AS patient_id, -1 AS day, '' AS code, count(*) AS hours, 0 AS n, 0 AS min, 0 AS max, 0 AS sum FROM picked
    UNION ALL SELECT patient_id, hour / 24, s.key, count(*), sum(s.value->>0), min(s.value->>1), max(s.value->>2), sum(s.value->>3)
      FROM picked JOIN json_each(picked.stats) s GROUP BY patient_id, hour / 24, s.key`);
}

const toHours = ({ from, to }: TimeRange) => ({ from: firstHourOfDay(from), to: firstHourOfDay(to) });

/**
 * By day and code; `hour` is the first of the day. Days are packed whole, so a row beside a packed day is a late correction, which
 * counts as soon as it is packed. @param codes null for all  @throws ApiError invalid_request (too many patients), integrity_error
 */
export function sumDays(months: MonthRow[], [counted, ...unpacked]: UnpackedRow[], days: TimeRange, codes: string[] | null) {
  if (months.length > MAX_MONTH_ROWS || (counted?.hours ?? 0) > MAX_UNPACKED_HOURS) {
    throw new ApiError("invalid_request", "Too many patients for this range; shorten it.");
  }
  const sums = new Map<string, StatsRow>();
  const packedDays = new Set<string>();
  const add = (row: { day: number; code: string; n: number; min: number; max: number; sum: number }) => {
    if (row.day < days.from || row.day >= days.to || (codes !== null && !codes.includes(row.code))) return;
    const key = `${row.day} ${row.code}`;
    const { n, min, max, sum, patients } = sums.get(key) ?? { n: 0, min: row.min, max: row.max, sum: 0, patients: 0 };
    sums.set(key, {
      ...{ hour: firstHourOfDay(row.day), code: row.code, patients: patients + 1, n: n + row.n, sum: sum + row.sum },
      ...{ min: Math.min(min, row.min), max: Math.max(max, row.max) },
    });
  };
  for (const month of months) {
    for (const { count: n, ...value } of unpackDailyValues(new Uint8Array(month.days))) {
      packedDays.add(`${month.patient_id} ${value.day}`);
      add({ ...value, n });
    }
  }
  for (const row of unpacked) if (!packedDays.has(`${row.patient_id} ${row.day}`)) add(row);
  return [...sums.values()].sort((a, b) => a.hour - b.hour || (a.code < b.code ? -1 : 1));
}
