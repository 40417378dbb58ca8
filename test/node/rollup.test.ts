// Rollups and buckets: independent of order, equal to a recount, and without loss of a peak.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { downsample } from "../../src/monitoring/patient-object/samples/buckets.ts";
import {
  addToRollup,
  computeMean,
  type MeasuredSample,
  mergeRollups,
  packHour,
  type Rollup,
  rollUpByHour,
  unpackHour,
} from "../../src/monitoring/patient-object/samples/rollup.ts";
import { absent } from "../shared-data.ts";

const ICU = join(import.meta.dirname, "../../../shared/data/vitals/icu-hourly");
const HOUR = 3_600_000;
const START = Date.parse("2026-11-22T04:00:00.000Z");
const CODES = ["8867-4", "8310-5", "its own"];

type Point = { value: number; at: number };

/** Values with the catalogue's precision: at most three decimals. */
const decimal = fc.oneof(
  fc.integer({ min: -500_000, max: 5_000_000 }).map((thousandths) => thousandths / 1000),
  fc.integer({ min: 300, max: 450 }).map((tenths) => tenths / 10),
  fc.constantFrom(0, -0, 1e9, -1e9, 0.001),
);
const point = fc.record({ value: decimal, at: fc.integer({ min: START, max: START + 20 }) });
const measured: fc.Arbitrary<MeasuredSample> = fc.record({
  code: fc.constantFrom(...CODES),
  value: decimal,
  at: fc.integer({ min: START - HOUR, max: START + 3 * HOUR }),
  status: fc.constantFrom("final" as const, "final" as const, "invalid" as const),
});
const final = (code: string, value: number, at: number): MeasuredSample => ({ code, value, at, status: "final" });

function rolledUp(points: readonly Point[]): Rollup | null {
  return points.reduce<Rollup | null>((rollup, { value, at }) => addToRollup(rollup, value, at), null);
}

function merged(parts: readonly (Rollup | null)[]): Rollup | null {
  return parts.reduce((a, b) => (a && b ? mergeRollups(a, b) : (a ?? b)), null);
}

/** Plain floating-point addition. */
function rolledUpPlainly(points: readonly Point[]): { sum: number } {
  return { sum: points.reduce((sum, { value }) => sum + value, 0) };
}

/** A list and the same in another order. */
const shuffled = fc
  .array(point, { minLength: 1, maxLength: 60 })
  .chain((points) => fc.tuple(fc.constant(points), fc.shuffledSubarray(points, { minLength: points.length })));

function givesTheSame(roll: (points: readonly Point[]) => unknown) {
  return fc.property(shuffled, ([points, other]) => {
    expect(roll(other)).toStrictEqual(roll(points));
  });
}

