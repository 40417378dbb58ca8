// Upload of a report in the portal: file check, number entry, upload states, dates and times.
import { describe, expect, it } from "vitest";
import { endOfDayIso, isDateString, parseWallTime, startOfDayIso } from "../../portal/src/platform/design/calendar-days.ts";
import { toMetricReadings } from "../../portal/src/reports/metrics.ts";
import type { Kind } from "../../portal/src/reports/report-kinds.ts";
import { checkFile, findMetricErrors, MAX_FILE_BYTES, toMetrics } from "../../portal/src/reports/upload/upload-draft.ts";
import {
  getUploadKey,
  isFinished,
  parseResponse,
  reduceUpload,
  type UploadEvent,
  type UploadState,
} from "../../portal/src/reports/upload/upload-state.ts";
import { MAX_RAW_BYTES } from "../../src/reports/upload/upload-request.ts";

const READY: UploadState = { status: "ready" };
const progress = (sent: number, total: number): UploadEvent => ({ type: "progress", sent, total });
const through = (...happened: UploadEvent[]) => happened.reduce(reduceUpload, READY);

describe("an upload on its way", () => {
  it("says how far it is, never backwards, and 100 only when the last byte has left", () => {
    expect(through({ type: "start" }, progress(64, 100))).toEqual({ status: "sending", percent: 64 });
    expect(through({ type: "start" }, progress(64, 100), progress(32, 100))).toEqual({ status: "sending", percent: 64 });
    expect(through({ type: "start" }, progress(100, 100))).toEqual({ status: "sending", percent: 99 });
    expect(through({ type: "start" }, progress(5, 0))).toEqual({ status: "sending", percent: 0 });
    expect(through({ type: "start" }, progress(100, 100), { type: "all_sent" })).toEqual({ status: "waiting" });
  });

  it("is certain that nothing was filed only before the last byte has left", () => {
    const cut = through({ type: "start" }, progress(64, 100), { type: "cut" });
    expect(cut).toEqual({ status: "stopped", percent: 64, cancelled: false });
    expect(through({ type: "start" }, progress(64, 100), { type: "cancel" })).toMatchObject({
      status: "stopped",
      cancelled: true,
    });
    expect(through({ type: "start" }, { type: "all_sent" }, { type: "cut" })).toEqual({ status: "unanswered" });
    expect(through({ type: "start" }, { type: "all_sent" }, { type: "cancel" })).toEqual({ status: "unanswered" });
  });

  it("begins again after it was stopped, not while it runs and not when it is over", () => {
    expect(through({ type: "start" }, progress(64, 100), { type: "cut" }, { type: "start" })).toEqual({
      status: "sending",
      percent: 0,
    });
    expect(through({ type: "start" }, progress(64, 100), { type: "start" })).toEqual({ status: "sending", percent: 64 });
    const filed: UploadState = { status: "filed", reportId: "r" };
    expect(through({ type: "start" }, { type: "answer", answer: filed }, { type: "start" })).toEqual(filed);
  });

  it("ignores events of an attempt that has ended", () => {
    const stopped = through({ type: "start" }, progress(64, 100), { type: "cut" });
    expect(reduceUpload(stopped, progress(70, 100))).toBe(stopped);
    expect(reduceUpload(stopped, { type: "answer", answer: { status: "filed", reportId: "r" } })).toBe(stopped);
    expect(reduceUpload(READY, progress(70, 100))).toBe(READY);
  });
});

describe("what the API answers", () => {
  const said = (data: object) => JSON.stringify({ data: { upload_id: "u", reason: null, duplicate_of: null, ...data } });

  it("is filed, there already, or in quarantine", async () => {
    const filed = await parseResponse(201, said({ report_id: "r", status: "preliminary" }));
    expect(filed).toEqual({ status: "filed", reportId: "r" });
    const twice = await parseResponse(200, said({ report_id: "r", status: "preliminary", duplicate_of: "r" }));
    expect(twice).toEqual({ status: "duplicate", reportId: "r" });
    const kept = await parseResponse(202, said({ report_id: null, status: "quarantined", reason: "not_found" }));
    expect(kept).toEqual({ status: "quarantined", uploadId: "u", reason: "not_found" });
    expect([filed, twice, kept].every(isFinished)).toBe(true);
  });

  it("is a problem with its id, sent again where that may help", async () => {
    const problem = (code: string) => JSON.stringify({ code, detail: "Why", error_id: "e", errors: [] });
    const refused = await parseResponse(404, problem("not_found"));
    expect(refused).toMatchObject({
      status: "refused",
      canRetry: false,
      problem: { code: "not_found", errorId: "e", message: "Why" },
    });
    for (const status of [401, 408, 429, 500, 503]) {
      expect(await parseResponse(status, problem("unavailable"))).toMatchObject({ status: "refused", canRetry: true });
    }
    expect(await parseResponse(502, "<html>")).toMatchObject({ status: "refused", canRetry: true, problem: { status: 502 } });
  });

  it("that is not EdgeCare's response counts as none", async () => {
    expect(await parseResponse(200, "<html>")).toEqual({ status: "unanswered" });
    expect(await parseResponse(200, "{}")).toEqual({ status: "unanswered" });
  });
});

