// Catalogue of charts: vital signs, ranges and value formats.

import { ACVPU, CODES, UNITS } from "../../../../src/monitoring/vitals/codes.ts";

const NAMES = new Map<string, string>(Object.entries(CODES).map(([name, code]) => [code, name]));
/** The API's name of a code; the code itself when the catalogue lacks it. */
export const getVitalName = (code: string): string => NAMES.get(code) ?? code;

export const getVitalCode = (vital: string | undefined): string | undefined =>
  Object.entries(CODES).find(([name]) => name === vital)?.[1];

/** `range`: clinical range in the catalogue's unit; a chart shows at least this, so that noise is not magnified. */
export type Chart = {
  id: string;
  vitals: readonly string[];
  range: readonly [low: number, high: number];
  decimals: number;
};

export const CHARTS: readonly Chart[] = [
  { id: "heart_rate", vitals: ["heart_rate"], range: [40, 140], decimals: 0 },
  { id: "spo2", vitals: ["spo2"], range: [80, 100], decimals: 0 },
  { id: "respiratory_rate", vitals: ["respiratory_rate"], range: [4, 36], decimals: 0 },
  { id: "blood_pressure", vitals: ["systolic", "diastolic"], range: [40, 180], decimals: 0 },
  { id: "temperature", vitals: ["temperature"], range: [35, 40], decimals: 1 },
  { id: "skin_temperature", vitals: ["skin_temperature"], range: [20, 40], decimals: 1 },
  { id: "glucose", vitals: ["glucose"], range: [50, 250], decimals: 0 },
  { id: "mean_pressure", vitals: ["mean_pressure"], range: [50, 130], decimals: 0 },
  { id: "inspired_oxygen", vitals: ["inspired_oxygen"], range: [20, 100], decimals: 0 },
  { id: "oxygen_flow", vitals: ["oxygen_flow"], range: [0, 15], decimals: 1 },
  { id: "pulse_rate", vitals: ["pulse_rate"], range: [40, 140], decimals: 0 },
  { id: "arterial_pulse_rate", vitals: ["arterial_pulse_rate"], range: [40, 140], decimals: 0 },
  { id: "etco2", vitals: ["etco2"], range: [20, 60], decimals: 0 },
  { id: "consciousness", vitals: ["consciousness"], range: [0, 4], decimals: 0 },
  { id: "weight", vitals: ["weight"], range: [40, 100], decimals: 1 },
  { id: "steps", vitals: ["steps"], range: [0, 10_000], decimals: 0 },
  { id: "sleep_minutes", vitals: ["sleep_minutes"], range: [0, 600], decimals: 0 },
  { id: "energy", vitals: ["energy"], range: [0, 3000], decimals: 0 },
  { id: "steps_day", vitals: ["steps_day"], range: [0, 10_000], decimals: 0 },
  { id: "energy_day", vitals: ["energy_day"], range: [0, 3000], decimals: 0 },
  { id: "distance", vitals: ["distance"], range: [0, 5000], decimals: 0 },
  { id: "distance_day", vitals: ["distance_day"], range: [0, 10_000], decimals: 0 },
  { id: "resting_heart_rate", vitals: ["resting_heart_rate"], range: [40, 100], decimals: 0 },
  { id: "heart_rate_variability", vitals: ["heart_rate_variability"], range: [0, 100], decimals: 0 },
  { id: "height", vitals: ["height"], range: [50, 200], decimals: 1 },
  { id: "bmi", vitals: ["bmi"], range: [15, 40], decimals: 1 },
  { id: "body_fat", vitals: ["body_fat"], range: [5, 50], decimals: 1 },
];

/** Shown even without data, so that missing data is visible. */
export const MAIN_CHARTS: readonly string[] = ["heart_rate", "spo2", "respiratory_rate", "blood_pressure", "temperature"];

export const findChart = (id: string | undefined): Chart | undefined => CHARTS.find((chart) => chart.id === id);
export const listChartVitals = (charts: readonly Chart[]): string[] => charts.flatMap(({ vitals }) => vitals);
/** The usual range of a vital by its code; null where it has no chart. */
export const findUsualRange = (code: string): Chart["range"] | null =>
  CHARTS.find(({ vitals }) => vitals.includes(getVitalName(code)))?.range ?? null;
export const getDecimals = (vital: string): number => CHARTS.find(({ vitals }) => vitals.includes(vital))?.decimals ?? 1;

const DISPLAY_UNITS: Record<string, string> = {
  "mm[Hg]": "mmHg",
  Cel: "°C",
  "{ACVPU}": "",
  "{steps}": "",
  "{unknown}": "?",
  "kg/m2": "kg/m²",
};
const UCUM_BY_VITAL: Readonly<Record<string, string>> = UNITS;

/** The catalogue's unit (UCUM), in which every value is shown. */
export const getVitalUnit = (vital: string): string => UCUM_BY_VITAL[vital] ?? "";

/** UCUM units in common notation. */
export const formatUcumUnit = (unit: string): string => DISPLAY_UNITS[unit] ?? unit;
/** The letter of a consciousness value (0 to 4 in the API); null for other vital signs. */
export const getConsciousnessLetter = (vital: string, value: number): string | null =>
  vital === "consciousness" ? (ACVPU[Math.round(value)] ?? null) : null;

/** The clinical range, widened only by measured values. */
export function computeYRange({ range: [low, high] }: Chart, values: Iterable<{ min: number; max: number }>): [number, number] {
  let [least, most] = [low, high];
  for (const { min, max } of values) {
    if (min < least) least = min;
    if (max > most) most = max;
  }
  const margin = (most - least) * 0.05;
  return [least < low ? least - margin : low, most > high ? most + margin : high];
}
