// What the verifier reads of a log, wherever it is stored.

/** A tile's place (C2SP tlog-tiles); `width` is the number of its hashes, 256 for a full one. */
export type TilePlace = { level: number; index: number; width: number };
/** A file of entries; `end` is exclusive. The times of its entries, epoch milliseconds, are those by which lists find it. */
export type Segment = { first: number; end: number; key: string; recordedFrom?: number; recordedTo?: number };
/** A row of an entry that is in no segment yet. `event` is JSON; bytes are base64url. */
export type OpenRow = { seq: number; id: string; logged: number; event: string; seed: string; leafHash: string; mac: string };

/** A checkpoint as the log's own state has it; `rootHash` is base64. */
export type KnownCheckpoint = { size: number; rootHash: string };

/** The stores of one log. Functions return null for an object that does not exist. */
export type LogSource = {
  logId: string;
  /** A copy of the bucket without the log's object: rows of entries that are in no segment yet cannot be read. */
  isCopy?: boolean;
  /** C2SP vkeys of every key that signed checkpoints; null: signatures are not checked. */
  verifierKeys: readonly string[] | null;
  /** The ring AUDIT_KEYS; null: closed entries are not opened, and only tiles and checkpoints are checked. */
  auditKeys: string | null;
  /** Entries before it were deleted after the retention period. */
  prunedUpTo: number;
  /** The newest checkpoint as the log itself knows it. */
  newestCheckpoint: string | null;
  /** A checkpoint that somebody kept outside. */
  savedCheckpoint: string | null;
  /** Stored checkpoints of more than `afterSize` entries, ascending by the size in their name. */
  checkpoints(afterSize: number, limit: number): Promise<{ size: number; text: string }[]>;
  /** The same from the log's own state, which may not know the oldest ones; empty where there is no state, as in a copy of the bucket. */
  knownCheckpoints(afterSize: number, limit: number): Promise<KnownCheckpoint[]>;
  readTile(place: TilePlace): Promise<Uint8Array | null>;
  /** Segments that end after `fromSeq`, in order. */
  segments(fromSeq: number, limit: number): Promise<Segment[]>;
  /** The terms by which lists find the segment that begins at `first`: ascending, 4 bytes each; null where there is no list. */
  segmentTerms(first: number): Promise<Uint8Array | null>;
  /** At most `length` bytes of a segment's file from `offset` on. */
  readSegment(key: string, offset: number, length: number): Promise<Uint8Array | null>;
  /** Rows after a position, and the MAC of the entry before them, empty for the first entry. */
  openRows(afterSeq: number, limit: number): Promise<{ entries: OpenRow[]; previousMac: string }>;
};

export const PROBLEM_KINDS = [
  "edited",
  "deleted",
  "reordered",
  "inserted",
  "truncated",
  "index_changed",
  "checkpoint_deleted",
  "checkpoint_replaced",
  "tile_changed",
  "saved_checkpoint_differs",
  "unreadable",
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];
/** `seq`: the first entry that is not as it was; null where the problem concerns none in particular. */
export type Problem = { seq: number | null; kind: ProblemKind; detail: string };

/** Ends a verification with the first problem. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(kind: ProblemKind, seq: number | null, detail: string) {
    super(detail);
    this.problem = { seq, kind, detail };
  }
}
