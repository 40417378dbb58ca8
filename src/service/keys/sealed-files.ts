// Files in R2 that a row names, as stores: each is sealed again into a new file, and the row then names that one.

import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { mapAsync } from "es-toolkit/array";
import { fileRecordId as documentRecordId } from "../../documents/reading/document.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { documents, recordExports, reports, reportVersions, uploads } from "../../platform/db/schema.ts";
import { describeCause } from "../../platform/errors.ts";
import { createObjectKey, type FileOwner, storeFile, streamFile } from "../../platform/files.ts";
import { log } from "../../platform/log.ts";
import { fileRecordId, metricsRecordId } from "../../reports/upload/new-report.ts";
import { exportRecordId } from "../record-exports/file-owner.ts";
import { countRows, isAfter, keyIdOfFile } from "./row-windows.ts";
import { addCount, type Cursor, type SealedStore, type SealingJob, type SealStep } from "./sealed-store.ts";

type FileColumn = {
  name: string;
  table: SQLiteTable;
  id: SQLiteColumn;
  fileKey: SQLiteColumn;
  /** Bytes before sealing. */
  size: SQLiteColumn;
  /** The record that the file is bound to, if it is not the row itself. */
  record?: SQLiteColumn;
  toOwner: (recordId: string) => FileOwner;
  /** Whether the erasure `e` may be about the row. */
  isOf: SQL;
};

const ofPatient = (patientId: SQLiteColumn) => sql`e.patient_id = ${patientId}`;

export const FILE_COLUMNS: readonly FileColumn[] = [
  {
    name: "uploads.file_key",
    table: uploads,
    id: uploads.id,
    fileKey: uploads.fileKey,
    size: uploads.fileSize,
    toOwner: fileRecordId,
    // A file without a patient may be of anybody in the hospital.
    isOf: sql`(${ofPatient(uploads.patientId)} OR (${uploads.patientId} IS NULL
      AND e.hospital_id = coalesce(${uploads.hospitalId}, e.hospital_id)))`,
  },
  {
    name: "reports.file_key",
    table: reports,
    id: reports.id,
    fileKey: reports.fileKey,
    size: reports.fileSize,
    toOwner: fileRecordId,
    isOf: ofPatient(reports.patientId),
  },
  {
    name: "reports.metrics_key",
    table: reports,
    id: reports.id,
    fileKey: reports.metricsKey,
    size: reports.metricsSize,
    toOwner: metricsRecordId,
    isOf: ofPatient(reports.patientId),
  },
  {
    name: "documents.file_key",
    table: documents,
    id: documents.id,
    fileKey: documents.fileKey,
    size: documents.fileSize,
    toOwner: documentRecordId,
    isOf: ofPatient(documents.patientId),
  },
  {
    name: "report_versions.content_key",
    table: reportVersions,
    id: reportVersions.id,
    fileKey: reportVersions.contentKey,
    size: reportVersions.contentSize,
    record: reportVersions.reportId,
    toOwner: fileRecordId,
    isOf: sql`e.patient_id = (SELECT r.patient_id FROM reports r WHERE r.id = ${reportVersions.reportId})`,
  },
  {
    name: "record_exports.file_key",
    table: recordExports,
    id: recordExports.id,
    fileKey: recordExports.fileKey,
    size: recordExports.fileSize,
    toOwner: exportRecordId,
    isOf: ofPatient(recordExports.patientId),
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
    weight: 10,
    count: ({ db }, cursor) => countRows(db, { table, key: [id], keyIds: [keyIdOfFile(fileKey)] }, cursor),
    seal: (job, cursor) => sealFiles(job, column, cursor),
  };
}

type FileRow = { id: string; record_id: string; file_key: string; size: number };

