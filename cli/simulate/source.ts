// Where the values of a simulated monitor come from: a made-up body, as the wire carries it.
import { CODES, vitalOf } from "../../src/monitoring/vitals/catalogue.ts";
import { calmBody, VITAL_NAMES, type VitalName } from "./body.ts";
import { courseOf, type Scenario } from "./scenarios.ts";

/** One value as the wire names it: LOINC and UCUM. */
export type Measurement = { code: string; value: number; unit: string };
/** What a monitor measures at a time. @param seconds since the start; never less than at the call before */
export type Source = (seconds: number) => Measurement[];

const DECIMALS: Partial<Record<VitalName, number>> = { temperature: 1 };
/** A nurse enters these; they are said again when they change and every minute. */
const CHARTED: readonly VitalName[] = ["inspired_oxygen", "consciousness"];
const CHARTED_EVERY_S = 60;

export function measurement(name: keyof typeof CODES, value: number, unit?: string): Measurement {
  const code = CODES[name];
  return { code, value, unit: unit ?? vitalOf(code)?.unit ?? "1" };
}

function rounded(name: VitalName, value: number): number {
  const scale = 10 ** (DECIMALS[name] ?? 0);
  return Math.round(value * scale) / scale;
}

/** The same seed, patient and scenario give the same values at the same second, bit for bit. */
export function bodySource(seed: number, patient: number, scenario: Scenario): Source {
  const calm = calmBody(seed, patient);
  const course = courseOf(scenario, seed, patient);
  const charted = new Map<VitalName, { value: number; seconds: number }>();
  const isNews = (name: VitalName, value: number, seconds: number) => {
    const last = charted.get(name);
    if (last?.value === value && seconds - last.seconds < CHARTED_EVERY_S) return false;
    charted.set(name, { value, seconds });
    return true;
  };
  return (seconds) => {
    const shown = course(calm(seconds), seconds);
    return VITAL_NAMES.flatMap((name) => {
      const raw = shown[name];
      if (raw === undefined) return [];
      const value = rounded(name, raw);
      return CHARTED.includes(name) && !isNews(name, value, seconds) ? [] : [measurement(name, value)];
    });
  };
}
