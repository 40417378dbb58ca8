// Charts and timeline of a patient as pure functions: gaps, buckets, zoom, range, the accompanying table.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeYRange, findChart } from "../../portal/src/monitoring/vitals/chart-catalogue.ts";
import {
  appendSamples,
  bucketToPoint,
  findGaps,
  findIsolatedIndexes,
  findNearestPoint,
  type Point,
  sampleToPoint,
  toPlotColumns,
  toTableRows,
} from "../../portal/src/monitoring/vitals/chart-series.ts";
import {
  clampWindow,
  getBucketCount,
  parseWindow,
  RANGES,
  shiftWindow,
  zoomWindow,
} from "../../portal/src/monitoring/vitals/time-window.ts";
import { mergeTimelines } from "../../portal/src/patients/record/merge-timelines.ts";
import { downsample } from "../../src/monitoring/patient-object/samples/buckets.ts";

const START = Date.parse("2026-11-21T03:00:00.000Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const iso = (at: number) => new Date(at).toISOString();
const sample = (at: number, value: number, status: "final" | "invalid" | "amended" | "entered-in-error" = "final") => ({
  effective_at: iso(at),
  value,
  status,
});
const pointsAt = (...times: number[]): Point[] => times.map((at) => sampleToPoint(sample(at, 72)));
const every = (ms: number, n: number, from = START) => Array.from({ length: n }, (_, i) => from + i * ms);

/** Pairs of neighbouring values of one line that uPlot would connect. */
function joined(xs: readonly number[], cells: readonly (number | null | undefined)[]): [number, number][] {
  const seen = xs.flatMap((x, i) => (cells[i] === undefined ? [] : [{ x, broken: cells[i] === null }]));
  return seen.flatMap((here, i) => {
    const next = seen[i + 1];
    return next && !here.broken && !next.broken ? [[here.x, next.x] as [number, number]] : [];
  });
}

describe("gaps", () => {
  it("are where more than two of the usual intervals have no sample", () => {
    const times = [...every(SECOND, 30), ...every(SECOND, 30, START + 33 * SECOND)];
    const window = { from: START, to: times.at(-1) ?? START };
    expect(findGaps(pointsAt(...times), 0, window)).toEqual([{ from: START + 29 * SECOND, to: START + 33 * SECOND }]);
  });

  it("are none between values that come every four hours", () => {
    const times = every(4 * HOUR, 6);
    expect(findGaps(pointsAt(...times), 0, { from: START, to: START + 20 * HOUR })).toEqual([]);
  });

  it("are judged by what is usual nearby: a monitor after readings by hand", () => {
    const byHand = every(HOUR, 12);
    const monitor = every(SECOND, 60, START + 12 * HOUR);
    const points = pointsAt(...byHand, ...monitor);
    expect(findGaps(points, 0, { from: START, to: START + 12 * HOUR + 59 * SECOND })).toEqual([]);
  });

  it("count at the edges of the window, and the whole window is one where nothing came", () => {
    const window = { from: START - HOUR, to: START + HOUR };
    expect(findGaps([], 0, window)).toEqual([window]);
    const [before, after] = findGaps(pointsAt(...every(SECOND, 60)), 0, window);
    expect(before).toEqual({ from: window.from, to: START });
    expect(after).toEqual({ from: START + 59 * SECOND, to: window.to });
  });

  it("are never bridged: no two values are joined that lie further apart than two intervals, in any line", () => {
    const seconds = fc.uniqueArray(fc.integer({ min: 0, max: 600 }), { minLength: 2, maxLength: 200 });
    fc.assert(
      fc.property(seconds, seconds, (systolic, diastolic) => {
        const window = { from: START, to: START + 600 * SECOND };
        // As buckets of a second: values at most two buckets apart are connected, unless values usually come less often.
        const lines = [systolic, diastolic].map((times) => {
          const points = pointsAt(...times.sort((a, b) => a - b).map((s) => START + s * SECOND));
          return { points, gaps: findGaps(points, SECOND, window) };
        });
        const { xs, cells } = toPlotColumns(lines);
        for (const [i, { gaps }] of lines.entries()) {
          for (const [a, b] of joined(xs, cells[3 * i] ?? [])) {
            expect(gaps.some(({ from, to }) => from <= a && b <= to)).toBe(false);
          }
        }
      }),
    );
  });

  it("break with null and never with NaN; a time of another line is no break", () => {
    const one = pointsAt(...every(SECOND, 20));
    const other = pointsAt(...every(SECOND, 20, START + 500));
    const window = { from: START, to: START + 20 * SECOND };
    const { cells } = toPlotColumns([one, other].map((points) => ({ points, gaps: findGaps(points, 0, window) })));
    expect(cells.flat().filter((value) => Number.isNaN(value))).toEqual([]);
    expect(cells[0]?.filter((value) => value === null)).toEqual([]);
    expect(cells[0]?.filter((value) => value === undefined)).toHaveLength(20);
  });

  it("draw a single value as a dot", () => {
    expect(findIsolatedIndexes([null, 72, null, undefined, 73, 74, null, 75])).toEqual([1, 7]);
    expect(findIsolatedIndexes([0])).toEqual([0]);
  });
});

describe("buckets", () => {
  const month = { from: START, to: START + 30 * DAY };

  it("are one for two pixels, between 100 and 1000", () => {
    expect(getBucketCount(640, month)).toBe(320);
    expect(getBucketCount(50, month)).toBe(100);
    expect(getBucketCount(9_000, month)).toBe(1_000);
    expect(getBucketCount(50, { from: START, to: START + HOUR })).toBe(1_000);
  });

  it("keep a one-sample spike in the view of 30 days", () => {
    const spike = START + 17 * DAY + 12_345 * SECOND;
    const samples = every(MINUTE, 30 * 24 * 60).map((at) => ({ code: "8867-4", value: 72, at, status: "final" as const }));
    samples.push({ code: "8867-4", value: 188, at: spike, status: "final" });
    const buckets = downsample(samples, { ...month, buckets: getBucketCount(640, month) });
    const points = buckets.map(({ from, to, ...rest }) =>
      bucketToPoint({ ...rest, from: iso(from), to: iso(to), last_at: iso(rest.last_at) }),
    );
    const { cells } = toPlotColumns([{ points, gaps: findGaps(points, (30 * DAY) / 320, month) }]);
    const tops = cells[2] ?? [];
    expect(tops.filter((value) => value === 188)).toHaveLength(1);
    const heartRate = findChart("heart_rate");
    expect(heartRate && computeYRange(heartRate, points)[1]).toBeGreaterThan(188);
  });

  it("name the last sample by its own time, not by the edge or the middle of its bucket", () => {
    const last_at = iso(START + 112_500);
    const bucket = { from: iso(START), to: iso(START + 225_000), n: 2, mean: 75, min: 70, max: 80, last: 80, last_at };
    const point = bucketToPoint(bucket);
    expect([point.last, point.lastAt]).toEqual([80, START + 112_500]);
    const later = appendSamples([point], [sample(START + 200_000, 91)], { step: 225_000, origin: START + 225_000 });
    expect(later).toMatchObject([{ n: 3, last: 91, lastAt: START + 200_000 }]);
    const earlier = appendSamples([point], [sample(START + 10_000, 60)], { step: 225_000, origin: START + 225_000 });
    expect(earlier).toMatchObject([{ n: 3, last: 80, lastAt: START + 112_500 }]);
  });

  it("take in what comes live, and begin a new one when their time is over", () => {
    const options = { step: 10 * SECOND, origin: START };
    const points = appendSamples(
      [],
      [sample(START, 70), sample(START + SECOND, 80), sample(START + 2_000, 104, "invalid")],
      options,
    );
    const edges = { at: START + 5 * SECOND, from: START, to: START + 10 * SECOND };
    expect(points).toEqual([{ ...edges, n: 2, mean: 75, min: 70, max: 80, last: 80, lastAt: START + SECOND }]);
    const later = appendSamples(points, [sample(START + 25 * SECOND, 90)], options);
    expect(later.map(({ from, n, mean }) => [from - START, n, mean])).toEqual([
      [0, 2, 75],
      [20 * SECOND, 1, 90],
    ]);
  });

  it("of no length are samples, in the order in which they were measured; 0 is a value", () => {
    const points = appendSamples(
      [],
      [sample(START + SECOND, 0), sample(START, 72, "amended"), sample(START, 1, "entered-in-error")],
      {
        step: 0,
        origin: START,
      },
    );
    expect(points.map(({ mean }) => mean)).toEqual([72, 0]);
  });
});

describe("the table", () => {
  it("has the points of the chart and no others", () => {
    const systolic = pointsAt(...every(MINUTE, 50), ...every(MINUTE, 50, START + HOUR));
    const diastolic = pointsAt(...every(MINUTE, 40));
    const window = { from: START, to: START + 2 * HOUR };
    const lines = [systolic, diastolic].map((points) => ({ points, gaps: findGaps(points, 0, window) }));
    const { xs, cells } = toPlotColumns(lines);
    const drawn = xs.flatMap((at, i) => {
      const values = [cells[0]?.[i] ?? null, cells[3]?.[i] ?? null];
      return values.some((value) => value !== null) ? [{ at, values }] : [];
    });
    const listed = toTableRows(lines).map((row) => ({ at: row.at, values: row.cells.map((point) => point?.mean ?? null) }));
    expect(listed.reverse()).toEqual(drawn);
  });
});

describe("the window", () => {
  const now = START + DAY;
  const day = { from: START, to: now };

  it("zooms about its middle and never beyond now", () => {
    expect(zoomWindow(day, 0.5, now)).toEqual({ from: START + 6 * HOUR, to: START + 18 * HOUR });
    expect(zoomWindow(day, 2, now)).toEqual({ from: START - DAY, to: now });
  });

  it("moves by half of itself, at most to now", () => {
    expect(shiftWindow(day, -1, now)).toEqual({ from: START - 12 * HOUR, to: START + 12 * HOUR });
    expect(shiftWindow(day, 1, now)).toEqual(day);
  });

  it("is never shorter than half a minute or longer than the API allows", () => {
    const tiny = clampWindow({ from: START, to: START + 1 }, now);
    expect(tiny.to - tiny.from).toBe(30 * SECOND);
    const huge = clampWindow({ from: START - 5_000 * DAY, to: now }, now);
    expect(huge.to - huge.from).toBe(366 * DAY);
  });

  it("is kept in the address; an invalid one is ignored", () => {
    expect(parseWindow({ from: iso(day.from), to: iso(day.to) })).toEqual(day);
    for (const words of [{}, { from: iso(now) }, { from: iso(now), to: iso(START) }, { from: "x", to: "y" }]) {
      expect(parseWindow(words)).toBeNull();
    }
    expect(Object.values(RANGES)).toEqual([HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY]);
  });
});

describe("the timeline", () => {
  const at = (hour: number) => ({ at: iso(START + hour * HOUR), key: String(hour) });

  it("omits items older than the end of an incomplete list", () => {
    const parts = [
      { items: [at(9), at(5)], hasMore: true },
      { items: [at(8), at(1)], hasMore: false },
    ];
    expect(mergeTimelines(parts).map(({ key }) => key)).toEqual(["9", "8", "5"]);
    expect(mergeTimelines(parts.map(({ items }) => ({ items, hasMore: false }))).map(({ key }) => key)).toEqual([
      "9",
      "8",
      "5",
      "1",
    ]);
  });
});

describe("the read-out", () => {
  it("tells the nearest point, or that there is none near", () => {
    const points = pointsAt(START, START + MINUTE);
    expect(findNearestPoint(points, START + 20 * SECOND, 30 * SECOND)?.at).toBe(START);
    expect(findNearestPoint(points, START + HOUR, 30 * SECOND)).toBeNull();
    expect(findNearestPoint([], START, HOUR)).toBeNull();
  });
});

describe("the vertical range", () => {
  it("is the clinical one, and wider only for what was measured", () => {
    const heartRate = findChart("heart_rate");
    if (!heartRate) throw new Error("no chart of the heart rate");
    expect(computeYRange(heartRate, [])).toEqual([40, 140]);
    expect(computeYRange(heartRate, [{ min: 60, max: 90 }])).toEqual([40, 140]);
    const [low, high] = computeYRange(heartRate, [{ min: 0, max: 240 }]);
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(240);
  });
});