async function sealFiles(job: SealingJob, column: FileColumn, cursor: Cursor | null): Promise<SealStep> {
  const { files, next } = await selectFiles(job, column, cursor);
  const step: SealStep = { next, sealed: {}, failed: 0, waiting: 0 };
  const seal = async (row: FileRow) => {
    try {
      if (await sealFile(job, column, row)) addCount(step.sealed, row.file_key.split("/")[0] ?? "");
      else step.waiting++;
    } catch (error) {
      step.failed++;
      log(job.env, "ERROR", "file not sealed again", { operation: column.name, object_id: row.id, cause: describeCause(error) });
    }
  };
  await mapAsync(files, seal, { concurrency: CONCURRENT_FILES });
  return step;
}

/** The files of the next rows that are not under the current key, up to a number; the next step begins after the last row that was read. */
async function selectFiles(
  { db, ring }: SealingJob,
  { table, id, record = id, fileKey, size }: FileColumn,
  cursor: Cursor | null,
) {
  const isDue = sql`${fileKey} IS NOT NULL AND substr(${fileKey}, 1, ${ring.currentKid.length + 1}) <> ${`${ring.currentKid}/`}`;
  const rows = await db.all<FileRow & { due: number }>(sql`SELECT ${id} AS id, ${record} AS record_id, ${fileKey} AS file_key,
      coalesce(${size}, 0) AS size, ${isDue} AS due FROM ${table} WHERE ${isAfter([id], cursor)} ORDER BY ${id} LIMIT ${MAX_ROWS}`);
  const due = rows.filter((row) => row.due === 1);
  const files = due.slice(0, MAX_FILES);
  const lastId = (due.length > MAX_FILES ? files : rows).at(-1)?.id;
  return { files, next: lastId === undefined ? null : [lastId] };
}

/**
 * First the name of the new file is listed for deletion, then it is written; one transaction names it in the row and lists the old one
 * instead. So a file that no row names is always listed, also after a crash.
 * @returns false when the row changed meanwhile, or its patient is being erased: it is looked at again later
 */
async function sealFile({ env, db, ring, now }: SealingJob, column: FileColumn, row: FileRow): Promise<boolean> {
  const { table, id, fileKey } = column;
  const owner = column.toOwner(row.record_id);
  const newKey = createObjectKey(ring, now);
  if (!(await reserveFile(db, column, row, newKey, now))) return false;
  const { chunks } = await streamFile(env.FILES, ring, row.file_key, owner, row.size);
  await storeFile(env.FILES, ring, newKey, owner, chunks, row.size);
  const [changed] = await batch(db, [
    db.all(sql`UPDATE ${table} SET ${sql.identifier(fileKey.name)} = ${newKey}
      WHERE ${id} = ${row.id} AND ${fileKey} = ${row.file_key}
        AND EXISTS (SELECT 1 FROM replaced_files WHERE file_key = ${newKey}) RETURNING 1`),
    db.run(sql`UPDATE OR REPLACE replaced_files SET file_key = ${row.file_key}, replaced_at = CAST(${now} AS INTEGER)
      WHERE file_key = ${newKey} AND EXISTS (SELECT 1 FROM ${table} WHERE ${id} = ${row.id} AND ${fileKey} = ${newKey})`),
  ]);
  if (changed.length === 0) await env.FILES.delete(newKey);
  return changed.length > 0;
}

/** Lists the name of a file that will be written. No file of a patient who is being erased is listed: the erasure waits for those before. */
async function reserveFile(db: Db, column: FileColumn, row: FileRow, newKey: string, now: number): Promise<boolean> {
  const { table, id, record = id, fileKey, isOf } = column;
  const reserved = await db.all(sql`INSERT INTO replaced_files (file_key, replaced_at, record_id)
    SELECT ${newKey}, CAST(${now} AS INTEGER), ${record} FROM ${table} WHERE ${id} = ${row.id} AND ${fileKey} = ${row.file_key}
      AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.state = 'erasing' AND ${isOf}) RETURNING file_key`);
  return reserved.length > 0;
}
