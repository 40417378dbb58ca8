// One object a hospital: the sockets that watch its patients. It keeps nothing that cannot be asked again but used tickets.
import { DurableObject } from "cloudflare:workers";
import { verifyAccessToken } from "../../accounts/sessions/access-tokens.ts";
import { getKeys } from "../../platform/config.ts";
import { getDb } from "../../platform/db/client.ts";
import { type ErrorReport, errorReport, logMethodErrors, reporting } from "../../platform/object-log.ts";
import type { Feed, PatientFrame } from "../patient-object/contract.ts";
import { type Admission, Admissions } from "./admissions.ts";
import {
  acknowledgeFrames,
  CLOSE_REASONS,
  type ClientMessage,
  type ClientState,
  Handshake,
  isFlooding,
  parseMessage,
} from "./clients.ts";
import { FeedState } from "./feed-state.ts";
import { appendFrame, toFrameBody } from "./frame-buffer.ts";
import { isExpired, type NumberedFrame } from "./sockets.ts";
import { tokenExpiresAt } from "./tickets.ts";
import { findVisiblePatients, type Subscription } from "./visibility.ts";
import { updateWatch } from "./watches.ts";

/** The feed that hears of people who act for no hospital: patients and administrators. */
const NO_HOSPITAL_FEED = "none";
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
  #alarmAt: number | null = null;
  #checking: Promise<void> = Promise.resolve();
  #nextCheck: Promise<void> | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const report = errorReport(env, OBJECT, ctx.id);
    this.#report = report;
    this.#state = reporting(report, "migrate", () => new FeedState(ctx, env, (error) => report("read", error)));
    this.#admissions = new Admissions((batch) => this.#admit(batch));
  }

  /** Uses a ticket up. @returns whether it had not been used before */
  redeemTicket(ticketId: string, expires: number): boolean {
    return this.#state.storage.redeemTicket(ticketId, expires, Date.now());
  }

  /**
   * Frames of one patient, to everybody who may see that patient at this moment.
   * @returns until when somebody watches, epoch milliseconds; 0 when nobody does
   */
  async publish(patientId: string, frames: PatientFrame[]): Promise<number> {
    if (frames.some((frame) => !isAbout(frame, patientId))) throw new Error("a frame about another patient");
    const state = this.#state;
    const isWatched = state.isWatched(patientId);
    const watch = state.findOrAddWatch(patientId, isWatched);
    const until = watch ? updateWatch(watch, isWatched, Date.now()) : 0;
    if (until === 0) {
      state.watches.delete(patientId);
      return 0;
    }
    const outgoing = frames.map((frame): NumberedFrame => {
      const numberedFrame = { seq: state.nextSeq(), patientId, body: toFrameBody(frame) };
      appendFrame(state.buffer, numberedFrame);
      return numberedFrame;
    });
    for (const socket of state.listSocketsShowing(patientId)) state.sockets.send(socket, outgoing);
    state.removeUnusedViews();
    return until;
  }

  /** Looks again at what every socket may see, here and at the hospitals that are watched by people who act for this one. */
  async recheck(): Promise<void> {
    await this.#checkAll();
    await this.#notifyFollowers();
  }

  /** Calls that come while one runs share the next. */
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

  /** A hospital's feed has sockets of people who act for this one, or of the feed `none`, for no hospital. */
  follow(hospitalId: string): void {
    this.#state.storage.addFollower(hospitalId);
  }

  /** Tells nobody else: two hospitals may follow each other. @returns whether there are sockets of people who act for that one */
  async recheckFollowed(home: string): Promise<boolean> {
    await this.#checkAll();
    return this.#admissions.isBusy || this.#state.sockets.entries().some(([, { client }]) => toHomeFeed(client) === home);
  }

  /** The upgrade, for a caller whom the gate has let in; what they may see is asked again here. */
  override async fetch(request: Request): Promise<Response> {
    const handshake = Handshake.parse(JSON.parse(request.headers.get("X-Live") ?? ""));
    return this.#admissions.requestAdmission(handshake);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#alarmAt = null;
    try {
      this.#closeEnded(now);
      if (now >= this.#recheckAt) await this.recheck();
    } catch (error) {
      this.#recheckAt = now + RETRY_MS;
      this.#report("alarm", error);
    }
    this.#scheduleAlarm();
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const { sockets } = this.#state;
    const connection = sockets.get(socket);
    if (!connection) return;
    if (isFlooding(connection.rate, Date.now())) sockets.close(socket, CLOSE_REASONS.flood);
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
    // Answers the close; else the other end waits for its time to run out.
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
      // Who acknowledges what was never sent would have no bound.
      if (message.seq > client.sent) sockets.close(socket, CLOSE_REASONS.policy);
      else acknowledgeFrames(client, sockets.get(socket)?.unacked ?? [], message.seq);
    } else if (await this.#isSameCaller(client, message.access_token)) {
      client.expires = tokenExpiresAt(message.access_token);
      this.#scheduleAlarm();
    } else sockets.close(socket, CLOSE_REASONS.ended);
    if (sockets.get(socket)) sockets.save(socket);
  }

  /** A newer token of the same session. */
  async #isSameCaller({ holder }: ClientState, jwt: string): Promise<boolean> {
    const keys = await getKeys(this.env);
    const token = await verifyAccessToken(this.env, keys.jwt, jwt, Date.now()).catch(() => null);
    return holder.kind === "user" && token?.userId === holder.userId && token.sessionId === holder.sessionId;
  }

  /** Lets in everybody who waits, with one question to D1 and one to each patient's object. */
  async #admit(batch: readonly Handshake[]): Promise<Admission[]> {
    const state = this.#state;
    const reservedSeqs = { gap: state.nextSeq(), snapshot: state.nextSeq() };
    const admission = state.beginAdmission(batch, reservedSeqs);
    const wasEmpty = state.sockets.size === 0;
    try {
      const homeFeeds = new Set(batch.map(({ seat }) => toHomeFeed(seat)).filter((home) => home !== state.hospitalId));
      await Promise.all([...homeFeeds].map((home) => this.env.WARD_FEED.getByName(home).follow(state.hospitalId)));
      const ended = await this.#applyVisibility(batch.map(({ seat }) => seat));
      const snapshots = await state.refreshSnapshots(
        batch.map(({ seat }) => seat.view),
        reservedSeqs.snapshot,
        true,
      );
      const admitted = batch.map((handshake): Admission => {
        if (ended.has(handshake.seat)) return { refused: 401 };
        return state.admitSocket(handshake, snapshots, reservedSeqs);
      });
      if (wasEmpty) this.#recheckAt = Date.now() + RECHECK_MS;
      return admitted;
    } finally {
      admission.done();
      state.removeUnusedViews();
      this.#scheduleAlarm();
    }
  }

  /** Asks D1 what these seats may see, and takes from their views what that is no longer. @returns the seats that ended */
  async #applyVisibility(seats: readonly Subscription[]): Promise<ReadonlySet<Subscription>> {
    const state = this.#state;
    const queryNumber = state.nextQueryNumber();
    const { patients, ended } = await findVisiblePatients(getDb(this.env.DB), state.hospitalId, seats, state.requested());
    for (const [view, ids] of patients) state.applyVisiblePatients(view, ids, queryNumber);
    return ended;
  }

  async #recheckSockets(): Promise<void> {
    const state = this.#state;
    const sockets = new Map<Subscription, WebSocket>(state.sockets.entries().map(([socket, { client }]) => [client, socket]));
    if (sockets.size === 0) return;
    const before = state.seq;
    const ended = await this.#applyVisibility([...sockets.keys()]);
    for (const seat of ended) {
      const socket = sockets.get(seat);
      if (socket) state.sockets.close(socket, CLOSE_REASONS.ended);
    }
    state.removeUnusedViews();
    await state.refreshSnapshots(state.viewKeys(), before, false);
    state.saveViews();
    this.#recheckAt = Date.now() + RECHECK_MS;
    this.#scheduleAlarm();
  }

  async #notifyFollowers(): Promise<void> {
    const { storage: shelf, hospitalId } = this.#state;
    await Promise.all(
      shelf.listFollowers().map(async (follower) => {
        const hasSockets = await this.env.WARD_FEED.getByName(follower.hospital_id).recheckFollowed(hospitalId);
        if (!hasSockets) shelf.removeFollower(follower);
      }),
    );
  }

  #closeEnded(now: number): void {
    for (const [socket, { client }] of this.#state.sockets.entries()) {
      if (isExpired(client, now)) this.#state.sockets.close(socket, CLOSE_REASONS.ended);
    }
    this.#state.removeUnusedViews();
  }

  /** The next look at rights, or the first token's end before it. Without sockets the feed sleeps. */
  #scheduleAlarm(): void {
    const entries = this.#state.sockets.entries();
    if (entries.length === 0) return;
    const ends = entries.map(([, { client }]) => client.expires ?? this.#recheckAt);
    const at = Math.max(Date.now(), Math.min(this.#recheckAt, ...ends));
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }
}

/** The feed that hears of changes to somebody's rights: that of the hospital for which they act. */
const toHomeFeed = ({ actingFor }: Subscription) => actingFor ?? NO_HOSPITAL_FEED;

function isAbout(frame: PatientFrame, patientId: string): boolean {
  return frame.patient_id === patientId && (frame.type !== "alert" || frame.alert.patient_id === patientId);
}
