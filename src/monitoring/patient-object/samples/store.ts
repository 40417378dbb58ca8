// SQLite storage of a patient's object: packed blocks of samples, and one row with the open block and the memory.

import { migrateEmpty, migrateExisting } from "../../../platform/object-migrations.ts";
import { StoredDocumentError } from "../../../platform/stored-document.ts";
import { DAY_MS, HOUR_MS } from "../../../platform/time.ts";
import type { Facts } from "../context/facts.ts";
import { Outbox } from "../delivery/outbox.ts";
import { recoverMemory } from "../memory/damaged-memory.ts";
import { factsDocument, memoryDocument, type OutboxBodies } from "../memory/documents.ts";
import { type MonitorMemory, newMonitorMemory } from "../memory/monitor-memory.ts";
import { Documents } from "../memory/settings.ts";
import { appendBatch, countSamples, decodeBlock, type StoredBatch, type StoredSample } from "./blocks.ts";
import type { CorrectionBody } from "./correction.ts";
import { PATIENT_MONITOR_MIGRATIONS } from "./schema.ts";

/** A block is closed at this size or age. */
const MAX_BLOCK_BYTES = 6_144;
const MAX_BLOCK_OPEN_MS = 6 * HOUR_MS;
/** Samples that arrive this late go into a separate block, so that a query by time range finds them. */
export const MIN_LATE_MS = HOUR_MS;
/** Older samples are rejected (sample-validation.ts). */
const MAX_SAMPLE_AGE_MS = 30 * DAY_MS;

export type LocatedSample = StoredSample & { block: number };

type OpenBlock = { block: number; data: Uint8Array<ArrayBuffer> | null; memory: MonitorMemory };

export class Store {
  readonly outbox: Outbox;
  readonly documents: Documents;
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #report: (error: StoredDocumentError) => void;
  #hasTables: boolean;
  /** The text of an unreadable memory document, for the next save. */
  #damaged: string | null = null;
  #open: OpenBlock | undefined;
  #isDirty = false;
  #facts: Facts | null | undefined;
  /** Closed hours whose recount is running, without changes since it began. */
  recounting = new Set<number>();
  /** Number of writes to other rows: the open row must be saved in the same transaction, or a crash leaves them inconsistent. */
  writes = 0;

  /** @param report called with the error of each unreadable document  @throws MigrationError */
  constructor(storage: DurableObjectStorage, report: (error: StoredDocumentError) => void) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#report = report;
    this.outbox = new Outbox(storage.sql);
    this.documents = new Documents(storage.sql, report, () => this.#hasTables);
    this.#hasTables = migrateExisting(storage, PATIENT_MONITOR_MIGRATIONS);
  }

