// Drawing of a synthesised ECG to scale on one A4 page of ECG paper, as a PDF with reproducible bytes.

import { buffer } from "node:stream/consumers";
import PDFDocument from "pdfkit";
import type { EcgMetrics, EcgSignal, LeadName } from "./ecg-signal.ts";

export type EcgReport = {
  metrics: EcgMetrics;
  signal: EcgSignal;
  patient: { name: string; birth_date: string; sex: string; patient_number: number };
  device: string;
  hospital: string;
  /** ISO 8601 with an offset; also the PDF's creation date. */
  recorded_at: string;
};

type Doc = PDFKit.PDFDocument;
type Point = { x: number; y: number };

/** All layout is in millimetres from the top left of the page. */
const POINTS_PER_MM = 72 / 25.4;
const MM_PER_SECOND = 25;
const MM_PER_MILLIVOLT = 10;

const MARGIN = 13.5;
const PAPER = { x: MARGIN, y: 58, width: 270, height: 135 };
const RIGHT = PAPER.x + PAPER.width;
const TRACE_X = PAPER.x + 15;
const RHYTHM_BASELINE = PAPER.y + 115;
const COLUMN_S = 2.5;

const ROWS: { baseline: number; leads: LeadName[] }[] = [
  { baseline: PAPER.y + 25, leads: ["I", "aVR", "V1", "V4"] },
  { baseline: PAPER.y + 55, leads: ["II", "aVL", "V2", "V5"] },
  { baseline: PAPER.y + 85, leads: ["III", "aVF", "V3", "V6"] },
];

const INK = "#16181d";
const MUTED = "#5b6270";
const FINE_GRID = "#fadcdc";
const BOLD_GRID = "#f0a8a8";

const FOOTER = "25 mm/s · 10 mm/mV · 0.05–150 Hz · synthesised demonstration trace · decision support, not a diagnosis";

/** One A4 landscape page; the same input gives the same bytes. @throws RangeError if recorded_at is not a date */
export async function drawEcgReport(input: EcgReport): Promise<Uint8Array> {
  const recorded = new Date(input.recorded_at);
  if (Number.isNaN(recorded.getTime())) throw new RangeError("recorded_at is not an ISO 8601 time");
  const doc = new PDFDocument({
    size: "A4",
    layout: "landscape",
    margin: 0,
    info: {
      Title: `12-lead ECG, patient ${input.patient.patient_number}`,
      Creator: "EdgeCare demonstration",
      Producer: "pdfkit",
      CreationDate: recorded,
      ModDate: recorded,
    },
  });
  drawHeader(doc, input);
  drawMetrics(doc, input.metrics);
  drawGrid(doc);
  drawTraces(doc, input.signal);
  writeText(doc, FOOTER, { x: MARGIN, y: 197 }, 7.5, MUTED);
  doc.end();
  return new Uint8Array(await buffer(doc));
}

function drawHeader(doc: Doc, { patient, device, hospital, recorded_at }: EcgReport): void {
  writeText(doc, hospital, { x: MARGIN, y: 10 }, 14, INK, "Helvetica-Bold", 155);
  writeText(doc, "12-lead resting electrocardiogram", { x: MARGIN, y: 16.5 }, 9, MUTED);
  writeText(doc, patient.name, { x: MARGIN, y: 25 }, 12, INK, "Helvetica-Bold", 120);
  const facts: [string, string][] = [
    ["Patient no.", String(patient.patient_number)],
    ["Date of birth", patient.birth_date],
    ["Sex", patient.sex],
    ["Recorded", formatClockTime(recorded_at)],
    ["Device", device],
  ];
  facts.forEach(([label, value], index) => {
    const y = 31.5 + index * 4.6;
    writeText(doc, label, { x: MARGIN, y }, 8.5, MUTED);
    writeText(doc, value, { x: MARGIN + 24, y }, 8.5, INK, "Helvetica", 95);
  });
}

function drawMetrics(doc: Doc, metrics: EcgMetrics): void {
  const columns: [string, number, string][][] = [
    [
      ["Heart rate", metrics.heart_rate, "/min"],
      ["RR interval", metrics.rr_interval_ms, "ms"],
      ["P duration", metrics.p_duration_ms, "ms"],
      ["PR interval", metrics.pr_interval_ms, "ms"],
      ["QRS duration", metrics.qrs_duration_ms, "ms"],
      ["QT interval", metrics.qt_interval_ms, "ms"],
    ],
    [
      ["QTc Bazett", metrics.qtc_bazett_ms, "ms"],
      ["QTc Fridericia", metrics.qtc_fridericia_ms, "ms"],
      ["P axis", metrics.p_axis_deg, "°"],
      ["QRS axis", metrics.qrs_axis_deg, "°"],
      ["T axis", metrics.t_axis_deg, "°"],
    ],
  ];
  const left = RIGHT - 110;
  writeText(doc, "Measurements", { x: left, y: 18.5 }, 9, INK, "Helvetica-Bold");
  columns.forEach((rows, column) => {
    const x = left + column * 58;
    rows.forEach(([label, value, unit], row) => {
      const y = 25 + row * 5;
      drawLine(
        doc,
        [
          { x, y: y - 1.2 },
          { x: x + 52, y: y - 1.2 },
        ],
        "#d9dce2",
        0.15,
      );
      writeText(doc, label, { x, y }, 8.5, MUTED);
      const figure = String(value);
      doc.font("Helvetica-Bold").fontSize(8.5);
      const width = doc.widthOfString(figure) / POINTS_PER_MM;
      writeText(doc, figure, { x: x + 43 - width, y }, 8.5, INK, "Helvetica-Bold");
      writeText(doc, unit, { x: x + 44.5, y }, 8.5, MUTED);
    });
  });
}

