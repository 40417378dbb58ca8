// SQLite storage of a patient's object: packed blocks of samples (block-rows.ts), and one row with the open block and the memory.

import { MAX_CLOCK_LEAD_MS } from "../../../platform/device-times.ts";
import { migrateEmpty, migrateExisting } from "../../../platform/object-migrations.ts";
import { StoredDocumentError } from "../../../platform/stored-document.ts";
import { DAY_MS } from "../../../platform/time.ts";
import type { Facts } from "../context/facts.ts";
import { Outbox } from "../delivery/outbox.ts";
import { recoverMemory } from "../memory/damaged-memory.ts";
import { factsDocument, memoryDocument, type OutboxBodies } from "../memory/documents.ts";
import { type BlockPosition, type MonitorMemory, newMonitorMemory } from "../memory/monitor-memory.ts";
import { Documents } from "../memory/settings.ts";
import { type BlockRow, BlockRows, type LocatedSample, MAX_BLOCK_BYTES, MAX_BLOCK_OPEN_MS, MIN_LATE_MS } from "./block-rows.ts";
import { appendBatch, countSamples, type StoredBatch, type StoredSample } from "./blocks.ts";
import type { CorrectionBody } from "./correction.ts";
import { markInvalid } from "./mark-invalid.ts";
import { PATIENT_MONITOR_MIGRATIONS } from "./schema.ts";
import { SerialWork } from "./serial-work.ts";

type OpenBlock = { block: number; data: Uint8Array<ArrayBuffer> | null; memory: MonitorMemory };

export class Store {
  readonly outbox: Outbox;
  readonly rows: BlockRows;
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
  /** Writes of files in R2 with the rows that name them, and their deletion. */
  readonly fileWork = new SerialWork();
  /** Until then no blocks are archived: other file work was running. Epoch milliseconds. */
  archiveAgainAt = 0;
  /** Number of writes to other rows: the open row must be saved in the same transaction, or a crash leaves them inconsistent. */
  writes = 0;

