// Draft of an upload and its validation: file and typed measurements.
import { parseNumber } from "../../platform/design/parse-number.ts";
import { isPlausible, listMetricFields } from "../metrics.ts";
import type { Kind } from "../report-kinds.ts";

/** Size limit of a form; larger files are sent as raw body (src/reports/upload/upload-request.ts). */
export const MAX_FORM_BYTES = 10 * 1024 * 1024;
export const MAX_FILE_BYTES = 25 * 1024 * 1024;
const TAIL_BYTES = 1024;

export type FileError = "empty" | "too_large" | "not_pdf" | "cut";

/** The API's check of the file. @returns null when it is valid */
export async function checkFile(file: Blob): Promise<FileError | null> {
  if (file.size === 0) return "empty";
  if (file.size > MAX_FILE_BYTES) return "too_large";
  if ((await readLatin1(file.slice(0, 5))) !== "%PDF-") return "not_pdf";
  return (await readLatin1(file.slice(-TAIL_BYTES))).includes("%%EOF") ? null : "cut";
}

const readLatin1 = async (part: Blob) => String.fromCharCode(...new Uint8Array(await part.arrayBuffer()));

/** Typed text per metric; empty text is omitted. */
export type TypedMetrics = Record<string, string>;
/** All user input for a report; `wallTime`: time of measurement in the hospital's time zone. */
export type ReportInput = { kind: Kind; wallTime: string; typedMetrics: TypedMetrics; interpretation: string };

export function toMetrics(kind: Kind, typedMetrics: TypedMetrics, interpretation: string): Record<string, number | string> {
  const numbers = listMetricFields(kind).flatMap((key) => {
    const value = parseNumber(typedMetrics[key] ?? "");
    return value === null ? [] : [[key, value] as const];
  });
  const interpretationText = kind === "ecg" ? interpretation.trim() : "";
  return { ...Object.fromEntries(numbers), ...(interpretationText && { interpretation: interpretationText }) };
}

/** Fields with text that is not a number or outside the plausible range. */
export function findMetricErrors(
  kind: Kind,
  typedMetrics: TypedMetrics,
  message: (key: string, fault: "no_number" | "implausible") => string,
): Record<string, string> {
  const errors = listMetricFields(kind).flatMap((key) => {
    const text = (typedMetrics[key] ?? "").trim();
    if (text === "") return [];
    const value = parseNumber(text);
    if (value === null) return [[key, message(key, "no_number")] as const];
    return isPlausible(key, value) ? [] : [[key, message(key, "implausible")] as const];
  });
  return Object.fromEntries(errors);
}

export type UploadDraft = {
  patientId: string;
  kind: Kind;
  /** ISO 8601; without it the time of receipt counts. */
  recordedAt: string | null;
  metrics: Record<string, number | string>;
  file: File;
};

/** Everything that the API compares when an idempotency key is repeated. */
export const draftIdentity = ({ file, ...content }: UploadDraft) => [content, file.name, file.size, file.lastModified];
