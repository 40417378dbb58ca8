// The alarm on NEWS2: the thresholds of the Royal College of Physicians, and how long a score must hold.
import { CODES } from "../vitals/catalogue.ts";
import type { Latest, News2 } from "../vitals/news2.ts";
import { news2Of } from "../vitals/news2.ts";
import { clearKey, isGoingOn, openAlert, raise, recover } from "./lifecycle.ts";
import type { AlarmMemory, Run } from "./memory.ts";
import type { AlarmConfig, Priority } from "./model.ts";

/** RCP 2017, table 4: emergency response at 7, urgent response at 5 or three points in a single parameter. */
const EMERGENCY = 7;
const URGENT = 5;
/** An urgent score must hold, since one stray value makes three points; it ends when it has been lower for a round of readings. */
export const URGENT_MS = 30_000;
export const LOWER_MS = 5 * 60_000;

export const NEWS2_KEY = "news2";

/** Codes whose latest value is kept for the score though they have no limits. */
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
 * Scores the latest values and raises or ends the alert. From incomplete or stale values nothing is raised, and nothing ends: that a
 * score is not known does not mean that it is low.
 */
export function judgeNews2(run: Run): void {
  const { memory, config, now } = run;
  if (!config.news2) {
    memory.news2 = {};
    clearKey(run, NEWS2_KEY);
    return;
  }
  const score = news2Of(latestOf(memory), { now, windowMs: config.news2.window_ms, scale: config.news2.scale });
  if (score.status === "incomplete") {
    memory.news2 = { resolved: memory.news2.resolved };
    return;
  }
  const priority = priorityOf(score);
  if (priority) judgeHigh(run, score, priority);
  else judgeLow(run);
}

function judgeHigh(run: Run, score: News2, priority: Priority): void {
  const state = run.memory.news2;
  state.below = undefined;
  state.since ??= run.now;
  if (state.resolved !== undefined && score.score <= state.resolved) return;
  const held = priority === "high" || isGoingOn(openAlert(run, NEWS2_KEY)) || run.now - state.since >= URGENT_MS;
  if (held) raiseScore(run, score, priority);
}

function judgeLow(run: Run): void {
  const state = run.memory.news2;
  state.since = undefined;
  state.resolved = undefined;
  if (!isGoingOn(openAlert(run, NEWS2_KEY))) return;
  state.below ??= run.now;
  if (run.now - state.below < LOWER_MS) return;
  state.below = undefined;
  recover(run, NEWS2_KEY);
}

function priorityOf({ score, single3 }: News2): Priority | null {
  if (score >= EMERGENCY) return "high";
  return score >= URGENT || single3 ? "medium" : null;
}

function raiseScore(run: Run, { score, parts }: News2, priority: Priority): void {
  const worst = Object.entries(parts).flatMap(([name, points]) => (points > 0 ? [`${name} ${points}`] : []));
  const bound = score >= EMERGENCY ? EMERGENCY : score >= URGENT ? URGENT : 3;
  const reached = bound === 3 ? "3 points in one parameter" : `${bound} or more`;
  const text = `NEWS2 is ${score} (${reached}): ${worst.join(", ")}`;
  const why = { value: score, bound, side: null, window_s: (run.config.news2?.window_ms ?? 0) / 1000, text };
  raise(run, { key: NEWS2_KEY, rule: "news2", code: null, device: null, priority, why });
}

/** Somebody resolved the alert: the same score is not raised again, a higher one is, and any after it was low. */
export function acceptScore(run: Run): void {
  const { memory, config, now } = run;
  if (!config.news2) return;
  const score = news2Of(latestOf(memory), { now, windowMs: config.news2.window_ms, scale: config.news2.scale });
  memory.news2 = { resolved: score.status === "complete" ? score.score : undefined };
}

function latestOf(memory: AlarmMemory): Record<string, Latest> {
  const latest: Record<string, Latest> = {};
  for (const code of NEWS2_CODES) {
    const vital = memory.vitals[code];
    if (vital) latest[code] = { value: vital.lastValue, at: vital.measuredAt, received: vital.receivedAt, status: "final" };
  }
  return latest;
}

export function news2Deadlines(memory: AlarmMemory, config: AlarmConfig): number[] {
  if (!config.news2) return [];
  const going = isGoingOn(memory.alerts.find((alert) => alert.key === NEWS2_KEY));
  const { since, below, resolved } = memory.news2;
  if (going) return below === undefined ? [] : [below + LOWER_MS];
  return since === undefined || resolved !== undefined ? [] : [since + URGENT_MS];
}
