// The channel of webhooks: signs a delivery as the Standard Webhooks specification says, and posts it to the hospital's receiver.
import { and, eq, sql } from "drizzle-orm";
import { Webhook } from "standardwebhooks";
import { recordAuditEvent } from "../../access/audit.ts";
import { getTestOrigins } from "../../platform/config.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { deliveries, webhooks } from "../../platform/db/schema.ts";
import { readBodyStart, readRetryAfterMs } from "../../platform/http-answers.ts";
import { assertSafeUrl, UnsafeUrlError } from "../../platform/safe-addresses.ts";
import { HOUR_MS } from "../../platform/time.ts";
import type { Answer, Channel, ChannelCall, Delivery, Outcome } from "../channel.ts";
import { noteFailure, noteSuccess, switchOff, webhookActor } from "./failing.ts";
import { formatBody, isOfClinicalEvent, readDetails } from "./payload.ts";
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
  const [webhook] = await call.db.select().from(webhooks).where(eq(webhooks.id, delivery.targetId));
  if (webhook?.active !== 1) return { result: "cancelled" };
  const outcome = await post(call, delivery, webhook, await prepareBody(call, delivery, webhook));
  if (outcome.result === "accepted") await noteSuccess(call.db, webhook);
  if (outcome.result === "failed") await noteFailure(call, webhook, delivery.eventId);
  if (outcome.result === "refused") await switchOff(call, webhook, "gone", delivery.eventId);
  return outcome;
}

/** Address and `includeData` are of one row: clinical data go only where they were allowed to go. */
async function prepareBody(call: ChannelCall, delivery: Delivery, webhook: WebhookRow): Promise<string> {
  const { db, keys } = call;
  const body = await readBody(call, delivery, webhook);
  const statements = [
    ...(body.isNew ? [storeBody(db, delivery, body, await sealValue(keys.fields, bodyContext(delivery.id), body.text))] : []),
    ...(body.hasDetails ? recordRelease(call, delivery, webhook) : []),
  ];
  if (statements.length > 0) await batch(db, statements);
  return body.text;
}

const bodyContext = (id: string) => ({ table: "deliveries", column: "body", id });

type Body = { text: string; hasDetails: boolean; isNew: boolean };

/**
 * The body of the first attempt: later ones, and a person's resend, send the same bytes. One with details is replaced by one of ids alone
 * when the webhook has no `include_data` any more.
 */
async function readBody({ db, keys }: ChannelCall, delivery: Delivery, { includeData }: WebhookRow): Promise<Body> {
  const { id, bodySealed } = delivery;
  const hadDetails = delivery.bodyHasDetails === 1;
  if (bodySealed !== null && (includeData === 1 || !hadDetails)) {
    const text = String(await unsealValue(keys.fields, bodyContext(id), bodySealed));
    return { text, hasDetails: hadDetails, isNew: false };
  }
  const hasDetails = includeData === 1 && isOfClinicalEvent(delivery);
  return { text: formatBody(delivery, hasDetails ? await readDetails(db, delivery) : undefined), hasDetails, isNew: true };
}

const storeBody = (db: Db, { id, bodySealed, bodyHasDetails }: Delivery, { hasDetails }: Body, sealed: string) =>
  db
    .update(deliveries)
    .set({ bodySealed: sealed, bodyHasDetails: Number(hasDetails) })
    .where(
      and(
        eq(deliveries.id, id),
        sql`(body_sealed IS NULL) = ${Number(bodySealed === null)} AND body_has_details = ${bodyHasDetails}`,
      ),
    );

/** The audit event of an attempt with clinical data, before they leave the service. */
function recordRelease({ db, now }: ChannelCall, { id, eventId, kind, refs, attempts }: Delivery, webhook: WebhookRow) {
  const patientId = refs["patient_id"];
  return recordAuditEvent(db, webhookActor(eventId), now, {
    event: "webhook.deliver",
    action: "R",
    hospitalId: webhook.hospitalId,
    entity: { type: "webhook", id: webhook.id },
    subjects: typeof patientId === "string" ? [patientId] : [],
    detail: { type: kind, delivery_id: id, attempt: attempts + 1 },
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
    const text = (await readBodyStart(response, MAX_ANSWER_BYTES)) || null;
    return toOutcome(response, { status: response.status, text }, now);
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

/** A redirect is no success: it could lead to an address that was not checked. */
function toOutcome(response: Response, answer: Answer, now: number): Outcome {
  if (response.ok) return { result: "accepted", answer };
  if (response.status === 410) return { result: "refused", answer };
  const retryAfterMs = readRetryAfterMs(response.headers, now, MAX_RETRY_AFTER_MS);
  return { result: "failed", answer, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
