// Everything that a record consists of, read for an export: rows with their sealed values opened, and which files belong to them.
import { getTableColumns, getTableName, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { snakeCase } from "es-toolkit/string";
import type { Call } from "../../access/actor.ts";
import { unsealValue } from "../../platform/crypto.ts";
import {
  alerts,
  appointments,
  consents,
  documents,
  encounterNotes,
  encounters,
  intakeResponses,
  reports,
  reportVersions,
} from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIso } from "../../platform/time.ts";
import { MAX_JSON_BYTES } from "./record-export.ts";

export type Item = Record<string, unknown>;
type Row = Record<string, unknown>;

type Section = {
  table: SQLiteTable;
  /** Rows of the patient `?`, in an order that pages can continue. */
  where: (patientId: string) => ReturnType<typeof sql>;
  /** Not for the person: what staff noted for themselves. */
  staffOnly?: true;
  /** Columns that only the service needs, and those of staff alone. */
  omit?: readonly string[];
  omitForPerson?: readonly string[];
  /** JSON as text. */
  json?: readonly string[];
};

const ofPatient = (patientId: string) => sql`patient_id = ${patientId}`;
/** A draft of a report is its author's alone. */
const isReleased = sql`NOT (status = 'registered' AND content_type = 'application/json')`;

/** The array of each resource in the file. */
export const SECTIONS = {
  reports: {
    table: reports,
    where: (id) => sql`${ofPatient(id)} AND ${isReleased}`,
    omit: ["fileKey", "metricsKey", "linksFrom"],
  },
  report_versions: {
    table: reportVersions,
    where: (id) => sql`report_id IN (SELECT id FROM reports WHERE ${ofPatient(id)} AND ${isReleased})`,
    omit: ["contentKey"],
  },
  documents: { table: documents, where: ofPatient, omit: ["fileKey"] },
  encounters: { table: encounters, where: ofPatient },
  encounter_notes: {
    table: encounterNotes,
    where: (id) => sql`encounter_id IN (SELECT id FROM encounters WHERE ${ofPatient(id)})`,
    staffOnly: true,
  },
  appointments: {
    table: appointments,
    where: ofPatient,
    omit: ["holds", "blockedFrom", "blockedUntil", "nextReminderAt"],
    omitForPerson: ["notesSealed", "overbookReasonSealed", "overbookedBy"],
  },
  alerts: { table: alerts, where: ofPatient, json: ["why"] },
  intake_responses: { table: intakeResponses, where: ofPatient },
  consents: { table: consents, where: ofPatient },
} as const satisfies Record<string, Section>;

export type SectionName = keyof typeof SECTIONS;
export type Sections = Partial<Record<SectionName, Item[]>>;

const PAGE = 1_000;
/** Of times in rows: milliseconds since 1970. */
const TIME = /(At|From|Until)$/;

export type Collected = {
  sections: Sections;
  /** Rows as stored, of which files are read. */
  files: { reports: (typeof reports.$inferSelect)[]; documents: (typeof documents.$inferSelect)[] };
  /** Sealed values that cannot be opened; each is null. */
  unreadable: number;
};

/**
 * Reads the record page by page.
 * @param isForPerson the person asked for it: without notes of staff
 * @throws ApiError export_too_large
 */
export async function collectSections(call: Call, patientId: string, isForPerson: boolean): Promise<Collected> {
  const collected: Collected = { sections: {}, files: { reports: [], documents: [] }, unreadable: 0 };
  let bytes = 0;
  for (const [name, section] of Object.entries(SECTIONS) as [SectionName, Section][]) {
    if (section.staffOnly && isForPerson) continue;
    const items: Item[] = [];
    for await (const row of rowsOf(call, section, patientId)) {
      if (name === "reports") collected.files.reports.push(row as typeof reports.$inferSelect);
      if (name === "documents") collected.files.documents.push(row as typeof documents.$inferSelect);
      const item = await toItem(call, section, row, isForPerson, () => collected.unreadable++);
      bytes += JSON.stringify(item).length;
      if (bytes > MAX_JSON_BYTES) throw new ApiError("export_too_large");
      items.push(item);
    }
    collected.sections[name] = items;
  }
  return collected;
}

async function* rowsOf({ db }: Call, { table, where }: Section, patientId: string): AsyncGenerator<Row> {
  for (let after = ""; ; ) {
    const rows: Row[] = await db
      .select()
      .from(table)
      .where(sql`${where(patientId)} AND id > ${after}`)
      .orderBy(sql`id`)
      .limit(PAGE);
    yield* rows;
    if (rows.length < PAGE) return;
    after = String(rows.at(-1)?.["id"]);
  }
}

async function toItem(call: Call, section: Section, row: Row, isForPerson: boolean, onUnreadable: () => void): Promise<Item> {
  const left = new Set([...(section.omit ?? []), ...(isForPerson ? (section.omitForPerson ?? []) : [])]);
  const item: Item = {};
  for (const column of Object.keys(getTableColumns(section.table))) {
    if (left.has(column)) continue;
    const value = row[column];
    if (column.endsWith("Sealed")) {
      const name = snakeCase(column.slice(0, -"Sealed".length));
      item[name] = typeof value === "string" ? await open(call, section.table, name, row, value, onUnreadable) : null;
    } else if (typeof value === "number" && TIME.test(column)) item[snakeCase(column)] = toIso(value);
    else item[snakeCase(column)] = section.json?.includes(column) ? parseJson(value) : value;
  }
  return item;
}

/** Values are sealed for table, column and row; some for the version of the row too. */
async function open(call: Call, table: SQLiteTable, column: string, row: Row, sealed: string, onUnreadable: () => void) {
  const place = { table: getTableName(table), column, id: String(row["id"]) };
  for (const context of [place, { ...place, version: Number(row["version"]) }]) {
    try {
      return await unsealValue(call.keys.fields, context, sealed);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "integrity_error") throw error;
    }
  }
  onUnreadable();
  return null;
}

function parseJson(value: unknown): unknown {
  return typeof value === "string" ? JSON.parse(value) : value;
}
