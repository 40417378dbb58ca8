// One request to the service, and the delay before the next one.
import { setTimeout as sleep } from "node:timers/promises";

export type ApiResponse = { status: number; body: unknown; retryAfterMs: number | null };
export type RequestOptions = {
  method?: "GET" | "POST" | "DELETE";
  token?: string;
  json?: object;
  ifMatch?: string;
  signal: AbortSignal;
};

const TIMEOUT_MS = 15_000;
const INITIAL_WAIT_MS = 200;
const MAX_WAIT_MS = 10_000;

/** Parses Retry-After: seconds or a date (RFC 9110, 10.2.3). */
function parseRetryAfter(header: string | null): number | null {
  if (header === null) return null;
  const wait = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** @throws the error of `fetch` when no complete response arrived; the request may or may not have been processed */
export async function sendRequest(
  url: URL,
  { method = "GET", token, json, ifMatch, signal }: RequestOptions,
): Promise<ApiResponse> {
  const response = await fetch(url, {
    method,
    redirect: "error",
    headers: {
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(json && { "Content-Type": "application/json" }),
      ...(ifMatch && { "If-Match": ifMatch }),
    },
    ...(json && { body: JSON.stringify(json) }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const text = await response.text();
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy in front of the service may respond with text that is not JSON; the status is enough.
  }
  return { status: response.status, body, retryAfterMs: parseRetryAfter(response.headers.get("Retry-After")) };
}

/** Whether the same request may succeed later. */
export function isRetryable(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/**
 * Full jitter: a random delay up to a bound that doubles, so that clients that failed together do not retry together.
 * Never shorter than the server's Retry-After.
 */
export function retryDelay(attempt: number, retryAfterMs: number | null = null, random = Math.random): number {
  const bound = Math.min(MAX_WAIT_MS, INITIAL_WAIT_MS * 2 ** Math.min(attempt, 16));
  return (retryAfterMs ?? 0) + random() * bound;
}

/** Sleeps; returns early, without an error, when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** A short description of an error. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : null;
  return code ?? (cause instanceof Error ? cause.message : error.message);
}
