// Failures of an erasure: marked on it for its administrators, logged, and followed by another run after a growing delay.
import { getTableName, is, sql } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Db } from "../../platform/db/client.ts";
import * as schema from "../../platform/db/schema.ts";
import type { ErasureFailure } from "../../platform/db/vocabulary.ts";
import { describeCause } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { HOUR_MS } from "../../platform/time.ts";
import type { ErasedTable } from "./erased-tables.ts";
import type { ErasureRow, Subject } from "./progress.ts";

const FIRST_DELAY_MS = 60_000;
/** Runs of an erasure that keeps failing are so far apart. */
export const MAX_DELAY_MS = 6 * HOUR_MS;
/** Rows that are counted per table. */
const MAX_REFERRING = 100;

type Failed = { env: Pick<Env, "LOG_LEVEL">; db: Db };

/** After the n-th failure in a row the next run waits 2^(n-1) minutes. */
const mark = (db: Db, id: string, failure: ErasureFailure, now: number) =>
  db.run(sql`UPDATE erasures SET failures = failures + 1, failure = ${failure},
      retry_at = CAST(${now} + min(${MAX_DELAY_MS}, ${FIRST_DELAY_MS} << min(failures, 10)) AS INTEGER)
    WHERE id = ${id} AND state IN ('restricted', 'erasing')`);

/** A run that ended with an error: the step is repeated. */
export async function markError({ env, db }: Failed, id: string, error: unknown, now: number): Promise<void> {
  log(env, "ERROR", "erasure interrupted", { code: id, cause: describeCause(error) });
  await mark(db, id, "error", now).catch((cause: unknown) =>
    log(env, "ERROR", "failure of an erasure not marked", { code: id, cause: describeCause(cause) }),
  );
}

/** Rows that an erasure does not delete refer to rows of the table. It begins with the first table again. */
export async function holdUp(
  { env, db }: Failed,
  { id, patientId }: ErasureRow,
  erased: ErasedTable | undefined,
  subject: Subject,
  now: number,
): Promise<void> {
  const reason = erased ? await findReferring(db, erased, subject) : "";
  log(env, "ERROR", "erasure held up by references", { code: id, object_id: patientId, operation: erased?.table ?? "", reason });
  await mark(db, id, "reference", now);
}

const TABLES = Object.values<unknown>(schema).filter((value): value is SQLiteTable => is(value, SQLiteTable));

/** The columns that refer to a table, with the column that they name. */
const listReferences = (table: string) =>
  TABLES.flatMap((referring) =>
    getTableConfig(referring).foreignKeys.flatMap((foreignKey) => {
      const { columns, foreignColumns, foreignTable } = foreignKey.reference();
      const [column, target] = [columns[0]?.name, foreignColumns[0]?.name];
      return getTableName(foreignTable) === table && column && target ? [{ table: getTableName(referring), column, target }] : [];
    }),
  );

/** What refers to the patient's rows of a table: `<table>.<column> <rows>`, separated by commas. */
async function findReferring(db: Db, { table, where }: ErasedTable, subject: Subject): Promise<string> {
  const found: string[] = [];
  for (const { table: name, column, target } of listReferences(table)) {
    const rows = sql`SELECT ${sql.identifier(target)} FROM ${sql.identifier(table)} WHERE ${where(subject)}`;
    const [counted] = await db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${sql.identifier(name)}
      WHERE ${sql.identifier(column)} IN (${rows}) LIMIT ${MAX_REFERRING})`);
    if (counted && counted.n > 0) found.push(`${name}.${column} ${counted.n}`);
  }
  return found.join(", ");
}