  /** @param report called with the error of each unreadable document  @throws MigrationError */
  constructor(storage: DurableObjectStorage, report: (error: StoredDocumentError) => void) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#report = report;
    this.outbox = new Outbox(storage.sql);
    this.rows = new BlockRows(storage.sql, () => this.#hasTables);
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

  /** Forgets everything after the storage was emptied. */
  reset(): void {
    this.discard();
    this.#hasTables = false;
    this.#damaged = null;
    this.recounting.clear();
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
    if (before.data && this.#isFull(before, now)) {
      this.writes++;
      this.rows.insertClosed(before.block, before.data);
    }
    const open = this.#blockWithRoom(now);
    this.#open = { ...open, data: appendBatch(open.data, batch) };
    this.#isDirty = true;
  }

  /**
   * Writes late samples to the open late block of the UTC day in which they were measured.
   * @returns their positions in order; ids of late blocks are negative, so that those of the two kinds never collide
   */
  appendLate(batch: StoredBatch, now: number): BlockPosition[] {
    this.writes++;
    this.markDirty(now);
    const { lateBlocks } = this.memory(now);
    const positions: BlockPosition[] = [];
    const days = Map.groupBy(batch.samples.entries(), ([, { at }]) => Math.floor(at / DAY_MS));
    for (const [day, entries] of days) {
      const samples = entries.map(([, sample]) => sample);
      const { id, index } = this.rows.appendLate({ ...batch, samples }, lateBlocks[day], now);
      for (const [i, [place]] of entries.entries()) positions[place] = { block: -id, index: index + i };
      lateBlocks[day] = id;
    }
    for (const [day, id] of Object.entries(lateBlocks)) if (now - id >= MAX_BLOCK_OPEN_MS) delete lateBlocks[day];
    return positions;
  }

  /** Uncorrected samples with `from` ≤ time < `to`, block by block to bound memory. */
  *readRange(from: number, to: number, now: number): Generator<LocatedSample[]> {
    if (!this.#hasTables) return;
    for (const { id, data } of this.rows.listRange(from, to)) yield this.rows.decodeRange(id, data, from, to);
    const { block, data } = this.#load(now);
    if (data && to > block - MIN_LATE_MS) yield this.rows.decodeRange(block, data, from, to);
  }

  /** Marks stored samples as invalid, in their blocks. */
  markInvalid(places: readonly BlockPosition[], now: number): void {
    for (const [id, found] of Map.groupBy(places, ({ block }) => block)) {
      const indexes = new Set(found.map(({ index }) => index));
      const open = this.#load(now);
      if (id === open.block && open.data) {
        this.#open = { ...open, data: markInvalid(open.data, indexes) };
        this.#isDirty = true;
        continue;
      }
      const data = this.rows.find(id);
      if (!data) continue;
      this.writes++;
      this.rows.replace(id, markInvalid(new Uint8Array(data), indexes));
    }
  }

  /** The samples of a block; null when it is not in this object. */
  block(id: number, now: number): StoredSample[] | null {
    if (!this.#hasTables) return null;
    const open = this.#load(now);
    const data = id === open.block && open.data ? open.data : this.rows.find(id);
    return data && this.rows.decode(data);
  }

  /** An upper bound of the times of all samples before `to`, here or in the archive, epoch milliseconds; null when there are none. */
  newestSampleBefore(to: number, now: number): number | null {
    if (!this.#hasTables) return null;
    const newest = this.rows.newestBefore(to);
    const { block, data } = this.#load(now);
    return data && to > block - MIN_LATE_MS ? Math.max(now + MAX_CLOCK_LEAD_MS, newest ?? 0) : newest;
  }

  /** A lower bound of the times of all samples from `from` on, here or in the archive, epoch milliseconds; null when there are none. */
  oldestSampleFrom(from: number, now: number): number | null {
    if (!this.#hasTables) return null;
    const oldest = this.rows.oldestFrom(from);
    const { block, data } = this.#load(now);
    const isOpen = data !== null && from <= now + MAX_CLOCK_LEAD_MS;
    return isOpen ? Math.max(from, Math.min(block - MIN_LATE_MS, oldest ?? Number.POSITIVE_INFINITY)) : oldest;
  }

  /** Samples of this object that were received with `from` ≤ time < `to`, block by block, uncorrected. */
  *readReceived(from: number, to: number, now: number): Generator<LocatedSample[]> {
    if (!this.#hasTables) return;
    const isWithin = ({ received }: StoredSample) => received >= from && received < to;
    const decode = (id: number, data: ArrayBuffer | Uint8Array) =>
      this.rows.decode(data).flatMap((sample) => (isWithin(sample) ? [{ ...sample, block: id }] : []));
    for (const { id, data } of this.rows.listReceived(from, to)) yield decode(id, data);
    const { block, data } = this.#load(now);
    if (data && to > block - MAX_CLOCK_LEAD_MS) yield decode(block, data);
  }

  /** A bound of the receipt of the samples nearest to a time, before it or from it on; null when there are none. */
  nearestReceived(time: number, isBefore: boolean, now: number): number | null {
    if (!this.#hasTables) return null;
    const nearest = this.rows.nearestReceived(time, isBefore);
    const { block, data } = this.#load(now);
    const open = { from: block - MAX_CLOCK_LEAD_MS, to: block + MAX_BLOCK_OPEN_MS + MAX_CLOCK_LEAD_MS };
    if (data === null || (isBefore ? open.from >= time : open.to < time)) return nearest;
    return isBefore
      ? Math.max(nearest ?? Number.NEGATIVE_INFINITY, Math.min(time, open.to))
      : Math.max(time, Math.min(nearest ?? Number.POSITIVE_INFINITY, open.from));
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

  /** Records an archive file and deletes its blocks. */
  recordArchive(file: string, size: number, blocks: readonly BlockRow[]): void {
    this.writes++;
    this.rows.recordArchive(file, size, blocks);
  }

  /** @returns false when the archive has another file by now */
  replaceArchive(file: string, newFile: string): boolean {
    this.writes++;
    return this.rows.replaceArchive(file, newFile);
  }

  enqueueForD1<K extends keyof OutboxBodies>(kind: K, body: OutboxBodies[K]): void {
    this.writes++;
    this.outbox.add(kind, body);
  }

  saveCorrection(block: number, place: number, body: CorrectionBody): void {
    this.writes++;
    this.documents.correct(block, place, body);
  }
}
