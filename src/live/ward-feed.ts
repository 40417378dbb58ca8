// One object a hospital: the sockets that watch its patients. It keeps nothing that cannot be asked again but used tickets.
import { DurableObject } from "cloudflare:workers";
import { verifyAccessToken } from "../auth/tokens.ts";
import { keysOf } from "../config.ts";
import { database } from "../db/client.ts";
import type { Feed, PatientFrame } from "../monitor/contract.ts";
import { type ErrorReport, errorReport, logMethodErrors, reporting } from "../object-log.ts";
import { type Admission, Admissions } from "./admissions.ts";
import { acknowledge, CLOSE, type Client, Handshake, isFlood, type Message, readMessage } from "./clients.ts";
import { bodyOf, keep } from "./ring.ts";
import { hasEnded, type Outgoing } from "./sockets.ts";
import { Stage } from "./stage.ts";
import { endOfToken } from "./tickets.ts";
import { lookUp, type Seat } from "./views.ts";
import { heard } from "./watches.ts";

/** The feed that hears of people who act for no hospital: patients and administrators. */
const NO_HOSPITAL = "none";
const RECHECK_MS = 60_000;
const RETRY_MS = 5_000;
const OBJECT = "WardFeed";

export class WardFeed extends DurableObject<Env> implements Feed {
  static {
    logMethodErrors(OBJECT, WardFeed.prototype, ({ env, ctx }) => ({ env, id: ctx.id }));
  }

