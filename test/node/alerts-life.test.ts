// The life of an alert, from raised to cleared, one scenario a line.
import { describe, expect, it } from "vitest";
import { AlarmError, step } from "../../src/alerts/engine.ts";
import type { AlarmInput } from "../../src/alerts/model.ts";
import {
  act,
  HOUR,
  HR,
  heartRate,
  MINUTE,
  newWorld,
  one,
  open,
  pass,
  SECOND,
  START,
  send,
  sendFor,
  whats,
} from "./alerts-world.ts";

describe("the life of an alert", () => {
  const critical = () => {
    const world = newWorld({ monitoring: "home" });
    send(world, { [HR]: 150 });
    return world;
  };

  it("latches a high limit alert that recovers unacknowledged", () => {
    const world = critical();
    sendFor(world, MINUTE, SECOND, heartRate(80));
    expect(one(world)).toMatchObject({
      state: "recovered",
      recovered_at: START + 10 * SECOND,
      escalate_at: null,
      repeat_at: null,
    });
    pass(world, 24 * HOUR);
    expect(one(world).state).toBe("recovered");
    expect(act(world, { kind: "acknowledge", number: 1, by: "nurse" }).map(({ what, by }) => [what, by])).toEqual([
      ["acknowledged", "nurse"],
      ["cleared", null],
    ]);
    expect(open(world)).toEqual([]);
    expect(whats(world)).not.toContainEqual(expect.stringContaining("escalated"));
  });

  it("clears a high limit alert that was acknowledged when it recovers", () => {
    const world = critical();
    act(world, { kind: "acknowledge", number: 1, by: "nurse" });
    sendFor(world, MINUTE, SECOND, heartRate(80));
    expect(open(world)).toEqual([]);
    expect(world.told.at(-1)).toMatchObject({ what: "cleared", alert: { acknowledged_by: "nurse", acknowledged_at: START } });
  });

  it("becomes active again when a latched condition comes back", () => {
    const world = critical();
    sendFor(world, MINUTE, SECOND, heartRate(80));
    sendFor(world, MINUTE, SECOND, heartRate(125));
    expect(one(world)).toMatchObject({ number: 1, state: "active", priority: "high", recovered_at: null, raised_at: START });
  });

  it("ends in one legal state when it is acknowledged and recovers in one millisecond", () => {
    for (const acknowledgedFirst of [true, false]) {
      const world = critical();
      pass(world, SECOND);
      send(world, { [HR]: 80 });
      world.now += 10 * SECOND;
      const acts: AlarmInput[] = [{ kind: "acknowledge", number: 1, by: "nurse" }, { kind: "tick" }];
      for (const input of acknowledgedFirst ? acts : acts.reverse()) act(world, input);
      expect(open(world)).toEqual([]);
      expect(world.told.at(-1)).toMatchObject({ what: "cleared", alert: { state: "cleared", acknowledged_by: "nurse" } });
    }
  });

  it("keeps the first acknowledgement", () => {
    const world = critical();
    act(world, { kind: "acknowledge", number: 1, by: "nurse" });
    expect(act(world, { kind: "acknowledge", number: 1, by: "doctor" })).toEqual([]);
    expect(one(world).acknowledged_by).toBe("nurse");
  });

  it("refuses acts on alerts that never were or are over, and changes nothing", () => {
    const world = critical();
    act(world, { kind: "resolve", number: 1, by: "nurse" });
    const kinds: AlarmInput[] = [
      { kind: "acknowledge", number: 1, by: "nurse" },
      { kind: "assign", number: 1, by: "nurse", to: "doctor" },
      { kind: "snooze", number: 1, by: "nurse", until: world.now + MINUTE },
      { kind: "resolve", number: 1, by: "nurse" },
    ];
    const refused = (input: AlarmInput) => {
      try {
        step(world.memory, input, world.config, world.now);
      } catch (error) {
        return error instanceof AlarmError ? error.code : error;
      }
      return "accepted";
    };
    expect(kinds.map(refused)).toEqual(["not_open", "not_open", "not_open", "not_open"]);
    for (const n of [0, 2, -1, 0.5, Number.NaN])
      expect(refused({ kind: "acknowledge", number: n, by: "nurse" })).toBe("unknown_alert");
  });

  it("escalates at its minutes to the millisecond until it is acknowledged", () => {
    const world = critical();
    pass(world, 5 * MINUTE);
    expect(one(world).tier).toBe(2);
    act(world, { kind: "acknowledge", number: 1, by: "nurse" });
    pass(world, HOUR);
    const escalated = world.told.filter(({ what }) => what === "escalated");
    expect(escalated.map(({ at, alert }) => [at - START, alert.tier])).toEqual([
      [2 * MINUTE, 1],
      [5 * MINUTE, 2],
    ]);
  });

  it("tells every tier that a late clock missed, and repeats once", () => {
    const world = critical();
    world.now += 40 * MINUTE;
    const told = act(world, { kind: "tick" }).map(({ what, alert }) => `${what} ${alert.tier}`);
    expect(told).toEqual(["escalated 1", "escalated 2", "escalated 3", "repeated 3"]);
    expect(one(world)).toMatchObject({ escalate_at: null, repeat_at: world.now + 15 * MINUTE });
  });

  it("begins its tiers anew when it gets worse", () => {
    const world = newWorld({ monitoring: "home" });
    sendFor(world, 11 * MINUTE, SECOND, heartRate(125));
    expect(one(world).tier).toBe(1);
    send(world, { [HR]: 150 });
    expect(one(world)).toMatchObject({ tier: 0, escalate_at: world.now + 2 * MINUTE });
  });

  it("repeats while it goes on, acknowledged or not", () => {
    const world = critical();
    act(world, { kind: "acknowledge", number: 1, by: "nurse" });
    pass(world, HOUR);
    expect(world.told.filter(({ what }) => what === "repeated").map(({ at }) => (at - START) / MINUTE)).toEqual([15, 30, 45, 60]);
  });

  it("is quiet while it is snoozed, for four hours at most", () => {
    const world = critical();
    act(world, { kind: "snooze", number: 1, by: "nurse", until: START + 30 * MINUTE });
    pass(world, 30 * MINUTE - 1);
    expect(whats(world)).toHaveLength(2);
    pass(world, 6 * MINUTE);
    const after = world.told.slice(2).map(({ what, at }) => [what, (at - START) / MINUTE]);
    expect(after).toEqual([
      ["escalated", 30],
      ["repeated", 30],
      ["escalated", 33],
    ]);
    expect(one(world).snoozed_until).toBe(null);
    act(world, { kind: "snooze", number: 1, by: "nurse", until: START + 100 * HOUR });
    expect(one(world).snoozed_until).toBe(world.now + 4 * HOUR);
  });

  it("breaks the snooze when it gets worse", () => {
    const world = newWorld();
    sendFor(world, 20 * SECOND, SECOND, heartRate(125));
    act(world, { kind: "snooze", number: 1, by: "nurse", until: world.now + HOUR });
    send(world, { [HR]: 150 });
    expect(one(world)).toMatchObject({ snoozed_until: null, escalate_at: world.now + 2 * MINUTE });
  });

  it("is assigned and given back", () => {
    const world = critical();
    act(world, { kind: "assign", number: 1, by: "nurse", to: "doctor" });
    expect(one(world)).toMatchObject({ assigned_to: "doctor", state: "active" });
    act(world, { kind: "assign", number: 1, by: "doctor", to: null });
    expect(one(world).assigned_to).toBe(null);
    expect(act(world, { kind: "assign", number: 1, by: "doctor", to: null })).toEqual([]);
  });

  it("is raised after it was resolved by new values alone, with a new number", () => {
    const world = critical();
    act(world, { kind: "resolve", number: 1, by: "nurse" });
    expect(world.told.at(-1)).toMatchObject({ what: "cleared", by: "nurse" });
    pass(world, MINUTE);
    act(world, { kind: "tick" });
    expect(open(world)).toEqual([]);
    send(world, { [HR]: 150 });
    expect(one(world).number).toBe(2);
  });
});
