// A NEWS2 score over time: complete, overdue with its number, and an alarm that does not end by ageing.
import { describe, expect, it } from "vitest";
import { getTakenScore } from "../../src/monitoring/alarm-rules/news2-rule.ts";
import { resolveWatch } from "../../src/monitoring/alarm-rules/watch.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { judgeScore } from "../../src/monitoring/vitals/freshness.ts";
import {
  advance,
  applyInput,
  HOUR,
  HR,
  listOpenAlerts,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SECOND,
  SPO2,
  START,
  sendSamples,
  TEMP,
  type World,
} from "./alerts-world.ts";

const WELL = { [RR]: 16, [SPO2]: 97, [CODES.inspired_oxygen]: 21, [SBP]: 120, [HR]: 80, [CODES.consciousness]: 0, [TEMP]: 37 };
const EIGHT = { ...WELL, [RR]: 25, [SPO2]: 92, [HR]: 115, [TEMP]: 38.5 };
const SPOT = { mode: "spot", grace_ms: 15 * MINUTE } as const;
const newSpotWorld = (watch: { mode: "spot" | "continuous"; grace_ms: number } = SPOT) =>
  newWorld({ monitoring: "home", limits: {}, news2: { scale: 1, window_ms: 30 * MINUTE }, watch });

function scoreNow({ memory, config, now }: World) {
  const taken = getTakenScore(memory, config);
  if (!taken) return null;
  const { overdueSince } = judgeScore(resolveWatch(memory, config, now), taken, now);
  return { score: taken.score, at: taken.at, isOverdue: overdueSince !== null };
}

describe("a score", () => {
  it("of a spot patient holds for the RCP's interval and the grace, then keeps its number and time", () => {
    const world = newSpotWorld();
    sendSamples(world, { ...WELL, [TEMP]: 38.5 }, null);
    advance(world, 6 * HOUR + 15 * MINUTE);
    expect(scoreNow(world)).toEqual({ score: 1, at: START, isOverdue: false });
    advance(world, 1);
    expect(scoreNow(world)).toEqual({ score: 1, at: START, isOverdue: true });
  });

  it("and its alarm do not change by ageing", () => {
    const world = newSpotWorld();
    sendSamples(world, EIGHT, null);
    advance(world, 24 * HOUR);
    expect(scoreNow(world)).toEqual({ score: 8, at: START, isOverdue: true });
    expect(listOpenAlerts(world)).toMatchObject([{ key: "news2", priority: "high", state: "active" }]);
    sendSamples(world, WELL, null);
    advance(world, 5 * MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("is neither changed nor renewed by values of another time", () => {
    const world = newSpotWorld();
    sendSamples(world, EIGHT, null);
    advance(world, HOUR);
    sendSamples(world, { [HR]: 80, [RR]: 16, [SPO2]: 97 }, null);
    advance(world, 10 * MINUTE);
    expect(scoreNow(world)).toEqual({ score: 8, at: START, isOverdue: true });
    expect(listOpenAlerts(world)).toMatchObject([{ key: "news2" }]);
  });

  it("of a continuous patient is overdue when its oldest value is half an hour old", () => {
    const world = newSpotWorld({ mode: "continuous", grace_ms: 15 * MINUTE });
    sendSamples(world, WELL, null);
    advance(world, 29 * MINUTE);
    sendSamples(world, { [HR]: 95 }, null);
    expect(scoreNow(world)).toEqual({ score: 1, at: START + 29 * MINUTE, isOverdue: false });
    advance(world, MINUTE + 1);
    expect(scoreNow(world)).toMatchObject({ isOverdue: true });
  });

  it("that was never complete is none", () => {
    const world = newSpotWorld();
    const { [TEMP]: _, ...others } = WELL;
    sendSamples(world, others, null);
    expect(scoreNow(world)).toBeNull();
    advance(world, HOUR);
    sendSamples(world, { [TEMP]: 37 }, null);
    expect(scoreNow(world)).toBeNull();
  });

  it("follows a correction of its set, also when newer values have come", () => {
    const world = newSpotWorld();
    sendSamples(world, EIGHT, null);
    advance(world, HOUR);
    sendSamples(world, { [HR]: 80 }, null);
    applyInput(world, { kind: "corrected_set", code: HR, at: START, value: 85 });
    expect(scoreNow(world)).toMatchObject({ score: 6, at: START });
    applyInput(world, { kind: "corrected_set", code: HR, at: START + SECOND, value: 180 });
    expect(scoreNow(world)).toMatchObject({ score: 6 });
    applyInput(world, { kind: "corrected_set", code: HR, at: START, value: null });
    expect(scoreNow(world)).toBeNull();
  });
});
