// The rule for values whose unit is doubtful: who is told, when it ends, and how often it can be raised.
import { describe, expect, it } from "vitest";
import { MAX_RAISED_PER_HOUR } from "../../src/monitoring/alarm-rules/raise-counts.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import type { Sample } from "../../src/monitoring/vitals/model.ts";
import { applyInput, HOUR, listOpenAlerts, newWorld, SECOND, type World } from "./alerts-world.ts";

const GLUCOSE = CODES.glucose;
const sample = (world: World, code: string, ago = 0) => ({
  code,
  value: 14.2,
  unit: "{unknown}",
  at: world.now - ago,
  seq: null,
});
const suspect = (world: World, code: string = GLUCOSE, ago = 0): Sample => ({
  ...sample(world, code, ago),
  status: "invalid",
  isUnitSuspect: true,
});
const usable = (world: World): Sample => ({ ...sample(world, GLUCOSE), unit: "mg/dL", value: 95, status: "final" });
const send = (world: World, one: Sample) => applyInput(world, { kind: "samples", device: null, samples: [one] });
const open = (world: World) => listOpenAlerts(world).map(({ rule, priority }) => `${rule} ${priority}`);

describe("a value whose unit is doubtful", () => {
  it("raises one alert, which the next usable value ends", () => {
    const world = newWorld();
    send(world, suspect(world));
    send(world, suspect(world));
    expect(open(world)).toEqual(["unit medium"]);
    send(world, usable(world));
    expect(open(world)).toEqual([]);
  });

  it("raises none without monitoring, for a vital that no rule watches, or when it is old", () => {
    const off = newWorld({ monitoring: "off" });
    expect(send(off, suspect(off))).toEqual([]);
    const world = newWorld();
    expect(send(world, suspect(world, CODES.weight))).toEqual([]);
    expect(send(world, suspect(world, GLUCOSE, HOUR))).toEqual([]);
  });

  it("that comes and goes raises a bounded number of alerts an hour", () => {
    const world = newWorld();
    let raised = 0;
    for (let n = 0; n < 8 * MAX_RAISED_PER_HOUR; n++) {
      world.now += SECOND;
      const changes = send(world, n % 2 ? usable(world) : suspect(world));
      raised += changes.filter(({ what, alert }) => what === "raised" && alert.rule === "unit").length;
    }
    // The first was raised before the vital had a usable value. Two clock hours, if the run crosses one.
    expect(raised).toBeGreaterThan(MAX_RAISED_PER_HOUR / 2);
    expect(raised).toBeLessThanOrEqual(2 * (MAX_RAISED_PER_HOUR + 1));
  });
});
