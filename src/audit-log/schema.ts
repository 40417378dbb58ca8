// Tables of an audit log's object.
import { migrationList } from "../platform/object-migrations.ts";

export const AUDIT_LOG_MIGRATIONS = migrationList("AuditLog", [
  {
    name: "create tables",
    statements: [
      // Entries that are in no segment yet: one row per event, no index.
      `CREATE TABLE IF NOT EXISTS entries (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL, logged INTEGER NOT NULL, event TEXT NOT NULL,
        seed BLOB NOT NULL, leaf_hash BLOB NOT NULL, mac TEXT NOT NULL) STRICT`,
      // Entries before closed_end are in segments; closed_logged and closed_mac are those of the last of them.
      `CREATE TABLE IF NOT EXISTS state (
        id INTEGER PRIMARY KEY CHECK (id = 1), log_id TEXT NOT NULL,
        closed_end INTEGER NOT NULL, closed_logged INTEGER NOT NULL, closed_mac TEXT NOT NULL,
        closing_end INTEGER, merging_first INTEGER, merging_end INTEGER, merging_level TEXT,
        checkpoint TEXT, checkpoint_size INTEGER NOT NULL, checkpoint_key TEXT,
        reseal_from INTEGER, moved_seq INTEGER NOT NULL, held_from INTEGER, pruned_end INTEGER NOT NULL) STRICT`,
      // The terms come last: a query without them does not read them.
      `CREATE TABLE IF NOT EXISTS segments (
        first_seq INTEGER PRIMARY KEY, end_seq INTEGER NOT NULL, recorded_from INTEGER NOT NULL, recorded_to INTEGER NOT NULL,
        logged_from INTEGER NOT NULL, logged_to INTEGER NOT NULL, level TEXT NOT NULL, object_key TEXT NOT NULL,
        size INTEGER NOT NULL, index_size INTEGER NOT NULL, terms BLOB NOT NULL) STRICT`,
      // The right edge of the tree at checkpoint_size: one partial tile per level.
      `CREATE TABLE IF NOT EXISTS tiles (level INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT`,
      // Files that no segment refers to any more, and when they may be deleted.
      `CREATE TABLE IF NOT EXISTS replaced (object_key TEXT PRIMARY KEY, delete_at INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
      // Ids of the closed entries that were logged at `since` or later: JSON of [id, seq, logged] each.
      `CREATE TABLE IF NOT EXISTS recent_ids (
        id INTEGER PRIMARY KEY CHECK (id = 1), since INTEGER NOT NULL, ids TEXT NOT NULL) STRICT`,
    ],
  },
  {
    name: "key of each segment, quotas of readers",
    statements: [
      // Empty: not known. The index spares a read of the terms, which stand before the column.
      "ALTER TABLE segments ADD COLUMN kid TEXT NOT NULL DEFAULT ''",
      "CREATE INDEX segments_by_kid ON segments (kid)",
      "ALTER TABLE state DROP COLUMN reseal_from",
      // Bytes that the reads of a patient, device or app added, by UTC day: estimates (read-quota.ts).
      `CREATE TABLE IF NOT EXISTS read_quotas (
        day INTEGER NOT NULL, reader TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (day, reader)) STRICT, WITHOUT ROWID`,
    ],
  },
  {
    name: "add checkpoints",
    // The checkpoints in R2 and their roots: one that is deleted or replaced there is missed.
    statements: ["CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, root BLOB NOT NULL) STRICT"],
  },
]);
