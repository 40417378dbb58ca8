// Whether a number may be taken for now. Decided by the server's clock and by when the server got the sample, never by a
// device's or this PC's clock. Nothing here needs a browser.
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
export const DEFAULT_SILENCE_S = 120;
/** So long a single value stands, from a round or a cuff, and counts in NEWS2 (docs/alarms.md). */
export const SPOT_VALUE_VALID_S = 1_800;
/** Heart rate, oxygen saturation, respiration. */
const CONTINUOUS_CODES: readonly string[] = ["8867-4", "2708-6", "9279-1"];

/**
 * @param isManual somebody wrote the value down: a person is not a sensor that fell silent
 * @param silence seconds, of the limits in force; null or absent where none is set. An alarm that is off makes no old value young
 */
export function freshnessLimits(code: string, isManual: boolean, silence: number | null | undefined): FreshnessLimits {
  const stale = isManual ? null : (silence ?? (CONTINUOUS_CODES.includes(code) ? DEFAULT_SILENCE_S : null));
  // A sensor sends every few seconds, a cuff every few minutes: this is more than two of their intervals.
  return stale === null ? { late: SPOT_VALUE_VALID_S / 2, stale: SPOT_VALUE_VALID_S } : { late: stale / 4, stale };
}
