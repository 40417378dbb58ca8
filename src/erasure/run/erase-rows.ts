// One step of an erasure in D1 and R2: deletes the files of some rows, then the rows.
import { type SQL, sql } from "drizzle-orm";
import type { Keys } from "../../platform/config.ts";
import { batch, type Db, type Statement } from "../../platform/db/client.ts";
import { CLEARED_COLUMNS } from "./cleared-columns.ts";
import type { ErasedTable } from "./erased-tables.ts";
import { addCounts, type ErasureRow, extendHash, type Progress, saveStep } from "./progress.ts";
import type { Cursor, Row } from "./search.ts";

/** Rows of a table that is searched by an index of the patient, per step. */
const ROWS_PER_STEP = 200;
/** R2 deletes as many files per call. */
const FILES_PER_CALL = 1_000;

/**
 * `wait`: the erasure goes on later. `taken`: another run did the step. `calls`: of D1, R2, KV and objects, of which an invocation of a
 * Worker has 1,000.
 */
export type StepResult = { outcome: "continue" | "wait" | "done" | "taken"; calls: number };
type Stores = { db: Db; files: R2Bucket; keys: Keys };

type Found = { rows: Row[]; files: string[]; next: { step: number; cursor: Cursor } };
/** Queries of `findRows`, at most, and two batches. */
const CALLS_PER_WINDOW = 5;

export async function eraseRows(
  stores: Stores,
  row: ErasureRow,
  progress: Progress,
  erased: ErasedTable,
  now: number,
): Promise<StepResult> {
  const found = await findRows(stores.db, progress, erased, now);
  if (found === "wait") return { outcome: "wait", calls: CALLS_PER_WINDOW };
  const { rows, files, next } = found;
  const { db, keys } = stores;
  const before = rows.length === 0 ? [] : ((await erased.beforeFiles?.(db, rows, keys)) ?? []);
  if (before.length > 0) await batch(db, before);
  for (let i = 0; i < files.length; i += FILES_PER_CALL) await stores.files.delete(files.slice(i, i + FILES_PER_CALL));
  const alongside = erased.alongside?.(db, rows, progress.subject) ?? [];
  const deletions = rows.length === 0 ? [] : [...alongside, deleteRows(db, erased, rows)];
  const counted = addCounts(progress, { [`d1.${erased.table}`]: rows.length, "r2.files": files.length });
  const items = [
    ...rows.map((item) => [erased.table, ...erased.key.map((column) => item[column])].join(" ")),
    ...files.map((key) => `file ${key}`),
  ];
  const listHash = items.length === 0 ? row.listHash : await extendHash(row.listHash, items);
  await batch(db, saveStep(db, row, { ...counted, ...next }, listHash, deletions));
  return { outcome: "continue", calls: CALLS_PER_WINDOW + Math.ceil(files.length / FILES_PER_CALL) };
}

/** Rows of the current step, with the files that they name, and the step that follows. */
async function findRows(db: Db, { subject, step, cursor }: Progress, erased: ErasedTable, now: number): Promise<Found | "wait"> {
  const following = { step: step + 1, cursor: null };
  const name = sql.identifier(erased.table);
  const search = erased.search?.(subject);
  const [end] = search ? await db.all<{ last: string | number | null }>(search.end(name, cursor)) : [];
  const last = end?.last ?? null;
  if (search && last === null) return { rows: [], files: [], next: following };
  const window = search && last !== null ? search.within(cursor, last) : sql`1`;
  const where = sql`(${erased.where(subject)}) AND ${window}`;
  if (erased.mustWait && (await exists(db, sql`${name} WHERE ${where} AND ${erased.mustWait(subject, now)}`))) return "wait";
  const fileColumns = erased.files ?? [];
  const columns = [...erased.key, ...fileColumns, ...(erased.columns ?? [])].map((column) => sql.identifier(column));
  const limit = search ? sql`` : sql` LIMIT ${ROWS_PER_STEP}`;
  const rows = await db.all<Row>(sql`SELECT ${sql.join(columns, sql`, `)} FROM ${name} WHERE ${where}${limit}`);
  const files = rows.flatMap((row) => fileColumns.flatMap((column) => (row[column] == null ? [] : [String(row[column])])));
  const isLast = !search && rows.length < ROWS_PER_STEP;
  return { rows, files, next: isLast ? following : { step, cursor: last } };
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

/** Begins with the first table again. */
export const repeatTables = (db: Db, row: ErasureRow, progress: Progress, plan: string, firstTable: number) =>
  batch(db, saveStep(db, row, { ...progress, plan, step: firstTable, cursor: null }, row.listHash, []));

const ROW_ID = sql`id`;
const setNull = () => sql`NULL`;

/** Removes the patient's id from rows of others. */
export async function clearColumns(db: Db, row: ErasureRow, progress: Progress): Promise<StepResult> {
  const found = await Promise.all(
    CLEARED_COLUMNS.map(({ table, where, id = ROW_ID }) =>
      db.all<{ id: string }>(
        sql`SELECT ${id} AS id FROM ${sql.identifier(table)} WHERE ${where(progress.subject)} LIMIT ${ROWS_PER_STEP}`,
      ),
    ),
  );
  const cleared = CLEARED_COLUMNS.map((column, i) => ({ ...column, ids: (found[i] ?? []).map(({ id }) => id) }));
  const updates = cleared.map(({ table, column, where, ids, id = ROW_ID, rest = setNull }) =>
    db.run(sql`UPDATE ${sql.identifier(table)} SET ${sql.identifier(column)} = ${rest(progress.subject)}
      WHERE ${where(progress.subject)} AND ${id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`),
  );
  const counts = Object.fromEntries(cleared.map(({ table, column, ids }) => [`d1.${table}.${column}`, ids.length]));
  const items = cleared.flatMap(({ table, column, ids }) => ids.map((id) => `${table}.${column} ${id}`));
  const isDone = cleared.every(({ ids }) => ids.length < ROWS_PER_STEP);
  const listHash = items.length === 0 ? row.listHash : await extendHash(row.listHash, items);
  await batch(
    db,
    saveStep(db, row, { ...addCounts(progress, counts), step: progress.step + (isDone ? 1 : 0) }, listHash, updates),
  );
  return { outcome: "continue", calls: CLEARED_COLUMNS.length + 1 };
}
