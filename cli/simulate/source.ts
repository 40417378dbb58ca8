// Where the values of a simulated monitor come from: a made-up body, as the wire carries it.
import { CODES, findVital } from "../../src/monitoring/vitals/catalogue.ts";
import { createScenario, type Scenario } from "./scenarios.ts";
import { createStableModel, VITAL_NAMES, type VitalName } from "./vital-model.ts";

/** One value as the wire names it: LOINC and UCUM. */
export type Measurement = { code: string; value: number; unit: string };
/** What a monitor measures at a time. @param seconds since the start; never less than at the call before */
export type VitalSource = (seconds: number) => Measurement[];

const DECIMALS: Partial<Record<VitalName, number>> = { temperature: 1 };
/** A nurse enters these; they are said again when they change and every minute. */
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

/** The same seed, patient and scenario give the same values at the same second, bit for bit. */
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
