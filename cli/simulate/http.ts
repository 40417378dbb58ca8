// One request to the service, and how long to wait before the next one.
import { setTimeout as sleep } from "node:timers/promises";

export type ApiResponse = { status: number; body: unknown; retryAfterMs: number | null };
export type RequestOptions = { method?: "GET" | "POST" | "DELETE"; token?: string; json?: object; signal: AbortSignal };

const TIMEOUT_MS = 15_000;
const INITIAL_WAIT_MS = 200;
const MAX_WAIT_MS = 10_000;

/** Seconds or a date (RFC 9110, 10.2.3). */
function parseRetryAfter(header: string | null): number | null {
  if (header === null) return null;
  const wait = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** @throws whatever `fetch` throws when no whole answer came: then nobody knows whether the request was carried out */
export async function sendRequest(url: URL, { method = "GET", token, json, signal }: RequestOptions): Promise<ApiResponse> {
  const response = await fetch(url, {
    method,
    redirect: "error",
    headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(json && { "Content-Type": "application/json" }) },
    ...(json && { body: JSON.stringify(json) }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const text = await response.text();
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // What stands between us and the service answers in prose; the status says enough.
  }
  return { status: response.status, body, retryAfterMs: parseRetryAfter(response.headers.get("Retry-After")) };
}

/** Whether the same request may succeed later. */
export function isRetryable(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/**
 * Full jitter: anything up to a bound that doubles, so that clients who failed together do not come back together. What the
 * server asked for is waited for in any case.
 */
export function retryDelay(attempt: number, retryAfterMs: number | null = null, random = Math.random): number {
  const bound = Math.min(MAX_WAIT_MS, INITIAL_WAIT_MS * 2 ** Math.min(attempt, 16));
  return (retryAfterMs ?? 0) + random() * bound;
}

/** Sleeps; returns early, without an error, when the signal comes. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** What failed, in few words. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : null;
  return code ?? (cause instanceof Error ? cause.message : error.message);
}
