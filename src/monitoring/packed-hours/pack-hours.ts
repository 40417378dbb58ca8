// The job that moves hours older than 60 days from D1 to files in R2, one per patient and month. Run by cron; bounded, and safe to kill
// or to run twice at any step: a month first names the file that will be written, then the file is written, then one transaction
// names it as the month's, stores the daily values and deletes the rows. Until then every reader finds the hours in D1.

import { sql } from "drizzle-orm";
import { mapAsync } from "es-toolkit/array";
import { getVerifiedKeys } from "../../platform/config.ts";
import type { KeyRing } from "../../platform/crypto.ts";
import { batch, type Db, getDb } from "../../platform/db/client.ts";
import { describeCause } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { HOUR_MS } from "../../platform/time.ts";
import { computeDailyValues, packDailyValues } from "./daily-values.ts";
import {
  createMonthFileKey,
  type MonthOfPatient,
  mergeVersions,
  readMonthFile,
  type StoredHour,
  writeMonthFile,
} from "./month-file.ts";
import { firstHourOf, firstKeptHour } from "./months.ts";

/** Months per run, every 15 minutes: 9,600 per day. Of 5,000 monitored patients, each has a day to pack per day. */
export const MAX_PACKED_MONTHS = 100;
const CONCURRENT_MONTHS = 5;
/** A run ends within 15 minutes, so after this time nobody writes, or still reads, a stale file. */
export const STALE_FILE_MS = HOUR_MS;
const MAX_STALE_FILES = 500;

/** `toMonth` of `v.hour`. */
const MONTH_OF_ROW = sql`(CAST(strftime('%Y', v.hour * 3600, 'unixepoch') AS INTEGER) - 1970) * 12
  + CAST(strftime('%m', v.hour * 3600, 'unixepoch') AS INTEGER) - 1`;

type UnitRow = { hospital_id: string; patient_id: string; month: number };

/** Deletes stale files and packs months. @returns how many of each */
export async function packOldHours(env: Env, now: number): Promise<{ packed: number; deleted: number }> {
  const db = getDb(env.DB);
  const [stale, units] = await batch(db, [
    db.all<{ key: string }>(sql`SELECT stale_key AS key FROM vital_months INDEXED BY vital_months_stale
      WHERE stale_key IS NOT NULL AND stale_at < ${now - STALE_FILE_MS} ORDER BY stale_at LIMIT ${MAX_STALE_FILES}`),
    selectUnits(db, now),
  ]);
  await deleteStaleFiles(
    env,
    db,
    stale.map(({ key }) => key),
  );
  const packed = units.length === 0 ? 0 : await packUnits(env, db, units, now);
  if (packed > 0) log(env, "INFO", "hours packed", { count: packed });
  return { packed, deleted: stale.length };
}

/**
 * Patients and months with old hours. Those with a stale file wait until it is deleted: an attempt runs, failed or has just ended. Those
 * of a patient who is being erased are not packed.
 */
function selectUnits(db: Db, now: number) {
  return db.all<UnitRow>(sql`SELECT DISTINCT v.hospital_id, v.patient_id, (${MONTH_OF_ROW}) AS month
    FROM hospitals h CROSS JOIN vital_hours v ON v.hospital_id = h.id AND v.hour < ${firstKeptHour(now)}
    WHERE NOT EXISTS (SELECT 1 FROM vital_months m WHERE m.hospital_id = v.hospital_id AND m.patient_id = v.patient_id
      AND m.month = (${MONTH_OF_ROW}) AND m.stale_key IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.patient_id = v.patient_id AND e.state = 'erasing') LIMIT ${MAX_PACKED_MONTHS}`);
}

/** The file first: a row without its key would leave it in R2 for ever. */
async function deleteStaleFiles(env: Env, db: Db, keys: string[]): Promise<void> {
  if (keys.length === 0) return;
  await env.FILES.delete(keys);
  await db.run(sql`UPDATE vital_months SET stale_key = NULL
    WHERE stale_key IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`);
}

async function packUnits(env: Env, db: Db, units: readonly UnitRow[], now: number): Promise<number> {
  const { fields } = await getVerifiedKeys(env);
  const pack = async ({ hospital_id, patient_id, month }: UnitRow) => {
    try {
      return await packMonth(env, db, fields, { hospitalId: hospital_id, patientId: patient_id, month }, now);
    } catch (error) {
      log(env, "ERROR", "hours not packed", { object_id: patient_id, cause: describeCause(error) });
      return false;
    }
  };
  return (await mapAsync(units, pack, { concurrency: CONCURRENT_MONTHS })).filter(Boolean).length;
}

