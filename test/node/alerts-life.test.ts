// The life cycle of an alert from raised to cleared; one scenario per test.
import { describe, expect, it } from "vitest";
import { MAX_ALERT_ACTIONS } from "../../src/monitoring/alarm-rules/alert-lifecycle.ts";
import { AlarmError, stepAlarms } from "../../src/monitoring/alarm-rules/engine.ts";
import type { AlarmInput } from "../../src/monitoring/alarm-rules/model.ts";
import {
  advance,
  applyInput,
  getOnlyAlert,
  HOUR,
  HR,
  heartRate,
  listOpenAlerts,
  listTransitions,
  MINUTE,
  newWorld,
  SECOND,
  START,
  sendRepeatedly,
  sendSamples,
} from "./alerts-world.ts";

describe("the life of an alert", () => {
  const critical = () => {
    const world = newWorld({ monitoring: "home" });
    sendSamples(world, { [HR]: 150 });
    return world;
  };

  it("latches a high limit alert that recovers unacknowledged", () => {
    const world = critical();
    sendRepeatedly(world, MINUTE, SECOND, heartRate(80));
    expect(getOnlyAlert(world)).toMatchObject({
      state: "recovered",
      recovered_at: START + 10 * SECOND,
      escalate_at: null,
      repeat_at: null,
    });
    advance(world, 24 * HOUR);
    expect(getOnlyAlert(world).state).toBe("recovered");
    expect(applyInput(world, { kind: "acknowledge", number: 1, by: "nurse" }).map(({ what, by }) => [what, by])).toEqual([
      ["acknowledged", "nurse"],
      ["cleared", null],
    ]);
    expect(listOpenAlerts(world)).toEqual([]);
    expect(listTransitions(world)).not.toContainEqual(expect.stringContaining("escalated"));
  });

  it("clears a high limit alert that was acknowledged when it recovers", () => {
    const world = critical();
    applyInput(world, { kind: "acknowledge", number: 1, by: "nurse" });
    sendRepeatedly(world, MINUTE, SECOND, heartRate(80));
    expect(listOpenAlerts(world)).toEqual([]);
    expect(world.transitions.at(-1)).toMatchObject({
      what: "cleared",
      alert: { acknowledged_by: "nurse", acknowledged_at: START },
    });
  });

  it("becomes active again when a latched condition comes back", () => {
    const world = critical();
    sendRepeatedly(world, MINUTE, SECOND, heartRate(80));
    sendRepeatedly(world, MINUTE, SECOND, heartRate(125));
    expect(getOnlyAlert(world)).toMatchObject({
      number: 1,
      state: "active",
      priority: "high",
      recovered_at: null,
      raised_at: START,
    });
  });

  it("ends in one legal state when it is acknowledged and recovers in one millisecond", () => {
    for (const acknowledgedFirst of [true, false]) {
      const world = critical();
      advance(world, SECOND);
      sendSamples(world, { [HR]: 80 });
      world.now += 10 * SECOND;
      const acts: AlarmInput[] = [{ kind: "acknowledge", number: 1, by: "nurse" }, { kind: "tick" }];
      for (const input of acknowledgedFirst ? acts : acts.reverse()) applyInput(world, input);
      expect(listOpenAlerts(world)).toEqual([]);
      expect(world.transitions.at(-1)).toMatchObject({ what: "cleared", alert: { state: "cleared", acknowledged_by: "nurse" } });
    }
  });

  it("keeps the first acknowledgement", () => {
    const world = critical();
    applyInput(world, { kind: "acknowledge", number: 1, by: "nurse" });
    expect(applyInput(world, { kind: "acknowledge", number: 1, by: "doctor" })).toEqual([]);
    expect(getOnlyAlert(world).acknowledged_by).toBe("nurse");
  });

  it("refuses acts on alerts that never were or are over, and changes nothing", () => {
    const world = critical();
    applyInput(world, { kind: "resolve", number: 1, by: "nurse" });
    const kinds: AlarmInput[] = [
      { kind: "acknowledge", number: 1, by: "nurse" },
      { kind: "assign", number: 1, by: "nurse", to: "doctor" },
      { kind: "snooze", number: 1, by: "nurse", until: world.now + MINUTE },
      { kind: "resolve", number: 1, by: "nurse" },
    ];
    const refused = (input: AlarmInput) => {
      try {
        stepAlarms(world.memory, input, world.config, world.now);
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
    advance(world, 5 * MINUTE);
    expect(getOnlyAlert(world).tier).toBe(2);
    applyInput(world, { kind: "acknowledge", number: 1, by: "nurse" });
    advance(world, HOUR);
    const escalated = world.transitions.filter(({ what }) => what === "escalated");
    expect(escalated.map(({ at, alert }) => [at - START, alert.tier])).toEqual([
      [2 * MINUTE, 1],
      [5 * MINUTE, 2],
    ]);
  });

  it("reports every tier that a late timer missed, and repeats once", () => {
    const world = critical();
    world.now += 40 * MINUTE;
    const reported = applyInput(world, { kind: "tick" }).map(({ what, alert }) => `${what} ${alert.tier}`);
    expect(reported).toEqual(["escalated 1", "escalated 2", "escalated 3", "repeated 3"]);
    expect(getOnlyAlert(world)).toMatchObject({ escalate_at: null, repeat_at: world.now + 15 * MINUTE });
  });

  it("restarts its escalation when it gets worse", () => {
    const world = newWorld({ monitoring: "home" });
    sendRepeatedly(world, 11 * MINUTE, SECOND, heartRate(125));
    expect(getOnlyAlert(world).tier).toBe(1);
    sendSamples(world, { [HR]: 150 });
    expect(getOnlyAlert(world)).toMatchObject({ tier: 0, escalate_at: world.now + 2 * MINUTE });
  });

  it("repeats while it continues, acknowledged or not", () => {
    const world = critical();
    applyInput(world, { kind: "acknowledge", number: 1, by: "nurse" });
    advance(world, HOUR);
    expect(world.transitions.filter(({ what }) => what === "repeated").map(({ at }) => (at - START) / MINUTE)).toEqual([
      15, 30, 45, 60,
    ]);
  });

  it("is quiet while it is snoozed, for four hours at most", () => {
    const world = critical();
    applyInput(world, { kind: "snooze", number: 1, by: "nurse", until: START + 30 * MINUTE });
    advance(world, 30 * MINUTE - 1);
    expect(listTransitions(world)).toHaveLength(2);
    advance(world, 6 * MINUTE);
    const after = world.transitions.slice(2).map(({ what, at }) => [what, (at - START) / MINUTE]);
    expect(after).toEqual([
      ["escalated", 30],
      ["repeated", 30],
      ["escalated", 33],
    ]);
    expect(getOnlyAlert(world).snoozed_until).toBe(null);
    applyInput(world, { kind: "snooze", number: 1, by: "nurse", until: START + 100 * HOUR });
    expect(getOnlyAlert(world).snoozed_until).toBe(world.now + 4 * HOUR);
  });

  it("can be snoozed a hundred times, and every snooze can be ended", () => {
    const world = critical();
    const snooze = (until: number) => applyInput(world, { kind: "snooze", number: 1, by: "nurse", until }).length;
    for (let i = 0; i < MAX_ALERT_ACTIONS; i++) expect(snooze(world.now + HOUR)).toBe(1);
    expect(() => snooze(world.now + HOUR)).toThrow(AlarmError);
    expect(snooze(world.now)).toBe(1);
    expect(getOnlyAlert(world)).toMatchObject({ snoozed_until: null, actions: MAX_ALERT_ACTIONS });
    // Nothing to end: no event.
    expect(snooze(world.now)).toBe(0);
  });

  it("breaks the snooze when it gets worse", () => {
    const world = newWorld();
    sendRepeatedly(world, 20 * SECOND, SECOND, heartRate(125));
    applyInput(world, { kind: "snooze", number: 1, by: "nurse", until: world.now + HOUR });
    sendSamples(world, { [HR]: 150 });
    expect(getOnlyAlert(world)).toMatchObject({ snoozed_until: null, escalate_at: world.now + 2 * MINUTE });
  });

  it("is assigned and given back", () => {
    const world = critical();
    applyInput(world, { kind: "assign", number: 1, by: "nurse", to: "doctor" });
    expect(getOnlyAlert(world)).toMatchObject({ assigned_to: "doctor", state: "active" });
    applyInput(world, { kind: "assign", number: 1, by: "doctor", to: null });
    expect(getOnlyAlert(world).assigned_to).toBe(null);
    expect(applyInput(world, { kind: "assign", number: 1, by: "doctor", to: null })).toEqual([]);
  });

  it("is raised after it was resolved by new values alone, with a new number", () => {
    const world = critical();
    applyInput(world, { kind: "resolve", number: 1, by: "nurse" });
    expect(world.transitions.at(-1)).toMatchObject({ what: "cleared", by: "nurse" });
    advance(world, MINUTE);
    applyInput(world, { kind: "tick" });
    expect(listOpenAlerts(world)).toEqual([]);
    sendSamples(world, { [HR]: 150 });
    expect(getOnlyAlert(world).number).toBe(2);
  });
});
