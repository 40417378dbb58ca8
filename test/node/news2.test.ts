// NEWS2: risk classes, missing and stale parameters, and the patients to whom it applies.
import { describe, expect, test } from "vitest";
import { mulberry32 } from "../../cli/random.ts";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import {
  computeNews2,
  findNewestSet,
  isNews2Applicable,
  type LatestSample,
  NEWS2_PARAMETERS,
  type News2Parameter,
  scoreNews2,
  scoreSet,
} from "../../src/monitoring/vitals/news2.ts";
import { HEALTHY_VALUES, scoreWith } from "./news2-world.ts";

describe("risk", () => {
  test.each([
    [{}, 0, "low"],
    [{ pulse: 95, spo2: 95, temperature: 38.5, systolic: 105 }, 4, "low"],
    [{ consciousness: "C" }, 3, "low_medium"],
    [{ respiratory_rate: 25, pulse: 95 }, 4, "low_medium"],
    [{ respiratory_rate: 21, pulse: 95, spo2: 93 }, 5, "medium"],
    [{ respiratory_rate: 25, spo2: 93 }, 5, "medium"],
    [{ respiratory_rate: 21, pulse: 115, spo2: 93 }, 6, "medium"],
    [{ respiratory_rate: 21, pulse: 115, spo2: 93, temperature: 38.5 }, 7, "high"],
    [{ respiratory_rate: 25, spo2: 91, oxygen: true, systolic: 90, pulse: 131, consciousness: "U", temperature: 35 }, 20, "high"],
  ] as const)("%j: %d, %s", (changed, score, risk) => {
    expect(scoreWith(changed)).toMatchObject({ score, risk });
  });

  test("a single three is reported with any risk", () => {
    expect(scoreWith({ consciousness: "P" }).single3).toBe(true);
    expect(scoreWith({ respiratory_rate: 25, spo2: 93 }).single3).toBe(true);
    expect(scoreWith({ respiratory_rate: 21, pulse: 95, spo2: 93 }).single3).toBe(false);
  });
});

describe("incomplete", () => {
  test("every subset of what is missing has its names and no number", () => {
    for (let subset = 1; subset < 2 ** NEWS2_PARAMETERS.length; subset++) {
      const names = NEWS2_PARAMETERS.filter((_, i) => subset & (1 << i));
      const values = { ...HEALTHY_VALUES, ...Object.fromEntries(names.map((name) => [name, null])) };
      expect(scoreNews2(values, 1)).toEqual({ missing: names });
    }
  });

  test("a value that is not a number is missing", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(scoreNews2({ ...HEALTHY_VALUES, pulse: value }, 1)).toEqual({ missing: ["pulse"] });
    }
  });

  test("0 is a number, not missing", () => {
    expect(scoreWith({ respiratory_rate: 0, pulse: 0, systolic: 0, spo2: 0 }).score).toBe(12);
  });
});