  /** Creates the tables on the first write: an object that was only read stores nothing. */
  createTables(): void {
    if (this.#hasTables) return;
    migrateEmpty(this.#storage, PATIENT_MONITOR_MIGRATIONS);
    this.#hasTables = true;
  }

  get hasTables(): boolean {
    return this.#hasTables;
  }

  /** Drops cached state after a rollback. */
  discard(): void {
    this.#open = undefined;
    this.#isDirty = false;
    this.#facts = undefined;
    this.outbox.discard();
  }

  #load(now: number): OpenBlock {
    if (this.#open) return this.#open;
    if (!this.#hasTables) return { block: now, data: null, memory: newMonitorMemory(now) };
    const [row] = this.#sql
      .exec<{ block: number; data: ArrayBuffer | null; memory: string }>("SELECT block, data, memory FROM open")
      .toArray();
    this.#open = row
      ? { block: row.block, data: row.data && new Uint8Array(row.data), memory: this.#readMemory(row.memory, now) }
      : { block: now, data: null, memory: newMonitorMemory(now) };
    return this.#open;
  }

  /** @throws StoredDocumentError for a document of a newer version, which must not be overwritten */
  #readMemory(text: string, now: number): MonitorMemory {
    try {
      return memoryDocument.read(text);
    } catch (error) {
      if (!(error instanceof StoredDocumentError) || error.isNewer) throw error;
      this.#report(error);
      this.#damaged = text;
      this.#isDirty = true;
      return recoverMemory(text, now);
    }
  }

  memory(now: number): MonitorMemory {
    return this.#load(now).memory;
  }

  /** Marks the memory as changed; `save` writes it. */
  markDirty(now: number): void {
    this.#open = this.#load(now);
    this.#isDirty = true;
  }

  /** Writes the open block and the memory as one row if they have changed. */
  save(): void {
    const open = this.#open;
    if (!open || !this.#isDirty) return;
    this.#isDirty = false;
    this.#saveDamaged();
    this.#sql.exec(
      "INSERT INTO open (id, block, data, memory) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET block = excluded.block, data = excluded.data, memory = excluded.memory",
      open.block,
      open.data,
      memoryDocument.write(open.memory),
    );
  }

  /** Only the first damaged text is kept: later ones derive from it. */
  #saveDamaged(): void {
    if (this.#damaged === null) return;
    this.#sql.exec("INSERT INTO settings (name, value) VALUES ('memory.damaged', ?) ON CONFLICT DO NOTHING", this.#damaged);
    this.#damaged = null;
  }

  /** The position of the first sample of a batch that arrives now. */
  nextPosition(now: number): { block: number; index: number } {
    const { block, data } = this.#blockWithRoom(now);
    return { block, index: data ? countSamples(data) : 0 };
  }

  #isFull({ block, data }: OpenBlock, now: number): boolean {
    return data !== null && (data.length >= MAX_BLOCK_BYTES || now - block >= MAX_BLOCK_OPEN_MS);
  }

  #blockWithRoom(now: number): OpenBlock {
    const open = this.#load(now);
    // An empty block opens with its first batch, not when the patient was configured.
    if (open.data === null) return { ...open, block: Math.max(now, open.block) };
    return this.#isFull(open, now) ? { ...open, block: Math.max(now, open.block + 1), data: null } : open;
  }

  /** Appends a batch to the open block, which `save` writes; closes a full block first. */
  appendToOpenBlock(batch: StoredBatch, now: number): void {
    const before = this.#load(now);
    if (before.data && this.#isFull(before, now)) this.#writeBlock(before.block, before.data);
    const open = this.#blockWithRoom(now);
    this.#open = { ...open, data: appendBatch(open.data, batch) };
    this.#isDirty = true;
  }

  #writeBlock(block: number, data: Uint8Array<ArrayBuffer>): void {
    this.writes++;
    const { from, to } = toMeasuredRange(decodeBlock(data));
    this.#sql.exec("INSERT INTO blocks (id, from_at, to_at, data) VALUES (?, ?, ?, ?)", block, from, to, data);
  }

  /** Writes a separate block of late samples. @returns its id, negative */
  appendLate(batch: StoredBatch, now: number): number {
    this.writes++;
    const data = appendBatch(null, batch);
    const { from, to } = toMeasuredRange(decodeBlock(data));
    const [row] = this.#sql.exec<{ id: number }>("SELECT coalesce(max(id), 0) AS id FROM late").toArray();
    const id = Math.max((row?.id ?? 0) + 1, now);
    this.#sql.exec("INSERT INTO late (id, from_at, to_at, data) VALUES (?, ?, ?, ?)", id, from, to, data);
    // Negative, so that ids of the two kinds of blocks never collide.
    return -id;
  }

  /** Uncorrected samples with `from` ≤ time < `to`, block by block to bound memory. */
  *readRange(from: number, to: number, now: number): Generator<LocatedSample[]> {
    if (!this.#hasTables) return;
    const inRange = (block: number, data: Uint8Array): LocatedSample[] =>
      decodeBlock(data).flatMap((sample) => (sample.at >= from && sample.at < to ? [{ ...sample, block }] : []));
    // A block holds samples measured from an hour before it opened until it closed.
    const closed = this.#sql.exec<{ id: number; data: ArrayBuffer }>(
      "SELECT id, data FROM blocks WHERE id >= ? AND id < ? AND to_at >= ? AND from_at < ?",
      from - MAX_BLOCK_OPEN_MS - MIN_LATE_MS,
      to + MIN_LATE_MS + MAX_BLOCK_OPEN_MS,
      from,
      to,
    );
    for (const { id, data } of closed) yield inRange(id, new Uint8Array(data));
    const late = this.#sql.exec<{ id: number; data: ArrayBuffer }>(
      "SELECT id, data FROM late WHERE to_at >= ? AND from_at < ?",
      from,
      to,
    );
    for (const { id, data } of late) yield inRange(-id, new Uint8Array(data));
    const { block, data } = this.#load(now);
    if (data) yield inRange(block, data);
  }

