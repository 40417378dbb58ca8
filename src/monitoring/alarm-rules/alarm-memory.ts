// What the alarm rules remember of one patient between two inputs. The patient's object stores it with every batch.
import type { Limits } from "../vitals/model.ts";
import type { AlarmConfig, Alert, Transition } from "./model.ts";

export type Side = "low" | "high";

/** A vital's own usual, as exponentially weighted averages. Times are epoch milliseconds. */
export type Baseline = {
  slowMean: number;
  /** Of the values around the slow mean. */
  variance: number;
  fastMean: number;
  /** How many values made it. */
  valueCount: number;
  startedAt: number;
  updatedAt: number;
  driftSince?: number | undefined;
  driftSide?: Side | undefined;
};

/** One vital. Times are epoch milliseconds, measured ones never later than the server's clock. */
export type VitalMemory = {
  /** The last final value. */
  lastValue: number;
  measuredAt: number;
  receivedAt: number;
  /** The side on which it is beyond a limit, and since when. */
  side?: Side | undefined;
  onsetAt?: number | undefined;
  /** When it last was beyond the limit itself, without the benefit of hysteresis. */
  lastBeyondAt?: number | undefined;
  /** Since when it has been back inside by more than the hysteresis while an alert is open. */
  insideSince?: number | undefined;
  /** Somebody resolved its alert: this value is not judged again, the next one is. */
  resolved?: true | undefined;
  /** For the rate of change: epoch seconds and value. */
  ratePoints?: readonly (readonly [seconds: number, value: number])[] | undefined;
  baseline?: Baseline | undefined;
};

export type DeviceMemory = {
  lastHeardAt: number;
  /** When it came back from silence. */
  returnedAt?: number | undefined;
  /** When the last value of each vital came, by code, since the device was bound. */
  vitalsHeardAt: Record<string, number>;
  /** Conditions that somebody resolved while the device still reports them. */
  resolvedConditions?: readonly string[] | undefined;
};

export type AlarmMemory = {
  /** The number of the newest alert; numbers are not used twice. */
  lastAlertNumber: number;
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
  return { lastAlertNumber: 0, now: 0, ward: null, vitals: {}, devices: {}, news2: {}, alerts: [] };
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
    if (vital) vitals[code] = { ...vital, ...(vital.baseline && { baseline: { ...vital.baseline } }) };
  }
  const devices: AlarmMemory["devices"] = {};
  for (const id in memory.devices) {
    const device = memory.devices[id];
    if (device) devices[id] = { ...device, vitalsHeardAt: { ...device.vitalsHeardAt } };
  }
  return { ...memory, vitals, devices, news2: { ...memory.news2 }, alerts: memory.alerts.map(copyAlert) };
}

export function copyAlert(alert: Alert): Alert {
  return { ...alert, why: { ...alert.why } };
}
