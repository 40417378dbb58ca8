// The alert of an overdue set: raised where a ward chose it, and ended by a set, an attempt or a pause.
import { describe, expect, it } from "vitest";
import { nextDeadline } from "../../src/monitoring/alarm-rules/engine.ts";
import type { AlarmConfig } from "../../src/monitoring/alarm-rules/model.ts";
import { getTakenScore } from "../../src/monitoring/alarm-rules/news2-rule.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import type { RoundEvent } from "../../src/monitoring/vitals/rounds.ts";
import {
  advance,
  advanceTo,
  applyInput,
  createSample,
  getOnlyAlert,
  HOUR,
  HR,
  listOpenAlerts,
  listTransitions,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SPO2,
  sendSamples,
  TEMP,
  type World,
} from "./alerts-world.ts";

const WELL = { [RR]: 16, [SPO2]: 97, [CODES.inspired_oxygen]: 21, [SBP]: 120, [HR]: 80, [CODES.consciousness]: 0, [TEMP]: 37 };
const newRound = (change: Partial<AlarmConfig> = {}) =>
  newWorld({
    limits: {},
    devices: {},
    news2: { scale: 1, window_ms: 30 * MINUTE },
    watch: { mode: "spot", grace_ms: 15 * MINUTE },
    overdueAlarm: true,
    ...change,
  });
const round = (world: World, event: RoundEvent) => applyInput(world, { kind: "round", event });
const refuse = (world: World) => round(world, { type: "attempt", at: world.now, reason: "refused", by: "nurse" });
const scoreOf = ({ memory, config }: World) => getTakenScore(memory, config)?.score;

describe("an overdue set", () => {
  it("raises a low alert one step after the grace, once, and a set ends it", () => {
    const world = newRound();
    sendSamples(world, WELL, null);
    advance(world, 12 * HOUR + 15 * MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
    advance(world, 1);
    expect(getOnlyAlert(world)).toMatchObject({ rule: "observations_due", priority: "low", state: "active" });
    advance(world, HOUR);
    sendSamples(world, WELL, null);
    expect(listTransitions(world)).toEqual(["raised observations_due low active", "cleared observations_due low cleared"]);
  });

  it("raises nothing where the ward did not choose it, and for patients who have none due", () => {
    const quiet: Partial<AlarmConfig>[] = [
      { overdueAlarm: false },
      { monitoring: "off" },
      { news2: null },
      { watch: { mode: "continuous", grace_ms: 0 } },
    ];
    for (const change of quiet) {
      const world = newRound(change);
      applyInput(world, { kind: "tick" });
      advance(world, 48 * HOUR);
      expect(world.transitions).toEqual([]);
    }
  });

  it("is due since monitoring on the ward began, where there never was one", () => {
    const world = newRound();
    applyInput(world, { kind: "tick" });
    advance(world, 15 * MINUTE + 1);
    expect(getOnlyAlert(world).rule).toBe("observations_due");
  });

  it("is ended by a refusal, and by a pause, after which it is due again", () => {
    const world = newRound();
    applyInput(world, { kind: "tick" });
    advance(world, HOUR);
    refuse(world);
    expect(listOpenAlerts(world)).toEqual([]);
    advance(world, HOUR + 15 * MINUTE + 1);
    expect(getOnlyAlert(world).rule).toBe("observations_due");
    round(world, { type: "pause", until: world.now + HOUR, reason: "dialysis", by: "nurse" });
    expect(listOpenAlerts(world)).toEqual([]);
    advance(world, HOUR + 15 * MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
    advance(world, 1);
    expect(getOnlyAlert(world).rule).toBe("observations_due");
  });

  it("that was resolved by hand is raised again only when another set is overdue", () => {
    const world = newRound();
    applyInput(world, { kind: "tick" });
    advance(world, HOUR);
    applyInput(world, { kind: "resolve", number: getOnlyAlert(world).number, by: "nurse" });
    advance(world, 24 * HOUR);
    expect(listOpenAlerts(world)).toEqual([]);
    refuse(world);
    advance(world, 2 * HOUR);
    expect(getOnlyAlert(world).rule).toBe("observations_due");
  });

  it("is noticed when the values of a monitor no longer count, half an hour after the last", () => {
    const devices = { monitor: { silence_s: null, isContinuous: true } };
    const world = newRound({ watch: { mode: "auto", grace_ms: 0 }, devices });
    sendSamples(world, { [HR]: 80 });
    const ofRounds = () => listOpenAlerts(world).filter(({ rule }) => rule === "observations_due");
    advance(world, 30 * MINUTE);
    expect(ofRounds()).toEqual([]);
    advance(world, 1);
    expect(ofRounds()).toHaveLength(1);
  });
});

it("the clock is due when a monitor stops counting, also where no overdue set raises an alert", () => {
  const devices = { monitor: { silence_s: null, isContinuous: true } };
  const world = newRound({ watch: { mode: "auto", grace_ms: 0 }, devices, overdueAlarm: false });
  sendSamples(world, { [HR]: 80 });
  for (const end of [world.now + 30 * MINUTE + 1, world.now + 24 * HOUR + 1]) {
    advanceTo(world, end - 1);
    expect(nextDeadline(world.memory, world.config)).toBe(end);
    advanceTo(world, end);
  }
  expect(nextDeadline(world.memory, world.config)).toBeNull();
});

describe("a set that was not completed", () => {
  const sendPartial = (world: World, values: Record<string, number>) =>
    applyInput(world, {
      kind: "samples",
      device: null,
      samples: Object.entries(values).map(([code, value]) => createSample(code, value, world.now)),
      isPartial: true,
    });

  it("changes no score, before a complete one and after it", () => {
    const world = newRound();
    sendPartial(world, WELL);
    expect(scoreOf(world)).toBeUndefined();
    sendSamples(world, WELL, null);
    advance(world, 5 * MINUTE);
    sendPartial(world, { [RR]: 25 });
    expect(scoreOf(world)).toBe(0);
    // The other values of a complete set later, and not those of the attempt.
    advance(world, 5 * MINUTE);
    const { [RR]: _, ...others } = WELL;
    sendSamples(world, { ...others, [HR]: 115 }, null);
    expect(scoreOf(world)).toBe(0);
    sendSamples(world, { ...WELL, [RR]: 25 }, null);
    expect(scoreOf(world)).toBe(3);
  });

  it("counts when it is completed at the same time", () => {
    const world = newRound();
    sendPartial(world, { [RR]: 25 });
    const { [RR]: _, ...others } = WELL;
    sendSamples(world, others, null);
    expect(scoreOf(world)).toBeUndefined();
    round(world, { type: "set", at: world.now, codes: Object.keys(WELL) });
    expect(scoreOf(world)).toBe(3);
  });
});
