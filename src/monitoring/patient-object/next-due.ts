// When a patient's object must wake up.
import { nextDeadline } from "../alarm-rules/engine.ts";
import { buildAlarmConfig } from "./context/alarm-config.ts";
import { nextCloseAt } from "./recording/hour-closing.ts";
import { nextArchiveAt } from "./samples/archive.ts";
import type { Store } from "./samples/store.ts";

const MIN_ALARM_DELAY_MS = 50;

/** @param others further times  @returns epoch milliseconds; null when nothing is due */
export function nextDueAt(store: Store, others: readonly (number | null)[], now: number): number | null {
  const facts = store.facts();
  if (!facts) return null;
  const memory = store.memory(now);
  const due = [
    nextDeadline(memory.alarm, buildAlarmConfig(facts, now)),
    nextCloseAt(memory, facts.patient, now),
    nextArchiveAt(store),
    ...others,
  ].filter((time) => time !== null);
  return due.length > 0 ? Math.max(now + MIN_ALARM_DELAY_MS, Math.min(...due)) : null;
}
