// The sending of one invocation of the consumer: attempts in lanes until the time is over, and messages for what comes later.
import { withDeadline } from "../../platform/deadline.ts";
import { describeCause, stackFrames } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import type { Channel, ChannelCall } from "../channel.ts";
import type { Channels } from "../channels.ts";
import { type Attempt, attempt } from "./attempt.ts";
import { Breaker } from "./breaker.ts";
import { readChoices } from "./choices.ts";
import { Lanes } from "./lanes.ts";
import type { Leased } from "./lease.ts";
import { Ledger } from "./ledger.ts";
import { MAX_DELAY_MS, type QueuedDelivery, sendIds } from "./messages.ts";
import { type Settlement, settlementOf } from "./settle.ts";

/**
 * `startMs`: no attempt begins later than this after the start; `attemptMs`: longest attempt. Together less than a lease.
 * `holdMs`: how long the queue waits for the invocation; attempts that are under way end behind it. `gapMs`: of the ledger.
 */
export const TIME_LIMITS = {
  alarm: { startMs: 2_000, attemptMs: 3_000, holdMs: 500, gapMs: 200 },
  other: { startMs: 10_000, attemptMs: 15_000, holdMs: 5_000, gapMs: 0 },
} as const;
export type TimeLimits = (typeof TIME_LIMITS)[keyof typeof TIME_LIMITS];
/** An attempt without an answer for this long makes its destination a slow one until the answer comes. */
const SLOW_MS = 1_000;

/** Longest wait for a channel to end its attempt after the deadline. */
const END_MS = 2_000;

/** Delayed messages are put together in steps of this size. */
const DELAY_STEP_MS = 2_000;
/** Waits before the outcome is stored again after D1 has failed: once lost, a sent delivery would become `unknown`. */
const STORE_AGAIN_MS = [100, 500, 2_000];

/** What does not answer, for all invocations of the isolate. */
const breaker = new Breaker();

const CANCELLED: Settlement = { status: "cancelled", nextAttemptAt: null, wasTried: false, answer: null };
const toWaiting = (nextAttemptAt: number): Settlement => ({ status: "waiting", nextAttemptAt, wasTried: false, answer: null });

export class SendingRun {
  readonly #call: Omit<ChannelCall, "signal" | "now">;
  readonly #channels: Channels;
  readonly #limits: TimeLimits;
  readonly #clock: () => number;
  /** Of the first sending; the lease before it may have waited for D1. */
  #startedAt: number | undefined;
  readonly #ledger: Ledger;
  /** Deliveries that get a message of their own, by the delay of the message. */
  readonly #later = new Map<number, QueuedDelivery[]>();
  readonly #lanes: Lanes<Leased>;
  readonly #sends = new Map<string, Channel["send"]>();
  readonly #heldUntil = new Map<string, number>();
  readonly #switchedOff = new Set<string>();
  readonly #settling: Promise<void>[] = [];
  #error: unknown;

