// Ten thousand random alarm histories: each is legal by an independent ledger, and those of broken engines are not.
import { describe, expect, it } from "vitest";
import type { AlarmMemory } from "../../src/monitoring/alarm-rules/engine.ts";
import { AlarmError, emptyMemory, nextDeadline, stepAlarms } from "../../src/monitoring/alarm-rules/engine.ts";
import type { AlarmConfig, AlarmInput } from "../../src/monitoring/alarm-rules/model.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import type { RoundEvent } from "../../src/monitoring/vitals/rounds.ts";
import { times } from "../long.ts";
import { expectedError, findDifferences, newLedger, recordTransitions } from "./alerts-ledger.ts";
import { createRandom } from "./alerts-randomness.ts";
import { CONFIG, createSample, HR, HR_LIMITS, MINUTE, RR, SBP, SECOND, SPO2, START, TEMP } from "./alerts-world.ts";

const SEED = Number(process.env["ALARM_SEED"] ?? 20_260_314);
const LIVES = times(2_000, 10_000);
const INPUTS = 25;

type Random = ReturnType<typeof createRandom>;
type Step = typeof stepAlarms;

const wide = { ...HR_LIMITS, rate_per_minute: 30, trend: true };
const saturation = { ...wide, critical_low: 85, low: 91, high: null, critical_high: null, duration_s: 15, hysteresis: 2 };
const CONFIGS: AlarmConfig[] = [
  { ...CONFIG, limits: { [HR]: wide, [SPO2]: saturation }, news2: { scale: 1, window_ms: 30 * MINUTE } },
  { ...CONFIG, limits: { [HR]: { ...wide, high: 100, critical_high: 110 }, [SPO2]: { ...saturation, silence_s: 30 } } },
  { ...CONFIG, limits: { [HR]: { ...wide, duration_s: 0 } }, devices: { monitor: { silence_s: null } } },
  { ...CONFIG, limits: { [SPO2]: saturation }, devices: {} },
  { ...CONFIG, monitoring: "home", news2: { scale: 2, window_ms: 5 * MINUTE } },
  { ...CONFIG, monitoring: "off" },
  {
    ...CONFIG,
    limits: {},
    news2: { scale: 1, window_ms: 30 * MINUTE },
    watch: { mode: "spot", grace_ms: 15 * MINUTE },
    sustained: { repeat_ms: 30 * MINUTE },
  },
  { ...CONFIG, limits: { [HR]: wide }, news2: { scale: 1, window_ms: 30 * MINUTE }, sustained: { repeat_ms: 30 * MINUTE } },
  {
    ...CONFIG,
    news2: { scale: 1, window_ms: 30 * MINUTE },
    watch: { mode: "spot", grace_ms: 15 * MINUTE },
    overdueAlarm: true,
    trendMark: true,
  },
  {
    ...CONFIG,
    news2: { scale: 1, window_ms: 30 * MINUTE },
    watch: { mode: "auto", grace_ms: 0 },
    devices: { monitor: { silence_s: 120, isContinuous: true } },
    overdueAlarm: true,
  },
];
const VALUES: Record<string, readonly number[]> = {
  [HR]: [0, 30, 45, 51, 80, 105, 119, 121, 135, 145, 200],
  [SPO2]: [0, 80, 88, 91, 92, 94, 98],
  [RR]: [0, 9, 16, 22, 26],
  [SBP]: [85, 105, 120],
  [TEMP]: [34.5, 37, 39.5],
  [CODES.inspired_oxygen]: [21, 40],
  [CODES.consciousness]: [0, 0, 0, 1],
};
const WORDS = ["leads_off", "low_battery", "own_word", "another_word"];
const STEPS = [0, 1, SECOND, 5 * SECOND, 11 * SECOND, 31 * SECOND, 2 * MINUTE, 6 * MINUTE, 20 * MINUTE, 5 * 60 * MINUTE];
/** Values are frequent, off is rare. */
const KINDS = [
  "samples",
  "samples",
  "samples",
  "samples",
  "conditions",
  "tick",
  "corrected",
  "round",
  "round",
  "acknowledge",
  "acknowledge",
  "assign",
  "snooze",
  "resolve",
] as const;

