// Migrations of WardFeed; docs/data.md describes the tables.
import { migrationList } from "../../platform/object-migrations.ts";

/** Append-only: never edit, rename, move or remove a deployed entry. docs/data.md describes how to add one. */
export const WARD_FEED_MIGRATIONS = migrationList("WardFeed", [
  {
    name: "create tables",
    // IF NOT EXISTS: objects created before migrations were recorded have these tables.
    statements: [
      "CREATE TABLE IF NOT EXISTS tickets (id TEXT PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID",
      `CREATE TABLE IF NOT EXISTS views (
    key TEXT PRIMARY KEY, requested TEXT, wanted TEXT NOT NULL, lease INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
      "CREATE TABLE IF NOT EXISTS followers (hospital_id TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ],
  },
  {
    name: "record whom screens show",
    statements: [
      // Patients recorded in the hour (of the epoch), by screen.
      `CREATE TABLE screens (
    viewer TEXT NOT NULL, id TEXT NOT NULL, hour INTEGER NOT NULL, patients TEXT NOT NULL,
    PRIMARY KEY (viewer, id)) STRICT, WITHOUT ROWID`,
      // Events that wait for a log; an unreadable one waits for none.
      "CREATE TABLE audit_queue (n INTEGER PRIMARY KEY, log TEXT, event TEXT NOT NULL) STRICT",
    ],
  },
  {
    name: "store the consents of views",
    statements: ["ALTER TABLE views ADD COLUMN grants TEXT"],
  },
]);
