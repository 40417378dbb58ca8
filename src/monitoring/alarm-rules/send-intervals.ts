// How often a device sends, learnt from what it sends, and how long it may be silent.
import type { SendInterval } from "./alarm-memory.ts";

/** Silence is two missed intervals and half of the next: a device that sends once a minute may be silent for 150 s. */
export const MISSED_INTERVALS = 2.5;
/**
 * The longest allowed silence, as a multiple of the limit that is set (the shortest one): whoever sends ever more slowly delays the
 * alert of a bedside monitor to ten minutes, and no further.
 */
export const MAX_SILENCE_FACTOR = 10;
/** The time that an interval is learnt from. */
const LEARNING_MS = 10 * 60_000;

/** @param limitMs the limit of the settings: no silence shorter than this raises an alert */
export function allowedSilence(meanMs: number | undefined, limitMs: number): number {
  return Math.min(Math.max(limitMs, MISSED_INTERVALS * (meanMs ?? 0)), MAX_SILENCE_FACTOR * limitMs);
}

/** A silence that raised an alert counts as just allowed: an outage teaches little, a slower pace is learnt in some steps. */
function countElapsed(meanMs: number | undefined, elapsedMs: number, limitMs: number): number {
  return Math.min(elapsedMs, allowedSilence(meanMs, limitMs));
}

/**
 * The mean after another interval. It weighs intervals by their length, so that several requests at once, once a minute, are one
 * interval of a minute. @param learntMs the time that the mean comes from
 */
export function learnMean(meanMs: number | undefined, elapsedMs: number, limitMs: number, learntMs = LEARNING_MS): number {
  const added = countElapsed(meanMs, elapsedMs, limitMs);
  const known = meanMs ?? added;
  return Math.round(known + Math.min(added / learntMs, 1) * (added - known));
}

/** The interval of a device after another one. */
export function learnInterval(before: SendInterval | undefined, elapsedMs: number, limitMs: number): SendInterval | undefined {
  if (elapsedMs <= 0) return before;
  const added = countElapsed(before?.meanMs, elapsedMs, limitMs);
  const learntMs = Math.round(Math.min((before?.learntMs ?? 0) + added, LEARNING_MS));
  return { meanMs: learnMean(before?.meanMs, elapsedMs, limitMs, learntMs), learntMs };
}
