// Frames of the live socket, validated field by field.
import type {
  AlertView,
  LimitsInForce,
  LiveFrame,
  LiveSample,
  ObservationsView,
  PatientSnapshot,
  Score,
  TrendMarkView,
} from "../../../../src/monitoring/patient-object/contract.ts";

type Check = (value: unknown) => boolean;
/** Every field of a type has a check: a field without one does not compile. */
type Checks<T> = { readonly [K in keyof Required<T>]: Check };

const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number";
const time: Check = (value) => typeof value === "string" && !Number.isNaN(Date.parse(value));
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

/** Unknown fields are allowed: the service may be newer. */
function fields(checks: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(checks);
  return (value) => isRecord(value) && entries.every(([name, check]) => check(value[name]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const sample = fields({
  observation_id: text,
  code: text,
  name: orNull(text),
  value: number,
  unit: text,
  effective_at: time,
  received_at: time,
  device_id: orNull(text),
  performer_id: orNull(text),
  status: oneOf("final", "invalid", "amended", "entered-in-error"),
  activity: optional(text),
} satisfies Checks<LiveSample>);

const alert = fields({
  alert_id: text,
  patient_id: text,
  rule: text,
  code: orNull(text),
  device_id: orNull(text),
  priority: oneOf("high", "medium", "low"),
  state: oneOf("active", "acknowledged", "recovered", "cleared"),
  why: fields({
    value: orNull(number),
    bound: orNull(number),
    side: oneOf("low", "high", null),
    window_s: orNull(number),
    measured_at: (value) => value === undefined || time(value),
    text,
    values: (value) => value === undefined || listOf(fields({ code: text, value: number }))(value),
  } satisfies Checks<AlertView["why"]>),
  // Frames that an older service stored lack it.
  sounds: (value) => value === undefined || typeof value === "boolean",
  raised_at: time,
  acknowledged_at: orNull(time),
  acknowledged_by: orNull(text),
  assigned_to: orNull(text),
  escalation_tier: number,
  snoozed_until: orNull(time),
  // Frames that an older service stored lack it.
  escalates_at: (value) => value === undefined || orNull(time)(value),
  recovered_at: orNull(time),
  cleared_at: orNull(time),
  duration_s: orNull(number),
} satisfies Checks<AlertView>);

const limits = fields({
  code: text,
  critical_low: orNull(number),
  low: orNull(number),
  high: orNull(number),
  critical_high: orNull(number),
  silence_s: orNull(number),
  set_by: oneOf("default", "ward", "patient"),
} satisfies Checks<LimitsInForce>);

type Of<T extends Score["status"]> = Extract<Score, { status: T }>;
const takenScore = {
  score: number,
  risk: oneOf("low", "low_medium", "medium", "high"),
  parts: (value: unknown) => isRecord(value) && Object.values(value).every(number),
  as_of: time,
  observation_mode: oneOf("continuous", "spot"),
  due_at: time,
  overdue_at: time,
};
const scores: readonly Check[] = [
  fields({ status: oneOf("complete"), ...takenScore } satisfies Checks<Of<"complete">>),
  fields({ status: oneOf("overdue"), ...takenScore } satisfies Checks<Of<"overdue">>),
  fields({ status: oneOf("incomplete"), missing: listOf(text), stale: listOf(text) } satisfies Checks<Of<"incomplete">>),
  fields({
    status: oneOf("not_applicable"),
    reason: oneOf("age", "pregnancy", "age_unknown"),
  } satisfies Checks<Of<"not_applicable">>),
];
const score: Check = (value) => scores.some((check) => check(value));

const observations = fields({
  mode: oneOf("continuous", "spot"),
  status: text,
  due_at: orNull(time),
  overdue_at: orNull(time),
  last_attempt: orNull(fields({ at: time, reason: text, performer_id: text })),
  pause: orNull(fields({ reason: text, from: time, expected_return_at: time, performer_id: text })),
} satisfies Checks<ObservationsView>);

const trendMark = optional(
  orNull(
    fields({
      label: text,
      status: oneOf("unknown", "none", "up", "overdue"),
      smoothed_score: orNull(number),
      readings_since: orNull(time),
      marked_since: orNull(time),
      fever_at: orNull(time),
      as_of: orNull(time),
      overdue_at: orNull(time),
    } satisfies Checks<TrendMarkView>),
  ),
);

const device = fields({
  device_id: text,
  last_seen_at: orNull(time),
  clock_skew_ms: orNull(number),
  sequence_restarted_at: optional(time),
  conditions: listOf(text),
} satisfies Checks<PatientSnapshot["devices"][number]>);

const patient = fields({
  patient_id: text,
  ward_id: orNull(text),
  monitoring: oneOf("off", "home", "ward"),
  latest: listOf(sample),
  alerts: listOf(alert),
  news2: score,
  // Frames that an older service stored lack it.
  observations: optional(observations),
  trend_mark: trendMark,
  limits: listOf(limits),
  devices: listOf(device),
  as_of: time,
} satisfies Checks<PatientSnapshot>);

const FRAMES: { readonly [T in LiveFrame["type"]]: Check } = {
  samples: fields({
    patient_id: text,
    samples: listOf(sample),
    news2: score,
    observations: optional(observations),
    trend_mark: trendMark,
  }),
  observations: fields({ patient_id: text, observations, trend_mark: trendMark }),
  backfill: fields({ patient_id: text, count: number, from: time, to: time }),
  alert: fields({ patient_id: text, what: text, alert }),
  limits: fields({ patient_id: text, limits: listOf(limits) }),
  snapshot: fields({ patients: listOf(patient) }),
  beat: fields({ beat: number }),
  view: fields({ patient_ids: listOf(text) }),
  gap: fields({ from: number, to: number }),
};

function isFrame(value: unknown): value is LiveFrame {
  return isRecord(value) && Object.entries(FRAMES).some(([type, check]) => type === value["type"] && check(value));
}

/** `unknown`: a frame kind of a newer service; it is ignored. `notifications`: the caller has new ones; no frame. */
export type Read = { frame: LiveFrame } | { notifications: true } | { unknown: true; seq: number } | { damaged: true };

export function readFrame(data: string): Read {
  const value = parsed(data);
  if (!isRecord(value) || !Number.isSafeInteger(value["seq"])) return { damaged: true };
  if (isFrame(value)) return { frame: value };
  if (value["type"] === "notifications") return { notifications: true };
  const isKnown = typeof value["type"] === "string" && Object.hasOwn(FRAMES, value["type"]);
  return isKnown || typeof value["type"] !== "string" ? { damaged: true } : { unknown: true, seq: Number(value["seq"]) };
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
