// Values of 0: what is an emergency, what is a sensor that is off, and what neither of them may do. Each rule has a known-bad twin.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import type { Sample } from "../../src/monitoring/vitals/model.ts";
import { absent } from "../shared-data.ts";
import {
  advance,
  applyInput,
  CONFIG,
  createSample,
  getOnlyAlert,
  HR,
  HR_LIMITS,
  listOpenAlerts,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SECOND,
  SPO2,
  sendRepeatedly,
  sendSamples,
  TEMP,
  type World,
} from "./alerts-world.ts";

const { pulse_rate: PULSE, arterial_pulse_rate: ARTERIAL, etco2: ETCO2, diastolic: DBP, mean_pressure: MAP } = CODES;
const AIRWAY_RESPIRATION = "76171-8";
const ZERO = { high: "limit high", technical: "technical medium" };

const report = (world: World, ...conditions: string[]) =>
  applyInput(world, { kind: "conditions", device: "monitor", conditions });
const sendAt = (world: World, ...samples: (readonly [code: string, value: number, second: number])[]) =>
  applyInput(world, {
    kind: "samples",
    device: "monitor",
    samples: samples.map(([code, value, second]) => createSample(code, value, world.now + second * SECOND)),
  });
const kinds = (world: World, code: string) =>
  listOpenAlerts(world)
    .filter((alert) => alert.code === code)
    .map(({ rule, priority }) => `${rule} ${priority}`);

