// Rules over time: rate of change, and drift (trend) from the patient's baseline.
import { HOUR_MS } from "../../platform/time.ts";
import { roundHalfUp } from "../vitals/catalogue.ts";
import type { Limits } from "../vitals/model.ts";
import type { Baseline, RuleRun, Side, VitalMemory, WatchedVital } from "./alarm-memory.ts";
import { findOpenAlert, isOngoing, raiseAlert, recoverAlert, recoverUnlessStanding } from "./alert-lifecycle.ts";
import { formatReading, toLimitKey } from "./limit-rule.ts";
import { standsUntil } from "./raise-counts.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** The rate uses up to seven points, at least ten seconds apart and at most ten minutes old. */
const MAX_RATE_POINTS = 7;
const RATE_SPACING_S = 10;
const RATE_WINDOW_S = 600;
/** One outlier among five points reaches 4 of the 10 slopes between them, and so not their median. */
const MIN_RATE_POINTS = 5;

/**
 * A pause this many times longer than the one before is a gap: the sensor was off, and the next value is no change of the last one.
 * Values that come evenly, up to five in the window, have no gap.
 */
const GAP_FACTOR = 3;
const MIN_GAP_S = 30;
const MAX_GAP_S = RATE_WINDOW_S / (MIN_RATE_POINTS - 1);

type RatePoint = readonly [seconds: number, value: number];

export function toRateKey(code: string): string {
  return `rate:${code}`;
}

/**
 * Change per minute, as the median of the slopes between all pairs of points (Theil 1950, Sen 1968), which is robust against up to
 * 29 % outliers. Null until there are five points, which span at least forty seconds.
 */
export function computeRatePerMinute(points: readonly RatePoint[]): number | null {
  if (points.length < MIN_RATE_POINTS) return null;
  const slopes = points
    .flatMap(([time, value], i) => points.slice(i + 1).map(([later, next]) => ((next - value) * 60) / (later - time)))
    .sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  return ((slopes[middle] ?? 0) + (slopes[slopes.length - 1 - middle] ?? 0)) / 2;
}

/** Adds a newer value to the rate of change. A change towards the side without limits does not count: a rising saturation is a recovery. The alert ends below half of the limit, or after ten minutes without values. */
export function evaluateRate(watched: WatchedVital, value: number, at: number): void {
  const { run, code, vital, limits } = watched;
  const limit = limits.rate_per_minute;
  if (limit === null) {
    clearRate(run, code, vital);
    return;
  }
  const seconds = Math.round(at / SECOND_MS);
  const last = vital.ratePoints?.at(-1);
  if (last && seconds - last[0] < RATE_SPACING_S) return;
  const known = isAfterGap(vital.ratePoints ?? [], seconds) ? [] : (vital.ratePoints ?? []);
  const points = [...known, [seconds, value] as const].filter(([time]) => seconds - time <= RATE_WINDOW_S);
  vital.ratePoints = points.slice(-MAX_RATE_POINTS);
  const rate = computeRatePerMinute(vital.ratePoints);
  if (rate === null) return;
  const isRelevant =
    rate < 0 ? hasLimit(limits, "low") || !hasLimit(limits, "high") : hasLimit(limits, "high") || !hasLimit(limits, "low");
  if (Math.abs(rate) >= limit && isRelevant && !isLimitAlertOngoing(run, code))
    raiseRateAlert(run, code, value, rate, limit, seconds - (vital.ratePoints[0]?.[0] ?? seconds));
  else if (Math.abs(rate) < limit / 2 || isLimitAlertOngoing(run, code)) recoverUnlessStanding(run, toRateKey(code));
}

function isAfterGap(points: readonly RatePoint[], seconds: number): boolean {
  const [before, last] = points.slice(-2);
  if (!before || !last) return false;
  const allowed = Math.max(MIN_GAP_S, GAP_FACTOR * (last[0] - before[0]));
  return seconds - last[0] > Math.min(MAX_GAP_S, allowed);
}

/** An ongoing limit alert already covers the change. */
function isLimitAlertOngoing(run: RuleRun, code: string): boolean {
  return isOngoing(findOpenAlert(run, toLimitKey(code)));
}

