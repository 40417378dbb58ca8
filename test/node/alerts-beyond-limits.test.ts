// Alarms other than limits: missing signals, technical conditions, NEWS2 and trends; one scenario per test.
import { describe, expect, it } from "vitest";
import { DEVICE_CONDITIONS } from "../../src/monitoring/alarm-rules/device-conditions.ts";
import { nextDeadline } from "../../src/monitoring/alarm-rules/engine.ts";
import { LOWER_HOLD_MS, URGENT_HOLD_MS } from "../../src/monitoring/alarm-rules/news2-rule.ts";
import { MAX_RAISED_PER_HOUR } from "../../src/monitoring/alarm-rules/raise-counts.ts";
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

describe("a missing-signal alarm", () => {
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
      sendRepeatedly(world, 50 * MINUTE, seconds * SECOND, (i) => (i < rounds ? all : without(SPO2)));
      // Two and a half of its own intervals, where those are longer than the limit.
      const allowed = Math.max(120, 2.5 * seconds) * SECOND;
      const unplugged = START + (rounds - 1) * seconds * SECOND;
      const raised = world.transitions.filter(({ what }) => what === "raised");
      expect(raised.map(({ alert }) => alert.key)).toEqual([`silence:${SPO2}`]);
      expect((raised[0]?.at ?? 0) - unplugged).toBeGreaterThanOrEqual(allowed);
      expect((raised[0]?.at ?? 0) - unplugged).toBeLessThanOrEqual(allowed + 10 * SECOND);
      sendSamples(world, all);
      expect(listOpenAlerts(world)).toEqual([]);
      expect(world.transitions.at(-1)).toMatchObject({ what: "cleared", at: world.now });
    },
  );

  it("is raised once per device when the whole device is unplugged, although its vitals arrive at different times", () => {
    const world = watched();
    sendRepeatedly(world, 10 * MINUTE, SECOND, (i) => ({
      [HR]: 80,
      ...(i % 5 === 0 && { [SPO2]: 97 }),
      ...(i % 12 === 0 && { [RR]: 16 }),
    }));
    const last = world.memory.devices["monitor"]?.lastHeardAt ?? 0;
    advance(world, 5 * MINUTE);
    expect(listOpenAlerts(world).map(({ key }) => key)).toEqual(["device:monitor"]);
    expect(getOnlyAlert(world).raised_at - last).toBe(120 * SECOND);
    advance(world, 2 * HOUR);
    expect(listTransitions(world).filter((what) => what.startsWith("raised"))).toHaveLength(1);
    expect(listTransitions(world)).toContain("repeated device:monitor medium active");
    sendSamples(world, { [HR]: 80 });
    expect(listOpenAlerts(world)).toEqual([]);
    sendRepeatedly(world, 119 * SECOND, SECOND, () => ({ [HR]: 80 }));
    expect(listOpenAlerts(world)).toEqual([]);
    sendRepeatedly(world, 5 * SECOND, SECOND, () => ({ [HR]: 80 }));
    expect(
      listOpenAlerts(world)
        .map(({ key }) => key)
        .sort(),
    ).toEqual([`silence:${RR}`, `silence:${SPO2}`].sort());
  });

  it("does not make a vital wait for a device that may be silent longer", () => {
    const world = watched();
    world.config = { ...world.config, devices: { monitor: { silence_s: 3600 } } };
    sendRepeatedly(world, MINUTE, SECOND, () => all);
    advance(world, 125 * SECOND);
    expect(listOpenAlerts(world).map(({ key }) => key)).toEqual(["device:monitor"]);
  });

  it("does not flap when a device sends rarely and without the vital", () => {
    const world = watched();
    world.config = { ...world.config, devices: { monitor: { silence_s: 3600 } } };
    sendRepeatedly(world, MINUTE, SECOND, () => all);
    sendRepeatedly(world, 5 * HOUR, 30 * MINUTE, () => ({ [SBP]: 120 }));
    const raised = world.transitions.filter(({ what }) => what === "raised").map(({ alert }) => alert.key);
    expect(raised.sort()).toEqual(["device:monitor", `silence:${HR}`, `silence:${RR}`, `silence:${SPO2}`].sort());
  });

  it("is not raised for a vital that no device has sent, or for manual values", () => {
    const world = watched();
    sendSamples(world, { [SPO2]: 97 }, null);
    sendRepeatedly(world, HOUR, SECOND, () => ({ [HR]: 80 }));
    expect(world.transitions).toEqual([]);
  });

  it("is not raised for a vital that another device still sends", () => {
    const world = watched();
    sendSamples(world, all, "wearable");
    sendRepeatedly(world, HOUR, SECOND, () => all);
    expect(world.transitions).toEqual([]);
  });

  it("is not hidden by a sensor that keeps sending impossible values", () => {
    const world = watched();
    sendRepeatedly(world, MINUTE, SECOND, () => all);
    const off = world.now;
    for (let i = 0; i < 200; i += 1) {
      advance(world, SECOND);
      const invalid = createSample(SPO2, 127, world.now, "invalid");
      const others = Object.entries(without(SPO2)).map(([code, value]) => createSample(code, value, world.now));
      applyInput(world, { kind: "samples", device: "monitor", samples: [...others, invalid] });
    }
    expect(getOnlyAlert(world).key).toBe(`silence:${SPO2}`);
    expect(getOnlyAlert(world).raised_at - off).toBeLessThanOrEqual(130 * SECOND);
  });

  it("exists only on a ward, and ends when monitoring is switched off", () => {
    const home = watched();
    home.config = { ...home.config, monitoring: "home" };
    sendSamples(home, all);
    advance(home, HOUR);
    expect(home.transitions).toEqual([]);
    home.config = { ...home.config, monitoring: "ward" };
    applyInput(home, { kind: "tick" });
    advance(home, 119 * SECOND);
    expect(home.transitions).toEqual([]);
    advance(home, SECOND);
    expect(getOnlyAlert(home).key).toBe("device:monitor");
    home.config = { ...home.config, monitoring: "off" };
    applyInput(home, { kind: "tick" });
    expect(listOpenAlerts(home)).toEqual([]);
    sendSamples(home, { [HR]: 0 });
    advance(home, HOUR);
    expect(listOpenAlerts(home)).toEqual([]);
    expect(nextDeadline(home.memory, home.config)).toBe(null);
  });

  it("ends when the device is unassigned", () => {
    const world = watched();
    sendSamples(world, all);
    advance(world, HOUR);
    world.config = { ...world.config, devices: {} };
    applyInput(world, { kind: "tick" });
    expect(listOpenAlerts(world)).toEqual([]);
    expect(world.memory.devices).toEqual({});
  });

  it("ends in one state when data comes in the millisecond in which it was due", () => {
    for (const first of ["tick", "data"]) {
      const world = watched();
      sendSamples(world, all);
      world.now += 120 * SECOND;
      if (first === "tick") applyInput(world, { kind: "tick" });
      sendSamples(world, all);
      if (first === "data") applyInput(world, { kind: "tick" });
      expect(listOpenAlerts(world)).toEqual([]);
    }
  });

  it("does not come back after it was resolved, until the sensor has sent again", () => {
    const world = watched();
    sendRepeatedly(world, MINUTE, SECOND, () => all);
    sendRepeatedly(world, 3 * MINUTE, SECOND, () => without(SPO2));
    applyInput(world, { kind: "resolve", number: 1, by: "nurse" });
    sendRepeatedly(world, HOUR, SECOND, () => without(SPO2));
    expect(listOpenAlerts(world)).toEqual([]);
    sendSamples(world, all);
    sendRepeatedly(world, 3 * MINUTE, SECOND, () => without(SPO2));
    expect(getOnlyAlert(world)).toMatchObject({ number: 2, key: `silence:${SPO2}` });
  });
});

