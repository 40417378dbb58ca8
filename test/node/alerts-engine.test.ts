// The alarm engine's rules, one scenario a line.
import { describe, expect, it } from "vitest";
import { HELD_MS } from "../../src/alerts/conditions.ts";
import { AlarmError, emptyMemory, nextDeadline, step } from "../../src/alerts/engine.ts";
import type { AlarmInput, Alert } from "../../src/alerts/model.ts";
import { LOWER_MS, URGENT_MS } from "../../src/alerts/score.ts";
import { CODES } from "../../src/vitals/catalogue.ts";
import type { World } from "./alerts-world.ts";
import {
  act,
  CONFIG,
  HOUR,
  HR,
  HR_LIMITS,
  MINUTE,
  newWorld,
  open,
  pass,
  RR,
  SBP,
  SECOND,
  SPO2,
  START,
  sampleOf,
  send,
  sendFor,
  TEMP,
  whats,
} from "./alerts-world.ts";

const limitsOfHeartRate = (change: Partial<typeof HR_LIMITS>) => ({ ...CONFIG, limits: { [HR]: { ...HR_LIMITS, ...change } } });
const heartRate = (value: number) => () => ({ [HR]: value });
const one = (world: World): Alert => {
  expect(open(world)).toHaveLength(1);
  const [alert] = open(world);
  if (!alert) throw new Error("There is no open alert");
  return alert;
};

