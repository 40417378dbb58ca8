// Files that were sealed again into another file: deleted when nobody can still read them.
import { sql } from "drizzle-orm";
import { batch } from "../../platform/db/client.ts";
import { replacedFiles } from "../../platform/db/schema.ts";
import { findUnreferencedFiles } from "../../reports/reading/sweep.ts";
import { countRows, keyIdOfFile } from "./row-windows.ts";
import { FILE_COLUMNS } from "./sealed-files.ts";
import { SETTLED_MS, type SealedStore, type SealingJob, type SealStep } from "./sealed-store.ts";

/** The most keys that R2 deletes in one call. */
const MAX_DELETED = 1_000;

export const replacedFilesStore: SealedStore = {
  name: "replaced_files",
  weight: 1,
  count: ({ db }, cursor) =>
    countRows(db, { table: replacedFiles, key: [replacedFiles.fileKey], keyIds: [keyIdOfFile(replacedFiles.fileKey)] }, cursor),
  seal: sealReplaced,
};

async function sealReplaced(job: SealingJob): Promise<SealStep> {
  const deleted = await deleteReplacedFiles(job);
  const [left] = deleted === 0 ? await job.db.all(sql`SELECT 1 FROM replaced_files LIMIT 1`) : [];
  return { next: deleted < MAX_DELETED ? null : [""], sealed: {}, failed: 0, waiting: left ? 1 : 0 };
}

/**
 * A request that read the row before may have written the old key into another row, such as a report from quarantine. Such a file stays,
 * and its store is counted again. The file is deleted before its row, so that none is forgotten.
 * @returns how many rows were deleted, at most a thousand
 */
export async function deleteReplacedFiles({ env, db, now }: Omit<SealingJob, "ring">): Promise<number> {
  const rows = await db.all<{ key: string }>(sql`SELECT file_key AS key FROM replaced_files INDEXED BY replaced_files_time
    WHERE replaced_at <= ${now - SETTLED_MS} ORDER BY replaced_at LIMIT ${MAX_DELETED}`);
  if (rows.length === 0) return 0;
  const keys = rows.map(({ key }) => key);
  const unreferenced = await findUnreferencedFiles(db, keys, "replaced");
  if (unreferenced.length > 0) await env.FILES.delete(unreferenced);
  const isReferenced = unreferenced.length < keys.length;
  await batch(db, [
    db.run(sql`DELETE FROM replaced_files WHERE file_key IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`),
    db.run(sql`UPDATE resealing SET phase = 'counting', cursor = NULL, counted = '{}' WHERE ${Number(isReferenced)}
      AND store IN (SELECT value FROM json_each(${JSON.stringify(FILE_COLUMNS.map(({ name }) => name))}))`),
  ]);
  return rows.length;
}
