// Migrations of a Durable Object's SQLite: an append-only list per class, and a table in each object of what was applied.
import { createHash } from "node:crypto";

export type Migration = { name: string; statements: readonly string[] };
/** The migrations of one class, oldest first. Add at the end; never edit, rename, reorder or remove an entry. */
export type MigrationList = { object: string; migrations: readonly (Migration & { checksum: string })[] };

type Applied = { id: number; name: string; checksum: string };

const RECORD = "object_migrations";
const CREATE_RECORD = `CREATE TABLE ${RECORD} (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`;

/** The object's migration record does not match the list in the code. The object is then neither read nor written. */
export class MigrationError extends Error {
  override name = "MigrationError";
}

/** @param object the name of the class, for error messages */
export function migrationList(object: string, migrations: readonly Migration[]): MigrationList {
  const withChecksums = migrations.map((migration) => ({ ...migration, checksum: checksumOf(migration) }));
  return { object, migrations: withChecksums };
}

function checksumOf({ statements }: Migration): string {
  return createHash("sha256").update(statements.join(";\n")).digest("hex").slice(0, 16);
}

/**
 * Applies pending migrations to an object that has tables. An empty object stays empty, so that a read stores nothing.
 * Costs two small reads when nothing is pending.
 * @returns whether the object has tables
 * @throws MigrationError when the record in the object and the list differ
 */
export function migrateExisting(storage: DurableObjectStorage, list: MigrationList): boolean {
  const tables = tableNames(storage.sql);
  if (tables.size === 0) return false;
  const applied = tables.has(RECORD) ? appliedTo(storage.sql) : [];
  requireSamePast(list, applied);
  // Objects older than the record have the tables of the first migration; its statements use IF NOT EXISTS.
  if (applied.length < list.migrations.length) apply(storage, list, applied.length, tables.has(RECORD));
  return true;
}

/** Applies all migrations to an empty object. */
export function migrateEmpty(storage: DurableObjectStorage, list: MigrationList): void {
  apply(storage, list, 0, false);
}

function tableNames(sql: SqlStorage): Set<string> {
  // The platform's own tables are no sign of an object that has been written.
  const query = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'
    AND name NOT GLOB '__miniflare_*'`;
  return new Set(
    sql
      .exec<{ name: string }>(query)
      .toArray()
      .map(({ name }) => name),
  );
}

function appliedTo(sql: SqlStorage): Applied[] {
  return sql.exec<Applied>("SELECT id, name, checksum FROM object_migrations ORDER BY id").toArray();
}

function requireSamePast({ object, migrations }: MigrationList, applied: readonly Applied[]): void {
  for (const [index, { id, name, checksum }] of applied.entries()) {
    const known = migrations[index];
    const where = `${object}, migration ${index + 1}`;
    if (id !== index + 1) throw new MigrationError(`${where}: this object's record has number ${id} in its place`);
    if (!known) throw new MigrationError(`${where}: "${name}" ran in this object and is missing from the code`);
    if (known.name !== name) {
      throw new MigrationError(`${where}: "${name}" ran in this object, and the code has "${known.name}" in its place`);
    }
    if (known.checksum !== checksum) {
      throw new MigrationError(`${where}: "${name}" was edited after it ran in this object; add a new migration instead`);
    }
  }
}

function apply(storage: DurableObjectStorage, { migrations }: MigrationList, from: number, hasRecord: boolean): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    if (!hasRecord) sql.exec(CREATE_RECORD);
    for (const [index, { name, checksum, statements }] of migrations.entries()) {
      if (index < from) continue;
      for (const statement of statements) sql.exec(statement);
      sql.exec(
        "INSERT INTO object_migrations (id, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
        index + 1,
        name,
        checksum,
        Date.now(),
      );
    }
  });
}
