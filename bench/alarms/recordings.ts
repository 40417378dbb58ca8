// Recorded patients: intensive care by the hour and of 48 hours, and a bedside monitor by the minute.
import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { CODES, findVital } from "../../src/monitoring/vitals/catalogue.ts";
import type { Sample } from "../../src/monitoring/vitals/model.ts";

export const DATA = "../shared/data/vitals";
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const START = Date.UTC(2026, 0, 1);

/** `septic`: time at which the sepsis label starts; null for none. */
export type Stay = { name: string; samples: Sample[]; hours: number; septic: number | null };

/** A value as ingest stores it: implausible values get the status `invalid`. */
export function toSample(code: string, value: number, at: number): Sample {
  const { min, max } = findVital(code)?.plausible ?? { min: 0, max: 0 };
  return { code, value, unit: "", at, seq: null, status: value >= min && value <= max ? "final" : "invalid" };
}

function parseColumns(row: string, codes: readonly string[], scale: readonly number[], at: number): Sample[] {
  return codes.flatMap((code, column) => {
    const value = Number.parseFloat(row.split(/[|,]/)[column] ?? "");
    return code && Number.isFinite(value) ? [toSample(code, value * (scale[column] ?? 1), at)] : [];
  });
}

const HOURLY = [
  CODES.heart_rate,
  CODES.spo2,
  CODES.temperature,
  CODES.systolic,
  CODES.mean_pressure,
  CODES.diastolic,
  CODES.respiratory_rate,
  CODES.etco2,
];
const FIO2_COLUMN = 10;
const LABEL_COLUMN = 40;

export function readHourlyStays(): Stay[] {
  return globSync(`${DATA}/icu-hourly/*.psv`)
    .sort()
    .map((file) => {
      const rows = readFileSync(file, "utf8").trim().split("\n").slice(1);
      const samples = rows.flatMap((row, hour) => {
        const at = START + hour * HOUR_MS;
        const oxygen = Number.parseFloat(row.split("|")[FIO2_COLUMN] ?? "");
        const inspired = Number.isFinite(oxygen)
          ? [toSample(CODES.inspired_oxygen, oxygen <= 1 ? oxygen * 100 : oxygen, at)]
          : [];
        return [...parseColumns(row, HOURLY, [], at), ...inspired];
      });
      const label = rows.findIndex((row) => row.split("|")[LABEL_COLUMN] === "1");
      return { name: basename(file, ".psv"), samples, hours: rows.length, septic: label < 0 ? null : START + label * HOUR_MS };
    });
}

const LONG: Record<string, string> = {
  HR: CODES.heart_rate,
  SaO2: CODES.spo2,
  Temp: CODES.temperature,
  SysABP: CODES.systolic,
  NISysABP: CODES.systolic,
  DiasABP: CODES.diastolic,
  NIDiasABP: CODES.diastolic,
  MAP: CODES.mean_pressure,
  NIMAP: CODES.mean_pressure,
  RespRate: CODES.respiratory_rate,
};

export function readLongStays(): Stay[] {
  return globSync(`${DATA}/icu-48h/*.txt`)
    .sort()
    .map((file) => {
      const samples = readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .slice(1)
        .flatMap((row) => {
          const [time = "", parameter = "", value = ""] = row.split(",");
          const [hours = 0, minutes = 0] = time.split(":").map(Number);
          const code = LONG[parameter];
          // -1 means unknown.
          return code && Number(value) >= 0 ? [toSample(code, Number(value), START + hours * HOUR_MS + minutes * MINUTE_MS)] : [];
        });
      return { name: basename(file, ".txt"), samples, hours: 48, septic: null };
    });
}

const BEDSIDE = [
  "",
  CODES.heart_rate,
  CODES.pulse_rate,
  CODES.respiratory_rate,
  CODES.spo2,
  CODES.systolic,
  CODES.diastolic,
  CODES.mean_pressure,
];

export function readBedsideStays(): Stay[] {
  return globSync(`${DATA}/bedside/*n.csv`).map((file) => {
    const rows = readFileSync(file, "utf8").trim().split("\n").slice(1);
    const samples = rows.flatMap((row, minute) => parseColumns(row, BEDSIDE, [], START + minute * MINUTE_MS));
    return { name: basename(file, ".csv"), samples, hours: rows.length / 60, septic: null };
  });
}

/** The same hour again and again, as long as the stays of two days. */
export function repeatStay(stay: Stay, hours: number): Stay {
  const lengthMs = stay.hours * HOUR_MS;
  const rounds = Math.ceil(hours / stay.hours);
  const samples = Array.from({ length: rounds }, (_, round) =>
    stay.samples.map((sample) => ({ ...sample, at: sample.at + round * lengthMs })),
  ).flat();
  return { ...stay, samples: samples.filter(({ at }) => at < START + hours * HOUR_MS), hours };
}

export function groupByTime(samples: readonly Sample[]): [number, Sample[]][] {
  const groups = new Map<number, Sample[]>();
  for (const sample of samples) groups.set(sample.at, [...(groups.get(sample.at) ?? []), sample]);
  return [...groups].sort(([a], [b]) => a - b);
}
