// Durable Object of one audit log: appends events in one order, answers lists, and moves older entries to R2.
// The path of an event:
//  1. append > prepareEntries (leaf hash, chain) > one row in `entries`, in one synchronous turn.
//  2. alarm, after an hour or 4,096 entries > closeNext: segment file, tiles, checkpoint; then the rows are deleted.
//  3. alarm, after the end of a day and of a month > mergeNext; the replaced files are deleted an hour later.
//  4. alarm, after a rotation of AUDIT_KEYS > the segments under another key, one by one.
//  5. prune, after the retention period: the segment is deleted, its part of the tree stays.
import { DurableObject } from "cloudflare:workers";
import { type ErrorReport, errorReport, logMethodErrors, reporting } from "../platform/object-log.ts";
import { migrateEmpty, migrateExisting } from "../platform/object-migrations.ts";
import { checkEvents, insertEntries, MAX_OPEN_ENTRIES, type NewEntry, prepareEntries, type Tail } from "./append.ts";
import { findClosedIds } from "./closed-entries.ts";
import { closeNext, MAX_CLOSED_ENTRIES, nextClosingAt } from "./closing.ts";
import {
  type AppendOptions,
  type AppendOutcome,
  type AuditLogCalls,
  type AuditLogEvent,
  checkLimit,
  type LogCheckpoint,
  type LogFilter,
  type LogPosition,
  type LogProof,
  type LogSelection,
  type LogStatus,
  type MovedEvent,
  type OpenEntries,
  type PruneResult,
  type SegmentRef,
  type StoredCheckpoint,
} from "./contract.ts";
import { firstOpen, lastOpen, readStored, selectOpen } from "./entries.ts";
import { parseEntryKeys } from "./entry-chain.ts";
import { KnownIds } from "./known-ids.ts";
import { mergeNext, nextMergeAt } from "./merging.ts";
import { proveConsistency, proveEntry, sizeOf } from "./proofs.ts";
import { pruneSegments } from "./pruning.ts";
import { countReads, isQuotaUsed } from "./read-quota.ts";
import { Resealing } from "./resealing.ts";
import { AUDIT_LOG_MIGRATIONS } from "./schema.ts";
import { deleteReplaced, listFrom, listLeveled, nextDeletion, readTerms, selectSegments } from "./segment-rows.ts";
import { changeState, createState, type LogContext, readLogId, readState } from "./state.ts";
import { EMPTY_LOG, readStatus } from "./status.ts";
import { listCheckpoints, signEmpty, TreeStore } from "./tree-store.ts";

const OBJECT = "AuditLog";
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 5 * 60_000;

/** What an append needs of the log's past; read once after the object wakes. */
type Memory = { tail: Tail; closedEnd: number; ids: KnownIds };

export class AuditLog extends DurableObject<Env> implements AuditLogCalls {
  static {
    logMethodErrors(OBJECT, AuditLog.prototype, ({ env, ctx }) => ({ env, id: ctx.id }));
  }

  readonly #report: ErrorReport;
  readonly #resealing: Resealing;
  #hasTables: boolean;
  #log: LogContext | null = null;
  #tree: TreeStore | null = null;
  #memory: Memory | null = null;
  #alarmAt: number | null = null;
  #isWorking = false;
  #failures = 0;
  #retryAt = 0;

