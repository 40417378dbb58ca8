// Pure rules for whether a value is current. They use the server's clock and the time of receipt, never the clock
// of a device or of this PC.
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

/** Default silence limit in seconds for continuously measured vital signs, where no rule sets one. */
export const DEFAULT_SILENCE_S = 120;
/** Seconds that a single value (manual or cuff) stays valid and counts in NEWS2 (docs/alarms.md). */
export const SPOT_VALUE_VALID_S = 1_800;
/** Heart rate, oxygen saturation and respiratory rate. */
const CONTINUOUS_CODES: readonly string[] = ["8867-4", "2708-6", "9279-1"];

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
