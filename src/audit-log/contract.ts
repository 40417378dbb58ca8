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
  /** Only events that were not denied. */
  isNotDenied?: boolean;
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

/** Entries per call of `select`, `readOpen`, `listSegments` and `listCheckpoints`. */
export const MAX_SELECTED = 1_000;

/** @throws RangeError */
export function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_SELECTED)
    throw new RangeError(`a limit is from 1 to ${MAX_SELECTED}`);
}

/** The state of a log's tree, signed (C2SP tlog-checkpoint). */
export type LogCheckpoint = {
  /** The signed note. */
  checkpoint: string;
  size: number;
  /** base64, as in the note. */
  rootHash: string;
  /** C2SP vkey of the signature. */
  verifierKey: string;
};

/** An entry with the proof that the checkpoint's tree has its leaf at `index` (RFC 9162, section 2.1.3). */
export type LogProof = LogCheckpoint & {
  entry: LogEntry;
  index: number /** base64, from the leaf's sibling up. */;
  hashes: string[];
};

/** An entry as the object stores it, unparsed, for the verifier. Bytes are base64url. */
export type StoredEntry = { seq: number; id: string; logged: number; event: string; seed: string; leafHash: string; mac: string };

export type LogStatus = {
  /** Entries that the log ever had; the next one has this `seq`. */
  size: number;
  /** Entries before it are in segments. */
  closedEnd: number;
  /** Size of the newest checkpoint, 0 for none. */
  checkpointSize: number;
  /** The newest checkpoint, a signed note, from the object's own state; null for none. */
  checkpoint: string | null;
  /** Entries before it were deleted after the retention period, 0 for none. */
  prunedUpTo: number;
  /** Legal hold: events recorded at this time or later are kept, epoch milliseconds; null for none. */
  heldFrom: number | null;
  /** Highest `seq` of the rows of D1 that were moved in, 0 for none. */
  movedSeq: number;
  /** Segments that are not known to be sealed under the current key of AUDIT_KEYS; they are sealed again in the background. */
  toReseal: number;
};

/** A checkpoint that the object stored in R2. `rootHash` is base64. */
export type StoredCheckpoint = { size: number; rootHash: string };

/** A row of D1's former table of audit events. */
export type MovedEvent = { seq: number; event: AuditLogEvent };

/** The calls of the object of one log (audit-log.ts). Reads of a log without events store nothing. */
export type AuditLogCalls = {
  /**
   * Stores the events, those of a known id excepted. Durable when it returns "stored"; otherwise nothing was stored.
   * @throws RangeError for content that is never taken: MAX_APPENDED, MAX_SUBJECTS, no UUIDv7, a leaf of over 65,535 bytes; nothing is
   * stored then. Error when too many entries wait for R2
   */
  append(events: AuditLogEvent[], options?: AppendOptions): Promise<AppendOutcome> | AppendOutcome;
  /** @param limit at most MAX_SELECTED */
  select(filter: LogFilter, before: LogPosition | null, limit: number): Promise<LogSelection> | LogSelection;
  status(): Promise<LogStatus> | LogStatus;
  /** A checkpoint of all entries; stored when it is new. */
  checkpoint(): Promise<LogCheckpoint>;
  /** Null if the log has no such entry, or no longer. An entry that no checkpoint covers gets one first. */
  prove(id: string): Promise<LogProof | null>;
  /** The proof that the tree of `newSize` entries continues that of `oldSize`, base64; null if the log is smaller. */
  consistency(oldSize: number, newSize: number): Promise<string[] | null>;
  /** Entries that are in no segment, after a position (-1: from the first), and the MAC of the entry before them. */
  readOpen(afterSeq: number, limit: number): Promise<OpenEntries> | OpenEntries;
  /** Checkpoints of more than `afterSize` entries by size, as the object's own state has them. */
  listCheckpoints(afterSize: number, limit: number): Promise<StoredCheckpoint[]> | StoredCheckpoint[];
  /** Segments that end after a position, in order. */
  listSegments(fromSeq: number, limit: number): Promise<SegmentRef[]> | SegmentRef[];
  /** The terms of the segment that begins at `firstSeq` (segments/terms.ts); null if none does. */
  readTerms(firstSeq: number): Promise<Uint8Array | null> | Uint8Array | null;
  /**
   * Deletes the segments at the start of the log whose events were all recorded before `olderThan` (epoch milliseconds) and not in
   * the time of a legal hold. Tiles and checkpoints stay. Wakes the object for other work that is due.  @returns `isComplete`: false if there are more to delete
   */
  prune(olderThan: number): Promise<PruneResult> | PruneResult;
  /** Starts or changes a legal hold: events recorded at `from` (epoch milliseconds) or later are kept. Null ends it. */
  setHold(from: number | null): Promise<void> | void;
  /**
   * Stores rows of D1 in the order of their `seq`; those up to the highest one moved before change nothing.
   * @returns the highest one now  @throws RangeError as append
   */
  moveIn(rows: MovedEvent[]): Promise<number> | number;
};
/** `reader`: whose reads the events are, and how much they may add per UTC day, bytes of JSON. Without it no quota counts them. */
export type AppendOptions = { reader?: { id: string; bytesPerDay: number } };
export type AppendOutcome = "stored" | "quota_used";
export type OpenEntries = { entries: StoredEntry[] /** Empty before the first entry of a log. */; previousMac: string };
export type PruneResult = { prunedUpTo: number; isComplete: boolean };

/** The object of a log. Typed by its contract: the types of RPC have no place for the `unknown` in an event's detail. */
export const auditLogOf = (env: Pick<Env, "AUDIT_LOG">, logId: string): AuditLogCalls => env.AUDIT_LOG.getByName(logId);

/** The log of the data's hospital, and that of the actor's hospital if it is another one. */
export function logsOf({ hospital_id, actor_hospital_id }: Pick<AuditLogEvent, "hospital_id" | "actor_hospital_id">): string[] {
  return [...new Set([hospital_id ?? NO_HOSPITAL_LOG, ...(actor_hospital_id ? [actor_hospital_id] : [])])];
}

/** Whether an entry meets a filter. */
export function matchesFilter(entry: AuditLogEvent, filter: LogFilter): boolean {
  const { patientIds, actorId, event, outcome, from, to, isAbroad, isNotDenied, hospitalId, actorHospitalId } = filter;
  return (
    (patientIds === null || entry.subjects.some((id) => patientIds.includes(id))) &&
    (actorId === undefined || entry.actor.id === actorId) &&
    (event === undefined || entry.event === event) &&
    (outcome === undefined || entry.outcome === outcome) &&
    (from === undefined || entry.recorded >= from) &&
    (to === undefined || entry.recorded < to) &&
    (!isAbroad || entry.actor_hospital_id !== null) &&
    (!isNotDenied || entry.outcome !== "denied") &&
    (hospitalId === undefined || entry.hospital_id === hospitalId) &&
    (actorHospitalId === undefined || entry.actor_hospital_id === actorHospitalId)
  );
}

/** The order of lists: newest first. */
export const compareNewestFirst = (a: LogPosition, b: LogPosition): number =>
  b.recorded - a.recorded || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
