// The NEWS2 rule: thresholds of the Royal College of Physicians, and how long a score must hold.
import { CODES } from "../vitals/catalogue.ts";
import { judgeScore, type TakenScore } from "../vitals/freshness.ts";
import type { LatestSample, News2, ObservationSet } from "../vitals/news2.ts";
import { findNewestSet, NEWS2_PARAMETERS, PARAMETER_CODES, scoreSet, timeOfSet } from "../vitals/news2.ts";
import type { AlarmMemory, RuleRun } from "./alarm-memory.ts";
import { clearAlertByKey, findOpenAlert, isOngoing, raiseAlert, recoverAlert, startSound } from "./alert-lifecycle.ts";
import { toLimitKey } from "./limit-rule.ts";
import type { AlarmConfig, Alert, Priority } from "./model.ts";
import { isSilentByProfile, listProfileDeadlines, noteHeard, stepProfile } from "./sustained-rule.ts";
import { dropCorrectedReading, noteTrendReading } from "./trend-rule.ts";
import { confirmationMs, resolveWatch } from "./watch.ts";

/** RCP 2017, table 4: emergency response at 7, urgent response at 5 or three points in a single parameter. */
const EMERGENCY_SCORE = 7;
const URGENT_SCORE = 5;
/** An urgent score must hold, since one outlier scores three points; the alert ends when the score has been lower for five minutes, or longer (`confirmationMs`). */
export const URGENT_HOLD_MS = 30_000;
export const LOWER_HOLD_MS = 5 * 60_000;

export const NEWS2_KEY = "news2";

/** Codes whose latest value is kept for the score even without limits. */
export const NEWS2_CODES: ReadonlySet<string> = new Set([
  CODES.respiratory_rate,
  CODES.spo2,
  CODES.inspired_oxygen,
  CODES.oxygen_flow,
  CODES.systolic,
  CODES.heart_rate,
  CODES.consciousness,
  CODES.temperature,
]);

/** The score of the last complete set, however old; null when there never was one or NEWS2 does not apply. */
export function getTakenScore(
  { news2 }: Pick<AlarmMemory, "news2">,
  config: Pick<AlarmConfig, "news2">,
): (News2 & TakenScore) | null {
  return config.news2 && news2.set ? scoreSet(news2.set, config.news2.scale) : null;
}

/** Remembers the newest set if it is complete. Values of another time neither change nor renew the score. */
export function rememberSet(run: RuleRun): void {
  const { memory, config } = run;
  if (!config.news2) return;
  memory.news2.judgedAt ??= memory.news2.set ? timeOfSet(memory.news2.set) : 0;
  const set = findSet(run);
  if (set) memory.news2.set = set;
  stepProfile(run, () => getTakenScore(memory, config));
  noteTrendReading(run, memory.news2.set);
}

/** Each set of a batch is a reading of the sustained profile and of the trend mark, which changes nothing else. */
export function noteSet(run: RuleRun): void {
  if (run.config.sustained) rememberSet(run);
  else if (run.config.trendMark) noteTrendReading(run, findSet(run) ?? undefined);
}

function findSet({ memory, config: { news2 } }: RuleRun): ObservationSet | null {
  return news2 && findNewestSet(collectLatest(memory), { windowMs: news2.window_ms, scale: news2.scale });
}

/** Corrects a value of the last set. Without the value the set was never complete. */
export function correctSet({ memory }: RuleRun, code: string, at: number, value: number | null): void {
  if (NEWS2_CODES.has(code)) dropCorrectedReading(memory.news2, at);
  const entry = memory.news2.set?.[code];
  if (entry?.at !== at) return;
  memory.news2.set = value === null ? undefined : { ...memory.news2.set, [code]: { value, at } };
  memory.news2.covered = undefined;
}

/** An urgent set of a spot patient that is overdue when it arrives is told if it is not older than this: RCP 2017's longest interval. */
const MAX_LATE_SET_MS = 12 * 3_600_000;

/**
 * Scores the last complete set and raises or ends the alert. An incomplete or overdue score changes nothing, since an unknown score is
 * not a low one; but an urgent set that was not judged in its time, because it was sent late, is told at once.
 */
export function evaluateNews2(run: RuleRun): void {
  const { memory, config, now } = run;
  if (!config.news2) {
    memory.news2 = {};
    clearAlertByKey(run, NEWS2_KEY);
    return;
  }
  const score = getTakenScore(memory, config);
  const watch = resolveWatch(memory, config, now);
  if (!score || judgeScore(watch, score, now).overdueSince !== null) {
    memory.news2 = { ...memory.news2, since: undefined, below: undefined };
    if (score && watch.mode === "spot") raiseLateScore(run, score);
  } else {
    const priority = toPriority(score);
    if (priority) evaluateHighScore(run, score, priority);
    else evaluateLowScore(run);
  }
  noteHeard(run, findOpenAlert(run, NEWS2_KEY));
  if (!isSilentByProfile(run, score?.score ?? null)) startSound(run, NEWS2_KEY);
}