describe("a limit", () => {
  it("raises medium after its duration, not before, and clears after its duration inside", () => {
    const world = newWorld();
    sendFor(world, 9 * SECOND, SECOND, heartRate(130));
    expect(world.told).toEqual([]);
    sendFor(world, 5 * SECOND, SECOND, heartRate(130));
    expect(one(world)).toMatchObject({ key: `limit:${HR}`, rule: "limit", code: HR, priority: "medium", state: "active", n: 1 });
    expect(one(world).raised_at).toBe(START + 10 * SECOND);
    expect(one(world).why).toEqual({
      value: 130,
      bound: 120,
      side: "high",
      window_s: 10,
      text: "Heart rate 130 /min is at or above the limit 120, for 10 s",
    });
    sendFor(world, 9 * SECOND, SECOND, heartRate(80));
    expect(open(world)).toHaveLength(1);
    sendFor(world, 2 * SECOND, SECOND, heartRate(80));
    expect(open(world)).toEqual([]);
    expect(whats(world)).toEqual([`raised limit:${HR} medium active`, `cleared limit:${HR} medium cleared`]);
    expect(world.told[1]?.alert).toMatchObject({ recovered_at: START + 24 * SECOND, cleared_at: START + 24 * SECOND });
  });

  it("is met at its value", () => {
    for (const [value, raised] of [
      [119.9, 0],
      [120, 1],
      [50, 1],
      [50.1, 0],
    ] as const) {
      const world = newWorld();
      sendFor(world, 20 * SECOND, SECOND, heartRate(value));
      expect(open(world), String(value)).toHaveLength(raised);
    }
  });

  it("raises a value that stands alone when its duration is over, by the clock", () => {
    const world = newWorld();
    send(world, { [HR]: 125 });
    expect(nextDeadline(world.memory, world.config)).toBe(START + 10 * SECOND);
    pass(world, MINUTE);
    expect(one(world).raised_at).toBe(START + 10 * SECOND);
  });

  it("does not raise a short excursion", () => {
    const world = newWorld();
    sendFor(world, 10 * SECOND, SECOND, (i) => ({ [HR]: i < 5 ? 135 : 80 }));
    sendFor(world, MINUTE, SECOND, heartRate(80));
    expect(world.told).toEqual([]);
  });

  it("does not add up excursions that lie apart", () => {
    const world = newWorld();
    sendFor(world, 10 * MINUTE, SECOND, (i) => ({ [HR]: i % 60 === 0 ? 121 : 119 }));
    expect(world.told).toEqual([]);
  });

  it.each([40, 141, 0, 300])("raises high at once at a critical value of %i", (value) => {
    const world = newWorld();
    send(world, { [HR]: 80 });
    pass(world, SECOND);
    send(world, { [HR]: value });
    expect(one(world)).toMatchObject({ priority: "high", raised_at: START + SECOND });
  });

  it.each([HR, SPO2, RR])("raises the highest for 0 of %s, though the limits are off", (code) => {
    const off = { ...HR_LIMITS, critical_low: null, low: null, high: null, critical_high: null };
    const world = newWorld({ limits: { [code]: off } });
    send(world, { [code]: 0 });
    expect(one(world)).toMatchObject({ priority: "high", why: { value: 0, side: "low" } });
  });

  it("raises the priority of the same alert when it becomes critical, and never lowers it", () => {
    const world = newWorld();
    sendFor(world, 20 * SECOND, SECOND, heartRate(125));
    act(world, { kind: "acknowledge", n: 1, by: "nurse" });
    sendFor(world, 10 * SECOND, SECOND, heartRate(145));
    expect(one(world)).toMatchObject({ n: 1, priority: "high", state: "active", acknowledged_by: null, why: { bound: 140 } });
    sendFor(world, MINUTE, SECOND, heartRate(125));
    expect(one(world)).toMatchObject({ n: 1, priority: "high", state: "active" });
    expect(whats(world)).toEqual([
      `raised limit:${HR} medium active`,
      `acknowledged limit:${HR} medium acknowledged`,
      `raised_priority limit:${HR} high active`,
    ]);
  });

  it("asks anew when a value goes straight to the other limit", () => {
    const world = newWorld();
    sendFor(world, 20 * SECOND, SECOND, heartRate(125));
    act(world, { kind: "acknowledge", n: 1, by: "nurse" });
    sendFor(world, 20 * SECOND, SECOND, heartRate(45));
    expect(one(world)).toMatchObject({ n: 1, state: "active", priority: "medium", why: { side: "low", bound: 50 } });
    expect(whats(world).filter((what) => what.startsWith("raised"))).toHaveLength(2);
  });

  it.each([1, 2, 7, 15, 30, 60, 120])("has one alarm and one recovery of an hour that dithers with %i s a side", (seconds) => {
    const world = newWorld();
    sendFor(world, 5 * MINUTE, SECOND, heartRate(80));
    sendFor(world, HOUR, SECOND, (i) => ({ [HR]: Math.floor(i / seconds) % 2 === 0 ? 121 : 119 }));
    sendFor(world, 5 * MINUTE, SECOND, heartRate(80));
    const rounds = whats(world).filter((what) => !what.startsWith("escalated") && !what.startsWith("repeated"));
    expect(rounds).toEqual([`raised limit:${HR} medium active`, `cleared limit:${HR} medium cleared`]);
  });

  it("ignores invalid samples", () => {
    const world = newWorld();
    act(world, {
      kind: "samples",
      device: "monitor",
      samples: [sampleOf(SPO2, 104, START, "invalid"), sampleOf(HR, 0, START, "invalid")],
    });
    expect(open(world)).toEqual([]);
  });

  it("evaluates changed limits against the last value with the next tick, as long as it is fresh", () => {
    const world = newWorld();
    send(world, { [HR]: 115 });
    pass(world, MINUTE);
    world.config = limitsOfHeartRate({ high: 110 });
    act(world, { kind: "tick" });
    pass(world, 10 * SECOND);
    expect(one(world)).toMatchObject({ priority: "medium", why: { value: 115, bound: 110 } });
    world.config = limitsOfHeartRate({ high: 130 });
    act(world, { kind: "tick" });
    pass(world, 10 * SECOND);
    expect(open(world)).toEqual([]);
    pass(world, HELD_MS);
    world.config = limitsOfHeartRate({ high: 110 });
    act(world, { kind: "tick" });
    pass(world, HOUR);
    expect(world.told.filter(({ what, alert }) => what === "raised" && alert.rule === "limit")).toHaveLength(1);
  });

  it("ends with its limits", () => {
    const world = newWorld({ monitoring: "home" });
    sendFor(world, 20 * SECOND, SECOND, heartRate(125));
    world.config = { ...world.config, limits: {} };
    act(world, { kind: "tick" });
    expect(open(world)).toEqual([]);
  });
});

