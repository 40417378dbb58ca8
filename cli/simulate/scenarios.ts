// Scenarios of the simulator: each one changes the values of a healthy body or the clock of the monitor.
import { createNoise, seededRandom, type Vitals } from "./vital-model.ts";

export const SCENARIOS = ["stable", "sepsis", "deterioration", "hypoxia", "arrhythmia", "sensor-off", "clock-wrong"] as const;
export type Scenario = (typeof SCENARIOS)[number];
/** What the sensors deliver; a disconnected sensor delivers nothing. */
export type ShownVitals = Partial<Vitals>;
type ScenarioEffect = (calm: Vitals, seconds: number) => ShownVitals;

/** Seconds since the start. Sepsis develops over hours; here within two minutes, so that a demonstration can show it. */
export const SEPSIS = { from: 10, to: 130 } as const;
/** Seconds within a cycle: getting worse over hours, treated, well again. */
export const DETERIORATION = {
  cycle: 12 * 3_600,
  from: 2 * 3_600,
  to: 9 * 3_600,
  treated: 10 * 3_600,
  well: 11 * 3_600,
} as const;
/** Seconds within a cycle: falling, low, on oxygen, recovered, back on air. */
export const HYPOXIA = { cycle: 300, from: 20, low: 60, oxygen: 95, risen: 140, air: 240 } as const;
/** Seconds within a cycle: a run of tachycardia and a pause. */
export const ARRHYTHMIA = { cycle: 120, run: { from: 30, to: 50 }, pause: { from: 75, to: 82 } } as const;
/** Seconds within a cycle. Longer than the two minutes after which a vital sign counts as missing. */
export const SENSOR_OFF = { cycle: 330, from: 30, to: 210 } as const;
/** Milliseconds by which the clock is wrong at the start, and the drift per minute. */
export const CLOCK_ERROR = { start: (3 * 60 + 7) * 60_000, perMinute: 500 } as const;

const CONFUSED = 1;

/** A smooth step from 0 to 1 between two times. */
function smoothStep(seconds: number, from: number, to: number): number {
  const part = Math.min(1, Math.max(0, (seconds - from) / (to - from)));
  return part * part * (3 - 2 * part);
}

/** Blood pressure falls; heart rate, respiration and temperature rise; finally confusion. There is no recovery. */
function applySepsis(calm: Vitals, seconds: number): ShownVitals {
  const severity = smoothStep(seconds, SEPSIS.from, SEPSIS.to);
  return {
    ...calm,
    heart_rate: calm.heart_rate + 58 * severity,
    spo2: calm.spo2 - 6 * severity,
    systolic: calm.systolic - 40 * severity,
    diastolic: calm.diastolic - 26 * severity,
    respiratory_rate: calm.respiratory_rate + 15 * severity,
    temperature: calm.temperature + 2.6 * severity,
    consciousness: severity > 0.85 ? CONFUSED : calm.consciousness,
  };
}

/** A slow infection: NEWS2 rises from 0 to about 7 within seven hours. */
function applyDeterioration(calm: Vitals, seconds: number): ShownVitals {
  const { cycle, from, to, treated, well } = DETERIORATION;
  const at = seconds % cycle;
  const severity = smoothStep(at, from, to) - smoothStep(at, treated, well);
  return {
    ...calm,
    heart_rate: calm.heart_rate + 40 * severity,
    spo2: calm.spo2 - 4 * severity,
    systolic: calm.systolic - 22 * severity,
    diastolic: calm.diastolic - 14 * severity,
    respiratory_rate: calm.respiratory_rate + 8 * severity,
    temperature: calm.temperature + 1.9 * severity,
  };
}

/** SpO2 falls to about 80, oxygen is given, SpO2 recovers, and oxygen is removed again. */
function applyHypoxia(calm: Vitals, seconds: number): ShownVitals {
  const at = seconds % HYPOXIA.cycle;
  const hypoxiaLevel = smoothStep(at, HYPOXIA.from, HYPOXIA.low) - smoothStep(at, HYPOXIA.oxygen, HYPOXIA.risen);
  return {
    ...calm,
    spo2: calm.spo2 - 17 * hypoxiaLevel,
    heart_rate: calm.heart_rate + 26 * hypoxiaLevel,
    respiratory_rate: calm.respiratory_rate + 10 * hypoxiaLevel,
    inspired_oxygen: at >= HYPOXIA.oxygen && at < HYPOXIA.air ? 40 : calm.inspired_oxygen,
  };
}

/** Runs of irregular tachycardia during which the pressure drops, and a pause of some seconds with a heart rate of 0. */
function createArrhythmia(random: () => number): ScenarioEffect {
  const noise = createNoise(random, 2);
  const within = (at: number, { from, to }: { from: number; to: number }) => at >= from && at < to;
  return (calm, seconds) => {
    const uneven = noise(seconds);
    const at = seconds % ARRHYTHMIA.cycle;
    if (within(at, ARRHYTHMIA.pause)) {
      return { ...calm, heart_rate: 0, systolic: calm.systolic * 0.55, diastolic: calm.diastolic * 0.55 };
    }
    if (within(at, ARRHYTHMIA.run)) {
      return { ...calm, heart_rate: 168 + 6 * uneven, systolic: calm.systolic - 20, diastolic: calm.diastolic - 6 };
    }
    return calm;
  };
}

function applySensorOff({ spo2, ...others }: Vitals, seconds: number): ShownVitals {
  const at = seconds % SENSOR_OFF.cycle;
  return at >= SENSOR_OFF.from && at < SENSOR_OFF.to ? others : { ...others, spo2 };
}

/** Applies a scenario to the values of a healthy body. `stable` and `clock-wrong` leave them unchanged. */
export function createScenario(scenario: Scenario, seed: number, patient: number): ScenarioEffect {
  switch (scenario) {
    case "sepsis":
      return applySepsis;
    case "deterioration":
      return applyDeterioration;
    case "hypoxia":
      return applyHypoxia;
    case "arrhythmia":
      return createArrhythmia(seededRandom(seed, patient, "arrhythmia"));
    case "sensor-off":
      return applySensorOff;
    case "stable":
    case "clock-wrong":
      return (calm) => calm;
  }
}

/**
 * Error of the monitor's clock in milliseconds: fast and gaining for odd patient numbers, slow and losing for even ones, so
 * that one run shows both.
 */
export function createClockError(scenario: Scenario, patient: number): (seconds: number) => number {
  if (scenario !== "clock-wrong") return () => 0;
  const side = patient % 2 === 1 ? 1 : -1;
  return (seconds) => side * Math.round(CLOCK_ERROR.start + (CLOCK_ERROR.perMinute * seconds) / 60);
}