function raiseLateScore(run: RuleRun, score: News2 & TakenScore): void {
  const state = run.memory.news2;
  const priority = toPriority(score);
  const isJudged = state.judgedAt === score.at;
  state.judgedAt = score.at;
  if (isJudged || !priority || run.now - score.at > MAX_LATE_SET_MS) return;
  if (state.resolved !== undefined && score.score <= state.resolved) return;
  if (!isCoveredByLimits(run, score)) raiseScoreAlert(run, score, priority);
}

function evaluateHighScore(run: RuleRun, score: News2 & TakenScore, priority: Priority): void {
  const state = run.memory.news2;
  state.below = undefined;
  state.since ??= run.now;
  const isHeld = priority === "high" || isOngoing(findOpenAlert(run, NEWS2_KEY)) || run.now - state.since >= URGENT_HOLD_MS;
  if (isHeld) state.judgedAt = score.at;
  if (state.resolved !== undefined && score.score <= state.resolved) return;
  if (isCoveredByLimits(run, score)) return;
  if (isHeld) raiseScoreAlert(run, score, priority);
}

/**
 * One event is one alarm: three points in one parameter say nothing beyond an alarm of that vital's own limits. Once such an alarm has
 * told it, the set stays told, also when a newer value ends the alarm.
 */
function isCoveredByLimits(run: RuleRun, { score, parts, at }: News2 & TakenScore): boolean {
  const state = run.memory.news2;
  if (score >= URGENT_SCORE || isOngoing(findOpenAlert(run, NEWS2_KEY))) return false;
  const sources = NEWS2_PARAMETERS.flatMap((name) => (parts[name] === 3 ? [PARAMETER_CODES[name]] : []));
  if (sources.every((codes) => codes.some((code) => isOngoing(findOpenAlert(run, toLimitKey(code)))))) state.covered = at;
  return state.covered === at;
}

function evaluateLowScore(run: RuleRun): void {
  const state = run.memory.news2;
  if (state.set) state.judgedAt = timeOfSet(state.set);
  state.since = undefined;
  state.resolved = undefined;
  const alert = findOpenAlert(run, NEWS2_KEY);
  if (!isOngoing(alert)) return;
  state.below ??= run.now;
  if (run.now - state.below < lowerHoldMs(run, alert)) return;
  state.below = undefined;
  recoverAlert(run, NEWS2_KEY);
}

const lowerHoldMs = (run: Pick<RuleRun, "memory" | "config" | "now">, alert: Alert) =>
  Math.max(LOWER_HOLD_MS, confirmationMs(run, alert));

function toPriority({ score, single3 }: News2): Priority | null {
  if (score >= EMERGENCY_SCORE) return "high";
  return score >= URGENT_SCORE || single3 ? "medium" : null;
}

function raiseScoreAlert(run: RuleRun, { score, parts }: News2, priority: Priority): void {
  const contributions = Object.entries(parts).flatMap(([name, points]) => (points > 0 ? [`${name} ${points}`] : []));
  const bound = score >= EMERGENCY_SCORE ? EMERGENCY_SCORE : score >= URGENT_SCORE ? URGENT_SCORE : 3;
  const threshold = bound === 3 ? "3 points in one parameter" : `${bound} or more`;
  const text = `NEWS2 is ${score} (${threshold}): ${contributions.join(", ")}`;
  const why = { value: score, bound, side: null, window_s: (run.config.news2?.window_ms ?? 0) / 1000, text };
  const silent = isSilentByProfile(run, score) ? { sounds: false } : {};
  raiseAlert(run, { key: NEWS2_KEY, rule: "news2", code: null, device: null, priority, why, ...silent });
}

/** After a resolved alert, only a higher score raises a new one, or any high score after a low one. */
export function ignoreScore(run: RuleRun, alert: Alert): void {
  const { memory, config } = run;
  if (!config.news2) return;
  noteHeard(run, alert);
  const { set, sustained, trend } = memory.news2;
  memory.news2 = { resolved: getTakenScore(memory, config)?.score, set, sustained, trend };
}

function collectLatest(memory: AlarmMemory): Record<string, LatestSample> {
  const latest: Record<string, LatestSample> = {};
  for (const code of NEWS2_CODES) {
    const vital = memory.vitals[code];
    // What belongs to a set that was not completed changes no score, and the score is that of a person at rest.
    if (vital && !vital.isPartial && !vital.isExercise)
      latest[code] = { value: vital.lastValue, at: vital.measuredAt, received: vital.receivedAt, status: "final" };
  }
  return latest;
}

export function news2Deadlines(memory: AlarmMemory, config: AlarmConfig): number[] {
  if (!config.news2) return [];
  const alert = memory.alerts.find(({ key }) => key === NEWS2_KEY);
  const { since, below, resolved, covered, set } = memory.news2;
  const profile = listProfileDeadlines(memory, config, () => getTakenScore(memory, config), alert?.sounds === false);
  if (isOngoing(alert))
    return below === undefined ? profile : [...profile, below + lowerHoldMs({ memory, config, now: memory.now }, alert)];
  const isTold = resolved !== undefined || (set !== undefined && covered === timeOfSet(set));
  return since === undefined || isTold ? profile : [...profile, since + URGENT_HOLD_MS];
}
