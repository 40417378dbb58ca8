// The list of a log's closed segments, and the files that are no longer part of it.
import { HOUR_MS } from "../platform/time.ts";
import { type LogFilter, type LogPosition, MAX_LISTED_SEGMENTS, type SegmentRef } from "./contract.ts";
import type { SegmentLevel } from "./segments/file-format.ts";
import { termMatcher } from "./segments/terms.ts";
import type { WrittenSegment } from "./segments/write-segment.ts";

type SegmentRow = {
  first_seq: number;
  end_seq: number;
  recorded_from: number;
  recorded_to: number;
  logged_from: number;
  logged_to: number;
  object_key: string;
  size: number;
  index_size: number;
};

export type LeveledSegment = SegmentRef & { level: SegmentLevel };

const toRef = (row: SegmentRow): SegmentRef => ({
  first: row.first_seq,
  end: row.end_seq,
  recordedFrom: row.recorded_from,
  recordedTo: row.recorded_to,
  loggedFrom: row.logged_from,
  loggedTo: row.logged_to,
  key: row.object_key,
  size: row.size,
  indexSize: row.index_size,
});

export function insertSegment(sql: SqlStorage, level: SegmentLevel, { ref, kid, terms }: WrittenSegment): void {
  sql.exec(
    `INSERT INTO segments (first_seq, end_seq, recorded_from, recorded_to, logged_from, logged_to, level, object_key, size,
      index_size, terms, kid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[ref.first, ref.end, ref.recordedFrom, ref.recordedTo, ref.loggedFrom, ref.loggedTo],
    ...[level, ref.key, ref.size, ref.indexSize, terms, kid],
  );
  keepFile(sql, ref.key);
}

/** Removes segments from the list; their files are deleted later. */
export function removeSegments(sql: SqlStorage, refs: readonly SegmentRef[], deleteAt: number): void {
  for (const { first, key } of refs) {
    sql.exec("DELETE FROM segments WHERE first_seq = ?", first);
    discardFile(sql, key, deleteAt);
  }
}

/** Gives a segment another file with the same entries, or names the key of the one that it has. */
export function replaceFile(sql: SqlStorage, { first, key, size, indexSize }: SegmentRef, kid: string): void {
  const update = "UPDATE segments SET object_key = ?, size = ?, index_size = ?, kid = ? WHERE first_seq = ?";
  sql.exec(update, key, size, indexSize, kid, first);
  keepFile(sql, key);
}

/** A file that was discarded by an attempt before may be in use again. */
const keepFile = (sql: SqlStorage, key: string): void => void sql.exec("DELETE FROM replaced WHERE object_key = ?", key);

/** Marks a file that no segment refers to for deletion. @param deleteAt epoch milliseconds */
export const discardFile = (sql: SqlStorage, key: string, deleteAt: number): void =>
  void sql.exec("INSERT OR REPLACE INTO replaced (object_key, delete_at) VALUES (?, ?)", key, deleteAt);

/** Segments that end after `fromSeq`, in order. */
export function listFrom(sql: SqlStorage, fromSeq: number, limit: number): SegmentRef[] {
  const query = `SELECT first_seq, end_seq, recorded_from, recorded_to, logged_from, logged_to, object_key, size, index_size
    FROM segments WHERE end_seq > ? ORDER BY first_seq LIMIT ?`;
  return sql.exec<SegmentRow>(query, fromSeq, limit).toArray().map(toRef);
}

export function readTerms(sql: SqlStorage, first: number): Uint8Array | null {
  const [row] = sql.exec<{ terms: ArrayBuffer }>("SELECT terms FROM segments WHERE first_seq = ?", first).toArray();
  return row ? new Uint8Array(row.terms) : null;
}

/** Segments with entries recorded from `from` to `to` (both inclusive) of which some were logged at `loggedFrom` or later. */
export function listByTime(sql: SqlStorage, from: number, to: number, loggedFrom: number, limit: number): SegmentRef[] {
  const query = `SELECT first_seq, end_seq, recorded_from, recorded_to, logged_from, logged_to, object_key, size, index_size
    FROM segments WHERE recorded_from <= ? AND recorded_to >= ? AND logged_to >= ? ORDER BY first_seq LIMIT ?`;
  return sql.exec<SegmentRow>(query, to, from, loggedFrom, limit).toArray().map(toRef);
}

/** First positions of the segments that are sealed under another key than `kid`, in no order. */
export const listOtherKeys = (sql: SqlStorage, kid: string): number[] =>
  sql
    .exec<{ first_seq: number }>("SELECT first_seq FROM segments INDEXED BY segments_by_kid WHERE kid <> ?", kid)
    .toArray()
    .map(({ first_seq }) => first_seq);

/** The segments of a range, in order. */
export function listWithin(sql: SqlStorage, first: number, end: number): SegmentRef[] {
  const query = `SELECT first_seq, end_seq, recorded_from, recorded_to, logged_from, logged_to, object_key, size, index_size
    FROM segments WHERE first_seq >= ? AND end_seq <= ? ORDER BY first_seq`;
  return sql.exec<SegmentRow>(query, first, end).toArray().map(toRef);
}

/** All segments, in order. */
export function listLeveled(sql: SqlStorage): LeveledSegment[] {
  const query = `SELECT first_seq, end_seq, recorded_from, recorded_to, logged_from, logged_to, object_key, size, index_size, level
    FROM segments ORDER BY first_seq`;
  const rows = sql.exec<SegmentRow & { level: SegmentLevel }>(query).toArray();
  return rows.map((row) => ({ ...toRef(row), level: row.level }));
}

export const setLevel = (sql: SqlStorage, first: number, level: SegmentLevel): void =>
  void sql.exec("UPDATE segments SET level = ? WHERE first_seq = ?", level, first);

/** Segments that may hold entries of the filter before a position, by descending `recordedTo`. */
export function selectSegments(
  sql: SqlStorage,
  filter: LogFilter,
  before: LogPosition | null,
): { segments: SegmentRef[]; isComplete: boolean } {
  const query = `SELECT first_seq, end_seq, recorded_from, recorded_to, logged_from, logged_to, object_key, size, index_size, terms
    FROM segments WHERE recorded_to >= ? AND recorded_from < ? AND recorded_from <= ? ORDER BY recorded_to DESC, first_seq DESC`;
  const bounds = [filter.from ?? 0, filter.to ?? Number.MAX_SAFE_INTEGER, before?.recorded ?? Number.MAX_SAFE_INTEGER];
  const mayMatch = termMatcher(filter);
  const segments: SegmentRef[] = [];
  for (const row of sql.exec<SegmentRow & { terms: ArrayBuffer }>(query, ...bounds)) {
    if (!mayMatch(row.terms)) continue;
    if (segments.length === MAX_LISTED_SEGMENTS) return { segments, isComplete: false };
    segments.push(toRef(row));
  }
  return { segments, isComplete: true };
}

/** Lists that began before still read the files that were replaced. */
export const REPLACED_MS = HOUR_MS;
const MAX_DELETED_FILES = 500;

/** Deletes files whose time has come; repeating it is harmless. @returns whether there were any */
export async function deleteReplaced(sql: SqlStorage, bucket: R2Bucket, now: number): Promise<boolean> {
  const query = "SELECT object_key FROM replaced WHERE delete_at <= ? LIMIT ?";
  const keys = sql.exec<{ object_key: string }>(query, now, MAX_DELETED_FILES).toArray();
  if (keys.length === 0) return false;
  await bucket.delete(keys.map(({ object_key }) => object_key));
  for (const { object_key } of keys) sql.exec("DELETE FROM replaced WHERE object_key = ?", object_key);
  return true;
}

export const nextDeletion = (sql: SqlStorage): number | null =>
  sql.exec<{ at: number | null }>("SELECT min(delete_at) AS at FROM replaced").one().at;
