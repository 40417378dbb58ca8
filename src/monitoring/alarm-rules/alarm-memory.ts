// Memory of the alarm rules for one patient between two inputs, stored by the patient's object with every batch.
import type { Limits } from "../vitals/model.ts";
import type { ObservationSet } from "../vitals/news2.ts";
import type { Rounds } from "../vitals/rounds.ts";
import type { AlarmConfig, Alert, Transition } from "./model.ts";
import type { SustainedState } from "./sustained-profile.ts";
import type { TrendMemory } from "./trend-mark.ts";

export type Side = "low" | "high";

/** Alerts raised in an epoch hour (raise-counts.ts). */
export type RaiseCount = { hour: number; count: number };

/** The baseline of a vital, as exponentially weighted averages. Times are epoch milliseconds. */
export type Baseline = {
  slowMean: number;
  /** Variance of the values around the slow mean. */
  variance: number;
  fastMean: number;
  /** Number of values included. */
  valueCount: number;
  startedAt: number;
  updatedAt: number;
  driftSince?: number | undefined;
  driftSide?: Side | undefined;
};

/** Memory of one vital. Times are epoch milliseconds; measurement times are never later than the server's clock. */
export type VitalMemory = {
  /** The last final value. */
  lastValue: number;
  measuredAt: number;
  receivedAt: number;
  /** The side on which the value is beyond a limit; `onsetAt`: since when. */
  side?: Side | undefined;
  onsetAt?: number | undefined;
  /** When the value was last beyond the limit itself, without hysteresis. */
  lastBeyondAt?: number | undefined;
  /** Since when the value has been inside by more than the hysteresis while an alert is open. */
  insideSince?: number | undefined;
  /** Since when the value has been beyond the high critical limit. */
  criticalSince?: number | undefined;
  /** The last event that raised a high-priority alert: values of its side and time need no entry when they arrive late. */
  told?: { side: Side; from: number; until: number } | undefined;
  /** The last value was measured during physical activity. */
  isExercise?: true | undefined;
  /** The limit beyond which a vital of a group is in alarm (pressure-group.ts). */
  inAlarm?: { side: Side; bound: number; critical: boolean } | undefined;
  /** The alert was resolved: this value is not evaluated again, the next one is. */
  resolved?: true | undefined;
  /** The value is of a set that was not completed, which changes no score. */
  isPartial?: true | undefined;
  /** Points for the rate of change: epoch seconds and value. */
  ratePoints?: readonly (readonly [seconds: number, value: number])[] | undefined;
  baseline?: Baseline | undefined;
  /** Limit, rate and trend alerts raised. */
  raised?: RaiseCount | undefined;
};

/** The last reading of a channel that can contradict a zero (zero-rule.ts). */
export type ChannelReading = { value: number; measuredAt: number };

/** A value of 0 that means a detached sensor, by code of the vital. */
export type ZeroMemory = {
  measuredAt: number;
  /** The device that sent it. */
  device: string | null;
  /** Whether no usable value has come since. */
  isStanding: boolean;
  usableSince?: number | undefined;
  /** The alert was resolved: it is raised again only after a usable value. */
  resolved?: true | undefined;
  /** Technical alerts raised. */
  raised?: RaiseCount | undefined;
};

/** How often a device sends, learnt from what it sent: the mean interval, over so many of the last milliseconds (send-intervals.ts). */
export type SendInterval = { meanMs: number; learntMs: number };

export type DeviceMemory = {
  lastHeardAt: number;
  /** Since when the device reports that its leads are off, and the vitals that it measured in spite of it. */
  leadsOff?: { since: number; measured: readonly string[] } | undefined;
  /** When the device sent again after a silence. */
  returnedAt?: number | undefined;
  /** When the last usable value of each vital arrived since the device was assigned, by code. */
  vitalsHeardAt: Record<string, number>;
  /** Of the device, and the mean in milliseconds of each vital by code; absent until something came twice. */
  interval?: SendInterval | undefined;
  vitalIntervals?: Record<string, number> | undefined;
  /** Conditions that were resolved while the device still reports them. */
  resolvedConditions?: readonly string[] | undefined;
  /** The reported words outside of the vocabulary, which share one alert. */
  otherConditions?: readonly string[] | undefined;
  /** Technical alerts raised. */
  raised?: RaiseCount | undefined;
};

