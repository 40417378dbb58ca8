// A whole record as a document model: a table per resource, newest first. The JSON of the same export has everything.
import type { DocumentBlock, DocumentModel, Letterhead } from "../../care/exports/document-model.ts";
import { type LocalFormat, localFormat } from "../../care/exports/local-format.ts";
import type { ExportWords } from "../../care/exports/word-list.ts";
import { exportWords } from "../../care/exports/words.ts";
import { displayName, type Identity } from "../../patients/identity/sealed-fields.ts";
import type { Item, SectionName } from "./collect-record.ts";
import type { HourlyValues } from "./collect-vitals.ts";
import type { RecordContent } from "./record-content.ts";

/** Rows of each table; a page has some 30. */
const MAX_ROWS = 200;

type Column = { word: keyof ExportWords["columns"]; value: (item: Item, format: LocalFormat, words: ExportWords) => string };

const text = (value: unknown): string =>
  typeof value === "string" ? value : value === null || value === undefined ? "–" : String(value);
const time =
  (field: string): Column["value"] =>
  (item, format) =>
    typeof item[field] === "string" ? format.time(item[field]) : "–";
const field =
  (name: string): Column["value"] =>
  (item) =>
    text(item[name]);

const TABLES: readonly { section: SectionName; sortedBy: string; columns: readonly Column[] }[] = [
  {
    section: "reports",
    sortedBy: "effective_at",
    columns: [
      { word: "measured", value: time("effective_at") },
      { word: "kind", value: (item, _, words) => words.kinds[text(item["kind"])] ?? text(item["kind"]) },
      { word: "status", value: (item, _, words) => words.statuses[text(item["status"])] ?? text(item["status"]) },
      { word: "comment", value: field("comment") },
    ],
  },
  {
    section: "encounters",
    sortedBy: "started_at",
    columns: [
      { word: "started", value: time("started_at") },
      { word: "kind", value: field("session_type") },
      { word: "status", value: field("status") },
      { word: "complaint", value: field("chief_complaint") },
    ],
  },
  {
    section: "appointments",
    sortedBy: "starts_at",
    columns: [
      { word: "started", value: time("starts_at") },
      { word: "status", value: field("status") },
      { word: "reason", value: field("reason") },
    ],
  },
  {
    section: "alerts",
    sortedBy: "raised_at",
    columns: [
      { word: "raised", value: time("raised_at") },
      { word: "priority", value: field("priority") },
      { word: "reason", value: (item) => text((item["why"] as Item | null)?.["text"]) },
    ],
  },
  {
    section: "documents",
    sortedBy: "date_at",
    columns: [
      { word: "date", value: time("date_at") },
      { word: "title", value: field("title") },
      { word: "file", value: field("file_name") },
    ],
  },
];

export type RecordSource = {
  language: string;
  hospital: Letterhead & { time_zone: string };
  patientNumber: number;
  identity: Identity;
  content: RecordContent;
  now: number;
};

export function recordModel(source: RecordSource): DocumentModel {
  const words = exportWords(source.language);
  const format = localFormat(source.language, source.hospital.time_zone);
  const { hospital, identity, content } = source;
  const number = String(source.patientNumber);
  return {
    language: source.language,
    dir: "ltr",
    title: words.record(number),
    letterhead: { name: hospital.name, address: hospital.address, phone: hospital.phone, email: hospital.email },
    patient: {
      number: `${words.patientNumber} ${number}`,
      name: displayName(identity),
      date_of_birth: identity.date_of_birth && `${words.dateOfBirth}: ${format.birthDate(identity.date_of_birth)}`,
      sex: `${words.gender}: ${words.genders[identity.gender] ?? identity.gender}`,
    },
    blocks: [
      { type: "notice", level: "info", text: words.recordNotice },
      ...clinicalBlocks(content, words),
      ...TABLES.flatMap((table) => tableBlocks(table, content.sections[table.section] ?? [], words, format)),
      ...vitalBlocks(content.hourly_values, words, format),
    ],
    signature: null,
    as_signed: null,
    footer: `${hospital.name} · ${words.createdAt(format.time(source.now))}`,
    decision_support: null,
    missing_characters: words.missingCharacters,
    created_at: new Date(source.now).toISOString(),
    time_zone: hospital.time_zone,
  };
}

function clinicalBlocks({ patient }: RecordContent, words: ExportWords): DocumentBlock[] {
  const { medical_history, symptoms } = patient;
  return [
    ...(medical_history === null ? [] : [heading(words.medicalHistory), { type: "paragraph" as const, text: medical_history }]),
    ...(symptoms.length === 0 ? [] : [heading(words.symptoms), { type: "list" as const, ordered: false, items: symptoms }]),
  ];
}

const heading = (words: string): DocumentBlock => ({ type: "heading", level: 1, text: words });

function tableBlocks(
  { section, sortedBy, columns }: (typeof TABLES)[number],
  items: readonly Item[],
  words: ExportWords,
  format: LocalFormat,
): DocumentBlock[] {
  if (items.length === 0) return [];
  const newest = items.toSorted((a, b) => (text(b[sortedBy]) < text(a[sortedBy]) ? -1 : 1)).slice(0, MAX_ROWS);
  const rows = newest.map((item) => columns.map(({ value }) => value(item, format, words).slice(0, 500)));
  const left = items.length - newest.length;
  return [
    heading(words.sections[section] ?? section),
    { type: "table", columns: columns.map(({ word }) => words.columns[word]), rows },
    ...(left > 0 ? [{ type: "paragraph" as const, text: words.moreRows(format.number(left)) }] : []),
  ];
}

/** One row per measurement, over all hours. */
function vitalBlocks({ rows }: HourlyValues, words: ExportWords, format: LocalFormat): DocumentBlock[] {
  if (rows.length === 0) return [];
  const codes = Map.groupBy(rows, ([, code]) => code);
  const lines = [...codes].map(([code, hours]) => {
    const count = hours.reduce((sum, [, , n]) => sum + n, 0);
    const mean = hours.reduce((sum, [, , n, , , value]) => sum + n * value, 0) / count;
    const lowest = hours.reduce((low, [, , , min]) => Math.min(low, min), Number.POSITIVE_INFINITY);
    const highest = hours.reduce((high, [, , , , max]) => Math.max(high, max), Number.NEGATIVE_INFINITY);
    return [code, ...[count, lowest, highest, mean].map(format.number)];
  });
  const columns = [words.columns.code, words.columns.count, words.columns.lowest, words.columns.highest, words.columns.mean];
  return [heading(words.sections["vitals"] ?? "vitals"), { type: "table", columns, rows: lines }];
}
