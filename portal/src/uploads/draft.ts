// What is going to be sent, and whether it can be: the file, and numbers that people typed.
import { numberIn } from "../design/typed-number.ts";
import type { Kind } from "../reports/kinds.ts";
import { fieldsOf, isPlausible } from "../reports/metrics.ts";

/** In a form; larger ones go as they are (src/reports/upload/incoming.ts). */
export const FORM_LIMIT = 10 * 1024 * 1024;
export const FILE_LIMIT = 25 * 1024 * 1024;
const TAIL_BYTES = 1024;

export type FileFault = "empty" | "too_large" | "not_pdf" | "cut";

/** As the API will look at it. @returns null when nothing is wrong */
export async function faultOf(file: Blob): Promise<FileFault | null> {
  if (file.size === 0) return "empty";
  if (file.size > FILE_LIMIT) return "too_large";
  if ((await latin1(file.slice(0, 5))) !== "%PDF-") return "not_pdf";
  return (await latin1(file.slice(-TAIL_BYTES))).includes("%%EOF") ? null : "cut";
}

const latin1 = async (part: Blob) => String.fromCharCode(...new Uint8Array(await part.arrayBuffer()));

/** What a person typed, by metric; nothing typed is nothing measured. */
export type Typed = Record<string, string>;
/** All that a person says of a report; `wall`: when it was measured, by the hospital's clocks. */
export type Said = { kind: Kind; wall: string; typed: Typed; interpretation: string };

export function metricsOf(kind: Kind, typed: Typed, interpretation: string): Record<string, number | string> {
  const numbers = fieldsOf(kind).flatMap((key) => {
    const value = numberIn(typed[key] ?? "");
    return value === null ? [] : [[key, value] as const];
  });
  const said = kind === "ecg" ? interpretation.trim() : "";
  return { ...Object.fromEntries(numbers), ...(said && { interpretation: said }) };
}

/** The fields that hold something, but no number, or one that no machine measures. */
export function faultsOf(
  kind: Kind,
  typed: Typed,
  message: (key: string, fault: "no_number" | "implausible") => string,
): Record<string, string> {
  const wrong = fieldsOf(kind).flatMap((key) => {
    const text = (typed[key] ?? "").trim();
    if (text === "") return [];
    const value = numberIn(text);
    if (value === null) return [[key, message(key, "no_number")] as const];
    return isPlausible(key, value) ? [] : [[key, message(key, "implausible")] as const];
  });
  return Object.fromEntries(wrong);
}

export type Draft = {
  patientId: string;
  kind: Kind;
  /** ISO; without it the moment of receipt counts. */
  recordedAt: string | null;
  metrics: Record<string, number | string>;
  file: File;
};

/** All that the API compares when a key comes again. */
export const identityOf = ({ file, ...said }: Draft) => [said, file.name, file.size, file.lastModified];
