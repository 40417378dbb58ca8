// Sets of observations that arrive late, and what a correction or a change of watching leaves of a score.
import { describe, expect, it } from "vitest";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { scoreSet } from "../../src/monitoring/vitals/news2.ts";
import {
  advance,
  applyInput,
  createSample,
  HOUR,
  HR,
  listOpenAlerts,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SPO2,
  TEMP,
  type World,
} from "./alerts-world.ts";

const WELL = { [RR]: 16, [SPO2]: 97, [CODES.inspired_oxygen]: 21, [SBP]: 120, [HR]: 80, [CODES.consciousness]: 0, [TEMP]: 37 };
/** Seven points, none of them three in one parameter. */
const SEVEN = { ...WELL, [RR]: 22, [SPO2]: 93, [SBP]: 98, [HR]: 105, [TEMP]: 38.5 };
const FIVE = { ...WELL, [RR]: 22, [SPO2]: 93, [HR]: 105, [TEMP]: 38.5 };
const NEWS2 = { scale: 1, window_ms: 30 * MINUTE } as const;
const SPOT = { mode: "spot", grace_ms: 15 * MINUTE } as const;
const newSpotWorld = () => newWorld({ monitoring: "ward", limits: {}, devices: {}, news2: NEWS2, watch: SPOT });
const sendAt = (world: World, values: Record<string, number>, ago: number) =>
  applyInput(world, {
    kind: "samples",
    device: null,
    samples: Object.entries(values).map(([code, value]) => createSample(code, value, world.now - ago)),
  });
const listScores = (world: World) => listOpenAlerts(world).flatMap(({ rule, priority }) => (rule === "news2" ? [priority] : []));

describe("an urgent set of a spot patient that is overdue when it arrives", () => {
  it("is told at once, and once", () => {
    const world = newSpotWorld();
    sendAt(world, SEVEN, 50 * MINUTE);
    expect(listScores(world)).toEqual(["high"]);
    advance(world, HOUR);
    expect(world.transitions.filter(({ what, alert }) => alert.rule === "news2" && what.startsWith("raised"))).toHaveLength(1);
  });

  it("is told when it becomes overdue while it was held", () => {
    const world = newSpotWorld();
    sendAt(world, FIVE, HOUR + 15 * MINUTE - 10_000);
    expect(listScores(world)).toEqual([]);
    advance(world, MINUTE);
    expect(listScores(world)).toEqual(["medium"]);
  });

  it("is history when it is older than any interval, or not urgent", () => {
    for (const [values, ago] of [
      [SEVEN, 13 * HOUR],
      [WELL, 13 * HOUR],
    ] as const) {
      const world = newSpotWorld();
      sendAt(world, values, ago);
      advance(world, HOUR);
      expect(listScores(world)).toEqual([]);
    }
  });

  it("is not told of a set that was judged in its time, nor by a memory of before", () => {
    const world = newSpotWorld();
    sendAt(world, WELL, 0);
    advance(world, 20 * HOUR);
    applyInput(world, { kind: "tick" });
    expect(listScores(world)).toEqual([]);
    const old = newSpotWorld();
    sendAt(old, SEVEN, 0);
    old.memory = { ...old.memory, news2: { set: old.memory.news2.set }, alerts: [] };
    advance(old, 2 * HOUR);
    applyInput(old, { kind: "tick" });
    expect(listScores(old)).toEqual([]);
  });
});

it("a set is as old as its oldest parameter, and oxygen as its newest source", () => {
  const at = (value: number, minutes: number) => ({ value, at: minutes * MINUTE });
  const set = Object.fromEntries(Object.entries(WELL).map(([code, value]) => [code, at(value, 20)]));
  const withAir = { ...set, [CODES.inspired_oxygen]: at(21, 0), [CODES.oxygen_flow]: at(2, 20) };
  expect(scoreSet(withAir, 1)).toMatchObject({ from: 20 * MINUTE, at: 20 * MINUTE });
  expect(scoreSet({ ...set, [HR]: at(80, 5) }, 1)).toMatchObject({ from: 5 * MINUTE });
});

describe("the sustained profile", () => {
  it("makes a repeat due when a monitor is taken off while a first urgent score was held", () => {
    const devices = { monitor: { silence_s: null, isContinuous: true } };
    const sustained = { repeat_ms: 30 * MINUTE };
    const world = newWorld({ limits: {}, devices, news2: NEWS2, watch: { ...SPOT, mode: "auto" }, sustained });
    const samples = Object.entries(FIVE).map(([code, value]) => createSample(code, value, world.now));
    applyInput(world, { kind: "samples", device: "monitor", samples });
    advance(world, MINUTE);
    world.config = { ...world.config, devices: {} };
    applyInput(world, { kind: "tick" });
    expect(listOpenAlerts(world)).toMatchObject([{ rule: "news2", sounds: false }]);
    advance(world, 30 * MINUTE);
    expect(listOpenAlerts(world)[0]?.sounds).not.toBe(false);
  });
});

it("a correction does not judge the value before as one of exercise", () => {
  const world = newSpotWorld();
  const run = { ...createSample(HR, 170, world.now), isExercise: true as const };
  applyInput(world, { kind: "samples", device: null, samples: [createSample(HR, 150, world.now - MINUTE), run] });
  const newest = { value: 150, at: world.now - MINUTE, received: world.now };
  applyInput(world, { kind: "corrected", code: HR, newest, isInvalidNewer: false });
  expect(world.memory.vitals[HR]).toMatchObject({ lastValue: 150, isExercise: undefined });
});

it("a correction of a partial value does not bring an earlier partial one into the score", () => {
  const world = newSpotWorld();
  const { [RR]: _, ...others } = WELL;
  sendAt(world, others, 0);
  const partial = (value: number, ago: number) =>
    applyInput(world, { kind: "samples", device: null, samples: [createSample(RR, value, world.now - ago)], isPartial: true });
  partial(26, 2 * MINUTE);
  partial(18, MINUTE);
  const newest = { value: 26, at: world.now - 2 * MINUTE, received: world.now };
  applyInput(world, { kind: "corrected", code: RR, newest, isInvalidNewer: false });
  expect(world.memory.news2.set).toBeUndefined();
});
