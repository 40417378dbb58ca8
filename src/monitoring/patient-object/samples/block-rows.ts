// Rows of a patient's object that hold closed blocks, blocks of late samples and the list of archive files.

import { MAX_CLOCK_LEAD_MS } from "../../../platform/device-times.ts";
import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import { appendBatch, countSamples, decodeBlock, type StoredBatch, type StoredSample } from "./blocks.ts";

/** A block is closed at this size or age. */
export const MAX_BLOCK_BYTES = 6_144;
export const MAX_BLOCK_OPEN_MS = 6 * HOUR_MS;
/** Samples that arrive this late go into a block of late samples, so that a query by time range finds them. */
export const MIN_LATE_MS = HOUR_MS;
/** A block of late samples takes those of one UTC day, so that a query by time need not look at blocks that end later than that. */
const MAX_LATE_RANGE_MS = DAY_MS;
/** The work of reading a row of an index or table, in bytes of decoded blocks. */
const ROW_BYTES = 64;

/** Older samples are rejected (sample-validation.ts). */
const MAX_SAMPLE_AGE_MS = 30 * DAY_MS;
/** A batch of many days opens a block per day, with ids after the present time. */
const MAX_ID_LEAD_MS = 60_000;

export type LocatedSample = StoredSample & { block: number };
export type BlockRow = { id: number; from_at: number; to_at: number; data: ArrayBuffer };
type LateRow = Pick<BlockRow, "id" | "data">;
export type ArchiveFile = { file: string; size: number };

export class BlockRows {
  readonly #sql: SqlStorage;
  readonly #hasTables: () => boolean;
  /** Bytes of blocks decoded so far. */
  decodedBytes = 0;
  /** Rows that queries by time have read so far. */
  rowsRead = 0;

  constructor(sql: SqlStorage, hasTables: () => boolean) {
    this.#sql = sql;
    this.#hasTables = hasTables;
  }

  /** The measure of a call's work: decoded bytes, and rows at ROW_BYTES each. */
  get work(): number {
    return this.decodedBytes + this.rowsRead * ROW_BYTES;
  }

