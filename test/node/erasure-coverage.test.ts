// Every column that names a patient has a treatment at an erasure, and every table whose rows are deleted is a step of it.
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { describe, expect, it } from "vitest";
import { CLEARED_COLUMNS } from "../../src/erasure/run/cleared-columns.ts";
import { TABLES_WITHOUT_PATIENTS, TREATMENT_OF_COLUMN } from "../../src/erasure/run/coverage.ts";
import { ERASED_TABLES } from "../../src/erasure/run/erased-tables.ts";
import * as schema from "../../src/platform/db/schema.ts";

const TABLES = Object.values<unknown>(schema).filter((value): value is SQLiteTable => is(value, SQLiteTable));
/** Names under which a patient's id, or ids of what belongs to a patient, are stored. */
const NAMES = /patient|^scope_id$|^scope$|^refs$|^subjects?$|^merged_into$|^entity_id$|^resource_id$/;
/** Scopes of other things, and the versions of lists of patients. */
const OTHERS = [
  "emergency_accesses.patient_notified_at",
  "alert_rules.scope",
  "data_versions.patients",
  "escalation_settings.scope",
  "escalation_settings.scope_id",
  "idempotency_keys.scope",
];

function findColumns(tables: readonly SQLiteTable[]): string[] {
  return tables.flatMap((table) => {
    const toPatients = getTableConfig(table).foreignKeys.flatMap((key) => {
      const { columns, foreignTable } = key.reference();
      return getTableName(foreignTable) === "patients" ? columns.map(({ name }) => name) : [];
    });
    const named = Object.values(getTableColumns(table)).flatMap(({ name }) => (NAMES.test(name) ? [name] : []));
    return [...new Set([...toPatients, ...named])].map((name) => `${getTableName(table)}.${name}`);
  });
}

const findUntreated = (columns: readonly string[], treated: Readonly<Record<string, unknown>>) =>
  columns.filter((column) => !OTHERS.includes(column) && !(column in treated));

describe("an erasure", () => {
  it("says of every column that names a patient what becomes of it", () => {
    expect(findUntreated(findColumns(TABLES), TREATMENT_OF_COLUMN)).toEqual([]);
    const { "reports.patient_id": _, ...without } = TREATMENT_OF_COLUMN;
    expect(findUntreated(findColumns(TABLES), without)).toEqual(["reports.patient_id"]);
  });

  it("says of every table whether it names patients", () => {
    const treated = new Set(Object.keys(TREATMENT_OF_COLUMN).map((column) => column.split(".")[0]));
    const names = TABLES.map(getTableName).sort();
    expect(names.filter((name) => !treated.has(name) && !TABLES_WITHOUT_PATIENTS.includes(name))).toEqual([]);
    expect(TABLES_WITHOUT_PATIENTS.filter((name) => treated.has(name) || !names.includes(name))).toEqual([]);
    expect([...treated].filter((name) => name !== undefined && !names.includes(name))).toEqual([]);
  });

  it("has a step for every table whose rows it deletes, and for no other", () => {
    const tablesOf = (treatment: string) =>
      Object.entries(TREATMENT_OF_COLUMN).flatMap(([column, value]) => (value === treatment ? [column.split(".")[0]] : []));
    expect(new Set(tablesOf("deleted"))).toEqual(new Set(ERASED_TABLES.map(({ table }) => table)));
    const cleared = Object.entries(TREATMENT_OF_COLUMN).flatMap(([column, value]) => (value === "cleared" ? [column] : []));
    expect(new Set(CLEARED_COLUMNS.map(({ table, column }) => `${table}.${column}`))).toEqual(new Set(cleared));
  });

  it("deletes rows before those that they refer to", () => {
    const last = new Map(ERASED_TABLES.map(({ table }, i) => [table, i]));
    const broken = TABLES.flatMap((table) =>
      getTableConfig(table).foreignKeys.flatMap((key) => {
        const [child, parent] = [last.get(getTableName(table)), last.get(getTableName(key.reference().foreignTable))];
        return child !== undefined && parent !== undefined && child > parent ? [getTableName(table)] : [];
      }),
    );
    expect(broken).toEqual([]);
  });

  it("deletes by the whole primary key", () => {
    const keys = new Map(
      TABLES.map((table) => {
        const { primaryKeys, columns } = getTableConfig(table);
        const composite = primaryKeys[0]?.columns.map(({ name }) => name);
        return [getTableName(table), composite ?? columns.filter(({ primary }) => primary).map(({ name }) => name)];
      }),
    );
    for (const { table, key } of ERASED_TABLES)
      expect([table, [...key].sort()]).toEqual([table, [...(keys.get(table) ?? [])].sort()]);
  });
});