  /** @throws MigrationError: the object is unusable then, and its storage is unchanged */
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#report = errorReport(env, OBJECT, ctx.id);
    this.#resealing = new Resealing(this.#report);
    this.#hasTables = reporting(this.#report, "migrate", () => migrateExisting(ctx.storage, AUDIT_LOG_MIGRATIONS));
    ctx.blockConcurrencyWhile(async () => {
      // Earlier versions made the tables of a log that was only read.
      if (this.#hasTables && ctx.id.name !== undefined) createState(ctx.storage.sql, ctx.id.name);
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  append(events: AuditLogEvent[], options: AppendOptions = {}): Promise<AppendOutcome> | AppendOutcome {
    checkEvents(events);
    if (events.length === 0) return "stored";
    this.#createTables();
    const { ids } = this.#open();
    const old = events.filter(({ id }) => !ids.has(id) && !ids.covers(id) && !ids.has(id));
    if (old.length > 0) return this.#appendOld(events, old, options);
    return this.#store(events, options);
  }

  select(filter: LogFilter, before: LogPosition | null, limit: number): LogSelection {
    checkLimit(limit);
    if (!this.#hasTables) return { entries: [], segments: [], isComplete: true };
    const { sql } = this.ctx.storage;
    return { entries: selectOpen(sql, filter, before, limit), ...selectSegments(sql, filter, before) };
  }

  status(): LogStatus {
    return this.#hasTables ? readStatus(this.ctx.storage.sql, this.env) : EMPTY_LOG;
  }

  async checkpoint(): Promise<LogCheckpoint> {
    if (!this.#hasTables) return signEmpty({ env: this.env, logId: this.#name() });
    return this.#trees().cover(sizeOf(this.ctx.storage.sql));
  }

  async prove(id: string): Promise<LogProof | null> {
    return this.#hasTables ? proveEntry(this.#context(), this.#trees(), id) : null;
  }

  async consistency(oldSize: number, newSize: number): Promise<string[] | null> {
    if (this.#hasTables) return proveConsistency(this.#context(), this.#trees(), oldSize, newSize);
    return oldSize === 0 && newSize === 0 ? [] : null;
  }

  readOpen(afterSeq: number, limit: number): OpenEntries {
    checkLimit(limit);
    return this.#hasTables ? readStored(this.ctx.storage.sql, afterSeq, limit) : { entries: [], previousMac: "" };
  }

  listCheckpoints(afterSize: number, limit: number): StoredCheckpoint[] {
    checkLimit(limit);
    return this.#hasTables ? listCheckpoints(this.ctx.storage.sql, afterSize, limit) : [];
  }

  listSegments(fromSeq: number, limit: number): SegmentRef[] {
    checkLimit(limit);
    return this.#hasTables ? listFrom(this.ctx.storage.sql, fromSeq, limit) : [];
  }

  readTerms(firstSeq: number): Uint8Array | null {
    return this.#hasTables ? readTerms(this.ctx.storage.sql, firstSeq) : null;
  }

  prune(olderThan: number): PruneResult {
    if (!this.#hasTables) return { prunedUpTo: 0, isComplete: true };
    const result = pruneSegments(this.#context(), olderThan, Date.now());
    this.#scheduleAlarm();
    return result;
  }

  setHold(from: number | null): void {
    this.#createTables();
    changeState(this.ctx.storage.sql, { heldFrom: from });
  }

  moveIn(rows: MovedEvent[]): number {
    checkEvents(rows.map(({ event }) => event));
    if (rows.some(({ seq }, i) => seq <= (rows[i - 1]?.seq ?? 0))) throw new RangeError("rows ascend by their seq");
    this.#createTables();
    const { movedSeq } = readState(this.ctx.storage.sql);
    const fresh = rows.filter(({ seq }) => seq > movedSeq);
    const last = fresh.at(-1);
    if (!last) return movedSeq;
    this.#insert(
      fresh.map(({ event }) => event),
      (sql) => changeState(sql, { movedSeq: last.seq }),
    );
    return last.seq;
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    this.#isWorking = true;
    try {
      if (this.#hasTables) await this.#work(this.#context(), Date.now());
      this.#failures = 0;
    } catch (error) {
      this.#report("alarm", error);
      this.#retryAt = Date.now() + Math.min(RETRY_MS * 2 ** this.#failures, MAX_RETRY_MS);
      this.#failures += 1;
    } finally {
      this.#isWorking = false;
    }
    this.#scheduleAlarm();
  }

  /** One segment, merge or deletion per alarm, which bounds its CPU time; what is left is due at once. */
  async #work(log: LogContext, now: number): Promise<void> {
    const { sql } = log.storage;
    if (await closeNext(log, this.#trees(), now)) {
      if (this.#memory) this.#memory.closedEnd = readState(sql).closedEnd;
      return;
    }
    // Deletion comes before anything that may use a discarded file again.
    if (await deleteReplaced(sql, log.env.FILES, now)) return;
    if (await this.#resealing.next(log, now)) return;
    await mergeNext(log, now);
  }

  /** For ids that closed segments may have: looks there first, and again if another one was closed meanwhile. */
  async #appendOld(events: AuditLogEvent[], old: AuditLogEvent[], options: AppendOptions): Promise<AppendOutcome> {
    for (;;) {
      const { closedEnd } = readState(this.ctx.storage.sql);
      const stored = await findClosedIds(this.#context(), old);
      if (readState(this.ctx.storage.sql).closedEnd !== closedEnd) continue;
      return this.#store(
        events.filter(({ id }) => !stored.has(id)),
        options,
      );
    }
  }

  /** Stores those whose id is in no row yet. */
  #store(events: readonly AuditLogEvent[], { reader }: AppendOptions): AppendOutcome {
    const { ids } = this.#open();
    const byId = new Map(events.map((event) => [event.id, event]));
    const fresh = [...byId.values()].filter(({ id }) => {
      ids.covers(id);
      return !ids.has(id);
    });
    if (fresh.length === 0) return "stored";
    const now = Date.now();
    if (reader && isQuotaUsed(this.ctx.storage.sql, reader, now)) return "quota_used";
    this.#insert(fresh, (sql, entries) => reader && countReads(sql, reader, entries, now));
    return "stored";
  }

  #insert(events: readonly AuditLogEvent[], alsoChange: (sql: SqlStorage, entries: readonly NewEntry[]) => void): void {
    const { storage } = this.ctx;
    const now = Date.now();
    const memory = this.#open();
    const openBefore = memory.tail.nextSeq - memory.closedEnd;
    if (openBefore + events.length > MAX_OPEN_ENTRIES) throw new Error("too many entries wait for their segment");
    const entries = prepareEntries(memory.tail, parseEntryKeys(this.env.AUDIT_KEYS), events, now);
    storage.transactionSync(() => {
      insertEntries(storage.sql, entries);
      alsoChange(storage.sql, entries);
    });
    for (const { id, seq, logged, mac } of entries) {
      memory.tail = { nextSeq: seq + 1, logged, mac };
      memory.ids.add(id, { seq, logged });
    }
    memory.ids.trim();
    const isFull = openBefore + events.length >= MAX_CLOSED_ENTRIES && (this.#alarmAt ?? 0) > now;
    if (openBefore === 0 || this.#alarmAt === null || isFull) this.#scheduleAlarm();
  }

  #createTables(): void {
    if (this.#hasTables) return;
    const { storage } = this.ctx;
    storage.transactionSync(() => {
      migrateEmpty(storage, AUDIT_LOG_MIGRATIONS);
      createState(storage.sql, this.#name());
    });
    this.#hasTables = true;
  }

  #name(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("the object of a log is found by the log's name");
    return name;
  }

  #context(): LogContext {
    this.#log ??= { storage: this.ctx.storage, env: this.env, logId: readLogId(this.ctx.storage.sql) };
    return this.#log;
  }

  #trees(): TreeStore {
    this.#tree ??= new TreeStore(this.#context());
    return this.#tree;
  }

  #open(): Memory {
    this.#memory ??= recall(this.ctx.storage.sql);
    return this.#memory;
  }

  #scheduleAlarm(): void {
    if (this.#isWorking) return;
    const now = Date.now();
    const due = this.#nextDueAt(now);
    if (due === null) return;
    const at = Math.max(due, now, this.#failures > 0 ? this.#retryAt : 0);
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }

  #nextDueAt(now: number): number | null {
    if (!this.#hasTables) return null;
    const { sql } = this.ctx.storage;
    if (readState(sql).merging || this.#resealing.isDue({ storage: this.ctx.storage, env: this.env })) return now;
    const merge = nextMergeAt(listLeveled(sql), firstOpen(sql)?.logged ?? null, now);
    const due = [nextClosingAt(sql, now), nextDeletion(sql), merge].filter((time) => time !== null);
    return due.length > 0 ? Math.min(...due) : null;
  }
}

function recall(sql: SqlStorage): Memory {
  const { closedEnd, closedLogged, closedMac } = readState(sql);
  const last = lastOpen(sql) ?? { seq: closedEnd - 1, logged: closedLogged, mac: closedMac };
  const tail = { nextSeq: last.seq + 1, logged: last.logged, mac: last.mac };
  return { tail, closedEnd, ids: new KnownIds(sql, { seq: tail.nextSeq, logged: tail.logged }) };
}
