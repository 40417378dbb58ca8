// What remains of many values: count, extremes, sum and the latest; by hour for the database, by bucket for charts.
import { z } from "zod";
import { HOUR_MS } from "../../../platform/time.ts";
import type { Sample } from "../../vitals/model.ts";

/** Values in the unit of their code, times in epoch milliseconds. `sum` is exact for values of at most three decimals. */
export type Rollup = { count: number; min: number; max: number; sum: number; last: number; last_at: number };

/** As D1 keeps it, months of every patient: without names. `last` is that of the hour's end, told in milliseconds of the hour. */
export type PackedRollup = readonly [count: number, min: number, max: number, sum: number, last: number, ms: number];

const PackedHour: z.ZodType<Record<string, PackedRollup>> = z.record(
  z.string(),
  z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]),
);

export type MeasuredSample = Pick<Sample, "code" | "value" | "at" | "status">;

/** The rollup with one more finite value; null is of none. */
export function addToRollup(rollup: Rollup | null, value: number, at: number): Rollup {
  // -0 would make the extremes depend on the order.
  const plain = value + 0;
  const single = { count: 1, min: plain, max: plain, sum: plain, last: plain, last_at: at };
  return rollup ? mergeRollups(rollup, single) : single;
}

/**
 * Of the values of both. Neither side comes first: of two that are latest at the same time the greater is the last one, and
 * sums of values of at most three decimals (all of the catalogue) are exact up to 10^12. Sums of other values may differ in
 * their last bits with the order.
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

/** JSON of LOINC to rollup. @param hour since the epoch; all times lie in it */
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

/** The arithmetic mean, kept between the extremes where rounding would leave them. */
export function computeMean({ count, min, max, sum }: Rollup): number {
  return Math.min(max, Math.max(min, sum / count));
}

/** By hour since the epoch and by code. Invalid samples count for nothing. */
export function rollUpByHour(samples: Iterable<MeasuredSample>): Map<number, Map<string, Rollup>> {
  return rollUpBy(samples, ({ at }) => Math.floor(at / HOUR_MS));
}

/** As rollupsOf, by any number that the sample has; null leaves it out. */
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

/** Thousandths are added as integers, since 0.1 + 0.2 + 0.3 in doubles depends on where one begins. */
function addExact(a: number, b: number): number {
  const thousandths = toThousandths(a) + toThousandths(b);
  return Number.isSafeInteger(thousandths) ? thousandths / 1000 : a + b;
}

/** NaN where the value is no whole number of them, or too great to tell. */
function toThousandths(value: number): number {
  const whole = Math.round(value * 1000);
  return whole / 1000 === value && Math.abs(whole) <= 2 ** 51 ? whole : Number.NaN;
}
