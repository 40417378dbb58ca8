// Metrics of `POST /wearables/sync` with LOINC codes and fixed UCUM units, since the request has no units.
import { CODES, UNKNOWN_UNIT } from "./catalogue.ts";
import { ACTIVITY_CODES } from "./measurement-context.ts";
import type { SampleInput } from "./sample-validation.ts";

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
] as const;

/**
 * Glucose below this, in mg/dL and without a stated unit, is more likely in mmol/L: meters show at most 33.3 mmol/L (600 mg/dL), and
 * below 40 mg/dL most people are unconscious (Seaquist et al. 2013, ADA and Endocrine Society: level 2 begins below 54).
 */
const MIN_GLUCOSE_WITHOUT_UNIT = 40;

/** A reading of a wearable; null or absent metrics were not measured. */
export type WearableReading = {
  timestamp: string;
  activity?: string | undefined;
  body_site?: string | undefined;
} & {
  [name in (typeof WEARABLE_METRICS)[number][0]]?: number | null | undefined;
};

/** Items to validate, by reading and then in the order of WEARABLE_METRICS. */
export function toSampleInputs(readings: readonly WearableReading[]): SampleInput[] {
  return readings.flatMap((reading) =>
    WEARABLE_METRICS.flatMap(([name, code, unit]) => {
      const value = reading[name] ?? null;
      if (value === null) return [];
      const isUnclear = name === "glucose" && value < MIN_GLUCOSE_WITHOUT_UNIT;
      const { activity, body_site } = reading;
      return [
        {
          code,
          value,
          unit: isUnclear ? UNKNOWN_UNIT : unit,
          effective_at: reading.timestamp,
          ...(activity !== undefined && ACTIVITY_CODES.has(code) && { activity }),
          ...(body_site !== undefined && code === CODES.temperature && { body_site }),
        },
      ];
    }),
  );
}
