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
  type World,
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

  describe("and is older than the newest value of its vital, inside of the window", () => {
    const newSpotWorld = () => newWorld({ watch: SPOT });
    const listRules = (world: World) => listOpenAlerts(world).map(({ rule }) => rule);

    it("is an entry with its true time, once", () => {
      const world = newSpotWorld();
      sendSamples(world, { [SPO2]: 97 }, null, START - 10 * MINUTE);
      const at = START - 30 * MINUTE;
      sendSamples(world, { [SPO2]: 84 }, null, at);
      const entry = {
        rule: "late_critical",
        code: SPO2,
        sounds: false,
        why: { value: 84, measured_at: new Date(at).toISOString() },
      };
      expect(getOnlyAlert(world)).toMatchObject(entry);
      sendSamples(world, { [SPO2]: 84 }, null, at);
      expect(listTransitions(world)).toHaveLength(1);
    });

    it("is no entry when the alarm of its event was raised, before or after it was acknowledged", () => {
      const world = newSpotWorld();
      sendSamples(world, { [SPO2]: 97 });
      advance(world, MINUTE);
      sendSamples(world, { [SPO2]: 84 });
      const { number } = getOnlyAlert(world);
      sendSamples(world, { [SPO2]: 85 }, null, world.now - 30_000);
      expect(listRules(world)).toEqual(["limit"]);
      applyInput(world, { kind: "acknowledge", number, by: "nurse" });
      advance(world, 10 * MINUTE);
      sendSamples(world, { [SPO2]: 97 });
      advance(world, 5 * MINUTE);
      sendSamples(world, { [SPO2]: 97 });
      advance(world, MINUTE);
      expect(listRules(world)).toEqual([]);
      sendSamples(world, { [SPO2]: 83 }, null, START + 5 * MINUTE);
      expect(listRules(world)).toEqual([]);
    });

    it("is an entry when a usual value lies between it and the alarm, or it is beyond the other limit", () => {
      const world = newSpotWorld();
      sendSamples(world, { [HR]: 30 });
      advance(world, 40 * MINUTE);
      sendSamples(world, { [HR]: 80 });
      advance(world, 10 * MINUTE);
      sendSamples(world, { [HR]: 145 }, null, START + 20 * MINUTE);
      expect(listOpenAlerts(world).find(({ rule }) => rule === "late_critical")?.why).toMatchObject({ value: 145, side: "high" });
      sendSamples(world, { [HR]: 30 }, null, START + 35 * MINUTE);
      expect(listOpenAlerts(world).find(({ rule }) => rule === "late_critical")?.why).toMatchObject({ value: 30, side: "low" });
    });

    it("is no entry when the value must last, and a newer one shows that it did not", () => {
      const world = newWorld({ watch: SPOT, critical_delay_s: { [HR]: 60 } });
      sendSamples(world, { [HR]: 80 });
      sendSamples(world, { [HR]: 145 }, "wearable", START - 30_000);
      expect(listRules(world)).toEqual([]);
      sendSamples(world, { [HR]: 145 }, "wearable", START - 2 * MINUTE);
      expect(listRules(world)).toEqual(["late_critical"]);
    });

    it("is an entry again when the alarm was of a value entered in error", () => {
      const world = newSpotWorld();
      sendSamples(world, { [SPO2]: 84 });
      advance(world, MINUTE);
      const newest = { value: 97, at: world.now, received: world.now };
      sendSamples(world, { [SPO2]: 97 });
      applyInput(world, { kind: "corrected", code: SPO2, newest, isInvalidNewer: false });
      sendSamples(world, { [SPO2]: 83 }, null, START + 1);
      expect(listRules(world)).toContain("late_critical");
    });
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
