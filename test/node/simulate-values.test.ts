// Bodies and scenarios of the simulator: deterministic by seed, within healthy bounds, and ill as documented.
import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../cli/random.ts";
import { generateRows } from "../../cli/simulate/rows.ts";
import {
  ARRHYTHMIA,
  CLOCK_ERROR,
  createClockError,
  HYPOXIA,
  SCENARIOS,
  type Scenario,
  SENSOR_OFF,
  SEPSIS,
} from "../../cli/simulate/scenarios.ts";
import { createVitalSource } from "../../cli/simulate/source.ts";
import { createNoise, createStableModel } from "../../cli/simulate/vital-model.ts";
import { CODES, findVital, getDefaultLimits } from "../../src/monitoring/vitals/catalogue.ts";

type Name = keyof typeof CODES;

/** One value of each vital per second; null if there is none. */
function series(scenario: Scenario, seconds: number, { seed = 1, patient = 1 } = {}) {
  const source = createVitalSource(seed, patient, scenario);
  const rows = Array.from({ length: seconds }, (_, second) => new Map(source(second).map(({ code, value }) => [code, value])));
  return (name: Name) => rows.map((row) => row.get(CODES[name]) ?? null);
}

const numbers = (values: (number | null)[]) => values.filter((value) => value !== null);
const lowest = (values: (number | null)[]) => Math.min(...numbers(values));
const highest = (values: (number | null)[]) => Math.max(...numbers(values));
const mean = (values: (number | null)[]) => numbers(values).reduce((sum, value) => sum + value, 0) / numbers(values).length;

/** Autocorrelation at a lag of `apart` seconds, from -1 to 1. */
function autocorrelation(values: number[], apart: number): number {
  const centre = mean(values);
  const covariance = values.slice(apart).reduce((sum, value, i) => sum + (value - centre) * ((values[i] ?? 0) - centre), 0);
  return covariance / values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
}

const HEALTHY: Partial<Record<Name, [number, number]>> = {
  heart_rate: [60, 95],
  spo2: [95, 99],
  respiratory_rate: [12, 18],
  systolic: [105, 135],
  diastolic: [65, 85],
  temperature: [36.4, 37.3],
};

/** Vital signs that leave the healthy bounds within a number of seconds. */
function unhealthy(scenario: Scenario, seconds: number, seed: number, patient: number): string[] {
  const source = createVitalSource(seed, patient, scenario);
  const seen = new Map<string, Set<number>>();
  for (let second = 0; second < seconds; second += 7) {
    for (const { code, value } of source(second)) seen.set(code, (seen.get(code) ?? new Set()).add(value));
  }
  return Object.entries(HEALTHY).flatMap(([name, [low, high]]) => {
    const values = [...(seen.get(CODES[name as Name]) ?? [])];
    return values.length > 2 && lowest(values) >= low && highest(values) <= high ? [] : [name];
  });
}

describe("a stable patient", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("seed %i: stays healthy for a day and a half, with variation", (seed) => {
    expect(unhealthy("stable", 36 * 3_600, seed, seed * 13)).toEqual([]);
  });

  it("differs from an ill patient by the same bounds", () => {
    expect(unhealthy("sepsis", 600, 1, 13).sort()).toEqual(Object.keys(HEALTHY).sort());
    expect(unhealthy("hypoxia", 600, 1, 13)).toContain("spo2");
    expect(unhealthy("arrhythmia", 600, 1, 13)).toContain("heart_rate");
  });

  it("crosses no default limit of an adult", () => {
    const limits = getDefaultLimits("adult");
    for (const patient of [1, 2, 3]) {
      const of = series("stable", 3_600, { patient });
      for (const name of Object.keys(HEALTHY) as Name[]) {
        const limit = limits[CODES[name]];
        expect(lowest(of(name)), name).toBeGreaterThan(limit?.low ?? Number.NEGATIVE_INFINITY);
        expect(highest(of(name)), name).toBeLessThan(limit?.high ?? Number.POSITIVE_INFINITY);
      }
    }
  });

  it("follows the day: warmer and faster in the afternoon than before dawn", () => {
    const body = createStableModel(5, 1);
    const around = (hour: number) => {
      const from = (hour - 9) * 3_600;
      return Array.from({ length: 240 }, (_, i) => body(from + i * 10));
    };
    const afternoon = around(16);
    const night = around(28);
    for (const name of ["heart_rate", "temperature", "systolic"] as const) {
      const at = (states: typeof night) => mean(states.map((state) => state[name]));
      expect(at(afternoon), name).toBeGreaterThan(at(night) + (name === "temperature" ? 0.3 : 3));
    }
  });

  it("differs from the next patient, and under the next seed", () => {
    const beats = (seed: number, patient: number) => JSON.stringify(series("stable", 60, { seed, patient })("heart_rate"));
    expect(new Set([beats(1, 1), beats(1, 2), beats(2, 1), beats(1, 12), beats(11, 2)]).size).toBe(5);
  });
});

