// The database that the migrations lead to, as statements: applying every migration in each test file costs four times as much.
import { DatabaseSync } from "node:sqlite";
import type { D1Migration } from "@cloudflare/vitest-plugin";

const TABLE_OF_MIGRATIONS = `CREATE TABLE d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`;
/** The hospital of people without one; triggers write what follows from it. */
const SEEDED = ["hospitals", "d1_migrations"];

/** @throws what SQLite throws at a migration */
export function migratedSchema(migrations: readonly D1Migration[]): string[] {
  using db = new DatabaseSync(":memory:");
  db.exec(TABLE_OF_MIGRATIONS);
  const note = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)");
  for (const { name, queries } of migrations) {
    for (const query of queries) db.exec(query);
    note.run(name);
  }
  const objects = db.prepare(`SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END`);
  return [...objects.all().map(({ sql }) => String(sql)), ...SEEDED.flatMap((table) => inserts(db, table))];
}

/** @param table one of this file */
function inserts(db: DatabaseSync, table: string): string[] {
  // biome-ignore lint/plugin: a name of this file.
  const columns = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
  const names = columns.map(({ name }) => `"${name}"`);
  const values = names.map((name) => `quote(${name})`).join(" || ', ' || ");
  // biome-ignore lint/plugin: names of the schema.
  const rows = db.prepare(
    `SELECT 'INSERT INTO ${table} (${names.join(", ")}) VALUES (' || ${values} || ')' AS sql FROM ${table}`,
  );
  return rows.all().map(({ sql }) => String(sql));
}
