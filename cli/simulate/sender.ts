// Sends a monitor's samples by HTTP, keeps them until the service responds, and retries with the same sequence numbers.
import { z } from "zod";
import { describeError, isRetryable, pause, retryDelay, sendRequest } from "./http.ts";
import type { Measurement } from "./source.ts";
import { addLag, addReason, OUTCOMES, type Tally } from "./tally.ts";

/** `at` is by the monitor's clock, `measured` by the local one; both in epoch milliseconds. */
export type QueuedSample = Measurement & { seq: number; at: number; measured: number };
export type Sender = {
  push: (samples: readonly QueuedSample[]) => void;
  /** Number of samples without a response. */
  waitingCount: () => number;
  /** Why the sender has given up; null while it is active. */
  failureReason: () => string | null;
  close: () => void;
};
export type SenderOptions = {
  base: URL;
  token: string;
  /** The monitor's clock in epoch milliseconds; may be wrong. */
  clock: () => number;
  tally: Tally;
  /** Aborts everything immediately. */
  abort: AbortSignal;
  logLine: (line: string) => void;
};

/** The service accepts at most 1,000 samples per batch. */
const BATCH_SIZE = 500;
/** Of the final error statuses, these concern the batch; the others concern the sender. */
const BATCH_ERROR_STATUSES = [400, 413, 415, 422];

const Results = z.object({
  data: z.object({
    results: z.array(z.object({ index: z.number().int().nonnegative(), status: z.string(), reason: z.string().nullish() })),
  }),
});
type Results = z.infer<typeof Results>["data"]["results"];

/** A sample as a JSON object of the API. */
export function toWireSample({ code, value, unit, at, seq }: QueuedSample) {
  return { code, value, unit, effective_at: new Date(at).toISOString(), seq };
}

/** A sample that the response does not name stays pending. */
function applyResults(tally: Tally, batch: readonly QueuedSample[], results: Results): QueuedSample[] {
  const now = Date.now();
  const open = new Map(batch.entries());
  for (const { index, status, reason } of results) {
    const sample = open.get(index);
    if (!sample) continue;
    open.delete(index);
    // An unknown status still is a response; retrying the sample forever would not change it.
    const outcome = OUTCOMES.find((known) => known === status) ?? "rejected";
    tally[outcome]++;
    addLag(tally.lag, now - sample.measured);
    if (outcome !== "stored" && outcome !== "duplicate") addReason(tally, `${status}: ${sample.code} ${reason ?? ""}`.trim());
  }
  return [...open.values()];
}

export function createHttpSender({ base, token, clock, tally, abort, logLine }: SenderOptions): Sender {
  const url = new URL("/api/v1/observations", base);
  const queue: QueuedSample[] = [];
  let failure: string | null = null;
  let isSending = false;

  /** @returns the samples of the batch that remain, and the delay if that is because of a failure */
  async function postBatch(
    batch: QueuedSample[],
    attempt: number,
  ): Promise<{ unsent: QueuedSample[]; delayMs: number | null; failureText: string }> {
    const json = { samples: batch.map(toWireSample), sent_at: new Date(clock()).toISOString() };
    try {
      const { status, body, retryAfterMs } = await sendRequest(url, { method: "POST", token, json, signal: abort });
      const { data } = Results.safeParse(body);
      if (status < 300 && data) {
        const unsent = applyResults(tally, batch, data.data.results);
        return unsent.length < batch.length
          ? { unsent, delayMs: null, failureText: "" }
          : { unsent, delayMs: retryDelay(attempt), failureText: "an answer that names no sample" };
      }
      if (status < 300 || isRetryable(status))
        return { unsent: batch, delayMs: retryDelay(attempt, retryAfterMs), failureText: `${status}` };
      if (!BATCH_ERROR_STATUSES.includes(status)) {
        failure = `${status}`;
        return { unsent: batch, delayMs: null, failureText: failure };
      }
      tally.rejected += batch.length;
      addReason(tally, `rejected: the whole batch, ${status}`, batch.length);
      return { unsent: [], delayMs: null, failureText: "" };
    } catch (error) {
      return { unsent: batch, delayMs: retryDelay(attempt), failureText: describeError(error) };
    }
  }

  async function drainQueue(): Promise<void> {
    if (isSending) return;
    isSending = true;
    let attempt = 0;
    while (queue.length > 0 && failure === null && !abort.aborted) {
      const batch = queue.slice(0, BATCH_SIZE);
      if (attempt > 0) tally.retried++;
      const { unsent, delayMs, failureText } = await postBatch(batch, attempt);
      queue.splice(0, batch.length, ...unsent);
      if (delayMs === null) {
        attempt = 0;
        continue;
      }
      if (attempt === 0 && !abort.aborted) logLine(`not delivered (${failureText}); retrying`);
      attempt++;
      await pause(delayMs, abort);
    }
    isSending = false;
  }

  return {
    push(samples) {
      queue.push(...samples);
      void drainQueue();
    },
    waitingCount: () => queue.length,
    failureReason: () => failure,
    close: () => undefined,
  };
}
