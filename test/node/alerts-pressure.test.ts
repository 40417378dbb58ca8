// Blood pressures: one event is one alert with three values, and the alerts of earlier versions become one.
import { describe, expect, it } from "vitest";
import { nextDeadline } from "../../src/monitoring/alarm-rules/engine.ts";
import type { Alert } from "../../src/monitoring/alarm-rules/model.ts";
import { memoryDocument } from "../../src/monitoring/patient-object/memory/documents.ts";
import { newMonitorMemory } from "../../src/monitoring/patient-object/memory/monitor-memory.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import {
  advance,
  applyInput,
  CONFIG,
  createSample,
  getOnlyAlert,
  listOpenAlerts,
  MINUTE,
  newWorld,
  SECOND,
  sendSamples,
  type World,
} from "./alerts-world.ts";

const { systolic: SBP, diastolic: DBP, mean_pressure: MAP } = CODES;
const pressures = (systolic: number, diastolic: number, mean: number) => ({ [SBP]: systolic, [DBP]: diastolic, [MAP]: mean });
const NORMAL = pressures(120, 80, 93);
const LOW = pressures(96, 48, 64);
const CRITICAL = pressures(87, 46, 62);
const send = (world: World, values: Record<string, number>) => {
  advance(world, MINUTE);
  return sendSamples(world, values).map(({ what, alert }) => `${what} ${alert.priority} ${alert.code}`);
};

