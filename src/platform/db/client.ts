// The D1 client, batches of any length, and recognition of constraint errors.
import type { BatchResponse } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { chargeStatement, countWrittenBytes, findCharge, toQuotaError } from "../storage-quotas.ts";
import { fastRender, type Render } from "./render.ts";
import type { Db, Statement } from "./types.ts";

export type { Db, Statement } from "./types.ts";

// One client per binding: creating one costs a tenth of a small request.
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

/** Members of drizzle's statements that its types omit. */
type PreparedStatement = {
  getQuery(): { sql: string; params: unknown[] };
  mapResult(answer: unknown, fromBatch: boolean): unknown;
};
const prepareStatement = (statement: Statement) => (statement as unknown as { _prepare(): PreparedStatement })._prepare();

const resultListeners = new WeakMap<Statement, (result: unknown) => void>();

/** Calls `listener` with the statement's result after the batch that it is part of has been committed. @returns the statement */
export function onResult<S extends Statement>(statement: S, listener: (result: Awaited<S>) => void): S {
  resultListeners.set(statement, (result) => listener(result as Awaited<S>));
  return statement;
}

/**
 * Runs the statements in one transaction and one round trip. Joined selects must name every column: D1 returns batch rows as
 * objects, in which duplicate column names collapse. (drizzle's own batch drops the parameters of raw SQL.)
 * A batch with the audit event of a write also counts its bytes, as its last statement (storage-quotas.ts).
 * @throws ApiError quota_exceeded, storage_full, import_grant_ended
 */
export async function batch<const T extends readonly Statement[]>(db: Db, statements: T): Promise<BatchResponse<T>> {
  const prepared = statements.map(prepareStatement);
  const queries = prepared.map((query) => query.getQuery());
  const charge = findCharge(statements);
  const counting = charge ? [prepareStatement(chargeStatement(db, charge, countWrittenBytes(queries))).getQuery()] : [];
  const boundStatements = [...queries, ...counting].map(({ sql, params }) => {
    // biome-ignore lint/plugin: built by drizzle from constants and placeholders.
    return db.$client.prepare(sql).bind(...params);
  });
  const rawResults = boundStatements.length > 0 ? await db.$client.batch(boundStatements).catch(rethrow(charge?.now)) : [];
  const mapped = prepared.map((query, i) => query.mapResult(rawResults[i], true));
  for (const [i, statement] of statements.entries()) resultListeners.get(statement)?.(mapped[i]);
  const results: unknown = mapped;
  return results as BatchResponse<T>;
}

const rethrow = (countedAt: number | undefined) => (error: unknown) => {
  throw (countedAt !== undefined && toQuotaError(error, countedAt)) || error;
};

/** True for a violated UNIQUE or PRIMARY KEY constraint on the named table or column. */
export function isUniqueViolation(error: unknown, tableOrColumn: string): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.message.includes("UNIQUE constraint failed") && current.message.includes(tableOrColumn)) return true;
  }
  return false;
}

/** True for a NOT NULL violation of a column whose value was conditional: `(SELECT id WHERE …)`. */
export function isConditionFailed(error: unknown, column: string): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.message.includes(`NOT NULL constraint failed: ${column}`)) return true;
  }
  return false;
}

/** True for the error of `assertEffectiveRole` (effective-role.ts): the caller's role is not the one the batch was built for. */
export function isRoleChanged(error: unknown): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.message.includes("integer overflow")) return true;
  }
  return false;
}

/** True for a violated foreign key. */
export function isForeignKeyViolation(error: unknown): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.message.includes("FOREIGN KEY constraint failed")) return true;
  }
  return false;
}

/** True for `RAISE(ABORT, name)` of a trigger. */
export function isTriggerAbort(error: unknown, name: string): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.message.includes(name)) return true;
  }
  return false;
}
