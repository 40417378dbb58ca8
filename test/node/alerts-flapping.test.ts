// Vitals that change all the time: what their alerts write in an hour is bounded, and what a nurse must see is always shown.
import { describe, expect, it } from "vitest";
import { nextDeadline } from "../../src/monitoring/alarm-rules/engine.ts";
import type { Transition } from "../../src/monitoring/alarm-rules/model.ts";
import { MAX_RAISED_PER_HOUR } from "../../src/monitoring/alarm-rules/raise-counts.ts";
import {
  advance,
  advanceTo,
  applyInput,
  CONFIG,
  createSample,
  getOnlyAlert,
  HOUR,
  HR,
  HR_LIMITS,
  listOpenAlerts,
  MINUTE,
  newWorld,
  SECOND,
  START,
  sendSamples,
  type World,
} from "./alerts-world.ts";

/** Escalations and repeats depend on the clock alone. */
const events = (transitions: readonly Transition[]) =>
  transitions.filter(({ what }) => what !== "escalated" && what !== "repeated");

/** Sends a request of 1,000 heart rates, one per `every`, the last one measured now. */
function sendRequest(world: World, every: number, value: (index: number) => number): Transition[] {
  const samples = Array.from({ length: 1000 }, (_, i) => createSample(HR, value(i), world.now - (999 - i) * every));
  return applyInput(world, { kind: "samples", device: "monitor", samples });
}

const lowAndHigh = (i: number) => (i % 2 ? 200 : 20);
const acknowledge = (world: World) => applyInput(world, { kind: "acknowledge", number: getOnlyAlert(world).number, by: "nurse" });
const nextHour = (world: World) => advanceTo(world, (Math.floor(world.now / HOUR) + 1) * HOUR);

/** A world whose alert of the heart rate stands until the hour ends. */
function withStandingAlert(): World {
  const world = newWorld({ monitoring: "home" });
  for (let i = 0; i < 10; i++) {
    advance(world, SECOND);
    sendRequest(world, 1, lowAndHigh);
  }
  return world;
}

describe("a heart rate that is critically low and high in turn", () => {
  it("raises its alert a bounded number of times in an hour, and the alert has the latest reason", () => {
    const world = withStandingAlert();
    expect(events(world.transitions)).toHaveLength(MAX_RAISED_PER_HOUR);
    expect(getOnlyAlert(world)).toMatchObject({ state: "active", priority: "high", why: { value: 200, side: "high" } });
    sendSamples(world, { [HR]: 20 });
    expect(getOnlyAlert(world).why).toMatchObject({ value: 20, side: "low" });
    // The bound is one of the hour.
    nextHour(world);
    const before = events(world.transitions).length;
    for (let i = 0; i < 3; i++) {
      advance(world, SECOND);
      sendRequest(world, 1, lowAndHigh);
    }
    expect(events(world.transitions).length - before).toBe(MAX_RAISED_PER_HOUR);
  });

  it("must be acknowledged again after each acknowledgement and snooze, though the bound is reached", () => {
    const world = withStandingAlert();
    for (let i = 0; i < 5; i++) {
      acknowledge(world);
      advance(world, SECOND);
      const [again, ...more] = events(sendRequest(world, 1, lowAndHigh));
      expect(again).toMatchObject({ what: "raised", alert: { state: "active", acknowledged_by: null } });
      expect(more).toEqual([]);
    }
    applyInput(world, { kind: "snooze", number: 1, by: "nurse", until: world.now + HOUR });
    advance(world, SECOND);
    expect(events(sendRequest(world, 1, lowAndHigh)).map(({ what }) => what)).toEqual(["raised"]);
    expect(getOnlyAlert(world).snoozed_until).toBe(null);
  });

  it("escalates although its side goes on changing", () => {
    const world = withStandingAlert();
    for (let i = 0; i < 150; i++) {
      advance(world, SECOND);
      sendSamples(world, { [HR]: lowAndHigh(i) });
    }
    expect(getOnlyAlert(world).tier).toBe(1);
  });

  it("is a new alert at once after it was resolved", () => {
    const world = withStandingAlert();
    applyInput(world, { kind: "resolve", number: 1, by: "nurse" });
    advance(world, SECOND);
    sendSamples(world, { [HR]: 20 });
    expect(getOnlyAlert(world)).toMatchObject({ number: 2, state: "active", priority: "high" });
  });
});

