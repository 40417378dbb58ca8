// Read-only access to the local D1 database with SQLite.
import { globSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** @returns null if there is no database yet */
export function openDatabase(state) {
  const files = globSync(`${state}/v3/d1/miniflare-D1DatabaseObject/*.sqlite`);
  const file = files.find((name) => !name.endsWith("metadata.sqlite"));
  return file ? new DatabaseSync(file, { readOnly: true }) : null;
}

/** EdgeCare's tables in alphabetical order; names of internal tables of SQLite and D1 start with `sqlite_` or `_cf_`. */
export function tablesOf(database) {
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return rows.map(({ name }) => name).filter((name) => !/^(sqlite_|_cf_)/.test(name));
}
