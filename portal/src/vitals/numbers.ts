// The newest value of each vital and whether it may be taken for now: from the live view, or asked for where a patient is not in it.
import { useQuery } from "@tanstack/react-query";
import type { LiveSample } from "../../../src/monitoring/patient-object/contract.ts";
import { type Freshness, freshnessOf, type Limits, limitsOf } from "../live/freshness.ts";
import { type Known, newestOf } from "../live/known.ts";
import type { Link } from "../live/link.ts";
import { useLink, useLivePatient } from "../live/use-live.ts";
import { type Latest, readLatest } from "./api.ts";

const POLL_MS = 15_000;
/** An answer that is older than this is no answer about now. */
const POLL_LASTS_MS = 45_000;
const FEWEST_INTERVALS = 4;

export type Numbers = Omit<Known, "alerts"> & {
  devices: Latest["devices"];
  monitoring: Latest["monitoring"] | null;
  recent: readonly LiveSample[];
  link: Link["status"];
};

/** Null until something is known. */
export function useNumbers(patientId: string): { numbers: Numbers | null; error: unknown } {
  const live = useLivePatient(patientId);
  const link = useLink().status;
  const { data, error, dataUpdatedAt } = useQuery({
    queryKey: ["vitals", patientId, "latest"],
    queryFn: () => readLatest(patientId),
    enabled: !live && link !== "connecting",
    refetchInterval: POLL_MS,
  });
  if (live) {
    return { numbers: { ...live, link }, error: null };
  }
  if (!data) return { numbers: null, error };
  const latest = new Map(data.latest.map((sample) => [sample.status === "invalid" ? `${sample.code}!` : sample.code, sample]));
  // By this PC's clock on both sides: when the answer came, and now.
  const answers = !error && Date.now() - dataUpdatedAt < POLL_LASTS_MS;
  const limits = new Map(data.limits.map((one) => [one.code, one]));
  return { numbers: { ...data, latest, limits, recent: [], link: answers ? "live" : "lost" }, error };
}

export type Reading = { sample: LiveSample | undefined; invalid: LiveSample | undefined; freshness: Freshness };

/** @param now the server's time */
export function readingOf(numbers: Numbers, code: string, now: number): Reading {
  const newest = newestOf(numbers, code);
  const invalid = newest?.status === "invalid" ? newest : undefined;
  const freshness = freshnessOf(newest, now, limitsIn(numbers, newest), numbers.link);
  return { sample: numbers.latest.get(code), invalid, freshness };
}

/** Late is what came two times in a row not as often as it usually does. */
function limitsIn({ limits, recent }: Numbers, newest: LiveSample | undefined): Limits {
  const code = newest?.code ?? "";
  const { late, stale } = limitsOf(code, newest?.performer_id != null, limits.get(code)?.silence_s);
  const interval = intervalOf(recent, code);
  return { stale, late: interval === null ? late : Math.min(stale, 2 * interval) };
}

/** How often a vital comes, in seconds, from what came since the page opened; null while that is too little to tell. */
function intervalOf(recent: readonly LiveSample[], code: string): number | null {
  const times = recent.filter((sample) => sample.code === code).slice(-20);
  const intervals = times
    .slice(1)
    .map(({ received_at }, i) => Date.parse(received_at) - Date.parse(times[i]?.received_at ?? received_at));
  if (intervals.length < FEWEST_INTERVALS) return null;
  const median = intervals.sort((a, b) => a - b)[Math.floor(intervals.length / 2)];
  // Samples may come in parcels: a second is as often as anything is shown.
  return median === undefined ? null : Math.max(1, median / 1000);
}

const ORDER: readonly Freshness[] = ["missing", "stale", "invalid", "late", "live"];
/** Of several that stand for one number: as good as the worst. */
export const worstOf = (readings: readonly Reading[]): Freshness =>
  ORDER.find((state) => readings.some(({ freshness }) => freshness === state)) ?? "missing";
