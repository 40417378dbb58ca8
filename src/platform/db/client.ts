// The D1 client, batches of any length, and how a constraint's refusal is recognised.
import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { fastRender, type Render } from "./render.ts";

export type Db = DrizzleD1Database & { $client: D1Database };
export type Statement = BatchItem<"sqlite">;

// One client a binding: making one costs a tenth of a small request.
const clientsByBinding = new WeakMap<D1Database, Db>();

export function getDb(d1: D1Database): Db {
  const known = clientsByBinding.get(d1);
  if (known) return known;
  const client = drizzle(d1);
  const { dialect } = client as unknown as { dialect: { sqlToQuery: Render } };
  dialect.sqlToQuery = fastRender(dialect.sqlToQuery.bind(dialect));
  clientsByBinding.set(d1, client);
  return client;
}

/** What drizzle's statements have and its types leave out. */
type PreparedStatement = {
  getQuery(): { sql: string; params: unknown[] };
  mapResult(answer: unknown, fromBatch: boolean): unknown;
};
const prepareStatement = (statement: Statement) => (statement as unknown as { _prepare(): PreparedStatement })._prepare();

/**
 * One transaction, one round trip, all or nothing. Joined selects name every column themselves: D1 answers a batch
 * with objects, in which two columns of one name become one. (drizzle's own batch drops the parameters of raw SQL.)
 */
export async function batch<const T extends readonly Statement[]>(db: Db, statements: T): Promise<BatchResponse<T>> {
  const prepared = statements.map(prepareStatement);
  const boundStatements = prepared.map((query) => {
    const { sql, params } = query.getQuery();
    // biome-ignore lint/plugin: drizzle has built it from constants and placeholders.
    return db.$client.prepare(sql).bind(...params);
  });
  const rawResults = boundStatements.length > 0 ? await db.$client.batch(boundStatements) : [];
  const results: unknown = prepared.map((query, i) => query.mapResult(rawResults[i], true));
  return results as BatchResponse<T>;
}

/** True for the error of a statement that met a UNIQUE or PRIMARY KEY constraint naming `what` (a table or column). */
export function isUniqueViolation(error: unknown, tableOrColumn: string): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.message.includes("UNIQUE constraint failed") && current.message.includes(tableOrColumn)) return true;
  }
  return false;
}

/** True for the error of a statement whose condition left a column without its value: `(SELECT id WHERE …)`. */
export function isConditionFailed(error: unknown, column: string): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.message.includes(`NOT NULL constraint failed: ${column}`)) return true;
  }
  return false;
}

/** True for the error of `holdsStatement` (standing.ts): the caller is not who the batch was built for. */
export function isRoleChanged(error: unknown): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.message.includes("integer overflow")) return true;
  }
  return false;
}

/** True for the error of a statement whose foreign key names nothing. */
export function isForeignKeyViolation(error: unknown): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.message.includes("FOREIGN KEY constraint failed")) return true;
  }
  return false;
}