function drawGrid(doc: Doc): void {
  const bottom = PAPER.y + PAPER.height;
  for (const { step, colour, width } of [
    { step: 1, colour: FINE_GRID, width: 0.1 },
    { step: 5, colour: BOLD_GRID, width: 0.18 },
  ]) {
    for (let x = 0; x <= PAPER.width; x += step) {
      tracePath(doc, [
        { x: PAPER.x + x, y: PAPER.y },
        { x: PAPER.x + x, y: bottom },
      ]);
    }
    for (let y = 0; y <= PAPER.height; y += step) {
      tracePath(doc, [
        { x: PAPER.x, y: PAPER.y + y },
        { x: RIGHT, y: PAPER.y + y },
      ]);
    }
    doc.lineWidth(toPoints(width)).stroke(colour);
  }
}

function drawTraces(doc: Doc, signal: EcgSignal): void {
  const perColumn = COLUMN_S * signal.sampleRate;
  for (const { baseline, leads } of ROWS) {
    drawCalibration(doc, baseline);
    leads.forEach((lead, column) => {
      const x = TRACE_X + column * COLUMN_S * MM_PER_SECOND;
      const samples = signal.leads[lead].subarray(column * perColumn, (column + 1) * perColumn);
      if (column > 0)
        drawLine(
          doc,
          [
            { x, y: baseline - 12.5 },
            { x, y: baseline - 8.5 },
          ],
          INK,
          0.25,
        );
      drawTrace(doc, samples, signal.sampleRate, { x, y: baseline });
      writeText(doc, lead, { x: x + 1.2, y: baseline - 12 }, 9, INK, "Helvetica-Bold");
    });
  }
  drawCalibration(doc, RHYTHM_BASELINE);
  drawTrace(doc, signal.leads.II, signal.sampleRate, { x: TRACE_X, y: RHYTHM_BASELINE });
  writeText(doc, "II", { x: TRACE_X + 1.2, y: RHYTHM_BASELINE - 12 }, 9, INK, "Helvetica-Bold");
}

function drawTrace(doc: Doc, samples: Float64Array, sampleRate: number, origin: Point): void {
  const path = Array.from(samples, (millivolts, k) => ({
    x: origin.x + (k / sampleRate) * MM_PER_SECOND,
    y: origin.y - millivolts * MM_PER_MILLIVOLT,
  }));
  drawLine(doc, path, INK, 0.25);
}

/** The 1 mV, 200 ms reference pulse with which a reader checks the scale of a print. */
function drawCalibration(doc: Doc, baseline: number): void {
  const start = PAPER.x + 5;
  const end = start + 0.2 * MM_PER_SECOND;
  const top = baseline - MM_PER_MILLIVOLT;
  const path = [
    { x: start - 2, y: baseline },
    { x: start, y: baseline },
    { x: start, y: top },
    { x: end, y: top },
    { x: end, y: baseline },
    { x: end + 2, y: baseline },
  ];
  drawLine(doc, path, INK, 0.25);
}

function drawLine(doc: Doc, path: Point[], colour: string, width: number): void {
  tracePath(doc, path);
  doc.lineWidth(toPoints(width)).lineJoin("round").stroke(colour);
}

function tracePath(doc: Doc, path: Point[]): void {
  path.forEach(({ x, y }, index) => {
    if (index === 0) doc.moveTo(toPoints(x), toPoints(y));
    else doc.lineTo(toPoints(x), toPoints(y));
  });
}

/** Millimetres to points; a thousandth of a point is finer than any printer and halves the file. */
function toPoints(millimetres: number): number {
  return Math.round(millimetres * POINTS_PER_MM * 1000) / 1000;
}

/** Writes one line with its top left at `at`, truncated with an ellipsis at `width` millimetres. */
function writeText(
  doc: Doc,
  text: string,
  at: Point,
  size: number,
  colour: string,
  font: "Helvetica" | "Helvetica-Bold" = "Helvetica",
  width = RIGHT - at.x,
): void {
  doc.font(font).fontSize(size).fillColor(colour);
  doc.text(toWinAnsi(text), toPoints(at.x), toPoints(at.y), {
    width: toPoints(width),
    height: size,
    ellipsis: true,
  });
}

/** The standard PDF fonts support only Windows-1252; pdfkit writes broken glyph codes for other characters. */
function toWinAnsi(text: string): string {
  return text.normalize("NFC").replace(/[^\x20-\x7e\u00a0-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u20ac]/gu, "?");
}

/** The local time as the recorder stated it, never converted to the reader's time zone. */
function formatClockTime(iso: string): string {
  const parts = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?(Z|[+-]\d{2}:\d{2})$/.exec(iso);
  if (!parts) return iso;
  const [, date = "", time = "", zone = ""] = parts;
  return `${date} ${time} ${zone === "Z" ? "UTC" : zone}`;
}
