// Chart series: points of samples or buckets, gaps between them, and uPlot's columns.
import type { TimeWindow } from "./time-window.ts";

/** A bucket with its extremes, or one sample as a bucket of its own. Epoch milliseconds. */
export type Point = {
  at: number;
  from: number;
  to: number;
  n: number;
  mean: number;
  min: number;
  max: number;
  /** The latest sample of the bucket, and when it was measured. */
  last: number;
  lastAt: number;
};
export type Gap = TimeWindow;
export type Line = { points: readonly Point[]; gaps: readonly Gap[] };

type Bucket = { from: string; to: string; n: number; mean: number; min: number; max: number; last: number; last_at: string };
type Sample = { effective_at: string; value: number; status: "final" | "invalid" | "amended" | "entered-in-error" };

export const isUsable = ({ status }: Sample): boolean => status === "final" || status === "amended";

export function bucketToPoint({ from: start, to: end, n, mean, min, max, last, last_at }: Bucket): Point {
  const [from, to] = [Date.parse(start), Date.parse(end)];
  return { at: Math.round((from + to) / 2), from, to, n, mean, min, max, last, lastAt: Date.parse(last_at) };
}

export function sampleToPoint({ effective_at, value }: Sample): Point {
  const at = Date.parse(effective_at);
  return { at, from: at, to: at, n: 1, mean: value, min: value, max: value, last: value, lastAt: at };
}

/**
 * Points merged with samples received since, oldest first.
 * @param step bucket length, ms; 0: points are samples
 */
export function appendSamples(
  points: readonly Point[],
  samples: readonly Sample[],
  { step, origin }: { step: number; origin: number },
): Point[] {
  const merged = [...points];
  for (const sample of samples.filter(isUsable)) {
    if (step === 0) merged.push(sampleToPoint(sample));
    else addToBucket(merged, sampleToPoint(sample), step, origin);
  }
  return step === 0 ? merged.sort((a, b) => a.at - b.at) : merged;
}

/** Adds to the last bucket or a new one. Late samples wait for the next fetch of the buckets. */
function addToBucket(points: Point[], sample: Point, step: number, origin: number): void {
  const last = points.at(-1);
  if (last && sample.at < last.from) return;
  if (last && sample.at < last.to) {
    const n = last.n + 1;
    const mean = last.mean + (sample.mean - last.mean) / n;
    const latest = sample.lastAt >= last.lastAt ? sample : last;
    points[points.length - 1] = {
      ...last,
      n,
      mean,
      min: Math.min(last.min, sample.min),
      max: Math.max(last.max, sample.max),
      last: latest.last,
      lastAt: latest.lastAt,
    };
    return;
  }
  const base = last?.to ?? origin;
  const from = base + Math.floor((sample.at - base) / step) * step;
  points.push({ ...sample, at: Math.round(from + step / 2), from, to: from + step });
}

/** Number of intervals before and after that determine the usual interval. */
const NEIGHBOR_COUNT = 10;
/** Default interval when it cannot be estimated. */
const DEFAULT_INTERVAL_MS = 60_000;
/** Tolerance at the current time, where a sample may be in transit. */
const ARRIVAL_GRACE_MS = 5_000;

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The usual interval at this position: monitors send every second, nurses enter values every four hours. */
function getUsualInterval(intervals: readonly number[], place: number, step: number): number {
  const around = [
    ...intervals.slice(Math.max(0, place - NEIGHBOR_COUNT), place),
    ...intervals.slice(place + 1, place + 1 + NEIGHBOR_COUNT),
  ];
  return Math.max(step, median(around) ?? (step || DEFAULT_INTERVAL_MS));
}

/** Gaps: longer than two usual intervals or two buckets, including the edges of the window. */
export function findGaps(points: readonly Point[], step: number, window: TimeWindow): Gap[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [window];
  const intervals = points.slice(1).map(({ at }, i) => at - (points[i]?.at ?? at));
  const gaps: Gap[] = [];
  if (first.from - window.from > 2 * getUsualInterval(intervals, -1, step)) gaps.push({ from: window.from, to: first.from });
  for (const [i, interval] of intervals.entries()) {
    const [before, after] = [points[i], points[i + 1]];
    if (before && after && interval > 2 * getUsualInterval(intervals, i, step)) gaps.push({ from: before.to, to: after.from });
  }
  const allowedMs = Math.max(ARRIVAL_GRACE_MS, 2 * getUsualInterval(intervals, intervals.length, step));
  if (window.to - last.to > allowedMs) gaps.push({ from: last.to, to: window.to });
  return gaps;
}

type Cell = number | null | undefined;
export type Columns = { xs: number[]; cells: Cell[][] };

/**
 * uPlot's columns: time, then mean, min and max per line. `null` breaks a line, `undefined` is no point of this line.
 * Every time inside a gap breaks all lines, so that no line bridges it.
 */
export function toPlotColumns(lines: readonly Line[]): Columns {
  const times = lines.flatMap(({ points, gaps }) => [...points.map(({ at }) => at), ...gaps.map(getMiddle)]);
  const xs = [...new Set(times)].sort((a, b) => a - b);
  const cells = lines.flatMap((line) => {
    const byTime = new Map(line.points.map((point) => [point.at, point]));
    const blank = toGapCells(xs, line.gaps);
    const column = (value: (point: Point) => number) =>
      xs.map((x, i): Cell => {
        const point = byTime.get(x);
        return point ? value(point) : blank[i];
      });
    return [column(({ mean }) => mean), column(({ min }) => min), column(({ max }) => max)];
  });
  return { xs, cells };
}

const getMiddle = ({ from, to }: Gap) => Math.round((from + to) / 2);

function toGapCells(xs: readonly number[], gaps: readonly Gap[]): (null | undefined)[] {
  let next = 0;
  return xs.map((x) => {
    let gap = gaps[next];
    while (gap && x > gap.to) gap = gaps[++next];
    return gap && x >= gap.from ? null : undefined;
  });
}

/** Indexes of isolated values: drawn as dots, because no line would show them. */
export function findIsolatedIndexes(column: readonly Cell[]): number[] {
  const known = column.flatMap((value, i) => (value === undefined ? [] : [i]));
  return known.filter((place, i) => {
    const [before, after] = [known[i - 1], known[i + 1]];
    const isBreak = (at: number | undefined) => at === undefined || column[at] === null;
    return column[place] !== null && isBreak(before) && isBreak(after);
  });
}

/** The point nearest to a time, within a tolerance. */
export function findNearestPoint(points: readonly Point[], at: number, tolerance: number): Point | null {
  let best: Point | null = null;
  for (const point of points) if (!best || Math.abs(point.at - at) < Math.abs(best.at - at)) best = point;
  return best && (Math.abs(best.at - at) <= tolerance || (at >= best.from && at <= best.to)) ? best : null;
}

/** A row of the chart's table: the value of each line at this time. */
export type Row = { at: number; from: number; to: number; cells: (Point | null)[] };

/** The chart's points, newest first. */
export function toTableRows(lines: readonly { points: readonly Point[] }[]): Row[] {
  const rows = new Map<number, Row>();
  for (const [line, { points }] of lines.entries()) {
    for (const point of points) {
      const row: Row = rows.get(point.at) ?? { at: point.at, from: point.from, to: point.to, cells: lines.map(() => null) };
      row.cells[line] = point;
      rows.set(point.at, row);
    }
  }
  return [...rows.values()].sort((a, b) => b.at - a.at);
}
