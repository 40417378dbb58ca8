// One object per patient: records samples, raises alarms, and sends frames to whoever watches. Access is checked before a call.
import { DurableObject } from "cloudflare:workers";
import { type ErrorReport, errorReport, logMethodErrors, reporting } from "../../platform/object-log.ts";
import { AlarmError } from "../alarm-rules/alert-lifecycle.ts";
import { nextDeadline, stepAlarms } from "../alarm-rules/engine.ts";
import type { AlarmInput, Transition } from "../alarm-rules/model.ts";
import { buildAlarmConfig } from "./context/alarm-config.ts";
import { type Facts, factsFromD1 } from "./context/facts.ts";
import { type LimitsQuery, readLimitsHistory, saveNote } from "./context/limits-history.ts";
import type { AlertView, IncomingBatch, Origin, PatientFrame, PatientSnapshot, RecordResult, Watchable } from "./contract.ts";
import { Delivery } from "./delivery/delivery.ts";
import type { OutboxState } from "./delivery/outbox.ts";
import { Publisher } from "./delivery/publisher.ts";
import { watchedDocument } from "./memory/documents.ts";
import { pruneUnbound } from "./memory/monitor-memory.ts";
import { type Amendment, type AmendmentResult, amendSample } from "./recording/amend-sample.ts";
import { DeviceSockets } from "./recording/device-sockets.ts";
import { closeHours, enqueueUnboundCounts, nextCloseAt, recountHours } from "./recording/hour-closing.ts";
import { findSender, type RecordedBatch, takeAndJudge } from "./recording/record-batch.ts";
import { archiveOldBlocks, nextArchiveAt } from "./samples/archive.ts";
import { type BucketQuery, type HistoryQuery, readBuckets, readHistory } from "./samples/read-samples.ts";
import { Store } from "./samples/store.ts";
import { buildSnapshot, listOpenHours, toAlertView, toLimitFrames, toLiveSample, toSamplesFrame } from "./snapshot.ts";

const RETRY_MS = 5_000;
const MIN_ALARM_DELAY_MS = 50;
/** Frames go out for so long when it cannot be read until when somebody watches; the feed renews its lease sooner. */
const WATCHED_MS = 10 * 60_000;
const OBJECT = "PatientMonitor";

export type AlertAction = Exclude<AlarmInput, { kind: "samples" | "conditions" | "corrected" | "tick" }>;
export type AlertActionResult = { alert: AlertView } | { error: "unknown_alert" | "not_open" };

export class PatientMonitor extends DurableObject<Env> implements Watchable {
  readonly #store: Store;
  readonly #report: ErrorReport;
  readonly #delivery: Delivery;
  readonly #publisher: Publisher;
  readonly #sockets: DeviceSockets;
  #alarmAt: number | null = null;
  /** Alerts of the change that is being made: shown when it is kept. */
  #frames: PatientFrame[] = [];

  static {
    logMethodErrors(OBJECT, PatientMonitor.prototype, ({ env, ctx }) => ({ env, id: ctx.id }));
  }

  /** @throws MigrationError: nobody can use the object then, and nothing in it changes */
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const report = errorReport(env, OBJECT, ctx.id);
    this.#report = report;
    this.#store = reporting(report, "migrate", () => new Store(ctx.storage, (error) => report("read", error)));
    this.#delivery = new Delivery({ env, id: ctx.id, store: this.#store, change: (work) => this.#transact(work), report });
    const watched = this.#store.documents.setting(watchedDocument, Date.now() + WATCHED_MS) ?? 0;
    this.#publisher = new Publisher(env, () => this.#store.facts(), watched);
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

