// The provider of text messages, from SMS_ACCOUNT_SID, SMS_AUTH_TOKEN and SMS_FROM. Off unless all three are set.
import { ApiError } from "./errors.ts";
import { log } from "./log.ts";

export type SmsProvider = {
  origin: string;
  accountSid: string;
  /** Authenticates requests, and is the key of the signatures of status callbacks. */
  authToken: string;
  /** A number in E.164 form, an alphanumeric sender, or the id of a messaging service (`MG…`). */
  from: string;
};

export const SMS_VARIABLES = ["SMS_ACCOUNT_SID", "SMS_AUTH_TOKEN", "SMS_FROM", "SMS_API_ORIGIN"] as const;
const DEFAULT_ORIGIN = "https://api.twilio.com";
const FORMS = {
  SMS_ACCOUNT_SID: /^AC[0-9a-f]{32}$/,
  SMS_AUTH_TOKEN: /^[\x21-\x7e]{32,200}$/,
  SMS_FROM: /^(\+[1-9][0-9]{5,14}|MG[0-9a-f]{32}|[A-Za-z0-9 ]{1,11})$/,
  SMS_API_ORIGIN: /^https:\/\/[a-z0-9.-]+$/,
} as const;
const LOCAL_ORIGIN = /^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/;

/**
 * Null where text messages are off.
 * @throws ApiError misconfigured, after a log line that names the variable
 */
export function getSmsProvider(env: Env): SmsProvider | null {
  const { SMS_ACCOUNT_SID: accountSid, SMS_AUTH_TOKEN: authToken, SMS_FROM: from, SMS_API_ORIGIN: origin } = env;
  if (!accountSid && !authToken && !from) return null;
  const isLocal = (env.ENVIRONMENT === "development" || env.ENVIRONMENT === "test") && LOCAL_ORIGIN.test(origin ?? "");
  const values = {
    SMS_ACCOUNT_SID: accountSid,
    SMS_AUTH_TOKEN: authToken,
    SMS_FROM: from,
    SMS_API_ORIGIN: origin || DEFAULT_ORIGIN,
  };
  for (const [variable, form] of Object.entries(FORMS)) {
    const value: string | undefined = values[variable as keyof typeof FORMS];
    if (form.test(value ?? "") || (variable === "SMS_API_ORIGIN" && isLocal)) continue;
    log(env, "CRITICAL", "a variable of text messages is missing or invalid", { variable });
    throw new ApiError("misconfigured");
  }
  if (!accountSid || !authToken || !from) throw new ApiError("misconfigured");
  return { origin: origin || DEFAULT_ORIGIN, accountSid, authToken, from };
}
