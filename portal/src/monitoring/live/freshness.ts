// Whether a number may be taken for now. Decided by the server's clock and by when the server got the sample, never by a
// device's or this PC's clock. Nothing here needs a browser.
import { CODES, CONTINUOUS_SILENCE_S, NEWS2_WINDOW_MS } from "../../../../src/monitoring/vitals/codes.ts";

export type Freshness = "live" | "late" | "stale" | "missing" | "invalid";

/** Seconds after which a value is late, and stale. */
export type FreshnessLimits = { late: number; stale: number };

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
  if (connection !== "live" || age > limits.stale) return "stale";
  if (sample.status === "invalid") return "invalid";
  return age > limits.late ? "late" : "live";
}

/** Seconds of silence that are too long for what a monitor measures all the time, where no rule says otherwise. */
export const DEFAULT_SILENCE_S = CONTINUOUS_SILENCE_S;
/** So long a single value stands, from a round or a cuff, and counts in NEWS2 (docs/alarms.md). */
export const SPOT_VALUE_VALID_S = NEWS2_WINDOW_MS / 1000;
const CONTINUOUS_CODES: readonly string[] = [CODES.heart_rate, CODES.spo2, CODES.respiratory_rate];

/**
 * @param isManual somebody wrote the value down: a person is not a sensor that fell silent
 * @param silence seconds, of the limits in force; null or absent where none is set. An alarm that is off makes no old value young
 */
export function freshnessLimits(code: string, isManual: boolean, silence: number | null | undefined): FreshnessLimits {
  const stale = isManual ? null : (silence ?? (CONTINUOUS_CODES.includes(code) ? DEFAULT_SILENCE_S : null));
  // A sensor sends every few seconds, a cuff every few minutes: this is more than two of their intervals.
  return stale === null ? { late: SPOT_VALUE_VALID_S / 2, stale: SPOT_VALUE_VALID_S } : { late: stale / 4, stale };
}
