// Rules over time: how fast a value changes, and how far it has drifted from what is usual for this patient.
import { rounded } from "../vitals/catalogue.ts";
import type { Limits } from "../vitals/model.ts";
import { limitKey, said } from "./conditions.ts";
import { isGoingOn, openAlert, raise, recover } from "./lifecycle.ts";
import type { Baseline, Run, Side, VitalMemory, Watched } from "./memory.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The rate of change is judged on up to seven points, ten seconds apart or more, none older than ten minutes. */
const RATE_POINTS = 7;
const RATE_SPACING_S = 10;
const RATE_WINDOW_S = 600;
/** One outlier among five points reaches 4 of the 10 slopes between them, and so not their median. */
const FEWEST_RATE_POINTS = 5;

type Point = readonly [seconds: number, value: number];

export function rateKey(code: string): string {
  return `rate:${code}`;
}

/**
 * Change a minute, as the median of the slopes between all pairs of points (Theil 1950, Sen 1968): up to 29 % of outliers do not move
 * it. Null until there are five points over forty seconds.
 */
export function ratePerMinute(points: readonly Point[]): number | null {
  if (points.length < FEWEST_RATE_POINTS) return null;
  const slopes = points
    .flatMap(([t, v], i) => points.slice(i + 1).map(([u, w]) => ((w - v) * 60) / (u - t)))
    .sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  return ((slopes[middle] ?? 0) + (slopes[slopes.length - 1 - middle] ?? 0)) / 2;
}

/** Takes a newer value of a vital into its rate of change. The alert ends below half of the limit, or after ten minutes without values. */
export function judgeRate(watched: Watched, value: number, at: number): void {
  const { run, code, vital, limits } = watched;
  const limit = limits.rate_per_minute;
  if (limit === null) {
    endRate(run, code, vital);
    return;
  }
  const seconds = Math.round(at / SECOND);
  const last = vital.ratePoints?.at(-1);
  if (last && seconds - last[0] < RATE_SPACING_S) return;
  const points = [...(vital.ratePoints ?? []), [seconds, value] as const].filter(([time]) => seconds - time <= RATE_WINDOW_S);
  vital.ratePoints = points.slice(-RATE_POINTS);
  const rate = ratePerMinute(vital.ratePoints);
  if (rate === null) return;
  if (Math.abs(rate) >= limit && !isPastLimit(run, code))
    raiseRate(run, code, value, rate, limit, seconds - (vital.ratePoints[0]?.[0] ?? seconds));
  else if (Math.abs(rate) < limit / 2 || isPastLimit(run, code)) recover(run, rateKey(code));
}

/** Beyond a limit there is an alarm already, of which the change is a part. */
function isPastLimit(run: Run, code: string): boolean {
  return isGoingOn(openAlert(run, limitKey(code)));
}

function raiseRate(run: Run, code: string, value: number, rate: number, limit: number, window_s: number): void {
  const side: Side = rate < 0 ? "low" : "high";
  const change = `${side === "low" ? "falls" : "rises"} by ${rounded(Math.abs(rate), 1)} a minute over ${window_s} s; the limit is ${limit}`;
  const why = { value: rounded(rate, 1), bound: limit, side, window_s, text: `${said(code, value)} ${change}` };
  raise(run, { key: rateKey(code), rule: "rate", code, device: null, priority: "medium", why });
}

/** Forgets the points, as after somebody resolved the alert. */
export function endRate(run: Run, code: string, vital: VitalMemory): void {
  vital.ratePoints = undefined;
  recover(run, rateKey(code));
}

/** Half-lives: "usual" is the last hours, "now" the last minutes. A day and its night stay within the usual. */
const SLOW_MS = 6 * HOUR;
const FAST_MS = 10 * MINUTE;
/** The usual is not known before an hour and six values, and takes one value a minute at most. */
const WARM_UP = { values: 6, ms: HOUR };
const BASELINE_SPACING_MS = MINUTE;
/**
 * Standard deviations that are a drift (the three of Shewhart's charts), that are none any more, and beyond which one value counts no
 * further.
 */
const DRIFT_SD = 3;
const SETTLED_SD = 1.5;
const CLIP_SD = 3;
/** How long a drift must last, and after which silence nothing is known of it any more. */
const DRIFT_MS = 10 * MINUTE;
const DRIFT_FORGOTTEN_MS = 6 * HOUR;

export function trendKey(code: string): string {
  return `trend:${code}`;
}

/** The least spread that is taken for real: a twentieth of the room between the limits, or the hysteresis. */
function leastSpread(limits: Limits): number {
  const room = limits.high !== null && limits.low !== null ? (limits.high - limits.low) / 20 : 0;
  return Math.max(room, limits.hysteresis, 1e-6);
}

function weight(elapsed: number, halfLife: number): number {
  return 1 - 2 ** (-elapsed / halfLife);
}

