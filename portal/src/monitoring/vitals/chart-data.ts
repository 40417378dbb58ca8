// The data of a patient's charts: asked for once a window, followed by what the live socket brings.

import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { LiveSample } from "../../../../src/monitoring/patient-object/contract.ts";
import { HOUR_MS } from "../../platform/durations.ts";
import { readBuckets, readSamples } from "./api.ts";
import { appendSamples, bucketToPoint, isUsable, type Point } from "./chart-series.ts";
import type { ChartSample } from "./columns.ts";
import { groupLimitSteps, type LimitStep } from "./limit-steps.ts";
import type { Mark } from "./paint-chart.ts";
import { MAX_RAW_WINDOW_MS, type TimeWindow } from "./time-window.ts";

/** So many samples of a short window are read one by one; where there are more, each bucket stands for a few seconds. */
const MAX_RAW_SAMPLES = 4_000;
const MAX_RAW_PAGES = 5;
/** How soon hours that are being counted again are asked for. */
const RECOUNT_POLL_MS = 5_000;

export type ChartData = {
  /** As it was asked for. */
  window: TimeWindow;
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

async function readChart(patientId: string, vitals: readonly string[], window: TimeWindow, buckets: number): Promise<ChartData> {
  const { items, hours, limits, uncounted } = await readBuckets(patientId, vitals, window, buckets);
  const points = new Map<string, Point[]>();
  for (const bucket of items) {
    const name = bucket.name ?? bucket.code;
    const vitalPoints = points.get(name) ?? [];
    vitalPoints.push(bucketToPoint(bucket));
    points.set(name, vitalPoints);
  }
  return {
    window,
    step: getBucketLength(window, buckets, hours),
    points,
    samples: [],
    limits: groupLimitSteps(limits),
    uncounted,
  };
}

/** Whether samples are worth asking for one by one. */
function hasFewSamples({ window, points }: ChartData): boolean {
  const total = [...points.values()].flat().reduce((sum, { n }) => sum + n, 0);
  return window.to - window.from <= MAX_RAW_WINDOW_MS && total <= MAX_RAW_SAMPLES;
}

/** Beyond a day the API's buckets are whole hours. */
function getBucketLength({ from, to }: TimeWindow, buckets: number, hours: boolean): number {
  if (!hours) return (to - from) / buckets;
  const span = Math.ceil(to / HOUR_MS) - Math.floor(from / HOUR_MS);
  return (span / Math.min(buckets, span)) * HOUR_MS;
}

/** Buckets at once, and samples in their place when they are there. */
export function useChartData(
  patientId: string,
  vitals: readonly string[],
  window: TimeWindow,
  buckets: number | null,
): UseQueryResult<ChartData> {
  const bucketQuery = useQuery({
    queryKey: ["vitals", patientId, "chart", vitals, window, buckets],
    queryFn: () => readChart(patientId, vitals, window, buckets ?? 1),
    enabled: buckets !== null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    refetchInterval: ({ state }) => (state.data && state.data.uncounted > 0 ? RECOUNT_POLL_MS : false),
    // The old drawing stays, dimmed, until the new one is there; never that of another patient.
    placeholderData: (previous, previousQuery) => (previousQuery?.queryKey[1] === patientId ? previous : undefined),
  });
  const sampleQuery = useQuery({
    queryKey: ["vitals", patientId, "few", vitals, window],
    queryFn: () => readSamples(patientId, vitals, window, MAX_RAW_PAGES),
    enabled: bucketQuery.data !== undefined && !bucketQuery.isPlaceholderData && hasFewSamples(bucketQuery.data),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  return useMemo(() => {
    if (!bucketQuery.data || !sampleQuery.data) return bucketQuery;
    const data: ChartData = { ...bucketQuery.data, step: 0, points: new Map(), samples: sampleQuery.data };
    return { ...bucketQuery, data } as UseQueryResult<ChartData>;
  }, [bucketQuery, sampleQuery.data]);
}

/** One vital's points and impossible values, with the samples that came since it was asked for. */
export function buildLine(data: ChartData, vital: string, live: readonly LiveSample[]): { points: Point[]; invalid: Mark[] } {
  const { step, window } = data;
  const liveSamples = live.filter(({ name }) => name === vital);
  const samplesById = new Map<string, ChartSample>();
  // What the live view tells of a sample is newer than what was read.
  for (const sample of data.samples) if (sample.name === vital) samplesById.set(sample.observation_id, sample);
  for (const sample of liveSamples) samplesById.set(sample.observation_id, sample);
  const samples = [...samplesById.values()];
  const invalid = samples
    .filter((sample) => !isUsable(sample))
    .map(({ effective_at, value }) => ({ at: Date.parse(effective_at), value }));
  const newSamples = step === 0 ? samples : samples.filter(({ effective_at }) => Date.parse(effective_at) >= window.to);
  const points = appendSamples(data.points.get(vital) ?? [], newSamples, { step, origin: window.to });
  return { points, invalid };
}
