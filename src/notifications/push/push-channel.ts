// The channel of Web Push: one delivery to one browser (RFC 8030), encrypted for it (RFC 8291), signed by this deployment (RFC 8292).
import { sql } from "drizzle-orm";
import { BoundedCache } from "../../platform/bounded-cache.ts";
import type { Db } from "../../platform/db/client.ts";
import type { LANGUAGES } from "../../platform/db/vocabulary.ts";
import { readBodyStart, readRetryAfterMs } from "../../platform/http-answers.ts";
import type { Answer, Channel, ChannelCall, Delivery, Outcome } from "../channel.ts";
import type { Priority } from "../kinds.ts";
import { portalPathOf } from "../links.ts";
import { textOf } from "../text.ts";
import { encryptPayload } from "./encrypt-payload.ts";
import { isSafePushEndpoint } from "./endpoints.ts";
import { type Subscription, unsealSubscription } from "./subscriptions.ts";
import { vapidAuthorization } from "./vapid.ts";

/** How long a push service keeps a message for a browser that is off, by priority: an alarm of an hour ago is read on the board. */
const TTL_S: Readonly<Record<Priority, number>> = { alarm: 3600, security: 24 * 3600, normal: 24 * 3600 };
const MIN_TTL_S = 60;
/** The tags of RFC 8030, section 5.3: `high` reaches a phone that saves its battery. */
const URGENCY: Readonly<Record<Priority, string>> = { alarm: "high", security: "normal", normal: "normal" };
const DEADLINE_MS = 8_000;
const MAX_ANSWER_BYTES = 200;
const MAX_RETRY_AFTER_MS = 3_600_000;
const RETRY_DELAYS_MS = [10_000, 60_000, 300_000, 1_800_000, 7_200_000];

type Language = (typeof LANGUAGES)[number];
type TargetRow = {
  id: string;
  sealed: string;
  language: Language | null;
};

/** What the service worker of the portal shows (portal/public/portal/push-worker.js). Says no more than the mail. */
export type PushPayload = {
  event_id: string;
  kind: string;
  priority: Priority;
  lang: Language;
  title: string;
  body: string;
  /** A path of the portal. */
  path: string;
};

/** Hosts of push services by subscription, as far as this isolate has sent to them. Decides only what shares a breaker. */
const hostsBySubscription = new BoundedCache<string, string>(4_096);

/**
 * The subscriptions with the settings of their people, by id of the delivery, in one round trip; without those that are gone and of
 * accounts that are inactive.
 */
async function findTargets(db: Db, deliveries: readonly Delivery[]): Promise<ReadonlyMap<string, TargetRow>> {
  const wanted = JSON.stringify(deliveries.map(({ id, targetId, userId }) => [id, targetId, userId]));
  const rows = await db.all<TargetRow>(sql`SELECT d.value->>0 AS id, p.subscription_sealed AS sealed, s.language AS language
    FROM json_each(${wanted}) d CROSS JOIN push_subscriptions p ON p.id = d.value->>1 AND p.user_id = d.value->>2
    JOIN users u ON u.id = p.user_id AND u.active = 1 LEFT JOIN notification_settings s ON s.user_id = u.id`);
  return new Map(rows.map((row) => [row.id, row]));
}

export function toPayload({ eventId, kind, priority, refs }: Delivery, language: Language): PushPayload {
  const { title, sentence } = textOf(kind, language, priority);
  return { event_id: eventId, kind, priority, lang: language, title, body: sentence, path: portalPathOf(kind, refs) };
}

async function post(
  call: ChannelCall,
  delivery: Delivery,
  subscription: Subscription,
  language: Language,
): Promise<Response | null> {
  const { env, keys, now, signal } = call;
  const authorization = await vapidAuthorization(env, keys, subscription.endpoint, now);
  if (authorization === null) return null;
  const age = Math.floor((now - delivery.createdAt) / 1000);
  return fetch(subscription.endpoint, {
    method: "POST",
    headers: {
      Authorization: authorization,
      "Content-Encoding": "aes128gcm",
      "Content-Type": "application/octet-stream",
      TTL: String(Math.max(MIN_TTL_S, TTL_S[delivery.priority] - age)),
      Urgency: URGENCY[delivery.priority],
      // At most 32 characters: a repeat replaces the message that was not delivered yet (RFC 8030, section 5.4).
      Topic: delivery.eventId.replaceAll("-", ""),
    },
    body: await encryptPayload(subscription.keys, JSON.stringify(toPayload(delivery, language))),
    redirect: "manual",
    signal,
  });
}

async function toOutcome({ db, now }: ChannelCall, delivery: Delivery, response: Response): Promise<Outcome> {
  const { status, headers } = response;
  const answer: Answer = { status, text: (await readBodyStart(response, MAX_ANSWER_BYTES)) || null };
  if (status >= 200 && status < 300) return { result: "accepted", answer };
  if (status === 404 || status === 410) {
    await db.run(sql`DELETE FROM push_subscriptions WHERE id = ${delivery.targetId}`);
    return { result: "refused", answer };
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMs = readRetryAfterMs(headers, now, MAX_RETRY_AFTER_MS);
    return { result: "failed", answer, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  // Redirects, a key that the service does not accept, a message that it does not understand: the next attempt would be the same.
  return { result: "refused", answer };
}

async function send(call: ChannelCall, delivery: Delivery): Promise<Outcome> {
  return sendTo(call, delivery, (await findTargets(call.db, [delivery])).get(delivery.id));
}

async function prepare({ db }: Omit<ChannelCall, "signal">, deliveries: readonly Delivery[]): Promise<Channel["send"]> {
  const targets = await findTargets(db, deliveries);
  return (call, delivery) => sendTo(call, delivery, targets.get(delivery.id));
}

async function sendTo(call: ChannelCall, delivery: Delivery, target: TargetRow | undefined): Promise<Outcome> {
  if (!target || call.keys.vapid === null) return { result: "cancelled" };
  const subscription = await unsealSubscription(call.keys, delivery.targetId, target.sealed);
  try {
    const isSafe = await isSafePushEndpoint(call.env, subscription.endpoint, call.signal);
    if (!isSafe) return { result: "refused", answer: { status: null, text: null } };
  } catch {
    return { result: "failed", answer: { status: null, text: "the name of the push service was not resolved" } };
  }
  hostsBySubscription.set(delivery.targetId, new URL(subscription.endpoint).host);
  let response: Response | null;
  try {
    response = await post(call, delivery, subscription, target.language ?? "en");
  } catch (error) {
    // Aborted at the deadline, or a connection that broke: the push service may have the message.
    return { result: "unknown", answer: { status: null, text: error instanceof Error ? error.name : null } };
  }
  return response ? toOutcome(call, delivery, response) : { result: "cancelled" };
}

export const pushChannel: Channel = {
  send,
  prepare,
  /** The host is in the sealed subscription: until this isolate has sent to it, each subscription counts as a destination of its own. */
  destination: ({ targetId }) => `push ${hostsBySubscription.get(targetId) ?? targetId}`,
  retryDelays: RETRY_DELAYS_MS,
  deadlineMs: DEADLINE_MS,
  // Topic and tag name the event: a repeat replaces the message at the push service, and the notification in the browser.
  isIdempotent: true,
};
