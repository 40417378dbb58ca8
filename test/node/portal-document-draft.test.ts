// The draft of a document in the portal: which file and day it takes, and what it sends.
import { expect, it } from "vitest";
import {
  type Destination,
  type DocumentInput,
  findDayFault,
  findFileFault,
  MAX_FILE_BYTES,
  toFormFields,
} from "../../portal/src/documents/document-draft.ts";

const ZONE = "Asia/Kolkata";
/** 22 November 2026, 00:30 in the zone. */
const NOW = Date.parse("2026-11-21T19:00:00Z");
const INPUT: DocumentInput = { type: "18842-5", title: " Letter ", author: "", day: null };
const NEW: Destination = { patientId: "p" };
const VERSION: Destination = { replaces: { document_id: "d", version: 3, date: "2026-11-20T20:00:00.000Z" } };

const dateOf = (day: string | null, destination: Destination) => toFormFields({ ...INPUT, day }, destination, NOW, ZONE)["date"];

it("takes a file of 1 byte to 25 MiB", () => {
  expect(findFileFault(null)).toBe("missing");
  expect(findFileFault({ size: 0 })).toBe("empty");
  expect(findFileFault({ size: 1 })).toBeNull();
  expect(findFileFault({ size: MAX_FILE_BYTES })).toBeNull();
  expect(findFileFault({ size: MAX_FILE_BYTES + 1 })).toBe("too_large");
});

it("takes days of the hospital's zone up to the current one", () => {
  expect(findDayFault("2026-11-22", NOW, ZONE)).toBeNull();
  expect(findDayFault("2026-11-22", NOW, "UTC")).toBe("in_future");
  expect(findDayFault("2026-11-23", NOW, ZONE)).toBe("in_future");
  expect(findDayFault("2026-02-30", NOW, ZONE)).toBe("invalid");
  expect(findDayFault("", NOW, ZONE)).toBe("invalid");
});

it("sends trimmed fields, without those that are empty, except for the author of a version", () => {
  expect(toFormFields(INPUT, NEW, NOW, ZONE)).toEqual({ patient_id: "p", type: "18842-5", title: "Letter" });
  expect(toFormFields(INPUT, VERSION, NOW, ZONE)).toEqual({ type: "18842-5", title: "Letter", author: "" });
});

it("sends the first instant of a day, and none of the current day, whose time of receipt counts", () => {
  expect(dateOf("2026-11-22", NEW)).toBeUndefined();
  expect(dateOf("2026-11-21", NEW)).toBe("2026-11-20T18:30:00.000Z");
});

it("keeps the time of the version before on the same day", () => {
  expect(dateOf(null, VERSION)).toBeUndefined();
  expect(dateOf("2026-11-21", VERSION)).toBeUndefined();
  expect(dateOf("2026-11-20", VERSION)).toBe("2026-11-19T18:30:00.000Z");
  expect(dateOf("2026-11-22", VERSION)).toBe("2026-11-21T18:30:00.000Z");
});
