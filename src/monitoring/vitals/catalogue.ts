// The catalogue of vital signs: LOINC codes, UCUM units and conversions, plausible ranges, default limits.
import { daysOf } from "../../platform/partial-date.ts";
import { ACTIVITY_VITALS, PER_MINUTE_UNITS, type Units, unitTable } from "./catalogue-activity.ts";
import { BODY_VITALS } from "./catalogue-body.ts";
import {
  CONSCIOUSNESS,
  DIASTOLIC,
  END_TIDAL_CO2,
  GLUCOSE,
  HEART_RATE,
  MEAN_PRESSURE,
  NO_LIMITS,
  RESPIRATION,
  SATURATION,
  SYSTOLIC,
  TEMPERATURE,
} from "./catalogue-limits.ts";
import { CODES, PRESSURES, UNITS } from "./codes.ts";
import { type LimitProfile, toHomeLimits } from "./home-limits.ts";
import type { AgeBand, Limits, Vital } from "./model.ts";

export { CODES, PRESSURES };
/** An annotation of UCUM (no unit): the sender named none, and the value fits two. */
export const UNKNOWN_UNIT = "{unknown}";

const PERCENT: Units = unitTable([1, "%", "percent"], [100, "1", "{fraction}"]);
/** UCUM defines m[Hg] as 133.322 kPa. */
const PRESSURE: Units = unitTable([1, "mm[Hg]", "mmHg", "mm Hg"], [1 / 0.133322, "kPa"]);
const TEMPERATURE_UNITS: Units = {
  ...unitTable([1, "Cel", "°C", "C", "degC"]),
  ...Object.fromEntries(["[degF]", "°F", "F", "degF"].map((name) => [name, { factor: 5 / 9, offset: -160 / 9 }])),
};
/** Molar mass of glucose: 180.182 g/mol. */
const GLUCOSE_UNITS: Units = unitTable([1, "mg/dL", "mg/dl"], [18.0182, "mmol/L", "mmol/l"], [100, "g/L", "g/l"]);

const PULSE_RANGE = { min: 0, max: 350, source: "As the heart rate; 0 is no pulse or a detached sensor" };
const PRESSURE_RANGE = { min: 0, max: 360, source: "Upper end of invasive pressure on bedside monitors; 0 is no pulse" };

export const VITALS: readonly Vital[] = [
  {
    code: CODES.heart_rate,
    name: "heart_rate",
    display: "Heart rate",
    unit: UNITS.heart_rate,
    // Not the pulse of an oximeter, which is 0 when its sensor is detached.
    also: [],
    units: PER_MINUTE_UNITS,
    plausible: { min: 0, max: 350, source: "Upper end of bedside monitors (neonatal mode); 0 is asystole" },
    decimals: 1,
    ...HEART_RATE,
  },
  {
    // "Heart rate by Pulse oximetry": a channel of its own, which can contradict the heart rate of the ECG.
    code: CODES.pulse_rate,
    name: "pulse_rate",
    display: "Pulse rate (oximeter)",
    unit: UNITS.pulse_rate,
    also: [],
    units: PER_MINUTE_UNITS,
    plausible: PULSE_RANGE,
    decimals: 1,
    ...NO_LIMITS,
  },
  {
    // "Heart rate Intra arterial line by Invasive"
    code: CODES.arterial_pulse_rate,
    name: "arterial_pulse_rate",
    display: "Pulse rate (arterial line)",
    unit: UNITS.arterial_pulse_rate,
    also: [],
    units: PER_MINUTE_UNITS,
    plausible: PULSE_RANGE,
    decimals: 1,
    ...NO_LIMITS,
  },
  {
    code: CODES.spo2,
    name: "spo2",
    display: "Oxygen saturation",
    unit: UNITS.spo2,
    also: ["59408-5"],
    units: PERCENT,
    plausible: { min: 0, max: 100, source: "A share of the whole" },
    decimals: 2,
    ...SATURATION,
  },
  {
    code: CODES.systolic,
    name: "systolic",
    display: "Systolic blood pressure",
    unit: UNITS.systolic,
    also: [],
    units: PRESSURE,
    plausible: PRESSURE_RANGE,
    decimals: 2,
    ...SYSTOLIC,
  },
  {
    code: CODES.diastolic,
    name: "diastolic",
    display: "Diastolic blood pressure",
    unit: UNITS.diastolic,
    also: [],
    units: PRESSURE,
    plausible: PRESSURE_RANGE,
    decimals: 2,
    ...DIASTOLIC,
  },
  {
    code: CODES.mean_pressure,
    name: "mean_pressure",
    display: "Mean blood pressure",
    unit: UNITS.mean_pressure,
    also: [],
    units: PRESSURE,
    plausible: PRESSURE_RANGE,
    decimals: 2,
    ...MEAN_PRESSURE,
  },
  {
    code: CODES.respiratory_rate,
    name: "respiratory_rate",
    display: "Respiratory rate",
    unit: UNITS.respiratory_rate,
    also: [],
    units: PER_MINUTE_UNITS,
    plausible: { min: 0, max: 170, source: "Upper end of bedside monitors (neonatal mode); 0 is apnoea" },
    decimals: 1,
    ...RESPIRATION,
  },
  {
    code: CODES.temperature,
    name: "temperature",
    display: "Body temperature",
    unit: UNITS.temperature,
    also: [],
    units: TEMPERATURE_UNITS,
    plausible: {
      min: 24,
      max: 46.5,
      source: "Swiss hypothermia stage IV (no vital signs) begins below 24; Slovis et al. 1982 report survival of 46.5",
    },
    decimals: 2,
    ...TEMPERATURE,
  },
  {
    // A wrist or a finger is not the core: no limit of a body temperature applies, and it is no part of NEWS2.
    code: CODES.skin_temperature,
    name: "skin_temperature",
    display: "Skin temperature",
    unit: UNITS.skin_temperature,
    also: [],
    units: TEMPERATURE_UNITS,
    plausible: { min: 0, max: 50, source: "Skin freezes below 0 and burns above 50" },
    decimals: 2,
    ...NO_LIMITS,
  },
  {
    code: CODES.glucose,
    name: "glucose",
    display: "Glucose in blood",
    unit: UNITS.glucose,
    // Serum or plasma, capillary by glucometer, and the same two as moles: one series at the bedside.
    also: ["2345-7", "41653-7", "15074-8", "14743-9"],
    units: GLUCOSE_UNITS,
    plausible: {
      min: 10,
      max: 1500,
      source: "Lower end of hospital glucometers; laboratory values of hyperosmolar crises lie below 1500",
    },
    decimals: 2,
    ...GLUCOSE,
  },
  {
    // LOINC has no code for ACVPU. This code (NEMSIS) has AVPU answers; 80288-4 is level of consciousness.
    code: CODES.consciousness,
    name: "consciousness",
    display: "Level of consciousness (ACVPU)",
    // A, C, V, P, U are 0 to 4.
    unit: UNITS.consciousness,
    also: ["80288-4"],
    units: unitTable([1, "{ACVPU}", "{AVPU}", "{score}", "1"]),
    plausible: { min: 0, max: 4, source: "Five letters" },
    decimals: 0,
    ...CONSCIOUSNESS,
  },
  {
    code: CODES.inspired_oxygen,
    name: "inspired_oxygen",
    display: "Inhaled oxygen concentration",
    unit: UNITS.inspired_oxygen,
    also: [],
    units: PERCENT,
    plausible: { min: 10, max: 100, source: "Room air is 20.9; less is given in hypoxia tests alone" },
    decimals: 2,
    ...NO_LIMITS,
  },
  {
    code: CODES.oxygen_flow,
    name: "oxygen_flow",
    display: "Inhaled oxygen flow rate",
    unit: UNITS.oxygen_flow,
    also: [],
    units: unitTable([1, "L/min", "l/min", "lpm"], [0.001, "mL/min", "ml/min"]),
    plausible: { min: 0, max: 100, source: "High-flow nasal oxygen reaches 80" },
    decimals: 2,
    ...NO_LIMITS,
  },
  {
    code: CODES.etco2,
    name: "etco2",
    display: "End-tidal carbon dioxide",
    unit: UNITS.etco2,
    // Profiles of intensive care use it for the partial pressure (IEEE 11073 151708).
    also: ["19891-1"],
    units: PRESSURE,
    plausible: { min: 0, max: 150, source: "Upper end of capnometers; 0 is no breath" },
    decimals: 2,
    ...END_TIDAL_CO2,
  },
  ...ACTIVITY_VITALS,
  ...BODY_VITALS,
];

