// When a NEWS2 score is sustained: EdgeCare's own profile for sound and push messages, not the RCP's. A pure function of the readings.
import type { TakenScore, Watch } from "../vitals/freshness.ts";

/** When NEWS2 alerts sound: as the RCP's chart raises them, or when the score is sustained. */
export const NEWS2_PROFILES = ["rcp", "sustained"] as const;
export type News2Profile = (typeof NEWS2_PROFILES)[number];

/** Label of the sustained profile wherever it is shown. */
export const SUSTAINED_LABEL = "EdgeCare profile, not RCP";

const URGENT_SCORE = 5;
const EMERGENCY_SCORE = 7;
/** Under continuous monitoring every change is a reading, so an urgent score must hold for this long instead of two readings. */
export const SUSTAINED_HOLD_MS = 15 * 60_000;
/** The condition ends when the score has been this low for this long. */
const LOW_SCORE = 2;
export const SUSTAINED_LOW_MS = 6 * 3_600_000;
/** Time for a repeat set of a spot patient after the first urgent score or single three: half of the RCP's hour. */
export const REPEAT_SET_MS = 30 * 60_000;

/**
 * Times are epoch milliseconds. `urgentSince`, `lowSince`: of the readings since which the score is urgent and low. `isTriggered`: the
 * last reading was urgent or had three points in one parameter. `repeatDueAt`: until when a repeat set must be charted.
 */
export type SustainedState = {
  isOn: boolean;
  urgentSince: number | null;
  lowSince: number | null;
  isTriggered: boolean;
  repeatDueAt: number | null;
};
export const NOT_SUSTAINED: SustainedState = {
  isOn: false,
  urgentSince: null,
  lowSince: null,
  isTriggered: false,
  repeatDueAt: null,
};

export type Reading = Pick<TakenScore, "score" | "single3" | "at">;

/**
 * The state after a reading: on at 7 and more at once, and at 5 and more in two consecutive readings (continuous: for 15 minutes); off
 * after six hours at 2 and less. Three points in one parameter do not count by themselves. A reading of the same time changes nothing.
 */
export function stepSustained(
  before: SustainedState,
  reading: Reading,
  mode: Watch["mode"],
  repeatMs = REPEAT_SET_MS,
): SustainedState {
  const { score, single3, at } = reading;
  const { isOn } = before;
  const isUrgent = score >= URGENT_SCORE;
  const next = {
    isTriggered: isUrgent || single3,
    repeatDueAt: mode === "spot" ? repeatSetDueAt(before, reading, repeatMs) : null,
  };
  if (isUrgent) {
    const since = before.urgentSince ?? at;
    const isHeld = mode === "spot" ? at > since : at - since >= SUSTAINED_HOLD_MS;
    return { ...next, isOn: isOn || score >= EMERGENCY_SCORE || isHeld, urgentSince: since, lowSince: null };
  }
  if (score > LOW_SCORE) return { ...next, isOn, urgentSince: null, lowSince: null };
  const since = before.lowSince ?? at;
  return { ...next, isOn: isOn && at - since < SUSTAINED_LOW_MS, urgentSince: null, lowSince: since };
}

/**
 * When a repeat set of a spot patient is due, epoch milliseconds: after the first score of 5 or more, or the first three points in one
 * parameter. Null where the reading asks for none, or is itself the repeat.
 */
export function repeatSetDueAt(
  before: Pick<SustainedState, "urgentSince" | "isTriggered">,
  { score, single3, at }: Reading,
  repeatMs = REPEAT_SET_MS,
): number | null {
  const isFirst = score >= URGENT_SCORE ? before.urgentSince === null : single3 && !before.isTriggered;
  return isFirst ? at + repeatMs : null;
}

/**
 * Whether a score sounds: 7 and more always; 5 and more while the condition is on and nobody has acknowledged it; never three points in one
 * parameter alone.
 */
export function soundsAt({ isOn }: SustainedState, score: number, isHeard: boolean): boolean {
  return score >= EMERGENCY_SCORE || (isOn && score >= URGENT_SCORE && !isHeard);
}