function raiseRateAlert(run: RuleRun, code: string, value: number, rate: number, limit: number, window_s: number): void {
  const side: Side = rate < 0 ? "low" : "high";
  const change = `${side === "low" ? "falls" : "rises"} by ${roundHalfUp(Math.abs(rate), 1)} per minute over ${window_s} s; the limit is ${limit}`;
  const why = { value: roundHalfUp(rate, 1), bound: limit, side, window_s, text: `${formatReading(code, value)} ${change}` };
  raiseAlert(run, { key: toRateKey(code), rule: "rate", code, device: null, priority: "medium", why });
}

/** Clears the points and ends the alert. */
export function clearRate(run: RuleRun, code: string, vital: VitalMemory): void {
  vital.ratePoints = undefined;
  recoverAlert(run, toRateKey(code));
}

/** Half-lives of the baseline (hours) and of the current mean (minutes), so that the daily rhythm stays within the baseline. */
const SLOW_HALF_LIFE_MS = 6 * HOUR_MS;
const FAST_HALF_LIFE_MS = 10 * MINUTE_MS;
/** The baseline needs an hour and six values, and includes at most one value per minute. */
const MIN_BASELINE = { values: 6, ms: HOUR_MS };
const BASELINE_SPACING_MS = MINUTE_MS;
/**
 * Standard deviations at which a drift begins (three, as in Shewhart's control charts) and ends, and to which a single value is
 * clipped.
 */
const DRIFT_SD = 3;
const SETTLED_SD = 1.5;
const CLIP_SD = 3;
/** In the units of heart rate, saturation and respiration, which alone have a trend: less is no change that a nurse would see. */
const MIN_SPREAD = 2;
/** How long a drift must last, and how long it stays valid without new values. */
const MIN_DRIFT_MS = 10 * MINUTE_MS;
const MAX_DRIFT_AGE_MS = 6 * HOUR_MS;
/** A pause this long is three half-lives of the fast mean, which is no mean but one value after it: the drift begins anew. */
const MAX_DRIFT_GAP_MS = 30 * MINUTE_MS;

export function toTrendKey(code: string): string {
  return `trend:${code}`;
}

/** The minimum spread: a twentieth of the range between the limits, or two units. */
function minSpread(limits: Limits): number {
  const [low, high] = [limits.low ?? limits.critical_low, limits.high ?? limits.critical_high];
  return Math.max(low !== null && high !== null ? (high - low) / 20 : 0, MIN_SPREAD);
}

function decayWeight(elapsed: number, halfLife: number): number {
  return 1 - 2 ** (-elapsed / halfLife);
}

/**
 * Adds a newer value to the baseline and evaluates the drift: the z-score of the fast exponentially weighted mean (Roberts 1959)
 * against the slow mean and its deviation. Only drifts towards a side with a limit count. The priority is low.
 */
export function evaluateTrend(watched: WatchedVital, value: number, at: number): void {
  const { run, code, vital, limits } = watched;
  if (!limits.trend) {
    resetBaseline(run, code, vital);
    return;
  }
  const baseline = vital.baseline;
  if (!baseline) {
    vital.baseline = { slowMean: value, variance: 0, fastMean: value, valueCount: 1, startedAt: at, updatedAt: at };
    return;
  }
  if (at - vital.measuredAt > MAX_DRIFT_GAP_MS) Object.assign(baseline, { driftSince: undefined, driftSide: undefined });
  baseline.fastMean = roundHalfUp(
    baseline.fastMean + decayWeight(at - vital.measuredAt, FAST_HALF_LIFE_MS) * (value - baseline.fastMean),
    3,
  );
  const spread = Math.max(Math.sqrt(baseline.variance), minSpread(limits));
  const z = (baseline.fastMean - baseline.slowMean) / spread;
  if (baseline.valueCount >= MIN_BASELINE.values && at - baseline.startedAt >= MIN_BASELINE.ms)
    evaluateDrift(watched, baseline, { z, spread }, at);
  if (at - baseline.updatedAt >= BASELINE_SPACING_MS) updateBaseline(baseline, value, spread, at);
}

/** `z`: standard deviations from the baseline; `spread`: one standard deviation. */
type Drift = { z: number; spread: number };

