// The data of a patient's charts: asked for once a window, followed by what the live socket brings.
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { LiveSample } from "../../../src/monitor/contract.ts";
import { readBuckets, readSamples } from "./api.ts";
import type { ChartSample } from "./columns.ts";
import { type LimitStep, stepsByCode } from "./limit-steps.ts";
import type { Mark } from "./paint.ts";
import { RAW_MS, type Window } from "./range.ts";
import { counts, type Point, pointOfBucket, withSamples } from "./series.ts";

const HOUR_MS = 3_600_000;
/** So many samples of a short window are read one by one; where there are more, each bucket stands for a few seconds. */
const MOST_RAW = 4_000;
const RAW_PAGES = 5;
/** How soon hours that are being counted again are asked for. */
const COUNTING_MS = 5_000;

export type ChartData = {
  /** As it was asked for. */
  window: Window;
  /** Length of a bucket, milliseconds; 0: the points are samples. */
  step: number;
  /** By the vital's name, oldest first. */
  points: ReadonlyMap<string, readonly Point[]>;
  /** The samples themselves, where there are few: invalid ones too. */
  samples: readonly ChartSample[];
  /** By code. */
  limits: ReadonlyMap<string, readonly LimitStep[]>;
  /** Hours of the window that got samples late and are being counted again. */
  uncounted: number;
};

async function readChart(patientId: string, vitals: readonly string[], window: Window, buckets: number): Promise<ChartData> {
  const { items, hours, limits, uncounted } = await readBuckets(patientId, vitals, window, buckets);
  const points = new Map<string, Point[]>();
  for (const bucket of items) {
    const name = bucket.name ?? bucket.code;
    const known = points.get(name) ?? [];
    known.push(pointOfBucket(bucket));
    points.set(name, known);
  }
  return { window, step: stepOf(window, buckets, hours), points, samples: [], limits: stepsByCode(limits), uncounted };
}

/** Whether samples are worth asking for one by one. */
function holdsFew({ window, points }: ChartData): boolean {
  const total = [...points.values()].flat().reduce((sum, { n }) => sum + n, 0);
  return window.to - window.from <= RAW_MS && total <= MOST_RAW;
}

/** Beyond a day the API's buckets are whole hours. */
function stepOf({ from, to }: Window, buckets: number, hours: boolean): number {
  if (!hours) return (to - from) / buckets;
  const span = Math.ceil(to / HOUR_MS) - Math.floor(from / HOUR_MS);
  return (span / Math.min(buckets, span)) * HOUR_MS;
}

/** Buckets at once, and samples in their place when they are there. */
export function useChartData(
  patientId: string,
  vitals: readonly string[],
  window: Window,
  buckets: number | null,
): UseQueryResult<ChartData> {
  const bucketed = useQuery({
    queryKey: ["vitals", patientId, "chart", vitals, window, buckets],
    queryFn: () => readChart(patientId, vitals, window, buckets ?? 1),
    enabled: buckets !== null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    refetchInterval: ({ state }) => (state.data && state.data.uncounted > 0 ? COUNTING_MS : false),
    // The old drawing stays, dimmed, until the new one is there; never that of another patient.
    placeholderData: (before, asked) => (asked?.queryKey[1] === patientId ? before : undefined),
  });
  const few = useQuery({
    queryKey: ["vitals", patientId, "few", vitals, window],
    queryFn: () => readSamples(patientId, vitals, window, RAW_PAGES),
    enabled: bucketed.data !== undefined && !bucketed.isPlaceholderData && holdsFew(bucketed.data),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  return useMemo(() => {
    if (!bucketed.data || !few.data) return bucketed;
    const data: ChartData = { ...bucketed.data, step: 0, points: new Map(), samples: few.data };
    return { ...bucketed, data } as UseQueryResult<ChartData>;
  }, [bucketed, few.data]);
}

/** One vital's points and impossible values, with the samples that came since it was asked for. */
export function lineOf(data: ChartData, vital: string, live: readonly LiveSample[]): { points: Point[]; invalid: Mark[] } {
  const { step, window } = data;
  const since = live.filter(({ name }) => name === vital);
  const known = new Map<string, ChartSample>();
  // What the live view tells of a sample is newer than what was read.
  for (const sample of data.samples) if (sample.name === vital) known.set(sample.observation_id, sample);
  for (const sample of since) known.set(sample.observation_id, sample);
  const samples = [...known.values()];
  const invalid = samples
    .filter((sample) => !counts(sample))
    .map(({ effective_at, value }) => ({ at: Date.parse(effective_at), value }));
  const added = step === 0 ? samples : samples.filter(({ effective_at }) => Date.parse(effective_at) >= window.to);
  const points = withSamples(data.points.get(vital) ?? [], added, { step, origin: window.to });
  return { points, invalid };
}