describe("noise", () => {
  it("remembers: AR(1) with the memory it was given, where white noise forgets", () => {
    const slow = createNoise(mulberry32(7), 60);
    const values = Array.from({ length: 40_000 }, (_, second) => slow(second));
    expect(autocorrelation(values, 1)).toBeGreaterThan(0.95);
    expect(autocorrelation(values, 60)).toBeGreaterThan(0.25);
    expect(autocorrelation(values, 60)).toBeLessThan(0.5);
    expect(Math.abs(mean(values))).toBeLessThan(0.2);
    const random = mulberry32(7);
    const white = Array.from({ length: 40_000 }, () => random());
    expect(Math.abs(autocorrelation(white, 1))).toBeLessThan(0.05);
  });
});

describe("determinism", () => {
  const first = (rate: number, seed: number, scenario: Scenario) => {
    const rows = [...generateRows({ rate, patients: 3, startId: 4, duration: 60, seed, scenario })];
    return JSON.stringify(rows);
  };

  it.each(SCENARIOS)("%s: the same seed produces the same rows, another seed different ones", (scenario) => {
    expect(first(5, 9, scenario)).toBe(first(5, 9, scenario));
    expect(first(5, 9, scenario)).not.toBe(first(5, 10, scenario));
  });

  it("is the same body however often one looks", () => {
    const often = createVitalSource(3, 1, "stable");
    const seldom = createVitalSource(3, 1, "stable");
    const beat = (row: ReturnType<typeof often>) => row.find(({ code }) => code === CODES.heart_rate)?.value;
    for (let tenth = 0; tenth <= 1_200; tenth++) {
      const row = often(tenth / 10);
      if (tenth % 100 === 0) expect(beat(row)).toBe(beat(seldom(tenth / 10)));
    }
  });

  it("makes rate × duration rows, of each patient in turn, at even times", () => {
    const rows = [...generateRows({ rate: 50, patients: 10, startId: 1, duration: 600, seed: 1, scenario: "stable" })];
    expect(rows).toHaveLength(30_000);
    expect(rows.map(({ monitor }) => monitor).slice(0, 11)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
    expect(rows.every(({ due, at }, i) => due === i * 20 && at === due)).toBe(true);
    for (const { values } of rows) expect(values.length).toBeGreaterThanOrEqual(6);
  });

  it("uses the catalogue's codes and units, and plausible values", () => {
    for (const scenario of SCENARIOS) {
      const source = createVitalSource(1, 1, scenario);
      for (let second = 0; second < 600; second++) {
        for (const { code, value, unit } of source(second)) {
          const vital = findVital(code);
          expect(unit).toBe(vital?.unit);
          expect(value).toBeGreaterThanOrEqual(vital?.plausible.min ?? Number.NaN);
          expect(value).toBeLessThanOrEqual(vital?.plausible.max ?? Number.NaN);
        }
      }
    }
  });

  it("says oxygen and consciousness when they change, and every minute", () => {
    const of = series("hypoxia", 300);
    const said = of("inspired_oxygen").flatMap((value, second) => (value === null ? [] : [[second, value]]));
    expect(said).toEqual([
      [0, 21],
      [60, 21],
      [HYPOXIA.oxygen, 40],
      [155, 40],
      [215, 40],
      [HYPOXIA.air, 21],
    ]);
    expect(of("consciousness").flatMap((value, second) => (value === null ? [] : [second]))).toEqual([0, 60, 120, 180, 240]);
  });
});

describe("scenarios", () => {
  it("deterioration: well at first, NEWS2 of 7 or more after nine hours, well again after eleven", () => {
    const source = createVitalSource(1, 2, "deterioration");
    const scoreAt = (hours: number) => {
      const shown = new Map(source(hours * 3_600).map(({ code, value }) => [code, value]));
      const value = (name: keyof typeof CODES) => shown.get(CODES[name]) ?? Number.NaN;
      return {
        rate: value("respiratory_rate"),
        spo2: value("spo2"),
        heart: value("heart_rate"),
        systolic: value("systolic"),
        temperature: value("temperature"),
      };
    };
    const [well, worse, ill, again] = [scoreAt(1), scoreAt(6), scoreAt(9.5), scoreAt(11.5)];
    for (const values of [well, again]) expect(values).toMatchObject({ spo2: expect.toSatisfy((spo2) => spo2 >= 96) });
    expect(worse.heart).toBeGreaterThan(well.heart + 10);
    expect(ill.heart).toBeGreaterThan(worse.heart + 10);
    // Two points each for respiration and heart rate, one or two each for saturation, pressure and temperature.
    expect(ill.rate).toBeGreaterThanOrEqual(21);
    expect(ill.heart).toBeGreaterThanOrEqual(111);
    expect(ill.spo2).toBeLessThanOrEqual(95);
    expect(ill.systolic).toBeLessThanOrEqual(110);
    expect(ill.temperature).toBeGreaterThan(38);
  });

  it("sepsis: limits are crossed within 90 s and stay crossed", () => {
    const of = series("sepsis", 900);
    const stable = series("stable", 900);
    const at = (name: Name, from: number, to: number, which = of) => mean(which(name).slice(from, to));
    const limits = getDefaultLimits("adult");
    const crossed = (which: typeof of) =>
      (Object.keys(HEALTHY) as Name[]).filter((name) => {
        const { low, high } = limits[CODES[name]] ?? { low: null, high: null };
        const seen = numbers(which(name).slice(0, 90));
        return seen.some((value) => value <= (low ?? Number.NEGATIVE_INFINITY) || value >= (high ?? Number.POSITIVE_INFINITY));
      });
    expect(crossed(of).length).toBeGreaterThanOrEqual(1);
    expect(crossed(stable)).toEqual([]);
    for (const name of ["heart_rate", "respiratory_rate", "temperature"] as const) {
      expect(at(name, 60, 70)).toBeGreaterThan(at(name, 0, 10));
      expect(at(name, SEPSIS.to, 900)).toBeGreaterThan(at(name, 60, 70));
    }
    expect(at("heart_rate", SEPSIS.to, 900)).toBeGreaterThan(125);
    expect(at("systolic", SEPSIS.to, 900)).toBeLessThan(95);
    expect(at("temperature", SEPSIS.to, 900)).toBeGreaterThan(39);
    expect(numbers(of("consciousness")).at(-1)).toBe(1);
    expect(JSON.stringify(of("heart_rate").slice(0, SEPSIS.from))).toBe(
      JSON.stringify(stable("heart_rate").slice(0, SEPSIS.from)),
    );
  });

  it("hypoxia: below 85, and back to health after oxygen", () => {
    const spo2 = series("hypoxia", 2 * HYPOXIA.cycle)("spo2");
    expect(lowest(spo2.slice(0, HYPOXIA.from))).toBeGreaterThanOrEqual(95);
    expect(highest(spo2.slice(HYPOXIA.low, HYPOXIA.oxygen))).toBeLessThan(85);
    expect(lowest(spo2)).toBeGreaterThan(70);
    expect(lowest(spo2.slice(HYPOXIA.risen, HYPOXIA.cycle))).toBeGreaterThanOrEqual(95);
    expect(lowest(spo2.slice(HYPOXIA.cycle))).toBeLessThan(85);
  });

  it("arrhythmia: runs above 150, a pause at 0, calm between", () => {
    const beats = series("arrhythmia", 2 * ARRHYTHMIA.cycle)("heart_rate");
    const { run, pause, cycle } = ARRHYTHMIA;
    for (const start of [0, cycle]) {
      const within = ({ from, to }: { from: number; to: number }) => beats.slice(start + from, start + to);
      expect(lowest(within(run))).toBeGreaterThan(150);
      expect(new Set(within(run)).size).toBeGreaterThan(3);
      expect(within(pause)).toEqual(Array(pause.to - pause.from).fill(0));
      expect(highest(within({ from: run.to, to: pause.from }))).toBeLessThanOrEqual(95);
      expect(lowest(within({ from: run.to, to: pause.from }))).toBeGreaterThanOrEqual(60);
    }
  });

  it("sensor-off: SpO2 alone stops, longer than its silence may last, and returns", () => {
    const of = series("sensor-off", SENSOR_OFF.cycle);
    const silent = of("spo2").flatMap((value, second) => (value === null ? [second] : []));
    const { from, to } = SENSOR_OFF;
    expect(silent).toEqual(Array.from({ length: to - from }, (_, i) => from + i));
    expect(to - from).toBeGreaterThan((getDefaultLimits("adult")[CODES.spo2]?.silence_s ?? Number.POSITIVE_INFINITY) + 10);
    for (const name of ["heart_rate", "systolic", "respiratory_rate", "temperature"] as const)
      expect(of(name)).not.toContain(null);
  });

  it("clock-wrong: hours ahead or behind, drifting further; other clocks are unchanged", () => {
    const ahead = createClockError("clock-wrong", 1);
    const behind = createClockError("clock-wrong", 2);
    expect([ahead(0), behind(0)]).toEqual([187 * 60_000, -187 * 60_000]);
    expect([ahead(120) - ahead(0), behind(120) - behind(0)]).toEqual([2 * CLOCK_ERROR.perMinute, -2 * CLOCK_ERROR.perMinute]);
    for (const scenario of SCENARIOS.filter((name) => name !== "clock-wrong")) expect(createClockError(scenario, 1)(500)).toBe(0);
    expect(series("clock-wrong", 60)("heart_rate")).toEqual(series("stable", 60)("heart_rate"));
  });

  it("happens to the first patient alone", () => {
    const beats = (scenario: Scenario, monitor: number) =>
      [...generateRows({ rate: 3, patients: 3, startId: 1, duration: 120, seed: 1, scenario })]
        .filter((row) => row.monitor === monitor)
        .map(({ values }) => values);
    expect(beats("sepsis", 0)).not.toEqual(beats("stable", 0));
    expect(beats("sepsis", 1)).toEqual(beats("stable", 1));
    expect(beats("sepsis", 2)).toEqual(beats("stable", 2));
  });
});
