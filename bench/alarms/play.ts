// Plays a recorded stay through the alarm engine.
import { type AlarmMemory, emptyMemory, nextDeadline, stepAlarms } from "../../src/monitoring/alarm-rules/engine.ts";
import type { AlarmConfig, AlarmInput, Alert, Priority, RuleName, Transition } from "../../src/monitoring/alarm-rules/model.ts";
import { getDefaultLimits } from "../../src/monitoring/vitals/catalogue.ts";
import { groupByTime, HOUR_MS, MINUTE_MS, START, type Stay } from "./recordings.ts";

export const LIMITS = getDefaultLimits("adult");

export type AlarmFilter = (what: Transition["what"], alert: Alert) => boolean;
/** `until`: when it ended, infinite at the end of the recording. */
export type Alarm = {
  at: number;
  until: number;
  rule: RuleName | "naive" | "score";
  code: string | null;
  priority?: Priority;
  value?: number | null;
};

export const CONFIG: AlarmConfig = {
  monitoring: "home",
  limits: LIMITS,
  news2: null,
  watch: { mode: "spot", grace_ms: 15 * MINUTE_MS },
  sustained: null,
  devices: { monitor: { silence_s: 60, isContinuous: true } },
  escalation: { high: [], medium: [], low: [] },
  repeat_minutes: { high: null, medium: null, low: null },
};
/** Delay until staff acknowledge an alarm. */
const ACKNOWLEDGE_DELAY_MS = 5 * MINUTE_MS;

export const isNew: AlarmFilter = (what) => what === "raised";
/** Begins to sound: raised with a sound, or silent and now sounding. */
export const isSounding: AlarmFilter = (what, { sounds }) => (what === "raised" || what === "raised_sound") && sounds !== false;
export const isHigh: AlarmFilter = (what, { priority }) =>
  priority === "high" && (what === "raised" || what === "raised_priority");

/** Runs the engine as the product does: one step per set of values and per deadline; acknowledges after five minutes. */
export function runEngine(
  { samples }: Stay,
  config: AlarmConfig,
  filter = isNew,
  onStep: (memory: AlarmMemory) => void = () => {},
): Alarm[] {
  let memory = emptyMemory();
  const alarms: Alarm[] = [];
  const open = new Map<number, Alarm>();
  const close = (number: number, at: number) => {
    const alarm = open.get(number);
    if (alarm) alarm.until = at;
    open.delete(number);
  };
  const applyInput = (input: AlarmInput, now: number) => {
    const done = stepAlarms(memory, input, config, now);
    memory = done.state;
    onStep(memory);
    for (const { what, alert, at } of done.transitions) {
      if (what === "recovered" || what === "cleared") close(alert.number, at);
      if (!filter(what, alert)) continue;
      close(alert.number, at);
      const { rule, code, priority, why } = alert;
      const alarm: Alarm = { at, until: Number.POSITIVE_INFINITY, rule, code, priority, value: why.value };
      open.set(alert.number, alarm);
      alarms.push(alarm);
    }
  };
  const advanceTo = (time: number) => {
    for (;;) {
      const answers = memory.alerts
        .filter((alert) => alert.acknowledged_at === null)
        .map((alert) => alert.raised_at + ACKNOWLEDGE_DELAY_MS);
      const due = Math.min(nextDeadline(memory, config) ?? time, ...answers);
      if (due >= time) return;
      const answered = memory.alerts.find(
        (alert) => alert.acknowledged_at === null && alert.raised_at + ACKNOWLEDGE_DELAY_MS <= due,
      );
      applyInput(
        answered ? { kind: "acknowledge", number: answered.number, by: "nurse" } : { kind: "tick" },
        Math.max(due, memory.now),
      );
    }
  };
  for (const [at, group] of groupByTime(samples)) {
    advanceTo(at);
    applyInput({ kind: "samples", device: "monitor", samples: group }, at);
  }
  advanceTo((samples.at(-1)?.at ?? START) + HOUR_MS);
  return alarms;
}
