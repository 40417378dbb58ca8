// Draft of a document or of a new version, its validation, and the fields that are sent.
import type { DocumentTypeCode } from "../../../src/documents/document-types.ts";
import { dayInZone, isDateString, startOfDayIso } from "../platform/design/calendar-days.ts";

export const MAX_FILE_BYTES = 25 * 1024 * 1024;
export const MAX_TEXT_LENGTH = 200;

/** `day`: "2026-11-21" in the hospital's zone, or null until one is chosen: the day of the version before, else today. */
export type DocumentInput = { type: DocumentTypeCode | ""; title: string; author: string; day: string | null };

export type FileFault = "missing" | "empty" | "too_large";

/** The API finds the type of the file from its bytes; here only what needs no reading is checked. */
export function findFileFault(file: Pick<File, "size"> | null): FileFault | null {
  if (!file) return "missing";
  if (file.size === 0) return "empty";
  return file.size > MAX_FILE_BYTES ? "too_large" : null;
}

export type DayFault = "invalid" | "in_future";

export function findDayFault(day: string, now: number, zone: string | undefined): DayFault | null {
  if (!isDateString(day)) return "invalid";
  return day > dayInZone(now, zone) ? "in_future" : null;
}

/**
 * The date to send. Of the current day this is none: the time of receipt counts, which is not in the future on any clock.
 * @param previous of the version before, whose time is kept on the same day
 */
function toDate(day: string | null, previous: string | undefined, now: number, zone: string | undefined): string | undefined {
  if (day === null) return undefined;
  if (previous !== undefined && day === dayInZone(Date.parse(previous), zone)) return undefined;
  if (previous === undefined && day === dayInZone(now, zone)) return undefined;
  return startOfDayIso(day, zone);
}

/** Where a document is sent: a patient's record, or the document of which it becomes the current version. */
export type Destination = { patientId: string } | { replaces: ReplacedDocument };
/** The current version of a document, with its version for If-Match. */
type ReplacedDocument = { document_id: string; version: number; date: string };

export const previousDate = (destination: Destination): string | undefined =>
  "replaces" in destination ? destination.replaces.date : undefined;

export type DocumentFormFields = Record<string, string>;

/** Empty fields are left out; of a new version the API then keeps those of the version before. */
export function toFormFields(
  input: DocumentInput,
  destination: Destination,
  now: number,
  zone: string | undefined,
): DocumentFormFields {
  const { type, title, author, day } = input;
  const date = toDate(day, previousDate(destination), now, zone);
  const fields = {
    patient_id: "patientId" in destination ? destination.patientId : "",
    type,
    title: title.trim(),
    author: author.trim(),
    date: date ?? "",
  };
  // An empty author of a new version clears that of the version before.
  const isSent = (name: string, value: string) => value !== "" || (name === "author" && !("patientId" in destination));
  return Object.fromEntries(Object.entries(fields).filter(([name, value]) => isSent(name, value)));
}
