// Values that arrive as history: no alarm of now, an entry for a critical one.
import { describe, expect, it } from "vitest";
import {
  advance,
  applyInput,
  CONFIG,
  createSample,
  getOnlyAlert,
  HOUR,
  HR,
  HR_LIMITS,
  listOpenAlerts,
  listTransitions,
  MINUTE,
  newWorld,
  SPO2,
  START,
  sendSamples,
} from "./alerts-world.ts";

const SPOT = { mode: "spot", grace_ms: 15 * MINUTE } as const;

describe("a value that arrives late", () => {
  it("of five days ago is an entry with its true time, without a sound, until somebody acknowledges it", () => {
    const world = newWorld();
    const at = START - 5 * 24 * HOUR;
    sendSamples(world, { [SPO2]: 84 }, "monitor", at);
    expect(getOnlyAlert(world)).toMatchObject({
      rule: "late_critical",
      code: SPO2,
      priority: "medium",
      state: "active",
      sounds: false,
      why: { value: 84, side: "low", measured_at: new Date(at).toISOString() },
    });
    sendSamples(world, { [SPO2]: 97 });
    advance(world, HOUR);
    expect(listOpenAlerts(world).map(({ rule }) => rule)).toContain("late_critical");
    const { number } = listOpenAlerts(world).find(({ rule }) => rule === "late_critical") ?? { number: 0 };
    applyInput(world, { kind: "acknowledge", number, by: "nurse" });
    expect(listOpenAlerts(world).filter(({ rule }) => rule === "late_critical")).toEqual([]);
  });

  it.each([
    ["continuous", { mode: "continuous", grace_ms: 0 }, 30 * MINUTE, "limit"],
    ["continuous", { mode: "continuous", grace_ms: 0 }, 30 * MINUTE + 1, "late_critical"],
    ["spot", SPOT, 40 * MINUTE, "limit"],
    ["spot", SPOT, 75 * MINUTE, "limit"],
    ["spot", SPOT, 75 * MINUTE + 1, "late_critical"],
  ] as const)("is of the present for a %s patient (%j) by its age of %i ms: %s", (_, watch, age, rule) => {
    const world = newWorld({ watch });
    sendSamples(world, { [HR]: 30 }, null, START - age);
    expect(getOnlyAlert(world)).toMatchObject({ rule, code: HR });
  });

  it("beyond an ordinary limit is history and nothing else, also when the limits change later", () => {
    const world = newWorld();
    sendSamples(world, { [HR]: 125 }, null, START - HOUR);
    advance(world, MINUTE);
    world.config = { ...world.config, limits: { ...world.config.limits, [HR]: { ...HR_LIMITS, critical_high: 122 } } };
    applyInput(world, { kind: "tick" });
    expect(listTransitions(world)).toEqual([]);
  });

  it("does not end an alarm, the silence of a sensor, or a held value", () => {
    const world = newWorld();
    sendSamples(world, { [SPO2]: 84 });
    sendSamples(world, { [SPO2]: 97 }, "monitor", START - HOUR);
    expect(getOnlyAlert(world)).toMatchObject({ key: `limit:${SPO2}`, state: "active" });
    advance(world, 2 * HOUR);
    sendSamples(world, { [SPO2]: 97 }, "monitor", world.now - HOUR);
    expect(listOpenAlerts(world).find(({ key }) => key === `limit:${SPO2}`)).toMatchObject({ state: "active" });
  });

  it("as bulk history raises no rate alarm and one entry per vital, of the newest critical value", () => {
    const limits = { ...CONFIG.limits, [HR]: { ...HR_LIMITS, rate_per_minute: 20 } };
    const world = newWorld({ limits });
    const from = START - 10 * HOUR;
    const samples = Array.from({ length: 2_000 }, (_, i) => createSample(HR, 60 + 100 * (i % 2), from + i * 12_000));
    applyInput(world, { kind: "samples", device: "monitor", samples });
    expect(listTransitions(world)).toEqual([`raised late_critical:${HR} medium active`]);
    expect(getOnlyAlert(world).why).toMatchObject({ value: 160, measured_at: new Date(from + 1_999 * 12_000).toISOString() });
  });

  it("newer than the open entry renews it, older leaves it", () => {
    const world = newWorld();
    const at = (hours: number) => START - hours * HOUR;
    sendSamples(world, { [HR]: 30 }, null, at(5));
    sendSamples(world, { [HR]: 31 }, null, at(6));
    expect(getOnlyAlert(world).why.value).toBe(30);
    sendSamples(world, { [HR]: 32 }, null, at(4));
    expect(getOnlyAlert(world).why.value).toBe(32);
    expect(listTransitions(world)).toHaveLength(2);
  });
});
