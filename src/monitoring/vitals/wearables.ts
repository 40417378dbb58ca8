// Metrics of `POST /wearables/sync` with LOINC codes and fixed UCUM units, since the request has no units.
import { CODES, UNKNOWN_UNIT } from "./catalogue.ts";
import { ACTIVITY_CODES } from "./measurement-context.ts";

export const WEARABLE_METRICS = [
  ["heart_rate", CODES.heart_rate, "/min"],
  ["spo2", CODES.spo2, "%"],
  ["systolic", CODES.systolic, "mm[Hg]"],
  ["diastolic", CODES.diastolic, "mm[Hg]"],
  ["respiratory_rate", CODES.respiratory_rate, "/min"],
  ["temperature", CODES.temperature, "Cel"],
  ["skin_temperature", CODES.skin_temperature, "Cel"],
  ["glucose_mg_dl", CODES.glucose, "mg/dL"],
  ["glucose_mmol_l", CODES.glucose, "mmol/L"],
  // The old name, without a unit.
  ["glucose", CODES.glucose, "mg/dL"],
  ["steps", CODES.steps, "{steps}"],
  ["sleep_minutes", CODES.sleep_minutes, "min"],
  ["calories", CODES.energy, "kcal"],
  ["steps_day", CODES.steps_day, "{steps}"],
  ["calories_day", CODES.energy_day, "kcal"],
  ["distance_m", CODES.distance, "m"],
  ["distance_day_m", CODES.distance_day, "m"],
  ["resting_heart_rate", CODES.resting_heart_rate, "/min"],
  ["hrv_sdnn_ms", CODES.heart_rate_variability, "ms"],
  ["weight_kg", CODES.weight, "kg"],
  ["height_cm", CODES.height, "cm"],
  ["bmi", CODES.bmi, "kg/m2"],
  ["body_fat_percent", CODES.body_fat, "%"],
] as const;
const METRIC_NAMES: ReadonlySet<string> = new Set(WEARABLE_METRICS.map(([name]) => name));
/** Fields of a reading that are no metric, each with the metrics that it says something about. */
const CONTEXTS: Readonly<Record<string, readonly string[]>> = {
  timestamp: [],
  activity: ["heart_rate", "respiratory_rate"],
  body_site: ["temperature"],
};

/**
 * Glucose below this, in mg/dL and without a stated unit, is more likely in mmol/L: meters show at most 33.3 mmol/L (600 mg/dL), and
 * below 40 mg/dL most people are unconscious (Seaquist et al. 2013, ADA and Endocrine Society: level 2 begins below 54).
 */
const MIN_GLUCOSE_WITHOUT_UNIT = 40;

const REFUSALS = {
  reading_invalid: "A reading must be an object with a timestamp and metrics",
  metric_unknown: `Unknown metric; known are ${[...METRIC_NAMES].join(", ")}`,
  context_unused:
    "Nothing in this reading has this context: activity needs heart_rate or respiratory_rate, body_site temperature",
  no_value: "The reading has no value: leave it out",
} as const;
type Refusal = keyof typeof REFUSALS;
/** An unknown name is repeated in the response up to this length. */
const MAX_NAME_LENGTH = 64;

/**
 * A metric of a reading. `input`: the item to validate, null for a refused one, which keeps its place in the list so that the results
 * have the same order.
 */
export type WearableItem = {
  reading: number;
  metric: string | null;
  input: unknown;
  refusal: { reason: Refusal; message: string } | null;
};

const isMeasured = (value: unknown) => value !== undefined && value !== null;

/**
 * Items of readings: at least one of each, by reading, then in the order of WEARABLE_METRICS, then what is refused. Null or absent metrics
 * were not measured.
 */
export function toWearableItems(readings: readonly unknown[]): WearableItem[] {
  return readings.flatMap((reading, index) => {
    const refuse = (reason: Refusal, metric: string | null = null): WearableItem => {
      const name = metric?.slice(0, MAX_NAME_LENGTH).toWellFormed() ?? null;
      return { reading: index, metric: name, input: null, refusal: { reason, message: REFUSALS[reason] } };
    };
    if (typeof reading !== "object" || reading === null || Array.isArray(reading)) return [refuse("reading_invalid")];
    const fields: Record<string, unknown> = { ...reading };
    const items = WEARABLE_METRICS.filter(([name]) => isMeasured(fields[name])).map(
      ([name, code, unit]): WearableItem => ({
        reading: index,
        metric: name,
        input: toInput(fields, name, code, unit),
        refusal: null,
      }),
    );
    const refused = Object.keys(fields).flatMap((name) => {
      if (METRIC_NAMES.has(name)) return [];
      if (!Object.hasOwn(CONTEXTS, name)) return [refuse("metric_unknown", name)];
      const isUsed = name === "timestamp" || CONTEXTS[name]?.some((metric) => isMeasured(fields[metric]));
      return isMeasured(fields[name]) && !isUsed ? [refuse("context_unused", name)] : [];
    });
    return items.length + refused.length > 0 ? [...items, ...refused] : [refuse("no_value")];
  });
}

function toInput(fields: Record<string, unknown>, name: string, code: string, unit: string) {
  const { timestamp, activity, body_site } = fields;
  const value = fields[name];
  const isUnclear = name === "glucose" && typeof value === "number" && value < MIN_GLUCOSE_WITHOUT_UNIT;
  return {
    code,
    value,
    unit: isUnclear ? UNKNOWN_UNIT : unit,
    effective_at: timestamp,
    ...(isMeasured(activity) && ACTIVITY_CODES.has(code) && { activity }),
    ...(isMeasured(body_site) && code === CODES.temperature && { body_site }),
  };
}
