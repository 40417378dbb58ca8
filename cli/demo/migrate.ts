// Applies pending migrations to a local database, as `wrangler d1 migrations apply` does, which starts workerd for each of them.
import { readdirSync, readFileSync } from "node:fs";
import { unstable_splitSqlQuery } from "wrangler";

/** Each migration in a transaction with its entry in the record. @param folder of SQL files, applied in the order of their names */
export async function applyMigrations(database: D1Database, folder = "migrations"): Promise<void> {
  // wrangler's own record of applied migrations.
  await database
    .prepare(`CREATE TABLE IF NOT EXISTS "d1_migrations"(
		id         INTEGER PRIMARY KEY AUTOINCREMENT,
		name       TEXT UNIQUE,
		applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`)
    .run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  for (const name of files.sort().filter((file) => !applied.has(file))) {
    const statements = unstable_splitSqlQuery(readFileSync(`${folder}/${name}`, "utf8"));
    await database.batch([
      // biome-ignore lint/plugin: constant SQL from the migrations.
      ...statements.map((statement) => database.prepare(statement)),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
    ]);
  }
}
