// Reminders of an open alert under changed settings, and which changes of a flapping alert people are told of.
import { describe, expect, it } from "vitest";
import { toAlarmNotice } from "../../src/monitoring/alarm-rules/alarm-notice.ts";
import { MAX_NOTIFIED_PER_HOUR } from "../../src/monitoring/alarm-rules/raise-counts.ts";
import {
  advance,
  applyInput,
  CONFIG,
  getOnlyAlert,
  HR,
  heartRate,
  MINUTE,
  newWorld,
  SECOND,
  START,
  sendRepeatedly,
  sendSamples,
  type World,
} from "./alerts-world.ts";

/** New minutes of high alerts, as a changed configuration of the patient's object brings them. */
function setMinutes(world: World, high: number[], repeat: number | null = 15) {
  world.config = {
    ...world.config,
    escalation: { ...CONFIG.escalation, high },
    repeat_minutes: { ...CONFIG.repeat_minutes, high: repeat },
  };
  return applyInput(world, { kind: "tick" }).map(({ what, alert }) => `${what} ${alert.tier}`);
}
const critical = () => {
  const world = newWorld({ monitoring: "home" });
  sendSamples(world, { [HR]: 150 });
  return world;
};
const minutesTo = (time: number | null) => time && (time - START) / MINUTE;

describe("the reminders of an open alert", () => {
  it("follow longer and shorter minutes, counted from when it was raised", () => {
    const world = critical();
    advance(world, MINUTE);
    expect(setMinutes(world, [7, 9], 30)).toEqual([]);
    expect(minutesTo(getOnlyAlert(world).escalate_at)).toBe(7);
    expect(minutesTo(getOnlyAlert(world).repeat_at)).toBe(30);
    expect(setMinutes(world, [4], null)).toEqual([]);
    expect(minutesTo(getOnlyAlert(world).escalate_at)).toBe(4);
    expect(getOnlyAlert(world).repeat_at).toBeNull();
  });

  it("are due at once when their time has passed, each once", () => {
    const world = critical();
    advance(world, 1.5 * MINUTE);
    expect(setMinutes(world, [1, 60], 1)).toEqual(["escalated 1", "repeated 1"]);
    expect(setMinutes(world, [1, 60], 1)).toEqual([]);
    expect(minutesTo(getOnlyAlert(world).escalate_at)).toBe(60);
    // A tier that was reached is not told again when its minutes change.
    expect(setMinutes(world, [5, 60], 30)).toEqual([]);
    expect(getOnlyAlert(world).tier).toBe(1);
  });

  it("end with the last tier of shorter settings, and go on with longer ones", () => {
    const world = critical();
    advance(world, 6 * MINUTE);
    expect(getOnlyAlert(world).tier).toBe(2);
    setMinutes(world, [3]);
    expect(getOnlyAlert(world).escalate_at).toBeNull();
    setMinutes(world, [3, 4, 8]);
    expect(minutesTo(getOnlyAlert(world).escalate_at)).toBe(8);
  });

  it("keep the delay of a snooze", () => {
    const world = critical();
    applyInput(world, { kind: "snooze", number: 1, by: "nurse", until: START + 20 * MINUTE });
    advance(world, 20 * MINUTE);
    expect(getOnlyAlert(world).tier).toBe(1);
    expect(minutesTo(getOnlyAlert(world).escalate_at)).toBe(23);
  });

  it("keep the times of an alert of before the settings existed", () => {
    const world = critical();
    const [alert] = world.memory.alerts;
    Object.assign(alert ?? {}, { escalates_from: undefined, repeats_from: undefined });
    setMinutes(world, [60]);
    expect(minutesTo(getOnlyAlert(world).escalate_at)).toBe(2);
  });
});

describe("a flapping alert", () => {
  const flap = (world: World, minutes: number) => {
    for (let i = 0; i < minutes; i++) {
      sendSamples(world, { [HR]: 150 });
      sendRepeatedly(world, MINUTE, SECOND, heartRate(80));
    }
  };
  const toldRaises = (world: World) =>
    world.transitions.filter((transition) => toAlarmNotice(transition)?.kind === "alert.raised").length;

  it("is told a bounded number of times in an hour, and raised more often", () => {
    const world = critical();
    world.now = Math.ceil(START / (60 * MINUTE)) * 60 * MINUTE;
    const before = toldRaises(world);
    flap(world, 40);
    expect(world.transitions.filter(({ what }) => what === "raised").length).toBeGreaterThan(30);
    expect(toldRaises(world) - before).toBe(MAX_NOTIFIED_PER_HOUR);
  });

  it("is told again when it comes back after an acknowledgement", () => {
    const world = critical();
    world.now = Math.ceil(START / (60 * MINUTE)) * 60 * MINUTE;
    flap(world, 20);
    applyInput(world, { kind: "acknowledge", number: getOnlyAlert(world).number, by: "nurse" });
    const before = toldRaises(world);
    sendSamples(world, { [HR]: 150 });
    expect(toldRaises(world) - before).toBe(1);
  });
});