describe("time", () => {
  it("judges a shuffled batch in the order of measurement", () => {
    const samples = Array.from({ length: 900 }, (_, i) => sampleOf(HR, i >= 300 && i < 600 ? 130 : 80, START + i * SECOND));
    const judged = (input: typeof samples) =>
      step(emptyMemory(), { kind: "samples", device: null, samples: input }, CONFIG, START + 900 * SECOND);
    const inOrder = judged(samples);
    const shuffled = judged([...samples].sort((a, b) => ((a.at * 7919) % 1009) - ((b.at * 7919) % 1009)));
    expect(shuffled).toEqual(inOrder);
    expect(inOrder.transitions.map(({ what }) => what)).toEqual(["raised", "cleared"]);
  });

  it("gives one batch the alarms that the same samples gave live", () => {
    const values = Array.from({ length: 3600 }, (_, i) => 95 + 40 * Math.sin(i / 97) + 3 * Math.sin(i / 3));
    const live = newWorld({ monitoring: "home" });
    sendFor(live, HOUR, SECOND, (i) => ({ [HR]: values[i] ?? 0 }));
    const batch = newWorld({ monitoring: "home" });
    batch.now += HOUR;
    const samples = values.map((value, i) => sampleOf(HR, value, START + i * SECOND));
    act(batch, { kind: "samples", device: "monitor", samples });
    const raised = (world: World) => whats(world).filter((what) => /^(raised|recovered|cleared)/.test(what));
    expect(raised(live).length).toBeGreaterThan(10);
    expect(raised(batch)).toEqual(raised(live));
  });

  it("leaves the live state to newer samples", () => {
    const world = newWorld();
    send(world, { [HR]: 80 });
    send(world, { [HR]: 150 }, "monitor", START - SECOND);
    pass(world, MINUTE);
    expect(open(world)).toEqual([]);
    expect(world.memory.vitals[HR]).toMatchObject({ v: 80, a: START });
  });

  it("takes what was measured more than seven days ago for history", () => {
    const world = newWorld();
    send(world, { [HR]: 0 }, "wearable", START - 7 * 24 * HOUR - 1);
    expect(open(world)).toEqual([]);
    expect(world.memory.vitals).toEqual({});
    send(world, { [HR]: 0 }, "wearable", START - 7 * 24 * HOUR);
    expect(open(world)).toHaveLength(1);
  });

  it("does not let a clock that is ahead hide the next sample", () => {
    const world = newWorld();
    send(world, { [HR]: 80 }, "monitor", START + 2 * MINUTE);
    pass(world, SECOND);
    send(world, { [HR]: 150 });
    expect(one(world).priority).toBe("high");
  });

  it("stands still when the server's clock goes back", () => {
    const world = newWorld();
    send(world, { [HR]: 150 });
    world.now -= MINUTE;
    const [acknowledged] = act(world, { kind: "acknowledge", n: 1, by: "nurse" });
    expect(acknowledged?.at).toBe(START);
  });

  it("leaves the memory that it was given as it was", () => {
    const world = newWorld();
    sendFor(world, MINUTE, SECOND, heartRate(150));
    const before = JSON.stringify(world.memory);
    step(world.memory, { kind: "acknowledge", n: 1, by: "nurse" }, world.config, world.now);
    step(
      world.memory,
      { kind: "samples", device: "monitor", samples: [sampleOf(HR, 80, world.now)] },
      world.config,
      world.now + HOUR,
    );
    expect(JSON.stringify(world.memory)).toBe(before);
    expect(JSON.parse(before)).toEqual(JSON.parse(JSON.stringify(JSON.parse(before))));
  });
});