/** The sustained profile: its state after the last reading, and before it, for a correction. */
export type SustainedMemory = {
  state: SustainedState;
  before: SustainedState;
  /** Whether somebody has acknowledged an alert that sounded since the condition is on. */
  isHeard: boolean;
  /** When the reading was complete first (continuous: its newest measurement), epoch milliseconds; no score when its set lost a value. */
  reading: { at: number; score: number | null; single3: boolean } | null;
};

export type News2Memory = {
  /** Since when the score is high. */
  since?: number | undefined;
  /** Since when it is low with an alert open. */
  below?: number | undefined;
  /** The score at which the alert was resolved. */
  resolved?: number | undefined;
  /** The time of a set whose three points in one parameter an alarm of that vital's limits has told. */
  covered?: number | undefined;
  /** The time of the last set that was judged while it was current, or told as late. */
  judgedAt?: number | undefined;
  /** The last complete set, kept when it is overdue. */
  set?: ObservationSet | undefined;
  /** Absent unless the ward has chosen the sustained profile. */
  sustained?: SustainedMemory | undefined;
  /** Absent unless the ward has chosen the trend mark. */
  trend?: TrendMemory | undefined;
};

export type AlarmMemory = {
  /** The number of the newest alert; numbers are never reused. */
  lastAlertNumber: number;
  /** When the rules last ran; their clock never goes back. */
  now: number;
  /** Since when silence raises alerts; null unless monitoring is `ward`. */
  ward: number | null;
  vitals: Record<string, VitalMemory>;
  devices: Record<string, DeviceMemory>;
  /** By code; absent in memories written before these fields existed. */
  channels?: Record<string, ChannelReading> | undefined;
  zeros?: Record<string, ZeroMemory> | undefined;
  news2: News2Memory;
  /** Absent in memories written before this field existed. */
  rounds?: Rounds | undefined;
  /** Open alerts only. */
  alerts: Alert[];
};

/** The memory of a new patient. */
export function emptyAlarmMemory(): AlarmMemory {
  return { lastAlertNumber: 0, now: 0, ward: null, vitals: {}, devices: {}, news2: {}, alerts: [] };
}

/** One run of the rules: `memory` is a copy that the rules change in place. */
export type RuleRun = {
  readonly memory: AlarmMemory;
  readonly config: AlarmConfig;
  readonly now: number;
  readonly transitions: Transition[];
};

/** One vital in one run, with its limits. */
export type WatchedVital = { readonly run: RuleRun; readonly code: string; readonly vital: VitalMemory; readonly limits: Limits };

export function beginRuleRun(memory: AlarmMemory, config: AlarmConfig, now: number): RuleRun {
  const effectiveNow = Math.max(now, memory.now);
  return { memory: { ...copyMemory(memory), now: effectiveNow }, config, now: effectiveNow, transitions: [] };
}

/** `ratePoints` are replaced, never changed, so the copy shares them. */
function copyMemory(memory: AlarmMemory): AlarmMemory {
  const vitals: AlarmMemory["vitals"] = {};
  for (const code in memory.vitals) {
    const vital = memory.vitals[code];
    if (vital) vitals[code] = { ...vital, ...(vital.baseline && { baseline: { ...vital.baseline } }) };
  }
  const devices: AlarmMemory["devices"] = {};
  for (const id in memory.devices) {
    const device = memory.devices[id];
    if (device)
      devices[id] = {
        ...device,
        vitalsHeardAt: { ...device.vitalsHeardAt },
        ...(device.vitalIntervals && { vitalIntervals: { ...device.vitalIntervals } }),
      };
  }
  const zeros = memory.zeros && Object.fromEntries(Object.entries(memory.zeros).map(([code, zero]) => [code, { ...zero }]));
  return {
    ...memory,
    vitals,
    devices,
    ...(memory.channels && { channels: { ...memory.channels } }),
    ...(zeros && { zeros }),
    news2: { ...memory.news2 },
    alerts: memory.alerts.map(copyAlert),
  };
}

export function copyAlert(alert: Alert): Alert {
  return { ...alert, why: { ...alert.why } };
}
