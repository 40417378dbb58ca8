// Durable Object of one patient: records samples, evaluates alarms and publishes frames. Callers check access before each call.
// The path of a sample from HTTP to a nurse's screen:
//  1. POST /observations: handleIngest > ingestSamples (intake/) > recordWithFacts or recordAtMonitor > PatientMonitor.record;
//     a device's WebSocket: webSocketMessage > DeviceSockets.message.
//  2. #recordSamples opens the transaction (#transact) and calls recordAndEvaluate (recording/record-batch.ts).
//  3. recordBatch > readItems, dropStored, placeItems, writeSamples (Store.appendToOpenBlock, updateMemory).
//  4. runRules > stepAlarms; Store.enqueueForD1 queues alerts for D1; after the commit, handOverAlarms queues messages to people.
//  5. After the commit, #publishSamples and #transact call Publisher.pushFrames > #sendToFeed > WardFeed.publish (live/).
//  6. publish > appendFrame, listSocketsShowing, Sockets.send to the browser; createEventStream turns frames into SSE.
import { DurableObject } from "cloudflare:workers";
import { type ErrorReport, errorReport, logMethodErrors, reporting } from "../../platform/object-log.ts";
import type { AlarmInput, Transition } from "../alarm-rules/model.ts";
import { type Facts, factsFromD1 } from "./context/facts.ts";
import { type LimitsQuery, readLimitsHistory, saveNote } from "./context/limits-history.ts";
import type { IncomingBatch, Origin, PatientSnapshot, RecordResult, Watchable } from "./contract.ts";
import { handOverAlarms } from "./delivery/alarm-hand-over.ts";
import { Delivery } from "./delivery/delivery.ts";
import type { OutboxState } from "./delivery/outbox.ts";
import { Publisher } from "./delivery/publisher.ts";
import { countStored, eraseObject, type StoredCounts } from "./erase-object.ts";
import { watchedDocument } from "./memory/documents.ts";
import { pruneUnbound } from "./memory/monitor-memory.ts";
import { nextDueAt } from "./next-due.ts";
import { type AlertAction, type AlertActionResult, applyAlertAction } from "./recording/act-on-alert.ts";
import { type Amendment, type AmendmentResult, amendSample } from "./recording/amend-sample.ts";
import { changePause, type PauseChange, type PauseResult } from "./recording/change-pause.ts";
import { DeviceSockets } from "./recording/device-sockets.ts";
import { closeHours, enqueueUnboundCounts, recountHours } from "./recording/hour-closing.ts";
import { findSender, type RecordedBatch, recordAndEvaluate } from "./recording/record-batch.ts";
import { type NewSet, recordSet, SetNotStored, type SetResult } from "./recording/record-set.ts";
import { nothingTold, runRules } from "./recording/run-rules.ts";
import { archiveOldBlocks } from "./samples/archive.ts";
import { type BucketQuery, type HistoryQuery, readBuckets, readHistory } from "./samples/read-samples.ts";
import { countSealed, emptySealing, type ObjectSealing, type SealingFailures, sealAgain } from "./samples/resealing.ts";
import { Store } from "./samples/store.ts";
import { buildSnapshot, listOpenHours, toBatchFrames, toFactFrames, toPersonKey, toSamplesFrame } from "./snapshot.ts";

const RETRY_MS = 5_000;
/** Assumed lease when the stored one is unreadable; the feed renews its lease sooner. */
const DEFAULT_LEASE_MS = 10 * 60_000;
const OBJECT = "PatientMonitor";
export class PatientMonitor extends DurableObject<Env> implements Watchable {
  readonly #store: Store;
  readonly #report: ErrorReport;
  readonly #delivery: Delivery;
  readonly #publisher: Publisher;
  readonly #sockets: DeviceSockets;
  #alarmAt: number | null = null;
  /** Of the running transaction: published, and handed over to their queue, after it commits. */
  #told = nothingTold();

  static {
    logMethodErrors(OBJECT, PatientMonitor.prototype, ({ env, ctx }) => ({ env, id: ctx.id }));
  }

