// The state row of an audit log's object, and what its functions work on.
import type { SegmentLevel } from "./segments/file-format.ts";

export type LogContext = { storage: DurableObjectStorage; env: Env; logId: string };

export type LogState = {
  /** Entries before it are in segments. */
  closedEnd: number;
  /** `logged` and `mac` of the last entry in a segment; 0 and empty before the first segment. */
  closedLogged: number;
  closedMac: string;
  /** End of the segment that is being written, fixed until it is stored. */
  closingEnd: number | null;
  /** The merge that is under way, fixed until it is stored. */
  merging: { first: number; end: number; level: SegmentLevel } | null;
  /** The newest checkpoint, a signed note, and the verifier key of its signature. */
  checkpoint: { text: string; size: number; verifierKey: string } | null;
  /** Highest `seq` of the D1 table whose row was moved in. */
  movedSeq: number;
  /** Events recorded at this time or later are kept whatever their age, epoch milliseconds; null without a legal hold. */
  heldFrom: number | null;
  /** Entries before it were deleted after the retention period. */
  prunedEnd: number;
};

type StateRow = {
  log_id: string;
  closed_end: number;
  closed_logged: number;
  closed_mac: string;
  closing_end: number | null;
  merging_first: number | null;
  merging_end: number | null;
  merging_level: SegmentLevel | null;
  checkpoint: string | null;
  checkpoint_size: number;
  checkpoint_key: string | null;
  moved_seq: number;
  held_from: number | null;
  pruned_end: number;
};

/** Stores the name of the log, unless it is there: an object learns it from its callers, and its alarm has none. */
export function createState(sql: SqlStorage, logId: string): void {
  sql.exec(
    `INSERT OR IGNORE INTO state (id, log_id, closed_end, closed_logged, closed_mac, checkpoint_size, moved_seq, pruned_end)
    VALUES (1, ?, 0, 0, '', 0, 0, 0)`,
    logId,
  );
}

const readRow = (sql: SqlStorage): StateRow => sql.exec<StateRow>("SELECT * FROM state WHERE id = 1").one();

export const readLogId = (sql: SqlStorage): string => readRow(sql).log_id;

export function readState(sql: SqlStorage): LogState {
  const row = readRow(sql);
  const { merging_first: first, merging_end: end, merging_level: level } = row;
  const { checkpoint: text, checkpoint_size: size, checkpoint_key: verifierKey } = row;
  return {
    closedEnd: row.closed_end,
    closedLogged: row.closed_logged,
    closedMac: row.closed_mac,
    closingEnd: row.closing_end,
    merging: first === null || end === null || level === null ? null : { first, end, level },
    checkpoint: text === null || verifierKey === null ? null : { text, size, verifierKey },
    movedSeq: row.moved_seq,
    heldFrom: row.held_from,
    prunedEnd: row.pruned_end,
  };
}

export function changeState(sql: SqlStorage, change: Partial<LogState>): void {
  const state = { ...readState(sql), ...change };
  const { merging, checkpoint } = state;
  sql.exec(
    `UPDATE state SET closed_end = ?, closed_logged = ?, closed_mac = ?, closing_end = ?,
      merging_first = ?, merging_end = ?, merging_level = ?, checkpoint = ?, checkpoint_size = ?, checkpoint_key = ?,
      moved_seq = ?, held_from = ?, pruned_end = ? WHERE id = 1`,
    ...[state.closedEnd, state.closedLogged, state.closedMac, state.closingEnd],
    ...[merging?.first ?? null, merging?.end ?? null, merging?.level ?? null],
    ...[checkpoint?.text ?? null, checkpoint?.size ?? 0, checkpoint?.verifierKey ?? null],
    ...[state.movedSeq, state.heldFrom, state.prunedEnd],
  );
}
