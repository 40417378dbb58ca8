// What is going to be sent, and whether it can be: the file, and numbers that people typed.
import { parseNumber } from "../../platform/design/parse-number.ts";
import { isPlausible, listMetricFields } from "../metrics.ts";
import type { Kind } from "../report-kinds.ts";

/** In a form; larger ones go as they are (src/reports/upload/upload-request.ts). */
export const MAX_FORM_BYTES = 10 * 1024 * 1024;
export const MAX_FILE_BYTES = 25 * 1024 * 1024;
const TAIL_BYTES = 1024;

export type FileError = "empty" | "too_large" | "not_pdf" | "cut";

/** As the API will look at it. @returns null when nothing is wrong */
export async function checkFile(file: Blob): Promise<FileError | null> {
  if (file.size === 0) return "empty";
  if (file.size > MAX_FILE_BYTES) return "too_large";
  if ((await readLatin1(file.slice(0, 5))) !== "%PDF-") return "not_pdf";
  return (await readLatin1(file.slice(-TAIL_BYTES))).includes("%%EOF") ? null : "cut";
}

const readLatin1 = async (part: Blob) => String.fromCharCode(...new Uint8Array(await part.arrayBuffer()));

/** What a person typed, by metric; nothing typed is nothing measured. */
export type TypedMetrics = Record<string, string>;
/** All that a person says of a report; `wall`: when it was measured, by the hospital's clocks. */
export type ReportInput = { kind: Kind; wall: string; typed: TypedMetrics; interpretation: string };

export function toMetrics(kind: Kind, typed: TypedMetrics, interpretation: string): Record<string, number | string> {
  const numbers = listMetricFields(kind).flatMap((key) => {
    const value = parseNumber(typed[key] ?? "");
    return value === null ? [] : [[key, value] as const];
  });
  const said = kind === "ecg" ? interpretation.trim() : "";
  return { ...Object.fromEntries(numbers), ...(said && { interpretation: said }) };
}

/** The fields that hold something, but no number, or one that no machine measures. */
export function findMetricErrors(
  kind: Kind,
  typed: TypedMetrics,
  message: (key: string, fault: "no_number" | "implausible") => string,
): Record<string, string> {
  const errors = listMetricFields(kind).flatMap((key) => {
    const text = (typed[key] ?? "").trim();
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
  /** ISO; without it the moment of receipt counts. */
  recordedAt: string | null;
  metrics: Record<string, number | string>;
  file: File;
};

/** All that the API compares when a key comes again. */
export const draftIdentity = ({ file, ...said }: UploadDraft) => [said, file.name, file.size, file.lastModified];
