// A pause of what is due for a patient: theatre, dialysis, leave.
import type { AlarmInput } from "../../alarm-rules/model.ts";
import { NO_ROUNDS, type PauseReason, resolvePause } from "../../vitals/rounds.ts";
import type { ObservationsView } from "../contract.ts";
import type { Store } from "../samples/store.ts";
import { viewObservations } from "../snapshot.ts";

/** `until`: epoch milliseconds. */
export type PauseChange = { kind: "pause"; reason: PauseReason; until: number; by: string } | { kind: "end" };
/** What is open when the pause begins: alerts, and the set that is due at a time, now or later. */
export type OpenTasks = { alerts: number; due_at: string | null };
export type PauseResult =
  | { known: false }
  /** There is no pause to end. */
  | { known: true; error: "not_paused" }
  | { known: true; observations: ObservationsView; open_tasks: OpenTasks };

/** Call inside a transaction. @param runRules runs the alarm rules */
export function changePause(store: Store, change: PauseChange, now: number, runRules: (input: AlarmInput) => void): PauseResult {
  const facts = store.facts();
  if (!facts?.open) return { known: false };
  const { alarm } = store.memory(now);
  const { pause } = resolvePause(alarm.rounds ?? NO_ROUNDS, now);
  if (change.kind === "end" && !pause) return { known: true, error: "not_paused" };
  const { due_at } = viewObservations(facts, store.memory(now), now);
  const { kind: _, ...rest } = change;
  runRules({ kind: "round", event: "until" in rest ? { type: "pause", ...rest } : { type: "end_pause" } });
  const memory = store.memory(now);
  const alerts = memory.alarm.alerts.filter(({ state }) => state !== "cleared").length;
  return { known: true, observations: viewObservations(facts, memory, now), open_tasks: { alerts, due_at } };
}
