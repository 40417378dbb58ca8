// The sweep: deletes orphaned files of interrupted uploads, files of settled uploads, and unconfirmed direct uploads.

import { sql } from "drizzle-orm";
import type { Db, Statement } from "../../platform/db/client.ts";
import { hourPrefix } from "../../platform/files.ts";
import { HOUR_MS } from "../../platform/time.ts";
import { DIRECT_UPLOAD_PREFIX, isDirectUploadKey, UPLOAD_LINK_SECONDS } from "../upload/direct-upload.ts";

/** A younger file may belong to a running upload, which the request middleware aborts after 10 minutes. */
export const MIN_ORPHAN_AGE_MS = 40 * 60_000;
/** Runs every 15 minutes, so orphans live less than an hour. A day of lookback covers failed runs. */
const SWEEP_LOOKBACK_MS = 24 * 3_600_000;
/** Deletes unreferenced files older than 40 minutes. @returns the number of deleted files */
export async function sweepOrphans(db: Db, bucket: R2Bucket, kids: Iterable<string>, now: number): Promise<number> {
  let deleted = 0;
  for (const kid of kids) {
    for (let hour = now - SWEEP_LOOKBACK_MS; hour <= now - MIN_ORPHAN_AGE_MS + HOUR_MS; hour += HOUR_MS) {
      deleted += await sweepOrphansOfHour(db, bucket, hourPrefix(kid, hour), now);
    }
  }
  return deleted;
}

async function sweepOrphansOfHour(db: Db, bucket: R2Bucket, prefix: string, now: number): Promise<number> {
  let deleted = 0;
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, limit: 500, ...(cursor && { cursor }) });
    const old = page.objects.filter((object) => object.uploaded.getTime() < now - MIN_ORPHAN_AGE_MS).map((object) => object.key);
    const orphans = old.length > 0 ? await findUnreferencedFiles(db, old, "stored") : [];
    if (orphans.length > 0) await bucket.delete(orphans);
    deleted += orphans.length;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return deleted;
}

/** The keys that no row names. @param kind `stored`: files that were replaced, whose deletion is due later, count as named */
export async function findUnreferencedFiles(db: Db, keys: string[], kind: "stored" | "replaced"): Promise<string[]> {
  const rows = await db.all<{ key: string }>(sql`SELECT k.value AS key FROM json_each(${JSON.stringify(keys)}) k
    WHERE NOT EXISTS (SELECT 1 FROM reports WHERE file_key = k.value)
      AND NOT EXISTS (SELECT 1 FROM documents WHERE file_key = k.value)
      AND NOT EXISTS (SELECT 1 FROM reports WHERE metrics_key = k.value)
      AND NOT EXISTS (SELECT 1 FROM uploads WHERE file_key = k.value)
      AND NOT EXISTS (SELECT 1 FROM report_versions WHERE content_key = k.value)
      AND NOT EXISTS (SELECT 1 FROM record_exports WHERE file_key = k.value)
      AND NOT (${Number(kind === "stored")} AND EXISTS (SELECT 1 FROM replaced_files WHERE file_key = k.value))`);
  return rows.map((row) => row.key);
}

/** Unconfirmed direct uploads and their unsealed files expire at this age; their URL is valid for 5 minutes. */
export const MAX_DIRECT_UPLOAD_AGE_MS = 30 * 60_000;

/** Runs before the files are deleted, so that no upload is confirmed in between. For the cron's batch. */
export function expireDirectUploads(db: Db, now: number): Statement {
  return db.run(sql`UPDATE uploads INDEXED BY uploads_incoming SET outcome = 'expired', incoming_key = NULL
    WHERE incoming_key IS NOT NULL AND outcome = 'awaiting' AND expires_at < ${now - MAX_DIRECT_UPLOAD_AGE_MS + UPLOAD_LINK_SECONDS * 1000}`);
}

/** Deletes unsealed files by age, regardless of rows: a file may arrive after its row was settled. */
export async function sweepDirectUploads(bucket: R2Bucket, now: number): Promise<number> {
  let deleted = 0;
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix: DIRECT_UPLOAD_PREFIX, limit: 500, ...(cursor && { cursor }) });
    const old = page.objects.filter(
      ({ key, uploaded }) => isDirectUploadKey(key) && uploaded.getTime() < now - MAX_DIRECT_UPLOAD_AGE_MS,
    );
    if (old.length > 0) await bucket.delete(old.map(({ key }) => key));
    deleted += old.length;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return deleted;
}

/** Deletes files of assigned and discarded uploads whose first deletion failed, then clears the keys in their rows. */
export async function sweepSettledUploads(db: Db, bucket: R2Bucket): Promise<number> {
  const rows = await db.all<{ id: string; key: string }>(sql`SELECT id, file_key AS key FROM uploads INDEXED BY uploads_file_key
    WHERE file_key IS NOT NULL AND outcome IN ('assigned', 'discarded')
      AND NOT EXISTS (SELECT 1 FROM reports WHERE reports.file_key = uploads.file_key) LIMIT 500`);
  if (rows.length === 0) return 0;
  await bucket.delete(rows.map(({ key }) => key));
  await db.run(sql`UPDATE uploads SET file_key = NULL
    WHERE id IN (SELECT value FROM json_each(${JSON.stringify(rows.map(({ id }) => id))})) AND outcome IN ('assigned', 'discarded')`);
  return rows.length;
}
