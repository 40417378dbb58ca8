// Mail by the binding MAIL (Cloudflare Email Service, structured send).
import { getMailSender, getPublicOrigin } from "../../platform/config.ts";
import { Email, toMailAddress } from "../../platform/email.ts";
import { log } from "../../platform/log.ts";
import { HOUR_MS } from "../../platform/time.ts";
import type { Channel, ChannelCall, Delivery, Outcome } from "../channel.ts";
import { composeMail } from "./compose.ts";
import { isLetterKind, readLetter } from "./letters.ts";
import { mailErrorCode, outcomeOfMailError, SENDER_ERRORS } from "./outcomes.ts";
import { type Envelope, type Recipient, readRecipients, toEnvelope } from "./recipients.ts";

const MINUTE_MS = 60_000;
const SETTINGS_PAGE = "/account/notifications";

export const emailChannel: Channel = {
  send: (call, delivery) => sendMail(call, delivery, readEnvelope),
  prepare: prepareMails,
  destination: () => "mail",
  retryDelays: [10_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS],
  deadlineMs: 10_000,
};

type ReadEnvelope = (call: ChannelCall, delivery: Delivery) => Promise<Envelope | null>;

/** Reads the recipients of all of them together; each letter reads its own link. */
async function prepareMails(call: Omit<ChannelCall, "signal">, deliveries: readonly Delivery[]): Promise<Channel["send"]> {
  const userIds = deliveries.flatMap(({ kind, userId }) => (userId === null || isLetterKind(kind) ? [] : [userId]));
  const recipients = userIds.length > 0 ? await readRecipients(call, [...new Set(userIds)]) : new Map<string, Recipient>();
  const envelopeOf: ReadEnvelope = (ofAttempt, delivery) => {
    if (isLetterKind(delivery.kind)) return readEnvelope(ofAttempt, delivery);
    return toNotice(ofAttempt, delivery, recipients);
  };
  return (ofAttempt, delivery) => sendMail(ofAttempt, delivery, envelopeOf);
}

async function sendMail(call: ChannelCall, delivery: Delivery, envelopeOf: ReadEnvelope): Promise<Outcome> {
  const { env, signal } = call;
  const from = getMailSender(env);
  if (from === null) {
    log(env, "WARNING", "no mail is sent: the sender is not set", { variable: "MAIL_FROM", code: delivery.kind });
    return { result: "cancelled" };
  }
  const envelope = await envelopeOf(call, delivery);
  if (envelope === null) return { result: "cancelled" };
  if (!Email.safeParse(envelope.address).success) {
    return { result: "refused", answer: { status: null, text: "the stored address is not valid" } };
  }
  const mail = await buildMail(env, delivery, envelope, from);
  if (signal.aborted) return { result: "failed", answer: { status: null, text: "no time was left" } };
  try {
    const { messageId } = await untilAborted(env.MAIL.send(mail), signal);
    return { result: "accepted", answer: { status: null, text: messageId } };
  } catch (error) {
    const code = mailErrorCode(error) ?? "";
    if (SENDER_ERRORS.has(code)) log(env, "ERROR", "the sender of mail is not set up", { variable: "MAIL_FROM", code });
    return outcomeOfMailError(error);
  }
}

async function readEnvelope(call: ChannelCall, delivery: Delivery): Promise<Envelope | null> {
  const { kind, userId } = delivery;
  if (isLetterKind(kind)) return readLetter(call, kind, delivery);
  return userId === null ? null : toNotice(call, delivery, await readRecipients(call, [userId]));
}

async function toNotice(
  call: ChannelCall,
  { userId, kind, refs }: Delivery,
  recipients: ReadonlyMap<string, Recipient>,
): Promise<Envelope | null> {
  const recipient = recipients.get(userId ?? "");
  return recipient ? toEnvelope(call, recipient, kind, refs) : null;
}

async function buildMail(env: Env, delivery: Delivery, envelope: Envelope, from: string): Promise<EmailMessageBuilder> {
  const { kind, eventId, priority } = delivery;
  const { address, path, language, timeZone } = envelope;
  const origin = getPublicOrigin(env);
  const settingsUrl = priority === "security" || isLetterKind(kind) ? null : `${origin}${SETTINGS_PAGE}`;
  const url = path === null ? null : `${origin}${path}`;
  return {
    from: { email: toMailAddress(from), name: "EdgeCare" },
    to: toMailAddress(address),
    ...(await composeMail({ kind, priority, language, url, settingsUrl, at: delivery.createdAt, timeZone })),
    headers: {
      "Auto-Submitted": "auto-generated",
      "Content-Language": language,
      // The service sets Message-ID and knows no idempotency key: mail programs file a repeated message with the first.
      References: `<${eventId}@${new URL(origin).hostname}>`,
      "X-Entity-Ref-ID": eventId,
      "X-Auto-Response-Suppress": "All",
      ...(priority === "alarm" && { Importance: "high" }),
      ...(settingsUrl?.startsWith("https:") && { "List-Unsubscribe": `<${settingsUrl}>` }),
    },
  };
}

/** Rejects when the signal ends the attempt; the binding has no way to end a call. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer in time")), { once: true });
  });
  return Promise.race([work, aborted]);
}