  /** The samples of a block; null when it is not in this object. */
  block(id: number, now: number): StoredSample[] | null {
    if (!this.#hasTables) return null;
    const open = this.#load(now);
    if (id === open.block && open.data) return decodeBlock(open.data);
    const rows =
      id < 0
        ? this.#sql.exec<{ data: ArrayBuffer }>("SELECT data FROM late WHERE id = ?", -id)
        : this.#sql.exec<{ data: ArrayBuffer }>("SELECT data FROM blocks WHERE id = ?", id);
    const [row] = rows.toArray();
    return row ? decodeBlock(new Uint8Array(row.data)) : null;
  }

  /** Null before the first `configure`, and when unreadable: PatientMonitor then loads them from D1 again. */
  facts(): Facts | null {
    if (this.#facts === undefined) this.#facts = this.documents.setting(factsDocument);
    return this.#facts;
  }

  saveFacts(facts: Facts): void {
    this.#facts = facts;
    this.documents.saveSetting(factsDocument, facts);
  }

  /** Closed blocks older than a time, oldest first, for the archive. */
  listClosedBlocks(time: number, limit: number): { id: number; from_at: number; to_at: number; data: ArrayBuffer }[] {
    const rows = this.#sql.exec<{ id: number; from_at: number; to_at: number; data: ArrayBuffer }>(
      "SELECT id, from_at, to_at, data FROM blocks WHERE id < ? UNION ALL SELECT -id, from_at, to_at, data FROM late WHERE id < ? ORDER BY 2 LIMIT ?",
      time,
      time,
      limit,
    );
    return rows.toArray();
  }

  /** Records an archive file and deletes its blocks. */
  recordArchive(file: string, size: number, blocks: readonly { id: number; from_at: number; to_at: number }[]): void {
    this.writes++;
    const from = Math.min(...blocks.map(({ from_at }) => from_at));
    const to = Math.max(...blocks.map(({ to_at }) => to_at));
    this.#sql.exec("INSERT INTO archives (from_at, to_at, file, size) VALUES (?, ?, ?, ?)", from, to, file, size);
    for (const { id } of blocks) {
      if (id < 0) this.#sql.exec("DELETE FROM late WHERE id = ?", -id);
      else this.#sql.exec("DELETE FROM blocks WHERE id = ?", id);
    }
  }

  findArchives(from: number, to: number): { file: string; size: number }[] {
    if (!this.#hasTables) return [];
    return this.#sql
      .exec<{ file: string; size: number }>("SELECT file, size FROM archives WHERE to_at >= ? AND from_at < ?", from, to)
      .toArray();
  }

  /** Time of the oldest sample here or in the archive, epoch milliseconds; null for none. */
  oldestSampleAt(): number | null {
    if (!this.#hasTables) return null;
    const [row] = this.#sql
      .exec<{ at: number | null }>(
        "SELECT min(at) AS at FROM (SELECT min(from_at) AS at FROM blocks UNION ALL SELECT min(from_at) FROM late UNION ALL SELECT min(from_at) FROM archives UNION ALL SELECT block - 3600000 FROM open WHERE data IS NOT NULL)",
      )
      .toArray();
    return row?.at ?? null;
  }

  /** When the oldest block that is not archived was opened; null for none. */
  oldestBlockAt(): number | null {
    if (!this.#hasTables) return null;
    const [row] = this.#sql
      .exec<{ id: number | null }>(
        "SELECT min(id) AS id FROM (SELECT min(id) AS id FROM blocks UNION ALL SELECT min(id) FROM late)",
      )
      .toArray();
    return row?.id ?? null;
  }

  enqueueForD1<K extends keyof OutboxBodies>(kind: K, body: OutboxBodies[K]): void {
    this.writes++;
    this.outbox.add(kind, body);
  }

  /** The time range in which the samples of a block can have been measured. */
  toPossibleRange(block: number): { from: number; to: number } {
    return block < 0
      ? { from: -block - MAX_SAMPLE_AGE_MS, to: -block }
      : { from: block - MIN_LATE_MS, to: block + MAX_BLOCK_OPEN_MS + MIN_LATE_MS };
  }

  saveCorrection(block: number, place: number, body: CorrectionBody): void {
    this.writes++;
    this.documents.correct(block, place, body);
  }
}

function toMeasuredRange(samples: readonly StoredSample[]): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { at } of samples) {
    from = Math.min(from, at);
    to = Math.max(to, at);
  }
  return { from, to };
}
