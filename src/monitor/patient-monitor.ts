// One object per patient: records samples, raises alarms, and sends frames to whoever watches. Access is checked before a call.
import { DurableObject } from "cloudflare:workers";
import { nextDeadline, step } from "../alerts/engine.ts";
import { AlarmError } from "../alerts/lifecycle.ts";
import type { AlarmInput, Transition } from "../alerts/model.ts";
import { type ErrorReport, errorReport, logMethodErrors, reporting } from "../object-log.ts";
import { alarmConfig } from "./alarm-config.ts";
import { type Amended, type Amendment, amend } from "./amend.ts";
import { archiveOld, nextArchive } from "./archive.ts";
import type { AlertView, Batch, Origin, PatientFrame, PatientSnapshot, RecordAnswer, Watchable } from "./contract.ts";
import { Delivery } from "./delivery.ts";
import { DeviceSockets } from "./device-sockets.ts";
import { watchedDocument } from "./documents.ts";
import { type Facts, factsFromD1 } from "./facts.ts";
import { closeHours, countAgain, nextClosing, tellUnbound } from "./hours.ts";
import { keepNote, type LimitsQuery, limitsKnown } from "./limits-over.ts";
import { forgetUnbound } from "./memory.ts";
import type { OutboxState } from "./outbox.ts";
import { Publisher } from "./publisher.ts";
import { type BucketQuery, type HistoryQuery, readBuckets, readHistory } from "./read.ts";
import { Store } from "./store.ts";
import { bringerOf, type Taken, takeAndJudge } from "./take.ts";
import { limitFrames, openHours, samplesFrame, snapshotOf, toAlertView, toLive } from "./view.ts";

const RETRY_MS = 5_000;
const AT_ONCE_MS = 50;
/** Frames go out for so long when it cannot be read until when somebody watches; the feed renews its lease sooner. */
const WATCHED_MS = 10 * 60_000;
const OBJECT = "PatientMonitor";

export type AlertAction = Exclude<AlarmInput, { kind: "samples" | "conditions" | "corrected" | "tick" }>;
export type Acted = { alert: AlertView } | { error: "unknown_alert" | "not_open" };