describe("a heart rate of 0", () => {
  /** Readings of other vitals: code, value, seconds before the zero. */
  it.each([
    ["a pulse of the oximeter at the same time", [[PULSE, 70, 0]], ZERO.technical],
    ["a pulse of the arterial line at the same time", [[ARTERIAL, 70, 0]], ZERO.technical],
    ["a pulse 10 s before", [[PULSE, 70, 10]], ZERO.technical],
    [
      "a pulse of one channel, while the other is off",
      [
        [PULSE, 0, 0],
        [ARTERIAL, 70, 0],
      ],
      ZERO.technical,
    ],
    ["nothing", [], ZERO.high],
    ["a pulse 11 s before", [[PULSE, 70, 11]], ZERO.high],
    [
      "a pulse that stopped since",
      [
        [PULSE, 70, 5],
        [PULSE, 0, 1],
      ],
      ZERO.high,
    ],
    ["a pulse of 0", [[PULSE, 0, 0]], ZERO.high],
    ["respiration", [[RR, 16, 0]], ZERO.high],
    ["carbon dioxide", [[ETCO2, 38, 0]], ZERO.high],
    ["a temperature", [[TEMP, 37, 0]], ZERO.high],
    ["a saturation", [[SPO2, 97, 0]], ZERO.high],
    [
      "a cuff pressure",
      [
        [SBP, 120, 0],
        [DBP, 80, 0],
        [MAP, 93, 0],
      ],
      ZERO.high,
    ],
  ] as const)("with %s", (_, others, expected) => {
    const world = newWorld();
    sendAt(world, ...others.map(([code, value, before]) => [code, value, -before] as const), [HR, 0, 0]);
    expect(kinds(world, HR)).toEqual([expected]);
  });

  it("is judged the same when the pulse came in an earlier request, or later in the same one", () => {
    const split = newWorld();
    sendAt(split, [PULSE, 70, 0]);
    sendAt(split, [HR, 0, 0]);
    expect(kinds(split, HR)).toEqual([ZERO.technical]);
    const later = newWorld();
    sendAt(later, [HR, 0, -3], [PULSE, 70, 0]);
    expect(kinds(later, HR)).toEqual([ZERO.technical]);
  });

  it("is not contradicted by a pulse that a person entered, or one of a device that is not assigned", () => {
    const world = newWorld();
    for (const device of [null, "stranger"]) sendSamples(world, { [PULSE]: 70 }, device);
    sendSamples(world, { [HR]: 0 });
    expect(kinds(world, HR)).toEqual([ZERO.high]);
  });

  it("becomes an emergency when the pulse stops too, also when no further heart rate comes", () => {
    const world = newWorld();
    sendAt(world, [HR, 0, 0], [PULSE, 70, 0]);
    advance(world, 20 * SECOND);
    sendSamples(world, { [PULSE]: 0 });
    expect(kinds(world, HR)).toEqual([ZERO.high]);
    // The twin: another channel still measures a pulse.
    const twin = newWorld();
    sendAt(twin, [HR, 0, 0], [PULSE, 70, 0]);
    advance(twin, 20 * SECOND);
    sendSamples(twin, { [PULSE]: 0, [ARTERIAL]: 70 });
    expect(kinds(twin, HR)).toEqual([ZERO.technical]);
  });

  it.each(["leads_off", "lead_disconnected"])(
    "is technical while its own device reports %s, and has that alert alone",
    (word) => {
      const world = newWorld();
      report(world, word);
      sendSamples(world, { [HR]: 0 });
      expect(listOpenAlerts(world).map(({ key }) => key)).toEqual([`technical:monitor:${word}`]);
      report(world);
      advance(world, SECOND);
      sendSamples(world, { [HR]: 0 });
      expect(kinds(world, HR)).toEqual([ZERO.high]);
    },
  );

  it("is an emergency when the device reports something else, or another device reports leads off", () => {
    const world = newWorld();
    report(world, "sensor_disconnected", "low_battery");
    applyInput(world, { kind: "conditions", device: "wearable", conditions: ["leads_off"] });
    sendSamples(world, { [HR]: 0 });
    expect(kinds(world, HR)).toEqual([ZERO.high]);
  });

  it("is an emergency when the device measured a heart rate in spite of the lead that is off", () => {
    const world = newWorld();
    report(world, "leads_off");
    advance(world, SECOND);
    sendSamples(world, { [HR]: 70 });
    advance(world, SECOND);
    report(world, "leads_off");
    sendSamples(world, { [HR]: 0 });
    expect(kinds(world, HR)).toEqual([ZERO.high]);
  });

  it("has no technical alert left when the heart rate is back", () => {
    const world = newWorld();
    sendAt(world, [HR, 0, 0], [PULSE, 70, 0]);
    advance(world, SECOND);
    sendRepeatedly(world, 2 * MINUTE, SECOND, () => ({ [HR]: 70 }));
    expect(listOpenAlerts(world)).toHaveLength(1);
    sendSamples(world, { [HR]: 70 });
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("stays high when a pulse contradicts later", () => {
    const world = newWorld();
    sendSamples(world, { [HR]: 0 });
    sendRepeatedly(world, MINUTE, SECOND, () => ({ [HR]: 0, [PULSE]: 70 }));
    expect(kinds(world, HR)).toEqual([ZERO.high, ZERO.technical]);
    expect(listOpenAlerts(world)[0]?.state).toBe("active");
  });
});

describe("a respiratory rate of 0", () => {
  it.each([
    ["nothing", [], ZERO.high],
    [
      "a pulse",
      [
        [PULSE, 70, 0],
        [HR, 70, 0],
      ],
      ZERO.high,
    ],
    ["carbon dioxide", [[ETCO2, 38, 0]], ZERO.high],
    ["another respiration channel of 0", [[AIRWAY_RESPIRATION, 0, 0]], ZERO.high],
    ["another respiration channel 11 s before", [[AIRWAY_RESPIRATION, 12, 11]], ZERO.high],
    ["another respiration channel", [[AIRWAY_RESPIRATION, 12, 0]], ZERO.technical],
  ] as const)("with %s", (_, others, expected) => {
    const world = newWorld();
    sendAt(world, ...others.map(([code, value, before]) => [code, value, -before] as const), [RR, 0, 0]);
    expect(kinds(world, RR)).toEqual([expected]);
  });

  it("says what it can be", () => {
    const world = newWorld();
    sendSamples(world, { [RR]: 0 });
    expect(getOnlyAlert(world).why.text).toBe("Respiratory rate 0 /min: apnoea or sensor off");
  });

  it("is technical while the device reports its leads off", () => {
    const world = newWorld();
    report(world, "leads_off");
    sendSamples(world, { [RR]: 0 });
    expect(kinds(world, RR)).toEqual([]);
  });
});

describe("a sensor that sends 0", () => {
  const send = (world: World, code: string, status: Sample["status"] = "final") =>
    applyInput(world, { kind: "samples", device: "monitor", samples: [createSample(code, 0, world.now, status)] });

  it.each([SPO2, TEMP, SBP, DBP, MAP])("has one medium technical alert for %s, at once, valid or not", (code) => {
    for (const status of ["final", "invalid"] as const) {
      const world = newWorld();
      send(world, code, status);
      expect(getOnlyAlert(world)).toMatchObject({
        key: `sensor:${code}`,
        rule: "technical",
        priority: "medium",
        code,
        device: "monitor",
      });
      advance(world, SECOND);
      send(world, code, status);
      expect(world.transitions).toHaveLength(1);
    }
  });

  it("ends with a usable value, and not with an invalid one", () => {
    const world = newWorld();
    send(world, SPO2);
    advance(world, SECOND);
    applyInput(world, { kind: "samples", device: "monitor", samples: [createSample(SPO2, 127, world.now, "invalid")] });
    expect(listOpenAlerts(world)).toHaveLength(1);
    for (let i = 0; i < 10; i += 1) {
      // A loose sensor: one alert.
      sendSamples(world, { [SPO2]: 97 });
      advance(world, MINUTE);
      send(world, SPO2);
      advance(world, MINUTE);
    }
    expect(world.transitions.filter(({ what }) => what === "raised")).toHaveLength(1);
    sendRepeatedly(world, 3 * MINUTE, MINUTE, () => ({ [SPO2]: 97 }));
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("leaves a saturation alert as it is: 84, 70, 0 stays high, and ends with the saturation alone", () => {
    const world = newWorld();
    for (const value of [84, 70, 0, 0, 0]) {
      sendSamples(world, { [SPO2]: value });
      advance(world, 30 * SECOND);
    }
    expect(kinds(world, SPO2)).toEqual([ZERO.high, ZERO.technical]);
    expect(listOpenAlerts(world)[0]).toMatchObject({ state: "active", priority: "high", why: { value: 84 } });
    advance(world, 5 * 60 * MINUTE);
    expect(listOpenAlerts(world)[0]).toMatchObject({ state: "active", priority: "high" });
    sendRepeatedly(world, 3 * MINUTE, MINUTE, () => ({ [SPO2]: 70 }));
    expect(kinds(world, SPO2)).toEqual([ZERO.high]);
  });

  it("has no second alert for silence", () => {
    const limits = { ...CONFIG.limits, [SPO2]: { ...HR_LIMITS, critical_low: 85, low: 91, high: null, critical_high: null } };
    const world = newWorld({ limits });
    sendRepeatedly(world, MINUTE, SECOND, () => ({ [HR]: 70, [SPO2]: 97 }));
    sendRepeatedly(world, 10 * MINUTE, SECOND, () => ({ [HR]: 70, [SPO2]: 0 }));
    expect(world.transitions.filter(({ what }) => what === "raised").map(({ alert }) => alert.key)).toEqual([`sensor:${SPO2}`]);
  });

  it("is not raised again after it was resolved, until the sensor has sent a usable value", () => {
    const world = newWorld();
    send(world, SPO2);
    applyInput(world, { kind: "resolve", number: 1, by: "nurse" });
    advance(world, SECOND);
    send(world, SPO2);
    expect(listOpenAlerts(world)).toEqual([]);
    sendSamples(world, { [SPO2]: 97 });
    advance(world, SECOND);
    send(world, SPO2);
    expect(getOnlyAlert(world).number).toBe(2);
  });

  it("ends when the zero is corrected, and not when an earlier value is", () => {
    for (const [code, status] of [
      [SPO2, "final"],
      [TEMP, "invalid"],
    ] as const) {
      const world = newWorld();
      sendSamples(world, { [code]: 37 });
      const before = world.now;
      advance(world, SECOND);
      send(world, code, status);
      const newest = (value: number, at: number) => ({ value, at, received: at });
      const earlier = code === SPO2 ? newest(0, world.now) : newest(38, before);
      applyInput(world, { kind: "corrected", code, newest: earlier, isInvalidNewer: false });
      expect(kinds(world, code)).toContain(ZERO.technical);
      applyInput(world, { kind: "corrected", code, newest: newest(97, world.now), isInvalidNewer: false });
      expect(kinds(world, code)).not.toContain(ZERO.technical);
    }
  });

  it("ends with its device's binding and with its limits", () => {
    for (const change of [{ devices: {} }, { limits: {} }, { monitoring: "off" } as const]) {
      const world = newWorld();
      send(world, SPO2);
      world.config = { ...world.config, ...change };
      applyInput(world, { kind: "tick" });
      expect(listOpenAlerts(world)).toEqual([]);
    }
  });

  it("has a bounded number of alerts in an hour, whatever it alternates with", () => {
    const world = newWorld();
    for (let i = 0; i < 1000; i++) {
      advance(world, SECOND);
      sendSamples(world, { [SPO2]: i % 2 ? 97 : 0 });
    }
    expect(world.transitions.filter(({ what }) => what === "raised").length).toBeLessThanOrEqual(60);
    expect(listOpenAlerts(world)).toHaveLength(1);
  });

  it("is carried in memories that are stored and read again", () => {
    const world = newWorld();
    sendAt(world, [HR, 0, 0], [PULSE, 70, 0], [SPO2, 0, 0]);
    world.memory = JSON.parse(JSON.stringify(world.memory));
    advance(world, 5 * SECOND);
    sendSamples(world, { [HR]: 0 });
    expect(kinds(world, HR)).toEqual([ZERO.technical]);
  });
});

const RECORD = "../shared/data/vitals/bedside/s25047-2704-05-04-10-44n.csv";

it("a real bedside monitor has no emergency of a zero that its pulse contradicts, and misses none that it does not", ({
  skip,
}) => {
  skip(!existsSync(RECORD), absent("vitals"));
  const [, ...rows] = readFileSync(RECORD, "utf8").trim().split("\n");
  const world = newWorld();
  const missed: number[] = [];
  for (const row of rows) {
    const [minute = 0, heart = 0, pulse = 0, breath = 0, saturation = 0] = row.split(",").map(Number);
    const values = { [HR]: heart, [PULSE]: pulse, [RR]: breath, [SPO2]: saturation };
    const emergencies = sendSamples(world, values).filter(
      ({ what, alert }) => what.startsWith("raised") && alert.rule === "limit",
    );
    const zeros = emergencies.filter(({ alert }) => alert.code === HR && alert.why.value === 0);
    if (pulse > 0) expect(zeros, `minute ${minute}`).toEqual([]);
    const isOpen = (code: string) => kinds(world, code).includes(ZERO.high);
    if ((heart === 0 && pulse === 0 && !isOpen(HR)) || (breath === 0 && !isOpen(RR))) missed.push(minute);
    advance(world, MINUTE);
  }
  expect(rows).toHaveLength(72);
  expect(missed).toEqual([]);
});

describe("a change", () => {
  const limits = {
    ...CONFIG.limits,
    [RR]: { ...HR_LIMITS, critical_low: 8, low: 9, high: 35, critical_high: 40, rate_per_minute: 15 },
  };
  const rates = (world: World) => world.transitions.filter(({ alert }) => alert.rule === "rate").map(({ what }) => what);

  it.each([0, null])("is not computed across a sensor that was off (%s) and put back", (off) => {
    const world = newWorld({ monitoring: "home", limits });
    sendRepeatedly(world, 5 * MINUTE, 10 * SECOND, () => ({ [RR]: 12 }));
    sendRepeatedly(world, 2 * MINUTE, 10 * SECOND, (): Record<string, number> => (off === null ? { [HR]: 70 } : { [RR]: 0 }));
    sendRepeatedly(world, 5 * MINUTE, 10 * SECOND, () => ({ [RR]: 34 }));
    expect(rates(world)).toEqual([]);
  });

  it("is computed where there is no gap", () => {
    const world = newWorld({ monitoring: "home", limits });
    sendRepeatedly(world, 5 * MINUTE, 10 * SECOND, () => ({ [RR]: 12 }));
    sendRepeatedly(world, MINUTE, 10 * SECOND, (i) => ({ [RR]: 12 + 3 * i }));
    expect(rates(world)).toContain("raised");
  });

  it("that was alarming stays alarming when the sensor goes off", () => {
    const saturation = { ...HR_LIMITS, critical_low: 40, low: 50, high: null, critical_high: null, rate_per_minute: 8 };
    const world = newWorld({ monitoring: "home", limits: { ...CONFIG.limits, [SPO2]: saturation } });
    sendRepeatedly(world, MINUTE, 10 * SECOND, (i) => ({ [SPO2]: 99 - 4 * i }));
    expect(rates(world)).toEqual(["raised"]);
    sendRepeatedly(world, MINUTE, 10 * SECOND, () => ({ [SPO2]: 0 }));
    expect(rates(world)).toEqual(["raised"]);
  });
});
