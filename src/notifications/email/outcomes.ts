// What the errors of Cloudflare's Email Service say of a mail.
// https://developers.cloudflare.com/email-service/api/send-emails/workers-api/#error-codes
import { HOUR_MS } from "../../platform/time.ts";
import type { Outcome } from "../channel.ts";

/** Not taken over now; the wait is the service's own only where a limit was reached. */
const FAILED: ReadonlyMap<string, number | undefined> = new Map([
  ["E_RATE_LIMIT_EXCEEDED", 60_000],
  ["E_DAILY_LIMIT_EXCEEDED", HOUR_MS],
  ["E_INTERNAL_SERVER_ERROR", undefined],
  ["E_DELIVERY_FAILED", undefined],
  // Until the operator has set up the domain.
  ["E_SENDER_NOT_VERIFIED", undefined],
  ["E_SENDER_DOMAIN_NOT_AVAILABLE", undefined],
]);
export const SENDER_ERRORS: ReadonlySet<string> = new Set(["E_SENDER_NOT_VERIFIED", "E_SENDER_DOMAIN_NOT_AVAILABLE"]);

/** The same mail is refused again: the address cannot get mail, or the mail is not well formed. */
const REFUSED: ReadonlySet<string> = new Set([
  "E_RECIPIENT_NOT_ALLOWED",
  "E_RECIPIENT_SUPPRESSED",
  "E_VALIDATION_ERROR",
  "E_FIELD_MISSING",
  "E_TOO_MANY_RECIPIENTS",
  "E_CONTENT_TOO_LARGE",
  "E_HEADER_NOT_ALLOWED",
  "E_HEADER_USE_API_FIELD",
  "E_HEADER_VALUE_INVALID",
  "E_HEADER_VALUE_TOO_LONG",
  "E_HEADER_NAME_INVALID",
  "E_HEADERS_TOO_LARGE",
  "E_HEADERS_TOO_MANY",
]);

/** The `code` of an error of the binding; null for any other error. */
export function mailErrorCode(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? code : null;
}

/** An error without a documented code came from the way there or back: the mail may have been taken over. */
export function outcomeOfMailError(error: unknown): Outcome {
  const code = mailErrorCode(error);
  const text = error instanceof Error ? `${code ?? error.name}: ${error.message}` : "error";
  const answer = { status: null, text };
  if (code !== null && REFUSED.has(code)) return { result: "refused", answer };
  if (code === null || !FAILED.has(code)) return { result: "unknown", answer };
  const retryAfterMs = FAILED.get(code);
  return { result: "failed", answer, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
