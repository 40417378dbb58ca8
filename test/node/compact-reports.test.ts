// The migration that gives reports and uploads a rowid: rows, references and indexes are kept, copies in the upload log are dropped.
import { globSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, it } from "vitest";

const database = new DatabaseSync(":memory:");
afterAll(() => database.close());

function migrate(files: readonly string[]): void {
  for (const file of files) {
    for (const statement of readFileSync(file, "utf8").split("--> statement-breakpoint")) database.exec(statement);
  }
}

const TABLES = ["reports", "report_changes", "uploads"];
const readIndexes = () =>
  database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1")
    .all()
    .map(({ name }) => name);
const readColumns = () =>
  TABLES.map((table) =>
    database.prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?) ORDER BY name').all(table),
  );
// biome-ignore lint/plugin: one of three constant names.
const readRows = (table: string) => database.prepare(`SELECT * FROM ${table} ORDER BY id`).all();

it("keeps every row, reference and index, and drops from the log what the report has", () => {
  const files = globSync("migrations/*.sql").sort();
  const at = files.findIndex((file) => file.endsWith("_compact_reports.sql"));
  expect(at).toBeGreaterThan(0);
  database.exec("PRAGMA foreign_keys = ON");
  migrate(files.slice(0, at));
  // biome-ignore lint/plugin: a constant over several lines.
  database.exec(`
    INSERT INTO hospitals (id, name, created_at, updated_at) VALUES ('h', 'Hospital', 0, 0);
    INSERT INTO patients (id, patient_number, hospital_id, identity_sealed, clinical_sealed, created_by, created_at, updated_at)
      VALUES ('p', 1, 'h', '', '', 'b', 0, 0);
    INSERT INTO reports (id, patient_id, hospital_id, kind, status, uploaded_by_kind, uploaded_by, effective_at, file_key, file_name_sealed,
        file_size, sha256, comment_sealed, created_at, updated_at)
      VALUES ('r1', 'p', 'h', 'ecg', 'final', 'user', 'u', 1, 'k1', 'n', 5, 's1', 'c', 2, 2),
        ('r2', 'p', 'h', 'ecg', 'final', 'user', 'u', 1, 'k2', 'n', 6, 's2', NULL, 1, 1);
    INSERT INTO report_changes (id, report_id, what, from_patient_id, version, changed_by, changed_at, detail_sealed)
      VALUES ('c', 'r1', 'patient', 'p', 2, 'u', 3, 'd');
    INSERT INTO uploads (id, actor_kind, actor_id, hospital_id, patient_id, report_id, kind, outcome, detail_sealed, file_size, sha256,
        request_id, created_at, expires_at)
      VALUES ('r1', 'user', 'u', 'h', 'p', 'r1', 'ecg', 'stored', 'd', 5, 's1', 'q', 1, NULL),
        ('r2', 'user', 'u', 'h', 'p', 'r2', 'ecg', 'stored', 'd', 6, 's2', 'q', 1, 9),
        ('u1', 'user', 'u', 'h', 'p', 'r1', 'ecg', 'duplicate', 'd', 5, 's1', 'q', 2, NULL),
        ('u2', 'user', 'u', 'h', 'p', NULL, NULL, 'refused', NULL, 7, 's3', 'q', 3, NULL)`);
  const before = { indexes: readIndexes(), columns: readColumns(), rows: TABLES.map(readRows) };
  migrate(files.slice(at, at + 1));
  expect({ indexes: readIndexes(), columns: readColumns() }).toEqual({ indexes: before.indexes, columns: before.columns });
  const [reports, changes, uploads] = before.rows;
  expect(readRows("reports")).toEqual(reports);
  expect(readRows("report_changes")).toEqual(changes);
  // A direct upload keeps its patient and digest: its confirmation may be repeated.
  const [stored, ...others] = uploads ?? [];
  expect(readRows("uploads")).toEqual([{ ...stored, patient_id: null, file_size: null, sha256: null }, ...others]);
  expect(database.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
  expect(() => database.exec("DELETE FROM reports WHERE id = 'r1'")).toThrow(/FOREIGN KEY/);
});
