// The trend mark: the smoothed score by hand-computed values, and the mark in the engine, which changes nothing else.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AlarmConfig, AlarmInput } from "../../src/monitoring/alarm-rules/model.ts";
import { MAX_TREND_READINGS, stepTrend, summarizeTrend, type TrendState } from "../../src/monitoring/alarm-rules/trend-mark.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { times } from "../long.ts";
import {
  advance,
  applyInput,
  createSample,
  HOUR,
  HR,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SPO2,
  START,
  sendSamples,
  TEMP,
  type World,
} from "./alerts-world.ts";

type Reading = readonly [hours: number, score: number, temperature?: number];

function statesOf(readings: readonly Reading[]): TrendState[] {
  let state: TrendState | null = null;
  return readings.map(([hours, score, temperature = 37]) => {
    state = stepTrend(state, { at: START + hours * HOUR, score, temperature });
    return state;
  });
}

it.each<[string, Reading[], number[]]>([
  ["the first reading as it is", [[0, 7]], [7]],
  [
    "half of the weight after 12 hours",
    [
      [0, 2],
      [12, 6],
      [24, 6],
    ],
    [2, 4, 5],
  ],
  [
    "1 − √½ of the weight after 6 hours",
    [
      [0, 2],
      [6, 8],
    ],
    [2, 3.757359],
  ],
  [
    "1 − ∛½ of the weight after 4 hours",
    [
      [0, 3],
      [4, 9],
    ],
    [3, 4.237797],
  ],
  [
    "a quarter left after 24 hours",
    [
      [0, 8],
      [24, 0],
    ],
    [8, 2],
  ],
  [
    "nothing left after a longer gap",
    [
      [0, 8],
      [24.01, 1],
      [36.01, 3],
    ],
    [8, 1, 2],
  ],
  [
    "no weight for a reading of the same time",
    [
      [0, 3],
      [0, 9],
    ],
    [3, 3],
  ],
])("smooths: %s", (_, readings, expected) => {
  for (const [index, { smoothed }] of statesOf(readings).entries()) expect(smoothed).toBeCloseTo(expected[index] ?? -1, 6);
});

it.each<[string, Reading[], (number | null)[]]>([
  [
    "begins at 4.5, not before 12 hours",
    [
      [0, 6],
      [6, 6],
      [12, 3],
    ],
    [null, null, 12],
  ],
  [
    "ends below 4",
    [
      [0, 6],
      [12, 3],
      [24, 4],
      [36, 3],
    ],
    [null, 12, 12, null],
  ],
  [
    "does not begin at 4",
    [
      [0, 4],
      [12, 4],
    ],
    [null, null],
  ],
  [
    "begins at 2.5 with a temperature of 38.0",
    [
      [0, 2],
      [12, 3, 38],
    ],
    [null, 12],
  ],
  [
    "counts 37.95, which is displayed as 38.0",
    [
      [0, 2],
      [12, 3, 37.95],
    ],
    [null, 12],
  ],
  [
    "does not count 37.9",
    [
      [0, 2],
      [12, 3, 37.9],
    ],
    [null, null],
  ],
  [
    "counts a fever for 12 hours",
    [
      [0, 2],
      [12, 3, 38],
      [24, 2],
      [25, 2],
    ],
    [null, 12, 12, null],
  ],
  [
    "begins anew after a gap",
    [
      [0, 6],
      [12, 6],
      [37, 6],
      [49, 6],
    ],
    [null, 12, null, 49],
  ],
])("marks: %s", (_, readings, expected) => {
  expect(statesOf(readings).map(({ markedSince }) => markedSince && (markedSince - START) / HOUR)).toEqual(expected);
});

it("gives a score the same weight however often it is charted again", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 20 }),
      fc.array(fc.double({ min: 0.01, max: 23.9, noNaN: true }), { maxLength: 8 }),
      (first, second, between) => {
        const whole = statesOf([
          [0, first],
          [24, second],
        ]).at(-1);
        const split = between.toSorted((a, b) => a - b).map((hours): Reading => [hours, second]);
        expect(statesOf([[0, first], ...split, [24, second]]).at(-1)?.smoothed).toBeCloseTo(whole?.smoothed ?? -1, 9);
      },
    ),
    { numRuns: times(100, 5_000) },
  );
});

