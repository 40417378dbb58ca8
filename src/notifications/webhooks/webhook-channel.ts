// The channel of webhooks: signs a delivery as the Standard Webhooks specification says, and posts it to the hospital's receiver.
import { and, eq, isNull } from "drizzle-orm";
import { Webhook } from "standardwebhooks";
import { recordAuditEvent } from "../../access/audit.ts";
import { getTestOrigins } from "../../platform/config.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { deliveries, webhooks } from "../../platform/db/schema.ts";
import { assertSafeUrl, UnsafeUrlError } from "../../platform/safe-addresses.ts";
import { HOUR_MS } from "../../platform/time.ts";
import type { Answer, Channel, ChannelCall, Delivery, Outcome } from "../channel.ts";
import { noteFailure, noteSuccess, switchOff, webhookActor } from "./failing.ts";
import { formatBody, hasDetails, readDetails } from "./payload.ts";
import { selectCurrentSecrets, unsealSecrets, unsealUrl, type WebhookRow } from "./sealed-webhook.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
/** The longest answer that is kept, in bytes. */
export const MAX_ANSWER_BYTES = 1024;
/** Receivers ask for a pause with Retry-After; a longer one is cut. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;

export const webhookChannel: Channel = {
  send: sendToWebhook,
  destination: ({ targetId }) => `webhook:${targetId}`,
  retryDelays: [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS)],
  deadlineMs: 10 * SECOND_MS,
  isIdempotent: true,
};

/** The same for every attempt, so that receivers recognise a repetition. Full stops separate the parts of what is signed. */
export const formatMessageId = (deliveryId: string): string => `msg_${deliveryId.replace(".webhook.", "_")}`;

async function sendToWebhook(call: ChannelCall, delivery: Delivery): Promise<Outcome> {
  const { db, now } = call;
  const [webhook] = await db.select().from(webhooks).where(eq(webhooks.id, delivery.targetId));
  if (webhook?.active !== 1) return { result: "cancelled" };
  const body = await readBody(call, delivery, webhook);
  const outcome = await post(call, delivery, webhook, body);
  if (outcome.result === "accepted") await noteSuccess(db, webhook);
  if (outcome.result === "failed") await noteFailure(db, now, webhook, delivery.eventId);
  if (outcome.result === "refused") await switchOff(db, now, webhook, "gone", delivery.eventId);
  return outcome;
}

const bodyContext = (id: string) => ({ table: "deliveries", column: "body", id });

/** The body of the first attempt: later ones, and a person's resend, send the same bytes. */
async function readBody(call: ChannelCall, delivery: Delivery, webhook: WebhookRow): Promise<string> {
  const { db, keys } = call;
  if (delivery.bodySealed !== null) return String(await unsealValue(keys.fields, bodyContext(delivery.id), delivery.bodySealed));
  const includesData = webhook.includeData === 1 && hasDetails(delivery);
  const body = formatBody(delivery, includesData ? await readDetails(db, delivery) : undefined);
  const store = db
    .update(deliveries)
    .set({ bodySealed: await sealValue(keys.fields, bodyContext(delivery.id), body) })
    .where(and(eq(deliveries.id, delivery.id), isNull(deliveries.bodySealed)));
  await batch(db, [store, ...(includesData ? recordRelease(call, delivery, webhook) : [])]);
  return body;
}

/** The audit event of clinical data that leave the service, before they do. */
function recordRelease({ db, now }: ChannelCall, { id, eventId, kind, refs }: Delivery, webhook: WebhookRow) {
  const patientId = refs["patient_id"];
  return recordAuditEvent(db, webhookActor(eventId), now, {
    event: "webhook.deliver",
    action: "R",
    hospitalId: webhook.hospitalId,
    entity: { type: "webhook", id: webhook.id },
    subjects: typeof patientId === "string" ? [patientId] : [],
    detail: { type: kind, delivery_id: id },
  });
}

/** Receivers are idempotent by webhook-id, so an attempt whose answer is not known counts as failed. */
async function post(call: ChannelCall, delivery: Delivery, webhook: WebhookRow, body: string): Promise<Outcome> {
  const { env, keys, now, signal } = call;
  try {
    const url = await assertSafeUrl(await unsealUrl(keys, webhook), getTestOrigins(env, "WEBHOOK_TEST_ORIGINS"), signal);
    const secrets = selectCurrentSecrets(await unsealSecrets(keys, webhook), now);
    const headers = sign(secrets, formatMessageId(delivery.id), now, body);
    const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    return toOutcome(response, await readAnswer(response), now);
  } catch (error) {
    return { result: "failed", answer: { status: null, text: describeFailure(error, signal) } };
  }
}

function sign(secrets: readonly string[], id: string, now: number, body: string): Record<string, string> {
  const at = new Date(now);
  return {
    "content-type": "application/json",
    "user-agent": "EdgeCare-Webhooks/1",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now / SECOND_MS)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(" "),
  };
}

/** Error messages of the platform can name the address: only what this service knows is kept. */
function describeFailure(error: unknown, signal: AbortSignal): string {
  if (error instanceof UnsafeUrlError) return error.message;
  return signal.aborted ? "No answer before the deadline" : "No connection, or no answer";
}

/** The first kilobyte of the answer; the rest is not read. */
async function readAnswer(response: Response): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  while (reader && size < MAX_ANSWER_BYTES) {
    const { value } = await reader.read().catch(() => ({ value: undefined }));
    if (!value) break;
    chunks.push(value);
    size += value.length;
  }
  await reader?.cancel().catch(() => undefined);
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer()).subarray(0, MAX_ANSWER_BYTES);
  return { status: response.status, text: bytes.length > 0 ? new TextDecoder().decode(bytes) : null };
}

/** A redirect is no success: it could lead to an address that was not checked. */
function toOutcome(response: Response, answer: Answer, now: number): Outcome {
  if (response.ok) return { result: "accepted", answer };
  if (response.status === 410) return { result: "refused", answer };
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), now);
  return { result: "failed", answer, ...(retryAfterMs !== null && { retryAfterMs }) };
}

/** Retry-After (RFC 9110, section 10.2.3) in seconds or as a date. */
export function parseRetryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * SECOND_MS : Date.parse(header) - now;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : null;
}
