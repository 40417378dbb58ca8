// The local D1 database, read by SQLite itself, which refuses every write.
import { globSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** @returns null where there is no database yet */
export function openDatabase(state) {
  const files = globSync(`${state}/v3/d1/miniflare-D1DatabaseObject/*.sqlite`);
  const file = files.find((name) => !name.endsWith("metadata.sqlite"));
  return file ? new DatabaseSync(file, { readOnly: true }) : null;
}

/** Tables of EdgeCare in alphabetical order; those of SQLite and of D1 itself begin with `sqlite_` or `_cf_`. */
export function tablesOf(database) {
  const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return rows.map(({ name }) => name).filter((name) => !/^(sqlite_|_cf_)/.test(name));
}