describe("a rollup", () => {
  it("is the same in any order", () => {
    fc.assert(givesTheSame(rolledUp), { numRuns: 2000, seed: 56 });
  });

  it("comes back from D1 as it was packed, hour by hour", () => {
    fc.assert(
      fc.property(fc.array(measured, { maxLength: 40 }), (samples) => {
        for (const [hour, codes] of rollUpByHour(samples)) {
          const text = packHour(hour, Object.fromEntries(codes));
          expect(new Map(unpackHour(hour, text))).toEqual(codes);
          // Another hour's would have another time.
          expect(new Map(unpackHour(hour + 1, text))).not.toEqual(codes);
        }
      }),
      { numRuns: 300, seed: 56 },
    );
  });

  it("would not be with doubles added as they are", () => {
    expect(fc.check(givesTheSame(rolledUpPlainly), { numRuns: 2000, seed: 56 }).failed).toBe(true);
  });

  it("is the same of parts that are merged, either way round", () => {
    fc.assert(
      fc.property(
        fc.array(point, { maxLength: 20 }),
        fc.array(point, { maxLength: 20 }),
        fc.array(point, { maxLength: 20 }),
        (a, b, c) => {
          const all = rolledUp([...a, ...b, ...c]);
          expect(merged([rolledUp(a), rolledUp(b), rolledUp(c)])).toStrictEqual(all);
          expect(merged([rolledUp(c), merged([rolledUp(b), rolledUp(a)])])).toStrictEqual(all);
        },
      ),
      { numRuns: 1000, seed: 57 },
    );
  });

  it("equals a recount, with an exact integer sum", () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 60 }), (points) => {
        const rollup = rolledUp(points);
        const values = points.map(({ value }) => value);
        const thousandths = values.reduce((sum, one) => sum + BigInt(Math.round(one * 1000)), 0n);
        const lastAt = Math.max(...points.map(({ at }) => at));
        expect(rollup).toEqual({
          count: points.length,
          min: Math.min(...values) + 0,
          max: Math.max(...values) + 0,
          sum: Number(thousandths) / 1000,
          last: Math.max(...points.filter(({ at }) => at === lastAt).map(({ value }) => value)) + 0,
          last_at: lastAt,
        });
      }),
      { numRuns: 1000, seed: 58 },
    );
  });

  it("uses the greater of two latest values with the same time", () => {
    const either = [
      rolledUp([
        { value: 70, at: 5 },
        { value: 90, at: 5 },
      ]),
      rolledUp([
        { value: 90, at: 5 },
        { value: 70, at: 5 },
      ]),
    ];
    expect(either.map((rollup) => rollup?.last)).toStrictEqual([90, 90]);
    expect(
      rolledUp([
        { value: 90, at: 5 },
        { value: 70, at: 6 },
        { value: 80, at: 4 },
      ]),
    ).toMatchObject({ last: 70, last_at: 6 });
  });

  it("keeps values of more decimals, and great ones, with the precision of doubles", () => {
    const values = [1e-6, 1e-6, 3e-6, 0.1234567, 1e15, 1e200];
    const rollup = rolledUp(values.map((value) => ({ value, at: 0 })));
    expect(rollup?.sum).toBe(values.reduce((sum, value) => sum + value, 0));
    expect(rolledUp([{ value: 1e-6, at: 0 }])).toMatchObject({ min: 1e-6, sum: 1e-6 });
  });

  it("has its mean between its extremes", () => {
    fc.assert(
      fc.property(decimal, fc.integer({ min: 1, max: 200 }), (value, n) => {
        const rollup = rolledUp(Array.from({ length: n }, (_, at) => ({ value, at })));
        expect(rollup && computeMean(rollup)).toBe(value + 0);
      }),
      { numRuns: 1000, seed: 59 },
    );
    expect(computeMean({ count: 2, min: 36.5, max: 37, sum: 73.5, last: 37, last_at: 0 })).toBe(36.75);
  });
});