  /** @throws MigrationError: the object is unusable then, and its storage is unchanged */
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const report = errorReport(env, OBJECT, ctx.id);
    this.#report = report;
    this.#store = reporting(report, "migrate", () => new Store(ctx.storage, (error) => report("read", error)));
    this.#delivery = new Delivery({ env, id: ctx.id, store: this.#store, change: (work) => this.#transact(work), report });
    const watched = this.#store.documents.setting(watchedDocument, Date.now() + DEFAULT_LEASE_MS) ?? 0;
    this.#publisher = new Publisher(env, () => this.#store.facts(), watched, report);
    this.#sockets = new DeviceSockets({
      ctx,
      record: (origin, batch) => this.#recordSamples(origin, batch, false),
      save: () => this.#transact(() => undefined),
      report: (error) => report("socket", error),
    });
    ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = await ctx.storage.getAlarm();
    });
  }

  get #patientId(): string {
    return this.ctx.id.name ?? "";
  }

  /** Replaces the facts, unless they are older than the stored ones. */
  configure(facts: Facts): void {
    const now = Date.now();
    this.#transact(() => {
      const before = this.#store.facts();
      if ((before?.as_of ?? 0) > facts.as_of) return;
      saveNote(this.#store, facts);
      this.#store.saveFacts(facts);
      this.#told.frames.push(...toFactFrames(before, facts, this.#store.memory(now), now));
      pruneUnbound(this.#store.memory(now), facts);
      enqueueUnboundCounts(this.#store, facts, now);
      runRules(this.#store, { kind: "tick" }, now, this.#told);
    });
    this.#sockets.closeUnbound(facts);
    this.#scheduleAlarm();
  }

  /** @returns `known: false` when the object has no facts, the record is closed or the credential is unknown */
  record(origin: Origin, batch: IncomingBatch): RecordResult {
    return this.#recordSamples(origin, batch, true);
  }

  /** @param save whether the samples are durable when it returns; else they are with the next saved change */
  #recordSamples(origin: Origin, batch: IncomingBatch, save: boolean): RecordResult {
    const now = Date.now();
    const facts = this.#store.facts();
    if (!facts?.open) return { known: false };
    const sender = findSender(facts, origin, now);
    if (!sender) return { known: false };
    const recorded = this.#transactRules((run) => recordAndEvaluate(this.#store, facts, sender, batch, now, run), now, save);
    this.#publishSamples(facts, recorded, sender.by, now);
    return { known: true, results: recorded.results, clock: sender.device ? recorded.clock : null };
  }

  actOnAlert(action: AlertAction): AlertActionResult {
    const now = Date.now();
    return this.#transactRules((run) => applyAlertAction(this.#store, this.#patientId, action, now, run), now);
  }

  /** Records a set of observations of a person, or nothing of it. */
  recordSet(set: NewSet): SetResult {
    const now = Date.now();
    const { result, recorded } = recordSet(this.#store, set, now, (work) => this.#transactRules(work, now));
    const facts = this.#store.facts();
    if (facts && recorded) this.#publishSamples(facts, recorded, toPersonKey(set.by), now);
    return result;
  }

  /** Pauses what is due, or ends the pause. */
  changePause(change: PauseChange): PauseResult {
    const now = Date.now();
    return this.#transactRules((run) => changePause(this.#store, change, now, run), now);
  }

  /** Starts or renews a lease: frames go to the hospital's feed until `until` (epoch milliseconds). */
  async watch(until: number): Promise<PatientSnapshot | null> {
    const now = Date.now();
    if (!this.#store.facts() && !(await this.#loadFacts(now))) return null;
    if (until > now) this.#transact(() => this.#store.documents.saveSetting(watchedDocument, until));
    this.#publisher.setWatchedUntil(until);
    return this.snapshot();
  }

  /** Loads missing or unreadable facts from D1. @returns false when there is no such patient */
  async #loadFacts(now: number): Promise<boolean> {
    const facts = await factsFromD1(this.env, this.#patientId, now);
    if (facts) this.configure(facts);
    return facts !== null;
  }

  snapshot(): PatientSnapshot | null {
    const now = Date.now();
    const facts = this.#store.facts();
    return facts && buildSnapshot(facts, this.#store.memory(now), this.#store.memory(now).alarm.alerts, now);
  }

  history(query: HistoryQuery) {
    return readHistory(this.env, this.#store, this.#patientId, query, Date.now());
  }

  buckets(query: BucketQuery) {
    return readBuckets(this.env, this.#store, this.#patientId, query, Date.now());
  }

  /** Rollups of hours that D1 does not have yet, hours that wait for a recount and, for a chart, the limits. */
  openHours(chart: LimitsQuery | null) {
    return { ...listOpenHours(this.#store.memory(Date.now())), limits: chart && readLimitsHistory(this.#store, chart) };
  }

  async amend(place: { block: number; index: number }, amendment: Amendment): Promise<AmendmentResult> {
    const change = (work: () => AlarmInput | null) =>
      this.#transact(() => {
        const corrected = work();
        if (corrected) runRules(this.#store, corrected, Date.now(), this.#told);
      });
    const amended = await amendSample(this.env, this.#store, this.#patientId, place, amendment, Date.now(), change);
    const facts = this.#store.facts();
    if ("sample" in amended && facts) {
      this.#publisher.pushFrames([toSamplesFrame(facts, [amended.sample], this.#store.memory(Date.now()), Date.now())], false);
    }
    this.#scheduleAlarm();
    return amended;
  }

  /** Counts sealed values by key id; with `sealing`, after a part of them was sealed again. `now`: epoch milliseconds. */
  async countSealed(sealing: { failed: SealingFailures; now: number } | null): Promise<ObjectSealing> {
    const transact = (work: () => void) => this.#transact(work);
    return sealing
      ? sealAgain({ env: this.env, store: this.#store, patientId: this.#patientId, now: sealing.now, transact }, sealing.failed)
      : emptySealing(countSealed(this.#store));
  }

  /** The WebSocket of a device: receives frames of samples, sends cumulative acknowledgements. */
  override fetch(request: Request): Response {
    const credential = request.headers.get("X-Credential") ?? "";
    const facts = this.#store.facts();
    if (!facts?.open || !findSender(facts, { kind: "device", credential }, Date.now()))
      return new Response(null, { status: 409 });
    return this.#sockets.accept(credential);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#sockets.message(socket, message);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#sockets.onClose(socket);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#alarmAt = null;
    try {
      if (this.#store.hasTables && !this.#store.facts()) await this.#loadFacts(now);
      this.#transact(() => {
        runRules(this.#store, { kind: "tick" }, now, this.#told);
        closeHours(this.#store, now);
      });
      // The transaction has stored the waiting samples with the memory, in one row.
      this.#sockets.storeAndAcknowledge();
      await this.#delivery.run();
      const recount = await recountHours(this.env, this.#store, this.#patientId, now);
      if (recount) this.#transact(recount);
      if (recount) await this.#delivery.run();
      this.#scheduleAlarm();
      await archiveOldBlocks(this.env, this.#store, this.#patientId, now, (work) => this.#transact(work));
      this.#scheduleAlarm();
    } catch (error) {
      this.#report("alarm", error);
      this.#scheduleAlarm(Date.now() + RETRY_MS);
    }
  }

  outboxState(): OutboxState {
    return this.#delivery.state();
  }

  /** Retries parked rows now, for example after a fix. @returns their number */
  retryParked(): number {
    const parked = this.#store.hasTables ? this.#transact(() => this.#store.outbox.retryParked()) : 0;
    this.#scheduleAlarm();
    return parked;
  }

  /** Rows and archive files of this object. */
  countStored(): StoredCounts {
    return countStored(this.ctx.storage.sql, this.#store);
  }

  /** Deletes all that this object stores, with its files in R2; device sockets close. The object is empty then, as a new one. */
  async erase(): Promise<void> {
    this.#sockets.closeAll(1008, "record erased");
    this.#publisher.setWatchedUntil(0);
    await eraseObject(this.env, this.ctx.storage, this.#store);
    this.#alarmAt = null;
  }

  #transactRules<T>(work: (run: (input: AlarmInput) => Transition[]) => T, now: number, save = true): T {
    const result = this.#transact(() => work((input) => runRules(this.#store, input, now, this.#told)), save);
    this.#scheduleAlarm();
    return result;
  }

  #publishSamples(facts: Facts, recorded: RecordedBatch, by: string, now: number): void {
    if (recorded.newSamples.length === 0 || !this.#publisher.isWatched(now)) return;
    this.#publisher.pushFrames(toBatchFrames(facts, recorded, by, this.#store.memory(now), now), false);
  }

  /**
   * Runs the work in one transaction; a failure discards rows and memory.
   * @param save false leaves the open block and memory unsaved, unless the work wrote other rows
   */
  #transact<T>(work: () => T, save = true): T {
    this.#store.createTables();
    try {
      const result = this.ctx.storage.transactionSync(() => {
        const before = this.#store.writes;
        const result = work();
        if (save || this.#store.writes !== before) this.#store.save();
        return result;
      });
      handOverAlarms(this.env, this.#told.alarms.splice(0), this.#report);
      this.#publisher.pushFrames(this.#told.frames.splice(0), true);
      return result;
    } catch (error) {
      this.#told = nothingTold();
      this.#store.discard();
      // A refused set concerns no device.
      if (!(error instanceof SetNotStored)) this.#sockets.closeAll(1011, "not stored");
      throw error;
    }
  }

  #scheduleAlarm(at?: number): void {
    const due = at ?? nextDueAt(this.#store, [this.#delivery.nextDue(), this.#sockets.storeDueAt], Date.now());
    if (due === null || (this.#alarmAt !== null && this.#alarmAt <= due)) return;
    this.#alarmAt = due;
    void this.ctx.storage.setAlarm(due);
  }
}
