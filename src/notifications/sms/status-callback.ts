// Status callbacks of the provider: what became of a text message after it was accepted.
// https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
// https://www.twilio.com/docs/usage/webhooks/webhooks-security (X-Twilio-Signature)
import { createHmac } from "node:crypto";
import { and, eq, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { constantTimeEqualText, sealValue, unsealValue } from "../../platform/crypto.ts";
import { deliveries } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { getSmsProvider } from "../../platform/sms-provider.ts";
import { DAY_MS } from "../../platform/time.ts";
import { answerContext } from "../delivery/ledger.ts";
import { formatAnswer, parseAnswer } from "./provider-answers.ts";

/** Receipts of carriers come within three days; an older callback is refused. */
export const MAX_CALLBACK_AGE_MS = 3 * DAY_MS;
const MAX_CLOCK_DIFFERENCE_MS = 5 * 60_000;

/** A later status replaces an earlier one, never the other way round: callbacks may come out of order, or again. */
const RANKS: ReadonlyMap<string, number> = new Map([
  ["accepted", 0],
  ["queued", 1],
  ["sending", 2],
  ["sent", 3],
  ["delivered", 4],
  ["undelivered", 4],
  ["failed", 4],
]);

/** Base64 of HMAC-SHA1 over the URL and the parameters, sorted by name. */
export function signCallback(authToken: string, url: string, form: ReadonlyMap<string, string>): string {
  const parameters = [...form].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => name + value);
  return createHmac("sha1", authToken)
    .update(url + parameters.join(""))
    .digest("base64");
}

export type Callback = {
  delivery: string;
  /** Epoch milliseconds. */
  sent: number;
  /** Path and query of the request, as sent. */
  target: string;
  signature: string;
  form: ReadonlyMap<string, string>;
};

/** @throws ApiError sms_off, forbidden (signature), conflict (stale, or not newer than what is known), not_found, unavailable */
export async function applyCallback(env: Env, call: Call, callback: Callback): Promise<void> {
  const provider = getSmsProvider(env);
  if (provider === null) throw new ApiError("sms_off");
  const url = getPublicOrigin(env) + callback.target;
  if (!constantTimeEqualText(callback.signature, signCallback(provider.authToken, url, callback.form))) {
    throw new ApiError("forbidden", "The signature is not valid.");
  }
  const age = call.now - callback.sent;
  if (age > MAX_CALLBACK_AGE_MS || age < -MAX_CLOCK_DIFFERENCE_MS) throw new ApiError("conflict", "The callback is too old.");
  const status = callback.form.get("MessageStatus") ?? "";
  const rank = RANKS.get(status);
  // A status that is not known says nothing about the message.
  if (rank === undefined) return;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) if (await storeStatus(call, callback, status, rank)) return;
  throw new ApiError("unavailable");
}

/** The row may change between reading and writing it, also when its answer is sealed again under another key. */
const MAX_ATTEMPTS = 3;

/** @returns false when the row changed meanwhile */
async function storeStatus(
  { db, keys, now }: Call,
  { delivery, form }: Callback,
  status: string,
  rank: number,
): Promise<boolean> {
  const [row] = await db
    .select({ status: deliveries.status, answerSealed: deliveries.answerSealed })
    .from(deliveries)
    .where(and(eq(deliveries.id, delivery), eq(deliveries.channel, "sms")));
  if (!row) throw new ApiError("not_found");
  // The outcome of sending is being written. By default Twilio repeats a callback only when it could not connect, so this status may be
  // lost; that of a later callback is not. https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
  if (row.status === "sending") throw new ApiError("unavailable");
  const known = row.answerSealed && (await unsealValue(keys.fields, answerContext(delivery), row.answerSealed));
  const message = typeof known === "string" ? parseAnswer(known) : null;
  const sid = form.get("MessageSid") ?? "";
  const hasFailed = status === "failed" || status === "undelivered";
  // One message did not arrive; the next attempt sends another.
  if (hasFailed && row.status === "waiting") throw new ApiError("conflict", "The message is to be sent again.");
  // An alarm that was sent again has a message of another id: it was delivered if either was.
  const isSameMessage = message === null || message.sid === sid;
  const knownRank = RANKS.get(message?.status ?? "") ?? -1;
  const isNews = isSameMessage ? rank > knownRank : status === "delivered" && message.status !== "delivered";
  if (!isNews) throw new ApiError("conflict", "The status is already known.");
  const answer = formatAnswer(sid.slice(0, 64), status, form.get("ErrorCode")?.slice(0, 10));
  const changed = await db
    .update(deliveries)
    .set({
      status: hasFailed ? "failed" : "accepted",
      nextAttemptAt: null,
      leasedUntil: null,
      answerSealed: await sealValue(keys.fields, answerContext(delivery), answer),
      settledAt: now,
    })
    .where(and(eq(deliveries.id, delivery), sql`status = ${row.status} AND answer_sealed IS ${row.answerSealed}`))
    .returning({ id: deliveries.id });
  return changed.length > 0;
}
