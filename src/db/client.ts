// The D1 client, batches of any length, and how a constraint's refusal is recognised.
import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import { type DrizzleD1Database, drizzle } from "drizzle-orm/d1";
import { fastRender, type Render } from "./render.ts";

export type Db = DrizzleD1Database & { $client: D1Database };
export type Statement = BatchItem<"sqlite">;

// One client a binding: making one costs a tenth of a small request.
const clients = new WeakMap<D1Database, Db>();

export function database(d1: D1Database): Db {
  const known = clients.get(d1);
  if (known) return known;
  const client = drizzle(d1);
  const { dialect } = client as unknown as { dialect: { sqlToQuery: Render } };
  dialect.sqlToQuery = fastRender(dialect.sqlToQuery.bind(dialect));
  clients.set(d1, client);
  return client;
}

/** What drizzle's statements have and its types leave out. */
type Prepared = { getQuery(): { sql: string; params: unknown[] }; mapResult(answer: unknown, fromBatch: boolean): unknown };
const prepare = (statement: Statement) => (statement as unknown as { _prepare(): Prepared })._prepare();

/**
 * One transaction, one round trip, all or nothing. Joined selects name every column themselves: D1 answers a batch
 * with objects, in which two columns of one name become one. (drizzle's own batch drops the parameters of raw SQL.)
 */
export async function batch<const T extends readonly Statement[]>(db: Db, statements: T): Promise<BatchResponse<T>> {
  const prepared = statements.map(prepare);
  const built = prepared.map((query) => {
    const { sql, params } = query.getQuery();
    // biome-ignore lint/plugin: drizzle has built it from constants and placeholders.
    return db.$client.prepare(sql).bind(...params);
  });
  const answers = built.length > 0 ? await db.$client.batch(built) : [];
  const results: unknown = prepared.map((query, i) => query.mapResult(answers[i], true));
  return results as BatchResponse<T>;
}

/** True for the error of a statement that met a UNIQUE or PRIMARY KEY constraint naming `what` (a table or column). */
export function isConflict(error: unknown, what: string): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e.message.includes("UNIQUE constraint failed") && e.message.includes(what)) return true;
  }
  return false;
}

/** True for the error of a statement whose condition left a column without its value: `(SELECT id WHERE …)`. */
export function isUnmet(error: unknown, column: string): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e.message.includes(`NOT NULL constraint failed: ${column}`)) return true;
  }
  return false;
}

/** True for the error of `holdsStatement` (standing.ts): the caller is not who the batch was built for. */
export function isOtherwise(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e.message.includes("integer overflow")) return true;
  }
  return false;
}

/** True for the error of a statement whose foreign key names nothing. */
export function isMissingReference(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e.message.includes("FOREIGN KEY constraint failed")) return true;
  }
  return false;
}
