// Closes segments: moves the oldest entries of an object into a file in R2.
import { getKeys } from "../platform/config.ts";
import { HOUR_MS } from "../platform/time.ts";
import { firstOpen, lastOpen, readBlocks, readRows } from "./entries.ts";
import { keepRecentIds } from "./known-ids.ts";
import { insertSegment } from "./segment-rows.ts";
import { writeSegment } from "./segments/write-segment.ts";
import { changeState, type LogContext, readState } from "./state.ts";
import { parseCheckpoint } from "./tree/note.ts";
import type { TreeStore } from "./tree-store.ts";

/** Entries of a segment. A log with as many open entries closes one at once. */
export const MAX_CLOSED_ENTRIES = 4_096;
/** Entries wait at most this long for their segment. */
export const MAX_OPEN_MS = HOUR_MS;
/** JSON of a segment's events in UTF-16 units: bounds the memory of closing, and the distinct terms of a segment. */
const MAX_CLOSED_LENGTH = 8 * 1_024 * 1_024;

/** When a segment is to be closed, epoch milliseconds; null without open entries. */
export function nextClosingAt(sql: SqlStorage, now: number): number | null {
  const first = firstOpen(sql);
  if (!first) return null;
  const isFull = (lastOpen(sql)?.seq ?? first.seq) - first.seq + 1 >= MAX_CLOSED_ENTRIES;
  return isFull || readState(sql).closingEnd !== null ? now : first.logged + MAX_OPEN_MS;
}

/**
 * Closes the segment under way, or the next one that is due: fixes its range, writes the file, then the tiles and a checkpoint that
 * covers it, and last replaces the rows by a row of the list in one transaction. A repetition after a crash finds or writes the
 * same objects. Appends continue meanwhile, behind the range.
 * @param tree  @returns false if none was due
 */
export async function closeNext({ storage, env, logId }: LogContext, tree: TreeStore, now: number): Promise<boolean> {
  const { sql } = storage;
  if ((nextClosingAt(sql, now) ?? Number.POSITIVE_INFINITY) > now) return false;
  const { closedEnd, closingEnd } = readState(sql);
  const end = closingEnd ?? findEnd(sql, closedEnd);
  if (closingEnd === null) changeState(sql, { closingEnd: end });
  const ring = (await getKeys(env)).audit;
  const written = await writeSegment(env.FILES, ring, logId, "hour", readBlocks(sql, closedEnd, end));
  const { checkpoint } = await tree.cover(end);
  // By the signed note itself: rows whose leaves no tree has are not deleted.
  if ((parseCheckpoint(checkpoint)?.size ?? 0) < end) throw new Error("no checkpoint covers the segment");
  storage.transactionSync(() => {
    const [last] = readRows(sql, end - 1, end);
    if (!last) throw new Error("the last entry of the segment is missing");
    insertSegment(sql, "hour", written);
    keepRecentIds(sql, end, now);
    sql.exec("DELETE FROM entries WHERE seq < ?", end);
    changeState(sql, { closedEnd: end, closedLogged: last.logged, closedMac: last.mac, closingEnd: null });
  });
  return true;
}

/** The end of a segment that begins at `first`: as many entries as there are, within the bounds. */
function findEnd(sql: SqlStorage, first: number): number {
  const query = "SELECT seq, length(event) AS length FROM entries WHERE seq >= ? ORDER BY seq LIMIT ?";
  let end = first;
  let total = 0;
  for (const { seq, length } of sql.exec<{ seq: number; length: number }>(query, first, MAX_CLOSED_ENTRIES)) {
    total += length;
    if (end > first && total > MAX_CLOSED_LENGTH) break;
    end = seq + 1;
  }
  return end;
}