describe("a correction", () => {
  const corrected = (world: World, code: string, value: number | null, ago = 0) =>
    act(world, {
      kind: "corrected",
      code,
      newest: value === null ? null : { value, at: world.now - ago, received: world.now - ago },
    }).map(({ what, alert }) => `${what} ${alert.key}`);

  it("ends the alarm of a value that was written down wrongly, and judges the next one anew", () => {
    const world = newWorld();
    act(world, { kind: "samples", device: null, samples: [sampleOf(TEMP, 83, world.now, "final")] });
    expect(world.memory.alerts).toMatchObject([{ key: `limit:${TEMP}`, state: "active" }]);
    world.now += MINUTE;
    // Nobody has seen it: it stays to be seen, recovered.
    expect(corrected(world, TEMP, 38, MINUTE)).toEqual([`recovered limit:${TEMP}`]);
    world.now += HOUR;
    expect(act(world, { kind: "tick" })).toEqual([]);
  });

  it("raises the alarm that the right value would have raised", () => {
    const world = newWorld();
    act(world, { kind: "samples", device: null, samples: [sampleOf(HR, 80, world.now)] });
    world.now += MINUTE;
    expect(corrected(world, HR, 180, MINUTE)).toEqual([`raised limit:${HR}`]);
  });

  it("waits for the duration from the time of the value", () => {
    const world = newWorld();
    act(world, { kind: "samples", device: null, samples: [sampleOf(HR, 80, world.now)] });
    world.now += 5 * SECOND;
    expect(corrected(world, HR, 125, 5 * SECOND)).toEqual([]);
    expect(nextDeadline(world.memory, world.config)).toBe(world.now + 5 * SECOND);
  });

  it("keeps an alarm that the right value deserves too", () => {
    const world = newWorld();
    act(world, { kind: "samples", device: null, samples: [sampleOf(HR, 200, world.now)] });
    expect(corrected(world, HR, 190)).toEqual([]);
    expect(world.memory.alerts).toMatchObject([{ key: `limit:${HR}`, state: "active" }]);
  });

  it("that leaves nothing of the vital ends its alarm, and its score", () => {
    const world = newWorld({ news2: { scale: 1, window_ms: 30 * MINUTE } });
    const all = [sampleOf(HR, 200, world.now), sampleOf(RR, 16, world.now), sampleOf(SPO2, 97, world.now)];
    act(world, { kind: "samples", device: null, samples: all });
    expect(corrected(world, HR, null)).toEqual([`recovered limit:${HR}`]);
    expect(world.memory.vitals[HR]).toBeUndefined();
    expect(corrected(world, HR, null)).toEqual([]);
  });

  it("ends a rise that was none", () => {
    const limits = { ...CONFIG.limits, [HR]: { ...HR_LIMITS, rate_per_minute: 20 } };
    const world = newWorld({ limits });
    for (const [i, value] of [60, 66, 72, 78, 84, 90, 96, 102, 108, 114].entries()) {
      act(world, { kind: "samples", device: "monitor", samples: [sampleOf(HR, value, START + i * 11 * SECOND)] });
      world.now = START + (i + 1) * 11 * SECOND;
    }
    expect(world.memory.alerts).toMatchObject([{ key: `rate:${HR}` }]);
    expect(corrected(world, HR, 60)).toEqual([`cleared rate:${HR}`]);
  });
});

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
    expect(act(world, { kind: "acknowledge", n: 1, by: "nurse" }).map(({ what, by }) => [what, by])).toEqual([
      ["acknowledged", "nurse"],
      ["cleared", null],
    ]);
    expect(open(world)).toEqual([]);
    expect(whats(world)).not.toContainEqual(expect.stringContaining("escalated"));
  });

  it("clears a high limit alert that was acknowledged when it recovers", () => {
    const world = critical();
    act(world, { kind: "acknowledge", n: 1, by: "nurse" });
    sendFor(world, MINUTE, SECOND, heartRate(80));
    expect(open(world)).toEqual([]);
    expect(world.told.at(-1)).toMatchObject({ what: "cleared", alert: { acknowledged_by: "nurse", acknowledged_at: START } });
  });

  it("becomes active again when a latched condition comes back", () => {
    const world = critical();
    sendFor(world, MINUTE, SECOND, heartRate(80));
    sendFor(world, MINUTE, SECOND, heartRate(125));
    expect(one(world)).toMatchObject({ n: 1, state: "active", priority: "high", recovered_at: null, raised_at: START });
  });

  it("ends in one legal state when it is acknowledged and recovers in one millisecond", () => {
    for (const acknowledgedFirst of [true, false]) {
      const world = critical();
      pass(world, SECOND);
      send(world, { [HR]: 80 });
      world.now += 10 * SECOND;
      const acts: AlarmInput[] = [{ kind: "acknowledge", n: 1, by: "nurse" }, { kind: "tick" }];
      for (const input of acknowledgedFirst ? acts : acts.reverse()) act(world, input);
      expect(open(world)).toEqual([]);
      expect(world.told.at(-1)).toMatchObject({ what: "cleared", alert: { state: "cleared", acknowledged_by: "nurse" } });
    }
  });

  it("keeps the first acknowledgement", () => {
    const world = critical();
    act(world, { kind: "acknowledge", n: 1, by: "nurse" });
    expect(act(world, { kind: "acknowledge", n: 1, by: "doctor" })).toEqual([]);
    expect(one(world).acknowledged_by).toBe("nurse");
  });

  it("refuses acts on alerts that never were or are over, and changes nothing", () => {
    const world = critical();
    act(world, { kind: "resolve", n: 1, by: "nurse" });
    const kinds: AlarmInput[] = [
      { kind: "acknowledge", n: 1, by: "nurse" },
      { kind: "assign", n: 1, by: "nurse", to: "doctor" },
      { kind: "snooze", n: 1, by: "nurse", until: world.now + MINUTE },
      { kind: "resolve", n: 1, by: "nurse" },
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
    for (const n of [0, 2, -1, 0.5, Number.NaN]) expect(refused({ kind: "acknowledge", n, by: "nurse" })).toBe("unknown_alert");
  });

  it("escalates at its minutes to the millisecond until it is acknowledged", () => {
    const world = critical();
    pass(world, 5 * MINUTE);
    expect(one(world).tier).toBe(2);
    act(world, { kind: "acknowledge", n: 1, by: "nurse" });
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
    act(world, { kind: "acknowledge", n: 1, by: "nurse" });
    pass(world, HOUR);
    expect(world.told.filter(({ what }) => what === "repeated").map(({ at }) => (at - START) / MINUTE)).toEqual([15, 30, 45, 60]);
  });

  it("is quiet while it is snoozed, for four hours at most", () => {
    const world = critical();
    act(world, { kind: "snooze", n: 1, by: "nurse", until: START + 30 * MINUTE });
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
    act(world, { kind: "snooze", n: 1, by: "nurse", until: START + 100 * HOUR });
    expect(one(world).snoozed_until).toBe(world.now + 4 * HOUR);
  });

  it("breaks the snooze when it gets worse", () => {
    const world = newWorld();
    sendFor(world, 20 * SECOND, SECOND, heartRate(125));
    act(world, { kind: "snooze", n: 1, by: "nurse", until: world.now + HOUR });
    send(world, { [HR]: 150 });
    expect(one(world)).toMatchObject({ snoozed_until: null, escalate_at: world.now + 2 * MINUTE });
  });

  it("is assigned and given back", () => {
    const world = critical();
    act(world, { kind: "assign", n: 1, by: "nurse", to: "doctor" });
    expect(one(world)).toMatchObject({ assigned_to: "doctor", state: "active" });
    act(world, { kind: "assign", n: 1, by: "doctor", to: null });
    expect(one(world).assigned_to).toBe(null);
    expect(act(world, { kind: "assign", n: 1, by: "doctor", to: null })).toEqual([]);
  });

  it("is raised after it was resolved by new values alone, with a new number", () => {
    const world = critical();
    act(world, { kind: "resolve", n: 1, by: "nurse" });
    expect(world.told.at(-1)).toMatchObject({ what: "cleared", by: "nurse" });
    pass(world, MINUTE);
    act(world, { kind: "tick" });
    expect(open(world)).toEqual([]);
    send(world, { [HR]: 150 });
    expect(one(world).n).toBe(2);
  });
});

