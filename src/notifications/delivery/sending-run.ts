// The sending of one invocation of the consumer: attempts in lanes until the time is over, and messages for what comes later.
import { describeCause, stackFrames } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import type { Channel, ChannelCall } from "../channel.ts";
import type { Channels } from "../channels.ts";
import { attempt } from "./attempt.ts";
import { Breaker } from "./breaker.ts";
import { runInLanes } from "./lanes.ts";
import type { Leased } from "./lease.ts";
import { Ledger } from "./ledger.ts";
import { MAX_DELAY_MS, sendIds } from "./messages.ts";
import { postponed } from "./postponed.ts";
import { type Settlement, settlementOf } from "./settle.ts";

/** `startMs`: no attempt begins later than this after the start; `attemptMs`: longest attempt. Together less than a lease. */
export const TIME_LIMITS = {
  alarm: { startMs: 2_000, attemptMs: 3_000 },
  other: { startMs: 10_000, attemptMs: 15_000 },
} as const;
export type TimeLimits = (typeof TIME_LIMITS)[keyof typeof TIME_LIMITS];

/** Delayed messages are put together in steps of this size. */
const DELAY_STEP_MS = 2_000;
/** Waits before the outcome is stored again after D1 has failed: once lost, a sent delivery would become `unknown`. */
const STORE_AGAIN_MS = [100, 500, 2_000];

/** What does not answer, for all invocations of the isolate. */
const breaker = new Breaker();

const toWaiting = (nextAttemptAt: number): Settlement => ({ status: "waiting", nextAttemptAt, wasTried: false, answer: null });

export class SendingRun {
  readonly #call: Omit<ChannelCall, "signal" | "now">;
  readonly #channels: Channels;
  readonly #limits: TimeLimits;
  readonly #clock: () => number;
  readonly #startedAt = Date.now();
  readonly #ledger: Ledger;
  /** Deliveries that get a message of their own, by the delay of the message. */
  readonly #later = new Map<number, Leased[]>();
  #error: unknown;

  constructor(call: Omit<ChannelCall, "signal" | "now">, channels: Channels, limits: TimeLimits, clock: () => number) {
    this.#call = call;
    this.#channels = channels;
    this.#limits = limits;
    this.#clock = clock;
    this.#ledger = new Ledger(call.db, call.keys, clock);
  }

  get isOver(): boolean {
    return Date.now() - this.#startedAt >= this.#limits.startMs || this.#error !== undefined;
  }

  async send(leased: readonly Leased[]): Promise<void> {
    const held = await postponed(this.#call.db, leased, this.#clock());
    const destinationOf = (delivery: Leased) => `${delivery.channel} ${this.#channelOf(delivery).destination(delivery)}`;
    await runInLanes(leased, destinationOf, async (delivery) => {
      try {
        await this.#sendOne(delivery, destinationOf(delivery), held.get(delivery.id));
      } catch (error) {
        this.#error ??= error;
      }
    });
  }

  /** Sends the messages for later attempts. @throws the first error of D1 */
  async finish(): Promise<void> {
    const { env } = this.#call;
    try {
      await Promise.all([...this.#later].map(([delayMs, deliveries]) => sendIds(env, deliveries, delayMs)));
    } catch (error) {
      log(env, "WARNING", "retries not handed to the queue", { cause: describeCause(error), at: stackFrames(error) });
    }
    if (this.#error !== undefined) throw this.#error;
  }

  #channelOf({ channel }: Leased): Channel {
    const found = this.#channels[channel];
    if (!found) throw new Error("a delivery of a channel that is not there was leased");
    return found;
  }

  async #sendOne(delivery: Leased, destination: string, heldUntil: number | undefined): Promise<void> {
    const now = this.#clock();
    if (heldUntil !== undefined) return this.#settle(delivery, toWaiting(heldUntil));
    if (this.isOver) return this.#settle(delivery, toWaiting(now));
    const openUntil = breaker.openUntil(destination, now);
    if (openUntil > 0) return this.#settle(delivery, toWaiting(openUntil));
    if (!(await this.#ledger.begin(delivery))) return;
    const channel = this.#channelOf(delivery);
    const deadlineMs = Math.min(channel.deadlineMs, this.#limits.attemptMs);
    const { outcome, isTimedOut } = await attempt(channel, { ...this.#call, now }, delivery, deadlineMs);
    if (isTimedOut) breaker.recordTimeout(destination, this.#clock());
    else breaker.recordAnswer(destination);
    await this.#settle(delivery, settlementOf(delivery, channel, outcome, this.#clock()));
  }

  async #settle(delivery: Leased, settlement: Settlement): Promise<void> {
    await this.#store(delivery, settlement);
    const { status, nextAttemptAt, answer } = settlement;
    if (status === "failed" || status === "unknown")
      log(this.#call.env, "WARNING", "delivery ended", {
        code: delivery.id,
        reason: status,
        ...(answer?.status != null && { status: answer.status }),
      });
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
