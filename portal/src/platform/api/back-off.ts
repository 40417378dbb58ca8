// One back-off for all reads: when the service refuses a read for its rate, or does not answer, no read is sent until it may be.
import { Problem, readRetryAfterMs } from "./problem.ts";

/** `since`, `until`: from the first failure to the next attempt, by performance.now(). */
export type BackOff = { code: "rate_limited" | "unreachable"; since: number; until: number };

/** Without a Retry-After: doubles with each failure. */
const MIN_DELAY_MS = 1_000;
const MAX_DELAY_MS = 8_000;
/** Random share of the delay: all clients that were refused in one minute would come back at once. */
const JITTER_MS = 500;

let backOff: BackOff | null = null;
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
const dueListeners = new Set<() => void>();

export const getBackOff = (): BackOff | null => backOff;

export function subscribeBackOff(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls back when reads may be sent again. */
export function onReadsDue(listener: () => void): () => void {
  dueListeners.add(listener);
  return () => dueListeners.delete(listener);
}

/** Time until the next attempt, ms; 0 when reads may be sent. */
export const getWaitMs = (): number => (backOff ? Math.max(0, backOff.until - performance.now()) : 0);

/** Whether reading again later may help by itself. */
export const isTemporary = (error: unknown): boolean =>
  error instanceof Problem && (error.status === 429 || error.code === "unreachable");

/** Sent when the wait is over, alone: what comes of it decides for all. */
let probe: Promise<unknown> | null = null;

function assertNotWaiting(): void {
  if (backOff && getWaitMs() > 0) throw new Problem(backOff.code === "rate_limited" ? 429 : 0, backOff.code, "", null);
}

/** Sends a read, and holds all reads if the service refuses it for its rate or does not answer. @throws Problem while reads wait */
export async function sendRead(send: () => Promise<Response>, signal: AbortSignal | null | undefined): Promise<Response> {
  assertNotWaiting();
  if (backOff && probe) {
    await probe.catch(() => undefined);
    assertNotWaiting();
  }
  const request = sendNoted(send, signal);
  if (!backOff) return request;
  probe = request;
  return request.finally(() => {
    if (probe === request) probe = null;
  });
}

async function sendNoted(send: () => Promise<Response>, signal: AbortSignal | null | undefined): Promise<Response> {
  try {
    const response = await send();
    noteRead(response);
    return response;
  } catch (error) {
    if (!signal?.aborted) noteRead(error instanceof Problem ? error : null);
    throw error;
  }
}

function setBackOff(next: BackOff | null): void {
  backOff = next;
  for (const listener of listeners) listener();
}

function holdReads(code: BackOff["code"], delayMs: number): void {
  const now = performance.now();
  failures += 1;
  // Reads that were under way together are refused together: the latest time counts for all.
  const until = Math.max(backOff?.until ?? 0, now + delayMs + Math.random() * JITTER_MS);
  setBackOff({ code, since: backOff?.since ?? now, until });
  clearTimeout(timer);
  timer = setTimeout(announceDue, until - now);
}

function announceDue(): void {
  for (const listener of dueListeners) listener();
}

/** Ends the wait for a service that did not answer: it answers now. */
export function noteReachable(): void {
  if (backOff?.code !== "unreachable") return;
  setBackOff({ ...backOff, until: performance.now() });
  announceDue();
}

/** The delay of a failure without a Retry-After. */
const getDelayMs = () => Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** failures);

/** Notes what came of a read: a response, the problem of the renewal before it, or null when nothing answered. */
function noteRead(outcome: Pick<Response, "status" | "headers"> | Problem | null): void {
  if (outcome === null || outcome.status === 0) {
    holdReads("unreachable", getDelayMs());
  } else if (outcome.status === 429) {
    const retryAfterMs = outcome instanceof Problem ? outcome.retryAfterMs : readRetryAfterMs(outcome.headers);
    holdReads("rate_limited", retryAfterMs ?? getDelayMs());
  } else if (getWaitMs() === 0) {
    endBackOff();
  }
}

/** Reads are answered again, or nothing is left to read. */
export function endBackOff(): void {
  failures = 0;
  clearTimeout(timer);
  if (backOff !== null) setBackOff(null);
}