  /** Takes what D1 says; older facts than those it has change nothing. */
  configure(facts: Facts): void {
    const now = Date.now();
    this.#transact(() => {
      const before = this.#store.facts();
      if ((before?.as_of ?? 0) > facts.as_of) return;
      saveNote(this.#store, facts);
      this.#store.saveFacts(facts);
      this.#frames.push(...toLimitFrames(before, facts, now));
      pruneUnbound(this.#store.memory(now), facts);
      enqueueUnboundCounts(this.#store, facts, now);
      this.#runRules({ kind: "tick" }, now);
    });
    this.#sockets.closeUnbound(facts);
    this.#scheduleAlarm();
  }

  /** @returns known false when neither the credential nor the patient is known here */
  record(origin: Origin, batch: IncomingBatch): RecordResult {
    return this.#recordSamples(origin, batch, true);
  }

  /** @param store whether it is durable with the answer; else with the next change that is */
  #recordSamples(origin: Origin, batch: IncomingBatch, store: boolean): RecordResult {
    const now = Date.now();
    const facts = this.#store.facts();
    if (!facts?.open) return { known: false };
    const sender = findSender(facts, origin, now);
    if (!sender) return { known: false };
    const judge = (input: AlarmInput) => void this.#runRules(input, now);
    const recorded = this.#transact(() => takeAndJudge(this.#store, facts, sender, batch, now, judge), store);
    this.#publishSamples(facts, recorded.newSamples, sender.by, now);
    this.#scheduleAlarm();
    return { known: true, results: recorded.results, clock: sender.device ? recorded.clock : null };
  }

  /** Acknowledge, assign, snooze, resolve: by the gate's leave. */
  actOnAlert(action: AlertAction): AlertActionResult {
    const now = Date.now();
    const actionResult = this.#transact((): AlertActionResult => {
      try {
        const changed = this.#runRules(action, now).findLast(({ alert }) => alert.number === action.number)?.alert;
        const alert = changed ?? this.#store.memory(now).alarm.alerts.find(({ number }) => number === action.number);
        return alert ? { alert: toAlertView(this.#patientId, alert) } : { error: "not_open" };
      } catch (error) {
        // The rules refused and changed nothing: an answer, not a failure of the object.
        if (error instanceof AlarmError) return { error: error.code };
        throw error;
      }
    });
    this.#scheduleAlarm();
    return actionResult;
  }

