// The NEWS2 rule: thresholds of the Royal College of Physicians, and how long a score must hold.
import { CODES } from "../vitals/catalogue.ts";
import type { LatestSample, News2 } from "../vitals/news2.ts";
import { computeNews2 } from "../vitals/news2.ts";
import type { AlarmMemory, RuleRun } from "./alarm-memory.ts";
import { clearAlertByKey, findOpenAlert, isOngoing, raiseAlert, recoverAlert } from "./alert-lifecycle.ts";
import type { AlarmConfig, Priority } from "./model.ts";

/** RCP 2017, table 4: emergency response at 7, urgent response at 5 or three points in a single parameter. */
const EMERGENCY_SCORE = 7;
const URGENT_SCORE = 5;
/** An urgent score must hold, since one outlier scores three points; the alert ends when the score has been lower for five minutes. */
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

/**
 * Scores the latest values and raises or ends the alert. Incomplete or stale values change nothing, since an unknown score is not a
 * low one.
 */
export function evaluateNews2(run: RuleRun): void {
  const { memory, config, now } = run;
  if (!config.news2) {
    memory.news2 = {};
    clearAlertByKey(run, NEWS2_KEY);
    return;
  }
  const score = computeNews2(collectLatest(memory), { now, windowMs: config.news2.window_ms, scale: config.news2.scale });
  if (score.status === "incomplete") {
    memory.news2 = { resolved: memory.news2.resolved };
    return;
  }
  const priority = toPriority(score);
  if (priority) evaluateHighScore(run, score, priority);
  else evaluateLowScore(run);
}

function evaluateHighScore(run: RuleRun, score: News2, priority: Priority): void {
  const state = run.memory.news2;
  state.below = undefined;
  state.since ??= run.now;
  if (state.resolved !== undefined && score.score <= state.resolved) return;
  const isHeld = priority === "high" || isOngoing(findOpenAlert(run, NEWS2_KEY)) || run.now - state.since >= URGENT_HOLD_MS;
  if (isHeld) raiseScoreAlert(run, score, priority);
}

function evaluateLowScore(run: RuleRun): void {
  const state = run.memory.news2;
  state.since = undefined;
  state.resolved = undefined;
  if (!isOngoing(findOpenAlert(run, NEWS2_KEY))) return;
  state.below ??= run.now;
  if (run.now - state.below < LOWER_HOLD_MS) return;
  state.below = undefined;
  recoverAlert(run, NEWS2_KEY);
}

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
  raiseAlert(run, { key: NEWS2_KEY, rule: "news2", code: null, device: null, priority, why });
}

/** After a resolved alert, only a higher score raises a new one, or any high score after a low one. */
export function ignoreScore(run: RuleRun): void {
  const { memory, config, now } = run;
  if (!config.news2) return;
  const score = computeNews2(collectLatest(memory), { now, windowMs: config.news2.window_ms, scale: config.news2.scale });
  memory.news2 = { resolved: score.status === "complete" ? score.score : undefined };
}

function collectLatest(memory: AlarmMemory): Record<string, LatestSample> {
  const latest: Record<string, LatestSample> = {};
  for (const code of NEWS2_CODES) {
    const vital = memory.vitals[code];
    if (vital) latest[code] = { value: vital.lastValue, at: vital.measuredAt, received: vital.receivedAt, status: "final" };
  }
  return latest;
}

export function news2Deadlines(memory: AlarmMemory, config: AlarmConfig): number[] {
  if (!config.news2) return [];
  const isOpen = isOngoing(memory.alerts.find((alert) => alert.key === NEWS2_KEY));
  const { since, below, resolved } = memory.news2;
  if (isOpen) return below === undefined ? [] : [below + LOWER_HOLD_MS];
  return since === undefined || resolved !== undefined ? [] : [since + URGENT_HOLD_MS];
}