export class PatientMonitor extends DurableObject<Env> implements Watchable {
  readonly #store: Store;
  readonly #report: ErrorReport;
  readonly #delivery: Delivery;
  readonly #publisher: Publisher;
  readonly #sockets: DeviceSockets;
  #armed: number | null = null;
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
    this.#delivery = new Delivery({ env, id: ctx.id, store: this.#store, change: (work) => this.#change(work), report });
    const watched = this.#store.documents.setting(watchedDocument, Date.now() + WATCHED_MS) ?? 0;
    this.#publisher = new Publisher(env, () => this.#store.facts(), watched);
    this.#sockets = new DeviceSockets({
      ctx,
      take: (origin, batch) => this.#take(origin, batch, false),
      save: () => this.#change(() => undefined),
      report: (error) => report("socket", error),
    });
    ctx.blockConcurrencyWhile(async () => {
      this.#armed = await ctx.storage.getAlarm();
    });
  }

  get #patientId(): string {
    return this.ctx.id.name ?? "";
  }

  /** Takes what D1 says; older facts than those it has change nothing. */
  configure(facts: Facts): void {
    const now = Date.now();
    this.#change(() => {
      const before = this.#store.facts();
      if ((before?.as_of ?? 0) > facts.as_of) return;
      keepNote(this.#store, facts);
      this.#store.keepFacts(facts);
      this.#frames.push(...limitFrames(before, facts, now));
      forgetUnbound(this.#store.memory(now), facts);
      tellUnbound(this.#store, facts, now);
      this.#judge({ kind: "tick" }, now);
    });
    this.#sockets.dropUnbound(facts);
    this.#arm();
  }

  /** @returns known false when neither the credential nor the patient is known here */
  record(origin: Origin, batch: Batch): RecordAnswer {
    return this.#take(origin, batch, true);
  }

  /** @param store whether it is durable with the answer; else with the next change that is */
  #take(origin: Origin, batch: Batch, store: boolean): RecordAnswer {
    const now = Date.now();
    const facts = this.#store.facts();
    if (!facts?.open) return { known: false };
    const bringer = bringerOf(facts, origin, now);
    if (!bringer) return { known: false };
    const judge = (input: AlarmInput) => void this.#judge(input, now);
    const taken = this.#change(() => takeAndJudge(this.#store, facts, bringer, batch, now, judge), store);
    this.#tell(facts, taken.fresh, bringer.by, now);
    this.#arm();
    return { known: true, results: taken.results, clock: bringer.device ? taken.clock : null };
  }

  /** Acknowledge, assign, snooze, resolve: by the gate's leave. */
  act(action: AlertAction): Acted {
    const now = Date.now();
    const acted = this.#change((): Acted => {
      try {
        const changed = this.#judge(action, now).findLast(({ alert }) => alert.number === action.number)?.alert;
        const alert = changed ?? this.#store.memory(now).alarm.alerts.find(({ number }) => number === action.number);
        return alert ? { alert: toAlertView(this.#patientId, alert) } : { error: "not_open" };
      } catch (error) {
        // The rules refused and changed nothing: an answer, not a failure of the object.
        if (error instanceof AlarmError) return { error: error.code };
        throw error;
      }
    });
    this.#arm();
    return acted;
  }

  /** Frames go to the hospital's feed until then. */
  async watch(until: number): Promise<PatientSnapshot | null> {
    const now = Date.now();
    if (!this.#store.facts() && !(await this.#loadFacts(now))) return null;
    if (until > now) this.#change(() => this.#store.documents.keepSetting(watchedDocument, until));
    this.#publisher.watched(until);
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
    return facts && snapshotOf(facts, this.#store.memory(now), this.#store.memory(now).alarm.alerts, now);
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
    return { ...openHours(this.#store.memory(Date.now())), limits: chart && limitsKnown(this.#store, chart) };
  }

  /** Corrects one sample; the value before stays in its history. */
  async amend(place: { block: number; index: number }, amendment: Amendment): Promise<Amended> {
    const change = (work: () => AlarmInput | null) =>
      this.#change(() => {
        const corrected = work();
        if (corrected) this.#judge(corrected, Date.now());
      });
    const amended = await amend(this.env, this.#store, this.#patientId, place, amendment, Date.now(), change);
    const facts = this.#store.facts();
    if ("sample" in amended && facts) {
      this.#publisher.queue([samplesFrame(facts, [amended.sample], this.#store.memory(Date.now()), Date.now())], false);
    }
    this.#arm();
    return amended;
  }

  /** The socket of a device: frames of samples in, cumulative acknowledgements out. */
  override fetch(request: Request): Response {
    const credential = request.headers.get("X-Credential") ?? "";
    const facts = this.#store.facts();
    if (!facts?.open || !bringerOf(facts, { kind: "device", credential }, Date.now())) return new Response(null, { status: 409 });
    return this.#sockets.accept(credential);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#sockets.message(socket, message);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#sockets.closed(socket);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#armed = null;
    try {
      this.#sockets.flush();
      if (this.#store.hasTables && !this.#store.facts()) await this.#loadFacts(now);
      this.#change(() => {
        this.#judge({ kind: "tick" }, now);
        closeHours(this.#store, now);
      });
      await this.#delivery.run();
      const recount = await countAgain(this.env, this.#store, this.#patientId, now);
      if (recount) {
        this.#change(recount);
        await this.#delivery.run();
      }
      await archiveOld(this.env, this.#store, this.#patientId, now, (work) => this.#change(work));
      this.#arm();
    } catch (error) {
      this.#report("alarm", error);
      this.#arm(Date.now() + RETRY_MS);
    }
  }

  /** What waits for D1, and how much of it is parked. */
  outboxState(): OutboxState {
    return this.#delivery.state();
  }

  /** Tries parked rows now instead of in some hours: for when what was wrong is mended. @returns how many there are */
  retryParked(): number {
    const parked = this.#store.hasTables ? this.#change(() => this.#store.outbox.retryParked()) : 0;
    this.#arm();
    return parked;
  }

  /** Runs the rules; their transitions go to the outbox and to who watches. */
  #judge(input: AlarmInput, now: number): Transition[] {
    const facts = this.#store.facts();
    if (!facts) return [];
    const memory = this.#store.memory(now);
    const { state, transitions } = step(memory.alarm, input, alarmConfig(facts, now), now);
    memory.alarm = state;
    for (const transition of transitions) {
      this.#store.send("alert", { version: ++memory.version, ward: facts.ward, transition });
    }
    this.#store.keep(now);
    for (const { what, alert } of transitions) {
      this.#frames.push({ type: "alert", patient_id: facts.patient, what, alert: toAlertView(facts.patient, alert) });
    }
    return transitions;
  }

  #tell(facts: Facts, fresh: Taken["fresh"], by: string, now: number): void {
    if (fresh.length === 0 || !this.#publisher.isWatched(now)) return;
    const samples = fresh.map((sample) => toLive(facts.patient, { ...sample, received: now, device: by }));
    this.#publisher.queue([samplesFrame(facts, samples, this.#store.memory(now), now)], false);
  }

  /**
   * All or nothing: what fails half-way leaves neither rows nor memory.
   * @param save false leaves open block and memory unwritten, unless the work wrote something else: then they go with it
   */
  #change<T>(work: () => T, save = true): T {
    this.#store.makeTables();
    try {
      const result = this.ctx.storage.transactionSync(() => {
        const before = this.#store.writes;
        const result = work();
        if (save || this.#store.writes !== before) this.#store.save();
        return result;
      });
      this.#publisher.queue(this.#frames.splice(0), true);
      return result;
    } catch (error) {
      this.#frames = [];
      this.#store.forget();
      this.#sockets.closeAll(1011, "not stored");
      throw error;
    }
  }

  /** Sets the alarm when something is due earlier than it stands. */
  #arm(at?: number): void {
    const due = at ?? this.#due(Date.now());
    if (due === null || (this.#armed !== null && this.#armed <= due)) return;
    this.#armed = due;
    void this.ctx.storage.setAlarm(due);
  }

  #due(now: number): number | null {
    const facts = this.#store.facts();
    if (!facts) return null;
    const memory = this.#store.memory(now);
    const due = [
      nextDeadline(memory.alarm, alarmConfig(facts, now)),
      nextClosing(memory, facts.patient, now),
      nextArchive(this.#store),
      this.#delivery.nextDue(),
      this.#sockets.due,
    ].filter((time) => time !== null);
    return due.length > 0 ? Math.max(now + AT_ONCE_MS, Math.min(...due)) : null;
  }
}