describe("rollups by hour", () => {
  it("put a sample in the hour that it was measured in, whenever it comes, and count final ones alone", () => {
    const hour = START / HOUR;
    const rollups = rollUpByHour([
      final("8867-4", 72, START),
      final("8867-4", 74, START + HOUR - 1),
      { code: "8867-4", value: 900, at: START + 1, status: "invalid" },
      final("8867-4", 60, START + HOUR),
      final("8310-5", 36.6, START + HOUR),
      final("8867-4", 71, START - 24 * HOUR),
    ]);
    expect([...rollups.keys()]).toStrictEqual([hour, hour + 1, hour - 24]);
    expect(rollups.get(hour)?.get("8867-4")).toStrictEqual({
      count: 2,
      min: 72,
      max: 74,
      sum: 146,
      last: 74,
      last_at: START + HOUR - 1,
    });
    expect([...(rollups.get(hour + 1)?.keys() ?? [])]).toStrictEqual(["8867-4", "8310-5"]);
    expect(rollUpByHour([{ code: "x", value: 1, at: 0, status: "invalid" }]).size).toBe(0);
    expect([...rollUpByHour([final("x", 1, -1)]).keys()]).toStrictEqual([-1]);
  });

  it("of blocks that are merged are those of all samples, in any order", () => {
    fc.assert(
      fc.property(fc.array(measured, { maxLength: 80 }), fc.array(measured, { maxLength: 80 }), (a, b) => {
        const all = rollUpByHour([...a, ...b]);
        const reversed = rollUpByHour([...a, ...b].reverse());
        for (const [hour, codes] of all) {
          for (const [code, rollup] of codes) {
            expect(reversed.get(hour)?.get(code)).toStrictEqual(rollup);
            expect(merged([rollUpByHour(a), rollUpByHour(b)].map((part) => part.get(hour)?.get(code) ?? null))).toStrictEqual(
              rollup,
            );
          }
        }
        const counted = [...all.values()].flatMap((codes) => [...codes.values()]).reduce((n, rollup) => n + rollup.count, 0);
        expect(counted).toBe([...a, ...b].filter(({ status }) => status === "final").length);
      }),
      { numRuns: 500, seed: 60 },
    );
  });

  it("recount real stays in intensive care", ({ skip }) => {
    skip(!existsSync(ICU), absent("vitals/icu-hourly"));
    const stays = readdirSync(ICU).map((name) => readFileSync(join(ICU, name), "utf8").trim().split("\n"));
    const samples = stays.flatMap(([header = "", ...rows]) =>
      rows.flatMap((row, hour) => {
        const cells = row.split("|");
        return header
          .split("|")
          .slice(0, 8)
          .map((code, column) => final(code, Number(cells[column]), START + hour * HOUR))
          .filter(({ value }) => !Number.isNaN(value));
      }),
    );
    expect(samples.length).toBeGreaterThan(10_000);
    const rollups = rollUpByHour(samples);
    expect(rollUpByHour([...samples].reverse()).get(START / HOUR)).toEqual(rollups.get(START / HOUR));
    const byHourAndCode = Map.groupBy(samples, ({ at, code }) => `${at / HOUR} ${code}`);
    for (const [hour, codes] of rollups) {
      for (const [code, rollup] of codes) {
        const values = (byHourAndCode.get(`${hour} ${code}`) ?? []).map((one) => one.value);
        expect([rollup.count, rollup.min, rollup.max]).toStrictEqual([values.length, Math.min(...values), Math.max(...values)]);
        expect(rollup.sum).toBe(values.reduce((sum, value) => sum + Math.round(value * 1000), 0) / 1000);
      }
    }
  });
});

const asked = fc
  .record({
    from: fc.integer({ min: START - HOUR, max: START + HOUR }),
    span: fc.integer({ min: 1, max: 2 * HOUR }),
    buckets: fc.integer({ min: 1, max: 500 }),
  })
  .map(({ from, span, buckets }) => ({ from, to: from + span, buckets }));

type Asked = { from: number; to: number; buckets: number };

/** A known-bad twin that thins a chart by keeping the first sample of each bucket. */
function thinned(samples: readonly MeasuredSample[], { from, to, buckets }: Asked) {
  const inside = samples.filter(({ at, status }) => status === "final" && at >= from && at < to);
  const firsts = Map.groupBy(inside, ({ code, at }) => `${code} ${Math.floor(((at - from) * buckets) / (to - from))}`);
  return [...firsts.values()].flatMap(([first]) => (first ? [{ code: first.code, min: first.value, max: first.value }] : []));
}

function keepsExtremes(thin: (samples: readonly MeasuredSample[], asked: Asked) => { code: string; min: number; max: number }[]) {
  return fc.property(fc.array(measured, { maxLength: 80 }), asked, (samples, given) => {
    const buckets = thin(samples, given);
    for (const code of CODES) {
      const values = samples
        .filter((one) => one.code === code && one.status === "final" && one.at >= given.from && one.at < given.to)
        .map(({ value }) => value);
      const own = buckets.filter((bucket) => bucket.code === code);
      expect(Math.min(...own.map(({ min }) => min))).toBe(Math.min(...values) + 0);
      expect(Math.max(...own.map(({ max }) => max))).toBe(Math.max(...values) + 0);
    }
  });
}

