// What the rules remember of a patient's rounds: attempts and pauses.
import { applyRoundEvent, NO_ROUNDS, type RoundEvent, type Rounds } from "../vitals/rounds.ts";
import type { RuleRun } from "./alarm-memory.ts";

const isEmpty = (rounds: Rounds) => Object.values(rounds).every((part) => part === null);

export function applyRound({ memory, now }: RuleRun, event: RoundEvent): void {
  const rounds = applyRoundEvent(memory.rounds ?? NO_ROUNDS, event, now);
  // The memory is written with every batch: no bytes for nothing.
  memory.rounds = isEmpty(rounds) ? undefined : rounds;
  if (event.type !== "set") return;
  // The set was completed: its values, some of which may have come before, count together.
  for (const code of event.codes) {
    const vital = memory.vitals[code];
    if (vital?.measuredAt === Math.min(event.at, now)) vital.isPartial = undefined;
  }
}
