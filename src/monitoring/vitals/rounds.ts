// When the next set of observations of a patient is due: by the last score, the last attempt and a pause. Times are epoch milliseconds.
import { judgeScore, repeatIntervalMs, type TakenScore, type Watch } from "./freshness.ts";

/** Why a set was not completed. */
export const PARTIAL_REASONS = ["refused", "asleep", "off_ward", "equipment"] as const;
export type PartialReason = (typeof PARTIAL_REASONS)[number];
/** Why sets are not due for a time. */
export const PAUSE_REASONS = ["off_ward", "procedure", "dialysis", "leave", "end_of_life"] as const;
export type PauseReason = (typeof PAUSE_REASONS)[number];

const HOUR_MS = 3_600_000;
/** After an attempt without any score before: the shortest interval of RCP 2017 for a patient who is not monitored continuously. */
const UNKNOWN_SCORE_INTERVAL_MS = HOUR_MS;
/** An attempt postpones the next set by no more than this, whatever the score says. */
export const MAX_POSTPONED_MS = 24 * HOUR_MS;
/** The longest pause. Observations of a dying patient are stopped by a decision that is looked at again within a week. */
export const MAX_PAUSE_MS: Readonly<Record<PauseReason, number>> = {
  off_ward: 24 * HOUR_MS,
  procedure: 24 * HOUR_MS,
  dialysis: 24 * HOUR_MS,
  leave: 24 * HOUR_MS,
  end_of_life: 7 * 24 * HOUR_MS,
};

/** A set that was not completed; `by`: the user. */
export type Attempt = { at: number; reason: PartialReason; by: string };
/** `until`: the expected return, at which it ends by itself. */
export type Pause = { from: number; until: number; reason: PauseReason; by: string };
/** What is remembered of a patient's rounds. `ignoredDueAt`: of the overdue set whose alert was resolved. */
export type Rounds = { attempt: Attempt | null; pause: Pause | null; returnedAt: number | null; ignoredDueAt: number | null };
export const NO_ROUNDS: Rounds = { attempt: null, pause: null, returnedAt: null, ignoredDueAt: null };

/** `codes`: of the values of a complete set. */
export type RoundEvent =
  | { type: "set"; at: number; codes: readonly string[] }
  | ({ type: "attempt" } & Attempt)
  | ({ type: "pause" } & Omit<Pause, "from">)
  | { type: "end_pause" };

export const DUE_STATUSES = ["not_due", "due", "overdue", "never", "paused", "continuous", "not_applicable"] as const;
export type DueStatus = (typeof DUE_STATUSES)[number];

export type DueObservations = {
  status: DueStatus;
  /** Null unless the status is one of `not_due`, `due`, `overdue` and `never`. */
  dueAt: number | null;
  /** The last moment at which the set is not overdue. */
  overdueAt: number | null;
  /** The last attempt, if it is later than the last complete set. */
  attempt: Attempt | null;
  pause: Pause | null;
};

export type RoundsInput = {
  watch: Watch;
  /** The last moment at which the values of a monitor count; null without a monitor. */
  silentFrom: number | null;
  /** False while monitoring is off, at home, where nobody makes rounds, and for patients NEWS2 does not apply to. */
  isApplicable: boolean;
  taken: TakenScore | null;
  /** When the ward's profile wants the last set repeated; null where it does not. */
  repeatDueAt: number | null;
  /** When monitoring on the ward began. */
  since: number | null;
  now: number;
};

/** The pause that lasts at `now`, and when the last one ended. */
export function resolvePause({ pause, returnedAt }: Rounds, now: number): Pick<Rounds, "pause" | "returnedAt"> {
  if (!pause || now < pause.until) return { pause, returnedAt };
  return { pause: null, returnedAt: Math.max(pause.until, returnedAt ?? pause.until) };
}

/**
 * When the next set is due: RCP 2017 (NEWS2 chart 4) by the score of the last one; after an attempt that is later than it, the same
 * interval from the attempt; on return from a pause at once. What happened last decides, but no attempt postpones a repeat set that
 * the ward's profile asks for. A patient whose monitor has fallen silent is measured like one without.
 */
export function judgeRounds(
  rounds: Rounds,
  { watch: watched, silentFrom, isApplicable, taken, repeatDueAt, since, now }: RoundsInput,
): DueObservations {
  const { pause, returnedAt } = resolvePause(rounds, now);
  const attempt = rounds.attempt && rounds.attempt.at > (taken?.at ?? Number.NEGATIVE_INFINITY) ? rounds.attempt : null;
  const known = { attempt, pause, dueAt: null, overdueAt: null };
  if (!isApplicable) return { ...known, status: "not_applicable" };
  if (pause) return { ...known, status: "paused" };
  if (watched.mode === "continuous" && (silentFrom === null || now <= silentFrom)) return { ...known, status: "continuous" };
  const watch: Watch = { ...watched, mode: "spot" };
  const repeatBy = repeatDueAt ?? Number.POSITIVE_INFINITY;
  const last = [
    ...(returnedAt === null ? [] : [{ at: returnedAt, dueAt: returnedAt }]),
    ...(attempt ? [{ at: attempt.at, dueAt: Math.min(attempt.at + postponementMs(taken), repeatBy) }] : []),
    ...(taken ? [{ at: taken.at, dueAt: Math.min(judgeScore(watch, taken, now).dueAt, repeatBy) }] : []),
  ].reduce<{ at: number; dueAt: number } | null>((latest, one) => (latest && latest.at > one.at ? latest : one), null);
  const dueAt = last?.dueAt ?? since;
  const overdueAt = dueAt === null ? null : dueAt + watch.grace_ms;
  const isNever = taken === null && attempt === null;
  return { ...known, dueAt, overdueAt, status: isNever ? "never" : compareToNow(dueAt, overdueAt, now) };
}

const postponementMs = (taken: TakenScore | null) =>
  Math.min(taken ? repeatIntervalMs(taken) : UNKNOWN_SCORE_INTERVAL_MS, MAX_POSTPONED_MS);

function compareToNow(dueAt: number | null, overdueAt: number | null, now: number): DueStatus {
  if (dueAt === null || overdueAt === null || now < dueAt) return "not_due";
  return now > overdueAt ? "overdue" : "due";
}

/** The rounds after an event. An event of the past changes nothing that a later one decided. */
export function applyRoundEvent(rounds: Rounds, event: RoundEvent, now: number): Rounds {
  switch (event.type) {
    case "set":
      return rounds.attempt && rounds.attempt.at <= event.at ? { ...rounds, attempt: null } : rounds;
    case "attempt": {
      const { type: _, ...attempt } = event;
      return rounds.attempt && rounds.attempt.at > attempt.at ? rounds : { ...rounds, attempt };
    }
    case "pause": {
      const { type: _, ...pause } = event;
      const { pause: before, returnedAt } = resolvePause(rounds, now);
      // The same request sent again changes nothing; another one replaces the pause, which goes on.
      return { ...rounds, returnedAt, pause: { ...pause, from: before?.from ?? now } };
    }
    case "end_pause": {
      const { pause, returnedAt } = resolvePause(rounds, now);
      return { ...rounds, pause: null, returnedAt: pause ? now : returnedAt };
    }
  }
}