function randomInput(random: Random, memory: AlarmMemory, now: number): AlarmInput {
  const kind = random.pick(KINDS);
  const open = memory.alerts.map((alert) => alert.number);
  const n = open.length > 0 && random.chance(0.8) ? random.pick(open) : random.integer(0, memory.lastAlertNumber + 2);
  const by = random.pick(["nurse", "doctor"]);
  const device = random.pick(["monitor", "wearable", null]);
  switch (kind) {
    case "samples": {
      if (random.chance(0.1)) return { kind, device, samples: rampOf(random, now) };
      if (random.chance(0.2)) return { kind, device: null, samples: setOf(random, now) };
      const samples = Array.from({ length: random.integer(1, 4) }, () => {
        const code = random.pick(Object.keys(VALUES));
        const at = now + random.pick([0, 0, 0, -SECOND, -MINUTE, -60 * MINUTE, MINUTE, -8 * 24 * 60 * MINUTE]);
        return createSample(code, random.pick(VALUES[code] ?? [0]), at, random.chance(0.1) ? "invalid" : "final");
      });
      return { kind, device, samples, isPartial: random.chance(0.1) };
    }
    case "conditions":
      return { kind, device: device ?? "monitor", conditions: WORDS.filter(() => random.chance(0.5)) };
    case "tick":
      return { kind };
    case "corrected": {
      const code = random.pick(Object.keys(VALUES));
      const at = now - random.pick([0, SECOND, MINUTE, 60 * MINUTE, 8 * 24 * 60 * MINUTE]);
      const newest = { value: random.pick(VALUES[code] ?? [0]), at, received: at };
      return { kind, code, newest: random.chance(0.2) ? null : newest, isInvalidNewer: random.chance(0.1) };
    }
    case "round":
      return { kind, event: randomRound(random, now) };
    case "acknowledge":
    case "resolve":
      return { kind, number: n, by };
    case "assign":
      return { kind, number: n, by, to: random.pick(["doctor", "nurse", null]) };
    case "snooze":
      return { kind, number: n, by, until: now + random.pick([-MINUTE, 0, MINUTE, 30 * MINUTE, 10 * 60 * MINUTE]) };
  }
}

/** A full set of observations. */
const setOf = (random: Random, at: number) =>
  Object.entries(VALUES).map(([code, values]) =>
    createSample(code, random.pick(values.filter((value) => value > 0 || code === CODES.consciousness)), at),
  );
function randomRound(random: Random, now: number): RoundEvent {
  const at = now - random.pick([0, 0, MINUTE, 60 * MINUTE]);
  const type = random.pick(["set", "attempt", "pause", "end_pause"] as const);
  switch (type) {
    case "set":
      return { type, at, codes: Object.keys(VALUES) };
    case "attempt":
      return { type, at, reason: random.pick(["refused", "asleep"]), by: "nurse" };
    case "pause":
      return { type, until: now + random.pick([1, MINUTE, 60 * MINUTE]), reason: "procedure", by: "nurse" };
    case "end_pause":
      return { type };
  }
}

/** A heart rate that changes fast within its limits. */
function rampOf(random: Random, now: number) {
  const up = random.chance(0.5);
  return Array.from({ length: 9 }, (_, i) => createSample(HR, up ? 55 + 7 * i : 112 - 7 * i, now - (8 - i) * 11 * SECOND));
}

/** One history. @returns the first illegal transition */
function live(seed: number, engine: Step, seen: Set<string>): string | null {
  const random = createRandom(seed);
  const ledger = newLedger();
  let config = random.pick(CONFIGS);
  let memory = emptyMemory();
  let now = START;
  for (let i = 0; i < INPUTS; i += 1) {
    now += random.pick(STEPS);
    const changed = random.chance(0.05);
    if (changed) config = random.pick(CONFIGS);
    const input: AlarmInput = changed ? { kind: "tick" } : randomInput(random, memory, now);
    const expected = "number" in input ? expectedError(ledger, input.number) : null;
    const before = i % 4 === 0 ? JSON.stringify(memory) : null;
    try {
      const done = engine(memory, input, config, now);
      if (expected) return `${input.kind} was not refused as ${expected}`;
      if (before && JSON.stringify(memory) !== before) return `${input.kind} changed the memory that it was given`;
      const [wrong] = recordTransitions(ledger, input, config, done.transitions, now);
      if (wrong) return wrong;
      memory = i % 2 === 0 ? done.state : JSON.parse(JSON.stringify(done.state));
      for (const { what, alert } of done.transitions) seen.add(`${what} ${alert.rule}`);
    } catch (error) {
      if (!(error instanceof AlarmError)) throw error;
      if (error.code !== expected) return `${input.kind} was refused as ${error.code}, not ${expected}`;
    }
    const [different] = findDifferences(ledger, memory.alerts);
    if (different) return different;
    const deadline = nextDeadline(memory, config);
    if (deadline !== null && deadline <= now && !expected) return `the deadline ${deadline} is not after ${now}`;
  }
  return null;
}

