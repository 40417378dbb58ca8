// The migrations of a hospital's feed; what each table holds is described in docs/data.md.
import { migrationList } from "../../platform/object-migrations.ts";

/** Append-only: an entry that was deployed is never edited, renamed, moved or removed. docs/data.md says how to add one. */
export const WARD_FEED_MIGRATIONS = migrationList("WardFeed", [
  {
    name: "create tables",
    // IF NOT EXISTS: objects from before the record have these tables.
    statements: [
      "CREATE TABLE IF NOT EXISTS tickets (id TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID",
      `CREATE TABLE IF NOT EXISTS views (
    key TEXT PRIMARY KEY, requested TEXT, wanted TEXT NOT NULL, lease INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
      "CREATE TABLE IF NOT EXISTS followers (hospital_id TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ],
  },
]);
