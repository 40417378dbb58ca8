// The orphan sweep: a file without a row is what an interrupted upload leaves, and nothing points to it.
import { sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { hourPrefix } from "../files.ts";

/** A file younger than this may belong to an upload that is still running (request.ts ends those after 10 minutes). */
export const ORPHAN_AGE_MS = 40 * 60_000;
/** With a run every quarter of an hour an orphan lives less than an hour; hours in which the cron failed are caught up. */
const LOOK_BACK_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;

/** Deletes unreferenced files older than 40 minutes. @returns how many */
export async function sweepOrphans(db: Db, bucket: R2Bucket, kids: Iterable<string>, now: number): Promise<number> {
  let deleted = 0;
  for (const kid of kids) {
    for (let hour = now - LOOK_BACK_MS; hour <= now - ORPHAN_AGE_MS + HOUR_MS; hour += HOUR_MS) {
      deleted += await sweepHour(db, bucket, hourPrefix(kid, hour), now);
    }
  }
  return deleted;
}

async function sweepHour(db: Db, bucket: R2Bucket, prefix: string, now: number): Promise<number> {
  let deleted = 0;
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, limit: 500, ...(cursor && { cursor }) });
    const old = page.objects.filter((object) => object.uploaded.getTime() < now - ORPHAN_AGE_MS).map((object) => object.key);
    const orphans = old.length > 0 ? await unreferenced(db, old) : [];
    if (orphans.length > 0) await bucket.delete(orphans);
    deleted += orphans.length;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return deleted;
}

async function unreferenced(db: Db, keys: string[]): Promise<string[]> {
  const rows = await db.all<{ key: string }>(sql`SELECT k.value AS key FROM json_each(${JSON.stringify(keys)}) k
    WHERE NOT EXISTS (SELECT 1 FROM reports WHERE file_key = k.value)
      AND NOT EXISTS (SELECT 1 FROM reports WHERE metrics_key = k.value)
      AND NOT EXISTS (SELECT 1 FROM uploads WHERE file_key = k.value)`);
  return rows.map((row) => row.key);
}
