// The address to which the provider reports what became of a text message (status-routes.ts).
import { getPublicOrigin } from "../../platform/config.ts";

/** The signature of a callback covers its URL: the time in it cannot be changed. @param now epoch milliseconds */
export function statusCallbackUrl(env: Env, deliveryId: string, now: number): string {
  return `${getPublicOrigin(env)}/api/v1/sms/status?${new URLSearchParams({ delivery: deliveryId, sent: String(now) })}`;
}
