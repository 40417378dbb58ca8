// Metrics of `POST /wearables/sync` with LOINC codes and fixed UCUM units, since the request has no units.
import { CODES } from "./catalogue.ts";
import type { SampleInput } from "./sample-validation.ts";

export const WEARABLE_METRICS = [
  ["heart_rate", CODES.heart_rate, "/min"],
  ["spo2", CODES.spo2, "%"],
  ["systolic", CODES.systolic, "mm[Hg]"],
  ["diastolic", CODES.diastolic, "mm[Hg]"],
  ["respiratory_rate", CODES.respiratory_rate, "/min"],
  ["temperature", CODES.temperature, "Cel"],
  ["glucose", CODES.glucose, "mg/dL"],
  ["steps", CODES.steps, "{steps}"],
  ["sleep_minutes", CODES.sleep_minutes, "min"],
  ["calories", CODES.energy, "kcal"],
] as const;

/** A reading of a wearable; null or absent metrics were not measured. */
export type WearableReading = { timestamp: string } & {
  [name in (typeof WEARABLE_METRICS)[number][0]]?: number | null | undefined;
};

/** Items to validate, by reading and then in the order of WEARABLE_METRICS. */
export function toSampleInputs(readings: readonly WearableReading[]): SampleInput[] {
  return readings.flatMap((reading) =>
    WEARABLE_METRICS.flatMap(([name, code, unit]) => {
      const value = reading[name] ?? null;
      return value === null ? [] : [{ code, value, unit, effective_at: reading.timestamp }];
    }),
  );
}
