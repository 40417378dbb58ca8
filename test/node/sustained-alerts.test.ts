// The sustained profile in the engine: it changes the sound of NEWS2 alerts, and nothing else about them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextDeadline } from "../../src/monitoring/alarm-rules/engine.ts";
import type { AlarmConfig } from "../../src/monitoring/alarm-rules/model.ts";
import { findRepeatDue } from "../../src/monitoring/alarm-rules/sustained-rule.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { times } from "../long.ts";
import {
  advance,
  applyInput,
  createSample,
  getOnlyAlert,
  HOUR,
  HR,
  listOpenAlerts,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SECOND,
  SPO2,
  START,
  sendSamples,
  TEMP,
  type World,
} from "./alerts-world.ts";

const WELL = { [RR]: 16, [SPO2]: 97, [CODES.inspired_oxygen]: 21, [SBP]: 120, [HR]: 80, [CODES.consciousness]: 0, [TEMP]: 37 };
/** A full set of each score; the 3 is that of one parameter. */
const SETS: Record<number, Record<string, number>> = {
  0: WELL,
  2: { ...WELL, [RR]: 22 },
  3: { ...WELL, [RR]: 25 },
  4: { ...WELL, [RR]: 22, [HR]: 115 },
  5: { ...WELL, [RR]: 22, [HR]: 115, [TEMP]: 38.5 },
  7: { ...WELL, [RR]: 22, [HR]: 115, [TEMP]: 38.5, [SPO2]: 93 },
  8: { ...WELL, [RR]: 25, [SPO2]: 92, [HR]: 115, [TEMP]: 38.5 },
};
const SPOT = { mode: "spot", grace_ms: 15 * MINUTE } as const;
const newSustained = (change: Partial<AlarmConfig> = {}) =>
  newWorld({
    monitoring: "home",
    limits: {},
    news2: { scale: 1, window_ms: 30 * MINUTE },
    watch: SPOT,
    sustained: { repeat_ms: 30 * MINUTE },
    ...change,
  });
/** A full set, and the 30 s for which a score below 7 must hold. */
function chart(world: World, score: number): void {
  sendSamples(world, SETS[score] ?? {}, null);
  advance(world, MINUTE);
}
const sounds = (world: World) => listOpenAlerts(world).map((alert) => alert.sounds !== false);
const whats = (world: World) => world.transitions.map(({ what }) => what).filter((what) => what !== "escalated");
const acknowledge = (world: World) => applyInput(world, { kind: "acknowledge", number: getOnlyAlert(world).number, by: "nurse" });