describe("silence", () => {
  const all = { [HR]: 80, [SPO2]: 97, [RR]: 16, [SBP]: 120 };
  const watched = () => {
    const silent = Object.fromEntries(
      [HR, SPO2, RR].map((code) => [code, { ...(CONFIG.limits[code] ?? HR_LIMITS), silence_s: 120 }]),
    );
    const world = newWorld({ limits: { ...CONFIG.limits, ...silent } });
    return world;
  };
  const without = (code: string) => Object.fromEntries(Object.entries(all).filter(([of]) => of !== code));

  it.each([1, 5, 30, 59, 60, 61, 90, 115])(
    "has one alarm when one vital of a device that sends every %i s is unplugged",
    (seconds) => {
      const world = watched();
      const rounds = Math.ceil((10 * MINUTE) / (seconds * SECOND));
      sendFor(world, 50 * MINUTE, seconds * SECOND, (i) => (i < rounds ? all : without(SPO2)));
      const unplugged = START + (rounds - 1) * seconds * SECOND;
      const raised = world.told.filter(({ what }) => what === "raised");
      expect(raised.map(({ alert }) => alert.key)).toEqual([`silence:${SPO2}`]);
      expect((raised[0]?.at ?? 0) - unplugged).toBeGreaterThanOrEqual(120 * SECOND);
      expect((raised[0]?.at ?? 0) - unplugged).toBeLessThanOrEqual(130 * SECOND);
      send(world, all);
      expect(open(world)).toEqual([]);
      expect(world.told.at(-1)).toMatchObject({ what: "cleared", at: world.now });
    },
  );

  it("has one alarm of the device when all of it is unplugged, though its vitals come at different times", () => {
    const world = watched();
    sendFor(world, 10 * MINUTE, SECOND, (i) => ({
      [HR]: 80,
      ...(i % 5 === 0 && { [SPO2]: 97 }),
      ...(i % 12 === 0 && { [RR]: 16 }),
    }));
    const last = world.memory.devices["monitor"]?.x ?? 0;
    pass(world, 5 * MINUTE);
    expect(open(world).map(({ key }) => key)).toEqual(["device:monitor"]);
    expect(one(world).raised_at - last).toBe(120 * SECOND);
    pass(world, 2 * HOUR);
    expect(whats(world).filter((what) => what.startsWith("raised"))).toHaveLength(1);
    expect(whats(world)).toContain("repeated device:monitor medium active");
    send(world, { [HR]: 80 });
    expect(open(world)).toEqual([]);
    sendFor(world, 119 * SECOND, SECOND, () => ({ [HR]: 80 }));
    expect(open(world)).toEqual([]);
    sendFor(world, 5 * SECOND, SECOND, () => ({ [HR]: 80 }));
    expect(
      open(world)
        .map(({ key }) => key)
        .sort(),
    ).toEqual([`silence:${RR}`, `silence:${SPO2}`].sort());
  });

  it("does not make a vital wait for a device that may be silent longer", () => {
    const world = watched();
    world.config = { ...world.config, devices: { monitor: { silence_s: 3600 } } };
    sendFor(world, MINUTE, SECOND, () => all);
    pass(world, 125 * SECOND);
    expect(open(world).map(({ key }) => key)).toEqual(["device:monitor"]);
  });

  it("does not flap when a device that is not silent speaks seldom and without the vital", () => {
    const world = watched();
    world.config = { ...world.config, devices: { monitor: { silence_s: 3600 } } };
    sendFor(world, MINUTE, SECOND, () => all);
    sendFor(world, 5 * HOUR, 30 * MINUTE, () => ({ [SBP]: 120 }));
    const raised = world.told.filter(({ what }) => what === "raised").map(({ alert }) => alert.key);
    expect(raised.sort()).toEqual(["device:monitor", `silence:${HR}`, `silence:${RR}`, `silence:${SPO2}`].sort());
  });

  it("cannot be of a vital that was never seen from a device, nor by hand", () => {
    const world = watched();
    send(world, { [SPO2]: 97 }, null);
    sendFor(world, HOUR, SECOND, () => ({ [HR]: 80 }));
    expect(world.told).toEqual([]);
  });

  it("is not of a vital that another device still sends", () => {
    const world = watched();
    send(world, all, "wearable");
    sendFor(world, HOUR, SECOND, () => all);
    expect(world.told).toEqual([]);
  });

  it("is not hidden by a sensor that sends impossible values for ever", () => {
    const world = watched();
    sendFor(world, MINUTE, SECOND, () => all);
    const off = world.now;
    for (let i = 0; i < 200; i += 1) {
      pass(world, SECOND);
      const invalid = sampleOf(SPO2, 127, world.now, "invalid");
      const others = Object.entries(without(SPO2)).map(([code, value]) => sampleOf(code, value, world.now));
      act(world, { kind: "samples", device: "monitor", samples: [...others, invalid] });
    }
    expect(one(world).key).toBe(`silence:${SPO2}`);
    expect(one(world).raised_at - off).toBeLessThanOrEqual(130 * SECOND);
  });

  it("is only in a ward, and ends when monitoring is switched off", () => {
    const home = watched();
    home.config = { ...home.config, monitoring: "home" };
    send(home, all);
    pass(home, HOUR);
    expect(home.told).toEqual([]);
    home.config = { ...home.config, monitoring: "ward" };
    act(home, { kind: "tick" });
    pass(home, 119 * SECOND);
    expect(home.told).toEqual([]);
    pass(home, SECOND);
    expect(one(home).key).toBe("device:monitor");
    home.config = { ...home.config, monitoring: "off" };
    act(home, { kind: "tick" });
    expect(open(home)).toEqual([]);
    send(home, { [HR]: 0 });
    pass(home, HOUR);
    expect(open(home)).toEqual([]);
    expect(nextDeadline(home.memory, home.config)).toBe(null);
  });

  it("ends when the device is not bound any more", () => {
    const world = watched();
    send(world, all);
    pass(world, HOUR);
    world.config = { ...world.config, devices: {} };
    act(world, { kind: "tick" });
    expect(open(world)).toEqual([]);
    expect(world.memory.devices).toEqual({});
  });

  it("ends in one state when data comes in the millisecond in which it was due", () => {
    for (const first of ["tick", "data"]) {
      const world = watched();
      send(world, all);
      world.now += 120 * SECOND;
      if (first === "tick") act(world, { kind: "tick" });
      send(world, all);
      if (first === "data") act(world, { kind: "tick" });
      expect(open(world)).toEqual([]);
    }
  });

  it("does not come back after it was resolved, until the sensor has sent again", () => {
    const world = watched();
    sendFor(world, MINUTE, SECOND, () => all);
    sendFor(world, 3 * MINUTE, SECOND, () => without(SPO2));
    act(world, { kind: "resolve", n: 1, by: "nurse" });
    sendFor(world, HOUR, SECOND, () => without(SPO2));
    expect(open(world)).toEqual([]);
    send(world, all);
    sendFor(world, 3 * MINUTE, SECOND, () => without(SPO2));
    expect(one(world)).toMatchObject({ n: 2, key: `silence:${SPO2}` });
  });
});

