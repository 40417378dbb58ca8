// Pure rules for whether a value is current. They use the server's clock and the time of receipt, never the clock
// of a device or of this PC.
import { CODES, CONTINUOUS_SILENCE_S, NEWS2_WINDOW_MS } from "../../../../src/monitoring/vitals/codes.ts";

export type Freshness = "live" | "late" | "stale" | "missing" | "invalid";

/** Seconds after which a value is late, and after which it is stale. */
export type FreshnessLimits = { lateAfterS: number; staleAfterS: number };

export type ConnectionStatus = "off" | "connecting" | "catching_up" | "live" | "lost" | "stopped";
type JudgedSample = { received_at: string; status: "final" | "invalid" | "amended" | "entered-in-error" } | undefined;

/** @param now the server's time, epoch milliseconds */
export function judgeFreshness(
  sample: JudgedSample,
  now: number,
  limits: FreshnessLimits,
  connection: ConnectionStatus,
): Freshness {
  if (!sample) return "missing";
  const age = (now - Date.parse(sample.received_at)) / 1000;
  if (connection !== "live" || age > limits.staleAfterS) return "stale";
  if (sample.status === "invalid") return "invalid";
  return age > limits.lateAfterS ? "late" : "live";
}

/**
 * A value of a spot patient is as old as the set of observations that it belongs to: it is late when the next set is due, and stale when
 * the score is overdue, whether a person or a device measured it. A value of after the set is current at least as long.
 * @param own limits of the value by itself  @param measuredAt epoch milliseconds
 */
export function spotFreshnessLimits(
  own: FreshnessLimits,
  sample: { received_at: string; measuredAt: number },
  score: { as_of: string; due_at: string; overdue_at: string },
): FreshnessLimits {
  const setAt = Date.parse(score.as_of);
  if (sample.measuredAt < setAt - NEWS2_WINDOW_MS) return own;
  const secondsUntil = (time: string) => (Date.parse(time) - Date.parse(sample.received_at)) / 1000;
  const ofSet = { lateAfterS: secondsUntil(score.due_at), staleAfterS: secondsUntil(score.overdue_at) };
  if (sample.measuredAt <= setAt) return ofSet;
  return {
    lateAfterS: Math.max(own.lateAfterS, ofSet.lateAfterS),
    staleAfterS: Math.max(own.staleAfterS, ofSet.staleAfterS),
  };
}

/** Default silence limit in seconds for continuously measured vital signs, where no rule sets one. */
export const DEFAULT_SILENCE_S = CONTINUOUS_SILENCE_S;
/** Seconds that a single value (manual or cuff) stays valid and counts in NEWS2 (docs/alarms.md). */
export const SPOT_VALUE_VALID_S = NEWS2_WINDOW_MS / 1000;
const CONTINUOUS_CODES: readonly string[] = [CODES.heart_rate, CODES.spo2, CODES.respiratory_rate];

/**
 * @param isManual entered by staff: no sensor that could fall silent
 * @param silence seconds, from the effective limits; null or absent when unset. Turning the alarm off keeps values ageing
 */
export function freshnessLimits(code: string, isManual: boolean, silence: number | null | undefined): FreshnessLimits {
  const staleAfterS = isManual ? null : (silence ?? (CONTINUOUS_CODES.includes(code) ? DEFAULT_SILENCE_S : null));
  // Sensors send every few seconds, cuffs every few minutes: this is more than two intervals.
  return staleAfterS === null
    ? { lateAfterS: SPOT_VALUE_VALID_S / 2, staleAfterS: SPOT_VALUE_VALID_S }
    : { lateAfterS: staleAfterS / 4, staleAfterS };
}
