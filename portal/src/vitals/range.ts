// The stretch of time that charts show: named ranges that follow now, windows that a person zoomed to, and their buckets.

export type Window = { from: number; to: number };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
export const RANGES = { "1h": HOUR_MS, "6h": 6 * HOUR_MS, "24h": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS } as const;
export type Range = keyof typeof RANGES;
export const RANGE_NAMES = Object.keys(RANGES) as Range[];

/** Up to here a chart shows single samples, where there are few enough of them. */
export const RAW_MS = HOUR_MS;
const SHORTEST_MS = 30_000;
/** As far as the API goes at once. */
const LONGEST_MS = 366 * DAY_MS;
const FEWEST_BUCKETS = 100;
const MOST_BUCKETS = 1_000;

export const isRange = (text: string | undefined): text is Range => text !== undefined && text in RANGES;

/** One bucket for two pixels; short windows as many as there may be, since they stand for single samples. */
export function bucketsFor(plotWidth: number, { from, to }: Window): number {
  if (to - from <= RAW_MS) return MOST_BUCKETS;
  return Math.min(MOST_BUCKETS, Math.max(FEWEST_BUCKETS, Math.round(plotWidth / 2)));
}

/** What was asked for, moved and cut so that the API has it: not beyond now, not too short, not too long. */
export function fitted({ from, to }: Window, now: number): Window {
  const length = Math.round(Math.min(LONGEST_MS, Math.max(SHORTEST_MS, to - from)));
  const middle = (from + to) / 2;
  const end = Math.round(Math.min(now, middle + length / 2));
  return { from: end - length, to: end };
}

/** @param factor above 1 shows more time */
export function zoomed({ from, to }: Window, factor: number, now: number): Window {
  const [middle, half] = [(from + to) / 2, ((to - from) * factor) / 2];
  return fitted({ from: middle - half, to: middle + half }, now);
}

/** Half a window back (-1) or on (1). */
export function moved({ from, to }: Window, direction: -1 | 1, now: number): Window {
  const by = (direction * (to - from)) / 2;
  return fitted({ from: from + by, to: to + by }, now);
}

/** The window of an address; null where it names none that can be. */
export function windowIn(words: { from?: string | undefined; to?: string | undefined }): Window | null {
  const [from, to] = [Date.parse(words.from ?? ""), Date.parse(words.to ?? "")];
  return from < to && to - from <= LONGEST_MS ? { from, to } : null;
}