describe("technical conditions", () => {
  const report = (world: World, ...conditions: string[]) => act(world, { kind: "conditions", device: "monitor", conditions });

  it("are low while the device reports them", () => {
    const world = newWorld();
    report(world, "leads_off", "low_battery", "leads_off");
    expect(open(world).map(({ key, priority }) => [key, priority])).toEqual([
      ["technical:monitor:leads_off", "low"],
      ["technical:monitor:low_battery", "low"],
    ]);
    report(world, "low_battery");
    expect(one(world).key).toBe("technical:monitor:low_battery");
    report(world);
    expect(open(world)).toEqual([]);
  });

  it("are not raised again while a resolved one is still reported", () => {
    const world = newWorld();
    report(world, "low_battery");
    act(world, { kind: "resolve", n: 1, by: "nurse" });
    report(world, "low_battery");
    expect(open(world)).toEqual([]);
    report(world);
    report(world, "low_battery");
    expect(one(world).n).toBe(2);
  });

  it("end with the device's binding, and are bounded in number", () => {
    const world = newWorld();
    report(world, ...Array.from({ length: 1000 }, (_, i) => `condition_${i}`));
    expect(open(world)).toHaveLength(16);
    world.config = { ...world.config, devices: {} };
    act(world, { kind: "tick" });
    expect(open(world)).toEqual([]);
    report(world, "low_battery");
    expect(open(world)).toEqual([]);
  });
});