  readonly #report: ErrorReport;
  readonly #stage: Stage;
  readonly #admissions: Admissions;
  #recheckAt = 0;
  #armed: number | null = null;
  #checking: Promise<void> = Promise.resolve();
  #nextCheck: Promise<void> | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const report = errorReport(env, OBJECT, ctx.id);
    this.#report = report;
    this.#stage = reporting(report, "migrate", () => new Stage(ctx, env, (error) => report("read", error)));
    this.#admissions = new Admissions((wave) => this.#admit(wave));
  }

  /** Uses a ticket up. @returns whether it had not been used before */
  redeem(ticketId: string, expires: number): boolean {
    return this.#stage.shelf.redeem(ticketId, expires, Date.now());
  }

  /**
   * Frames of one patient, to everybody who may see that patient at this moment.
   * @returns until when somebody watches, epoch milliseconds; 0 when nobody does
   */
  async publish(patientId: string, frames: PatientFrame[]): Promise<number> {
    if (frames.some((frame) => !isAbout(frame, patientId))) throw new Error("a frame about another patient");
    const stage = this.#stage;
    const isSeen = stage.isSeen(patientId);
    const watch = stage.watchOf(patientId, isSeen);
    const until = watch ? heard(watch, isSeen, Date.now()) : 0;
    if (until === 0) {
      stage.watches.delete(patientId);
      return 0;
    }
    const outgoing = frames.map((frame): Outgoing => {
      const kept = { seq: stage.next(), patientId, body: bodyOf(frame) };
      keep(stage.ring, kept);
      return kept;
    });
    for (const socket of stage.watching(patientId)) stage.sockets.send(socket, outgoing);
    stage.tidy();
    return until;
  }

  /** Looks again at what every socket may see, here and at the hospitals that are watched by people who act for this one. */
  async recheck(): Promise<void> {
    await this.#checkAll();
    await this.#tellFollowers();
  }

  /** Calls that come while one runs share the next. */
  async #checkAll(): Promise<void> {
    this.#nextCheck ??= this.#checking
      .catch(() => undefined)
      .then(() => {
        this.#nextCheck = null;
        this.#checking = this.#check();
        return this.#checking;
      });
    await this.#nextCheck;
  }

  /** A hospital's feed has sockets of people who act for this one, or of the feed `none`, for no hospital. */
  follow(hospitalId: string): void {
    this.#stage.shelf.follow(hospitalId);
  }

  /** Tells nobody else: two hospitals may follow each other. @returns whether there are sockets of people who act for that one */
  async recheckGuests(home: string): Promise<boolean> {
    await this.#checkAll();
    return this.#admissions.isBusy || this.#stage.sockets.entries().some(([, { client }]) => homeOf(client) === home);
  }

  /** The upgrade, for a caller whom the gate has let in; what they may see is asked again here. */
  override async fetch(request: Request): Promise<Response> {
    const handshake = Handshake.parse(JSON.parse(request.headers.get("X-Live") ?? ""));
    return this.#admissions.enter(handshake);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#armed = null;
    try {
      this.#closeEnded(now);
      if (now >= this.#recheckAt) await this.recheck();
    } catch (error) {
      this.#recheckAt = now + RETRY_MS;
      this.#report("alarm", error);
    }
    this.#arm();
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const { sockets } = this.#stage;
    const guest = sockets.get(socket);
    if (!guest) return;
    if (isFlood(guest.pace, Date.now())) sockets.close(socket, CLOSE.flood);
    else if (hasEnded(guest.client, Date.now())) sockets.close(socket, CLOSE.ended);
    else {
      const message = readMessage(data);
      if ("type" in message) await this.#take(socket, guest.client, message);
      else sockets.close(socket, message);
    }
    this.#stage.tidy();
  }

  override webSocketClose(socket: WebSocket): void {
    this.#stage.sockets.forget(socket);
    // Answers the close; else the other end waits for its time to run out.
    if (socket.readyState !== WebSocket.CLOSED) socket.close(1000);
    this.#stage.tidy();
  }

  override webSocketError(socket: WebSocket): void {
    this.#stage.sockets.forget(socket);
    this.#stage.tidy();
  }

  async #take(socket: WebSocket, client: Client, message: Message): Promise<void> {
    const { sockets } = this.#stage;
    if (message.type === "ack") {
      // Who acknowledges what was never sent would have no bound.
      if (message.seq > client.sent) sockets.close(socket, CLOSE.policy);
      else acknowledge(client, sockets.get(socket)?.owed ?? [], message.seq);
    } else if (await this.#isSameCaller(client, message.access_token)) {
      client.expires = endOfToken(message.access_token);
      this.#arm();
    } else sockets.close(socket, CLOSE.ended);
    if (sockets.get(socket)) sockets.save(socket);
  }

  /** A newer token of the same session. */
  async #isSameCaller({ holder }: Client, jwt: string): Promise<boolean> {
    const keys = await keysOf(this.env);
    const token = await verifyAccessToken(this.env, keys.jwt, jwt, Date.now()).catch(() => null);
    return holder.kind === "user" && token?.userId === holder.userId && token.sessionId === holder.sessionId;
  }

  /** Lets in everybody who waits, with one question to D1 and one to each patient's object. */
  async #admit(wave: readonly Handshake[]): Promise<Admission[]> {
    const stage = this.#stage;
    const numbers = { gap: stage.next(), snapshot: stage.next() };
    const openings = stage.expect(wave, numbers);
    const wasEmpty = stage.sockets.size === 0;
    try {
      const homes = new Set(wave.map(({ seat }) => homeOf(seat)).filter((home) => home !== stage.hospitalId));
      await Promise.all([...homes].map((home) => this.env.WARD_FEED.getByName(home).follow(stage.hospitalId)));
      const ended = await this.#settle(wave.map(({ seat }) => seat));
      const looks = await stage.fill(
        wave.map(({ seat }) => seat.view),
        numbers.snapshot,
        true,
      );
      const admitted = wave.map((handshake): Admission => {
        if (ended.has(handshake.seat)) return { refused: 401 };
        return stage.admit(handshake, looks, numbers);
      });
      if (wasEmpty) this.#recheckAt = Date.now() + RECHECK_MS;
      return admitted;
    } finally {
      openings.done();
      stage.tidy();
      this.#arm();
    }
  }

  /** Asks D1 what these seats may see, and takes from their views what that is no longer. @returns the seats that ended */
  async #settle(seats: readonly Seat[]): Promise<ReadonlySet<Seat>> {
    const stage = this.#stage;
    const asked = stage.ask();
    const { patients, ended } = await lookUp(database(this.env.DB), stage.hospitalId, seats, stage.requested());
    for (const [view, ids] of patients) stage.settle(view, ids, asked);
    return ended;
  }

  async #check(): Promise<void> {
    const stage = this.#stage;
    const sockets = new Map<Seat, WebSocket>(stage.sockets.entries().map(([socket, { client }]) => [client, socket]));
    if (sockets.size === 0) return;
    const before = stage.seq;
    const ended = await this.#settle([...sockets.keys()]);
    for (const seat of ended) {
      const socket = sockets.get(seat);
      if (socket) stage.sockets.close(socket, CLOSE.ended);
    }
    stage.tidy();
    await stage.fill(stage.keys(), before, false);
    stage.keepViews();
    this.#recheckAt = Date.now() + RECHECK_MS;
    this.#arm();
  }

  async #tellFollowers(): Promise<void> {
    const { shelf, hospitalId } = this.#stage;
    await Promise.all(
      shelf.followers().map(async (follower) => {
        const hasGuests = await this.env.WARD_FEED.getByName(follower.hospital_id).recheckGuests(hospitalId);
        if (!hasGuests) shelf.unfollow(follower);
      }),
    );
  }

  #closeEnded(now: number): void {
    for (const [socket, { client }] of this.#stage.sockets.entries()) {
      if (hasEnded(client, now)) this.#stage.sockets.close(socket, CLOSE.ended);
    }
    this.#stage.tidy();
  }

  /** The next look at rights, or the first token's end before it. Without sockets the feed sleeps. */
  #arm(): void {
    const entries = this.#stage.sockets.entries();
    if (entries.length === 0) return;
    const ends = entries.map(([, { client }]) => client.expires ?? this.#recheckAt);
    const at = Math.max(Date.now(), Math.min(this.#recheckAt, ...ends));
    if (this.#armed !== null && this.#armed <= at) return;
    this.#armed = at;
    void this.ctx.storage.setAlarm(at);
  }
}

/** The feed that hears of changes to somebody's rights: that of the hospital for which they act. */
const homeOf = ({ actingFor }: Seat) => actingFor ?? NO_HOSPITAL;

function isAbout(frame: PatientFrame, patientId: string): boolean {
  return frame.patient_id === patientId && (frame.type !== "alert" || frame.alert.patient_id === patientId);
}
