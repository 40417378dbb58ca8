// One step of the alarm rules on a patient's memory: queues alerts for D1 and makes their frames.
import { stepAlarms } from "../../alarm-rules/engine.ts";
import type { AlarmInput, Transition } from "../../alarm-rules/model.ts";
import { isMonitorWatching } from "../../alarm-rules/watch.ts";
import { buildAlarmConfig } from "../context/alarm-config.ts";
import type { PatientFrame } from "../contract.ts";
import type { Store } from "../samples/store.ts";
import { toAlertView, toObservationsFrame } from "../snapshot.ts";

/** Call inside a transaction. @throws AlarmError for an action that the rules reject */
export function runRules(store: Store, input: AlarmInput, now: number): { transitions: Transition[]; frames: PatientFrame[] } {
  const facts = store.facts();
  if (!facts) return { transitions: [], frames: [] };
  const memory = store.memory(now);
  const before = memory.alarm;
  const config = buildAlarmConfig(facts, now);
  const { state, transitions } = stepAlarms(before, input, config, now);
  // The clock alone makes sets due: half an hour after the monitor's last message, and a day after it for good.
  const isWatchChanged = isMonitorWatching(before, config, before.now) !== isMonitorWatching(state, config, state.now);
  memory.alarm = state;
  for (const transition of transitions) store.enqueueForD1("alert", { version: ++memory.version, ward: facts.ward, transition });
  store.markDirty(now);
  const frames = transitions.map(
    ({ what, alert }): PatientFrame => ({
      type: "alert",
      patient_id: facts.patient,
      what,
      alert: toAlertView(facts.patient, alert),
    }),
  );
  if (input.kind === "round" || state.rounds !== before.rounds || isWatchChanged)
    frames.push(toObservationsFrame(facts, memory, now));
  return { transitions, frames };
}
