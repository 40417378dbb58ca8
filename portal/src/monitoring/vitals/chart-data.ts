// Data of a patient's charts: fetched once per window, then updated from the live socket.

import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { LiveSample } from "../../../../src/monitoring/patient-object/contract.ts";
import { HOUR_MS } from "../../platform/durations.ts";
import { readBuckets, readSamples } from "./api.ts";
import { getVitalUnit } from "./chart-catalogue.ts";
import { appendSamples, bucketToPoint, isUsable, type Point } from "./chart-series.ts";
import type { ChartSample } from "./columns.ts";
import { groupLimitSteps, type LimitStep } from "./limit-steps.ts";
import type { Mark } from "./paint-chart.ts";
import { MAX_RAW_WINDOW_MS, type TimeWindow } from "./time-window.ts";

/** Maximum samples of a short window that are fetched individually; above it, buckets of a few seconds are used. */
const MAX_RAW_SAMPLES = 4_000;
const MAX_RAW_PAGES = 5;
/** Refetch interval for hours that are being recalculated, ms. */
const RECOUNT_POLL_MS = 5_000;

export type ChartData = {
  /** The requested window. */
  window: TimeWindow;
  /** Bucket length, ms; 0: the points are samples. */
  step: number;
  /** By name of the vital sign, oldest first. */
  points: ReadonlyMap<string, readonly Point[]>;
  /** Individual samples, when there are few; includes invalid ones. */
  samples: readonly ChartSample[];
  /** By code. */
  limits: ReadonlyMap<string, readonly LimitStep[]>;
  /** Hours of the window with late samples that are being recalculated. */
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

/** Whether the window is short enough for individual samples. */
function hasFewSamples({ window, points }: ChartData): boolean {
  const total = [...points.values()].flat().reduce((sum, { n }) => sum + n, 0);
  return window.to - window.from <= MAX_RAW_WINDOW_MS && total <= MAX_RAW_SAMPLES;
}

/** Above one day the API's buckets are whole hours. */
function getBucketLength({ from, to }: TimeWindow, buckets: number, hours: boolean): number {
  if (!hours) return (to - from) / buckets;
  const span = Math.ceil(to / HOUR_MS) - Math.floor(from / HOUR_MS);
  return (span / Math.min(buckets, span)) * HOUR_MS;
}

/** Buckets first, replaced by samples when those arrive. */
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
    // The previous chart stays, dimmed, until new data arrives; never one of another patient.
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

/** Points and invalid values of one vital sign, with samples received since the request. */
export function buildLine(data: ChartData, vital: string, live: readonly LiveSample[]): { points: Point[]; invalid: Mark[] } {
  const { step, window } = data;
  const liveSamples = live.filter(({ name }) => name === vital);
  const samplesById = new Map<string, ChartSample>();
  // Live samples are newer than the response.
  for (const sample of data.samples) if (sample.name === vital) samplesById.set(sample.observation_id, sample);
  for (const sample of liveSamples) samplesById.set(sample.observation_id, sample);
  const samples = [...samplesById.values()];
  const invalid = samples
    // A value in another unit, whose unit is doubtful, has no place on this scale.
    .filter((sample) => !isUsable(sample) && sample.unit === getVitalUnit(vital))
    .map(({ effective_at, value }) => ({ at: Date.parse(effective_at), value }));
  const newSamples = step === 0 ? samples : samples.filter(({ effective_at }) => Date.parse(effective_at) >= window.to);
  const points = appendSamples(data.points.get(vital) ?? [], newSamples, { step, origin: window.to });
  return { points, invalid };
}