  /** Frames go to the hospital's feed until then. */
  async watch(until: number): Promise<PatientSnapshot | null> {
    const now = Date.now();
    if (!this.#store.facts() && !(await this.#loadFacts(now))) return null;
    if (until > now) this.#transact(() => this.#store.documents.keepSetting(watchedDocument, until));
    this.#publisher.setWatchedUntil(until);
    return this.snapshot();
  }

  /** Nothing came for this patient yet, or it cannot be read any more: D1 says who it is. @returns false for no such patient */
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

  /** Samples of a range, newest first; reads what was archived too. */
  history(query: HistoryQuery) {
    return readHistory(this.env, this.#store, this.#patientId, query, Date.now());
  }

  /** The same samples for a chart: extremes and means of equal parts of the range, with the limits that held. */
  buckets(query: BucketQuery) {
    return readBuckets(this.env, this.#store, this.#patientId, query, Date.now());
  }

  /** Rollups of hours that D1 does not have yet, and which of those that it has are being counted again; limits where a chart asks. */
  openHours(chart: LimitsQuery | null) {
    return { ...listOpenHours(this.#store.memory(Date.now())), limits: chart && readLimitsHistory(this.#store, chart) };
  }

  /** Corrects one sample; the value before stays in its history. */
  async amend(place: { block: number; index: number }, amendment: Amendment): Promise<AmendmentResult> {
    const change = (work: () => AlarmInput | null) =>
      this.#transact(() => {
        const corrected = work();
        if (corrected) this.#runRules(corrected, Date.now());
      });
    const amended = await amendSample(this.env, this.#store, this.#patientId, place, amendment, Date.now(), change);
    const facts = this.#store.facts();
    if ("sample" in amended && facts) {
      this.#publisher.enqueue([toSamplesFrame(facts, [amended.sample], this.#store.memory(Date.now()), Date.now())], false);
    }
    this.#scheduleAlarm();
    return amended;
  }

  /** The socket of a device: frames of samples in, cumulative acknowledgements out. */
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
      this.#sockets.flush();
      if (this.#store.hasTables && !this.#store.facts()) await this.#loadFacts(now);
      this.#transact(() => {
        this.#runRules({ kind: "tick" }, now);
        closeHours(this.#store, now);
      });
      await this.#delivery.run();
      const recount = await recountHours(this.env, this.#store, this.#patientId, now);
      if (recount) {
        this.#transact(recount);
        await this.#delivery.run();
      }
      await archiveOldBlocks(this.env, this.#store, this.#patientId, now, (work) => this.#transact(work));
      this.#scheduleAlarm();
    } catch (error) {
      this.#report("alarm", error);
      this.#scheduleAlarm(Date.now() + RETRY_MS);
    }
  }

  /** What waits for D1, and how much of it is parked. */
  outboxState(): OutboxState {
    return this.#delivery.state();
  }

  /** Tries parked rows now instead of in some hours: for when what was wrong is mended. @returns how many there are */
  retryParked(): number {
    const parked = this.#store.hasTables ? this.#transact(() => this.#store.outbox.retryParked()) : 0;
    this.#scheduleAlarm();
    return parked;
  }

  /** Runs the rules; their transitions go to the outbox and to who watches. */
  #runRules(input: AlarmInput, now: number): Transition[] {
    const facts = this.#store.facts();
    if (!facts) return [];
    const memory = this.#store.memory(now);
    const { state, transitions } = stepAlarms(memory.alarm, input, buildAlarmConfig(facts, now), now);
    memory.alarm = state;
    for (const transition of transitions) {
      this.#store.enqueue("alert", { version: ++memory.version, ward: facts.ward, transition });
    }
    this.#store.markDirty(now);
    for (const { what, alert } of transitions) {
      this.#frames.push({ type: "alert", patient_id: facts.patient, what, alert: toAlertView(facts.patient, alert) });
    }
    return transitions;
  }

  #publishSamples(facts: Facts, fresh: RecordedBatch["newSamples"], by: string, now: number): void {
    if (fresh.length === 0 || !this.#publisher.isWatched(now)) return;
    const samples = fresh.map((sample) => toLiveSample(facts.patient, { ...sample, received: now, device: by }));
    this.#publisher.enqueue([toSamplesFrame(facts, samples, this.#store.memory(now), now)], false);
  }

  /**
   * All or nothing: what fails half-way leaves neither rows nor memory.
   * @param save false leaves open block and memory unwritten, unless the work wrote something else: then they go with it
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
      this.#publisher.enqueue(this.#frames.splice(0), true);
      return result;
    } catch (error) {
      this.#frames = [];
      this.#store.discard();
      this.#sockets.closeAll(1011, "not stored");
      throw error;
    }
  }

  /** Sets the alarm when something is due earlier than it stands. */
  #scheduleAlarm(at?: number): void {
    const due = at ?? this.#nextDueAt(Date.now());
    if (due === null || (this.#alarmAt !== null && this.#alarmAt <= due)) return;
    this.#alarmAt = due;
    void this.ctx.storage.setAlarm(due);
  }

  #nextDueAt(now: number): number | null {
    const facts = this.#store.facts();
    if (!facts) return null;
    const memory = this.#store.memory(now);
    const due = [
      nextDeadline(memory.alarm, buildAlarmConfig(facts, now)),
      nextCloseAt(memory, facts.patient, now),
      nextArchiveAt(this.#store),
      this.#delivery.nextDue(),
      this.#sockets.storeDueAt,
    ].filter((time) => time !== null);
    return due.length > 0 ? Math.max(now + MIN_ALARM_DELAY_MS, Math.min(...due)) : null;
  }
}
