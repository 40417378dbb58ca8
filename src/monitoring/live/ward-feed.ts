// Durable Object of one hospital: sockets that watch its patients. Apart from redeemed tickets all its state can be rebuilt.
import { DurableObject } from "cloudflare:workers";
import { getDb } from "../../platform/db/client.ts";
import { type ErrorReport, errorReport, logMethodErrors, reporting } from "../../platform/object-log.ts";
import { HOUR_MS } from "../../platform/time.ts";
import { acceptBeat, BEAT_MS } from "../heartbeat.ts";
import type { Feed, PatientFrame } from "../patient-object/contract.ts";
import { type Admission, Admissions } from "./admissions.ts";
import { admitSocket } from "./admit-socket.ts";
import { catchUp, catchUpLagging, closeStalled } from "./catch-up.ts";
import {
  acknowledgeFrames,
  CLOSE_REASONS,
  type ClientMessage,
  type ClientState,
  exceedsMessageRate,
  Handshake,
  parseMessage,
} from "./clients.ts";
import { FeedState } from "./feed-state.ts";
import { appendFrame, toFrameBody } from "./frame-buffer.ts";
import { grantEndsAt } from "./live-grant.ts";
import { isExpired, type NumberedFrame, toNumberedFrame } from "./sockets.ts";
import { isTokenOfHolder, tokenExpiresAt } from "./tickets.ts";
import { findVisiblePatients, type Subscription, toHomeFeed } from "./visibility.ts";
import { updateWatch } from "./watches.ts";

const RECHECK_MS = 60_000;
const RETRY_MS = 5_000;
const OBJECT = "WardFeed";

export class WardFeed extends DurableObject<Env> implements Feed {
  static {
    logMethodErrors(OBJECT, WardFeed.prototype, ({ env, ctx }) => ({ env, id: ctx.id }));
  }

