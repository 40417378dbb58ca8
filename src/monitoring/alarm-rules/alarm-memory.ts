// What the alarm rules remember of one patient between two inputs. It is stored with every batch, so its keys are short.
import type { Limits } from "../vitals/model.ts";
import type { AlarmConfig, Alert, Transition } from "./model.ts";

export type Side = "low" | "high";

/** A vital's own usual, as exponentially weighted averages. */
export type Baseline = {
  /** Slow mean, its variance, fast mean. */
  m: number;
  d: number;
  f: number;
  /** How many values made it, since when, and the last of them. */
  n: number;
  b: number;
  u: number;
  /** Since when it has been drifting, to which side. */
  p?: number | undefined;
  s?: Side | undefined;
};

/** One vital. Times are epoch milliseconds, measured ones never later than the server's clock. */
export type VitalMemory = {
  /** The last final value, when it was measured, when it came. */
  v: number;
  a: number;
  x: number;
  /** The side on which it is beyond a limit, since when, and when it last was there without the benefit of hysteresis. */
  s?: Side | undefined;
  t?: number | undefined;
  l?: number | undefined;
  /** Since when it has been back inside by more than the hysteresis while an alert is open. */
  i?: number | undefined;
  /** Somebody resolved its alert: this value is not judged again, the next one is. */
  q?: 1 | undefined;
  /** Points of the rate of change: epoch seconds and value. */
  r?: readonly (readonly [number, number])[] | undefined;
  e?: Baseline | undefined;
};

export type DeviceMemory = {
  /** When it was last heard, and when it came back from silence. */
  x: number;
  r?: number | undefined;
  /** Vitals that it has sent since it was bound, by code: when the last of each came. */
  c: Record<string, number>;
  /** Conditions that somebody resolved while it still reports them. */
  k?: readonly string[] | undefined;
};

export type AlarmMemory = {
  /** The number of the newest alert; numbers are not used twice. */
  n: number;
  /** When the rules last ran: their clock does not go back. */
  now: number;
  /** Since when silence is alarmed; null outside of a ward. */
  ward: number | null;
  vitals: Record<string, VitalMemory>;
  devices: Record<string, DeviceMemory>;
  /** The score: since when it is too high or, with an alert open, low enough; the score at which somebody resolved it. */
  news2: { since?: number | undefined; below?: number | undefined; resolved?: number | undefined };
  /** Open ones alone. */
  alerts: Alert[];
};

/** A patient of whom nothing is known yet. */
export function emptyAlarmMemory(): AlarmMemory {
  return { n: 0, now: 0, ward: null, vitals: {}, devices: {}, news2: {}, alerts: [] };
}

/** One run of the rules: `memory` is a copy of its own, which they change in place. */
export type RuleRun = {
  readonly memory: AlarmMemory;
  readonly config: AlarmConfig;
  readonly now: number;
  readonly transitions: Transition[];
};

/** One vital in one run, and the limits it is judged by. */
export type WatchedVital = { readonly run: RuleRun; readonly code: string; readonly vital: VitalMemory; readonly limits: Limits };

export function beginRuleRun(memory: AlarmMemory, config: AlarmConfig, now: number): RuleRun {
  const effectiveNow = Math.max(now, memory.now);
  return { memory: { ...copyMemory(memory), now: effectiveNow }, config, now: effectiveNow, transitions: [] };
}

/** Points of a rate are replaced, never changed, and so are shared with the copy. */
function copyMemory(memory: AlarmMemory): AlarmMemory {
  const vitals: AlarmMemory["vitals"] = {};
  for (const code in memory.vitals) {
    const vital = memory.vitals[code];
    if (vital) vitals[code] = { ...vital, ...(vital.e && { e: { ...vital.e } }) };
  }
  const devices: AlarmMemory["devices"] = {};
  for (const id in memory.devices) {
    const device = memory.devices[id];
    if (device) devices[id] = { ...device, c: { ...device.c } };
  }
  return { ...memory, vitals, devices, news2: { ...memory.news2 }, alerts: memory.alerts.map(copyAlert) };
}

export function copyAlert(alert: Alert): Alert {
  return { ...alert, why: { ...alert.why } };
}
