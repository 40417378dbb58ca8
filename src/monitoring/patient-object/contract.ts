// Types of the calls and frames between the Worker, the PatientMonitor objects and the WardFeed objects. Frames carry ids, never names.
import type { Alert, Transition } from "../alarm-rules/model.ts";
import type { Activity, Limits } from "../vitals/model.ts";
import type { DueStatus, PartialReason, PauseReason } from "../vitals/rounds.ts";

/** A sample in responses and frames. `amended` and `entered-in-error` are the FHIR statuses of corrected samples. */
export type LiveSample = {
  observation_id: string;
  code: string;
  /** Short name in the catalogue, e.g. `heart_rate`; null for an unknown code. */
  name: string | null;
  value: number;
  unit: string;
  effective_at: string;
  received_at: string;
  device_id: string | null;
  /** The user who entered it; null for a sample from a device. */
  performer_id: string | null;
  status: "final" | "invalid" | "amended" | "entered-in-error";
  /** As its source said; not in latest values. */
  activity?: Activity | undefined;
};

/** A NEWS2 score of a complete set of observations. */
export type TakenScoreView = {
  score: number;
  risk: "low" | "low_medium" | "medium" | "high";
  parts: Record<string, number>;
  /** When the newest value of the set was measured. */
  as_of: string;
  /** How the patient is watched, which decides when the next set is due. */
  observation_mode: "continuous" | "spot";
  due_at: string;
  /** From then on the score is overdue: it keeps its number and describes the past. */
  overdue_at: string;
};

/** The NEWS2 score: a number once all parameters were measured together. */
export type Score =
  | (TakenScoreView & { status: "complete" })
  | (TakenScoreView & { status: "overdue" })
  | { status: "incomplete"; missing: string[]; stale: string[] }
  | { status: "not_applicable"; reason: "age" | "pregnancy" | "age_unknown" };

/** When the next set of observations is due (vitals/rounds.ts). */
export type ObservationsView = {
  mode: "continuous" | "spot";
  status: DueStatus;
  due_at: string | null;
  /** From then on the set is overdue. */
  overdue_at: string | null;
  /** The last set that was not completed, if it is later than the last complete one. */
  last_attempt: { at: string; reason: PartialReason; performer_id: string } | null;
  pause: { reason: PauseReason; from: string; expected_return_at: string; performer_id: string } | null;
};

/** `unknown`: not enough readings. `overdue`: the last reading describes the past. */
export const TREND_STATUSES = ["unknown", "none", "up", "overdue"] as const;

/** The trend mark (alarm-rules/trend-mark.ts). Times are null without a reading. */
export type TrendMarkView = {
  label: string;
  status: (typeof TREND_STATUSES)[number];
  smoothed_score: number | null;
  readings_since: string | null;
  /** When the mark began; null without it. */
  marked_since: string | null;
  fever_at: string | null;
  as_of: string | null;
  overdue_at: string | null;
};

/** An alert in responses and frames, with its id and ISO 8601 times. */
export type AlertView = {
  alert_id: string;
  patient_id: string;
  rule: Alert["rule"];
  code: string | null;
  device_id: string | null;
  priority: Alert["priority"];
  state: Alert["state"];
  why: Alert["why"];
  /** False: no sound and no push message. */
  sounds: boolean;
  raised_at: string;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  assigned_to: string | null;
  escalation_tier: number;
  snoozed_until: string | null;
  escalates_at: string | null;
  recovered_at: string | null;
  cleared_at: string | null;
  duration_s: number | null;
};

/** The limits in effect for one vital. `set_by`: the most specific layer that changed a field. */
export type LimitsInForce = Pick<Limits, "critical_low" | "low" | "high" | "critical_high" | "silence_s"> & {
  code: string;
  set_by: "default" | "ward" | "patient";
};

/** Limits in effect from a time until the next entry of the same code. */
export type LimitsSince = Omit<LimitsInForce, "silence_s"> & { from: string };

/** The full state of one patient, which a client needs before the first frame. */
export type PatientSnapshot = {
  patient_id: string;
  ward_id: string | null;
  monitoring: "off" | "home" | "ward";
  latest: LiveSample[];
  alerts: AlertView[];
  news2: Score;
  observations: ObservationsView;
  /** Null where the ward does not use it. */
  trend_mark: TrendMarkView | null;
  limits: LimitsInForce[];
  devices: {
    device_id: string;
    last_seen_at: string | null;
    clock_skew_ms: number | null;
    /** When the device last used a sequence number for a second moment; absent before the first time. */
    sequence_restarted_at?: string;
    conditions: string[];
  }[];
  as_of: string;
};

