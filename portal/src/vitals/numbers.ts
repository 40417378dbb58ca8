// The newest value of each vital and whether it may be taken for now: from the live view, or asked for where a patient is not in it.
import { useQuery } from "@tanstack/react-query";
import type { LiveSample, Score } from "../../../src/monitor/contract.ts";
import { CODES } from "../alarms/vital-codes.ts";
import { type Freshness, freshnessOf, type Limits } from "../live/freshness.ts";
import type { Link } from "../live/link.ts";
import { useLink, useLivePatient } from "../live/use-live.ts";
import { type Latest, readLatest } from "./api.ts";

const POLL_MS = 15_000;
/** An answer that is older than this is no answer about now. */
const POLL_LASTS_MS = 45_000;
/** The API's silence limit of what a monitor measures all the time, where nobody set another. */
const SILENT_S = 120;
/** What is measured now and then counts for so long in the score. */
const ONCE_S = 30 * 60;
const CONTINUOUS: readonly string[] = [CODES.heart_rate, CODES.spo2, CODES.respiratory_rate];
const FEWEST_INTERVALS = 4;

export type Numbers = {
  /** By code; under `<code>!` the newest impossible one. */
  latest: ReadonlyMap<string, LiveSample>;
  news2: Score | null;
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
    const { latest, news2, devices, monitoring, recent } = live;
    return { numbers: { latest, news2, devices, monitoring, recent, link }, error: null };
  }
  if (!data) return { numbers: null, error };
  const latest = new Map(data.latest.map((sample) => [sample.status === "invalid" ? `${sample.code}!` : sample.code, sample]));
  // By this PC's clock on both sides: when the answer came, and now.
  const answers = !error && Date.now() - dataUpdatedAt < POLL_LASTS_MS;
  const { news2, devices, monitoring } = data;
  return { numbers: { latest, news2, devices, monitoring, recent: [], link: answers ? "live" : "lost" }, error };
}

export type Reading = { sample: LiveSample | undefined; invalid: LiveSample | undefined; freshness: Freshness };

/** @param silence seconds, from the limits in effect; null: none set @param now the server's time */
export function readingOf(numbers: Numbers, code: string, silence: number | null | undefined, now: number): Reading {
  const sample = numbers.latest.get(code);
  const impossible = numbers.latest.get(`${code}!`);
  const invalid = impossible && (!sample || impossible.effective_at > sample.effective_at) ? impossible : undefined;
  const freshness = freshnessOf(invalid ?? sample, now, limitsOf(numbers, code, silence), numbers.link);
  return { sample, invalid, freshness };
}

function limitsOf({ latest, recent }: Numbers, code: string, silence: number | null | undefined): Limits {
  const byDevice = (latest.get(code) ?? latest.get(`${code}!`))?.device_id !== null;
  const usual = CONTINUOUS.includes(code) && byDevice ? SILENT_S : ONCE_S;
  const stale = silence ?? usual;
  return { stale, late: Math.min(stale, 2 * (intervalOf(recent, code) ?? stale / 2)) };
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
