// The vitals of wearables that count activity, and the unit tables of the catalogue.
import { NO_LIMITS } from "./catalogue-limits.ts";
import { CODES, UNITS } from "./codes.ts";
import type { Vital } from "./model.ts";

export type Units = Vital["units"];

/** A unit table: each row has a factor and the spellings of the unit. */
export function unitTable(...units: readonly (readonly [factor: number, ...spellings: string[]])[]): Units {
  return Object.fromEntries(units.flatMap(([factor, ...names]) => names.map((name) => [name, { factor, offset: 0 }] as const)));
}

export const PER_MINUTE_UNITS: Units = unitTable([
  1,
  ...["/min", "1/min", "{beats}/min", "{beat}/min", "{breaths}/min", "{breath}/min"],
  ...["beats/min", "beat/min", "breaths/min", "count/min", "beats/minute", "breaths/minute", "bpm"],
]);

/**
 * UCUM defines the calorie as 4.184 J; [Cal] is the one of food labels, 1,000 of them, and so is Apple's Cal. A small "cal" is read as
 * UCUM writes it.
 */
const ENERGY_UNITS: Units = unitTable([1, "kcal", "Cal", "[Cal]"], [1 / 4.184, "kJ"], [1 / 4184, "J"], [0.001, "cal"]);
const STEP_UNITS: Units = unitTable([1, "{steps}", "steps", "{count}", "count", "1"]);
/** UCUM: the international mile has 1,609.344 m. */
const DISTANCE_UNITS: Units = unitTable([1, "m"], [1000, "km"], [1609.344, "[mi_i]", "mi"]);
const DISTANCE_RANGE = { min: 0, max: 500_000, source: "More than anybody covers on foot in 24 hours" };

/** Vitals of a whole day, whose time may be a date. */
export const DAY_CODES: ReadonlySet<string> = new Set([
  CODES.steps_day,
  CODES.energy_day,
  CODES.distance_day,
  CODES.sleep_minutes,
  CODES.resting_heart_rate,
]);

export const ACTIVITY_VITALS: readonly Vital[] = [
  {
    code: CODES.steps,
    name: "steps",
    display: "Steps",
    unit: UNITS.steps,
    also: [],
    units: STEP_UNITS,
    plausible: { min: 0, max: 400_000, source: "More than anybody runs in 24 hours" },
    decimals: 0,
    ...NO_LIMITS,
  },
  {
    code: CODES.sleep_minutes,
    name: "sleep_minutes",
    display: "Sleep duration",
    unit: UNITS.sleep_minutes,
    also: [],
    units: unitTable([1, "min"], [60, "h"], [1 / 60, "s"]),
    plausible: { min: 0, max: 1440, source: "A day" },
    decimals: 2,
    ...NO_LIMITS,
  },
  {
    code: CODES.energy,
    name: "energy",
    display: "Energy expended",
    unit: UNITS.energy,
    also: [],
    units: ENERGY_UNITS,
    plausible: { min: 0, max: 20_000, source: "Above the most reported of a day of endurance racing" },
    decimals: 2,
    ...NO_LIMITS,
  },
  {
    // "Number of steps in 24 hour Measured", and the energy of 24 hours: a day's total so far, beside its counts.
    code: CODES.steps_day,
    name: "steps_day",
    display: "Steps of the day",
    unit: UNITS.steps_day,
    also: [],
    units: STEP_UNITS,
    plausible: { min: 0, max: 400_000, source: "More than anybody runs in 24 hours" },
    decimals: 0,
    ...NO_LIMITS,
  },
  {
    code: CODES.energy_day,
    name: "energy_day",
    display: "Energy expended in the day",
    unit: UNITS.energy_day,
    also: [],
    units: ENERGY_UNITS,
    plausible: { min: 0, max: 20_000, source: "Above the most reported of a day of endurance racing" },
    decimals: 2,
    ...NO_LIMITS,
  },
  {
    // "Walking distance unspecified time Pedometer", and "Walking distance 24 hour".
    code: CODES.distance,
    name: "distance",
    display: "Distance walked",
    unit: UNITS.distance,
    also: [],
    units: DISTANCE_UNITS,
    plausible: DISTANCE_RANGE,
    decimals: 1,
    ...NO_LIMITS,
  },
  {
    code: CODES.distance_day,
    name: "distance_day",
    display: "Distance walked in the day",
    unit: UNITS.distance_day,
    also: [],
    units: DISTANCE_UNITS,
    plausible: DISTANCE_RANGE,
    decimals: 1,
    ...NO_LIMITS,
  },
];
