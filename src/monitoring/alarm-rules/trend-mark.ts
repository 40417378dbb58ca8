// The trend mark: NEWS2 scores smoothed over time, with fever. EdgeCare's own mark, not NEWS2 and never an alarm. Pure functions of readings.

import { roundHalfUp } from "../vitals/catalogue.ts";
import type { TakenScore } from "../vitals/freshness.ts";

/** Label of the mark wherever it is shown. */
export const TREND_LABEL = "EdgeCare trend, not NEWS2";

const HOUR_MS = 3_600_000;
export const TREND_HALF_LIFE_MS = 12 * HOUR_MS;
/** In °C, as displayed. EdgeCare's choice: 38 °C as in 42 CFR 71.1 (CDC); in intensive care 38.3 °C is usual (SCCM/IDSA 2008). */
const FEVER = 38;
const FEVER_VALID_MS = 12 * HOUR_MS;
/** Smoothed scores from which the mark begins. */
export type TrendThresholds = { alone: number; withFever: number };
/** Chosen on development recordings: docs/alarms.md. */
export const TREND_THRESHOLDS: TrendThresholds = { alone: 4.5, withFever: 2.5 };
/** The mark ends this much lower, so that a score which varies around the threshold is one mark. */
const HYSTERESIS = 0.5;
/** Until the readings span this long, the first of them has most of the weight, and nothing is known of a trend. */
export const TREND_MIN_SPAN_MS = 12 * HOUR_MS;
/** After a longer gap the smoothing begins anew: RCP 2017 has no interval above 12 hours. */
export const TREND_MAX_GAP_MS = 24 * HOUR_MS;

/** One complete set. `score`: null when a value of the set was corrected later, so that it no longer counts. */
export type TrendReading = Pick<TakenScore, "from" | "at" | "single3"> & { score: number | null; temperature: number };

/** After the reading of `at`. Times are epoch milliseconds: `since` of the first reading, `markedSince` of the one that began the mark. */
export type TrendState = {
  smoothed: number;
  since: number;
  at: number;
  feverAt: number | null;
  markedSince: number | null;
};

/** `base`: the state after readings that are no longer kept. */
export type TrendMemory = { base: TrendState | null; readings: readonly TrendReading[] };
export const NO_TREND: TrendMemory = { base: null, readings: [] };

/** Readings kept for corrections: 32 hours of hourly sets, 8 hours of continuous monitoring. */
export const MAX_TREND_READINGS = 32;
/** One reading counts per quarter of an hour, the newest: under continuous monitoring every change completes a set. */
const SLOT_MS = 15 * 60_000;
const isSameSlot = (a: TrendReading, b: TrendReading) => Math.floor(a.at / SLOT_MS) === Math.floor(b.at / SLOT_MS);

/**
 * The state after a reading. Exponentially weighted moving average of an irregular series (Eckner, "Algorithms for unevenly spaced time
 * series", 2017, EMA_next): the score counts for the time since the reading before, whose weight halves in 12 hours.
 */
export function stepTrend(
  before: TrendState | null,
  { at, score, temperature }: { at: number; score: number; temperature: number },
  { alone, withFever }: TrendThresholds = TREND_THRESHOLDS,
): TrendState {
  const known = before && at - before.at <= TREND_MAX_GAP_MS ? before : null;
  const weight = known ? 2 ** (-(at - known.at) / TREND_HALF_LIFE_MS) : 0;
  const smoothed = weight * (known?.smoothed ?? 0) + (1 - weight) * score;
  const since = known?.since ?? at;
  const feverAt = roundHalfUp(temperature, 1) >= FEVER ? at : (known?.feverAt ?? null);
  const hasFever = feverAt !== null && at - feverAt <= FEVER_VALID_MS;
  const threshold = hasFever ? withFever : alone;
  const markedSince = known?.markedSince ?? null;
  const isMarked =
    markedSince === null ? smoothed >= threshold && at - since >= TREND_MIN_SPAN_MS : smoothed >= threshold - HYSTERESIS;
  return { smoothed, since, at, feverAt: hasFever ? feverAt : null, markedSince: isMarked ? (markedSince ?? at) : null };
}

type ScoredReading = TrendReading & { score: number };
const isScored = (reading: TrendReading): reading is ScoredReading => reading.score !== null;

/** The state now with the last reading that counts; null without one. */
export function summarizeTrend({ base, readings }: TrendMemory): { state: TrendState; last: ScoredReading } | null {
  const scored = readings.filter(isScored);
  const last = scored.at(-1);
  const state = scored.reduce<TrendState | null>((before, reading) => stepTrend(before, reading), base);
  return state && last ? { state, last } : null;
}

/**
 * Adds a reading. The same set again, perhaps corrected, takes the place of the last reading; an older one than the last changes nothing,
 * and neither does one that is overdue when it arrives.
 */
export function addTrendReading(memory: TrendMemory, reading: TrendReading, isOverdue: boolean): TrendMemory {
  const last = memory.readings.at(-1);
  const newestAt = last?.at ?? memory.base?.at ?? Number.NEGATIVE_INFINITY;
  if (last && reading.at === last.at) return { ...memory, readings: [...memory.readings.slice(0, -1), reading] };
  if (reading.at <= newestAt || isOverdue) return memory;
  const kept = last && isSameSlot(last, reading) ? memory.readings.slice(0, -1) : memory.readings;
  const readings = [...kept, reading];
  const [oldest] = readings;
  if (readings.length <= MAX_TREND_READINGS || !oldest) return { ...memory, readings };
  return { base: isScored(oldest) ? stepTrend(memory.base, oldest) : memory.base, readings: readings.slice(1) };
}

/**
 * A value measured at `at` was corrected: the reading that it belongs to no longer counts, and neither does what was smoothed before the
 * kept readings if the value may be in it.
 */
export function dropCorrected({ base, readings }: TrendMemory, at: number): TrendMemory {
  return {
    base: base && at >= base.since && at <= base.at ? null : base,
    readings: readings.map((reading) => (reading.from <= at && at <= reading.at ? { ...reading, score: null } : reading)),
  };
}
