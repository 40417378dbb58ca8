// Preview of limits: replays stored samples through the alarm rules.
import { HOUR_MS } from "../../platform/time.ts";
import type { Limits, Sample } from "../vitals/model.ts";
import { emptyMemory, stepAlarms } from "./engine.ts";
import { MAX_VALUE_HOLD_MS } from "./limit-rule.ts";
import type { AlarmConfig, Priority, Transition } from "./model.ts";
import { NO_LIMITS } from "./no-limits.ts";

export type AlarmCount = { alarms: number } & Record<Priority, number>;
export type Preview = {
  before: number;
  after: number;
  /** Only vitals whose limits differ. */
  by_code: Record<string, { before: AlarmCount; after: AlarmCount }>;
};

/**
 * Replays samples (any order, epoch milliseconds) under two sets of limits and counts the alerts per vital by value, rate and trend.
 * Only vitals whose limits differ are replayed. A latched alert whose condition returns counts again, since nobody acknowledges it.
 */
export function previewAlarms(
  samples: readonly Sample[],
  before: Readonly<Record<string, Limits>>,
  after: Readonly<Record<string, Limits>>,
  config: AlarmConfig,
): Preview {
  const codes = [...new Set(samples.map((sample) => sample.code))].filter((code) => !isSame(before[code], after[code]));
  const counted = codes.map((code) => {
    const codeSamples = samples.filter((sample) => sample.code === code).sort((a, b) => a.at - b.at);
    return [code, { before: countAlarms(codeSamples, before, config), after: countAlarms(codeSamples, after, config) }] as const;
  });
  const sumAlarms = (when: "before" | "after") => counted.reduce((sum, [, count]) => sum + count[when].alarms, 0);
  return { before: sumAlarms("before"), after: sumAlarms("after"), by_code: Object.fromEntries(counted) };
}

function isSame(a: Limits | undefined, b: Limits | undefined): boolean {
  return JSON.stringify({ ...NO_LIMITS, ...a }) === JSON.stringify({ ...NO_LIMITS, ...b });
}

function countAlarms(samples: readonly Sample[], limits: Readonly<Record<string, Limits>>, config: AlarmConfig): AlarmCount {
  const count: AlarmCount = { alarms: 0, high: 0, medium: 0, low: 0 };
  for (const { what, alert } of replaySamples(samples, { ...config, monitoring: "home", limits, news2: null, devices: {} })) {
    if (what === "raised") count.alarms += 1;
    if (what === "raised" || what === "raised_priority") count[alert.priority] += 1;
  }
  return count;
}

/** Every sample of a replayed hour counts as present. */
const ALL_PRESENT = { watch: { mode: "spot", grace_ms: HOUR_MS } } as const;

/** The transitions of samples in ascending time, evaluated in steps of an hour, plus the time that the last value holds. */
export function replaySamples(samples: readonly Sample[], given: AlarmConfig): Transition[] {
  const config = { ...given, ...ALL_PRESENT };
  const transitions: Transition[] = [];
  let memory = emptyMemory();
  for (let from = 0; from < samples.length; ) {
    const start = samples[from]?.at ?? 0;
    const next = samples.findIndex((sample, index) => index > from && sample.at >= start + HOUR_MS);
    const hour = samples.slice(from, next < 0 ? undefined : next);
    from += hour.length;
    const stepped = stepAlarms(memory, { kind: "samples", device: null, samples: hour }, config, hour.at(-1)?.at ?? start);
    memory = stepped.state;
    transitions.push(...stepped.transitions);
  }
  const last = samples.at(-1);
  if (last) transitions.push(...stepAlarms(memory, { kind: "tick" }, config, last.at + MAX_VALUE_HOLD_MS).transitions);
  return transitions;
}
