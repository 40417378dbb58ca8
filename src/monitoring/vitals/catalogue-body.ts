// Measurements of the body, and those of the heart at rest that wearables make.
import { PER_MINUTE_UNITS, unitTable } from "./catalogue-activity.ts";
import { NO_LIMITS } from "./catalogue-limits.ts";
import { CODES, UNITS } from "./codes.ts";
import type { Vital } from "./model.ts";

export const BODY_VITALS: readonly Vital[] = [
  {
    code: CODES.weight,
    name: "weight",
    display: "Body weight",
    unit: UNITS.weight,
    also: [],
    units: unitTable([1, "kg"], [0.001, "g"], [0.453_592_37, "[lb_av]", "lb", "lbs"], [6.350_293_18, "[stone_av]", "st"]),
    plausible: { min: 0.2, max: 650, source: "Smallest newborn that survived (212 g), heaviest adult on record (635 kg)" },
    decimals: 3,
    ...NO_LIMITS,
  },
  {
    code: CODES.height,
    name: "height",
    display: "Body height",
    unit: UNITS.height,
    also: [],
    units: unitTable([1, "cm"], [100, "m"], [0.1, "mm"], [2.54, "[in_i]", "in"], [30.48, "[ft_i]", "ft"]),
    plausible: { min: 20, max: 280, source: "Smallest newborn that survived (24 cm), tallest person on record (272 cm)" },
    decimals: 1,
    ...NO_LIMITS,
  },
  {
    code: CODES.bmi,
    name: "bmi",
    display: "Body mass index",
    unit: UNITS.bmi,
    also: [],
    // Apple Health calls the unit "count".
    units: unitTable([1, "kg/m2", "kg/m^2", "kg/m²", "count"]),
    plausible: { min: 2, max: 250, source: "Below 212 g at 24 cm (3.7), above 635 kg at 185 cm (186)" },
    decimals: 2,
    ...NO_LIMITS,
  },
  {
    // "Percentage of body fat Measured"
    code: CODES.body_fat,
    name: "body_fat",
    display: "Body fat",
    unit: UNITS.body_fat,
    also: [],
    units: unitTable([1, "%", "percent"], [100, "1", "{fraction}"]),
    plausible: { min: 1, max: 80, source: "Nobody lives below 2; scales end at 75" },
    decimals: 2,
    ...NO_LIMITS,
  },
  {
    // "Heart rate --resting": of hours, so it is no heart rate of a moment, has no limits and is no part of NEWS2.
    code: CODES.resting_heart_rate,
    name: "resting_heart_rate",
    display: "Resting heart rate",
    unit: UNITS.resting_heart_rate,
    also: [],
    units: PER_MINUTE_UNITS,
    plausible: { min: 1, max: 350, source: "As the heart rate; wearables send 0 when there is none" },
    decimals: 1,
    ...NO_LIMITS,
  },
  {
    // "R-R interval.standard deviation (Heart rate variability)": SDNN, not RMSSD, which is another number.
    code: CODES.heart_rate_variability,
    name: "heart_rate_variability",
    display: "Heart rate variability (SDNN)",
    unit: UNITS.heart_rate_variability,
    also: [],
    units: unitTable([1, "ms"], [1000, "s"]),
    plausible: { min: 0, max: 1000, source: "Several times the SDNN of 24 hours in athletes" },
    decimals: 2,
    ...NO_LIMITS,
  },
];
