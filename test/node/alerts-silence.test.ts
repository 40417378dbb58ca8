// Silence of devices that send at their own pace: the interval is learnt, bounded, and kept.
import { describe, expect, it } from "vitest";
import { MAX_SILENCE_FACTOR } from "../../src/monitoring/alarm-rules/send-intervals.ts";
import { memoryDocument } from "../../src/monitoring/patient-object/memory/documents.ts";
import { newMonitorMemory } from "../../src/monitoring/patient-object/memory/monitor-memory.ts";
import { CODES, getDefaultLimits } from "../../src/monitoring/vitals/catalogue.ts";
import { times } from "../long.ts";
import { createRandom } from "./alerts-randomness.ts";
import {
  advance,
  getOnlyAlert,
  HOUR,
  HR,
  listOpenAlerts,
  MINUTE,
  newWorld,
  RR,
  SECOND,
  SPO2,
  START,
  sendSamples,
  type World,
} from "./alerts-world.ts";

const LIMIT_S = 60;
const all = { [HR]: 70, [SPO2]: 97, [RR]: 16 };
/** A bedside monitor with the product's limits of silence. */
const bedside = () => newWorld({ limits: getDefaultLimits("adult"), devices: { monitor: { silence_s: LIMIT_S } } });
const raised = (world: World) => world.transitions.filter(({ what, alert }) => what === "raised" && /silence/.test(alert.rule));
/** Sends at these intervals, in milliseconds. */
function sendEvery(world: World, intervals: readonly number[]): void {
  for (const interval of intervals) {
    advance(world, interval);
    sendSamples(world, all);
  }
}
/** Milliseconds from the last message to the alert of a device that sends nothing more. */
function silentFor(world: World): number {
  const last = world.now;
  advance(world, HOUR);
  return getOnlyAlert(world).raised_at - last;
}

describe("a monitor that sends once a minute", () => {
  const random = createRandom(20_261_129);
  const intervals = Array.from({ length: times(240, 1920) }, () => MINUTE + random.integer(-5, 5) * SECOND);

  it("has no alert while it sends, where a limit of a minute has hundreds", () => {
    const world = bedside();
    sendEvery(world, intervals);
    // The first interval is learnt only when it has passed.
    expect(raised(world).length).toBeLessThanOrEqual(1);
    expect(intervals.filter((interval) => interval > LIMIT_S * SECOND).length).toBeGreaterThan(intervals.length / 3);
    expect(listOpenAlerts(world)).toEqual([]);
  });

  it("is silent after two and a half intervals, and one that sends every second after its limit", () => {
    const slow = bedside();
    sendEvery(slow, Array(20).fill(MINUTE));
    expect(silentFor(slow)).toBe(150 * SECOND);
    const fast = bedside();
    sendEvery(fast, Array(60).fill(SECOND));
    expect(silentFor(fast)).toBe(LIMIT_S * SECOND);
  });

  it("may send several requests at once", () => {
    const world = bedside();
    for (let i = 0; i < 60; i += 1) {
      sendEvery(world, [200, 200]);
      advance(world, MINUTE);
      sendSamples(world, all);
    }
    expect(raised(world).length).toBeLessThanOrEqual(1);
    expect(silentFor(world)).toBeLessThanOrEqual(160 * SECOND);
  });

  it("is still known after its memory was stored, and a memory without intervals can be read", () => {
    const world = bedside();
    sendEvery(world, Array(20).fill(MINUTE));
    const memory = { ...newMonitorMemory(world.now), alarm: world.memory };
    const stored = memoryDocument.read(memoryDocument.write(memory));
    expect(stored.alarm).toEqual(JSON.parse(JSON.stringify(world.memory)));
    expect(silentFor({ ...world, memory: stored.alarm })).toBe(150 * SECOND);
    const old = { ...world.memory, devices: { monitor: { lastHeardAt: world.now, vitalsHeardAt: {} } } };
    expect(silentFor({ ...world, memory: old })).toBe(LIMIT_S * SECOND);
  });
});

describe("a device that changes its pace", () => {
  it("from seconds to minutes is learnt after a few alerts", () => {
    const world = bedside();
    sendEvery(world, Array(1200).fill(SECOND));
    sendEvery(world, Array(60).fill(MINUTE + SECOND));
    expect(raised(world).length).toBeGreaterThan(0);
    expect(raised(world).length).toBeLessThanOrEqual(6);
  });

  it("from seconds to ever longer pauses is silent after ten times its limit at the latest", () => {
    const longest = MAX_SILENCE_FACTOR * LIMIT_S * SECOND;
    for (const factor of [1.1, 1.5, 2.4, 4]) {
      const world = bedside();
      sendEvery(world, Array(60).fill(SECOND));
      for (let pause = SECOND; pause < 4 * HOUR; pause *= factor) {
        const last = world.now;
        advance(world, Math.round(pause));
        const open = listOpenAlerts(world).some(({ rule }) => rule === "device_silence");
        expect(open || world.now - last < longest, `${factor} ${pause}`).toBe(true);
        sendSamples(world, all);
      }
    }
  });

  it("is not learnt from an outage", () => {
    const world = bedside();
    sendEvery(world, Array(600).fill(SECOND));
    sendEvery(world, [5 * HOUR, SECOND, SECOND]);
    expect(silentFor(world)).toBe(LIMIT_S * SECOND);
  });
});

it("a vital has an interval of its own", () => {
  const world = bedside();
  for (let second = 0; second < 1800; second += 1) {
    advance(world, SECOND);
    sendSamples(world, { [HR]: 70, ...(second % 100 === 0 && { [SPO2]: 97 }), [CODES.temperature]: 37 });
  }
  expect(raised(world)).toEqual([]);
  const last = world.memory.devices["monitor"]?.vitalsHeardAt[SPO2] ?? START;
  for (let second = 0; second < 400; second += 1) {
    advance(world, SECOND);
    sendSamples(world, { [HR]: 70 });
  }
  expect(getOnlyAlert(world)).toMatchObject({ key: `silence:${SPO2}`, why: { window_s: 250 } });
  expect(getOnlyAlert(world).raised_at - last).toBe(250 * SECOND);
});
