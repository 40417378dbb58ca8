// Replay of recordings: real files from the data folder, and small ones made here.
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { parseWfdb, type RecordedValue, ReplayError, readRecording } from "../../cli/simulate/recording.ts";
import { replayRows } from "../../cli/simulate/rows.ts";
import { CODES, findVital } from "../../src/monitoring/vitals/catalogue.ts";
import { absent } from "../shared-data.ts";

const VITALS = "../shared/data/vitals";
const present = existsSync(VITALS);
const folder = mkdtempSync(join(tmpdir(), "edgecare-replay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const of = (recording: RecordedValue[], name: keyof typeof CODES) => recording.filter(({ code }) => code === CODES[name]);
const MINUTE = 60_000;
const HOUR = 3_600_000;

describe("the real recordings", () => {
  beforeEach(({ skip }) => skip(!present, absent("vitals")));

  it("Challenge 2019: every vital sign of every hour, counted against the columns", () => {
    const paths = globSync(`${VITALS}/icu-hourly/*.psv`);
    expect(paths.length).toBe(200);
    for (const path of paths) {
      const [head = "", ...lines] = readFileSync(path, "utf8").trim().split("\n");
      const names = head.split("|");
      const count = (name: string) => lines.filter((line) => line.split("|")[names.indexOf(name)] !== "NaN").length;
      const recording = readRecording(path);
      expect(of(recording, "heart_rate").length).toBe(count("HR"));
      expect(of(recording, "mean_pressure").length).toBe(count("MAP"));
      const wanted = ["HR", "O2Sat", "Temp", "SBP", "MAP", "DBP", "Resp", "EtCO2", "FiO2"];
      expect(recording.length).toBe(wanted.reduce((sum, name) => sum + count(name), 0));
      expect(recording.every(({ offset }) => offset % HOUR === 0)).toBe(true);
      for (const { code, unit } of recording) expect(findVital(code)?.units).toHaveProperty([unit]);
    }
  });

  it("Challenge 2019: the first stay, value by value", () => {
    const recording = readRecording(`${VITALS}/icu-hourly/p100068.psv`);
    const [first, ...more] = of(recording, "heart_rate");
    const [, second = ""] = readFileSync(`${VITALS}/icu-hourly/p100068.psv`, "utf8")
      .split("\n")
      .filter((line) => /^\d/.test(line));
    expect(first).toEqual({ code: "8867-4", unit: "/min", offset: 0, value: expect.any(Number) });
    expect(more[0]?.value).toBe(Number(second.split("|")[0]));
  });

  it("Challenge 2012: irregular times, one pressure of a minute, nothing unknown", () => {
    const paths = globSync(`${VITALS}/icu-48h/*.txt`);
    expect(paths.length).toBe(150);
    for (const path of paths) {
      const lines = readFileSync(path, "utf8").trim().split(/\r?\n/);
      const recording = readRecording(path);
      const known = (name: string) => lines.filter((line) => line.split(",")[1] === name && line.split(",")[2] !== "-1").length;
      expect(of(recording, "heart_rate").length).toBe(known("HR"));
      expect(of(recording, "respiratory_rate").length).toBe(known("RespRate"));
      const pressures = of(recording, "systolic");
      const minutes = new Set(lines.filter((line) => /,(NI)?SysABP,/.test(line)).map((line) => line.split(",")[0]));
      expect(new Set(pressures.map(({ offset }) => offset)).size).toBe(minutes.size);
      expect(recording.every(({ value }) => value !== -1)).toBe(true);
      expect(recording.every(({ offset }, i) => offset >= (recording[i - 1]?.offset ?? 0) && offset <= 48 * HOUR)).toBe(true);
    }
  });

  it("bedside numerics: once a minute, zeros of a sensor that is off as they are", () => {
    const recording = readRecording(`${VITALS}/bedside/s25047-2704-05-04-10-44n.csv`);
    expect(
      of(recording, "heart_rate")
        .map(({ value }) => value)
        .slice(0, 7),
    ).toEqual([101.3, 103, 89.5, 79.9, 81.8, 76.8, 0]);
    expect(of(recording, "spo2").slice(0, 3)).toEqual([
      { code: "2708-6", unit: "%", offset: 0, value: 0 },
      { code: "2708-6", unit: "%", offset: MINUTE, value: 0 },
      { code: "2708-6", unit: "%", offset: 2 * MINUTE, value: 95.7 },
    ]);
    expect(
      of(recording, "systolic")
        .slice(0, 2)
        .map(({ value, offset }) => [value, offset]),
    ).toEqual([
      [87, 2 * MINUTE],
      [92, 3 * MINUTE],
    ]);
    expect(of(recording, "heart_rate")).toHaveLength(72);
  });

  it("bedside numerics as WFDB: the original file yields the same values as the decoded one", () => {
    const path = `${VITALS}/bedside/s25047-2704-05-04-10-44n`;
    const header = readFileSync(`${path}.hea`, "utf8");
    const [, ...lines] = readFileSync(`${path}.csv`, "utf8").trim().split(/\r?\n/);
    const gains = [10, 10, 10, 10, 1, 1, 1];
    const words = lines.flatMap((line) =>
      line
        .split(",")
        .slice(1)
        .map((cell, i) => (cell === "" ? -32_768 : Math.round(Number(cell) * (gains[i] ?? 1)))),
    );
    const bytes = new Uint8Array(Int16Array.from(words).buffer);
    const byTime = (recording: RecordedValue[]) =>
      [...recording].sort((a, b) => a.offset - b.offset || a.code.localeCompare(b.code));
    const read = byTime(parseWfdb(header, () => bytes));
    expect(read).toEqual(byTime(readRecording(`${path}.csv`)));
    // One bit is wrong: the header's checksum detects it.
    const damaged = Uint8Array.from(bytes);
    damaged[2 * 7] = (damaged[2 * 7] ?? 0) ^ 1;
    expect(() => parseWfdb(header, () => damaged)).toThrow(/checksum of HR/);
    expect(() => readRecording(`${path}.hea`)).toThrow(ReplayError);
  });
});

describe("recordings made here", () => {
  it("CSV of one's own: any code, sorted by time, the first at 0", () => {
    const path = file(
      "own.csv",
      "effective_at,code,value,unit\n2026-01-01T10:00:05Z,8867-4,0,/min\n2026-01-01T15:30:00+05:30,2708-6,97.5,%\r\n",
    );
    expect(readRecording(path)).toEqual([
      { code: "2708-6", value: 97.5, unit: "%", offset: 0 },
      { code: "8867-4", value: 0, unit: "/min", offset: 5_000 },
    ]);
  });

  it.each([
    ["nothing.csv", "effective_at,code,value,unit\n", /no vital signs/],
    ["time.csv", "effective_at,code,value,unit\nyesterday,8867-4,70,/min\n", /Line 2/],
    ["value.csv", "effective_at,code,value,unit\n2026-01-01T10:00:00Z,8867-4,,/min\n", /Line 2/],
    ["other.csv", "a,b,c\n1,2,3\n", /has an unsupported format/],
    ["time.txt", "Time,Parameter,Value\nnoon,HR,70\n", /is not a time/],
    ["lost.hea", "r 1 1 1\nlost.dat 16 1/bpm 16 0 0 0 0 HR\n", /cannot be read/],
    ["eight.hea", "r 1 1 1\nr.dat 80 1/bpm 16 0 0 0 0 HR\n", /format 16/],
  ])("%s is refused with a reason", (name, text, reason) => {
    expect(() => readRecording(file(name, text))).toThrow(reason);
    expect(() => readRecording(file(name, text))).toThrow(ReplayError);
  });

  it("an arterial pressure replaces a cuff pressure of the same minute only", () => {
    const text = "Time,Parameter,Value\n00:00,NISysABP,100\n00:00,SysABP,110\n00:05,NISysABP,101\n47:59,HR,-1\n";
    expect(readRecording(file("pressures.txt", text)).map(({ value, offset }) => [value, offset])).toEqual([
      [110, 0],
      [101, 5 * MINUTE],
    ]);
  });
});

describe("playing", () => {
  const at = (offset: number, value: number): RecordedValue => ({ code: CODES.heart_rate, unit: "/min", value, offset });
  const recording = [at(0, 70), at(HOUR, 71), { ...at(HOUR, 97), code: CODES.spo2 }, at(2 * HOUR, 72)];

  it("at once: everything is due, and ends now", () => {
    const rows = [...replayRows(recording, null, 0)];
    expect(rows.map(({ due, at }) => [due, at])).toEqual([
      [0, -2 * HOUR],
      [0, -HOUR],
      [0, 0],
    ]);
    expect(rows.map(({ values }) => values.length)).toEqual([1, 2, 1]);
  });

  it("at a speed: begins now, time runs faster, and ends with the duration", () => {
    expect([...replayRows(recording, 3_600, 0)].map(({ due, at }) => [due, at])).toEqual([
      [0, 0],
      [1_000, 1_000],
      [2_000, 2_000],
    ]);
    expect([...replayRows(recording, 3_600, 2)]).toHaveLength(2);
  });
});