  readonly #report: ErrorReport;
  readonly #state: FeedState;
  readonly #admissions: Admissions;
  #recheckAt = 0;
  #beatAt = 0;
  #alarmAt: number | null = null;
  #checking: Promise<void> = Promise.resolve();
  #nextCheck: Promise<void> | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const report = errorReport(env, OBJECT, ctx.id);
    this.#report = report;
    this.#state = reporting(report, "migrate", () => new FeedState(ctx, env, report, () => this.#scheduleAlarm()));
    this.#admissions = new Admissions((batch) => this.#admit(batch));
  }

  /** Redeems a ticket. @returns false when it was redeemed before */
  redeemTicket(ticketId: string, expires: number): boolean {
    return this.#state.storage.redeemTicket(ticketId, expires, Date.now());
  }

  /**
   * Sends frames of one patient to all sockets whose view contains the patient.
   * @returns when the lease of the patient's frames ends, epoch milliseconds; 0 when nobody watches
   */
  async publish(patientId: string, frames: PatientFrame[]): Promise<number> {
    if (frames.some((frame) => !isAbout(frame, patientId))) throw new Error("frame of another patient");
    const state = this.#state;
    const isWatched = state.isWatched(patientId);
    const watch = state.findOrAddWatch(patientId, isWatched);
    const until = watch ? updateWatch(watch, isWatched, Date.now()) : 0;
    if (until === 0) {
      state.watches.delete(patientId);
      return 0;
    }
    const outgoing = frames.map((frame): NumberedFrame => {
      const buffered = { seq: state.nextSeq(), patientId, body: toFrameBody(frame) };
      appendFrame(state.buffer, buffered);
      return toNumberedFrame(buffered);
    });
    state.recordHour(Date.now());
    for (const socket of state.listSocketsShowing(patientId)) state.sockets.send(socket, outgoing);
    state.removeUnusedViews();
    return until;
  }

  /** Tells the sockets of these users that they have a new notification. */
  announce(userIds: readonly string[]): void {
    this.#state.sockets.announce(new Set(userIds));
  }

  /** Ends the views by a consent or an emergency access that has ended, before this call returns. */
  endGrant(grantId: string): void {
    this.#state.endGrant(grantId);
  }

  /** Checks again what each socket may see, here and in feeds with sockets of this hospital's users. */
  async recheck(): Promise<void> {
    await this.#checkAll();
    await this.#notifyFollowers();
  }

  /** Calls during a run share the next run. */
  async #checkAll(): Promise<void> {
    this.#nextCheck ??= this.#checking
      .catch(() => undefined)
      .then(() => {
        this.#nextCheck = null;
        this.#checking = this.#recheckSockets();
        return this.#checking;
      });
    await this.#nextCheck;
  }

  /** Registers another feed that has sockets of this hospital's users; the feed `none` is for users without a hospital. */
  follow(hospitalId: string): void {
    this.#state.storage.addFollower(hospitalId);
  }

  /** Notifies no further feed, since two may follow each other. @returns whether sockets of that hospital's users remain */
  async recheckFollowed(home: string): Promise<boolean> {
    await this.#checkAll();
    return this.#admissions.isBusy || this.#state.sockets.entries().some(([, { client }]) => toHomeFeed(client) === home);
  }

  /** Upgrades an authorized caller; visibility is queried again here. */
  override async fetch(request: Request): Promise<Response> {
    const handshake = Handshake.parse(JSON.parse(request.headers.get("X-Live") ?? ""));
    return this.#admissions.requestAdmission(handshake);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#alarmAt = null;
    try {
      this.#state.sockets.closeExpired(now);
      this.#state.removeUnusedViews();
      this.#state.recordHour(now);
      if ((this.#state.auditQueue.nextDue() ?? now + 1) <= now) this.ctx.waitUntil(this.#state.auditQueue.deliver());
      const isBeatDue = now >= this.#beatAt;
      if (isBeatDue) this.#beat(now);
      if (now >= Math.min(this.#recheckAt, this.#state.grantsEndAt())) await this.recheck();
      // Last, since objects of patients may hang.
      if (isBeatDue) await catchUpLagging(this.#state);
    } catch (error) {
      this.#recheckAt = now + RETRY_MS;
      this.#report("alarm", error);
    }
    // What nothing else covers; also when D1 did not answer.
    this.#state.endGrants((grant) => grantEndsAt(grant) <= Date.now());
    this.#scheduleAlarm();
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const { sockets } = this.#state;
    const connection = sockets.get(socket);
    if (!connection) return;
    if (exceedsMessageRate(connection.rate, Date.now())) sockets.close(socket, CLOSE_REASONS.flood);
    else if (isExpired(connection.client, Date.now())) sockets.close(socket, CLOSE_REASONS.ended);
    else {
      const message = parseMessage(data);
      if ("type" in message) await this.#handleMessage(socket, connection.client, message);
      else sockets.close(socket, message);
    }
    this.#state.removeUnusedViews();
  }

  override webSocketClose(socket: WebSocket): void {
    this.#state.sockets.remove(socket);
    // Completes the close handshake; otherwise the other end waits for a timeout.
    if (socket.readyState !== WebSocket.CLOSED) socket.close(1000);
    this.#state.removeUnusedViews();
  }

  override webSocketError(socket: WebSocket): void {
    this.#state.sockets.remove(socket);
    this.#state.removeUnusedViews();
  }

  async #handleMessage(socket: WebSocket, client: ClientState, message: ClientMessage): Promise<void> {
    const { sockets } = this.#state;
    if (message.type === "ack") {
      // Acknowledging unsent frames would bypass the limit of unacknowledged ones.
      if (message.seq > client.sent) sockets.close(socket, CLOSE_REASONS.policy);
      else await this.#acknowledge(socket, message.seq, message.beat);
    } else if (await isTokenOfHolder(this.env, client.holder, message.access_token)) {
      client.expires = tokenExpiresAt(message.access_token);
      this.#scheduleAlarm();
    } else sockets.close(socket, CLOSE_REASONS.ended);
    if (sockets.get(socket)) sockets.saveState(socket);
  }

  async #acknowledge(socket: WebSocket, seq: number, beat: number | undefined): Promise<void> {
    const connection = this.#state.sockets.get(socket);
    if (!connection) return;
    const { client, unacked, pending } = connection;
    const before = client.frames;
    acknowledgeFrames(client, unacked, seq);
    const hasReturnedBeat = beat !== undefined && acceptBeat(client.unread, beat);
    this.#state.sockets.beatIfDue(socket);
    if (!pending || (client.frames === before && !hasReturnedBeat)) return;
    pending.waitingSince = Date.now();
    this.#state.recordHour(Date.now());
    await catchUp(this.#state, socket);
  }

  /** Admits a batch with one visibility query and one call per patient's object. */
  async #admit(batch: readonly Handshake[]): Promise<Admission[]> {
    const state = this.#state;
    const before = state.nextSeq();
    const admission = state.beginAdmission(batch, before);
    const wasEmpty = state.sockets.size === 0;
    try {
      const homeFeeds = new Set(
        batch.map(({ subscription }) => toHomeFeed(subscription)).filter((home) => home !== state.hospitalId),
      );
      await Promise.all([...homeFeeds].map((home) => this.env.WARD_FEED.getByName(home).follow(state.hospitalId)));
      const ended = await this.#applyVisibility(batch.map(({ subscription }) => subscription));
      const snapshots = await state.refreshSnapshots(
        batch.map(({ subscription }) => subscription.view),
        before,
        true,
      );
      const admitted = batch.map((handshake): Admission => {
        if (ended.has(handshake.subscription)) return { refused: 401 };
        return admitSocket(state, handshake, snapshots, before);
      });
      if (wasEmpty) {
        this.#recheckAt = Date.now() + RECHECK_MS;
        this.#beatAt = Date.now() + BEAT_MS;
      }
      return admitted;
    } finally {
      admission.done();
      state.removeUnusedViews();
      this.#scheduleAlarm();
    }
  }

  /** Queries what these subscriptions may see and applies it to their views. @returns the subscriptions whose access has ended */
  async #applyVisibility(subscriptions: readonly Subscription[]): Promise<ReadonlySet<Subscription>> {
    const state = this.#state;
    const queryNumber = state.nextQueryNumber();
    const { patients, ended } = await findVisiblePatients(getDb(this.env.DB), state.hospitalId, subscriptions, state.requested());
    for (const [view, visible] of patients) state.applyVisiblePatients(view, visible, queryNumber);
    return ended;
  }

  async #recheckSockets(): Promise<void> {
    const state = this.#state;
    const sockets = new Map<Subscription, WebSocket>(state.sockets.entries().map(([socket, { client }]) => [client, socket]));
    if (sockets.size === 0) return;
    const before = state.seq;
    const ended = await this.#applyVisibility([...sockets.keys()]);
    for (const subscription of ended) {
      const socket = sockets.get(subscription);
      if (socket) state.sockets.close(socket, CLOSE_REASONS.ended);
    }
    state.removeUnusedViews();
    await state.refreshSnapshots(state.viewKeys(), before, false);
    state.saveViews();
    this.#recheckAt = Date.now() + RECHECK_MS;
    this.#scheduleAlarm();
  }

  async #notifyFollowers(): Promise<void> {
    const { storage, hospitalId } = this.#state;
    await Promise.all(
      storage.listFollowers().map(async (follower) => {
        const hasSockets = await this.env.WARD_FEED.getByName(follower.hospital_id).recheckFollowed(hospitalId);
        if (!hasSockets) storage.removeFollower(follower);
      }),
    );
  }

  /** Sends each socket a frame that its client returns. */
  #beat(now: number): void {
    const state = this.#state;
    this.#beatAt = now + BEAT_MS;
    closeStalled(state, now);
    state.sockets.beatAll();
    state.removeUnusedViews();
  }

  /** Schedules the next beat or recheck, or the first expiry before it, and the delivery of audit events; nothing without either. */
  #scheduleAlarm(): void {
    const { sockets, auditQueue } = this.#state;
    const times = sockets.entries().map(([, { client }]) => client.expires ?? this.#recheckAt);
    if (times.length > 0)
      times.push(this.#recheckAt, this.#state.grantsEndAt(), this.#beatAt, Math.ceil((Date.now() + 1) / HOUR_MS) * HOUR_MS);
    const deliveryAt = auditQueue.nextDue();
    if (deliveryAt !== null) times.push(deliveryAt);
    if (times.length === 0) return;
    const at = Math.max(Date.now(), Math.min(...times));
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }
}

function isAbout(frame: PatientFrame, patientId: string): boolean {
  return frame.patient_id === patientId && (frame.type !== "alert" || frame.alert.patient_id === patientId);
}
