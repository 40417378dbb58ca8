// Migrations of PatientMonitor; docs/data.md describes the tables.
import { migrationList } from "../../../platform/object-migrations.ts";

/** Append-only: never edit, rename, move or remove a deployed entry. docs/data.md describes how to add one. */
export const PATIENT_MONITOR_MIGRATIONS = migrationList("PatientMonitor", [
  {
    name: "create tables",
    // IF NOT EXISTS: objects created before migrations were recorded have these tables.
    statements: [
      "CREATE TABLE IF NOT EXISTS open (id INTEGER PRIMARY KEY CHECK (id = 1), block INTEGER NOT NULL, data BLOB, memory TEXT NOT NULL)",
      "CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, from_at INTEGER NOT NULL, to_at INTEGER NOT NULL, data BLOB NOT NULL)",
      "CREATE TABLE IF NOT EXISTS late (id INTEGER PRIMARY KEY, from_at INTEGER NOT NULL, to_at INTEGER NOT NULL, data BLOB NOT NULL)",
      "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL)",
      "CREATE TABLE IF NOT EXISTS corrections (block INTEGER, place INTEGER, body TEXT NOT NULL, PRIMARY KEY (block, place)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS archives (id INTEGER PRIMARY KEY, from_at INTEGER NOT NULL, to_at INTEGER NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL)",
    ],
  },
  {
    name: "outbox attempts and parking",
    statements: [
      "ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
      "ALTER TABLE outbox ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0",
      "ALTER TABLE outbox ADD COLUMN parked_at INTEGER",
    ],
  },
  {
    name: "outbox kind received",
    statements: ["UPDATE outbox SET kind = 'received' WHERE kind = 'came'"],
  },
  {
    name: "time ranges of late blocks and archives",
    statements: [
      "CREATE INDEX late_by_time ON late (to_at, from_at)",
      "CREATE INDEX archives_by_time ON archives (to_at, from_at)",
    ],
  },
  {
    name: "late blocks of more than a day",
    // Earlier code wrote them. No later block is in this index, so writing one costs nothing more.
    statements: ["CREATE INDEX late_over_a_day ON late (to_at, from_at) WHERE to_at - from_at > 86400000"],
  },
]);
