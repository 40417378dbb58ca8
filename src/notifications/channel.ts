// What a channel does: hands one delivery to its provider, and says what became of it.
import type { Keys } from "../platform/config.ts";
import type { Db } from "../platform/db/client.ts";
import type { DELIVERY_CHANNELS } from "../platform/db/vocabulary.ts";
import type { Priority } from "./kinds.ts";
import type { Refs } from "./notify.ts";

export type DeliveryChannel = (typeof DELIVERY_CHANNELS)[number];

/** A delivery under a lease. Times are epoch milliseconds. */
export type Delivery = {
  id: string;
  /** UUIDv7, the first part of `id`: the same for all recipients and channels of an event. */
  eventId: string;
  userId: string | null;
  hospitalId: string | null;
  channel: DeliveryChannel;
  targetId: string;
  kind: string;
  priority: Priority;
  refs: Refs;
  /** Attempts before this one. */
  attempts: number;
  bodySealed: string | null;
  /** 1: the stored body has clinical fields. */
  bodyHasDetails: number;
  createdAt: number;
};

/** The provider's status code and the beginning of its answer. */
export type Answer = { status: number | null; text: string | null };

export type Outcome =
  /** The provider has taken it over. */
  | { result: "accepted"; answer: Answer }
  /** Certainly not taken over: another attempt follows, not before `retryAfterMs`. */
  | { result: "failed"; answer: Answer; retryAfterMs?: number }
  /** The request was sent and nothing, or nothing clear, came back: it may have been taken over. */
  | { result: "unknown"; answer: Answer }
  /** Certainly not taken over, and never will be: the address or subscription is no longer valid. */
  | { result: "refused"; answer: Answer }
  /** Not tried: quiet hours until then. */
  | { result: "postponed"; until: number }
  /** Not tried: there is nobody to tell any more (no address, switched off since, link used). */
  | { result: "cancelled" };

export type ChannelCall = { env: Env; db: Db; keys: Keys; now: number; signal: AbortSignal };

export type Channel = {
  /**
   * Sends one delivery. The signal ends the attempt at its deadline. May be called again for the same delivery after `failed`, and for an
   * alarm after `unknown`: where the provider knows idempotency keys, `id` is the key.
   * Never throws for what the provider does; an error that it throws counts as `failed`.
   */
  send(call: ChannelCall, delivery: Delivery): Promise<Outcome>;
  /** Reads what these deliveries need in one round trip. @returns a `send` for them that does not read it again  @throws what D1 throws */
  prepare?(call: Omit<ChannelCall, "signal">, deliveries: readonly Delivery[]): Promise<Channel["send"]>;
  /** What shares the fate of being down: the mail service, a push service's host, one webhook. Bounds what a dead one can hold up. */
  destination(delivery: Delivery): string;
  /** Waits in milliseconds before each further attempt; after the last one the delivery has failed. */
  retryDelays: readonly number[];
  /** Deadline of one attempt in milliseconds; at most 15 s, of the first attempt at an alarm 3 s. */
  deadlineMs: number;
  /** The provider or the receiver drops a second message with the same delivery id: after `unknown` it is sent again. */
  isIdempotent?: boolean;
};