describe("on a spot patient", () => {
  it("7 or more sounds at once", () => {
    const world = newSustained();
    sendSamples(world, SETS[7] ?? {}, null);
    expect(listOpenAlerts(world)).toMatchObject([{ priority: "high", state: "active" }]);
    expect(sounds(world)).toEqual([true]);
  });

  it("the first 5 is an alert without a sound, which sounds with the second", () => {
    const world = newSustained();
    chart(world, 5);
    expect(listOpenAlerts(world)).toMatchObject([{ key: "news2", priority: "medium", state: "active", sounds: false }]);
    expect(findRepeatDue(world.memory)).toBe(START + 30 * MINUTE);
    advance(world, 20 * MINUTE);
    chart(world, 5);
    expect(sounds(world)).toEqual([true]);
    expect(whats(world)).toEqual(["raised", "raised_sound"]);
    expect(findRepeatDue(world.memory)).toBeNull();
  });

  it.each([5, 3])("the first %i sounds when no repeat set is charted within 30 minutes", (score) => {
    const world = newSustained();
    sendSamples(world, SETS[score] ?? {}, null);
    advance(world, 30 * MINUTE - 1);
    expect(sounds(world)).toEqual([false]);
    advance(world, 1);
    expect(sounds(world)).toEqual([true]);
    expect(world.transitions.at(-1)).toMatchObject({ what: "raised_sound", at: START + 30 * MINUTE });
  });

  it("values of some vitals are no repeat set", () => {
    const world = newSustained();
    chart(world, 5);
    advance(world, 10 * MINUTE);
    sendSamples(world, { [HR]: 116, [RR]: 22 }, null);
    advance(world, MINUTE);
    expect(sounds(world)).toEqual([false]);
    advance(world, 20 * MINUTE);
    expect(sounds(world)).toEqual([true]);
  });

  it("a single 3 that the repeat set confirms makes no sound", () => {
    const world = newSustained();
    for (let set = 0; set < 4; set += 1) {
      chart(world, 3);
      advance(world, 29 * MINUTE - SECOND);
    }
    expect(listOpenAlerts(world)).toMatchObject([{ priority: "medium", sounds: false }]);
    advance(world, 3 * HOUR);
    expect(sounds(world)).toEqual([false]);
  });

  it("5, 4, 5 makes no sound if each repeat is charted", () => {
    const world = newSustained();
    for (const score of [5, 4, 5, 4]) {
      chart(world, score);
      advance(world, 20 * MINUTE);
    }
    expect(whats(world)).toEqual(["raised", "cleared", "raised", "cleared"]);
    expect(world.transitions.some(({ alert }) => alert.sounds !== false)).toBe(false);
  });

  it("a set that was charted 40 minutes ago without a repeat sounds as soon as it arrives", () => {
    const world = newSustained();
    sendSamples(world, SETS[5] ?? {}, null, START - 40 * MINUTE);
    advance(world, MINUTE);
    expect(sounds(world)).toEqual([true]);
  });

  it("two sets in one request are two readings, in whatever order and however they are split", () => {
    const first = Object.entries(SETS[5] ?? {}).map(([code, value]) => createSample(code, value, START - 20 * MINUTE));
    const second = Object.entries(SETS[5] ?? {}).map(([code, value]) => createSample(code, value, START));
    for (const batches of [[[...first, ...second]], [[...second, ...first]], [first, second]]) {
      const world = newSustained();
      for (const samples of batches) applyInput(world, { kind: "samples", device: null, samples });
      advance(world, MINUTE);
      expect(sounds(world)).toEqual([true]);
    }
  });

  it("an overdue score is no reading", () => {
    const world = newSustained();
    sendSamples(world, SETS[5] ?? {}, null, START - 2 * HOUR);
    advance(world, MINUTE);
    chart(world, 5);
    expect(sounds(world)).toEqual([false]);
  });

  it("a corrected set is one reading, with the right score", () => {
    const world = newSustained();
    chart(world, 8);
    applyInput(world, {
      kind: "corrected",
      code: RR,
      newest: { value: 16, at: START, received: START },
      isInvalidNewer: false,
      measured: { at: START, value: 16 },
    });
    expect(world.memory.news2.sustained?.state).toMatchObject({ isOn: false, urgentSince: START });
    advance(world, 20 * MINUTE);
    chart(world, 2);
    advance(world, 10 * MINUTE);
    chart(world, 5);
    expect(sounds(world)).toEqual([false]);
  });

  it("a set that loses a value still needs its repeat", () => {
    const world = newSustained();
    chart(world, 5);
    applyInput(world, {
      kind: "corrected",
      code: TEMP,
      newest: null,
      isInvalidNewer: false,
      measured: { at: START, value: null },
    });
    advance(world, 30 * MINUTE);
    expect(sounds(world)).toEqual([true]);
  });

  it("what was acknowledged in silence must be acknowledged again when it sounds", () => {
    const world = newSustained();
    chart(world, 5);
    acknowledge(world);
    advance(world, 30 * MINUTE);
    expect(getOnlyAlert(world)).toMatchObject({ state: "active", acknowledged_by: null, tier: 0 });
    expect(sounds(world)).toEqual([true]);
  });
});