function updateBaseline(baseline: Baseline, value: number, spread: number, at: number): void {
  baseline.valueCount += 1;
  const weight = Math.max(
    decayWeight(at - baseline.updatedAt, SLOW_HALF_LIFE_MS),
    baseline.valueCount <= MIN_BASELINE.values ? 1 / baseline.valueCount : 0,
  );
  const deviation = value - baseline.slowMean;
  const clipped =
    baseline.valueCount <= MIN_BASELINE.values ? deviation : Math.max(-CLIP_SD * spread, Math.min(CLIP_SD * spread, deviation));
  baseline.slowMean = roundHalfUp(baseline.slowMean + weight * clipped, 3);
  baseline.variance = roundHalfUp((1 - weight) * (baseline.variance + weight * clipped * clipped), 3);
  baseline.updatedAt = at;
}

function evaluateDrift({ run, code, limits }: WatchedVital, baseline: Baseline, drift: Drift, at: number): void {
  const { z } = drift;
  const side: Side = z < 0 ? "low" : "high";
  const isRelevant = hasLimit(limits, side) && !isLimitAlertOngoing(run, code);
  if (Math.abs(z) < DRIFT_SD || !isRelevant) {
    Object.assign(baseline, { driftSince: undefined, driftSide: undefined });
    if (Math.abs(z) < SETTLED_SD || !isRelevant) recoverUnlessStanding(run, toTrendKey(code));
    return;
  }
  if (baseline.driftSide !== side) Object.assign(baseline, { driftSince: at, driftSide: side });
  if (at - (baseline.driftSince ?? at) < MIN_DRIFT_MS) return;
  raiseDriftAlert(run, code, baseline, drift);
}

function hasLimit(limits: Limits, side: Side): boolean {
  return side === "low" ? (limits.low ?? limits.critical_low) !== null : (limits.high ?? limits.critical_high) !== null;
}

function raiseDriftAlert(run: RuleRun, code: string, baseline: Baseline, { z, spread }: Drift): void {
  const side: Side = z < 0 ? "low" : "high";
  const now = roundHalfUp(baseline.fastMean, 1);
  const drift = `on average, ${roundHalfUp(Math.abs(z), 1)} standard deviations ${side === "low" ? "below" : "above"}`;
  const text = `${formatReading(code, now)} ${drift} this patient's own ${roundHalfUp(baseline.slowMean, 1)} of the last hours`;
  const bound = roundHalfUp(baseline.slowMean + (side === "low" ? -1 : 1) * DRIFT_SD * spread, 1);
  const why = { value: now, bound, side, window_s: SLOW_HALF_LIFE_MS / SECOND_MS, text };
  raiseAlert(run, { key: toTrendKey(code), rule: "trend", code, device: null, priority: "low", why });
}

/** Drops the baseline and ends the alert; the next value starts a new baseline. */
export function resetBaseline(run: RuleRun, code: string, vital: VitalMemory): void {
  vital.baseline = undefined;
  recoverAlert(run, toTrendKey(code));
}

/** Ends alerts that no newer value has confirmed in time. */
export function expireChangeAlerts(run: RuleRun, code: string, vital: VitalMemory): void {
  if (run.now >= rateExpiresAt(vital)) recoverUnlessStanding(run, toRateKey(code));
  if (run.now >= trendExpiresAt(vital)) recoverUnlessStanding(run, toTrendKey(code));
}

/** When open rate and trend alerts end without another value, epoch milliseconds. */
export function listChangeDeadlines(run: Pick<RuleRun, "memory">, code: string, vital: VitalMemory): number[] {
  const ends = [
    { key: toRateKey(code), at: rateExpiresAt(vital) },
    { key: toTrendKey(code), at: trendExpiresAt(vital) },
  ];
  return ends.flatMap(({ key, at }) => {
    const alert = run.memory.alerts.find((open) => open.key === key);
    return isOngoing(alert) ? [Math.max(at, standsUntil(vital, alert))] : [];
  });
}

function rateExpiresAt(vital: VitalMemory): number {
  return vital.measuredAt + RATE_WINDOW_S * SECOND_MS;
}

function trendExpiresAt(vital: VitalMemory): number {
  return vital.measuredAt + MAX_DRIFT_AGE_MS;
}