/** @returns false when another run has the month */
async function packMonth(
  env: Env,
  db: Db,
  ring: KeyRing,
  month: MonthOfPatient,
  now: number,
  isRepacked = false,
): Promise<boolean> {
  const key = createMonthFileKey(ring);
  const [[reserved], rows] = await batch(db, [reserveFile(db, month, key, now), selectHours(db, month, now)]);
  if (!reserved || (rows.length === 0 && !isRepacked)) return false;
  const { file_key, file_size } = reserved;
  const before = file_key === null ? [] : await readMonthFile(env.FILES, ring, { key: file_key, size: file_size }, month);
  const hours = mergeVersions(before, rows);
  const size = await writeMonthFile(env.FILES, ring, key, month, hours);
  const isNamed = await commitMonth(db, month, { key, size, days: packDailyValues(computeDailyValues(hours)) }, rows, now);
  if (!isNamed) await env.FILES.delete(key);
  return isNamed;
}

/**
 * Seals the file of a month again under the current key, with hours that wait to be packed. The file before becomes stale.
 * @returns false while another run has the month, or its stale file is not deleted yet
 */
export const repackMonth = (env: Env, db: Db, ring: KeyRing, month: MonthOfPatient, now: number): Promise<boolean> =>
  packMonth(env, db, ring, month, now, true);

const isMonth = ({ hospitalId, month, patientId }: MonthOfPatient) =>
  sql`hospital_id = ${hospitalId} AND month = CAST(${month} AS INTEGER) AND patient_id = ${patientId}`;

/**
 * Names the file that will be written, unless an attempt or a deletion is under way or the patient is being erased; no row then. From the
 * start of an erasure on, no month gets a file that the erasure would not find.
 */
function reserveFile(db: Db, { hospitalId, month, patientId }: MonthOfPatient, key: string, now: number) {
  return db.all<{ file_key: string | null; file_size: number }>(sql`INSERT INTO vital_months
      (hospital_id, month, patient_id, stale_key, stale_at)
    SELECT ${hospitalId}, CAST(${month} AS INTEGER), id, ${key}, CAST(${now} AS INTEGER) FROM patients
      WHERE id = ${patientId} AND NOT EXISTS (SELECT 1 FROM erasures WHERE patient_id = ${patientId} AND state = 'erasing')
    ON CONFLICT (hospital_id, month, patient_id) DO UPDATE SET stale_key = excluded.stale_key, stale_at = excluded.stale_at
      WHERE stale_key IS NULL
    RETURNING file_key, file_size`);
}

function selectHours(db: Db, { hospitalId, month, patientId }: MonthOfPatient, now: number) {
  const first = firstHourOf(month);
  const end = Math.min(firstHourOf(month + 1), firstKeptHour(now));
  const hours = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  return db.all<StoredHour>(sql`SELECT hour, stats, version FROM vital_hours WHERE hospital_id = ${hospitalId}
    AND patient_id = ${patientId} AND hour IN (SELECT value FROM json_each(${JSON.stringify(hours)})) ORDER BY hour`);
}

/**
 * In one transaction: deletes the packed rows, except those that were corrected meanwhile, and names the file. The file before becomes
 * stale, so that a reader that has just found its name can still read it.
 */
async function commitMonth(
  db: Db,
  month: MonthOfPatient,
  file: { key: string; size: number; days: Uint8Array<ArrayBuffer> },
  rows: readonly StoredHour[],
  now: number,
): Promise<boolean> {
  const versions = JSON.stringify(rows.map(({ hour, version }) => [hour, version]));
  const [, named] = await batch(db, [
    db.run(sql`DELETE FROM vital_hours WHERE hospital_id = ${month.hospitalId} AND patient_id = ${month.patientId}
      AND hour IN (SELECT value->>0 FROM json_each(${versions}))
      AND (hour, version) IN (SELECT value->>0, value->>1 FROM json_each(${versions}))
      AND EXISTS (SELECT 1 FROM vital_months WHERE ${isMonth(month)} AND stale_key = ${file.key})`),
    db.all<{ month: number }>(sql`UPDATE vital_months SET file_key = ${file.key}, file_size = CAST(${file.size} AS INTEGER),
        days = ${file.days}, stale_key = file_key, stale_at = CAST(${now} AS INTEGER)
      WHERE ${isMonth(month)} AND stale_key = ${file.key} RETURNING month`),
  ]);
  return named.length > 0;
}