  constructor(call: Omit<ChannelCall, "signal" | "now">, channels: Channels, limits: TimeLimits, clock: () => number) {
    this.#call = call;
    this.#channels = channels;
    this.#limits = limits;
    this.#clock = clock;
    this.#ledger = new Ledger(call.db, call.keys, clock, limits.gapMs);
    this.#lanes = new Lanes(
      (delivery) => this.#destinationOf(delivery),
      (delivery) => this.#trySend(delivery),
    );
  }

  get isOver(): boolean {
    const lasted = this.#startedAt === undefined ? 0 : Date.now() - this.#startedAt;
    return lasted >= this.#limits.startMs || this.hasFailed;
  }

  get hasFailed(): boolean {
    return this.#error !== undefined;
  }

  /** Never throws, and may be called again before the first call has ended. */
  async send(leased: readonly Leased[]): Promise<void> {
    this.#startedAt ??= Date.now();
    try {
      const [choices] = await Promise.all([readChoices(this.#call.db, leased, this.#clock()), this.#prepare(leased)]);
      for (const [id, until] of choices.heldUntil) this.#heldUntil.set(id, until);
      for (const id of choices.switchedOff) this.#switchedOff.add(id);
      await this.#lanes.run(leased);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the run: nothing more begins, and `finish` throws the first error. */
  fail(error: unknown): void {
    this.#error ??= error;
  }

  /** Stores what is not stored yet and sends the messages for later attempts. @throws the first error of D1 */
  async finish(): Promise<void> {
    const { env } = this.#call;
    await Promise.all(this.#settling);
    try {
      await Promise.all([...this.#later].map(([delayMs, deliveries]) => sendIds(env, deliveries, delayMs)));
    } catch (error) {
      log(env, "WARNING", "retries not handed to the queue", { cause: describeCause(error), at: stackFrames(error) });
    }
    if (this.#error !== undefined) throw this.#error;
  }

  async #prepare(leased: readonly Leased[]): Promise<void> {
    const call = { ...this.#call, now: this.#clock() };
    const byChannel = [...Map.groupBy(leased, ({ channel }) => channel)];
    await Promise.all(
      byChannel.map(async ([name, deliveries]) => {
        const channel = this.#channels[name];
        // Without it, `send` reads by itself.
        const send = await channel?.prepare?.(call, deliveries).catch(() => undefined);
        if (send) for (const { id } of deliveries) this.#sends.set(id, send);
      }),
    );
  }

  #destinationOf(delivery: Leased): string {
    return `${delivery.channel} ${this.#channelOf(delivery).destination(delivery)}`;
  }

  #channelOf({ channel }: Leased): Channel {
    const found = this.#channels[channel];
    if (!found) throw new Error("a delivery of a channel that is not there was leased");
    return found;
  }

  /** @returns whether the destination answered; undefined: it was not asked */
  async #trySend(delivery: Leased): Promise<boolean | undefined> {
    try {
      return await this.#sendOne(delivery, this.#destinationOf(delivery));
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  async #sendOne(delivery: Leased, destination: string): Promise<boolean | undefined> {
    const now = this.#clock();
    if (this.#switchedOff.has(delivery.id)) return void this.#settle(delivery, CANCELLED);
    const heldUntil = this.#heldUntil.get(delivery.id);
    if (heldUntil !== undefined) return void this.#settle(delivery, toWaiting(heldUntil));
    if (this.isOver) return void this.#settle(delivery, toWaiting(now));
    const openUntil = breaker.openUntil(destination, now);
    // Not urgent any more: the message of the next attempt must not hold up other alarms.
    if (openUntil > 0) return void this.#settle(delivery, toWaiting(openUntil), 1);
    // The lease has marked an alarm.
    if (delivery.priority !== "alarm" && !(await this.#ledger.begin(delivery))) return undefined;
    const { outcome, isTimedOut } = await this.#attempt(delivery, destination, now);
    this.#settle(delivery, settlementOf(delivery, this.#channelOf(delivery), outcome, this.#clock()), 1);
    return !isTimedOut;
  }

  async #attempt(delivery: Leased, destination: string, now: number): Promise<Attempt> {
    const channel = this.#channelOf(delivery);
    const deadlineMs = Math.min(channel.deadlineMs, this.#limits.attemptMs);
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      breaker.recordSlow(destination, this.#clock());
    }, SLOW_MS);
    const send = this.#sends.get(delivery.id) ?? channel.send;
    const result = await attempt(send, { ...this.#call, now }, delivery, deadlineMs);
    clearTimeout(timer);
    if (result.isTimedOut) {
      breaker.recordTimeout(destination, this.#clock(), isSlow);
      this.#awaitEnd(delivery, result.work);
    } else breaker.recordAnswer(destination);
    return result;
  }

  /** Keeps the invocation until the channel has stored what it noted of a timeout; the next delivery does not wait for it. */
  #awaitEnd({ id }: Leased, work: Promise<unknown>): void {
    const end = withDeadline(work, END_MS, "the channel").catch((error: unknown) => {
      log(this.#call.env, "WARNING", "attempt not ended in order", { code: id, cause: describeCause(error) });
    });
    this.#settling.push(end.then(() => undefined));
  }

  /** Does not wait: the connection is for the next delivery. @param tried attempts of this run, for the choice of the queue */
  #settle(delivery: Leased, settlement: Settlement, tried = 0): void {
    const settled = this.#store(delivery, settlement).catch((error: unknown) => this.fail(error));
    this.#settling.push(settled);
    this.#noteEnd(delivery, settlement);
    this.#noteLater({ id: delivery.id, priority: delivery.priority, attempts: delivery.attempts + tried }, settlement);
  }

  #noteEnd({ id }: Leased, { status, answer }: Settlement): void {
    if (status !== "failed" && status !== "unknown") return;
    const fields = { code: id, reason: status, ...(answer?.status != null && { status: answer.status }) };
    log(this.#call.env, "WARNING", "delivery ended", fields);
  }

  #noteLater(delivery: QueuedDelivery, { nextAttemptAt }: Settlement): void {
    if (nextAttemptAt === null) return;
    const waitMs = nextAttemptAt - this.#clock();
    if (waitMs > MAX_DELAY_MS) return;
    const delayMs = waitMs <= 0 ? 0 : Math.ceil(waitMs / DELAY_STEP_MS) * DELAY_STEP_MS;
    this.#later.set(delayMs, [...(this.#later.get(delayMs) ?? []), delivery]);
  }

  async #store(delivery: Leased, settlement: Settlement): Promise<void> {
    for (const waitMs of STORE_AGAIN_MS) {
      try {
        return await this.#ledger.settle(delivery, settlement);
      } catch {
        await scheduler.wait(waitMs);
      }
    }
    await this.#ledger.settle(delivery, settlement);
  }
}
