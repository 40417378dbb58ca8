// Windows over a table without an index by patient: a step of an erasure searches one of them.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";

/** Rows that one window of a column has at most. */
const ROWS_PER_WINDOW = 2_000;
/** Values that one window of numbers has: each is one seek in an index. */
const NUMBERS_PER_WINDOW = 10_000;

/** The columns of a row that an erasure reads. */
export type Row = Record<string, string | number | null>;
export type Cursor = string | number | null;
export type Search = {
  /** Selects `last`, the end of the window after the cursor; NULL when nothing follows. */
  end: (table: SQLWrapper, after: Cursor) => SQL;
  /** The condition of the window. */
  within: (after: Cursor, last: string | number) => SQL;
};

/** Windows of rows in the order of an indexed column. Rows with the same value are in one window. */
export function byColumn(name: string): Search {
  const column = sql.identifier(name);
  const isAfter = (after: Cursor) => (after === null ? sql`1` : sql`${column} > ${after}`);
  return {
    end: (table, after) =>
      sql`SELECT max(c) AS last FROM (SELECT ${column} AS c FROM ${table} WHERE ${isAfter(after)} ORDER BY ${column} LIMIT ${ROWS_PER_WINDOW})`,
    within: (after, last) => sql`${isAfter(after)} AND ${column} <= ${last}`,
  };
}

/** Windows of whole numbers, for an index in which the column stands before the patient. */
export function byNumbers(name: string, first: number, last: number): Search {
  const column = sql.identifier(name);
  const next = (after: Cursor) => (after === null ? first : Number(after) + 1);
  return {
    end: (_, after) =>
      sql`SELECT iif(${next(after)} > ${last}, NULL, ${Math.min(last, next(after) + NUMBERS_PER_WINDOW - 1)}) AS last`,
    within: (after, end) => {
      const numbers = Array.from({ length: Number(end) - next(after) + 1 }, (_, i) => next(after) + i);
      return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(numbers)}))`;
    },
  };
}