type RoundsFrame = Pick<PatientSnapshot, "observations" | "trend_mark">;
/** A frame that a patient's object sends to the feed of its hospital, and the feed to its sockets. */
export type PatientFrame =
  | ({ type: "samples"; patient_id: string; samples: LiveSample[]; news2: Score } & RoundsFrame)
  | ({ type: "observations"; patient_id: string } & RoundsFrame)
  /** Samples of the past, measured from `from` to `to`, that arrived now and are not pushed: charts of that time load them. */
  | { type: "backfill"; patient_id: string; count: number; from: string; to: string }
  | { type: "alert"; patient_id: string; what: Transition["what"]; alert: AlertView }
  | { type: "limits"; patient_id: string; limits: LimitsInForce[] };

/** What a consent shares of a snapshot. The other members are absent: they are not shared, which says nothing about the patient. */
export type SharedSnapshot = Pick<PatientSnapshot, "patient_id" | "latest" | "as_of">;
/** What a consent shares of the frames of a patient. */
export type SharedFrame =
  | { type: "samples"; patient_id: string; samples: LiveSample[] }
  | { type: "backfill"; patient_id: string; from: string; to: string };

/** A frame that a client receives, with `seq`, a number that increases per feed. */
export type LiveFrame =
  | (PatientFrame & { seq: number })
  | { type: "snapshot"; seq: number; patients: PatientSnapshot[] }
  /** The patients of the view: sent after it opens and after each change. */
  | { type: "view"; seq: number; patient_ids: string[] }
  /** Sent every 20 seconds and after much data; the client acknowledges it with its number, which only a reader knows. */
  | { type: "beat"; seq: number; beat: number }
  /** Frames between `from` and `to` are lost; a snapshot follows. */
  | { type: "gap"; seq: number; from: number; to: number };

/** A frame of a view by consent. */
export type SharedLiveFrame =
  | (SharedFrame & { seq: number })
  | { type: "snapshot"; seq: number; patients: SharedSnapshot[] }
  | Extract<LiveFrame, { type: "view" | "beat" | "gap" }>;

/** The sender of samples: a device by its credential, or an authorized person or app. */
export type Origin =
  | { kind: "device"; credential: string }
  | { kind: "person"; id: string; isApp?: boolean }
  /** Quarantined samples of a device, which staff file for the patient. */
  | { kind: "filed"; device: string };

/**
 * A device's clock as it applies to one batch: its error, and what was subtracted from its times. `confirmed`: false while only one
 * request shows an error that large; its samples are history.
 */
export type BatchClockView = { skew_ms: number | null; corrected_ms: number; confirmed: boolean };

/**
 * Samples as received, not validated yet. `sent_at`: the sender's clock, epoch milliseconds. `clock`: as the object of the device's
 * present patient judged it, in a batch for an earlier patient. `filedAt`: of a set of observations, see `dropStored()`.
 */
export type IncomingBatch = {
  items: readonly unknown[];
  sent_at: number | null;
  conditions: readonly string[] | null;
  clock?: BatchClockView | null;
  filedAt?: number;
};

export type ItemResult = {
  index: number;
  /** `elsewhere`: measured while the device was assigned to another patient. */
  status: "stored" | "duplicate" | "quarantined" | "rejected" | "elsewhere";
  observation_id?: string;
  reason?: string;
  message?: string;
  note?: string;
};

/** `known: false`: the object has no such credential or no facts; the Worker then reads D1 (intake/ingest.ts). */
export type RecordResult = { known: false } | { known: true; results: ItemResult[]; clock: BatchClockView | null };

/** RPC of PatientMonitor for the feed: returns a snapshot and starts sending frames until `until` (epoch milliseconds). */
export interface Watchable {
  watch(until: number): Promise<PatientSnapshot | null>;
}

/** RPC of WardFeed, for PatientMonitor and for the delivery of changed rights. */
export interface Feed {
  /** @returns when the last subscription of this patient ends, epoch milliseconds; 0 when nobody watches */
  publish(patientId: string, frames: PatientFrame[]): Promise<number>;
  /** Checks again which patients each socket may see, and closes sockets without access. */
  recheck(): Promise<void>;
}
