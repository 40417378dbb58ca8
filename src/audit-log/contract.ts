// The audit log as its callers see it: what an event says, how it stands in a log, and the calls of the object.

/** The log of events that belong to no hospital. */
export const NO_HOSPITAL_LOG = "none";
/** Patients that one event may name. */
export const MAX_SUBJECTS = 1_000;
/** Events per call of `append`. */
export const MAX_APPENDED = 200;

/** FHIR AuditEvent.action: create, read, update, delete, execute. */
export type AuditAction = "C" | "R" | "U" | "D" | "E";
export type AuditOutcome = "success" | "denied" | "failed";

/** One access decision or change. Ids, codes, counts and keyed hashes only: never a name, a value or a search word. */
export type AuditLogEvent = {
  /** UUIDv7; a repeated append of the same id changes nothing. */
  id: string;
  /** When the request began, epoch milliseconds. */
  recorded: number;
  event: string;
  action: AuditAction;
  outcome: AuditOutcome;
  reason: string | null;
  actor: { kind: "user" | "device" | "app" | "system" | "anonymous"; id: string | null; role: string | null };
  /** The hospital whose data was accessed. */
  hospital_id: string | null;
  /** The actor's hospital, when it is another one. */
  actor_hospital_id: string | null;
  basis: string | null;
  purpose: string | null;
  entity: { type: string; id: string } | null;
  request_id: string;
  ip: string | null;
  detail: Record<string, unknown> | null;
  /** Ids of the patients whose data the event touched, each once. */
  subjects: string[];
};

/** An event in a log. */
export type LogEntry = AuditLogEvent & {
  /** Index of the leaf in the log's Merkle tree, from 0 without gaps. */
  seq: number;
  /** When the log stored it, epoch milliseconds; never decreases within a log. */
  logged: number;
  /** 16 random bytes in base64url, from which the leaf's salt and secret are derived (tree/leaf.ts). */
  seed: string;
};

/** What a list asks for; all given conditions hold together. Times are epoch milliseconds of `recorded`, `to` exclusive. */
export type LogFilter = {
  /** Any of these patients; null: whoever the events are about. */
  patientIds: readonly string[] | null;
  actorId?: string;
  event?: string;
  outcome?: AuditOutcome;
  from?: number;
  to?: number;
  /** Only events whose actor belongs to another hospital than the data. */
  isAbroad?: boolean;
  /** Only events with this `hospital_id`. */
  hospitalId?: string | null;
  /** Only events with this `actor_hospital_id`. */
  actorHospitalId?: string;
};

/** A position in the order of lists, newest first: by `recorded`, then by id. */
export type LogPosition = { recorded: number; id: string };

/** A closed segment in R2. `end` is exclusive; times are the earliest and latest of its entries, epoch milliseconds. */
export type SegmentRef = {
  first: number;
  end: number;
  recordedFrom: number;
  recordedTo: number;
  loggedFrom: number;
  loggedTo: number;
  key: string;
  /** Bytes of the object, and of the sealed index at its start. */
  size: number;
  indexSize: number;
};

/** What the object answers to a list: matching entries that are in no segment yet, and the segments that may hold more. */
export type LogSelection = {
  /** Newest first, at most `limit`. */
  entries: LogEntry[];
  /** By descending `recordedTo`; at most MAX_LISTED_SEGMENTS, `isComplete` says whether these are all. */
  segments: SegmentRef[];
  isComplete: boolean;
};
export const MAX_LISTED_SEGMENTS = 200;

/** The calls of the object of one log (audit-log.ts). */
export type AuditLogCalls = {
  /** Stores the events, those of a known id excepted. Durable when it returns. @throws RangeError beyond MAX_APPENDED, MAX_SUBJECTS */
  append(events: AuditLogEvent[]): Promise<void> | void;
  select(filter: LogFilter, before: LogPosition | null, limit: number): Promise<LogSelection> | LogSelection;
};

/** The log of the data's hospital, and that of the actor's hospital if it is another one. */
export function logsOf({ hospital_id, actor_hospital_id }: Pick<AuditLogEvent, "hospital_id" | "actor_hospital_id">): string[] {
  return [...new Set([hospital_id ?? NO_HOSPITAL_LOG, ...(actor_hospital_id ? [actor_hospital_id] : [])])];
}

/** Whether an entry meets a filter. */
export function matchesFilter(entry: AuditLogEvent, filter: LogFilter): boolean {
  const { patientIds, actorId, event, outcome, from, to, isAbroad, hospitalId, actorHospitalId } = filter;
  return (
    (patientIds === null || entry.subjects.some((id) => patientIds.includes(id))) &&
    (actorId === undefined || entry.actor.id === actorId) &&
    (event === undefined || entry.event === event) &&
    (outcome === undefined || entry.outcome === outcome) &&
    (from === undefined || entry.recorded >= from) &&
    (to === undefined || entry.recorded < to) &&
    (!isAbroad || entry.actor_hospital_id !== null) &&
    (hospitalId === undefined || entry.hospital_id === hospitalId) &&
    (actorHospitalId === undefined || entry.actor_hospital_id === actorHospitalId)
  );
}

/** The order of lists: newest first. */
export const compareNewestFirst = (a: LogPosition, b: LogPosition): number =>
  b.recorded - a.recorded || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