describe("a heart rate that crosses a limit all the time", () => {
  const crossing = () => {
    const world = newWorld({ monitoring: "home", watch: { mode: "spot", grace_ms: 60 * MINUTE } });
    // A backlog of 100 minutes, which is of the present for this patient: each crossing lasts longer than the duration.
    for (let i = 1; i <= 10; i++) {
      advance(world, SECOND);
      const samples = Array.from({ length: 40 }, (_, k) =>
        createSample(HR, k % 2 ? 80 : 125, START - (11 - i) * 10 * MINUTE + k * 14 * SECOND),
      );
      applyInput(world, { kind: "samples", device: "monitor", samples });
    }
    return world;
  };

  it("has one alert that stays until the hour ends, and then ends with its values", () => {
    const world = crossing();
    expect(events(world.transitions).length).toBeLessThanOrEqual(2 * MAX_RAISED_PER_HOUR);
    expect(getOnlyAlert(world)).toMatchObject({ state: "active", priority: "medium", number: MAX_RAISED_PER_HOUR });
    sendSamples(world, { [HR]: 80 });
    advance(world, MINUTE);
    expect(listOpenAlerts(world)).toHaveLength(1);
    nextHour(world);
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("is raised to a higher priority at once", () => {
    const world = crossing();
    const done = sendSamples(world, { [HR]: 150 });
    expect(done.map(({ what, alert }) => `${what} ${alert.priority}`)).toEqual(["raised_priority high"]);
  });

  it("ends when it is acknowledged, and the next crossing is a new alert", () => {
    const world = crossing();
    sendSamples(world, { [HR]: 80 });
    advance(world, MINUTE);
    // The patient is watched by spot checks: one that was acknowledged waits for the next check and its grace.
    expect(acknowledge(world).map(({ what }) => what)).toEqual(["acknowledged"]);
    sendSamples(world, { [HR]: 125 });
    advance(world, MINUTE);
    sendSamples(world, { [HR]: 80 });
    advance(world, 2 * HOUR + MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
    sendSamples(world, { [HR]: 125 });
    advance(world, MINUTE);
    expect(getOnlyAlert(world)).toMatchObject({ number: MAX_RAISED_PER_HOUR + 1, state: "active" });
  });
});

it("a heart rate that rises and falls fast all the time is bounded too, and its alert ends after the hour without values", () => {
  const limits = { [HR]: { ...HR_LIMITS, rate_per_minute: 20 } };
  const world = newWorld({ monitoring: "home", limits: { ...CONFIG.limits, ...limits } });
  const steps = [60, 66, 72, 78, 84, 90, 96, 102, 108, 102, 96, 90, 84, 78, 72, 66];
  for (let i = 1; i <= 10; i++) {
    advance(world, SECOND);
    const samples = Array.from({ length: 1000 }, (_, k) =>
      createSample(HR, steps[k % steps.length] ?? 60, START - (11 - i) * 3 * HOUR + k * 10 * SECOND),
    );
    applyInput(world, { kind: "samples", device: "monitor", samples });
  }
  expect(new Set(world.transitions.map(({ alert }) => alert.key))).toEqual(new Set([`rate:${HR}`]));
  expect(events(world.transitions).length).toBeLessThanOrEqual(2 * MAX_RAISED_PER_HOUR);
  const due = nextDeadline(world.memory, world.config);
  expect(due === null || due > world.now).toBe(true);
  nextHour(world);
  expect(listOpenAlerts(world)).toEqual([]);
});
