// The vitals of wearables that count activity, and the unit tables of the catalogue.
import { NO_LIMITS } from "./catalogue-limits.ts";
import { CODES, UNITS } from "./codes.ts";
import type { Vital } from "./model.ts";

export type Units = Vital["units"];

/** A unit table: each row has a factor and the spellings of the unit. */
export function unitTable(...units: readonly (readonly [factor: number, ...spellings: string[]])[]): Units {
  return Object.fromEntries(units.flatMap(([factor, ...names]) => names.map((name) => [name, { factor, offset: 0 }] as const)));
}

export const ACTIVITY_VITALS: readonly Vital[] = [
  {
    code: CODES.steps,
    name: "steps",
    display: "Steps",
    unit: UNITS.steps,
    also: [],
    units: unitTable([1, "{steps}", "steps", "{count}", "count", "1"]),
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
    // UCUM defines the calorie as 4.184 J.
    units: unitTable([1, "kcal", "Cal", "[Cal]"], [1 / 4.184, "kJ"]),
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
    units: unitTable([1, "{steps}", "steps", "{count}", "count", "1"]),
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
    units: unitTable([1, "kcal", "Cal", "[Cal]"], [1 / 4.184, "kJ"]),
    plausible: { min: 0, max: 20_000, source: "Above the most reported of a day of endurance racing" },
    decimals: 2,
    ...NO_LIMITS,
  },
];
