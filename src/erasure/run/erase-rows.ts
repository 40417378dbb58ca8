// One step of an erasure in D1 and R2: deletes the files of some rows, then the rows.
import { type SQL, sql } from "drizzle-orm";
import { batch, type Db, type Statement } from "../../platform/db/client.ts";
import { CLEARED_COLUMNS, type ErasedTable, type Row } from "./erased-tables.ts";
import { addCounts, type ErasureRow, extendHash, type Progress, saveStep } from "./progress.ts";

/** Rows of a table that is searched by an index of the patient, per step. */
const ROWS_PER_STEP = 200;
/** R2 deletes as many files per call. */
const FILES_PER_CALL = 1_000;

export type StepResult = "continue" | "wait";
type Stores = { db: Db; files: R2Bucket };

/** @returns `wait` when the rows must not be deleted yet */
export async function eraseRows(
  { db, files }: Stores,
  row: ErasureRow,
  progress: Progress,
  erased: ErasedTable,
  now: number,
): Promise<StepResult> {
  const { subject, cursor } = progress;
  const name = sql.identifier(erased.table);
  const search = erased.search?.(subject);
  const [end] = search ? await db.all<{ last: string | number | null }>(search.end(name, cursor)) : [];
  const last = end?.last ?? null;
  if (search && last === null) return finishTable(db, row, progress, []);
  const where = sql`(${erased.where(subject)})${search && last !== null ? sql` AND ${search.within(cursor, last)}` : sql``}`;
  if (erased.mustWait && (await exists(db, sql`${name} WHERE ${where} AND ${erased.mustWait(subject, now)}`))) return "wait";
  const columns = [...erased.key, ...(erased.files ?? []), ...(erased.columns ?? [])].map((column) => sql.identifier(column));
  const found = await db.all<Row>(
    sql`SELECT ${sql.join(columns, sql`, `)} FROM ${name} WHERE ${where}${search ? sql`` : sql` LIMIT ${ROWS_PER_STEP}`}`,
  );
  const fileKeys = (erased.files ?? []).flatMap((column) => found.map((item) => item[column])).filter((key) => key != null);
  for (let i = 0; i < fileKeys.length; i += FILES_PER_CALL) await files.delete(fileKeys.slice(i, i + FILES_PER_CALL).map(String));
  const deletions = found.length === 0 ? [] : [deleteRows(db, erased, found), ...(erased.alongside?.(db, found, subject) ?? [])];
  const counted = addCounts(progress, { [`d1.${erased.table}`]: found.length, "r2.files": fileKeys.length });
  const items = found.map((item) => [erased.table, ...erased.key.map((column) => item[column])].join(" "));
  const listHash =
    items.length === 0 ? row.listHash : await extendHash(row.listHash, [...items, ...fileKeys.map((key) => `file ${key}`)]);
  const isTableDone = !search && found.length < ROWS_PER_STEP;
  const next = isTableDone ? { ...counted, step: progress.step + 1, cursor: null } : { ...counted, cursor: last };
  await batch(db, saveStep(db, row, next, listHash, deletions));
  return "continue";
}

async function exists(db: Db, rows: SQL): Promise<boolean> {
  const [row] = await db.all<{ found: number }>(sql`SELECT EXISTS (SELECT 1 FROM ${rows}) AS found`);
  return row?.found === 1;
}

function deleteRows(db: Db, { table, key }: ErasedTable, rows: readonly Row[]): Statement {
  const keys = JSON.stringify(rows.map((row) => key.map((column) => row[column])));
  const columns = sql.join(
    key.map((column) => sql.identifier(column)),
    sql`, `,
  );
  const values = sql.join(
    key.map((_, i) => sql`value->>${`$[${i}]`}`),
    sql`, `,
  );
  return db.run(sql`DELETE FROM ${sql.identifier(table)} WHERE (${columns}) IN (SELECT ${values} FROM json_each(${keys}))`);
}

async function finishTable(db: Db, row: ErasureRow, progress: Progress, deletions: readonly Statement[]): Promise<StepResult> {
  await batch(db, saveStep(db, row, { ...progress, step: progress.step + 1, cursor: null }, row.listHash, deletions));
  return "continue";
}

/** Removes the patient's id from rows of others. */
export function clearColumns(db: Db, row: ErasureRow, progress: Progress): Promise<StepResult> {
  const statements = CLEARED_COLUMNS.map(({ table, column, where }) =>
    db.run(sql`UPDATE ${sql.identifier(table)} SET ${sql.identifier(column)} = NULL WHERE ${where(progress.subject)}`),
  );
  return finishTable(db, row, progress, statements);
}