const WELL = { [RR]: 16, [SPO2]: 97, [CODES.inspired_oxygen]: 21, [SBP]: 120, [HR]: 80, [CODES.consciousness]: 0, [TEMP]: 37 };
/** Respiration 2, pulse 2, temperature 1. */
const FIVE = { ...WELL, [RR]: 22, [HR]: 115, [TEMP]: 38.5 };
const newMarked = (change: Partial<AlarmConfig> = {}) =>
  newWorld({
    limits: {},
    devices: {},
    news2: { scale: 1, window_ms: 30 * MINUTE },
    watch: { mode: "spot", grace_ms: 15 * MINUTE },
    trendMark: true,
    ...change,
  });
const trendOf = ({ memory }: World) => (memory.news2.trend ? summarizeTrend(memory.news2.trend)?.state : undefined);
const correct = (world: World, code: string, at: number, value: number | null) => {
  const measured = { at, value };
  const newest = value === null ? null : { value, at, received: world.now };
  applyInput(world, { kind: "corrected", code, newest, isInvalidNewer: false, measured });
};

describe("in the engine", () => {
  it("smooths the complete sets and begins a mark without an alert of its own", () => {
    const world = newMarked();
    sendSamples(world, WELL, null);
    advance(world, 12 * HOUR);
    sendSamples(world, FIVE, null);
    expect(trendOf(world)).toEqual({
      smoothed: 2.5,
      since: START,
      at: START + 12 * HOUR,
      feverAt: START + 12 * HOUR,
      markedSince: START + 12 * HOUR,
    });
    expect(world.transitions).toEqual([]);
  });

  it("changes nothing by a set that was not completed, single values, and a set that is overdue when it arrives", () => {
    const world = newMarked();
    sendSamples(world, WELL, null);
    const before = world.memory.news2.trend;
    advance(world, 6 * HOUR);
    const samples = Object.entries(FIVE).map(([code, value]) => createSample(code, value, world.now));
    applyInput(world, { kind: "samples", device: null, samples, isPartial: true });
    sendSamples(world, { [HR]: 120, [TEMP]: 39 }, null);
    sendSamples(world, FIVE, null, world.now - 76 * MINUTE);
    expect(world.memory.news2.trend).toEqual(before);
    advance(world, 2 * HOUR);
    sendSamples(world, FIVE, null, world.now - 75 * MINUTE);
    expect(trendOf(world)?.at).toBe(world.now - 75 * MINUTE);
  });

  it("scores a corrected last set again, and forgets it when it lost a value", () => {
    const world = newMarked();
    sendSamples(world, WELL, null);
    advance(world, 12 * HOUR);
    sendSamples(world, FIVE, null);
    correct(world, TEMP, world.now, 37.5);
    expect(trendOf(world)).toMatchObject({ smoothed: 2, feverAt: null, markedSince: null });
    correct(world, TEMP, world.now, 38.5);
    expect(trendOf(world)).toMatchObject({ smoothed: 2.5, markedSince: world.now });
    correct(world, RR, world.now, null);
    expect(trendOf(world)).toMatchObject({ smoothed: 0, at: START, markedSince: null });
  });

  it("leaves out an earlier set of which a value was corrected", () => {
    const world = newMarked();
    sendSamples(world, FIVE, null);
    advance(world, HOUR);
    sendSamples(world, WELL, null);
    advance(world, HOUR);
    sendSamples(world, WELL, null);
    expect(trendOf(world)?.smoothed).toBeGreaterThan(4);
    applyInput(world, { kind: "corrected_set", code: HR, at: START, value: 80 });
    expect(trendOf(world)).toMatchObject({ smoothed: 0, since: START + HOUR, feverAt: null });
  });

  it("keeps 32 sets and the weight of those before, which a correction of their values takes away", () => {
    const world = newMarked();
    const all: Reading[] = [];
    for (let hour = 0; hour < 3 * MAX_TREND_READINGS; hour += 1) {
      const isFive = hour % 3 === 0;
      sendSamples(world, isFive ? FIVE : WELL, null);
      all.push([hour, isFive ? 5 : 0, isFive ? 38.5 : 37]);
      advance(world, HOUR);
    }
    expect(world.memory.news2.trend?.readings).toHaveLength(MAX_TREND_READINGS);
    expect(trendOf(world)).toEqual(statesOf(all).at(-1));
    applyInput(world, { kind: "corrected_set", code: HR, at: START + 3 * HOUR, value: 80 });
    expect(trendOf(world)).toEqual(statesOf(all.slice(-MAX_TREND_READINGS)).at(-1));
  });

  it("counts the newest set of a quarter of an hour under continuous monitoring", () => {
    const world = newMarked({ watch: { mode: "continuous", grace_ms: 0 } });
    for (let minute = 0; minute < 120; minute += 1) {
      sendSamples(world, WELL, "monitor");
      advance(world, MINUTE);
    }
    expect(world.memory.news2.trend?.readings.length).toBeLessThanOrEqual(9);
  });

  it("is forgotten where the ward returns to no mark, and where NEWS2 does not apply", () => {
    for (const change of [{ trendMark: false }, { news2: null }]) {
      const world = newMarked();
      sendSamples(world, FIVE, null);
      world.config = { ...world.config, ...change };
      applyInput(world, { kind: "tick" });
      expect(world.memory.news2.trend).toBeUndefined();
    }
  });
});

