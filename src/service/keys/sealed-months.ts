// Files of packed hours as a store (monitoring/packed-hours): a month is packed again into a file under the current key.
import { sql } from "drizzle-orm";
import { repackMonth } from "../../monitoring/packed-hours/pack-hours.ts";
import { vitalMonths } from "../../platform/db/schema.ts";
import { describeCause } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { countRows, isAfter, keyIdOfFile } from "./row-windows.ts";
import { addCount, type Cursor, type SealedStore, type SealingJob, type SealStep } from "./sealed-store.ts";

const KEY = [vitalMonths.hospitalId, vitalMonths.month, vitalMonths.patientId] as const;
/** Bounds of a step: rows that are read, and months that are packed. */
const MAX_ROWS = 500;
const MAX_MONTHS = 10;

type MonthRow = { hospital_id: string; month: number; patient_id: string; file_key: string | null; file: number; stale: number };

export const sealedMonths: SealedStore = {
  name: "vital_months.file_key",
  weight: 5,
  count: ({ db }, cursor) =>
    countRows(
      db,
      { table: vitalMonths, key: KEY, keyIds: [keyIdOfFile(vitalMonths.fileKey), keyIdOfFile(vitalMonths.staleKey)] },
      cursor,
    ),
  seal: sealMonths,
};

/** Stale files are deleted by the job that packs hours. */
async function sealMonths(job: SealingJob, cursor: Cursor | null): Promise<SealStep> {
  const { env, db, ring, now } = job;
  const { rows, next, waiting } = await selectMonths(job, cursor);
  const step: SealStep = { next, sealed: {}, failed: 0, waiting };
  for (const { hospital_id, month, patient_id, file_key } of rows) {
    try {
      const isPacked = await repackMonth(env, db, ring, { hospitalId: hospital_id, patientId: patient_id, month }, now);
      if (isPacked) addCount(step.sealed, file_key?.split("/")[0] ?? "");
      else step.waiting++;
    } catch (error) {
      step.failed++;
      log(env, "ERROR", "hours not sealed again", { object_id: patient_id, cause: describeCause(error) });
    }
  }
  return step;
}

async function selectMonths({ db, ring }: SealingJob, cursor: Cursor | null) {
  const isOther = (key: typeof vitalMonths.fileKey | typeof vitalMonths.staleKey) =>
    sql`(${key} IS NOT NULL AND substr(${key}, 1, ${ring.currentKid.length + 1}) <> ${`${ring.currentKid}/`})`;
  const rows =
    await db.all<MonthRow>(sql`SELECT hospital_id, month, patient_id, file_key, ${isOther(vitalMonths.fileKey)} AS file,
      ${isOther(vitalMonths.staleKey)} AS stale FROM ${vitalMonths} WHERE ${isAfter(KEY, cursor)}
    ORDER BY hospital_id, month, patient_id LIMIT ${MAX_ROWS}`);
  const due = rows.filter(({ file }) => file === 1);
  const packed = due.slice(0, MAX_MONTHS);
  const last = (due.length > MAX_MONTHS ? packed : rows).at(-1);
  const waiting = rows.filter(({ stale }) => stale === 1).length;
  return { rows: packed, waiting, next: last ? [last.hospital_id, last.month, last.patient_id] : null };
}
