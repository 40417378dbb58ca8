// Latest value of each vital sign and its freshness: from the live view, or from the API when the patient is not watched.
import { useQuery } from "@tanstack/react-query";
import type { LiveSample } from "../../../../src/monitoring/patient-object/contract.ts";
import type { Connection } from "../live/connection.ts";
import type { Freshness, FreshnessLimits } from "../live/freshness.ts";
import { toLatestSamples } from "../live/latest-samples.ts";
import { getFreshnessLimits, newestSample, type PatientState, sampleFreshness } from "../live/patient-state.ts";
import { useConnection, useIsUnwatched, useLivePatient } from "../live/use-live.ts";
import { type Latest, readLatest } from "./api.ts";

const POLL_MS = 15_000;
/** A response older than this does not count as current. */
const MAX_POLL_AGE_MS = 45_000;
const MIN_INTERVALS = 4;

export type CurrentVitals = PatientState & {
  devices: Latest["devices"];
  monitoring: Latest["monitoring"] | null;
  observations: Latest["observations"] | null;
  trendMark: Latest["trend_mark"];
  recent: readonly LiveSample[];
  connection: Connection["status"];
};

/** Null until data is available. */
export function useCurrentVitals(patientId: string): { currentVitals: CurrentVitals | null; error: unknown } {
  const live = useLivePatient(patientId);
  const connection = useConnection().status;
  const { data, error, failureReason, dataUpdatedAt } = useQuery({
    queryKey: ["vitals", patientId, "latest"],
    queryFn: () => readLatest(patientId),
    enabled: useIsUnwatched(patientId),
    refetchInterval: POLL_MS,
  });
  if (live) {
    return { currentVitals: { ...live, connection }, error: null };
  }
  if (!data) return { currentVitals: null, error };
  const latest = toLatestSamples(data.latest);
  // The PC's clock on both sides: time of the response, and now.
  const isAnswering = failureReason === null && Date.now() - dataUpdatedAt < MAX_POLL_AGE_MS;
  const limits = new Map(data.limits.map((one) => [one.code, one]));
  return {
    currentVitals: {
      ...data,
      latest,
      limits,
      trendMark: data.trend_mark,
      alerts: NO_ALERTS,
      recent: [],
      connection: isAnswering ? "live" : "lost",
    },
    error,
  };
}

/** Nobody watches the devices of a patient who is in no live view. */
const NO_ALERTS: PatientState["alerts"] = new Map();

export type VitalReading = { sample: LiveSample | undefined; invalid: LiveSample | undefined; freshness: Freshness };

/** @param now server time */
export function getVitalReading(currentVitals: CurrentVitals, code: string, now: number): VitalReading {
  const newest = newestSample(currentVitals, code);
  const invalid = newest?.status === "invalid" ? newest : undefined;
  const freshness = sampleFreshness(
    currentVitals,
    newest,
    { now, connection: currentVitals.connection },
    getUsualLimits(currentVitals, newest),
  );
  return { sample: currentVitals.latest.get(code), invalid, freshness };
}

/** A value is late after two usual intervals. */
function getUsualLimits(currentVitals: CurrentVitals, newest: LiveSample | undefined): FreshnessLimits {
  const { lateAfterS, staleAfterS } = getFreshnessLimits(currentVitals, newest);
  const interval = getUsualIntervalS(currentVitals.recent, newest?.code ?? "");
  return { staleAfterS, lateAfterS: interval === null ? lateAfterS : Math.min(staleAfterS, 2 * interval) };
}

/** Seconds between values, estimated since the page opened; null when there are too few. */
function getUsualIntervalS(recent: readonly LiveSample[], code: string): number | null {
  const times = recent.filter((sample) => sample.code === code).slice(-20);
  const intervals = times
    .slice(1)
    .map(({ received_at }, i) => Date.parse(received_at) - Date.parse(times[i]?.received_at ?? received_at));
  if (intervals.length < MIN_INTERVALS) return null;
  const median = intervals.sort((a, b) => a - b)[Math.floor(intervals.length / 2)];
  // Samples may arrive in batches: the minimum interval is one second.
  return median === undefined ? null : Math.max(1, median / 1000);
}

const FRESHNESS_ORDER: readonly Freshness[] = ["missing", "stale", "invalid", "late", "live"];
/** The worst state of several values shown as one. */
export const getWorstFreshness = (readings: readonly VitalReading[]): Freshness =>
  FRESHNESS_ORDER.find((state) => readings.some(({ freshness }) => freshness === state)) ?? "missing";
