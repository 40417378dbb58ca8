// Rounds: what is remembered of attempts and pauses, and the alert of an overdue set, which a ward may choose.
import {
  applyRoundEvent,
  type DueObservations,
  judgeRounds,
  NO_ROUNDS,
  type RoundEvent,
  type Rounds,
  resolvePause,
} from "../vitals/rounds.ts";
import type { AlarmMemory, RuleRun } from "./alarm-memory.ts";
import { clearAlertByKey, raiseAlert } from "./alert-lifecycle.ts";
import type { AlarmConfig } from "./model.ts";
import { getTakenScore } from "./news2-rule.ts";
import { findRepeatDue } from "./sustained-rule.ts";
import { findSendingEnd, findSilentFrom, resolveWatch } from "./watch.ts";

const OBSERVATIONS_DUE_KEY = "observations_due";

const isEmpty = (rounds: Rounds) => Object.values(rounds).every((part) => part === null);

function saveRounds(memory: AlarmMemory, rounds: Rounds): void {
  // The memory is written with every batch: no bytes for nothing.
  memory.rounds = isEmpty(rounds) ? undefined : rounds;
}

export function applyRound({ memory, now }: RuleRun, event: RoundEvent): void {
  saveRounds(memory, applyRoundEvent(memory.rounds ?? NO_ROUNDS, event, now));
  if (event.type !== "set") return;
  // The set was completed: its values, some of which may have come before, count together.
  for (const code of event.codes) {
    const vital = memory.vitals[code];
    if (vital?.measuredAt === Math.min(event.at, now)) vital.isPartial = undefined;
  }
}

function judge(memory: AlarmMemory, config: AlarmConfig, now: number): DueObservations {
  const isApplicable = config.monitoring === "ward" && config.news2 !== null;
  const watch = resolveWatch(memory, config, now);
  const taken = getTakenScore(memory, config);
  return judgeRounds(memory.rounds ?? NO_ROUNDS, {
    watch,
    silentFrom: findSilentFrom(memory, config),
    isApplicable,
    taken,
    repeatDueAt: findRepeatDue(memory),
    since: memory.ward,
    now,
  });
}

/** Ends a pause at the expected return. Raises the alert of an overdue set, and clears it after a set, an attempt or a pause. */
export function evaluateRounds(run: RuleRun): void {
  const { memory, config, now } = run;
  const { rounds } = memory;
  if (rounds?.pause && now >= rounds.pause.until) saveRounds(memory, { ...rounds, ...resolvePause(rounds, now) });
  const { dueAt, overdueAt } = judge(memory, config, now);
  if (!config.overdueAlarm || dueAt === null || overdueAt === null || now <= overdueAt) {
    clearAlertByKey(run, OBSERVATIONS_DUE_KEY);
    return;
  }
  if (memory.rounds?.ignoredDueAt === dueAt) return;
  const text = `A set of observations was due at ${new Date(dueAt).toISOString()}`;
  const why = { value: null, bound: null, side: null, window_s: null, text };
  raiseAlert(run, { key: OBSERVATIONS_DUE_KEY, rule: "observations_due", code: null, device: null, priority: "low", why });
}

/** The alert was resolved: only another set that is overdue raises it again. */
export function ignoreOverdue({ memory, config, now }: RuleRun): void {
  const { dueAt } = judge(memory, config, now);
  saveRounds(memory, { ...(memory.rounds ?? NO_ROUNDS), ignoredDueAt: dueAt });
}

/** Each is later than the last run: a deadline that has passed and changes nothing would never end. */
export function listRoundDeadlines(memory: AlarmMemory, config: AlarmConfig): number[] {
  const pauseEnd = memory.rounds?.pause?.until ?? null;
  const { overdueAt } = config.overdueAlarm ? judge(memory, config, memory.now) : { overdueAt: null };
  // Then sets are due again, which live views show.
  const [silentFrom, sendingEnd] = [findSilentFrom(memory, config), findSendingEnd(memory, config)];
  const times = [pauseEnd, ...[overdueAt, silentFrom, sendingEnd].map((last) => (last === null ? null : last + 1))];
  return times.filter((time) => time !== null && time > memory.now).map(Number);
}