  /** Counts the rows that the query reads. */
  *#scan<T extends Record<string, SqlStorageValue>>(query: string, ...values: number[]): Generator<T> {
    const cursor = this.#sql.exec<T>(query, ...values);
    try {
      yield* cursor;
    } finally {
      this.rowsRead += cursor.rowsRead;
    }
  }

  decode(data: ArrayBuffer | Uint8Array): StoredSample[] {
    const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
    this.decodedBytes += bytes.length;
    return decodeBlock(bytes);
  }

  /** The samples of a block with `from` ≤ time < `to`. */
  decodeRange(block: number, data: ArrayBuffer | Uint8Array, from: number, to: number): LocatedSample[] {
    return this.decode(data).flatMap((sample) => (sample.at >= from && sample.at < to ? [{ ...sample, block }] : []));
  }

  insertClosed(id: number, data: Uint8Array<ArrayBuffer>): void {
    const { from, to } = toMeasuredRange(decodeBlock(data));
    this.#sql.exec("INSERT INTO blocks (id, from_at, to_at, data) VALUES (?, ?, ?, ?)", id, from, to, data);
  }

  /**
   * Appends late samples of one UTC day to the day's open block if it has room, else to a new one.
   * @param openId the id of the day's open block; undefined for none
   * @returns the block's id and the index of the first sample
   */
  appendLate(batch: StoredBatch, openId: number | undefined, now: number): { id: number; index: number } {
    const [found] =
      openId === undefined
        ? []
        : this.#sql.exec<BlockRow>("SELECT id, from_at, to_at, data FROM late WHERE id = ?", openId).toArray();
    const open = found && hasRoom(found, now) ? found : null;
    const added = toMeasuredRange(batch.samples);
    const before = open ? new Uint8Array(open.data) : null;
    const id = open?.id ?? Math.max(this.#newestLate() + 1, now);
    const from = Math.min(added.from, open?.from_at ?? added.from);
    const to = Math.max(added.to, open?.to_at ?? added.to);
    this.#sql.exec(
      "INSERT INTO late (id, from_at, to_at, data) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET from_at = excluded.from_at, to_at = excluded.to_at, data = excluded.data",
      id,
      from,
      to,
      appendBatch(before, batch),
    );
    return { id, index: before ? countSamples(before) : 0 };
  }

  #newestLate(): number {
    return this.#sql.exec<{ id: number | null }>("SELECT max(id) AS id FROM late").one().id ?? 0;
  }

  /** Closed and late blocks that may have samples with `from` ≤ time < `to`. Ids of late blocks are negative. */
  *listRange(from: number, to: number): Generator<LateRow> {
    // A block holds samples measured from an hour before it opened until it closed.
    yield* this.#scan<LateRow>(
      "SELECT id, data FROM blocks WHERE id >= ? AND id < ? AND to_at >= ? AND from_at < ?",
      from - MAX_BLOCK_OPEN_MS - MIN_LATE_MS,
      to + MIN_LATE_MS + MAX_BLOCK_OPEN_MS,
      from,
      to,
    );
    yield* this.#scan<LateRow>(
      `SELECT -id AS id, data FROM late INDEXED BY late_by_time
         WHERE to_at >= ?1 AND to_at < ?2 + ?3 AND from_at < ?2 AND to_at - from_at <= 86400000
       UNION ALL SELECT -id, data FROM late INDEXED BY late_over_a_day
         WHERE to_at - from_at > 86400000 AND to_at >= ?1 AND from_at < ?2`,
      from,
      to,
      MAX_LATE_RANGE_MS,
    );
  }

  /** The data of a closed or late block; null when it is not here. */
  find(id: number): ArrayBuffer | null {
    const query = id < 0 ? "SELECT data FROM late WHERE id = ?" : "SELECT data FROM blocks WHERE id = ?";
    const [row] = this.#sql.exec<{ data: ArrayBuffer }>(query, Math.abs(id)).toArray();
    return row?.data ?? null;
  }

  /** Replaces the data of a closed or late block, whose samples have the same times. */
  replace(id: number, data: Uint8Array<ArrayBuffer>): void {
    const query = id < 0 ? "UPDATE late SET data = ? WHERE id = ?" : "UPDATE blocks SET data = ? WHERE id = ?";
    this.#sql.exec(query, data, Math.abs(id));
  }

  /** Blocks that were opened before a time, oldest first, for the archive. */
  listOpenedBefore(time: number, limit: number): BlockRow[] {
    const rows = this.#sql.exec<BlockRow>(
      "SELECT id, from_at, to_at, data FROM blocks WHERE id < ? UNION ALL SELECT -id, from_at, to_at, data FROM late WHERE id < ? ORDER BY 2 LIMIT ?",
      time,
      time,
      limit,
    );
    return rows.toArray();
  }

  /** Records an archive file and deletes its blocks. */
  recordArchive(file: string, size: number, blocks: readonly BlockRow[]): void {
    const from = Math.min(...blocks.map(({ from_at }) => from_at));
    const to = Math.max(...blocks.map(({ to_at }) => to_at));
    this.#sql.exec("INSERT INTO archives (from_at, to_at, file, size) VALUES (?, ?, ?, ?)", from, to, file, size);
    for (const { id } of blocks)
      this.#sql.exec(id < 0 ? "DELETE FROM late WHERE id = ?" : "DELETE FROM blocks WHERE id = ?", Math.abs(id));
  }

  listArchives(): ArchiveFile[] {
    if (!this.#hasTables()) return [];
    return this.#sql.exec<ArchiveFile>("SELECT file, size FROM archives ORDER BY id").toArray();
  }

  /** @returns false when the archive has another file by now */
  replaceArchive(file: string, newFile: string): boolean {
    return this.#sql.exec("UPDATE archives SET file = ? WHERE file = ?", newFile, file).rowsWritten > 0;
  }

  findArchives(from: number, to: number): ArchiveFile[] {
    if (!this.#hasTables()) return [];
    return this.#sql
      .exec<ArchiveFile>("SELECT file, size FROM archives WHERE to_at >= ? AND from_at < ? ORDER BY id", from, to)
      .toArray();
  }

  /** An upper bound of the times of all samples before `to` in these rows, epoch milliseconds; null when there are none. */
  newestBefore(to: number): number | null {
    // A sample reaches the block that is open when it arrives, so no earlier block has one that is newer than this bound.
    const closed = this.#scan<{ id: number; to_at: number }>(
      "SELECT id, to_at FROM blocks WHERE id < ? AND from_at < ? ORDER BY id DESC LIMIT 1",
      to + MIN_LATE_MS,
      to,
    );
    const others = this.#scan<{ to_at: number }>(
      `SELECT * FROM (SELECT to_at FROM late INDEXED BY late_by_time
         WHERE to_at < ?1 + ?2 AND from_at < ?1 AND to_at - from_at <= 86400000 ORDER BY to_at DESC LIMIT 1)
       UNION ALL SELECT * FROM (SELECT to_at FROM late INDEXED BY late_over_a_day
         WHERE to_at - from_at > 86400000 AND from_at < ?1 ORDER BY to_at DESC LIMIT 1)
       UNION ALL SELECT * FROM (SELECT to_at FROM archives WHERE from_at < ?1 ORDER BY to_at DESC LIMIT 1)`,
      to,
      MAX_LATE_RANGE_MS,
    );
    const times = [
      ...[...closed].map(({ id, to_at }) => Math.max(id + MAX_CLOCK_LEAD_MS, to_at)),
      ...[...others].map(({ to_at }) => to_at),
    ];
    return times.length > 0 ? Math.max(...times) : null;
  }

  /** A lower bound of the times of all samples from `from` on in these rows, epoch milliseconds; null when there are none. */
  oldestFrom(from: number): number | null {
    // Later blocks opened later, and none holds samples of more than an hour before.
    const closed = this.#scan<{ id: number }>(
      "SELECT id FROM blocks WHERE id >= ? AND to_at >= ? ORDER BY id LIMIT 1",
      from - MAX_BLOCK_OPEN_MS - MIN_LATE_MS,
      from,
    );
    const late = this.#scan<{ to_at: number }>(
      "SELECT to_at FROM late INDEXED BY late_by_time WHERE to_at >= ? AND to_at - from_at <= 86400000 ORDER BY to_at LIMIT 1",
      from,
    );
    const others = this.#scan<{ from_at: number | null }>(
      `SELECT min(from_at) AS from_at FROM late INDEXED BY late_over_a_day WHERE to_at - from_at > 86400000 AND to_at >= ?1
       UNION ALL SELECT min(from_at) FROM archives WHERE to_at >= ?1`,
      from,
    );
    const times = [
      ...[...closed].map(({ id }) => id - MIN_LATE_MS),
      ...[...late].map(({ to_at }) => to_at - MAX_LATE_RANGE_MS),
      ...[...others].flatMap(({ from_at }) => from_at ?? []),
    ];
    return times.length > 0 ? Math.max(from, Math.min(...times)) : null;
  }

  /** Closed and late blocks that may have samples that were received with `from` ≤ time < `to`. Ids of late blocks are negative. */
  *listReceived(from: number, to: number): Generator<LateRow> {
    yield* this.#scan<LateRow>(
      "SELECT id, data FROM blocks WHERE id >= ?1 AND id < ?2 UNION ALL SELECT -id, data FROM late WHERE id >= ?1 AND id < ?2",
      from - MAX_BLOCK_OPEN_MS - MAX_ID_LEAD_MS,
      to + MAX_ID_LEAD_MS,
    );
  }

  /** A bound of when the nearest block before or after a time received its samples; null when there is none. */
  nearestReceived(time: number, isBefore: boolean): number | null {
    const query = isBefore
      ? "SELECT max(id) AS id FROM (SELECT max(id) AS id FROM blocks WHERE id < ?1 UNION ALL SELECT max(id) FROM late WHERE id < ?1)"
      : "SELECT min(id) AS id FROM (SELECT min(id) AS id FROM blocks WHERE id >= ?1 UNION ALL SELECT min(id) FROM late WHERE id >= ?1)";
    const start = isBefore ? time + MAX_ID_LEAD_MS : time - MAX_BLOCK_OPEN_MS - MAX_ID_LEAD_MS;
    const [row] = [...this.#scan<{ id: number | null }>(query, start)];
    const id = row?.id ?? null;
    if (id === null) return null;
    return isBefore ? Math.min(time, id + MAX_BLOCK_OPEN_MS + MAX_ID_LEAD_MS) : Math.max(time, id - MAX_ID_LEAD_MS);
  }

  /** When the oldest block that is not archived was opened; null for none. */
  oldestOpenedAt(): number | null {
    if (!this.#hasTables()) return null;
    const [row] = this.#sql
      .exec<{ id: number | null }>(
        "SELECT min(id) AS id FROM (SELECT min(id) AS id FROM blocks UNION ALL SELECT min(id) FROM late)",
      )
      .toArray();
    return row?.id ?? null;
  }
}

/** The time range in which the samples of a block can have been measured, by its id alone. */
export function toPossibleRange(block: number): { from: number; to: number } {
  return block < 0
    ? { from: -block - MAX_SAMPLE_AGE_MS - MAX_ID_LEAD_MS, to: -block + MAX_BLOCK_OPEN_MS }
    : { from: block - MIN_LATE_MS, to: block + MAX_BLOCK_OPEN_MS + MIN_LATE_MS };
}

function hasRoom({ id, data }: BlockRow, now: number): boolean {
  return data.byteLength < MAX_BLOCK_BYTES && now - id < MAX_BLOCK_OPEN_MS && now >= id - MAX_ID_LEAD_MS;
}

function toMeasuredRange(samples: readonly { at: number }[]): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { at } of samples) {
    from = Math.min(from, Math.floor(at));
    to = Math.max(to, Math.ceil(at));
  }
  return { from, to };
}
