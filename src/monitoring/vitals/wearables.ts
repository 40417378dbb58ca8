// What `POST /wearables/sync` calls its metrics, in LOINC and UCUM. That body names no units, so each metric has one.
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

/** One moment of a wearable; a metric that is null or absent was not measured. */
export type WearableReading = { timestamp: string } & {
  [name in (typeof WEARABLE_METRICS)[number][0]]?: number | null | undefined;
};

/** Items to judge, in the order of the moments and within one in that of the table. */
export function toSampleInputs(readings: readonly WearableReading[]): SampleInput[] {
  return readings.flatMap((reading) =>
    WEARABLE_METRICS.flatMap(([name, code, unit]) => {
      const value = reading[name] ?? null;
      return value === null ? [] : [{ code, value, unit, effective_at: reading.timestamp }];
    }),
  );
}
