// Parsers for recorded vital signs: four file formats become one list of values, ordered by time.
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { type Measurement, toMeasurement } from "./source.ts";

/** Milliseconds since the first value of the record, ascending. */
export type RecordedValue = Measurement & { offset: number };
/** The file cannot be replayed; the message says why. */
export class ReplayError extends Error {}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The PhysioNet Challenges write -1 for an unknown value. */
const UNKNOWN_VALUE = -1;

type Column = readonly [name: keyof typeof CODES, unit?: string];

/** PhysioNet/CinC Challenge 2019 (Reyna et al. 2020). Omits laboratory values, which no bedside monitor measures. */
const HOURLY_COLUMNS: Readonly<Record<string, Column>> = {
  HR: ["heart_rate"],
  O2Sat: ["spo2"],
  Temp: ["temperature"],
  SBP: ["systolic"],
  MAP: ["mean_pressure"],
  DBP: ["diastolic"],
  Resp: ["respiratory_rate"],
  EtCO2: ["etco2"],
  FiO2: ["inspired_oxygen", "1"],
};

/** PhysioNet/CinC Challenge 2012 (Silva et al. 2012). */
const LONG_COLUMNS: Readonly<Record<string, Column>> = {
  HR: ["heart_rate"],
  SaO2: ["spo2"],
  Temp: ["temperature"],
  SysABP: ["systolic"],
  DiasABP: ["diastolic"],
  MAP: ["mean_pressure"],
  NISysABP: ["systolic"],
  NIDiasABP: ["diastolic"],
  NIMAP: ["mean_pressure"],
  RespRate: ["respiratory_rate"],
  FiO2: ["inspired_oxygen", "1"],
};
/** A cuff pressure is skipped if the arterial line has a value for the same minute: a sample has one value per code. */
const PREFERRED_PARAMETERS: Readonly<Record<string, string>> = { NISysABP: "SysABP", NIDiasABP: "DiasABP", NIMAP: "MAP" };

/** Numerics of the MIMIC waveform database. PULSE is the rate of the oximeter. */
const NUMERIC_COLUMNS: Readonly<Record<string, Column>> = {
  HR: ["heart_rate"],
  PULSE: ["pulse_rate"],
  RESP: ["respiratory_rate"],
  SpO2: ["spo2"],
  NBPSys: ["systolic"],
  NBPDias: ["diastolic"],
  NBPMean: ["mean_pressure"],
};

function splitLines(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}

/** A cell as a number; null if it is empty or not a number. */
function parseNumber(cell: string | undefined): number | null {
  const value = cell === undefined || cell.trim() === "" ? Number.NaN : Number(cell);
  return Number.isFinite(value) ? value : null;
}

function toRecordedValue([name, unit]: Column, value: number, offset: number): RecordedValue {
  return { ...toMeasurement(name, value, unit), offset };
}

/** A table with one column per parameter; `toOffset` gives the offset of a row in milliseconds. */
function parseTable(
  lines: string[],
  separator: string,
  columns: Readonly<Record<string, Column>>,
  toOffset: (cells: Record<string, number | null>, row: number) => number,
): RecordedValue[] {
  const names = (lines[0] ?? "").split(separator);
  return lines.slice(1).flatMap((line, row) => {
    const cells = line.split(separator);
    const values = Object.fromEntries(names.map((name, i) => [name, parseNumber(cells[i])]));
    const offset = toOffset(values, row);
    return Object.entries(columns).flatMap(([name, column]) => {
      const value = values[name] ?? null;
      return value === null ? [] : [toRecordedValue(column, value, offset)];
    });
  });
}

/** `Time,Parameter,Value` with times as HH:MM; -1 is unknown. */
function parseLongTable(lines: string[]): RecordedValue[] {
  const rows = lines.slice(1).map((line) => {
    const [time = "", parameter = "", value] = line.split(",");
    return { time, parameter, value: parseNumber(value) };
  });
  const present = new Set(rows.map(({ time, parameter }) => `${time} ${parameter}`));
  return rows.flatMap(({ time, parameter, value }) => {
    const column = LONG_COLUMNS[parameter];
    const [, hours, minutes] = /^(\d+):(\d\d)$/.exec(time) ?? [];
    if (!column || value === null || value === UNKNOWN_VALUE || present.has(`${time} ${PREFERRED_PARAMETERS[parameter]}`))
      return [];
    if (hours === undefined) throw new ReplayError(`"${time}" is not a time in the form HH:MM.`);
    return [toRecordedValue(column, value, Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS)];
  });
}

