// The end of an acknowledged alert of a spot patient: one better set is not the end of the event, and what is worse is always signalled.
import { describe, expect, it } from "vitest";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import {
  advance,
  applyInput,
  getOnlyAlert,
  HOUR,
  HR,
  listOpenAlerts,
  MINUTE,
  newWorld,
  RR,
  SBP,
  SPO2,
  sendSamples,
  TEMP,
  type World,
} from "./alerts-world.ts";

const SPOT = { watch: { mode: "spot", grace_ms: 15 * MINUTE } } as const;
const WELL = { [RR]: 16, [SPO2]: 97, [CODES.inspired_oxygen]: 21, [SBP]: 120, [HR]: 80, [CODES.consciousness]: 0, [TEMP]: 37 };
const URGENT = { ...WELL, [RR]: 22, [SPO2]: 94, [HR]: 115 };
const NEWS2 = { news2: { scale: 1, window_ms: 30 * MINUTE } } as const;

/** Sends values, lets a minute pass, and lists what was raised or ended. */
const chart = (world: World, values: Record<string, number>) => {
  const before = world.transitions.length;
  sendSamples(world, values);
  advance(world, MINUTE);
  return world.transitions
    .slice(before)
    .flatMap(({ what, alert }) => (/raised|recovered|cleared/.test(what) ? [`${what} ${alert.priority}`] : []));
};
const acknowledge = (world: World) => applyInput(world, { kind: "acknowledge", number: getOnlyAlert(world).number, by: "nurse" });

/** Charted once an hour: 26 and acknowledged, then 18. */
function chartedHourly(mode: "spot" | "continuous", high = 26): World {
  const world = newWorld({ monitoring: "home", watch: { mode, grace_ms: 15 * MINUTE } });
  expect(chart(world, { [RR]: high })).toHaveLength(1);
  acknowledge(world);
  advance(world, 59 * MINUTE);
  chart(world, { [RR]: 18 });
  return world;
}

describe("an acknowledged medium alert of a spot patient", () => {
  it("is the same alert when the value returns with the next set", () => {
    const world = chartedHourly("spot");
    advance(world, 59 * MINUTE);
    expect(chart(world, { [RR]: 26 })).toEqual([]);
    expect(getOnlyAlert(world)).toMatchObject({ number: 1, state: "acknowledged" });
    // The twin: under continuous monitoring the first value ends it, and the return is news.
    const twin = chartedHourly("continuous");
    expect(listOpenAlerts(twin)).toEqual([]);
    advance(twin, 59 * MINUTE);
    expect(chart(twin, { [RR]: 26 })).toEqual(["raised medium"]);
  });

  it("ends by the clock when the next set is due and its grace is over, without another value", () => {
    const world = chartedHourly("spot");
    advance(world, 73 * MINUTE);
    expect(listOpenAlerts(world)).toHaveLength(1);
    advance(world, 2 * MINUTE);
    expect(listOpenAlerts(world)).toEqual([]);
    expect(chart(world, { [RR]: 26 })).toEqual(["raised medium"]);
  });

  it("signals a return beyond the critical limit", () => {
    expect(chart(chartedHourly("spot"), { [RR]: 32 })).toEqual(["raised_priority high"]);
  });
});

it("a high alert ends with its values, so that each return is signalled", () => {
  const world = chartedHourly("spot", 32);
  expect(listOpenAlerts(world)).toEqual([]);
  expect(chart(world, { [RR]: 32 })).toEqual(["raised high"]);
});

it("an alert that nobody has acknowledged ends with its values", () => {
  const world = newWorld({ monitoring: "home", ...SPOT });
  chart(world, { [RR]: 26 });
  expect(chart(world, { [RR]: 18 })).toEqual(["cleared medium"]);
});

it("blood pressures and the score end in the same way", () => {
  const pressures = newWorld({ monitoring: "home", ...SPOT });
  chart(pressures, { [CODES.mean_pressure]: 62 });
  acknowledge(pressures);
  advance(pressures, HOUR);
  chart(pressures, { [CODES.mean_pressure]: 80 });
  advance(pressures, HOUR);
  expect(chart(pressures, { [CODES.mean_pressure]: 62 })).toEqual([]);

  const scored = newWorld({ monitoring: "home", ...SPOT, ...NEWS2 });
  expect(chart(scored, URGENT)).toEqual(["raised medium"]);
  acknowledge(scored);
  advance(scored, HOUR);
  chart(scored, WELL);
  advance(scored, HOUR);
  expect(chart(scored, URGENT)).toEqual([]);
  chart(scored, WELL);
  advance(scored, 73 * MINUTE);
  expect(listOpenAlerts(scored)).toHaveLength(1);
  advance(scored, 2 * MINUTE);
  expect(listOpenAlerts(scored)).toEqual([]);
});
