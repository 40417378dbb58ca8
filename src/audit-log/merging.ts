// Merges the segments of a past day, and of a past month, so that a list over years opens few files.
import { getKeys } from "../platform/config.ts";
import { DAY_MS, HOUR_MS } from "../platform/time.ts";
import { firstOpen } from "./entries.ts";
import { insertSegment, listFrom, listSpans, removeSegments, type SegmentSpan, setLevel } from "./segment-rows.ts";
import { mergeSegments } from "./segments/segments.ts";
import { changeState, type LogContext, type LogState, readState } from "./state.ts";

export const MAX_SEGMENT_ENTRIES = 65_536;
/** Terms of the merged segments together, in bytes; they become one row, of at most 2 MB. */
const MAX_TERMS_BYTES = 1_048_576;
/** Lists that began before a merge still read the files that it replaced. */
const REPLACED_MS = HOUR_MS;

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
 */
export function planMerge(spans: readonly SegmentSpan[], openSince: number | null, now: number): Merge | null {
  for (const { from, to, endOf } of PERIODS) {
    const start = spans.findIndex(({ level }) => level === from);
    const first = spans[start];
    if (!first) continue;
    const end = endOf(first.loggedTo);
    if (end > now || (openSince !== null && openSince < end)) continue;
    // A day of the month that is not merged yet comes first.
    if (spans.some(({ level, loggedTo }) => level === "hour" && from === "day" && loggedTo < end)) continue;
    const rest = spans.slice(start);
    const length = rest.findIndex(
      ({ level, loggedTo, end: last }, i) =>
        level !== from ||
        endOf(loggedTo) !== end ||
        (i > 0 && last - first.first > MAX_SEGMENT_ENTRIES) ||
        (i > 0 && rest.slice(0, i + 1).reduce((sum, { termsSize }) => sum + termsSize, 0) > MAX_TERMS_BYTES),
    );
    const last = length < 0 ? rest.at(-1) : rest[length - 1];
    return { first: first.first, end: last?.end ?? first.end, level: to };
  }
  return null;
}

/** When a day or a month with segments of a smaller kind ends, epoch milliseconds; null for none. */
export function nextMergeAt(spans: readonly SegmentSpan[], openSince: number | null, now: number): number | null {
  if (planMerge(spans, openSince, now)) return now;
  const ends = PERIODS.flatMap(({ from, endOf }) => spans.filter(({ level }) => level === from).map(({ loggedTo }) => endOf(loggedTo)));
  const future = ends.filter((end) => end > now);
  return future.length > 0 ? Math.min(...future) : null;
}

/**
 * Does the merge under way, or the next one. The range is fixed first, so that a repetition after a crash writes the same file;
 * the list changes in one transaction after the file is stored.
 * @returns false if there was nothing to do
 */
export async function mergeNext({ storage, env, logId }: LogContext, now: number): Promise<boolean> {
  const { sql } = storage;
  const merge = readState(sql).merging ?? planMerge(listSpans(sql), firstOpen(sql)?.logged ?? null, now);
  if (!merge) return false;
  const refs = segmentsIn(sql, merge);
  if (refs.length === 1) {
    storage.transactionSync(() => {
      setLevel(sql, merge.first, merge.level);
      changeState(sql, { merging: null });
    });
    return true;
  }
  changeState(sql, { merging: merge });
  if (refs.length > 1) {
    const { ref, terms } = await mergeSegments(env.FILES, (await getKeys(env)).audit, logId, merge.level, refs);
    storage.transactionSync(() => {
      const isUnchanged = JSON.stringify(segmentsIn(sql, merge)) === JSON.stringify(refs);
      if (isUnchanged) {
        removeSegments(sql, refs, now + REPLACED_MS);
        insertSegment(sql, merge.level, ref, terms);
      } else {
        // Some were pruned meanwhile.
        sql.exec("INSERT OR REPLACE INTO replaced (object_key, delete_at) VALUES (?, ?)", ref.key, now);
      }
      changeState(sql, { merging: null });
    });
  } else changeState(sql, { merging: null });
  return true;
}

const segmentsIn = (sql: SqlStorage, { first, end }: Merge) =>
  listFrom(sql, first, MAX_SEGMENT_ENTRIES).filter((ref) => ref.first >= first && ref.end <= end);
