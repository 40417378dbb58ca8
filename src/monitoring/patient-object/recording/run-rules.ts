// One step of the alarm rules on a patient's memory: queues alerts for D1 and makes their frames.
import type { Alarm } from "../../../notifications/alarms.ts";
import { stepAlarms } from "../../alarm-rules/engine.ts";
import type { AlarmInput, Transition } from "../../alarm-rules/model.ts";
import { isMonitorWatching } from "../../alarm-rules/watch.ts";
import { buildAlarmConfig } from "../context/alarm-config.ts";
import type { PatientFrame } from "../contract.ts";
import { toAlarm } from "../delivery/alarm-hand-over.ts";
import type { Store } from "../samples/store.ts";
import { toAlertView, toObservationsFrame } from "../snapshot.ts";

/** What is told after the commit: frames to screens, alarms to people. */
export type Told = { frames: PatientFrame[]; alarms: Alarm[] };
export const nothingTold = (): Told => ({ frames: [], alarms: [] });

/** Call inside a transaction; adds to `told`. @throws AlarmError for an action that the rules reject */
export function runRules(store: Store, input: AlarmInput, now: number, told: Told): Transition[] {
  const facts = store.facts();
  if (!facts) return [];
  const memory = store.memory(now);
  const before = memory.alarm;
  const config = buildAlarmConfig(facts, now);
  const { state, transitions } = stepAlarms(before, input, config, now);
  // The clock alone makes sets due: half an hour after the monitor's last message, and a day after it for good.
  const isWatchChanged = isMonitorWatching(before, config, before.now) !== isMonitorWatching(state, config, state.now);
  memory.alarm = state;
  const changes = transitions.map((transition) => ({ version: ++memory.version, ward: facts.ward, transition }));
  for (const change of changes) store.enqueueForD1("alert", change);
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
  told.frames.push(...frames);
  told.alarms.push(...changes.map((change) => toAlarm(facts, change)).filter((alarm) => alarm !== null));
  return transitions;
}