describe("from the latest samples", () => {
  const NOW = Date.parse("2026-03-04T05:06:07Z");
  const MINUTE = 60_000;
  const OPTIONS = { now: NOW, windowMs: 30 * MINUTE, scale: 1 } as const;
  const sample = (value: number, ageMs = MINUTE, change: Partial<LatestSample> = {}): LatestSample => ({
    value,
    at: NOW - ageMs,
    received: NOW - ageMs,
    status: "final",
    ...change,
  });
  const well = (): Record<string, LatestSample> => ({
    [CODES.respiratory_rate]: sample(16),
    [CODES.spo2]: sample(98),
    [CODES.oxygen_flow]: sample(0),
    [CODES.systolic]: sample(120),
    [CODES.heart_rate]: sample(70),
    [CODES.consciousness]: sample(0),
    [CODES.temperature]: sample(36.8),
  });
  const CODE_OF: Record<News2Parameter, string> = {
    respiratory_rate: CODES.respiratory_rate,
    spo2: CODES.spo2,
    oxygen: CODES.oxygen_flow,
    systolic: CODES.systolic,
    pulse: CODES.heart_rate,
    consciousness: CODES.consciousness,
    temperature: CODES.temperature,
  };

  test("all fresh is a score, with the scale asked for", () => {
    expect(computeNews2(well(), OPTIONS)).toMatchObject({ status: "complete", score: 0, risk: "low", single3: false });
    const confused = { ...well(), [CODES.consciousness]: sample(1), [CODES.spo2]: sample(90) };
    expect(computeNews2(confused, OPTIONS)).toMatchObject({ score: 6, risk: "medium", single3: true });
    expect(computeNews2(confused, { ...OPTIONS, scale: 2 })).toMatchObject({ score: 3, risk: "low_medium" });
  });

  test("nothing at all is all missing", () => {
    expect(computeNews2({}, OPTIONS)).toEqual({ status: "incomplete", missing: [...NEWS2_PARAMETERS], stale: [] });
  });

  test("over random subsets absent, invalid or old there is never a number", () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    console.log(`NEWS2 incomplete: seed ${seed}`);
    const random = mulberry32(seed);
    for (let i = 0; i < 10_000; i++) {
      const latest: Record<string, LatestSample> = well();
      const missing: News2Parameter[] = [];
      const stale: News2Parameter[] = [];
      for (const name of NEWS2_PARAMETERS) {
        const code = CODE_OF[name];
        const fate = Math.floor(random() * 7);
        if (fate === 0) delete latest[code];
        if (fate === 1) latest[code] = sample(1, MINUTE, { status: "invalid" });
        if (fate === 2) latest[code] = sample(1, 30 * MINUTE + 1);
        if (fate <= 1) missing.push(name);
        if (fate === 2) stale.push(name);
      }
      const result = computeNews2(latest, OPTIONS);
      if (missing.length + stale.length === 0) expect(result.status, `seed ${seed}`).toBe("complete");
      else expect(result, `seed ${seed}`).toEqual({ status: "incomplete", missing, stale });
    }
  });

  test("the window ends to the millisecond, by the server's clock", () => {
    const aged = (ageMs: number) => computeNews2({ ...well(), [CODES.heart_rate]: sample(70, ageMs) }, OPTIONS);
    expect(aged(30 * MINUTE).status).toBe("complete");
    expect(aged(30 * MINUTE + 1)).toEqual({ status: "incomplete", missing: [], stale: ["pulse"] });
    const ahead = sample(70, 31 * MINUTE, { at: NOW + MINUTE });
    expect(computeNews2({ ...well(), [CODES.heart_rate]: ahead }, OPTIONS)).toMatchObject({ stale: ["pulse"] });
  });

  test("what was measured long ago and sent just now is stale", () => {
    const late = sample(70, 0, { at: NOW - 24 * 60 * MINUTE });
    expect(computeNews2({ ...well(), [CODES.heart_rate]: late }, OPTIONS)).toMatchObject({
      status: "incomplete",
      stale: ["pulse"],
    });
  });

  test("oxygen or air is known by concentration or flow, and never assumed", () => {
    const oxygen = (percent: LatestSample | null, flow: LatestSample | null) => {
      const { [CODES.oxygen_flow]: _, ...rest } = well();
      const latest = {
        ...rest,
        ...(percent && { [CODES.inspired_oxygen]: percent }),
        ...(flow && { [CODES.oxygen_flow]: flow }),
      };
      const result = computeNews2(latest, OPTIONS);
      return result.status === "complete" ? result.parts.oxygen : result;
    };
    expect(oxygen(null, null)).toEqual({ status: "incomplete", missing: ["oxygen"], stale: [] });
    expect(oxygen(null, sample(0, 31 * MINUTE))).toEqual({ status: "incomplete", missing: [], stale: ["oxygen"] });
    expect(oxygen(sample(21), null)).toBe(0);
    expect(oxygen(sample(20.9), sample(0))).toBe(0);
    // An analyser errs by about 1 %; the lowest fraction that is given is 24 %.
    for (const air of [20.9, 21.1, 21.4, 22]) expect(oxygen(sample(air), null)).toBe(0);
    for (const given of [22.1, 23, 24, 28]) expect(oxygen(sample(given), null)).toBe(2);
    expect(oxygen(sample(21.4), sample(1))).toBe(2);
    expect(oxygen(null, sample(0.5))).toBe(2);
    expect(oxygen(sample(40), sample(0))).toBe(2);
    expect(oxygen(sample(21), sample(2))).toBe(2);
    expect(oxygen(sample(40, 31 * MINUTE), sample(0))).toBe(0);
  });

  test("the newest statement about oxygen counts", () => {
    const before = 20 * MINUTE;
    const statements: [percent: LatestSample, flow: LatestSample, points: number][] = [
      [sample(28, before), sample(0), 0],
      [sample(28), sample(0, before), 2],
      [sample(21), sample(2, before), 0],
      [sample(21, before), sample(2), 2],
      // A clock that is ahead is not newer than the receipt.
      [sample(28, before), sample(0, -MINUTE, { received: NOW }), 0],
    ];
    for (const [percent, flow, points] of statements) {
      const latest = { ...well(), [CODES.inspired_oxygen]: percent, [CODES.oxygen_flow]: flow };
      expect(computeNews2(latest, OPTIONS)).toMatchObject({ status: "complete", parts: { oxygen: points } });
      const set = findNewestSet(latest, OPTIONS);
      expect(set && scoreSet(set, 1)?.parts.oxygen).toBe(points);
    }
  });

  test("an invalid consciousness value is missing", () => {
    for (const value of [5, 1.5, -1]) {
      expect(computeNews2({ ...well(), [CODES.consciousness]: sample(value) }, OPTIONS)).toMatchObject({ status: "incomplete" });
    }
  });
});

test("it is for adults who are not pregnant", () => {
  expect(isNews2Applicable("adult", false)).toBe(true);
  expect(isNews2Applicable("adult", true)).toBe(false);
  expect(
    (["neonate", "infant", "toddler", "child", "adolescent"] as const).filter((band) => isNews2Applicable(band, false)),
  ).toEqual([]);
});
