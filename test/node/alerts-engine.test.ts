// Rules of the alarm engine for limits, time and corrections, one scenario per test, and its memory between steps.
import { describe, expect, it } from "vitest";
import { emptyMemory, nextDeadline, stepAlarms } from "../../src/monitoring/alarm-rules/engine.ts";
import { MAX_VALUE_HOLD_MS } from "../../src/monitoring/alarm-rules/limit-rule.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import {
  advance,
  applyInput,
  CONFIG,
  createSample,
  getOnlyAlert,
  HOUR,
  HR,
  HR_LIMITS,
  heartRate,
  listOpenAlerts,
  listTransitions,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SECOND,
  SPO2,
  START,
  sendRepeatedly,
  sendSamples,
  TEMP,
  type World,
} from "./alerts-world.ts";

const limitsOfHeartRate = (change: Partial<typeof HR_LIMITS>) => ({ ...CONFIG, limits: { [HR]: { ...HR_LIMITS, ...change } } });

describe("a limit", () => {
  it("raises medium after its duration, not before, and clears after its duration inside", () => {
    const world = newWorld();
    sendRepeatedly(world, 9 * SECOND, SECOND, heartRate(130));
    expect(world.transitions).toEqual([]);
    sendRepeatedly(world, 5 * SECOND, SECOND, heartRate(130));
    expect(getOnlyAlert(world)).toMatchObject({
      key: `limit:${HR}`,
      rule: "limit",
      code: HR,
      priority: "medium",
      state: "active",
      number: 1,
    });
    expect(getOnlyAlert(world).raised_at).toBe(START + 10 * SECOND);
    expect(getOnlyAlert(world).why).toEqual({
      value: 130,
      bound: 120,
      side: "high",
      window_s: 10,
      text: "Heart rate 130 /min is at or above the limit 120, for 10 s",
    });
    sendRepeatedly(world, 9 * SECOND, SECOND, heartRate(80));
    expect(listOpenAlerts(world)).toHaveLength(1);
    sendRepeatedly(world, 2 * SECOND, SECOND, heartRate(80));
    expect(listOpenAlerts(world)).toEqual([]);
    expect(listTransitions(world)).toEqual([`raised limit:${HR} medium active`, `cleared limit:${HR} medium cleared`]);
    expect(world.transitions[1]?.alert).toMatchObject({ recovered_at: START + 24 * SECOND, cleared_at: START + 24 * SECOND });
  });

  it("alarms at exactly its value", () => {
    for (const [value, raised] of [
      [119.9, 0],
      [120, 1],
      [50, 1],
      [50.1, 0],
    ] as const) {
      const world = newWorld();
      sendRepeatedly(world, 20 * SECOND, SECOND, heartRate(value));
      expect(listOpenAlerts(world), String(value)).toHaveLength(raised);
    }
  });

  it("raises an alert for a single value when its duration ends, by the clock", () => {
    const world = newWorld();
    sendSamples(world, { [HR]: 125 });
    expect(nextDeadline(world.memory, world.config)).toBe(START + 10 * SECOND);
    advance(world, MINUTE);
    expect(getOnlyAlert(world).raised_at).toBe(START + 10 * SECOND);
  });

  it("does not raise a short excursion", () => {
    const world = newWorld();
    sendRepeatedly(world, 10 * SECOND, SECOND, (i) => ({ [HR]: i < 5 ? 135 : 80 }));
    sendRepeatedly(world, MINUTE, SECOND, heartRate(80));
    expect(world.transitions).toEqual([]);
  });

  it("does not add up excursions that lie apart", () => {
    const world = newWorld();
    sendRepeatedly(world, 10 * MINUTE, SECOND, (i) => ({ [HR]: i % 60 === 0 ? 121 : 119 }));
    expect(world.transitions).toEqual([]);
  });

  it.each([40, 141, 0, 300])("raises high at once at a critical value of %i", (value) => {
    const world = newWorld();
    sendSamples(world, { [HR]: 80 });
    advance(world, SECOND);
    sendSamples(world, { [HR]: value });
    expect(getOnlyAlert(world)).toMatchObject({ priority: "high", raised_at: START + SECOND });
  });

  it.each([HR, RR])("raises the highest for 0 of %s, though the limits are off", (code) => {
    const off = { ...HR_LIMITS, critical_low: null, low: null, high: null, critical_high: null };
    const world = newWorld({ limits: { [code]: off } });
    sendSamples(world, { [code]: 0 });
    expect(getOnlyAlert(world)).toMatchObject({ priority: "high", why: { value: 0, side: "low" } });
  });

  it("raises the priority of the same alert when it becomes critical, and never lowers it", () => {
    const world = newWorld();
    sendRepeatedly(world, 20 * SECOND, SECOND, heartRate(125));
    applyInput(world, { kind: "acknowledge", number: 1, by: "nurse" });
    sendRepeatedly(world, 10 * SECOND, SECOND, heartRate(145));
    expect(getOnlyAlert(world)).toMatchObject({
      number: 1,
      priority: "high",
      state: "active",
      acknowledged_by: null,
      why: { bound: 140 },
    });
    sendRepeatedly(world, MINUTE, SECOND, heartRate(125));
    expect(getOnlyAlert(world)).toMatchObject({ number: 1, priority: "high", state: "active" });
    expect(listTransitions(world)).toEqual([
      `raised limit:${HR} medium active`,
      `acknowledged limit:${HR} medium acknowledged`,
      `raised_priority limit:${HR} high active`,
    ]);
  });

  it("requires a new acknowledgement when a value goes straight to the other limit", () => {
    const world = newWorld();
    sendRepeatedly(world, 20 * SECOND, SECOND, heartRate(125));
    applyInput(world, { kind: "acknowledge", number: 1, by: "nurse" });
    sendRepeatedly(world, 20 * SECOND, SECOND, heartRate(45));
    expect(getOnlyAlert(world)).toMatchObject({
      number: 1,
      state: "active",
      priority: "medium",
      why: { side: "low", bound: 50 },
    });
    expect(listTransitions(world).filter((what) => what.startsWith("raised"))).toHaveLength(2);
  });

  it.each([1, 2, 7, 15, 30, 60, 120])(
    "gives one alarm and one recovery for an hour of oscillation with %i s per side",
    (seconds) => {
      const world = newWorld();
      sendRepeatedly(world, 5 * MINUTE, SECOND, heartRate(80));
      sendRepeatedly(world, HOUR, SECOND, (i) => ({ [HR]: Math.floor(i / seconds) % 2 === 0 ? 121 : 119 }));
      sendRepeatedly(world, 5 * MINUTE, SECOND, heartRate(80));
      const rounds = listTransitions(world).filter((what) => !what.startsWith("escalated") && !what.startsWith("repeated"));
      expect(rounds).toEqual([`raised limit:${HR} medium active`, `cleared limit:${HR} medium cleared`]);
    },
  );

  it("ignores invalid samples", () => {
    const world = newWorld();
    applyInput(world, {
      kind: "samples",
      device: "monitor",
      samples: [createSample(SPO2, 104, START, "invalid"), createSample(HR, 0, START, "invalid")],
    });
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("evaluates changed limits against the last value with the next tick, as long as it is fresh", () => {
    const world = newWorld();
    sendSamples(world, { [HR]: 115 });
    advance(world, MINUTE);
    world.config = limitsOfHeartRate({ high: 110 });
    applyInput(world, { kind: "tick" });
    advance(world, 10 * SECOND);
    expect(getOnlyAlert(world)).toMatchObject({ priority: "medium", why: { value: 115, bound: 110 } });
    world.config = limitsOfHeartRate({ high: 130 });
    applyInput(world, { kind: "tick" });
    advance(world, 10 * SECOND);
    expect(listOpenAlerts(world)).toEqual([]);
    advance(world, MAX_VALUE_HOLD_MS);
    world.config = limitsOfHeartRate({ high: 110 });
    applyInput(world, { kind: "tick" });
    advance(world, HOUR);
    expect(world.transitions.filter(({ what, alert }) => what === "raised" && alert.rule === "limit")).toHaveLength(1);
  });

  it("ends with its limits", () => {
    const world = newWorld({ monitoring: "home" });
    sendRepeatedly(world, 20 * SECOND, SECOND, heartRate(125));
    world.config = { ...world.config, limits: {} };
    applyInput(world, { kind: "tick" });
    expect(listOpenAlerts(world)).toEqual([]);
  });
});

describe("time", () => {
  it("judges a shuffled batch in the order of measurement", () => {
    const samples = Array.from({ length: 900 }, (_, i) => createSample(HR, i >= 300 && i < 600 ? 130 : 80, START + i * SECOND));
    const judged = (input: typeof samples) =>
      stepAlarms(emptyMemory(), { kind: "samples", device: null, samples: input }, CONFIG, START + 900 * SECOND);
    const inOrder = judged(samples);
    const shuffled = judged([...samples].sort((a, b) => ((a.at * 7919) % 1009) - ((b.at * 7919) % 1009)));
    expect(shuffled).toEqual(inOrder);
    expect(inOrder.transitions.map(({ what }) => what)).toEqual(["raised", "cleared"]);
  });

  it("raises the same alarms for one batch as for live samples", () => {
    const values = Array.from({ length: 3600 }, (_, i) => 95 + 40 * Math.sin(i / 97) + 3 * Math.sin(i / 3));
    const live = newWorld({ monitoring: "home" });
    sendRepeatedly(live, HOUR, SECOND, (i) => ({ [HR]: values[i] ?? 0 }));
    // A batch of an hour is of the present for a spot patient only.
    const batch = newWorld({ monitoring: "home", watch: { mode: "spot", grace_ms: 0 } });
    batch.now += HOUR;
    const samples = values.map((value, i) => createSample(HR, value, START + i * SECOND));
    applyInput(batch, { kind: "samples", device: "monitor", samples });
    const raised = (world: World) => listTransitions(world).filter((what) => /^(raised|recovered|cleared)/.test(what));
    expect(raised(live).length).toBeGreaterThan(10);
    expect(raised(batch)).toEqual(raised(live));
  });

  it("is not changed by samples older than the newest, of which a critical one is an entry", () => {
    const world = newWorld();
    sendSamples(world, { [HR]: 80 });
    sendSamples(world, { [HR]: 125 }, "monitor", START - 2 * SECOND);
    advance(world, MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
    sendSamples(world, { [HR]: 150 }, "monitor", START - SECOND);
    expect(getOnlyAlert(world)).toMatchObject({ rule: "late_critical", sounds: false });
    expect(world.memory.vitals[HR]).toMatchObject({ lastValue: 80, measuredAt: START });
  });

  it("treats samples older than seven days as history", () => {
    const world = newWorld();
    sendSamples(world, { [HR]: 0 }, "wearable", START - 7 * 24 * HOUR - 1);
    expect(listOpenAlerts(world)).toEqual([]);
    expect(world.memory.vitals).toEqual({});
    sendSamples(world, { [HR]: 0 }, "wearable", START - 7 * 24 * HOUR);
    expect(listOpenAlerts(world)).toHaveLength(1);
  });

  it("does not let a clock that is ahead hide the next sample", () => {
    const world = newWorld();
    sendSamples(world, { [HR]: 80 }, "monitor", START + 2 * MINUTE);
    advance(world, SECOND);
    sendSamples(world, { [HR]: 150 });
    expect(getOnlyAlert(world).priority).toBe("high");
  });

  it("does nothing while the server's clock goes back", () => {
    const world = newWorld();
    sendSamples(world, { [HR]: 150 });
    world.now -= MINUTE;
    const [acknowledged] = applyInput(world, { kind: "acknowledge", number: 1, by: "nurse" });
    expect(acknowledged?.at).toBe(START);
  });

  it("leaves the memory that it was given as it was", () => {
    const world = newWorld();
    sendRepeatedly(world, MINUTE, SECOND, heartRate(150));
    const before = JSON.stringify(world.memory);
    stepAlarms(world.memory, { kind: "acknowledge", number: 1, by: "nurse" }, world.config, world.now);
    stepAlarms(
      world.memory,
      { kind: "samples", device: "monitor", samples: [createSample(HR, 80, world.now)] },
      world.config,
      world.now + HOUR,
    );
    expect(JSON.stringify(world.memory)).toBe(before);
    expect(JSON.parse(before)).toEqual(JSON.parse(JSON.stringify(JSON.parse(before))));
  });
});

describe("a correction", () => {
  const corrected = (world: World, code: string, value: number | null, ago = 0) =>
    applyInput(world, {
      kind: "corrected",
      code,
      newest: value === null ? null : { value, at: world.now - ago, received: world.now - ago },
      isInvalidNewer: false,
    }).map(({ what, alert }) => `${what} ${alert.key}`);

  it("ends the alarm of a wrongly entered value, and evaluates the next value from the start", () => {
    const world = newWorld();
    applyInput(world, { kind: "samples", device: null, samples: [createSample(TEMP, 83, world.now, "final")] });
    expect(world.memory.alerts).toMatchObject([{ key: `limit:${TEMP}`, state: "active" }]);
    world.now += MINUTE;
    // Nobody has acknowledged it: it stays visible as recovered.
    expect(corrected(world, TEMP, 38, MINUTE)).toEqual([`recovered limit:${TEMP}`]);
    world.now += HOUR;
    expect(applyInput(world, { kind: "tick" })).toEqual([]);
  });

  it("raises the alarm that the right value would have raised", () => {
    const world = newWorld();
    applyInput(world, { kind: "samples", device: null, samples: [createSample(HR, 80, world.now)] });
    world.now += MINUTE;
    expect(corrected(world, HR, 180, MINUTE)).toEqual([`raised limit:${HR}`]);
  });

  it("waits for the duration from the time of the value", () => {
    const world = newWorld();
    applyInput(world, { kind: "samples", device: null, samples: [createSample(HR, 80, world.now)] });
    world.now += 5 * SECOND;
    expect(corrected(world, HR, 125, 5 * SECOND)).toEqual([]);
    expect(nextDeadline(world.memory, world.config)).toBe(world.now + 5 * SECOND);
  });

  it("keeps an alarm that the right value deserves too", () => {
    const world = newWorld();
    applyInput(world, { kind: "samples", device: null, samples: [createSample(HR, 200, world.now)] });
    expect(corrected(world, HR, 190)).toEqual([]);
    expect(world.memory.alerts).toMatchObject([{ key: `limit:${HR}`, state: "active" }]);
  });

  it("that removes the only value of a vital ends its alarm and the score", () => {
    const world = newWorld({ news2: { scale: 1, window_ms: 30 * MINUTE } });
    const all = [createSample(HR, 200, world.now), createSample(RR, 16, world.now), createSample(SPO2, 97, world.now)];
    applyInput(world, { kind: "samples", device: null, samples: all });
    expect(corrected(world, HR, null)).toEqual([`recovered limit:${HR}`]);
    expect(world.memory.vitals[HR]).toBeUndefined();
    expect(corrected(world, HR, null)).toEqual([]);
  });

  it("ends the trend alarm of a wrong value", () => {
    const limits = { ...CONFIG.limits, [HR]: { ...HR_LIMITS, rate_per_minute: 20 } };
    const world = newWorld({ limits });
    for (const [i, value] of [60, 66, 72, 78, 84, 90, 96, 102, 108, 114].entries()) {
      applyInput(world, { kind: "samples", device: "monitor", samples: [createSample(HR, value, START + i * 11 * SECOND)] });
      world.now = START + (i + 1) * 11 * SECOND;
    }
    expect(world.memory.alerts).toMatchObject([{ key: `rate:${HR}` }]);
    expect(corrected(world, HR, 60)).toEqual([`cleared rate:${HR}`]);
  });
});

describe("the memory", () => {
  it("is JSON of less than 3.5 KB for eight vitals of a device, all rules on", () => {
    const codes = [HR, SPO2, RR, SBP, TEMP, CODES.diastolic, CODES.mean_pressure, CODES.etco2];
    const world = newWorld({
      limits: Object.fromEntries(
        codes.map((code) => [
          code,
          { ...HR_LIMITS, low: 1, critical_low: 0, high: 500, critical_high: 600, rate_per_minute: 600, trend: true },
        ]),
      ),
      news2: { scale: 1, window_ms: 30 * MINUTE },
    });
    sendRepeatedly(world, 2 * HOUR, 5 * SECOND, (i) =>
      Object.fromEntries(codes.map((code, k) => [code, 100 + k + Math.round(1000 * Math.sin(i * k)) / 100])),
    );
    const json = JSON.stringify(world.memory);
    console.info(`memory of eight vitals: ${json.length} bytes`);
    // Field names in full words account for 0.7 KB. A batch writes one row whatever its size.
    expect(json.length).toBeLessThan(3500);
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(structuredClone(world.memory))));
  });

  it("continues from JSON as from the object itself", () => {
    const direct = newWorld();
    const stored = newWorld();
    for (let i = 0; i < 3000; i += 1) {
      const values = { [HR]: 95 + 50 * Math.sin(i / 40), [SPO2]: 92 + 4 * Math.sin(i / 70) };
      for (const world of [direct, stored]) {
        advance(world, SECOND);
        sendSamples(world, values);
      }
      stored.memory = JSON.parse(JSON.stringify(stored.memory));
    }
    expect(stored.transitions).toEqual(direct.transitions);
    expect(direct.transitions.length).toBeGreaterThan(20);
  });
});