describe("technical conditions", () => {
  const report = (world: World, ...conditions: string[]) =>
    applyInput(world, { kind: "conditions", device: "monitor", conditions });

  it("are low while the device reports them", () => {
    const world = newWorld();
    report(world, "leads_off", "low_battery", "leads_off");
    expect(listOpenAlerts(world).map(({ key, priority }) => [key, priority])).toEqual([
      ["technical:monitor:leads_off", "low"],
      ["technical:monitor:low_battery", "low"],
    ]);
    report(world, "low_battery");
    expect(getOnlyAlert(world).key).toBe("technical:monitor:low_battery");
    report(world);
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("are not raised again while a resolved one is still reported", () => {
    const world = newWorld();
    report(world, "low_battery");
    applyInput(world, { kind: "resolve", number: 1, by: "nurse" });
    report(world, "low_battery");
    expect(listOpenAlerts(world)).toEqual([]);
    report(world);
    report(world, "low_battery");
    expect(getOnlyAlert(world).number).toBe(2);
  });

  it("outside of the vocabulary are one alert, which names the first of them", () => {
    const world = newWorld();
    report(world, "leads_off", ...Array.from({ length: 1000 }, (_, i) => `condition_${i}`));
    expect(listOpenAlerts(world).map(({ key }) => key)).toEqual(["technical:monitor:leads_off", "technical:monitor:other"]);
    const { text } = listOpenAlerts(world)[1]?.why ?? { text: "" };
    expect(text).toMatch(/^The device reports: other \(condition_0, condition_1, /);
    expect(text.length).toBeLessThanOrEqual(120);
    report(world, "leads_off", "yet_another");
    expect(world.memory.lastAlertNumber).toBe(2);
    expect(listOpenAlerts(world)[1]?.why.text).toBe("The device reports: other (yet_another)");
  });

  it("outside of the vocabulary are raised again with each new word, and not with a known one", () => {
    const world = newWorld();
    const acknowledge = () => applyInput(world, { kind: "acknowledge", number: world.memory.lastAlertNumber, by: "nurse" });
    report(world, "pump_stopped");
    acknowledge();
    expect(report(world, "pump_stopped")).toEqual([]);
    report(world, "pump_stopped", "gas_supply_failed");
    expect(getOnlyAlert(world)).toMatchObject({ number: 1, state: "active", acknowledged_by: null });
    expect(getOnlyAlert(world).why.text).toBe("The device reports: other (gas_supply_failed, pump_stopped)");
    acknowledge();
    expect(report(world, "gas_supply_failed")).toEqual([]);
    applyInput(world, { kind: "resolve", number: 1, by: "nurse" });
    expect(report(world, "gas_supply_failed")).toEqual([]);
    // It ended and came back.
    report(world, "gas_supply_failed", "pump_stopped");
    expect(getOnlyAlert(world)).toMatchObject({ number: 2, state: "active" });
  });

  it("outside of the vocabulary that change all the time become one alert as well", () => {
    const world = newWorld();
    for (let i = 0; i < 1000; i++) report(world, `word_${i}`);
    expect(getOnlyAlert(world).key).toBe("technical:monitor:changing_conditions");
    expect(world.transitions.length).toBeLessThanOrEqual(MAX_RAISED_PER_HOUR + 2);
    expect(JSON.stringify(world.memory.devices).length).toBeLessThan(500);
  });

  it("that change all the time become one alert until the hour ends, and none is forgotten", () => {
    const world = newWorld();
    for (let i = 0; i < 200; i++) report(world, ...(i % 2 ? [] : ["leads_off", "low_battery"]));
    expect(getOnlyAlert(world).key).toBe("technical:monitor:changing_conditions");
    expect(world.memory.lastAlertNumber).toBe(MAX_RAISED_PER_HOUR + 1);
    report(world);
    expect(getOnlyAlert(world).key).toBe("technical:monitor:changing_conditions");
    world.now += HOUR;
    report(world, "cuff_leak");
    expect(getOnlyAlert(world).key).toBe("technical:monitor:cuff_leak");
  });

  it("end with the device's binding, and are bounded in number", () => {
    const world = newWorld();
    report(world, ...Object.keys(DEVICE_CONDITIONS));
    expect(listOpenAlerts(world)).toHaveLength(16);
    world.config = { ...world.config, devices: {} };
    applyInput(world, { kind: "tick" });
    expect(listOpenAlerts(world)).toEqual([]);
    report(world, "low_battery");
    expect(listOpenAlerts(world)).toEqual([]);
  });
});

describe("NEWS2", () => {
  const config = { news2: { scale: 1, window_ms: 30 * MINUTE }, monitoring: "home", limits: {} } as const;
  const well = { [RR]: 16, [SPO2]: 97, [CODES.inspired_oxygen]: 21, [SBP]: 120, [HR]: 80, [CODES.consciousness]: 0, [TEMP]: 37 };
  const urgent = { ...well, [RR]: 22, [SPO2]: 94, [HR]: 115 };
  const emergency = { ...well, [RR]: 25, [SPO2]: 92, [HR]: 115 };

  it("score of seven raises a high alarm at once", () => {
    const world = newWorld(config);
    sendSamples(world, emergency);
    expect(getOnlyAlert(world)).toMatchObject({
      key: "news2",
      rule: "news2",
      code: null,
      priority: "high",
      why: { value: 7, bound: 7 },
    });
    expect(getOnlyAlert(world).why.text).toBe("NEWS2 is 7 (7 or more): respiratory_rate 3, spo2 2, pulse 2");
  });

  it.each([
    ["five", urgent, 5],
    ["three points in one parameter", { ...well, [SPO2]: 91 }, 3],
    ["new confusion", { ...well, [CODES.consciousness]: 1 }, 3],
  ])("of %s raises medium when it holds", (_, values, bound) => {
    const world = newWorld(config);
    sendSamples(world, values);
    expect(listOpenAlerts(world)).toEqual([]);
    advance(world, URGENT_HOLD_MS);
    expect(getOnlyAlert(world)).toMatchObject({ priority: "medium", raised_at: START + URGENT_HOLD_MS, why: { bound } });
  });

  it("score of four raises nothing", () => {
    const world = newWorld(config);
    sendSamples(world, { ...well, [RR]: 22, [HR]: 115 });
    advance(world, HOUR);
    expect(world.transitions).toEqual([]);
  });

  it.each(Object.keys(well))("is never scored without %s", (code) => {
    const world = newWorld(config);
    sendSamples(world, Object.fromEntries(Object.entries(emergency).filter(([of]) => of !== code)));
    advance(world, HOUR);
    expect(world.transitions).toEqual([]);
  });

  it("is not raised or ended by stale values", () => {
    const world = newWorld(config);
    sendSamples(world, { [TEMP]: 40, [CODES.consciousness]: 3, [CODES.inspired_oxygen]: 21 });
    advance(world, 31 * MINUTE);
    sendSamples(world, { [RR]: 25, [SPO2]: 92, [HR]: 115, [SBP]: 120 });
    expect(listOpenAlerts(world)).toEqual([]);
    sendSamples(world, emergency);
    expect(listOpenAlerts(world)).toHaveLength(1);
    advance(world, 24 * HOUR);
    expect(getOnlyAlert(world).state).toBe("active");
  });

  it("ends when it has been lower for five minutes", () => {
    const world = newWorld(config);
    sendSamples(world, emergency);
    advance(world, MINUTE);
    sendSamples(world, well);
    advance(world, LOWER_HOLD_MS - SECOND);
    sendSamples(world, urgent);
    advance(world, SECOND);
    sendSamples(world, well);
    advance(world, LOWER_HOLD_MS - SECOND);
    expect(listOpenAlerts(world)).toHaveLength(1);
    advance(world, SECOND);
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("is not raised again for the score at which it was resolved, but for a higher one", () => {
    const world = newWorld(config);
    sendSamples(world, urgent);
    advance(world, MINUTE);
    applyInput(world, { kind: "resolve", number: 1, by: "doctor" });
    advance(world, MINUTE);
    sendSamples(world, urgent);
    advance(world, MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
    sendSamples(world, emergency);
    expect(getOnlyAlert(world)).toMatchObject({ number: 2, priority: "high" });
  });

  it("ends where it does not apply any more", () => {
    const world = newWorld(config);
    sendSamples(world, emergency);
    world.config = { ...world.config, news2: null };
    applyInput(world, { kind: "tick" });
    expect(listOpenAlerts(world)).toEqual([]);
  });
});

describe("trend rules", () => {
  const rate = { ...CONFIG, monitoring: "home", limits: { [HR]: { ...HR_LIMITS, rate_per_minute: 30 } } } as const;

  it("raise a fast rise within the limits, with rate and window", () => {
    const world = newWorld(rate);
    sendRepeatedly(world, 5 * MINUTE, SECOND, heartRate(60));
    sendRepeatedly(world, MINUTE, SECOND, (i) => ({ [HR]: 60 + (i * 45) / 60 }));
    expect(getOnlyAlert(world)).toMatchObject({ key: `rate:${HR}`, priority: "medium", why: { side: "high", bound: 30 } });
    expect(getOnlyAlert(world).why.value).toBeGreaterThanOrEqual(30);
    expect(getOnlyAlert(world).why.text).toMatch(
      /^Heart rate [\d.]+ \/min rises by [\d.]+ per minute over \d+ s; the limit is 30$/,
    );
    sendRepeatedly(world, 3 * MINUTE, SECOND, heartRate(105));
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("do not raise an alert for a single outlier at any position, or for a slow rise", () => {
    for (let place = 0; place < 70; place += 1) {
      const world = newWorld(rate);
      sendRepeatedly(world, 3 * MINUTE, SECOND, (i) => ({ [HR]: i === place ? 119 : 60 }));
      expect(world.transitions, String(place)).toEqual([]);
    }
    const slow = newWorld(rate);
    sendRepeatedly(slow, 5 * MINUTE, SECOND, (i) => ({ [HR]: 60 + i / 6 }));
    expect(slow.transitions).toEqual([]);
  });

  it("do not raise where a limit alarm is active", () => {
    const world = newWorld(rate);
    sendRepeatedly(world, 2 * MINUTE, SECOND, heartRate(100));
    sendRepeatedly(world, 2 * MINUTE, SECOND, (i) => ({ [HR]: Math.min(135, 100 + i) }));
    expect(listOpenAlerts(world).map(({ rule }) => rule)).toEqual(["limit"]);
  });

  it("end without further values after ten minutes", () => {
    const world = newWorld(rate);
    sendRepeatedly(world, 2 * MINUTE, SECOND, heartRate(60));
    sendRepeatedly(world, MINUTE, SECOND, (i) => ({ [HR]: 60 + (i * 45) / 60 }));
    expect(listOpenAlerts(world)).toHaveLength(1);
    advance(world, 10 * MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("raise a drift from the patient's own usual, low, and end when it is back", () => {
    const world = newWorld({ monitoring: "home", limits: { [HR]: { ...HR_LIMITS, trend: true } } });
    const wobble = (base: number) => (i: number) => ({ [HR]: base + 2 * Math.sin(i) });
    sendRepeatedly(world, 6 * HOUR, MINUTE, wobble(70));
    expect(world.transitions).toEqual([]);
    sendRepeatedly(world, 90 * MINUTE, MINUTE, wobble(100));
    expect(getOnlyAlert(world)).toMatchObject({
      key: `trend:${HR}`,
      rule: "trend",
      priority: "low",
      why: { side: "high", window_s: 6 * 3600 },
    });
    expect(getOnlyAlert(world).why.text).toMatch(
      /^Heart rate [\d.]+ \/min on average, [\d.]+ standard deviations above this patient's own [\d.]+ of/,
    );
    sendRepeatedly(world, 2 * HOUR, MINUTE, wobble(70));
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("do not raise a drift towards a side without a limit", () => {
    const world = newWorld({
      monitoring: "home",
      limits: { [SPO2]: { ...HR_LIMITS, low: 91, critical_low: 85, high: null, critical_high: null, trend: true } },
    });
    sendRepeatedly(world, 6 * HOUR, MINUTE, (i) => ({ [SPO2]: 92.5 + (i % 2) / 10 }));
    sendRepeatedly(world, 6 * HOUR, MINUTE, (i) => ({ [SPO2]: 99.5 + (i % 2) / 10 }));
    expect(world.transitions).toEqual([]);
  });
});
