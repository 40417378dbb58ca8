// Draft of an upload and its validation: file and typed measurements.
import {
  decodeLatin1,
  HEAD_BYTES,
  hasPdfHeader,
  hasPdfTrailer,
  lengthWithoutPadding,
  MAX_TRAILING_PADDING,
  TRAILER_BYTES,
} from "../../../../src/platform/pdf-markers.ts";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { isPlausible, listMetricFields } from "../metrics.ts";
import type { Kind } from "../report-kinds.ts";

/** Size limit of a form; larger files are sent as raw body (src/reports/upload/upload-request.ts). */
export const MAX_FORM_BYTES = 10 * 1024 * 1024;
export const MAX_FILE_BYTES = 25 * 1024 * 1024;

export type FileError = "empty" | "too_large" | "not_pdf" | "cut";

/** The API's check of the file. @returns null when it is valid */
export async function checkFile(file: Blob): Promise<FileError | null> {
  if (file.size === 0) return "empty";
  if (file.size > MAX_FILE_BYTES) return "too_large";
  const readBytes = async (start: number, end?: number) => new Uint8Array(await file.slice(start, end).arrayBuffer());
  if (!hasPdfHeader(decodeLatin1(await readBytes(0, HEAD_BYTES)))) return "not_pdf";
  const tail = await readBytes(-(MAX_TRAILING_PADDING + TRAILER_BYTES));
  const length = lengthWithoutPadding(tail);
  if (tail.length - length > MAX_TRAILING_PADDING) return "cut";
  return hasPdfTrailer(decodeLatin1(tail.subarray(Math.max(0, length - TRAILER_BYTES), length))) ? null : "cut";
}

/** Typed text per metric; empty text is omitted. */
export type TypedMetrics = Record<string, string>;
/**
 * All user input for a report. `wallTime`: time of measurement in the hospital's time zone, if `timeIs` known; of an unknown one, the
 * time of receipt counts, which only the user can decide.
 */
export type ReportInput = {
  kind: Kind;
  timeIs: "known" | "unknown" | null;
  wallTime: string;
  typedMetrics: TypedMetrics;
  interpretation: string;
};

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
