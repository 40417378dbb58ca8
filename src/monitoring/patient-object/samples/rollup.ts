// Rollups of values: count, extremes, sum and latest; per hour for the database, per bucket for charts.

import { z } from "zod";
import { HOUR_MS } from "../../../platform/time.ts";
import type { Sample } from "../../vitals/model.ts";

/** Values in the unit of their code, times in epoch milliseconds. `sum` is exact for values of at most three decimals. */
export type Rollup = { count: number; min: number; max: number; sum: number; last: number; last_at: number };

/** The compact form in D1. `ms`: time of the last value in milliseconds since the start of the hour. */
export type PackedRollup = readonly [count: number, min: number, max: number, sum: number, last: number, ms: number];

const PackedHour: z.ZodType<Record<string, PackedRollup>> = z.record(
  z.string(),
  z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]),
);

export type MeasuredSample = Pick<Sample, "code" | "value" | "at" | "status">;

/** Adds a finite value; null starts a new rollup. */
export function addToRollup(rollup: Rollup | null, value: number, at: number): Rollup {
  // With -0 the extremes would depend on the order.
  const plain = value + 0;
  const single = { count: 1, min: plain, max: plain, sum: plain, last: plain, last_at: at };
  return rollup ? mergeRollups(rollup, single) : single;
}

/**
 * Merges two rollups; the order does not matter. Of two latest values at the same time the greater counts. Sums are exact up to 10^12
 * for values of at most three decimals (all of the catalogue); other sums may differ in the last bits with the order.
 */
export function mergeRollups(a: Rollup, b: Rollup): Rollup {
  const latest = a.last_at > b.last_at || (a.last_at === b.last_at && a.last >= b.last) ? a : b;
  return {
    count: a.count + b.count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    sum: addExact(a.sum, b.sum),
    last: latest.last,
    last_at: latest.last_at,
  };
}

/** JSON of rollups by LOINC code. @param hour hours since the epoch; contains all times */
export function packHour(hour: number, stats: Readonly<Record<string, Rollup>>): string {
  const packed = Object.entries(stats).map(([code, { count, min, max, sum, last, last_at }]): [string, PackedRollup] => {
    return [code, [count, min, max, sum, last, last_at - hour * HOUR_MS]];
  });
  return JSON.stringify(Object.fromEntries(packed));
}

export function unpackHour(hour: number, text: string): [code: string, rollup: Rollup][] {
  const stats = PackedHour.parse(JSON.parse(text));
  return Object.entries(stats).map(([code, [count, min, max, sum, last, ms]]) => {
    return [code, { count, min, max, sum, last, last_at: hour * HOUR_MS + ms }];
  });
}

/** The arithmetic mean, clamped to the extremes against rounding errors. */
export function computeMean({ count, min, max, sum }: Rollup): number {
  return Math.min(max, Math.max(min, sum / count));
}

/** Rollups by hour since the epoch and code. Invalid samples are ignored. */
export function rollUpByHour(samples: Iterable<MeasuredSample>): Map<number, Map<string, Rollup>> {
  return rollUpBy(samples, ({ at }) => Math.floor(at / HOUR_MS));
}

/** `rollUpByHour` with any grouping; null excludes the sample. */
export function rollUpBy(
  samples: Iterable<MeasuredSample>,
  groupOf: (sample: MeasuredSample) => number | null,
): Map<number, Map<string, Rollup>> {
  const groups = new Map<number, Map<string, Rollup>>();
  for (const sample of samples) {
    const group = sample.status === "final" ? groupOf(sample) : null;
    if (group === null) continue;
    const codes = groups.get(group) ?? new Map<string, Rollup>();
    groups.set(group, codes);
    codes.set(sample.code, addToRollup(codes.get(sample.code) ?? null, sample.value, sample.at));
  }
  return groups;
}

/** Adds thousandths as integers, since sums such as 0.1 + 0.2 + 0.3 in doubles depend on the order. */
function addExact(a: number, b: number): number {
  const thousandths = toThousandths(a) + toThousandths(b);
  return Number.isSafeInteger(thousandths) ? thousandths / 1000 : a + b;
}

/** NaN when the value is no whole number of thousandths or is too large. */
function toThousandths(value: number): number {
  const whole = Math.round(value * 1000);
  return whole / 1000 === value && Math.abs(whole) <= 2 ** 51 ? whole : Number.NaN;
}