/** EdgeCare's own format: `effective_at,code,value,unit`. */
function parsePlainTable(lines: string[]): RecordedValue[] {
  return lines.slice(1).map((line, i) => {
    const [time = "", code = "", cell, unit = ""] = line.split(",");
    const offset = Date.parse(time);
    const value = parseNumber(cell);
    if (Number.isNaN(offset) || value === null || code === "") throw new ReplayError(`Line ${i + 2} is not a value: ${line}`);
    return { code, value, unit, offset };
  });
}

const WORD_BYTES = 2;
/** In WFDB format 16 this word means that there is no value. */
const NO_VALUE = -32_768;

/**
 * Parses a WFDB record of one segment in format 16: the header and the sample file that it names.
 * @param read returns the bytes of a file in the header's folder
 */
export function parseWfdb(header: string, read: (name: string) => Uint8Array): RecordedValue[] {
  const [record = "", ...signalLines] = splitLines(header).filter((line) => !line.startsWith("#"));
  const [, count = "", frequency = ""] = record.split(/\s+/);
  const perSecond = Number.parseFloat(frequency);
  const signals = signalLines.slice(0, Number(count)).map((line) => {
    const [file = "", format, gain = "", , zero, , checksum, , ...name] = line.split(/\s+/);
    return { file, format, gain: Number.parseFloat(gain), zero: Number(zero), checksum: Number(checksum), name: name.join(" ") };
  });
  const [first] = signals;
  if (!first || !(perSecond > 0) || signals.some(({ format, file }) => format !== "16" || file !== first.file)) {
    throw new ReplayError("Unsupported WFDB record: only records of one file in format 16 can be replayed.");
  }
  const bytes = read(first.file);
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames = Math.floor(bytes.byteLength / (WORD_BYTES * signals.length));
  return signals.flatMap(({ name, gain, zero, checksum }, signal) => {
    let sum = 0;
    const values = Array.from({ length: frames }, (_, frame) => {
      const word = words.getInt16((frame * signals.length + signal) * WORD_BYTES, true);
      sum = (sum + word) & 0xffff;
      const offset = Math.round((frame / perSecond) * 1_000);
      const column = NUMERIC_COLUMNS[name];
      return column && word !== NO_VALUE ? [toRecordedValue(column, (word - zero) / gain, offset)] : [];
    });
    if (sum !== (checksum & 0xffff)) throw new ReplayError(`The checksum of ${name} does not match ${first.file}.`);
    return values.flat();
  });
}

function parseRecording(path: string): RecordedValue[] {
  const text = readFileSync(path, "utf8");
  const lines = splitLines(text);
  const [head = ""] = lines;
  if (path.endsWith(".hea")) return parseWfdb(text, (name) => readFileSync(join(dirname(path), basename(name))));
  if (head.split("|").includes("ICULOS"))
    return parseTable(lines, "|", HOURLY_COLUMNS, ({ ICULOS }, row) => (ICULOS ?? row) * HOUR_MS);
  if (head === "Time,Parameter,Value") return parseLongTable(lines);
  if (head.startsWith("minute,"))
    return parseTable(lines, ",", NUMERIC_COLUMNS, ({ minute }, row) => (minute ?? row) * MINUTE_MS);
  if (head === "effective_at,code,value,unit") return parsePlainTable(lines);
  throw new ReplayError(`${basename(path)} has an unsupported format.`);
}

/**
 * Reads a recording: Challenge 2019 (`.psv`), Challenge 2012 (`.txt`), bedside numerics (`.hea`, or decoded as CSV per
 * minute), or CSV with `effective_at,code,value,unit`. Values stay as recorded, including zeros of a disconnected sensor.
 * @throws ReplayError for any other format and for a recording without a value
 */
export function readRecording(path: string): RecordedValue[] {
  let recording: RecordedValue[];
  try {
    recording = parseRecording(path);
  } catch (error) {
    if (error instanceof ReplayError) throw error;
    throw new ReplayError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  recording.sort((a, b) => a.offset - b.offset);
  const [first] = recording;
  if (!first) throw new ReplayError(`${basename(path)} contains no vital signs.`);
  return recording.map((value) => ({ ...value, offset: value.offset - first.offset }));
}
