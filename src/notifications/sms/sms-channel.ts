// Text messages by a provider with Twilio's Messages resource.
// https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
import { and, eq, gt, isNotNull, isNull } from "drizzle-orm";
import { getPublicOrigin } from "../../platform/config.ts";
import { notificationSettings, phoneCodes, users } from "../../platform/db/schema.ts";
import { log } from "../../platform/log.ts";
import { getSmsProvider, type SmsProvider } from "../../platform/sms-provider.ts";
import { HOUR_MS } from "../../platform/time.ts";
import type { Channel, ChannelCall, Delivery, Outcome } from "../channel.ts";
import { portalPathOf } from "../links.ts";
import { textOf } from "../text.ts";
import type { TextLanguage } from "../texts/kind-text.ts";
import { statusCallbackUrl } from "./callback-url.ts";
import { derivePhoneCode, unsealPhone } from "./phone-numbers.ts";
import { outcomeOfResponse } from "./provider-answers.ts";

export const PHONE_CODE_KIND = "phone.code";
/** Longest time that the provider keeps a message that it cannot send yet; an old alarm helps nobody. */
const VALIDITY_S = { alarm: 600, security: 600, normal: 4 * 3_600 } as const;
const MINUTE_MS = 60_000;

export const smsChannel: Channel = {
  send: sendSms,
  destination: () => "sms",
  retryDelays: [10_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS],
  deadlineMs: 10_000,
};

async function sendSms(call: ChannelCall, delivery: Delivery): Promise<Outcome> {
  const { env, signal, now } = call;
  const provider = getSmsProvider(env);
  if (provider === null) {
    log(env, "WARNING", "no text message is sent: the provider is not set", { variable: "SMS_ACCOUNT_SID", code: delivery.kind });
    return { result: "cancelled" };
  }
  const text = delivery.kind === PHONE_CODE_KIND ? await readCode(call, delivery) : await readNotice(call, delivery);
  if (text === null) return { result: "cancelled" };
  if (signal.aborted) return { result: "failed", answer: { status: null, text: "no time was left" } };
  try {
    const response = await post(provider, buildForm(call, delivery, provider, text), signal);
    if (response.status === 401 || response.status === 403) {
      log(env, "ERROR", "the provider of text messages refuses the account", {
        variable: "SMS_AUTH_TOKEN",
        status: response.status,
      });
    }
    return await outcomeOfResponse(response, now);
  } catch (error) {
    // Whether the connection broke before or behind the request is not known.
    const reason = signal.aborted ? "no answer in time" : error instanceof Error ? error.message : "error";
    return { result: "unknown", answer: { status: null, text: reason } };
  }
}

type Text = { to: string; body: string };

async function readNotice({ env, db, keys }: ChannelCall, { userId, kind, priority, refs }: Delivery): Promise<Text | null> {
  if (userId === null) return null;
  const [row] = await db
    .select({ phoneSealed: notificationSettings.phoneSealed, language: notificationSettings.language })
    .from(notificationSettings)
    .innerJoin(users, and(eq(users.id, notificationSettings.userId), eq(users.active, 1)))
    .where(and(eq(notificationSettings.userId, userId), isNotNull(notificationSettings.phoneVerifiedAt)));
  if (!row?.phoneSealed) return null;
  const to = await unsealPhone(keys, { table: "notification_settings", id: userId }, row.phoneSealed);
  const url = getPublicOrigin(env) + portalPathOf(kind, refs);
  return { to, body: `EdgeCare: ${textOf(kind, row.language, priority).title}. ${url}` };
}

const CODE_TEXT = {
  en: (code: string) => `${code} is your EdgeCare code for this phone number. It is valid for 10 minutes. Tell it to nobody.`,
  hi: (code: string) => `${code} इस फ़ोन नंबर के लिए आपका EdgeCare कोड है। यह 10 मिनट मान्य है। इसे किसी को न बताएँ।`,
} satisfies Record<TextLanguage, (code: string) => string>;

async function readCode({ db, keys, now }: ChannelCall, { refs }: Delivery): Promise<Text | null> {
  const codeId = String(refs["code_id"]);
  const [row] = await db
    .select({ userId: phoneCodes.userId, phoneSealed: phoneCodes.phoneSealed, language: notificationSettings.language })
    .from(phoneCodes)
    .innerJoin(users, and(eq(users.id, phoneCodes.userId), eq(users.active, 1)))
    .leftJoin(notificationSettings, eq(notificationSettings.userId, phoneCodes.userId))
    .where(and(eq(phoneCodes.id, codeId), isNull(phoneCodes.usedAt), gt(phoneCodes.expiresAt, now)));
  if (!row) return null;
  const to = await unsealPhone(keys, { table: "phone_codes", id: codeId }, row.phoneSealed);
  return { to, body: CODE_TEXT[row.language ?? "en"](await derivePhoneCode(keys, codeId)) };
}

function buildForm({ env, now }: ChannelCall, delivery: Delivery, { from }: SmsProvider, { to, body }: Text): URLSearchParams {
  return new URLSearchParams({
    To: to,
    [from.startsWith("MG") ? "MessagingServiceSid" : "From"]: from,
    Body: body,
    ValidityPeriod: String(VALIDITY_S[delivery.priority]),
    StatusCallback: statusCallbackUrl(env, delivery.id, now),
  });
}

/** The provider knows no idempotency key for this resource. */
function post({ origin, accountSid, authToken }: SmsProvider, form: URLSearchParams, signal: AbortSignal): Promise<Response> {
  return fetch(`${origin}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
    method: "POST",
    headers: { Authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}` },
    body: form,
    redirect: "manual",
    signal,
  });
}
