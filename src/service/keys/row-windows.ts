// SQL for reading a table in parts, in the order of its primary key.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { batch, type Db } from "../../platform/db/client.ts";
import { type CountStep, type Cursor, parseCursor, UNKNOWN_KEY } from "./sealed-store.ts";

/** Rows per step while counting: only the beginning of each value is read. */
export const MAX_COUNTED_ROWS = 2_000;

export const list = (parts: readonly SQLWrapper[]): SQL => sql.join([...parts], sql`, `);

/** True of rows after the cursor. */
export function isAfter(key: readonly SQLiteColumn[], cursor: Cursor | null): SQL {
  return cursor === null ? sql`1` : sql`(${list(key)}) > (${list(cursor.map((value) => sql`${value}`))})`;
}

/** The key id of `s1.<kid>.…`; NULL for NULL. */
export const keyIdOfValue = (value: SQLWrapper): SQL => sql`CASE WHEN ${value} IS NULL THEN NULL
  WHEN ${value} GLOB 's1.?*.*' THEN substr(${value}, 4, instr(substr(${value}, 4, 14), '.') - 1) ELSE ${UNKNOWN_KEY} END`;

/** The key id of a file's key, `<kid>/…`; NULL for NULL. */
export const keyIdOfFile = (key: SQLWrapper): SQL => sql`CASE WHEN ${key} IS NULL THEN NULL
  WHEN ${key} GLOB '?*/*' THEN substr(${key}, 1, instr(${key}, '/') - 1) ELSE ${UNKNOWN_KEY} END`;

type Counted = {
  table: SQLiteTable;
  key: readonly SQLiteColumn[];
  /** Of each row, an expression per value: its key id, or NULL. */
  keyIds: readonly SQL[];
  where?: SQL;
};

/** Counts the values of the next rows by key id. */
export async function countRows(db: Db, { table, key, keyIds, where }: Counted, cursor: Cursor | null): Promise<CountStep> {
  const rows = sql`(SELECT json_array(${list(key)}) AS place, json_array(${list(keyIds)}) AS key_ids FROM ${table}
    WHERE ${isAfter(key, cursor)} AND ${where ?? sql`1`} ORDER BY ${list(key)} LIMIT ${MAX_COUNTED_ROWS})`;
  const [counts, edges] = await batch(db, [
    db.all<{ key_id: string; n: number }>(sql`SELECT k.value AS key_id, count(*) AS n FROM ${rows} r, json_each(r.key_ids) k
      WHERE k.value IS NOT NULL GROUP BY k.value`),
    db.all<{ place: string }>(sql`SELECT place FROM ${rows} LIMIT 1 OFFSET ${MAX_COUNTED_ROWS - 1}`),
  ]);
  const [edge] = edges;
  return { next: parseCursor(edge?.place ?? null), counts: Object.fromEntries(counts.map(({ key_id, n }) => [key_id, n])) };
}