describe("NEWS2", () => {
  const config = { news2: { scale: 1, window_ms: 30 * MINUTE }, monitoring: "home", limits: {} } as const;
  const well = { [RR]: 16, [SPO2]: 97, [CODES.inspired_oxygen]: 21, [SBP]: 120, [HR]: 80, [CODES.consciousness]: 0, [TEMP]: 37 };
  const urgent = { ...well, [RR]: 22, [SPO2]: 94, [HR]: 115 };
  const emergency = { ...well, [RR]: 25, [SPO2]: 92, [HR]: 115 };

  it("of seven raises high at once", () => {
    const world = newWorld(config);
    send(world, emergency);
    expect(one(world)).toMatchObject({ key: "news2", rule: "news2", code: null, priority: "high", why: { value: 7, bound: 7 } });
    expect(one(world).why.text).toBe("NEWS2 is 7 (7 or more): respiratory_rate 3, spo2 2, pulse 2");
  });

  it.each([
    ["five", urgent, 5],
    ["three points in one parameter", { ...well, [SPO2]: 91 }, 3],
    ["new confusion", { ...well, [CODES.consciousness]: 1 }, 3],
  ])("of %s raises medium when it holds", (_, values, bound) => {
    const world = newWorld(config);
    send(world, values);
    expect(open(world)).toEqual([]);
    pass(world, URGENT_MS);
    expect(one(world)).toMatchObject({ priority: "medium", raised_at: START + URGENT_MS, why: { bound } });
  });

  it("of four raises nothing", () => {
    const world = newWorld(config);
    send(world, { ...well, [RR]: 22, [HR]: 115 });
    pass(world, HOUR);
    expect(world.told).toEqual([]);
  });

  it.each(Object.keys(well))("is never scored without %s", (code) => {
    const world = newWorld(config);
    send(world, Object.fromEntries(Object.entries(emergency).filter(([of]) => of !== code)));
    pass(world, HOUR);
    expect(world.told).toEqual([]);
  });

  it("is neither raised nor ended by stale values", () => {
    const world = newWorld(config);
    send(world, { [TEMP]: 40, [CODES.consciousness]: 3, [CODES.inspired_oxygen]: 21 });
    pass(world, 31 * MINUTE);
    send(world, { [RR]: 25, [SPO2]: 92, [HR]: 115, [SBP]: 120 });
    expect(open(world)).toEqual([]);
    send(world, emergency);
    expect(open(world)).toHaveLength(1);
    pass(world, 24 * HOUR);
    expect(one(world).state).toBe("active");
  });

  it("ends when it has been lower for five minutes", () => {
    const world = newWorld(config);
    send(world, emergency);
    pass(world, MINUTE);
    send(world, well);
    pass(world, LOWER_MS - SECOND);
    send(world, urgent);
    pass(world, SECOND);
    send(world, well);
    pass(world, LOWER_MS - SECOND);
    expect(open(world)).toHaveLength(1);
    pass(world, SECOND);
    expect(open(world)).toEqual([]);
  });

  it("is not raised again for the score at which it was resolved, but for a higher one", () => {
    const world = newWorld(config);
    send(world, urgent);
    pass(world, MINUTE);
    act(world, { kind: "resolve", n: 1, by: "doctor" });
    pass(world, MINUTE);
    send(world, urgent);
    pass(world, MINUTE);
    expect(open(world)).toEqual([]);
    send(world, emergency);
    expect(one(world)).toMatchObject({ n: 2, priority: "high" });
  });

  it("ends where it does not apply any more", () => {
    const world = newWorld(config);
    send(world, emergency);
    world.config = { ...world.config, news2: null };
    act(world, { kind: "tick" });
    expect(open(world)).toEqual([]);
  });
});

