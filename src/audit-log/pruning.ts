// Deletes the oldest segments after the retention period. The tree and its checkpoints stay, so that later entries can be proved.
import type { PruneResult } from "./contract.ts";
import { listFrom, removeSegments } from "./segment-rows.ts";
import { changeState, type LogContext, readState } from "./state.ts";

/** Segments that one call deletes. */
const MAX_PRUNED = 500;

/**
 * Only from the start of the log and only segments of which every event was recorded before both times, so that what is left has no
 * gap. The files are deleted by the next alarm.
 * @param olderThan epoch milliseconds
 */
export function pruneSegments({ storage }: LogContext, olderThan: number, now: number): PruneResult {
  const { sql } = storage;
  const { heldFrom, prunedEnd } = readState(sql);
  const limit = Math.min(olderThan, heldFrom ?? Number.POSITIVE_INFINITY);
  const oldest = listFrom(sql, prunedEnd, MAX_PRUNED);
  const kept = oldest.findIndex(({ recordedTo }) => recordedTo >= limit);
  const pruned = kept < 0 ? oldest : oldest.slice(0, kept);
  const last = pruned.at(-1);
  if (!last) return { prunedUpTo: prunedEnd, isComplete: true };
  storage.transactionSync(() => {
    removeSegments(sql, pruned, now);
    changeState(sql, { prunedEnd: last.end });
  });
  return { prunedUpTo: last.end, isComplete: pruned.length < MAX_PRUNED };
}