const VITAL_BY_CODE = new Map(VITALS.flatMap((vital) => [vital.code, ...vital.also].map((code) => [code, vital] as const)));
const VITAL_BY_NAME = new Map(VITALS.map((vital) => [vital.name, vital]));

/** By LOINC code, including equivalent codes (`also`). */
export function findVital(code: string): Vital | null {
  return VITAL_BY_CODE.get(code) ?? null;
}

/** By the short name in the API. */
export function findVitalByName(name: string): Vital | null {
  return VITAL_BY_NAME.get(name) ?? null;
}

/**
 * The age band and when it ends, epoch milliseconds; null for adults. For a month or a year alone it is the band of the latest day that
 * it may stand for: nobody is judged as older than is certain.
 * @throws RangeError for an invalid date
 */
export function findAgeBand(dateOfBirth: string, now: number): { band: AgeBand; until: number | null } {
  const days = daysOf(dateOfBirth);
  if (!days) throw new RangeError("A date of birth must be YYYY-MM-DD, YYYY-MM or YYYY");
  const born = new Date(days.last);
  const [year, month, day] = [born.getUTCFullYear(), born.getUTCMonth(), born.getUTCDate()];
  const birthday = (age: number) => Date.UTC(year + age, month, day);
  // Neonate: days 0 to 27 (WHO). Years: PALS 2020, with preschool and school age combined. NEWS2 applies from 16.
  const ends: readonly (readonly [AgeBand, number])[] = [
    ["neonate", Date.UTC(year, month, day + 28)],
    ["infant", birthday(1)],
    ["toddler", birthday(3)],
    ["child", birthday(12)],
    ["adolescent", birthday(16)],
  ];
  const [band, until] = ends.find(([, end]) => now < end) ?? ["adult", null];
  return { band, until };
}

/** Rounds the decimal representation half up: 36.05 to 36.1 (1 decimal), 1.005 to 1.01 (2 decimals). */
export function roundHalfUp(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  const scaled = value * scale;
  if (Number.isInteger(scaled) && Math.abs(scaled) < 1e11) return scaled / scale + 0;
  return Math.round(Number(scaled.toPrecision(12))) / scale + 0; // Adding 0 turns -0 into 0.
}

/** The default limits of an age band, by code; vitals without limits are absent. */
export function getDefaultLimits(band: AgeBand, profile: LimitProfile = "ward"): Record<string, Limits> {
  return Object.fromEntries(
    VITALS.flatMap(({ code, limits }) => {
      const ofBand = limits[band];
      return ofBand ? [[code, profile === "home" ? toHomeLimits(code, band, ofBand) : ofBand] as const] : [];
    }),
  );
}
