// When a patient's next set of observations is due, from the facts and the memory of the rules.
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import type { AlarmMemory } from "../alarm-rules/alarm-memory.ts";
import { findRepeatDue } from "../alarm-rules/sustained-rule.ts";
import { findSilentFrom, resolveWatch } from "../alarm-rules/watch.ts";
import type { TakenScore } from "../vitals/freshness.ts";
import { judgeRounds, NO_ROUNDS } from "../vitals/rounds.ts";
import { buildAlarmConfig } from "./context/alarm-config.ts";
import type { Facts } from "./context/facts.ts";
import type { ObservationsView } from "./contract.ts";

/** @param taken the score of the last complete set */
export function toObservationsView(facts: Facts, alarm: AlarmMemory, taken: TakenScore | null, now: number): ObservationsView {
  const config = buildAlarmConfig(facts, now);
  const watch = resolveWatch(alarm, config, now);
  const isApplicable = config.monitoring === "ward" && config.news2 !== null;
  const judged = judgeRounds(alarm.rounds ?? NO_ROUNDS, {
    watch,
    silentFrom: findSilentFrom(alarm, config),
    isApplicable,
    taken,
    repeatDueAt: findRepeatDue(alarm),
    since: alarm.ward,
    now,
  });
  const { status, dueAt, overdueAt, attempt, pause } = judged;
  return {
    mode: watch.mode,
    status,
    due_at: toIsoOrNull(dueAt),
    overdue_at: toIsoOrNull(overdueAt),
    last_attempt: attempt && { at: toIso(attempt.at), reason: attempt.reason, performer_id: attempt.by },
    pause: pause && {
      reason: pause.reason,
      from: toIso(pause.from),
      expected_return_at: toIso(pause.until),
      performer_id: pause.by,
    },
  };
}
