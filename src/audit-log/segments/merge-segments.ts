// Merges consecutive segment files of a log into one.
import type { KeyRing } from "../../platform/crypto.ts";
import type { LogEntry, SegmentRef } from "../contract.ts";
import type { SegmentLevel } from "./file-format.ts";
import { readSegmentForward } from "./read-segment.ts";
import { type WrittenSegment, writeSegment } from "./write-segment.ts";

/** Entries and sealed bytes of a merged file. It is held in memory while it is written. */
export const MAX_MERGED_ENTRIES = 65_536;
export const MAX_MERGED_BYTES = 24 * 1_024 * 1_024;

/**
 * Groups consecutive segments into files within these bounds. A segment is not split; a group may be a single segment.
 * @param refs ascending and without gaps
 */
export function planMerges(refs: readonly SegmentRef[]): SegmentRef[][] {
  const groups: SegmentRef[][] = [];
  for (const ref of refs) {
    const group = groups.at(-1);
    const bytes = (group ?? []).reduce((sum, { size }) => sum + size, ref.size);
    if (group?.[0] && ref.end - group[0].first <= MAX_MERGED_ENTRIES && bytes <= MAX_MERGED_BYTES) group.push(ref);
    else groups.push([ref]);
  }
  return groups;
}

async function* readAll(bucket: R2Bucket, ring: KeyRing, refs: readonly SegmentRef[]): AsyncGenerator<LogEntry[], void> {
  for (const ref of refs) yield* readSegmentForward(bucket, ring, ref);
}

/**
 * Writes the entries of consecutive segments into one file; safe to repeat. Deletes nothing.
 * @param refs ascending and without gaps, within the bounds of planMerges
 * @throws RangeError for a gap or beyond the bounds; SegmentGoneError; ApiError integrity_error
 */
export function mergeSegments(
  bucket: R2Bucket,
  ring: KeyRing,
  logId: string,
  level: SegmentLevel,
  refs: readonly SegmentRef[],
): Promise<WrittenSegment> {
  if (refs.length > 1 && planMerges(refs).length > 1) throw new RangeError("too many entries or bytes for one segment");
  return writeSegment(bucket, ring, logId, level, readAll(bucket, ring, refs));
}
