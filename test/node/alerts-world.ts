// A patient's alarms in a test: a clock, a config, and the engine with a step at each deadline, as its caller runs it.
import { expect } from "vitest";
import type { AlarmMemory } from "../../src/monitoring/alarm-rules/engine.ts";
import { emptyMemory, nextDeadline, stepAlarms } from "../../src/monitoring/alarm-rules/engine.ts";
import type { AlarmConfig, AlarmInput, Alert, Transition } from "../../src/monitoring/alarm-rules/model.ts";
import { CODES, getDefaultLimits } from "../../src/monitoring/vitals/catalogue.ts";
import type { Limits, Sample } from "../../src/monitoring/vitals/model.ts";

export const START = Date.UTC(2026, 2, 14, 9, 26, 53);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const { heart_rate: HR, spo2: SPO2, respiratory_rate: RR, systolic: SBP, temperature: TEMP } = CODES;

export const HR_LIMITS: Limits = {
  critical_low: 40,
  low: 50,
  high: 120,
  critical_high: 140,
  duration_s: 10,
  hysteresis: 3,
  rate_per_minute: null,
  trend: false,
  silence_s: 120,
};

export const CONFIG: AlarmConfig = {
  monitoring: "ward",
  limits: { ...withoutChangeRules(getDefaultLimits("adult")), [HR]: HR_LIMITS },
  news2: null,
  watch: { mode: "continuous", grace_ms: 15 * MINUTE },
  sustained: null,
  devices: { monitor: { silence_s: 120 }, wearable: { silence_s: null } },
  escalation: { high: [2, 5, 10], medium: [10, 20], low: [] },
  repeat_minutes: { high: 15, medium: 60, low: null },
};

/** Default limits without trend rules, so that a scenario shows one rule at a time. */
export function withoutChangeRules(limits: Record<string, Limits>): Record<string, Limits> {
  return Object.fromEntries(
    Object.entries(limits).map(([code, of]) => [code, { ...of, rate_per_minute: null, trend: false, silence_s: null }]),
  );
}

export function createSample(code: string, value: number, at: number, status: Sample["status"] = "final"): Sample {
  return { code, value, unit: "/min", at, seq: null, status };
}

export type World = {
  memory: AlarmMemory;
  config: AlarmConfig;
  now: number;
  transitions: Transition[];
};

export function newWorld(change: Partial<AlarmConfig> = {}): World {
  return { memory: emptyMemory(), config: { ...CONFIG, ...change }, now: START, transitions: [] };
}

export function applyInput(world: World, input: AlarmInput): Transition[] {
  const done = stepAlarms(world.memory, input, world.config, world.now);
  world.memory = done.state;
  world.transitions.push(...done.transitions);
  return done.transitions;
}

/** Advances the clock and steps the engine at every deadline, as the patient's object does. */
export function advanceTo(world: World, time: number): void {
  for (let due = nextDeadline(world.memory, world.config); due !== null && due <= time; ) {
    world.now = Math.max(world.now, due);
    applyInput(world, { kind: "tick" });
    const next = nextDeadline(world.memory, world.config);
    if (next !== null && next <= world.now) throw new Error(`The deadline ${next} does not pass`);
    due = next;
  }
  world.now = Math.max(world.now, time);
}

export function advance(world: World, milliseconds: number): void {
  advanceTo(world, world.now + milliseconds);
}

export function sendSamples(
  world: World,
  values: Record<string, number>,
  device: string | null = "monitor",
  at = world.now,
): Transition[] {
  return applyInput(world, {
    kind: "samples",
    device,
    samples: Object.entries(values).map(([code, value]) => createSample(code, value, at)),
  });
}

/** Repeats the same values at an interval for a duration. */
export function sendRepeatedly(
  world: World,
  milliseconds: number,
  every: number,
  values: (index: number) => Record<string, number>,
): void {
  const from = world.now;
  for (let index = 0; index * every < milliseconds; index += 1) {
    advanceTo(world, from + index * every);
    sendSamples(world, values(index));
  }
  advanceTo(world, from + milliseconds);
}

export function listOpenAlerts(world: World): Alert[] {
  return world.memory.alerts;
}

export function listTransitions(world: World): string[] {
  return world.transitions.map(({ what, alert }) => `${what} ${alert.key} ${alert.priority} ${alert.state}`);
}

/** The only open alert. */
export function getOnlyAlert(world: World): Alert {
  expect(listOpenAlerts(world)).toHaveLength(1);
  const [alert] = listOpenAlerts(world);
  if (!alert) throw new Error("There is no open alert");
  return alert;
}

export const heartRate = (value: number) => () => ({ [HR]: value });
