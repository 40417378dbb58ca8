// One event is one alarm: three points in one parameter, and the alarm of that vital's own limits.
import { describe, expect, it } from "vitest";
import { nextDeadline } from "../../src/monitoring/alarm-rules/engine.ts";
import { CODES, getDefaultLimits } from "../../src/monitoring/vitals/catalogue.ts";
import {
  advance,
  applyInput,
  HR,
  listOpenAlerts,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SPO2,
  sendSamples,
  TEMP,
  type World,
} from "./alerts-world.ts";

const WELL = { [RR]: 16, [SPO2]: 97, [CODES.inspired_oxygen]: 21, [SBP]: 120, [HR]: 80, [CODES.consciousness]: 0, [TEMP]: 37 };
const newSpotWorld = (limits = getDefaultLimits("adult")) =>
  newWorld({
    monitoring: "home",
    limits,
    news2: { scale: 1, window_ms: 30 * MINUTE },
    watch: { mode: "spot", grace_ms: 15 * MINUTE },
  });
const listRules = (world: World) => listOpenAlerts(world).map(({ rule }) => rule);

/** A full set, and the time in which an urgent score is held. */
function chart(world: World, change: Record<string, number>): void {
  sendSamples(world, { ...WELL, ...change }, null);
  advance(world, MINUTE);
}

describe("three points in one parameter", () => {
  it("are told by the alarm of its limits alone", () => {
    const world = newSpotWorld();
    chart(world, { [SBP]: 88 });
    expect(listRules(world)).toEqual(["limit"]);
    expect(nextDeadline(world.memory, world.config)).toBeGreaterThan(world.now);
  });

  it("are alarmed where nothing else tells them", () => {
    const world = newSpotWorld({});
    chart(world, { [SBP]: 88 });
    expect(listRules(world)).toEqual(["news2"]);
  });

  it("in two parameters are more than either alarm", () => {
    const world = newSpotWorld();
    chart(world, { [SBP]: 88, [RR]: 26 });
    expect(listRules(world).toSorted()).toEqual(["limit", "limit", "news2"]);
  });

  it("stay told when a newer value ends the alarm of the limits, until another set has them", () => {
    const world = newSpotWorld();
    chart(world, { [SBP]: 88 });
    const [alert] = listOpenAlerts(world);
    applyInput(world, { kind: "acknowledge", number: alert?.number ?? 0, by: "nurse" });
    advance(world, 40 * MINUTE);
    sendSamples(world, { [SBP]: 120 }, null);
    advance(world, MINUTE);
    expect(listRules(world)).toEqual([]);
    world.config = { ...world.config, limits: {} };
    chart(world, { [RR]: 8 });
    expect(listRules(world)).toEqual(["news2"]);
  });
});
