// What the clock does. Exports of records: those that wait or were cut off, and files past their time.
import { and, inArray, lt, sql } from "drizzle-orm";
import { type Db, getDb, type Statement } from "../../platform/db/client.ts";
import { recordExports } from "../../platform/db/schema.ts";
import { ROW_KEPT_MS } from "./record-export.ts";
import { runExport } from "./run-export.ts";

/** One after another: each holds a record in memory. */
const MAX_PER_RUN = 5;
const MAX_EXPIRED = 100;

/** Every minute. A run that is cut off is continued by the next. */
export async function runRecordExportJobs(env: Env, now: number): Promise<void> {
  const db = getDb(env.DB);
  await deleteExpired(db, env.FILES, now);
  const due = await db
    .select({ id: recordExports.id })
    .from(recordExports)
    .where(sql`state IN ('queued', 'running') AND coalesce(lease_until, 0) <= ${now}`)
    .orderBy(recordExports.createdAt)
    .limit(MAX_PER_RUN);
  for (const { id } of due) await runExport(env, id, now);
}

/** The file first: a row without its file is found again. */
async function deleteExpired(db: Db, bucket: R2Bucket, now: number): Promise<void> {
  const rows = await db
    .select({ id: recordExports.id, fileKey: recordExports.fileKey })
    .from(recordExports)
    .where(sql`file_key IS NOT NULL AND expires_at <= ${now}`)
    .limit(MAX_EXPIRED);
  const keys = rows.flatMap(({ fileKey }) => (fileKey === null ? [] : [fileKey]));
  if (keys.length === 0) return;
  await bucket.delete(keys);
  await db
    .update(recordExports)
    .set({ state: "expired", fileKey: null, updatedAt: now, version: sql`version + 1` })
    .where(inArray(recordExports.fileKey, keys));
}

/** Every 15 minutes, with the cleanup. @param now epoch milliseconds */
export const pruneRecordExports = (db: Db, now: number): Statement[] => [
  db.delete(recordExports).where(and(lt(recordExports.createdAt, now - ROW_KEPT_MS), sql`file_key IS NULL`)),
];
