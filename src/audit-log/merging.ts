// Merges the segments of a past day, and of a past month, so that a list over years opens few files.
import { getKeys } from "../platform/config.ts";
import { DAY_MS } from "../platform/time.ts";
import type { SegmentRef } from "./contract.ts";
import { firstOpen } from "./entries.ts";
import {
  discardFile,
  insertSegment,
  type LeveledSegment,
  listLeveled,
  listWithin,
  REPLACED_MS,
  removeSegments,
  setLevel,
} from "./segment-rows.ts";
import { mergeSegments, planMerges } from "./segments/merge-segments.ts";
import { changeState, type LogContext, type LogState, readState } from "./state.ts";

type Merge = NonNullable<LogState["merging"]>;
type Period = { from: "hour" | "day"; to: "day" | "month"; endOf: (time: number) => number };

const endOfDay = (time: number): number => (Math.floor(time / DAY_MS) + 1) * DAY_MS;
const endOfMonth = (time: number): number => Date.UTC(new Date(time).getUTCFullYear(), new Date(time).getUTCMonth() + 1);
const PERIODS: readonly Period[] = [
  { from: "hour", to: "day", endOf: endOfDay },
  { from: "day", to: "month", endOf: endOfMonth },
];

/**
 * The next merge: segments of the first UTC day that is over and of which no entry is open, as many as one file may hold; when no
 * day is left, likewise of a month.
 * @param openSince when the first open entry was logged  @param now both in epoch milliseconds
 */
export function planMerge(segments: readonly LeveledSegment[], openSince: number | null, now: number): Merge | null {
  for (const { from, to, endOf } of PERIODS) {
    const start = segments.findIndex(({ level }) => level === from);
    const first = segments[start];
    if (!first) continue;
    const end = endOf(first.loggedTo);
    const isOver = end <= now && (openSince === null || openSince >= end);
    // A merged day may follow only where no hour is left in between.
    if (!isOver || (from === "day" && segments.some(({ level, loggedTo }) => level === "hour" && loggedTo < end))) continue;
    const rest = segments.slice(start);
    const other = rest.findIndex(({ level, loggedTo }) => level !== from || endOf(loggedTo) !== end);
    const [group] = planMerges(other < 0 ? rest : rest.slice(0, other));
    return { first: first.first, end: group?.at(-1)?.end ?? first.end, level: to };
  }
  return null;
}

/** When there is something to merge, epoch milliseconds; null for never. */
export function nextMergeAt(segments: readonly LeveledSegment[], openSince: number | null, now: number): number | null {
  if (planMerge(segments, openSince, now)) return now;
  const ends = PERIODS.flatMap(({ from, endOf }) =>
    segments.filter(({ level }) => level === from).map(({ loggedTo }) => endOf(loggedTo)),
  );
  // What is over already waits for open entries, hence for the next closing.
  const future = ends.filter((end) => end > now);
  return future.length > 0 ? Math.min(...future) : null;
}

/**
 * Does the merge under way, or the next one. The range is fixed first, so that a repetition after a crash writes the same file;
 * the list changes in one transaction after the file is stored.
 * @returns false if there was nothing to do
 */
export async function mergeNext(log: LogContext, now: number): Promise<boolean> {
  const { storage } = log;
  const { sql } = storage;
  const merge = readState(sql).merging ?? planMerge(listLeveled(sql), firstOpen(sql)?.logged ?? null, now);
  if (!merge) return false;
  const [first, ...others] = listWithin(sql, merge.first, merge.end);
  if (first && others.length > 0) await mergeFiles(log, merge, [first, ...others], now);
  else {
    storage.transactionSync(() => {
      if (first) setLevel(sql, first.first, merge.level);
      changeState(sql, { merging: null });
    });
  }
  return true;
}

async function mergeFiles({ storage, env, logId }: LogContext, merge: Merge, refs: SegmentRef[], now: number): Promise<void> {
  const { sql } = storage;
  changeState(sql, { merging: merge });
  const merged = await mergeSegments(env.FILES, (await getKeys(env)).audit, logId, merge.level, refs);
  storage.transactionSync(() => {
    if (isDeepEqual(listWithin(sql, merge.first, merge.end), refs)) {
      removeSegments(sql, refs, now + REPLACED_MS);
      insertSegment(sql, merge.level, merged);
    } else {
      // Some were pruned meanwhile. The others are merged later.
      discardFile(sql, merged.ref.key, now);
    }
    changeState(sql, { merging: null });
  });
}

const isDeepEqual = (a: SegmentRef[], b: SegmentRef[]): boolean => JSON.stringify(a) === JSON.stringify(b);
