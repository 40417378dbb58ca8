// Deliveries for tests: events with many recipients, channels that talk to the provider stand-in, and the queues' consumer.
import { createMessageBatch } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { inject } from "vitest";
import type { Actor } from "../../src/access/actor.ts";
import type { Channel, Delivery, Outcome } from "../../src/notifications/channel.ts";
import type { Channels } from "../../src/notifications/channels.ts";
import { type ConsumeOptions, consume } from "../../src/notifications/delivery/consume.ts";
import type { DeliveryMessage } from "../../src/notifications/delivery/messages.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { interceptStores } from "../stores.ts";
import { env, uniqueText } from "../world.ts";

export const ALARMS = "edgecare-alarms";
export const MESSAGES = "edgecare-messages";

/** What the stand-in does with an attempt; see test/provider-stand-in.ts. */
export type Behaviour = "ok" | "500" | "429" | "410" | "hang" | "close" | "lost";
type Plan = (delivery: Delivery) => Behaviour;

/** A provider of its own for a test, reached over HTTP. */
export function createProvider(plan: Plan = () => "ok", changes: Partial<Channel> = {}) {
  const url = `${inject("provider")}/${uniqueText()}`;
  const channel: Channel = {
    retryDelays: [1_000, 5_000, 30_000, 60_000],
    deadlineMs: 1_000,
    destination: () => url,
    send: (call, delivery) => post(`${url}/${plan(delivery)}`, delivery, call.signal),
    ...changes,
  };
  const accepted = async () => JSON.parse(await (await fetch(url)).text()) as [id: string, at: number][];
  return { channel, accepted, url };
}

async function post(url: string, { id }: Delivery, signal: AbortSignal): Promise<Outcome> {
  try {
    const response = await fetch(url, { method: "POST", headers: { "Delivery-Id": id }, body: "{}", signal });
    const answer = { status: response.status, text: await response.text() };
    if (response.ok) return { result: "accepted", answer };
    if (response.status === 410) return { result: "refused", answer };
    const retryAfter = Number(response.headers.get("Retry-After") ?? 0);
    return { result: "failed", answer, ...(retryAfter > 0 && { retryAfterMs: retryAfter * 1_000 }) };
  } catch {
    return { result: "unknown", answer: { status: null, text: "no answer" } };
  }
}

type Row = { id: string; status: string; attempts: number; next_attempt_at: number | null; answer_status: number | null };

export const readDeliveries = (eventId: string): Promise<Row[]> =>
  getDb(env.DB).all<Row>(sql`SELECT id, status, attempts, next_attempt_at, answer_status FROM deliveries
    WHERE id >= ${`${eventId}.`} AND id < ${`${eventId}/`} ORDER BY id`);

export type NewDeliveries = {
  count?: number;
  channel?: Delivery["channel"];
  priority?: Delivery["priority"];
  dueAt?: number;
  hospitalId?: string | null;
  /** First part of the target; targets are numbered. */
  target?: string;
};

/** Writes deliveries of one new event, as `notify` does. @returns its id */
export async function createDeliveries(options: NewDeliveries = {}): Promise<string> {
  const { count = 1, channel = "sms", priority = "normal", dueAt = Date.now(), hospitalId = null, target = "target" } = options;
  const eventId = uuidv7();
  await getDb(env.DB).run(sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO deliveries (id, hospital_id, channel, target_id, kind, priority, refs, next_attempt_at, created_at)
    SELECT ${`${eventId}.${channel}.${target}-`} || i, ${hospitalId}, ${channel}, ${`${target}-`} || i, 'notification.test',
      ${priority}, '{}', CAST(${dueAt} AS INTEGER), CAST(${dueAt} AS INTEGER) FROM n`);
  return eventId;
}

/**
 * One batch of a queue for the consumer. What the consumer hands to the queues is lost: they would deliver it to the Worker's own
 * consumer, whose channels are not those of the test.
 */
export function consumeMessages(queue: string, bodies: readonly DeliveryMessage[], options: ConsumeOptions, on: Env = env) {
  const messages = bodies.map((body) => ({ id: uniqueText(), timestamp: new Date(), attempts: 1, body }));
  const withoutQueues = interceptStores(on, (call, run) =>
    call.store === "QUEUES" ? Promise.resolve(undefined as never) : run(),
  );
  return consume(withoutQueues, createMessageBatch(queue, messages), options);
}

export const onlyChannel = (channel: Channel): Channels => ({ sms: channel });

export const SYSTEM: Actor = { kind: "system", name: "test", via: { requestId: "test-deliveries", ip: null } };
