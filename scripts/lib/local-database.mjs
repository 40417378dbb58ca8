// Read-only access to the local D1 database with SQLite.
import { createHash, createHmac } from "node:crypto";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** @returns null if there is no database yet */
export function openDatabase(state) {
  const files = globSync(`${state}/v3/d1/miniflare-D1DatabaseObject/*.sqlite`);
  const file = files.find((name) => !name.endsWith("metadata.sqlite"));
  return file ? new DatabaseSync(file, { readOnly: true }) : null;
}

/** Where Miniflare stores the D1 database that wrangler.toml names: a Durable Object whose name is the database's id. */
function configuredDatabaseFile(state) {
  const [, id = ""] = /^database_id = "([^"]+)"/m.exec(readFileSync("wrangler.toml", "utf8")) ?? [];
  const key = createHash("sha256").update("miniflare-D1DatabaseObject").digest();
  const mac = (data) => createHmac("sha256", key).update(data).digest().subarray(0, 16);
  const name = mac(id);
  return `${state}/v3/d1/miniflare-D1DatabaseObject/${Buffer.concat([name, mac(name)]).toString("hex")}.sqlite`;
}

/** The number of applied migrations and the names of pending ones; null if a database has no record of them. */
export function pendingMigrations(database) {
  if (!tablesOf(database).includes("d1_migrations")) return null;
  const rows = database.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(rows.map(({ name }) => name));
  return {
    applied: applied.size,
    pending: readdirSync("migrations").filter((name) => name.endsWith(".sql") && !applied.has(name)),
  };
}

/** Whether the database of wrangler.toml has every migration. False also if Miniflare should name its file otherwise. */
export function isMigrated(state) {
  const file = configuredDatabaseFile(state);
  if (!existsSync(file)) return false;
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return pendingMigrations(database)?.pending.length === 0;
  } finally {
    database.close();
  }
}

/** EdgeCare's tables in alphabetical order; names of internal tables of SQLite and D1 start with `sqlite_` or `_cf_`. */
export function tablesOf(database) {
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return rows.map(({ name }) => name).filter((name) => !/^(sqlite_|_cf_)/.test(name));
}
