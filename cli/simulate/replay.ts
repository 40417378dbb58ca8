// Recorded vital signs as a simulated monitor can play them: four file formats become one list of values by time.
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { type Measurement, measurement } from "./source.ts";

/** Milliseconds since the first value of the record, ascending. */
export type Recorded = Measurement & { offset: number };
/** The file is none that can be played; the message says why. */
export class ReplayError extends Error {}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** In the recordings of the PhysioNet Challenges. */
const UNKNOWN = -1;

type Column = readonly [name: keyof typeof CODES, unit?: string];

/** PhysioNet/CinC Challenge 2019 (Reyna et al. 2020). Laboratory values are left out: no monitor measures them. */
const HOURLY: Readonly<Record<string, Column>> = {
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
const LONG: Readonly<Record<string, Column>> = {
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
/** The cuff's pressure is not played where the arterial line gives one of the same minute: a sample has one value. */
const INSTEAD_OF: Readonly<Record<string, string>> = { NISysABP: "SysABP", NIDiasABP: "DiasABP", NIMAP: "MAP" };

/** Numerics of the MIMIC waveform database. PULSE, the oximeter's, would be a second heart rate. */
const NUMERICS: Readonly<Record<string, Column>> = {
  HR: ["heart_rate"],
  RESP: ["respiratory_rate"],
  SpO2: ["spo2"],
  NBPSys: ["systolic"],
  NBPDias: ["diastolic"],
  NBPMean: ["mean_pressure"],
};

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}

/** A cell as a number; null where it is empty or no number. */
function numberIn(cell: string | undefined): number | null {
  const value = cell === undefined || cell.trim() === "" ? Number.NaN : Number(cell);
  return Number.isFinite(value) ? value : null;
}

function recorded([name, unit]: Column, value: number, offset: number): Recorded {
  return { ...measurement(name, value, unit), offset };
}

/** A table with one column each; `timeOf` gives the milliseconds of a row. */
function fromTable(
  lines: string[],
  separator: string,
  columns: Readonly<Record<string, Column>>,
  timeOf: (cells: Record<string, number | null>, row: number) => number,
): Recorded[] {
  const names = (lines[0] ?? "").split(separator);
  return lines.slice(1).flatMap((line, row) => {
    const cells = line.split(separator);
    const values = Object.fromEntries(names.map((name, i) => [name, numberIn(cells[i])]));
    const offset = timeOf(values, row);
    return Object.entries(columns).flatMap(([name, column]) => {
      const value = values[name] ?? null;
      return value === null ? [] : [recorded(column, value, offset)];
    });
  });
}

/** `Time,Parameter,Value` with hours and minutes; -1 is unknown. */
function fromLongTable(lines: string[]): Recorded[] {
  const rows = lines.slice(1).map((line) => {
    const [time = "", parameter = "", value] = line.split(",");
    return { time, parameter, value: numberIn(value) };
  });
  const present = new Set(rows.map(({ time, parameter }) => `${time} ${parameter}`));
  return rows.flatMap(({ time, parameter, value }) => {
    const column = LONG[parameter];
    const [, hours, minutes] = /^(\d+):(\d\d)$/.exec(time) ?? [];
    if (!column || value === null || value === UNKNOWN || present.has(`${time} ${INSTEAD_OF[parameter]}`)) return [];
    if (hours === undefined) throw new ReplayError(`"${time}" is no time of the form 12:34.`);
    return [recorded(column, value, Number(hours) * HOUR + Number(minutes) * MINUTE)];
  });
}

/** Our own: `effective_at,code,value,unit`. */
function fromPlainTable(lines: string[]): Recorded[] {
  return lines.slice(1).map((line, i) => {
    const [time = "", code = "", cell, unit = ""] = line.split(",");
    const offset = Date.parse(time);
    const value = numberIn(cell);
    if (Number.isNaN(offset) || value === null || code === "") throw new ReplayError(`Line ${i + 2} is not a value: ${line}`);
    return { code, value, unit, offset };
  });
}

const WORD_BYTES = 2;
/** In format 16 this word stands for no value. */
const NO_VALUE = -32_768;

/**
 * A WFDB record of one segment in format 16: the header and the file of samples that it names.
 * @param read gives the bytes of a file beside the header
 */
export function fromWfdb(header: string, read: (name: string) => Uint8Array): Recorded[] {
  const [record = "", ...signalLines] = linesOf(header).filter((line) => !line.startsWith("#"));
  const [, count = "", frequency = ""] = record.split(/\s+/);
  const perSecond = Number.parseFloat(frequency);
  const signals = signalLines.slice(0, Number(count)).map((line) => {
    const [file = "", format, gain = "", , zero, , checksum, , ...name] = line.split(/\s+/);
    return { file, format, gain: Number.parseFloat(gain), zero: Number(zero), checksum: Number(checksum), name: name.join(" ") };
  });
  const [first] = signals;
  if (!first || !(perSecond > 0) || signals.some(({ format, file }) => format !== "16" || file !== first.file)) {
    throw new ReplayError("Of WFDB records, those of one file in format 16 can be played.");
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
      const column = NUMERICS[name];
      return column && word !== NO_VALUE ? [recorded(column, (word - zero) / gain, offset)] : [];
    });
    if (sum !== (checksum & 0xffff)) throw new ReplayError(`The checksum of ${name} does not agree with ${first.file}.`);
    return values.flat();
  });
}

function parse(path: string): Recorded[] {
  const text = readFileSync(path, "utf8");
  const lines = linesOf(text);
  const [head = ""] = lines;
  if (path.endsWith(".hea")) return fromWfdb(text, (name) => readFileSync(join(dirname(path), basename(name))));
  if (head.split("|").includes("ICULOS")) return fromTable(lines, "|", HOURLY, ({ ICULOS }, row) => (ICULOS ?? row) * HOUR);
  if (head === "Time,Parameter,Value") return fromLongTable(lines);
  if (head.startsWith("minute,")) return fromTable(lines, ",", NUMERICS, ({ minute }, row) => (minute ?? row) * MINUTE);
  if (head === "effective_at,code,value,unit") return fromPlainTable(lines);
  throw new ReplayError(`${basename(path)} has none of the formats that can be played.`);
}

/**
 * Reads a recording: Challenge 2019 (`.psv`), Challenge 2012 (`.txt`), bedside numerics (`.hea`, or decoded as CSV by the
 * minute), or CSV with `effective_at,code,value,unit`. Values are as recorded, zeros of a sensor that is off included.
 * @throws ReplayError for anything else, and for a recording without a value
 */
export function readRecording(path: string): Recorded[] {
  let found: Recorded[];
  try {
    found = parse(path);
  } catch (error) {
    if (error instanceof ReplayError) throw error;
    throw new ReplayError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  found.sort((a, b) => a.offset - b.offset);
  const [first] = found;
  if (!first) throw new ReplayError(`${basename(path)} has no vital signs.`);
  return found.map((value) => ({ ...value, offset: value.offset - first.offset }));
}
