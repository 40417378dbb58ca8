// Files in R2 that a row names, as stores: each is sealed again into a new file, and the row then names that one.

import { sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { mapAsync } from "es-toolkit/array";
import { fileRecordId as documentRecordId } from "../../documents/reading/document.ts";
import { batch } from "../../platform/db/client.ts";
import { documents, reports, uploads } from "../../platform/db/schema.ts";
import { describeCause } from "../../platform/errors.ts";
import { createObjectKey, type FileOwner, storeFile, streamFile } from "../../platform/files.ts";
import { log } from "../../platform/log.ts";
import { fileRecordId, metricsRecordId } from "../../reports/upload/new-report.ts";
import { countRows, isAfter, keyIdOfFile } from "./row-windows.ts";
import { addCount, type Cursor, type SealedStore, type SealingJob, type SealStep } from "./sealed-store.ts";

type FileColumn = {
  name: string;
  table: SQLiteTable;
  id: SQLiteColumn;
  fileKey: SQLiteColumn;
  /** Bytes before sealing. */
  size: SQLiteColumn;
  toOwner: (id: string) => FileOwner;
};

export const FILE_COLUMNS: readonly FileColumn[] = [
  {
    name: "uploads.file_key",
    table: uploads,
    id: uploads.id,
    fileKey: uploads.fileKey,
    size: uploads.fileSize,
    toOwner: fileRecordId,
  },
  {
    name: "reports.file_key",
    table: reports,
    id: reports.id,
    fileKey: reports.fileKey,
    size: reports.fileSize,
    toOwner: fileRecordId,
  },
  {
    name: "reports.metrics_key",
    table: reports,
    id: reports.id,
    fileKey: reports.metricsKey,
    size: reports.metricsSize,
    toOwner: metricsRecordId,
  },
  {
    name: "documents.file_key",
    table: documents,
    id: documents.id,
    fileKey: documents.fileKey,
    size: documents.fileSize,
    toOwner: documentRecordId,
  },
];

/** Bounds of a step: rows that are read, and files that are sealed. */
const MAX_ROWS = 500;
const MAX_FILES = 20;
/** A file is streamed in segments, so that memory does not depend on its size. */
const CONCURRENT_FILES = 4;

export function sealedFiles(column: FileColumn): SealedStore {
  const { name, table, id, fileKey } = column;
  return {
    name,
    weight: 5,
    count: ({ db }, cursor) => countRows(db, { table, key: [id], keyIds: [keyIdOfFile(fileKey)] }, cursor),
    seal: (job, cursor) => sealFiles(job, column, cursor),
  };
}

type FileRow = { id: string; file_key: string; size: number };

async function sealFiles(job: SealingJob, column: FileColumn, cursor: Cursor | null): Promise<SealStep> {
  const { files, next } = await selectFiles(job, column, cursor);
  const step: SealStep = { next, sealed: {}, failed: 0, waiting: 0 };
  const seal = async (row: FileRow) => {
    try {
      if (await sealFile(job, column, row)) addCount(step.sealed, row.file_key.split("/")[0] ?? "");
    } catch (error) {
      step.failed++;
      log(job.env, "ERROR", "file not sealed again", { operation: column.name, object_id: row.id, cause: describeCause(error) });
    }
  };
  await mapAsync(files, seal, { concurrency: CONCURRENT_FILES });
  return step;
}

/** The files of the next rows that are not under the current key, up to a number; the next step begins after the last row that was read. */
async function selectFiles({ db, ring }: SealingJob, { table, id, fileKey, size }: FileColumn, cursor: Cursor | null) {
  const isDue = sql`${fileKey} IS NOT NULL AND substr(${fileKey}, 1, ${ring.currentKid.length + 1}) <> ${`${ring.currentKid}/`}`;
  const rows = await db.all<FileRow & { due: number }>(sql`SELECT ${id} AS id, ${fileKey} AS file_key,
      coalesce(${size}, 0) AS size, ${isDue} AS due FROM ${table} WHERE ${isAfter([id], cursor)} ORDER BY ${id} LIMIT ${MAX_ROWS}`);
  const due = rows.filter((row) => row.due === 1);
  const files = due.slice(0, MAX_FILES);
  const lastId = (due.length > MAX_FILES ? files : rows).at(-1)?.id;
  return { files, next: lastId === undefined ? null : [lastId] };
}

/**
 * The new file first; then one transaction names it and lists the old one for deletion. A new file that no row names is deleted here, or
 * by the sweep of orphans after a crash.
 * @returns false when the row changed meanwhile
 */
async function sealFile({ env, db, ring, now }: SealingJob, column: FileColumn, row: FileRow): Promise<boolean> {
  const { table, id, fileKey } = column;
  const owner = column.toOwner(row.id);
  const newKey = createObjectKey(ring, now);
  const { chunks } = await streamFile(env.FILES, ring, row.file_key, owner, row.size);
  await storeFile(env.FILES, ring, newKey, owner, chunks, row.size);
  const [changed] = await batch(db, [
    db.all(sql`UPDATE ${table} SET ${sql.identifier(fileKey.name)} = ${newKey}
      WHERE ${id} = ${row.id} AND ${fileKey} = ${row.file_key} RETURNING 1`),
    db.run(sql`INSERT INTO replaced_files (file_key, replaced_at) SELECT ${row.file_key}, CAST(${now} AS INTEGER)
      WHERE EXISTS (SELECT 1 FROM ${table} WHERE ${id} = ${row.id} AND ${fileKey} = ${newKey}) ON CONFLICT DO NOTHING`),
  ]);
  if (changed.length === 0) await env.FILES.delete(newKey);
  return changed.length > 0;
}
