// Types of alerts, alarm inputs and configuration. Terms follow IEC 60601-1-8, without a claim of conformance.
import type { ObservationMode } from "../vitals/freshness.ts";
import type { Limits } from "../vitals/model.ts";
import type { RoundEvent } from "../vitals/rounds.ts";

export const PRIORITIES = ["high", "medium", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];
export const RULE_NAMES = [
  "limit",
  "rate",
  "trend",
  "unit",
  "news2",
  "silence",
  "device_silence",
  "technical",
  "late_critical",
  "observations_due",
] as const;
export type RuleName = (typeof RULE_NAMES)[number];
/** `active` until acknowledged or until the condition ends. A latched alert stays `recovered` until acknowledged. */
export const ALERT_STATES = ["active", "acknowledged", "recovered", "cleared"] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** An alert in the memory of the rules; times are epoch milliseconds of the server's clock. */
export type Alert = {
  /** Increases per patient. */
  number: number;
  /** Identifies the condition; at most one open alert per key, e.g. `limit:8867-4`, `limit:85354-9` for all blood pressures, `silence:2708-6`, `device:<id>`. */
  key: string;
  rule: RuleName;
  /** LOINC; null for alerts about a device or NEWS2. Of blood pressures, the one that is worst. */
  code: string | null;
  device: string | null;
  priority: Priority;
  state: AlertState;
  /** Value, bound and time window that caused the alert. `measured_at`: ISO 8601, for a value of the past. */
  why: {
    value: number | null;
    bound: number | null;
    side: "low" | "high" | null;
    window_s: number | null;
    measured_at?: string | undefined;
    text: string;
    /** Every value of one event, e.g. the three blood pressures. */
    values?: { code: string; value: number }[] | undefined;
  };
  /** False: shown, ranked and listed, but without a sound and a push message. Absent means true. */
  sounds?: boolean | undefined;
  raised_at: number;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  assigned_to: string | null;
  /** Assignments and snoozes so far; absent before the first. */
  actions?: number | undefined;
  /** 0 until the first escalation. */
  tier: number;
  escalate_at: number | null;
  repeat_at: number | null;
  /** From when the minutes of escalation and repeat count; absent in alerts written before these fields existed. */
  escalates_from?: number | undefined;
  repeats_from?: number | undefined;
  snoozed_until: number | null;
  recovered_at: number | null;
  cleared_at: number | null;
};

export const TRANSITIONS = [
  "raised",
  "raised_priority",
  "raised_sound",
  "acknowledged",
  "assigned",
  "escalated",
  "repeated",
  "snoozed",
  "recovered",
  "cleared",
] as const;
/**
 * A change of an alert; `alert` is the state after it. `raised_sound`: a silent alert begins to sound. `isFlapping`: the vital has raised
 * so often in the hour that people are not told again (raise-counts.ts).
 */
export type Transition = {
  what: (typeof TRANSITIONS)[number];
  at: number;
  by: string | null;
  alert: Alert;
  isFlapping?: true | undefined;
};

/** Configuration of the alarm rules for a patient. */
export type AlarmConfig = {
  /** Silence raises alerts only in `ward`. `off`: no alerts. */
  monitoring: "off" | "home" | "ward";
  /** Effective limits by code: default < ward < patient, merged. */
  limits: Readonly<Record<string, Limits>>;
  /** Seconds that a high critical value must last, by code; absent ones raise their alert at once. */
  critical_delay_s?: Readonly<Record<string, number>>;
  /** NEWS2; null when it does not apply. */
  news2: { scale: 1 | 2; window_ms: number } | null;
  /** How the patient is watched, which decides how long scores and values count as current. */
  watch: { mode: ObservationMode; grace_ms: number };
  /**
   * EdgeCare's profile for the sound of NEWS2 alerts (sustained-profile.ts), with the time for a repeat set of a spot patient; null: they
   * sound as the RCP's chart raises them.
   */
  sustained: { repeat_ms: number } | null;
  /** Whether an overdue set of observations raises an alert; absent means false. */
  overdueAlarm?: boolean;
  /** Whether the trend mark is kept (trend-mark.ts), which raises nothing; absent means false. */
  trendMark?: boolean;
  /** Currently assigned devices, with the allowed silence in seconds; null for no limit. `isContinuous`: a bedside monitor or gateway. */
  devices: Readonly<Record<string, { silence_s: number | null; isContinuous?: boolean }>>;
  /** Minutes without acknowledgement until the escalation to each tier. */
  escalation: Readonly<Record<Priority, readonly number[]>>;
  /** Minutes until an ongoing alert is repeated; null for never. */
  repeat_minutes: Readonly<Record<Priority, number | null>>;
};

/**
 * A value was corrected. `newest`: the newest usable value of its vital now, or null when none is left; `isInvalidNewer`: whether a
 * newer one is not usable. `measured`: when the corrected value was measured, and its correction, null for entered in error. Times are
 * epoch milliseconds.
 */
export type Correction = {
  kind: "corrected";
  code: string;
  newest: { value: number; at: number; received: number } | null;
  isInvalidNewer: boolean;
  measured?: { at: number; value: number | null };
};

/** An input of the alarm engine, in the order of the server's clock. */
export type AlarmInput =
  /**
   * `conditions`: those that the device reports together with the samples, which may explain them; an input of their own follows.
   * `isPartial`: of a set that was not completed.
   */
  | {
      kind: "samples";
      device: string | null;
      samples: readonly import("../vitals/model.ts").Sample[];
      conditions?: readonly string[];
      isPartial?: boolean;
    }
  | { kind: "round"; event: RoundEvent }
  /** The complete list of conditions that the device reports now. */
  | { kind: "conditions"; device: string; conditions: readonly string[] }
  | { kind: "tick" }
  | Correction
  /** As `measured` of a correction, for a value that is not the newest of its vital. */
  | { kind: "corrected_set"; code: string; at: number; value: number | null }
  | { kind: "acknowledge"; number: number; by: string }
  | { kind: "assign"; number: number; by: string; to: string | null }
  | { kind: "snooze"; number: number; by: string; until: number }
  | { kind: "resolve"; number: number; by: string };