describe("rules of change", () => {
  const rate = { ...CONFIG, monitoring: "home", limits: { [HR]: { ...HR_LIMITS, rate_per_minute: 30 } } } as const;

  it("raise a fast rise within the limits, with rate and window", () => {
    const world = newWorld(rate);
    sendFor(world, 5 * MINUTE, SECOND, heartRate(60));
    sendFor(world, MINUTE, SECOND, (i) => ({ [HR]: 60 + (i * 45) / 60 }));
    expect(one(world)).toMatchObject({ key: `rate:${HR}`, priority: "medium", why: { side: "high", bound: 30 } });
    expect(one(world).why.value).toBeGreaterThanOrEqual(30);
    expect(one(world).why.text).toMatch(/^Heart rate [\d.]+ \/min rises by [\d.]+ a minute over \d+ s; the limit is 30$/);
    sendFor(world, 3 * MINUTE, SECOND, heartRate(105));
    expect(open(world)).toEqual([]);
  });

  it("do not raise one outlier, wherever it lies, nor a slow rise", () => {
    for (let place = 0; place < 70; place += 1) {
      const world = newWorld(rate);
      sendFor(world, 3 * MINUTE, SECOND, (i) => ({ [HR]: i === place ? 119 : 60 }));
      expect(world.told, String(place)).toEqual([]);
    }
    const slow = newWorld(rate);
    sendFor(slow, 5 * MINUTE, SECOND, (i) => ({ [HR]: 60 + i / 6 }));
    expect(slow.told).toEqual([]);
  });

  it("leave the word to the limit where one is passed", () => {
    const world = newWorld(rate);
    sendFor(world, 2 * MINUTE, SECOND, heartRate(100));
    sendFor(world, 2 * MINUTE, SECOND, (i) => ({ [HR]: Math.min(135, 100 + i) }));
    expect(open(world).map(({ rule }) => rule)).toEqual(["limit"]);
  });

  it("end without further values after ten minutes", () => {
    const world = newWorld(rate);
    sendFor(world, 2 * MINUTE, SECOND, heartRate(60));
    sendFor(world, MINUTE, SECOND, (i) => ({ [HR]: 60 + (i * 45) / 60 }));
    expect(open(world)).toHaveLength(1);
    pass(world, 10 * MINUTE);
    expect(open(world)).toEqual([]);
  });

  it("raise a drift from the patient's own usual, low, and end when it is back", () => {
    const world = newWorld({ monitoring: "home", limits: { [HR]: { ...HR_LIMITS, trend: true } } });
    const wobble = (base: number) => (i: number) => ({ [HR]: base + 2 * Math.sin(i) });
    sendFor(world, 6 * HOUR, MINUTE, wobble(70));
    expect(world.told).toEqual([]);
    sendFor(world, 90 * MINUTE, MINUTE, wobble(100));
    expect(one(world)).toMatchObject({
      key: `trend:${HR}`,
      rule: "trend",
      priority: "low",
      why: { side: "high", window_s: 6 * 3600 },
    });
    expect(one(world).why.text).toMatch(
      /^Heart rate [\d.]+ \/min on average, [\d.]+ standard deviations above this patient's own [\d.]+ of/,
    );
    sendFor(world, 2 * HOUR, MINUTE, wobble(70));
    expect(open(world)).toEqual([]);
  });

  it("do not raise a drift towards a side without a limit", () => {
    const world = newWorld({
      monitoring: "home",
      limits: { [SPO2]: { ...HR_LIMITS, low: 91, critical_low: 85, high: null, critical_high: null, trend: true } },
    });
    sendFor(world, 6 * HOUR, MINUTE, (i) => ({ [SPO2]: 92.5 + (i % 2) / 10 }));
    sendFor(world, 6 * HOUR, MINUTE, (i) => ({ [SPO2]: 99.5 + (i % 2) / 10 }));
    expect(world.told).toEqual([]);
  });
});

describe("the memory", () => {
  it("is JSON of less than 3 KB for eight vitals of a device, all rules on", () => {
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
    sendFor(world, 2 * HOUR, 5 * SECOND, (i) =>
      Object.fromEntries(codes.map((code, k) => [code, 100 + k + Math.round(1000 * Math.sin(i * k)) / 100])),
    );
    const json = JSON.stringify(world.memory);
    console.info(`memory of eight vitals: ${json.length} bytes`);
    expect(json.length).toBeLessThan(3000);
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(structuredClone(world.memory))));
  });

  it("goes on from JSON as from itself", () => {
    const direct = newWorld();
    const stored = newWorld();
    for (let i = 0; i < 3000; i += 1) {
      const values = { [HR]: 95 + 50 * Math.sin(i / 40), [SPO2]: 92 + 4 * Math.sin(i / 70) };
      for (const world of [direct, stored]) {
        pass(world, SECOND);
        send(world, values);
      }
      stored.memory = JSON.parse(JSON.stringify(stored.memory));
    }
    expect(stored.told).toEqual(direct.told);
    expect(direct.told.length).toBeGreaterThan(20);
  });
});
