// Webhooks for tests: registered through the API, with a receiver that keeps what it gets, and the queue's consumer at a given time.
import { createMessageBatch } from "cloudflare:test";
import { sql } from "drizzle-orm";
import type { Actor } from "../../src/access/actor.ts";
import { consume } from "../../src/notifications/delivery/consume.ts";
import { publishEvent } from "../../src/notifications/webhooks/publish.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import type { Received, ReceiverPlan } from "../webhook-receiver.ts";
import { API, env, type Person, readJson, sendRequest, uniqueText } from "../world.ts";

/** The second origin; the first is that of the examples. */
const RECEIVER = env.WEBHOOK_TEST_ORIGINS?.split(",")[1] ?? "";

export function newReceiver() {
  const name = uniqueText();
  const url = `${RECEIVER}/hook/${name}`;
  return {
    url,
    answer: async (plan: ReceiverPlan) => {
      await fetch(`${RECEIVER}/plan/${name}`, { method: "PUT", body: JSON.stringify(plan) });
    },
    received: async (): Promise<Received[]> => (await fetch(url)).json(),
  };
}

export const createWebhook = (as: Person, url: string, more: object = {}) =>
  sendRequest(`${API}/webhooks`, { as, json: { url, events: ["report.created"], ...more } });

export async function newWebhook(as: Person, more: object = {}) {
  const receiver = newReceiver();
  const { data } = await readJson(await createWebhook(as, receiver.url, more));
  return { ...receiver, id: data.webhook_id as string, secret: data.secret as string, hospitalId: data.hospital_id as string };
}

const SYSTEM: Actor = { kind: "system", name: "test", via: { requestId: "test-webhooks", ip: null } };

/** Writes an event that the queue does not know of. @returns its id */
export async function publish(hospitalId: string, now = Date.now(), refs: Record<string, string> = { report_id: uuidv7() }) {
  const eventId = uuidv7();
  const db = getDb(env.DB);
  await batch(db, publishEvent(db, SYSTEM, now, { type: "report.created", hospitalId, refs, eventId }));
  return eventId;
}

/** One message of the queue, at a time. */
export function deliver(eventId: string, now = Date.now(), on: Env = env): Promise<void> {
  const messages = [{ id: uniqueText(), timestamp: new Date(), attempts: 1, body: { event: eventId } }];
  return consume(on, createMessageBatch("edgecare-messages", messages), { clock: () => now });
}

type DeliveryRow = {
  id: string;
  status: string;
  attempts: number;
  next_attempt_at: number | null;
  answer_status: number | null;
  answer_sealed: string | null;
  body_sealed: string | null;
};

export const readDeliveries = (webhookId: string): Promise<DeliveryRow[]> =>
  getDb(env.DB).all<DeliveryRow>(sql`SELECT id, status, attempts, next_attempt_at, answer_status, answer_sealed, body_sealed
    FROM deliveries WHERE target_id = ${webhookId} ORDER BY id`);

export async function readDelivery(webhookId: string): Promise<DeliveryRow> {
  const [row] = await readDeliveries(webhookId);
  if (!row) throw new Error("no delivery");
  return row;
}

export const getWebhook = async (as: Person, id: string) =>
  (await readJson(await sendRequest(`${API}/webhooks/${id}`, { as }))).data;
