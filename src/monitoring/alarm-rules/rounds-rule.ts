// What the rules remember of a patient's rounds: attempts, pauses, and since when a first set is due.
import { applyRoundEvent, NO_ROUNDS, type RoundEvent, type Rounds } from "../vitals/rounds.ts";
import type { AlarmMemory, RuleRun } from "./alarm-memory.ts";

const isEmpty = (rounds: Rounds) => Object.values(rounds).every((part) => part === null);

/** A memory without rounds is kept without them: it is written with every batch. */
function saveRounds(memory: AlarmMemory, rounds: Rounds): void {
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

/** Notes when monitoring began, which matters until there is a complete set. */
export function noteMonitoring({ memory, config, now }: RuleRun): void {
  const rounds = memory.rounds ?? NO_ROUNDS;
  const isAwaited = config.monitoring !== "off" && config.news2 !== null && memory.news2.set === undefined;
  const since = isAwaited ? (rounds.since ?? now) : null;
  if (since !== rounds.since) saveRounds(memory, { ...rounds, since });
}
