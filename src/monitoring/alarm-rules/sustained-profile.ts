// When a NEWS2 score is sustained: EdgeCare's own profile for sound and push messages, not the RCP's. A pure function of the readings.
import type { Watch } from "../vitals/freshness.ts";

/** Label of the profile wherever it is shown. */
export const SUSTAINED_LABEL = "EdgeCare profile, not RCP";

const URGENT_SCORE = 5;
const EMERGENCY_SCORE = 7;
/** Under continuous monitoring every change is a reading, so an urgent score must hold for this long instead of two readings. */
export const SUSTAINED_HOLD_MS = 15 * 60_000;
/** The condition ends when the score has been this low for this long. */
const LOW_SCORE = 2;
export const SUSTAINED_LOW_MS = 6 * 3_600_000;

/** Times of the readings since which the score is urgent and low, epoch milliseconds. */
export type SustainedState = { isOn: boolean; urgentSince: number | null; lowSince: number | null };
export const NOT_SUSTAINED: SustainedState = { isOn: false, urgentSince: null, lowSince: null };

/**
 * The state after a reading: on at 7 and more at once, and at 5 and more in two consecutive readings (continuous: for 15 minutes); off
 * after six hours at 2 and less. Three points in one parameter do not count by themselves. A reading of the same time changes nothing.
 */
export function stepSustained(
  { isOn, urgentSince, lowSince }: SustainedState,
  { score, at }: { score: number; at: number },
  mode: Watch["mode"],
): SustainedState {
  if (score >= URGENT_SCORE) {
    const since = urgentSince ?? at;
    const isHeld = mode === "spot" ? at > since : at - since >= SUSTAINED_HOLD_MS;
    return { isOn: isOn || score >= EMERGENCY_SCORE || isHeld, urgentSince: since, lowSince: null };
  }
  if (score > LOW_SCORE) return { isOn, urgentSince: null, lowSince: null };
  const since = lowSince ?? at;
  return { isOn: isOn && at - since < SUSTAINED_LOW_MS, urgentSince: null, lowSince: since };
}