describe("buckets", () => {
  it("keep every extreme", () => {
    fc.assert(keepsExtremes(downsample), { numRuns: 1000, seed: 61 });
  });

  it("would not as every n-th sample", () => {
    expect(fc.check(keepsExtremes(thinned), { numRuns: 1000, seed: 61 }).failed).toBe(true);
  });

  it("each equal their own samples; none is empty or overlaps, in order, and no more than requested", () => {
    fc.assert(
      fc.property(fc.array(measured, { maxLength: 80 }), asked, (samples, given) => {
        const buckets = downsample(samples, given);
        for (const [i, bucket] of buckets.entries()) {
          const own = samples.filter(
            ({ code, at, status }) => code === bucket.code && status === "final" && at >= bucket.from && at < bucket.to,
          );
          const rollup = rolledUp(own);
          expect(rollup).not.toBeNull();
          if (!rollup) continue;
          const { count: n, min, max, last, last_at } = rollup;
          expect(bucket).toStrictEqual({
            code: bucket.code,
            from: bucket.from,
            to: bucket.to,
            n,
            min,
            max,
            mean: computeMean(rollup),
            last,
            last_at,
          });
          expect(bucket.from >= given.from && bucket.to <= given.to).toBe(true);
          const next = buckets[i + 1];
          if (next) expect(next.code === bucket.code ? next.from >= bucket.to : next.code > bucket.code).toBe(true);
        }
        const inside = samples.filter(({ at, status }) => status === "final" && at >= given.from && at < given.to);
        expect(buckets.reduce((n, bucket) => n + bucket.n, 0)).toBe(inside.length);
        for (const code of CODES) expect(buckets.filter((one) => one.code === code).length).toBeLessThanOrEqual(given.buckets);
      }),
      { numRuns: 1000, seed: 62 },
    );
  });

  it("have edges to the millisecond, the end left out", () => {
    const samples = Array.from({ length: 11 }, (_, at) => final("x", at, at));
    const buckets = downsample(samples, { from: 0, to: 10, buckets: 3 });
    expect(buckets.map(({ from, to, min, max, mean }) => [from, to, min, max, mean])).toStrictEqual([
      [0, 4, 0, 3, 1.5],
      [4, 7, 4, 6, 5],
      [7, 10, 7, 9, 8],
    ]);
    const narrow = downsample(samples, { from: 0, to: 2, buckets: 100 });
    expect(narrow.map(({ from, to }) => `${from}-${to}`)).toStrictEqual(["0-1", "1-2"]);
  });

  it("are none of no time, and refuse what are no numbers of buckets", () => {
    expect(downsample([final("x", 1, 5)], { from: 5, to: 5, buckets: 3 })).toStrictEqual([]);
    expect(downsample([final("x", 1, 5)], { from: 9, to: 1, buckets: 3 })).toStrictEqual([]);
    for (const buckets of [0, -1, 0.5, Number.NaN, Infinity]) {
      expect(() => downsample([], { from: 0, to: 1, buckets })).toThrow(RangeError);
    }
  });

  it("take a month of six vitals a minute", () => {
    const samples = Array.from({ length: 30 * 1440 * 6 }, (_, i) =>
      final(`code ${i % 6}`, ((i * 7919) % 1000) / 10, START + Math.floor(i / 6) * 60_000),
    );
    const begin = performance.now();
    const buckets = downsample(samples, { from: START, to: START + 30 * 24 * HOUR, buckets: 600 });
    console.log(`${samples.length} samples to ${buckets.length} buckets: ${(performance.now() - begin).toFixed(0)} ms`);
    expect(buckets.length).toBe(3600);
    expect(buckets.every(({ n }) => n === 72)).toBe(true);
  });
});
