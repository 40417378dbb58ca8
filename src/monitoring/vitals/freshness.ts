// How long scores and single values count as current, by how a patient is watched. Times are epoch milliseconds.

/** `auto`: continuous while a bedside monitor or gateway of the patient sends, otherwise spot (alarm-rules/watch.ts). */
export const OBSERVATION_MODES = ["auto", "continuous", "spot"] as const;
export type ObservationMode = (typeof OBSERVATION_MODES)[number];

/** Minutes after the due time before a score of a spot patient is overdue. An hour is the shortest interval of RCP 2017. */
export const GRACE_MINUTES = { min: 0, max: 60, default: 15 } as const;

/** How a patient is watched now. */
export type Watch = { mode: Exclude<ObservationMode, "auto">; grace_ms: number };

/** A score with the times of the oldest and the newest measurement of its set. */
export type TakenScore = { score: number; single3: boolean; from: number; at: number };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Under continuous monitoring every measurement must be this new. */
export const CONTINUOUS_VALID_MS = 30 * MINUTE_MS;

/**
 * The longest time until the next set by the last score: RCP 2017, NEWS2 chart 4 ("Clinical response to the NEWS trigger thresholds",
 * frequency of monitoring): 0 every 12 hours; 1-4 every 4-6 hours; 5-6, or three points in one parameter, every hour; 7 and more
 * continuous.
 */
export function repeatIntervalMs({ score, single3 }: Pick<TakenScore, "score" | "single3">): number {
  if (score >= 7) return CONTINUOUS_VALID_MS;
  if (score >= 5 || single3) return HOUR_MS;
  return score === 0 ? 12 * HOUR_MS : 6 * HOUR_MS;
}

export type ScoreFreshness = {
  /** When the next set is due. */
  dueAt: number;
  /** The last moment at which the score is current. */
  freshUntil: number;
  /** Null while the score is current. */
  overdueSince: number | null;
};

/** Whether a score is current at `now`. Counted from the oldest measurement of its set. */
export function judgeScore({ mode, grace_ms }: Watch, taken: TakenScore, now: number): ScoreFreshness {
  const isSpot = mode === "spot";
  const dueAt = taken.from + (isSpot ? repeatIntervalMs(taken) : CONTINUOUS_VALID_MS);
  const freshUntil = dueAt + (isSpot ? grace_ms : 0);
  return { dueAt, freshUntil, overdueSince: now > freshUntil ? freshUntil : null };
}

/**
 * The greatest age at which an arriving value describes the present; an older one is history. Without a score the patient may be
 * anything, so the interval is that of an urgent score, which is where the ward board ranks an unknown one.
 */
export function presentWindowMs({ mode, grace_ms }: Watch, last: Pick<TakenScore, "score" | "single3"> | null): number {
  return mode === "spot" ? (last ? repeatIntervalMs(last) : HOUR_MS) + grace_ms : CONTINUOUS_VALID_MS;
}
