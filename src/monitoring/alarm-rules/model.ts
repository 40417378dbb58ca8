// Alerts as the rules, the patient's object and the wire speak of them. Words of IEC 60601-1-8, without claiming conformance.
import type { Limits } from "../vitals/model.ts";

export const PRIORITIES = ["high", "medium", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];
export const RULE_NAMES = ["limit", "rate", "trend", "news2", "silence", "device_silence", "technical"] as const;
export type RuleName = (typeof RULE_NAMES)[number];
/** `active` until somebody acknowledges it or the condition ends. A latched one stays `recovered` until acknowledged. */
export const ALERT_STATES = ["active", "acknowledged", "recovered", "cleared"] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** Everything that the rules remember of one alert; times in epoch milliseconds of the server's clock. */
export type Alert = {
  /** Counts up within the patient. */
  number: number;
  /** What it is about: at most one open alert has it, e.g. `limit:8867-4`, `silence:2708-6`, `device:<id>`. */
  key: string;
  rule: RuleName;
  /** LOINC; null for alerts of a device or of the score. */
  code: string | null;
  device: string | null;
  priority: Priority;
  state: AlertState;
  /** Value, bound and window that explain it. */
  why: { value: number | null; bound: number | null; side: "low" | "high" | null; window_s: number | null; text: string };
  raised_at: number;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  assigned_to: string | null;
  /** 0 until it was escalated. */
  tier: number;
  escalate_at: number | null;
  repeat_at: number | null;
  snoozed_until: number | null;
  recovered_at: number | null;
  cleared_at: number | null;
};

export const TRANSITIONS = [
  "raised",
  "raised_priority",
  "acknowledged",
  "assigned",
  "escalated",
  "repeated",
  "snoozed",
  "recovered",
  "cleared",
] as const;
/** One change of one alert, as it is after it. */
export type Transition = { what: (typeof TRANSITIONS)[number]; at: number; by: string | null; alert: Alert };

/** What the rules judge by, as the Worker and the catalogue have it for this patient. */
export type AlarmConfig = {
  /** Silence is alarmed in `ward` alone. `off`: nothing is raised. */
  monitoring: "off" | "home" | "ward";
  /** Effective limits by code: default < ward < patient, merged. */
  limits: Readonly<Record<string, Limits>>;
  /** NEWS2: null where it does not apply. */
  news2: { scale: 1 | 2; window_ms: number } | null;
  /** Devices bound now, with the silence that is too long; null for none. */
  devices: Readonly<Record<string, { silence_s: number | null }>>;
  /** Minutes without acknowledgement after which each tier is told. */
  escalation: Readonly<Record<Priority, readonly number[]>>;
  /** Minutes after which an alert that goes on is repeated. */
  repeat_minutes: Readonly<Record<Priority, number | null>>;
};

/** What happens to a patient's alarms, in the order of the server's clock. */
export type AlarmInput =
  | { kind: "samples"; device: string | null; samples: readonly import("../vitals/model.ts").Sample[] }
  /** What the device says of itself now: the whole list each time. */
  | { kind: "conditions"; device: string; conditions: readonly string[] }
  | { kind: "tick" }
  /** Somebody corrected a value, and this is the newest of its vital now; null where none is left. Times are epoch milliseconds. */
  | { kind: "corrected"; code: string; newest: { value: number; at: number; received: number } | null }
  | { kind: "acknowledge"; number: number; by: string }
  | { kind: "assign"; number: number; by: string; to: string | null }
  | { kind: "snooze"; number: number; by: string; until: number }
  | { kind: "resolve"; number: number; by: string };
