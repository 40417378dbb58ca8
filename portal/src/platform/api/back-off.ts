// One back-off for all reads: when the service refuses a read for its rate, or does not answer, no read is sent until it may be.
import { Problem } from "./problem.ts";

/** `since`, `until`: from the first failure to the next attempt, by performance.now(). */
export type BackOff = { code: "rate_limited" | "unreachable"; since: number; until: number };

/** Without a Retry-After: doubles with each failure. */
const MIN_DELAY_MS = 1_000;
const MAX_DELAY_MS = 15_000;
const MAX_RETRY_AFTER_MS = 300_000;
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

/** @throws Problem while reads wait */
export function assertMayRead(): void {
  if (backOff && getWaitMs() > 0) throw new Problem(backOff.code === "rate_limited" ? 429 : 0, backOff.code, "", null);
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
  timer = setTimeout(() => {
    for (const listener of dueListeners) listener();
  }, until - now);
}

/** The delay of a failure without a Retry-After. */
const getDelayMs = () => Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** failures);

/** Notes what came of a read. @param response null when nothing answered */
export function noteRead(response: Response | null): void {
  if (response === null) return holdReads("unreachable", getDelayMs());
  if (response.status === 429) {
    const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
    return holdReads("rate_limited", seconds > 0 ? Math.min(MAX_RETRY_AFTER_MS, seconds * 1_000) : getDelayMs());
  }
  failures = 0;
  if (backOff === null || getWaitMs() > 0) return;
  clearTimeout(timer);
  setBackOff(null);
}