describe("a low blood pressure", () => {
  it("is one alert that names all three values, with the priority of the worst", () => {
    const world = newWorld();
    expect(send(world, CRITICAL)).toEqual([`raised high ${SBP}`]);
    expect(getOnlyAlert(world)).toMatchObject({ key: "limit:85354-9", rule: "limit", code: SBP });
    expect(getOnlyAlert(world).why).toEqual({
      value: 87,
      bound: 90,
      side: "low",
      window_s: 0,
      values: [
        { code: SBP, value: 87 },
        { code: MAP, value: 62 },
        { code: DBP, value: 46 },
      ],
      text:
        "Blood pressure systolic 87, mean 62, diastolic 46 mm[Hg]: systolic is at or below the critical limit 90, " +
        "mean is at or below the limit 64",
    });
  });

  it("is raised, worsened, acknowledged and ended once", () => {
    const world = newWorld();
    expect(send(world, LOW)).toEqual([`raised medium ${MAP}`]);
    expect(send(world, LOW)).toEqual([]);
    expect(send(world, CRITICAL)).toEqual([`raised_priority high ${SBP}`]);
    applyInput(world, { kind: "acknowledge", number: 1, by: "nurse" });
    expect(send(world, CRITICAL)).toEqual([]);
    expect(send(world, { ...NORMAL, [MAP]: 64 })).toEqual([]);
    expect(send(world, NORMAL)).toEqual([`cleared high ${SBP}`]);
    expect(listOpenAlerts(world)).toEqual([]);
    // The twin: alerts per value would be three of each.
    expect(world.transitions.filter(({ what }) => what === "raised")).toHaveLength(1);
  });

  it("latches as one alert", () => {
    const world = newWorld();
    send(world, CRITICAL);
    expect(send(world, NORMAL)).toEqual([`recovered high ${SBP}`]);
    expect(send(world, LOW)).toEqual([`raised high ${MAP}`]);
  });

  it("is signalled again when it goes to the other side, and not by a further value of the same priority", () => {
    const world = newWorld();
    expect(send(world, { ...NORMAL, [MAP]: 64 })).toEqual([`raised medium ${MAP}`]);
    expect(send(world, LOW)).toEqual([]);
    expect(send(world, pressures(190, 112, 138))).toEqual([`raised medium ${DBP}`]);
    expect(getOnlyAlert(world)).toMatchObject({ number: 1, why: { side: "high", value: 112 } });
  });

  it("does not flap when one value is low and another high", () => {
    const world = newWorld();
    expect(send(world, pressures(225, 45, 64))).toEqual([`raised high ${SBP}`]);
    for (let i = 0; i < 20; i += 1) expect(send(world, pressures(225, 45, 64))).toEqual([]);
  });

  it("is the same whatever the order of its values in a batch of several times", () => {
    const events = (reverse: boolean) => {
      const world = newWorld();
      advance(world, 10 * MINUTE);
      const samples = [LOW, NORMAL, CRITICAL, NORMAL].flatMap((values, i) =>
        Object.entries(values).map(([code, value]) => createSample(code, value, world.now - (4 - i) * MINUTE)),
      );
      applyInput(world, { kind: "samples", device: "monitor", samples: reverse ? samples.reverse() : samples });
      return world.transitions.map(({ what, alert }) => `${what} ${alert.priority}`);
    };
    expect(events(false)).toEqual(["raised medium", "cleared medium", "raised high", "recovered high"]);
    expect(events(true)).toEqual(events(false));
  });

  it("ends by resolving until new values come, by corrected values and with its limits", () => {
    const world = newWorld({ monitoring: "home" });
    send(world, CRITICAL);
    applyInput(world, { kind: "resolve", number: 1, by: "nurse" });
    advance(world, 5 * MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
    expect(send(world, CRITICAL)).toEqual([`raised high ${SBP}`]);
    for (const [code, value] of Object.entries(NORMAL))
      applyInput(world, {
        kind: "corrected",
        code,
        newest: { value, at: world.now, received: world.now },
        isInvalidNewer: false,
      });
    expect(getOnlyAlert(world).state).toBe("recovered");
    const other = newWorld();
    send(other, LOW);
    other.config = { ...CONFIG, limits: {} };
    applyInput(other, { kind: "tick" });
    expect(listOpenAlerts(other)).toEqual([]);
  });
});

describe("the alerts that each pressure had before", () => {
  const old = (number: number, code: string, change: Partial<Alert>): Alert => ({
    number,
    key: `limit:${code}`,
    rule: "limit",
    code,
    device: null,
    priority: "medium",
    state: "active",
    why: { value: 48, bound: 50, side: "low", window_s: 0, text: "" },
    raised_at: 0,
    acknowledged_at: null,
    acknowledged_by: null,
    assigned_to: null,
    tier: 0,
    escalate_at: null,
    repeat_at: null,
    snoozed_until: null,
    recovered_at: null,
    cleared_at: null,
    ...change,
  });
  /** A stored memory with the values and these alerts, as an earlier version wrote it. */
  const stored = (alerts: Alert[], values: Record<string, number>): World => {
    const world = newWorld();
    const vitals = Object.entries(values).map(([code, lastValue]) => [
      code,
      { lastValue, measuredAt: world.now, receivedAt: world.now, side: "low" as const, onsetAt: world.now },
    ]);
    const alarm = { ...world.memory, lastAlertNumber: 3, vitals: Object.fromEntries(vitals), alerts };
    return { ...world, memory: memoryDocument.read(memoryDocument.write({ ...newMonitorMemory(world.now), alarm })).alarm };
  };

  it("become one: the worst stays with its acknowledgement, the others are cleared", () => {
    const acknowledged = { state: "acknowledged", acknowledged_at: 1, acknowledged_by: "nurse" } as const;
    const world = stored([old(1, DBP, {}), old(2, SBP, { priority: "high", ...acknowledged }), old(3, MAP, {})], CRITICAL);
    applyInput(world, { kind: "tick" });
    expect(world.transitions.map(({ what, alert }) => `${what} ${alert.number}`).sort()).toEqual(["cleared 1", "cleared 3"]);
    expect(getOnlyAlert(world)).toMatchObject({
      number: 2,
      key: "limit:85354-9",
      state: "acknowledged",
      acknowledged_by: "nurse",
    });
    expect(send(world, CRITICAL)).toEqual([]);
    expect(send(world, NORMAL)).toEqual([`cleared high ${SBP}`]);
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("that have recovered stay recovered, and end when their values are normal already", () => {
    const latched = stored([old(1, SBP, { priority: "high", state: "recovered" })], NORMAL);
    applyInput(latched, { kind: "tick" });
    expect(getOnlyAlert(latched)).toMatchObject({ key: "limit:85354-9", state: "recovered" });
    const over = stored([old(1, DBP, {})], NORMAL);
    applyInput(over, { kind: "tick" });
    expect(send(over, NORMAL)).toEqual([]);
    expect(listOpenAlerts(over)).toEqual([]);
  });

  it("are merged again by nothing: a second run changes nothing, and no deadline is left", () => {
    const world = stored([old(1, DBP, {}), old(2, SBP, { priority: "high" })], CRITICAL);
    applyInput(world, { kind: "tick" });
    expect(applyInput(world, { kind: "tick" })).toEqual([]);
    advance(world, SECOND);
    const deadline = nextDeadline(world.memory, world.config);
    expect(deadline === null || deadline > world.now).toBe(true);
  });
});
