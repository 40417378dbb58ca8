// Time windows of charts: named ranges that follow the current time, zoomed windows, and bucket sizes.

import { DAY_MS, HOUR_MS } from "../../platform/durations.ts";

export type TimeWindow = { from: number; to: number };

export const RANGES = { "1h": HOUR_MS, "6h": 6 * HOUR_MS, "24h": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS } as const;
export type Range = keyof typeof RANGES;
export const RANGE_NAMES = Object.keys(RANGES) as Range[];

/** Longest window with individual samples, ms. */
export const MAX_RAW_WINDOW_MS = HOUR_MS;
const MIN_WINDOW_MS = 30_000;
/** Longest window that the API accepts, ms. */
const MAX_WINDOW_MS = 366 * DAY_MS;
const MIN_BUCKETS = 100;
const MAX_BUCKETS = 1_000;

export const isRange = (text: string | undefined): text is Range => text !== undefined && text in RANGES;

/** One bucket per two pixels; short windows use the maximum, since each bucket stands for one sample. */
export function getBucketCount(plotWidth: number, { from, to }: TimeWindow): number {
  if (to - from <= MAX_RAW_WINDOW_MS) return MAX_BUCKETS;
  return Math.min(MAX_BUCKETS, Math.max(MIN_BUCKETS, Math.round(plotWidth / 2)));
}

/** Clamps a window to what the API accepts: not in the future, not too short, not too long. */
export function clampWindow({ from, to }: TimeWindow, now: number): TimeWindow {
  const length = Math.round(Math.min(MAX_WINDOW_MS, Math.max(MIN_WINDOW_MS, to - from)));
  const middle = (from + to) / 2;
  const end = Math.round(Math.min(now, middle + length / 2));
  return { from: end - length, to: end };
}

/** @param factor above 1 zooms out */
export function zoomWindow({ from, to }: TimeWindow, factor: number, now: number): TimeWindow {
  const [middle, half] = [(from + to) / 2, ((to - from) * factor) / 2];
  return clampWindow({ from: middle - half, to: middle + half }, now);
}

/** Half a window back (-1) or forward (1). */
export function shiftWindow({ from, to }: TimeWindow, direction: -1 | 1, now: number): TimeWindow {
  const shiftMs = (direction * (to - from)) / 2;
  return clampWindow({ from: from + shiftMs, to: to + shiftMs }, now);
}

/** The window in the URL; null when absent or invalid. */
export function parseWindow(search: { from?: string | undefined; to?: string | undefined }): TimeWindow | null {
  const [from, to] = [Date.parse(search.from ?? ""), Date.parse(search.to ?? "")];
  return from < to && to - from <= MAX_WINDOW_MS ? { from, to } : null;
}

/** URL parameters of the charts. */
export type ChartSearch = {
  code?: string | undefined;
  range?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  view?: string | undefined;
};
