// Rows of entries that are in no segment yet.
import { toBase64Url } from "../platform/base64.ts";
import {
  type AuditLogEvent,
  compareNewestFirst,
  type LogEntry,
  type LogFilter,
  type LogPosition,
  matchesFilter,
  type OpenEntries,
} from "./contract.ts";
import { readState } from "./state.ts";

export type EntryRow = { seq: number; id: string; logged: number; event: string; seed: ArrayBuffer };
export type ChainedRow = EntryRow & { leaf_hash: ArrayBuffer; mac: string };

/** Entries of a block of a segment: those with equal `seq >> 8`, as in an entry bundle of C2SP tlog-tiles. */
const BLOCK_ENTRIES = 256;

export const toEntry = ({ seq, logged, event, seed }: EntryRow): LogEntry => ({
  ...(JSON.parse(event) as AuditLogEvent),
  seq,
  logged,
  seed: toText(seed),
});

/** Position and time of the first row; null without rows. */
export const firstOpen = (sql: SqlStorage): { seq: number; logged: number } | null =>
  sql.exec<{ seq: number; logged: number }>("SELECT seq, logged FROM entries ORDER BY seq LIMIT 1").toArray()[0] ?? null;

/** The last row's position, time and MAC; null without rows. */
export const lastOpen = (sql: SqlStorage): { seq: number; logged: number; mac: string } | null =>
  sql
    .exec<{ seq: number; logged: number; mac: string }>("SELECT seq, logged, mac FROM entries ORDER BY seq DESC LIMIT 1")
    .toArray()[0] ?? null;

/** Rows from `first` up to `end`, exclusive; `end` also bounds how many are read at once. */
export const readRows = (sql: SqlStorage, first: number, end: number): ChainedRow[] =>
  sql.exec<ChainedRow>("SELECT * FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq", first, end).toArray();

/** The leaf hashes from `first` up to `end`, exclusive. */
export function* readLeafHashes(sql: SqlStorage, first: number, end: number): Generator<Uint8Array> {
  const query = "SELECT leaf_hash FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq";
  for (const row of sql.exec<{ leaf_hash: ArrayBuffer }>(query, first, end)) yield new Uint8Array(row.leaf_hash);
}

/** Blocks of entries from `first` up to `end`, exclusive, read one at a time. Rows in the range must not change meanwhile. */
export async function* readBlocks(sql: SqlStorage, first: number, end: number): AsyncGenerator<LogEntry[]> {
  for (let from = first; from < end; ) {
    const to = Math.min(end, (Math.floor(from / BLOCK_ENTRIES) + 1) * BLOCK_ENTRIES);
    yield readRows(sql, from, to).map(toEntry);
    from = to;
  }
}

export const findOpenEntry = (sql: SqlStorage, id: string): LogEntry | null => {
  const [row] = sql.exec<EntryRow>("SELECT seq, id, logged, event, seed FROM entries WHERE id = ? LIMIT 1", id).toArray();
  return row ? toEntry(row) : null;
};

/** The newest matching entries before a position. Reads every row, and keeps at most twice `limit` of them. */
export function selectOpen(sql: SqlStorage, filter: LogFilter, before: LogPosition | null, limit: number): LogEntry[] {
  const names = filter.patientIds?.map((id) => JSON.stringify(id)) ?? null;
  const found: LogEntry[] = [];
  for (const row of sql.exec<EntryRow>("SELECT seq, id, logged, event, seed FROM entries ORDER BY seq DESC")) {
    // Saves parsing: an event about none of the patients does not contain their ids.
    if (names && !names.some((name) => row.event.includes(name))) continue;
    const entry = toEntry(row);
    if (!matchesFilter(entry, filter) || (before && compareNewestFirst(before, entry) >= 0)) continue;
    found.push(entry);
    if (found.length >= 2 * limit) found.sort(compareNewestFirst).splice(limit);
  }
  return found.sort(compareNewestFirst).slice(0, limit);
}

/** Rows after a position, as they are stored, and the MAC that their chain continues. */
export function readStored(sql: SqlStorage, afterSeq: number, limit: number): OpenEntries {
  const query = "SELECT * FROM entries WHERE seq > ? ORDER BY seq LIMIT ?";
  const entries = sql
    .exec<ChainedRow>(query, afterSeq, limit)
    .toArray()
    .map(({ leaf_hash, seed, ...row }) => ({ ...row, seed: toText(seed), leafHash: toText(leaf_hash) }));
  const [before] = readRows(sql, afterSeq, afterSeq + 1);
  return { entries, previousMac: before?.mac ?? readState(sql).closedMac };
}

const toText = (bytes: ArrayBuffer): string => toBase64Url(new Uint8Array(bytes));
