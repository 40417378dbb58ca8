// Limits at home, and values measured during physical activity: a run is no emergency, and what lasts is one.
import { describe, expect, it } from "vitest";
import type { AlarmConfig } from "../../src/monitoring/alarm-rules/model.ts";
import { buildAlarmConfig } from "../../src/monitoring/patient-object/context/alarm-config.ts";
import { newFacts } from "../../src/monitoring/patient-object/context/facts.ts";
import { CODES, getDefaultLimits, VITALS } from "../../src/monitoring/vitals/catalogue.ts";
import { AGE_BANDS } from "../../src/monitoring/vitals/model.ts";
import { validateSample } from "../../src/monitoring/vitals/sample-validation.ts";
import {
  advance,
  applyInput,
  createSample,
  HR,
  listOpenAlerts,
  MINUTE,
  newWorld,
  RR,
  SBP,
  START,
  type World,
} from "./alerts-world.ts";

const configOf = (monitoring: AlarmConfig["monitoring"]) =>
  buildAlarmConfig(newFacts({ id: "p", hospital_id: "h", ward_id: null, monitoring }, "1980-01-01", true, START), START);
const worldOf = (monitoring: AlarmConfig["monitoring"]) => newWorld({ ...configOf(monitoring), news2: null });

/** One value per minute; lists what was raised. */
function wear(world: World, minutes: number, code: string, value: number, isExercise?: true): string[] {
  const before = world.transitions.length;
  for (let i = 0; i < minutes; i++) {
    const sample = { ...createSample(code, value, world.now), ...(isExercise && { isExercise }) };
    applyInput(world, { kind: "samples", device: "wearable", samples: [sample] });
    advance(world, MINUTE);
  }
  return world.transitions
    .slice(before)
    .flatMap(({ what, alert }) => (what.startsWith("raised") ? [`${what} ${alert.priority} ${alert.rule}`] : []));
}

describe("a heart rate at home", () => {
  it.each([
    ["home", 4, 135, undefined, []],
    ["home", 7, 135, undefined, ["raised high limit"]],
    ["home", 7, 125, undefined, ["raised medium limit"]],
    ["home", 7, 115, undefined, []],
    ["home", 1, 38, undefined, ["raised high limit"]],
    ["home", 45, 135, true, []],
    ["home", 45, 125, true, []],
    ["home", 62, 135, true, ["raised high limit"]],
    ["home", 1, 38, true, ["raised high limit"]],
    // On a ward the same rate is an alarm at once, and a walk with a stated activity is not.
    ["ward", 1, 135, undefined, ["raised high limit"]],
    ["ward", 30, 135, true, []],
  ] as const)("%s, %i minutes of %i, exercise %s: %j", (monitoring, minutes, rate, isExercise, expected) => {
    expect(wear(worldOf(monitoring), minutes, HR, rate, isExercise)).toEqual(expected);
  });

  it("that stays high after a run is an alarm, and one that falls is not", () => {
    const falls = worldOf("home");
    wear(falls, 30, HR, 150, true);
    expect(wear(falls, 3, HR, 125)).toEqual([]);
    expect(wear(falls, 10, HR, 90)).toEqual([]);
    const stays = worldOf("home");
    wear(stays, 30, HR, 150, true);
    expect(wear(stays, 3, HR, 150)).toEqual(["raised high limit"]);
  });

  it("during a run leaves an open alarm open and clears none", () => {
    const world = worldOf("home");
    wear(world, 7, HR, 140);
    expect(wear(world, 5, HR, 125, true)).toEqual([]);
    expect(listOpenAlerts(world)).toHaveLength(1);
  });
});

it("breath behaves like the heart, and a start of a run is no rate of change", () => {
  expect(wear(worldOf("home"), 20, RR, 34, true)).toEqual([]);
  expect(wear(worldOf("home"), 7, RR, 34)).toEqual(["raised high limit"]);
  const world = worldOf("home");
  for (let i = 0; i < 12; i++) {
    applyInput(world, { kind: "samples", device: "wearable", samples: [createSample(HR, 60 + 5 * i, world.now)] });
    advance(world, 10_000);
  }
  expect(listOpenAlerts(world)).toEqual([]);
});

it("a pressure of 184 is to be measured again within five minutes", () => {
  expect(wear(worldOf("home"), 1, SBP, 184)).toEqual([]);
  expect(wear(worldOf("home"), 7, SBP, 184)).toEqual(["raised medium limit"]);
});

it("critical limits are those of a ward at every age", () => {
  for (const band of AGE_BANDS)
    for (const { code } of VITALS) {
      const [ward, home] = [getDefaultLimits(band)[code], getDefaultLimits(band, "home")[code]];
      expect([home?.critical_low, home?.critical_high]).toEqual([ward?.critical_low, ward?.critical_high]);
    }
});

describe("the context of a sample", () => {
  const read = (fields: object) => {
    const item = { code: "8310-5", value: 25, unit: "Cel", effective_at: new Date(START).toISOString(), ...fields };
    const done = validateSample(item, { received: START, skewMs: null });
    return done.ok ? [done.sample.code, done.sample.status, done.sample.isExercise, done.note] : [done.reason];
  };
  it.each([
    [{ body_site: "wrist" }, [CODES.skin_temperature, "final", undefined, "skin_temperature"]],
    [{ body_site: "ear" }, [CODES.temperature, "final", undefined, undefined]],
    [{ value: 77, unit: "[degF]", body_site: "wrist" }, [CODES.skin_temperature, "final", undefined, "unit_converted"]],
    [{ body_site: null }, [CODES.temperature, "final", undefined, undefined]],
    [{ body_site: "moon" }, ["body_site_invalid"]],
    [{ body_site: "constructor" }, ["body_site_invalid"]],
    [{ code: "8867-4", value: 70, unit: "/min", body_site: "wrist" }, ["body_site_invalid"]],
    [{ code: "8867-4", value: 140, unit: "/min", activity: "during exercise" }, [HR, "final", true, undefined]],
    [{ code: "8867-4", value: 140, unit: "/min", activity: "active" }, [HR, "final", true, undefined]],
    [{ code: "8867-4", value: 140, unit: "/min", activity: "at rest" }, [HR, "final", undefined, undefined]],
    [{ code: "8867-4", value: 140, unit: "/min", activity: "running" }, ["activity_invalid"]],
    [{ activity: "at rest" }, ["activity_invalid"]],
  ])("%j is %j", (fields, expected) => {
    expect(read(fields)).toEqual(expected);
  });
});

it("a heart rate of a run is no part of NEWS2", () => {
  const well = {
    [RR]: 16,
    [CODES.spo2]: 97,
    [CODES.inspired_oxygen]: 21,
    [SBP]: 120,
    [CODES.consciousness]: 0,
    [CODES.temperature]: 37,
  };
  const scoreAfter = (isExercise?: true) => {
    const world = newWorld({ ...configOf("home") });
    const rest = Object.entries(well).map(([code, value]) => createSample(code, value, START));
    const heart = { ...createSample(HR, 135, START), ...(isExercise && { isExercise }) };
    applyInput(world, { kind: "samples", device: "wearable", samples: [...rest, heart] });
    return world.memory.news2.set?.[HR]?.value;
  };
  expect([scoreAfter(), scoreAfter(true)]).toEqual([135, undefined]);
});
