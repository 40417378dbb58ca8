// Labelled synthetic series: finds every injected breach, no alarm in normal hours, each crossing reported exactly once.
import { describe, expect, it } from "vitest";
import type { AlarmConfig, Transition } from "../../src/monitoring/alarm-rules/model.ts";
import { replaySamples } from "../../src/monitoring/alarm-rules/preview.ts";
import { CODES, getDefaultLimits } from "../../src/monitoring/vitals/catalogue.ts";
import type { Limits, Sample } from "../../src/monitoring/vitals/model.ts";
import { times } from "../long.ts";
import { createRandom } from "./alerts-randomness.ts";
import {
  advance,
  advanceTo,
  applyInput,
  CONFIG,
  createSample,
  HR,
  HR_LIMITS,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SECOND,
  SPO2,
  START,
  sendSamples,
  TEMP,
} from "./alerts-world.ts";

const SEED = Number(process.env["ALARM_SEED"] ?? 20_260_314);
const LIMITS = getDefaultLimits("adult");
const config: AlarmConfig = {
  ...CONFIG,
  monitoring: "home",
  limits: LIMITS,
  news2: { scale: 1, window_ms: 30 * MINUTE },
};

/**
 * Normal is what scores no NEWS2 points (`least` to `most`). Patients differ (range of means), vary (AR noise) and sleep.
 */
const HEALTHY = [
  { code: HR, mean: [62, 84], spread: 3, memory: 0.9, night: -7, least: 51, most: 90 },
  { code: SPO2, mean: [96.5, 98.5], spread: 0.6, memory: 0.8, night: -0.5, least: 96, most: 100 },
  { code: RR, mean: [13, 17], spread: 1.1, memory: 0.7, night: -1, least: 12, most: 20 },
  { code: SBP, mean: [116, 138], spread: 4, memory: 0.9, night: -5, least: 111, most: 219 },
  { code: TEMP, mean: [36.5, 37.1], spread: 0.08, memory: 0.98, night: -0.3, least: 36.1, most: 38 },
] as const;

/** Values per minute for a number of hours. */
function normalSeries(seed: number, hours: number): Sample[] {
  const random = createRandom(seed);
  const samples: Sample[] = [];
  for (const { code, mean, spread, memory, night, least, most } of HEALTHY) {
    const base = random.between(mean[0], mean[1]);
    let noise = random.normal() * spread;
    for (let i = 0; i < hours * 60; i += 1) {
      noise = memory * noise + Math.sqrt(1 - memory ** 2) * spread * random.normal();
      const asleep = (1 - Math.cos((2 * Math.PI * i) / 1440)) / 2;
      const value = Math.max(least, Math.min(most, base + night * asleep + noise));
      samples.push(createSample(code, Number(value.toFixed(1)), START + i * MINUTE));
    }
  }
  for (let i = 0; i < hours * 60; i += 20) {
    samples.push(
      createSample(CODES.consciousness, 0, START + i * MINUTE),
      createSample(CODES.inspired_oxygen, 21, START + i * MINUTE),
    );
  }
  return samples.sort((a, b) => a.at - b.at);
}

const raisedIn = (transitions: readonly Transition[]) =>
  transitions.filter(({ what }) => what === "raised").map(({ alert }) => alert.key);

describe(`normal hours from seed ${SEED}`, () => {
  it("have at most one false alert in 1,000 patient-hours, all rules on", () => {
    const [patients, hours] = [times(25, 60), 48];
    const alerts = Array.from({ length: patients }, (_, i) =>
      raisedIn(replaySamples(normalSeries(SEED + i, hours), config)),
    ).flat();
    const rate = (1000 * alerts.length) / (patients * hours);
    console.info(`false alerts in 1,000 normal patient-hours: ${rate.toFixed(2)} (${alerts.join(", ")})`);
    expect(rate).toBeLessThanOrEqual(1);
    const nervous = { ...config, limits: { ...LIMITS, [HR]: { ...HR_LIMITS, high: 80 } } };
    const some = Array.from({ length: 5 }, (_, i) => raisedIn(replaySamples(normalSeries(SEED + i, hours), nervous))).flat();
    expect(some.length).toBeGreaterThan(10);
  });
});

describe("a normal day at 1 Hz with stray values", () => {
  it("has no alert for one or two seconds beyond a limit", () => {
    const random = createRandom(SEED);
    const stray = () => (random.chance(0.5) ? random.between(121, 130) : random.between(41, 49));
    const values = Array.from({ length: 24 * 3600 }, () => 75 + 3 * random.normal());
    for (let i = 100; i < values.length; i += random.integer(60, 600)) {
      values[i] = stray();
      if (random.chance(0.3)) values[i + 1] = values[i] ?? 0;
    }
    const samples = values.map((value, i) => createSample(HR, value, START + i * SECOND));
    expect(raisedIn(replaySamples(samples, config))).toEqual([]);
    const naive = { ...config, limits: { [HR]: { ...HR_LIMITS, duration_s: 0 } } };
    expect(raisedIn(replaySamples(samples, naive)).length).toBeGreaterThan(200);
  });
});

