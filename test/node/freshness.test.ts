// Freshness of scores and values by how a patient is watched: RCP 2017, chart 4.
import { describe, expect, it } from "vitest";
import { resolveWatch } from "../../src/monitoring/alarm-rules/watch.ts";
import { judgeScore, presentWindowMs, repeatIntervalMs, type Watch } from "../../src/monitoring/vitals/freshness.ts";
import { HOUR, MINUTE, START } from "./alerts-world.ts";

const SPOT: Watch = { mode: "spot", grace_ms: 15 * MINUTE };
const CONTINUOUS: Watch = { mode: "continuous", grace_ms: 15 * MINUTE };

describe("the interval until the next set", () => {
  it.each([
    [0, false, 12 * HOUR],
    [1, false, 6 * HOUR],
    [4, false, 6 * HOUR],
    [3, true, HOUR],
    [4, true, HOUR],
    [5, false, HOUR],
    [6, true, HOUR],
    [7, false, 30 * MINUTE],
    [20, true, 30 * MINUTE],
  ])("is that of the RCP for a score of %i (a single 3: %s)", (score, single3, expected) => {
    expect(repeatIntervalMs({ score, single3 })).toBe(expected);
  });
});

describe("a score", () => {
  const taken = (score: number) => ({ score, single3: false, from: START, at: START + 10 * MINUTE });

  it("of a spot patient is due after the interval and overdue after the grace", () => {
    const due = START + 6 * HOUR;
    const freshUntil = due + 15 * MINUTE;
    expect(judgeScore(SPOT, taken(2), freshUntil)).toEqual({ dueAt: due, freshUntil, overdueSince: null });
    expect(judgeScore(SPOT, taken(2), freshUntil + 1)).toEqual({ dueAt: due, freshUntil, overdueSince: freshUntil });
  });

  it("of a continuous patient counts while its oldest measurement is at most 30 minutes old, without grace", () => {
    const end = START + 30 * MINUTE;
    expect(judgeScore(CONTINUOUS, taken(0), end)).toEqual({ dueAt: end, freshUntil: end, overdueSince: null });
    expect(judgeScore(CONTINUOUS, taken(0), end + 1)).toMatchObject({ overdueSince: end });
  });
});

describe("an arriving value", () => {
  it("describes the present for half an hour under continuous monitoring, and for the RCP's interval otherwise", () => {
    expect(presentWindowMs(CONTINUOUS, { score: 0, single3: false })).toBe(30 * MINUTE);
    expect(presentWindowMs(SPOT, { score: 0, single3: false })).toBe(12 * HOUR + 15 * MINUTE);
    expect(presentWindowMs(SPOT, { score: 8, single3: true })).toBe(45 * MINUTE);
    expect(presentWindowMs(SPOT, null)).toBe(75 * MINUTE);
  });
});

describe("a patient without a setting", () => {
  const devices = { monitor: { silence_s: 60, isContinuous: true }, watch: { silence_s: null, isContinuous: false } };
  const auto = { watch: { mode: "auto", grace_ms: 0 }, devices } as const;
  const heard = (id: string, ago: number) => ({ devices: { [id]: { lastHeardAt: START - ago, vitalsHeardAt: {} } } });

  it.each([
    ["a monitor that sends", heard("monitor", MINUTE), "continuous"],
    ["a monitor that was heard within a day", heard("monitor", 24 * HOUR), "continuous"],
    ["a monitor that was not heard for a day", heard("monitor", 24 * HOUR + 1), "spot"],
    ["a monitor that never sent", { devices: {} }, "spot"],
    ["a wearable that sends", heard("watch", MINUTE), "spot"],
    ["a monitor that is no longer assigned", heard("other", MINUTE), "spot"],
  ])("and with %s is watched accordingly", (_, memory, mode) => {
    expect(resolveWatch(memory, auto, START).mode).toBe(mode);
  });

  it("is watched as a setting says, whatever sends", () => {
    const spot = { ...auto, watch: { mode: "spot", grace_ms: 0 } } as const;
    expect(resolveWatch(heard("monitor", MINUTE), spot, START).mode).toBe("spot");
  });
});