describe("while the condition is on", () => {
  function newKnown(isAcknowledged = true) {
    const world = newSustained();
    chart(world, 7);
    if (isAcknowledged) acknowledge(world);
    for (const score of [4, 4]) {
      advance(world, 29 * MINUTE);
      chart(world, score);
    }
    advance(world, 10 * MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
    return world;
  }

  it("a return of 5 is silent once somebody has acknowledged it, and 7 always sounds", () => {
    const world = newKnown();
    chart(world, 5);
    expect(sounds(world)).toEqual([false]);
    advance(world, 20 * MINUTE);
    chart(world, 7);
    expect(sounds(world)).toEqual([true]);
  });

  it("a return of 5 sounds as long as nobody has acknowledged it", () => {
    const world = newKnown(false);
    chart(world, 5);
    expect(sounds(world)).toEqual([true]);
  });

  it("it ends after six hours of 2 and less", () => {
    const world = newKnown();
    for (const after of [0, 3 * HOUR, 3 * HOUR]) {
      advance(world, after);
      chart(world, 2);
    }
    expect(world.memory.news2.sustained).toMatchObject({ isHeard: false, state: { isOn: false } });
  });
});

describe("under continuous monitoring", () => {
  const newContinuous = () => newSustained({ watch: { mode: "continuous", grace_ms: 0 } });

  it("5 sounds when it has held for a quarter of an hour, by the clock", () => {
    const world = newContinuous();
    sendSamples(world, SETS[5] ?? {}, null);
    advance(world, 15 * MINUTE - 1);
    expect(sounds(world)).toEqual([false]);
    advance(world, 1);
    expect(sounds(world)).toEqual([true]);
  });

  it("a gap of half an hour holds nothing", () => {
    const world = newContinuous();
    sendSamples(world, { [CODES.consciousness]: 0 }, null, START - 20 * MINUTE);
    const { [CODES.consciousness]: _, ...others } = SETS[5] ?? {};
    sendSamples(world, others, null);
    advance(world, 5 * MINUTE);
    expect(listOpenAlerts(world)).toMatchObject([{ sounds: false }]);
    advance(world, 3 * HOUR);
    sendSamples(world, SETS[5] ?? {}, null);
    advance(world, MINUTE);
    expect(sounds(world)).toEqual([false]);
  });

  it("a rule run late ends as one in time", () => {
    const world = newContinuous();
    sendSamples(world, SETS[5] ?? {}, null);
    advance(world, MINUTE);
    world.now += 3 * HOUR;
    applyInput(world, { kind: "tick" });
    expect(sounds(world)).toEqual([true]);
    expect(nextDeadline(world.memory, world.config) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(world.now);
  });
});

it("a ward that returns to the RCP's chart hears what was silent", () => {
  const world = newSustained();
  chart(world, 5);
  world.config = { ...world.config, sustained: null };
  applyInput(world, { kind: "tick" });
  expect(sounds(world)).toEqual([true]);
  expect(world.memory.news2.sustained).toBeUndefined();
});

it("what sounded under the chart goes on sounding under the profile", () => {
  const world = newSustained({ sustained: null });
  chart(world, 5);
  world.config = { ...world.config, sustained: { repeat_ms: 30 * MINUTE } };
  applyInput(world, { kind: "tick" });
  expect(sounds(world)).toEqual([true]);
});

it("a resolved alert that sounded counts as acknowledged", () => {
  const world = newSustained();
  chart(world, 7);
  applyInput(world, { kind: "resolve", number: getOnlyAlert(world).number, by: "nurse" });
  expect(world.memory.news2.sustained).toMatchObject({ isHeard: true, state: { isOn: true } });
});

/** Random charts under both profiles: the same alerts at the same times with the same priorities. */
describe("the alerts of both profiles", () => {
  const charts = fc.array(
    fc.record({ afterMin: fc.constantFrom(1, 5, 20, 31, 61, 130, 400), score: fc.constantFrom(0, 2, 3, 4, 5, 7, 8) }),
    { maxLength: 12 },
  );
  const modes = fc.constantFrom("spot", "continuous") as fc.Arbitrary<"spot" | "continuous">;
  function live(
    steps: readonly { afterMin: number; score: number }[],
    mode: "spot" | "continuous",
    change: Partial<AlarmConfig>,
  ) {
    const world = newSustained({ watch: { mode, grace_ms: 15 * MINUTE }, ...change });
    for (const { afterMin, score } of steps) {
      advance(world, afterMin * MINUTE);
      sendSamples(world, SETS[score] ?? {}, null);
    }
    advance(world, 2 * HOUR);
    return world;
  }
  const events = (world: World) =>
    world.transitions.flatMap(({ what, at, alert }) =>
      what === "raised_sound" ? [] : [`${what} ${at - START} ${alert.priority} ${alert.state} ${alert.tier}`],
    );

  it("differ in their sound alone", () => {
    fc.assert(
      fc.property(charts, modes, (steps, mode) => {
        expect(events(live(steps, mode, {}))).toEqual(events(live(steps, mode, { sustained: null })));
      }),
      { numRuns: times(150, 2_000) },
    );
  });

  it("never leave an emergency silent", () => {
    fc.assert(
      fc.property(charts, modes, (steps, mode) => {
        const silent = live(steps, mode, {}).transitions.filter(
          ({ what, alert }) => what.startsWith("raised") && (alert.why.value ?? 0) >= 7 && alert.sounds === false,
        );
        expect(silent).toEqual([]);
      }),
      { numRuns: times(100, 2_000) },
    );
  });
});