/** A set at a quarter of an hour, and whether it was not completed. */
const set = fc.record({ quarter: fc.integer({ min: 0, max: 80 }), isFive: fc.boolean() });
const sets = fc.uniqueArray(set, { selector: ({ quarter }) => quarter, minLength: 1, maxLength: 12 });
const toSamples = ({ quarter, isFive }: { quarter: number; isFive: boolean }) =>
  Object.entries(isFive ? FIVE : WELL).map(([code, value]) => createSample(code, value, START + quarter * 15 * MINUTE));
const send = (world: World, samples: ReturnType<typeof toSamples>) =>
  applyInput(world, { kind: "samples", device: null, samples } satisfies AlarmInput);

describe("any sets", () => {
  it("in any order within a request end in the same trend, and the same request again changes nothing", () => {
    fc.assert(
      fc.property(sets, fc.infiniteStream(fc.nat()), (charted, random) => {
        const samples = charted.toSorted((a, b) => a.quarter - b.quarter).flatMap(toSamples);
        const shuffled = samples
          .map((sample) => ({ sample, key: random.next().value }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ sample }) => sample);
        const [inOrder, inDisorder, split] = [newMarked(), newMarked(), newMarked()];
        for (const world of [inOrder, inDisorder, split]) world.now = START + 20 * HOUR;
        send(inOrder, samples);
        send(inDisorder, shuffled);
        for (const one of charted.toSorted((a, b) => a.quarter - b.quarter)) send(split, toSamples(one));
        expect(inDisorder.memory.news2.trend).toEqual(inOrder.memory.news2.trend);
        expect(split.memory.news2.trend).toEqual(inOrder.memory.news2.trend);
        send(inOrder, samples);
        expect(inOrder.memory.news2.trend).toEqual(inDisorder.memory.news2.trend);
      }),
      { numRuns: times(60, 1_000) },
    );
  });

  it("have the same alerts and the same memory with the mark as without", () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 1, max: 3 }), (charted, perRequest) => {
        const [marked, plain] = [newMarked({ overdueAlarm: true }), newMarked({ overdueAlarm: true, trendMark: false })];
        const samples = charted.flatMap(toSamples);
        for (const world of [marked, plain]) {
          for (let from = 0; from < samples.length; from += 7 * perRequest) {
            advance(world, 2 * HOUR);
            send(world, samples.slice(from, from + 7 * perRequest));
          }
          advance(world, 24 * HOUR);
        }
        expect(marked.transitions).toEqual(plain.transitions);
        const { trend: _, ...news2 } = marked.memory.news2;
        expect({ ...marked.memory, news2 }).toEqual(plain.memory);
      }),
      { numRuns: times(60, 1_000) },
    );
  });
});
