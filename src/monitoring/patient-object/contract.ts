// What the Worker, the patients' objects and the hospitals' feeds say to each other. Frames carry ids and numbers, never names.
import type { Alert, Transition } from "../alarm-rules/model.ts";
import type { Limits } from "../vitals/model.ts";

/** A sample as readers get it. `amended` and `entered-in-error` are FHIR's words for what was corrected later. */
export type LiveSample = {
  observation_id: string;
  code: string;
  /** Name of the catalogue, e.g. `heart_rate`; null for a code that it lacks. */
  name: string | null;
  value: number;
  unit: string;
  effective_at: string;
  received_at: string;
  device_id: string | null;
  /** Who wrote it down, where no device sent it. */
  performer_id: string | null;
  status: "final" | "invalid" | "amended" | "entered-in-error";
};

/** NEWS2 of now: a number only when it is complete. */
export type Score =
  | {
      status: "complete";
      score: number;
      risk: "low" | "low_medium" | "medium" | "high";
      parts: Record<string, number>;
      as_of: string;
    }
  | { status: "incomplete"; missing: string[]; stale: string[] }
  | { status: "not_applicable"; reason: "age" | "pregnancy" | "age_unknown" };

/** An alert as it is shown: the rules' memory of it, with its id and times in ISO 8601. */
export type AlertView = {
  alert_id: string;
  patient_id: string;
  rule: Alert["rule"];
  code: string | null;
  device_id: string | null;
  priority: Alert["priority"];
  state: Alert["state"];
  why: Alert["why"];
  raised_at: string;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  assigned_to: string | null;
  escalation_tier: number;
  snoozed_until: string | null;
  recovered_at: string | null;
  cleared_at: string | null;
  duration_s: number | null;
};

/** Between what a vital may lie and for how long it may be silent, and who said so last: the defaults of the age, the ward or somebody for this patient. */
export type LimitsInForce = Pick<Limits, "critical_low" | "low" | "high" | "critical_high" | "silence_s"> & {
  code: string;
  set_by: "default" | "ward" | "patient";
};

/** Limits that held from a time on, until the next of the same code. */
export type LimitsSince = Omit<LimitsInForce, "silence_s"> & { from: string };

/** Everything that a screen needs of one patient before the first frame. */
export type PatientSnapshot = {
  patient_id: string;
  ward_id: string | null;
  monitoring: "off" | "home" | "ward";
  latest: LiveSample[];
  alerts: AlertView[];
  news2: Score;
  limits: LimitsInForce[];
  devices: { device_id: string; last_seen_at: string | null; clock_skew_ms: number | null; conditions: string[] }[];
  as_of: string;
};

/** What a patient's object tells the feed of its hospital, and the feed the sockets. */
export type PatientFrame =
  | { type: "samples"; patient_id: string; samples: LiveSample[]; news2: Score }
  | { type: "alert"; patient_id: string; what: Transition["what"]; alert: AlertView }
  | { type: "limits"; patient_id: string; limits: LimitsInForce[] };

/** What a socket gets: frames with the feed's number, `seq`, that only grows. */
export type LiveFrame =
  | (PatientFrame & { seq: number })
  | { type: "snapshot"; seq: number; patients: PatientSnapshot[] }
  /** Whom the socket sees now: after every opening, and whenever it changes. */
  | { type: "view"; seq: number; patient_ids: string[] }
  /** Frames between `from` and `to` are gone; a snapshot follows. */
  | { type: "gap"; seq: number; from: number; to: number };

/** Who brings samples: a device by its credential, or a person or app that the gate has let in. */
export type Origin = { kind: "device"; credential: string } | { kind: "person"; id: string };

/** Samples as they came, not judged yet. `sent_at`: the sender's clock when it sent them. */
export type IncomingBatch = { items: readonly unknown[]; sent_at: number | null; conditions: readonly string[] | null };

export type ItemResult = {
  index: number;
  /** `elsewhere`: measured while the device belonged to somebody else. */
  status: "stored" | "duplicate" | "quarantined" | "rejected" | "elsewhere";
  observation_id?: string;
  reason?: string;
  message?: string;
  note?: string;
};

/** `known: false`: the object has no such credential or no facts; D1 decides (vitals/ingest.ts). */
export type RecordResult =
  | { known: false }
  | { known: true; results: ItemResult[]; clock: { skew_ms: number | null; corrected_ms: number } | null };

/** Of PatientMonitor (RPC), for the feed: the snapshot, and frames from now until `until` (epoch milliseconds). */
export interface Watchable {
  watch(until: number): Promise<PatientSnapshot | null>;
}

/** Of WardFeed (RPC), for the patients' objects and for verbs that change rights. */
export interface Feed {
  /** @returns until when somebody watches this patient, epoch milliseconds; 0 when nobody does */
  publish(patientId: string, frames: PatientFrame[]): Promise<number>;
  /** Looks again at what every socket may see, and closes those that may not. */
  recheck(): Promise<void>;
}