function firstIllegal(
  engine: Step,
  lives: number,
): { seed: number; wrong: string; seen: Set<string> } | { seed: null; seen: Set<string> } {
  const seen = new Set<string>();
  for (let i = 0; i < lives; i += 1) {
    const wrong = live(SEED + i, engine, seen);
    if (wrong) return { seed: SEED + i, wrong, seen };
  }
  return { seed: null, seen };
}

describe(`random lives from seed ${SEED}`, () => {
  it(`are legal, ${LIVES} of ${INPUTS} inputs`, () => {
    const found = firstIllegal(stepAlarms, LIVES);
    expect({ ...found, seen: null }).toEqual({ seed: null, seen: null });
    const rules = ["limit", "rate", "news2", "silence", "device_silence", "technical", "observations_due"];
    for (const rule of rules)
      for (const what of ["raised", "acknowledged", "cleared"]) expect(found.seen).toContain(`${what} ${rule}`);
    expect(found.seen).toContain("raised_sound news2");
    for (const what of ["raised_priority", "escalated", "repeated", "snoozed", "recovered", "assigned"]) {
      expect(found.seen).toContain(`${what} limit`);
    }
  });

  const BROKEN: Record<string, Step> = {
    "acknowledges alerts that are over": (memory, input, config, now) => {
      try {
        return stepAlarms(memory, input, config, now);
      } catch (error) {
        if (input.kind === "acknowledge" && error instanceof AlarmError) return { state: memory, transitions: [] };
        throw error;
      }
    },
    "forgets what is open": (memory, input, config, now) => {
      const done = stepAlarms(memory, input, config, now);
      return { ...done, state: { ...done.state, alerts: done.state.alerts.slice(1) } };
    },
    "raises a second alert where one is open": (memory, input, config, now) =>
      stepAlarms({ ...memory, alerts: memory.alerts.map((alert) => ({ ...alert, key: `${alert.key}.` })) }, input, config, now),
    "uses numbers twice": (memory, input, config, now) =>
      stepAlarms({ ...memory, lastAlertNumber: memory.alerts.length }, input, config, now),
    "does not stop escalating at an acknowledgement": (memory, input, config, now) => {
      const active = { state: "active", acknowledged_at: null, acknowledged_by: null, escalate_at: now } as const;
      const alerts = memory.alerts.map((alert) => (alert.state === "acknowledged" ? { ...alert, ...active } : alert));
      return stepAlarms({ ...memory, alerts }, input, config, now);
    },
    "does not latch": (memory, input, config, now) => {
      const alerts = memory.alerts.map((alert) => (alert.state === "active" ? { ...alert, priority: "medium" as const } : alert));
      return stepAlarms({ ...memory, alerts }, input, config, now);
    },
    "lets its clock go back": (memory, input, config, now) => stepAlarms({ ...memory, now: 0 }, input, config, now - MINUTE),
    "alarms silence at home": (memory, input, config, now) =>
      stepAlarms(memory, input, config.monitoring === "home" ? { ...config, monitoring: "ward" } : config, now),
    "changes the memory it was given": (memory, input, config, now) => {
      const done = stepAlarms(memory, input, config, now);
      for (const alert of memory.alerts) alert.tier += 1;
      return done;
    },
  };
  it.each(Object.entries(BROKEN))("are illegal from an engine that %s", (_, engine) => {
    const found = firstIllegal(engine, 2000);
    expect(found.seed).not.toBe(null);
  });
});