/**
 * Takes a newer value of a vital into its baseline and judges the drift: the z-score of the fast exponentially weighted mean (Roberts
 * 1959) against the slow mean and its deviation. Only drifts towards a side that has a limit count. It is a hint, of low priority.
 */
export function judgeTrend(watched: Watched, value: number, at: number): void {
  const { run, code, vital, limits } = watched;
  if (!limits.trend) {
    endTrend(run, code, vital);
    return;
  }
  const usual = vital.baseline;
  if (!usual) {
    vital.baseline = { slowMean: value, variance: 0, fastMean: value, valueCount: 1, startedAt: at, updatedAt: at };
    return;
  }
  usual.fastMean = rounded(usual.fastMean + weight(at - vital.measuredAt, FAST_MS) * (value - usual.fastMean), 3);
  const spread = Math.max(Math.sqrt(usual.variance), leastSpread(limits));
  const z = (usual.fastMean - usual.slowMean) / spread;
  if (usual.valueCount >= WARM_UP.values && at - usual.startedAt >= WARM_UP.ms) judgeDrift(watched, usual, { z, spread }, at);
  if (at - usual.updatedAt >= BASELINE_SPACING_MS) learn(usual, value, spread, at);
}

/** Standard deviations off the usual, and how much one of them is. */
type Drift = { z: number; spread: number };

function learn(usual: Baseline, value: number, spread: number, at: number): void {
  usual.valueCount += 1;
  const share = Math.max(weight(at - usual.updatedAt, SLOW_MS), usual.valueCount <= WARM_UP.values ? 1 / usual.valueCount : 0);
  const off = value - usual.slowMean;
  const clipped = usual.valueCount <= WARM_UP.values ? off : Math.max(-CLIP_SD * spread, Math.min(CLIP_SD * spread, off));
  usual.slowMean = rounded(usual.slowMean + share * clipped, 3);
  usual.variance = rounded((1 - share) * (usual.variance + share * clipped * clipped), 3);
  usual.updatedAt = at;
}

function judgeDrift({ run, code, limits }: Watched, usual: Baseline, drift: Drift, at: number): void {
  const { z } = drift;
  const side: Side = z < 0 ? "low" : "high";
  const matters = isGuarded(limits, side) && !isPastLimit(run, code);
  if (Math.abs(z) < DRIFT_SD || !matters) {
    Object.assign(usual, { driftSince: undefined, driftSide: undefined });
    if (Math.abs(z) < SETTLED_SD || !matters) recover(run, trendKey(code));
    return;
  }
  if (usual.driftSide !== side) Object.assign(usual, { driftSince: at, driftSide: side });
  if (at - (usual.driftSince ?? at) < DRIFT_MS) return;
  raiseDrift(run, code, usual, drift);
}

function isGuarded(limits: Limits, side: Side): boolean {
  return side === "low" ? (limits.low ?? limits.critical_low) !== null : (limits.high ?? limits.critical_high) !== null;
}

function raiseDrift(run: Run, code: string, usual: Baseline, { z, spread }: Drift): void {
  const side: Side = z < 0 ? "low" : "high";
  const now = rounded(usual.fastMean, 1);
  const drift = `on average, ${rounded(Math.abs(z), 1)} standard deviations ${side === "low" ? "below" : "above"}`;
  const text = `${said(code, now)} ${drift} this patient's own ${rounded(usual.slowMean, 1)} of the last hours`;
  const bound = rounded(usual.slowMean + (side === "low" ? -1 : 1) * DRIFT_SD * spread, 1);
  const why = { value: now, bound, side, window_s: SLOW_MS / SECOND, text };
  raise(run, { key: trendKey(code), rule: "trend", code, device: null, priority: "low", why });
}

/** Begins a new baseline, as after somebody resolved the alert: what is now is the new usual. */
export function endTrend(run: Run, code: string, vital: VitalMemory): void {
  vital.baseline = undefined;
  recover(run, trendKey(code));
}

/** Ends what no newer value has confirmed for too long. */
export function forgetOld(run: Run, code: string, vital: VitalMemory): void {
  if (run.now >= rateEnds(vital)) recover(run, rateKey(code));
  if (run.now >= trendEnds(vital)) recover(run, trendKey(code));
}

/** When open alerts of change would end without another value. */
export function changeDeadlines(run: Pick<Run, "memory">, code: string, vital: VitalMemory): number[] {
  const open = (key: string) => isGoingOn(run.memory.alerts.find((alert) => alert.key === key));
  return [...(open(rateKey(code)) ? [rateEnds(vital)] : []), ...(open(trendKey(code)) ? [trendEnds(vital)] : [])];
}

function rateEnds(vital: VitalMemory): number {
  return vital.measuredAt + RATE_WINDOW_S * SECOND;
}

function trendEnds(vital: VitalMemory): number {
  return vital.measuredAt + DRIFT_FORGOTTEN_MS;
}
