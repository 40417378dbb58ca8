// The values of a simulated monitor in the form of the API.
import { CODES, findVital } from "../../src/monitoring/vitals/catalogue.ts";
import { createScenario, type Scenario } from "./scenarios.ts";
import { createStableModel, VITAL_NAMES, type VitalName } from "./vital-model.ts";

/** One value with the API's names: LOINC code and UCUM unit. */
export type Measurement = { code: string; value: number; unit: string };
/** Measures at a time. @param seconds since the start; must not decrease between calls */
export type VitalSource = (seconds: number) => Measurement[];

const DECIMALS: Partial<Record<VitalName, number>> = { temperature: 1 };
/** Entered by a nurse: sent on every change and once per minute. */
const NURSE_ENTERED: readonly VitalName[] = ["inspired_oxygen", "consciousness"];
const CHARTED_EVERY_S = 60;

export function toMeasurement(name: keyof typeof CODES, value: number, unit?: string): Measurement {
  const code = CODES[name];
  return { code, value, unit: unit ?? findVital(code)?.unit ?? "1" };
}

function roundForDisplay(name: VitalName, value: number): number {
  const scale = 10 ** (DECIMALS[name] ?? 0);
  return Math.round(value * scale) / scale;
}

/** Deterministic: the same seed, patient and scenario give exactly the same values at the same second. */
export function createVitalSource(seed: number, patient: number, scenario: Scenario): VitalSource {
  const calm = createStableModel(seed, patient);
  const applyScenario = createScenario(scenario, seed, patient);
  const charted = new Map<VitalName, { value: number; seconds: number }>();
  const isChanged = (name: VitalName, value: number, seconds: number) => {
    const last = charted.get(name);
    if (last?.value === value && seconds - last.seconds < CHARTED_EVERY_S) return false;
    charted.set(name, { value, seconds });
    return true;
  };
  return (seconds) => {
    const shown = applyScenario(calm(seconds), seconds);
    return VITAL_NAMES.flatMap((name) => {
      const raw = shown[name];
      if (raw === undefined) return [];
      const value = roundForDisplay(name, raw);
      return NURSE_ENTERED.includes(name) && !isChanged(name, value, seconds) ? [] : [toMeasurement(name, value)];
    });
  };
}
