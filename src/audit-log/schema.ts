// Tables of an audit log's object.
import { migrationList } from "../platform/object-migrations.ts";

export const AUDIT_LOG_MIGRATIONS = migrationList("AuditLog", [
  {
    name: "entries",
    statements: [
      // Entries that are in no segment yet: one row per event, no index.
      `CREATE TABLE IF NOT EXISTS entries (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL, logged INTEGER NOT NULL, event TEXT NOT NULL,
        seed BLOB NOT NULL, leaf_hash BLOB NOT NULL, mac TEXT NOT NULL) STRICT`,
    ],
  },
]);