type Injection = { code: string; bound: number; sign: 1 | -1; priority: "medium" | "high" };
/** Every limit of every vital sign in the series. */
const INJECTIONS: Injection[] = HEALTHY.flatMap(({ code }) => {
  const { critical_low, low, high, critical_high } = LIMITS[code] ?? HR_LIMITS;
  const sides = [
    { bound: low, sign: -1, priority: "medium" },
    { bound: high, sign: 1, priority: "medium" },
    { bound: critical_low, sign: -1, priority: "high" },
    { bound: critical_high, sign: 1, priority: "high" },
  ] as const;
  return sides.flatMap(({ bound, ...side }) => (bound === null ? [] : [{ code, bound, ...side }]));
});

describe("injected breaches", () => {
  const REPEATS = times(6, 30);

  it("are all found, at their priority and in their time, and end", () => {
    const missed: string[] = [];
    for (const [index, injection] of INJECTIONS.entries()) {
      for (let repeat = 0; repeat < REPEATS; repeat += 1) {
        const random = createRandom(SEED + 1000 * index + repeat);
        const from = START + random.integer(70, 150) * MINUTE;
        const until = from + random.integer(1, 20) * MINUTE;
        const depth = random.pick([0, 0.1, 0.5]);
        const series = normalSeries(SEED + index + repeat, 4).map((sample) =>
          sample.code === injection.code && sample.at >= from && sample.at < until
            ? { ...sample, value: injection.bound + injection.sign * depth }
            : sample,
        );
        const transitions = replaySamples(series, config).filter(
          ({ alert }) => alert.rule === "limit" && alert.code === injection.code,
        );
        const label = `${injection.code} ${injection.bound} ${injection.priority} ${repeat}`;
        const whats = transitions.filter(({ what }) => what !== "escalated" && what !== "repeated").map(({ what }) => what);
        const ended = injection.priority === "high" ? "recovered" : "cleared";
        if (transitions[0]?.alert.priority !== injection.priority || whats.join() !== `raised,${ended}`)
          missed.push(`${label}: ${whats}`);
      }
    }
    expect(missed).toEqual([]);
    console.info(`breaches injected and found: ${INJECTIONS.length * REPEATS}`);
  });
});

const CROSSINGS = times(2_000, 10_000);
type Crossing = { length: number; peak: number };

/** A heart rate at 1 Hz that crosses 120 repeatedly with small oscillations; `limits` in effect. @returns alarms per crossing */
function alarmsOf(crossings: readonly Crossing[], limits: Limits, seed: number): number[] {
  const random = createRandom(seed);
  const world = newWorld({ monitoring: "home", limits: { [HR]: limits }, escalation: { high: [], medium: [], low: [] } });
  return crossings.map(({ length, peak }) => {
    const before = world.transitions.length;
    const from = world.now;
    // Every third second it oscillates back across the limit.
    for (let i = 0; i < length; i += 1) {
      advanceTo(world, from + i * SECOND);
      sendSamples(world, { [HR]: i % 3 === 1 ? 119 : peak + random.integer(0, 1) });
    }
    for (let i = 0; i < 30; i += 1) {
      advanceTo(world, from + (length + i) * SECOND);
      sendSamples(world, { [HR]: 90 + random.integer(-5, 5) });
    }
    advance(world, SECOND);
    for (const { number } of world.memory.alerts) applyInput(world, { kind: "acknowledge", number, by: "nurse" });
    return raisedIn(world.transitions.slice(before)).length;
  });
}

describe(`${CROSSINGS} crossings from seed ${SEED}`, () => {
  const random = createRandom(SEED);
  const crossings = Array.from({ length: CROSSINGS }, () => ({
    length: random.pick([1, 3, 5, 8, 13, 15, 20, 25, 40]),
    peak: random.pick([120, 121, 125, 138, 140, 160]),
  }));
  /** By definition: a critical value alarms at once, another one if it has been beyond the limit for ten seconds at the end. */
  const expected = ({ length, peak }: Crossing) => {
    const last = length - 1 - ((length - 1) % 3 === 1 ? 1 : 0);
    return peak + 1 >= 140 && peak >= 139 ? 1 : last >= 10 ? 1 : 0;
  };
  const wrong = (limits: Limits, judged: readonly Crossing[]) => {
    const alarms = alarmsOf(judged, limits, SEED);
    return {
      missed: judged.filter((crossing, i) => (alarms[i] ?? 0) < expected(crossing)).length,
      duplicate: judged.filter((_, i) => (alarms[i] ?? 0) > 1).length,
      false: judged.filter((crossing, i) => (alarms[i] ?? 0) > 0 && expected(crossing) === 0).length,
    };
  };

  it("have one alarm each, none missed and none twice", () => {
    expect(wrong(HR_LIMITS, crossings)).toEqual({ missed: 0, duplicate: 0, false: 0 });
  });

  it("differ for an engine without hysteresis, one without a duration and a slow one", () => {
    const some = crossings.slice(0, 1000);
    const bare = wrong({ ...HR_LIMITS, hysteresis: 0, duration_s: 0 }, some);
    expect(bare.duplicate).toBeGreaterThan(100);
    expect(bare.false).toBeGreaterThan(100);
    expect(wrong({ ...HR_LIMITS, duration_s: 30 }, some).missed).toBeGreaterThan(100);
  });
});