it("keeps its idempotency key for the same content, and uses a new one after any change", () => {
  let n = 0;
  const newKey = () => `key ${++n}`;
  const first = getUploadKey({ patient: 1 }, null, newKey);
  expect(getUploadKey({ patient: 1 }, first, newKey)).toBe(first);
  expect(getUploadKey({ patient: 2 }, first, newKey).key).toBe("key 2");
});

describe("a file", () => {
  const blob = (...parts: (string | number)[]) =>
    new Blob(parts.map((part) => (typeof part === "number" ? new Uint8Array(part) : part)));

  it("is looked at as the API will", async () => {
    expect(await checkFile(blob("%PDF-1.7\n", 5000, "\n%%EOF\n"))).toBeNull();
    expect(await checkFile(blob("%PDF-1.7\n%%EOF"))).toBeNull();
    expect(await checkFile(blob())).toBe("empty");
    expect(await checkFile(blob("\n%PDF-1.7\n%%EOF"))).toBeNull();
    expect(await checkFile(blob("%PDF-1.7\n%%EOF", "\0".repeat(64 * 1024)))).toBeNull();
    expect(await checkFile(blob("%PDF-1.7\n%%EOF", "\0".repeat(64 * 1024 + 1)))).toBe("cut");
    expect(await checkFile(blob("x%PDF-1.7\n%%EOF"))).toBe("not_pdf");
    expect(await checkFile(blob("%PDF-1.7\n%%EOF", "x".repeat(1100)))).toBe("cut");
    expect(await checkFile(blob("%PDF-", MAX_FILE_BYTES, "%%EOF"))).toBe("too_large");
    expect(MAX_FILE_BYTES).toBe(MAX_RAW_BYTES);
  });
});

describe("numbers that people type", () => {
  const faults = (kind: Kind, typed: Record<string, string>) => findMetricErrors(kind, typed, (key, fault) => `${key} ${fault}`);

  it("are read in both scripts; nothing typed is nothing measured", () => {
    const typed = { heart_rate: " ७२ ", qtc_bazett_ms: "441", p_axis_deg: "-30", qrs_axis_deg: "", spo2_percent: "97" };
    expect(toMetrics("ecg", typed, " Sinus rhythm ")).toEqual({
      heart_rate: 72,
      qtc_bazett_ms: 441,
      p_axis_deg: -30,
      interpretation: "Sinus rhythm",
    });
    expect(toMetrics("oxygen", { ...typed, flow_l_min: "2,5" }, "Sinus rhythm")).toEqual({ spo2_percent: 97, flow_l_min: 2.5 });
  });

  it("are refused where they are none, or nothing that can be", () => {
    expect(faults("ecg", { heart_rate: "fast", qtc_bazett_ms: "9441", pr_interval_ms: "0" })).toEqual({
      heart_rate: "heart_rate no_number",
      qtc_bazett_ms: "qtc_bazett_ms implausible",
    });
  });
});

it("shows what a machine measured in the order of its kind, and marks what cannot be", () => {
  const readings = toMetricReadings("ecg", {
    vendor: "GE",
    qtc_bazett_ms: 9441,
    heart_rate: 0,
    qt_interval_ms: "long",
    leads: [1],
  });
  expect(readings).toEqual([
    { key: "heart_rate", value: 0, unit: "/min", valid: true },
    { key: "qt_interval_ms", value: "long", unit: "ms", valid: false },
    { key: "qtc_bazett_ms", value: 9441, unit: "ms", valid: false },
    { key: "vendor", value: "GE", unit: null, valid: true },
    { key: "leads", value: "[1]", unit: null, valid: true },
  ]);
});

describe("days and times of a hospital", () => {
  it("begin and end by its clocks, also where these change", () => {
    expect(startOfDayIso("2026-11-21", "Asia/Kolkata")).toBe("2026-11-20T18:30:00.000Z");
    expect(endOfDayIso("2026-11-21", "Asia/Kolkata")).toBe("2026-11-21T18:30:00.000Z");
    expect(startOfDayIso("2026-03-29", "Europe/Berlin")).toBe("2026-03-28T23:00:00.000Z");
    expect(endOfDayIso("2026-03-29", "Europe/Berlin")).toBe("2026-03-29T22:00:00.000Z");
  });

  it("are distinguished from invalid input", () => {
    expect([isDateString("2026-11-21"), isDateString("2026-13-01"), isDateString("yesterday"), isDateString(undefined)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(parseWallTime("2026-11-21T08:34", "Asia/Kolkata")).toBe("2026-11-21T03:04:00.000Z");
    expect([parseWallTime(""), parseWallTime("2026-11-21"), parseWallTime("2026-99-21T08:34")]).toEqual([null, null, null]);
  });
});
