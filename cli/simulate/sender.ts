// Brings a monitor's samples to the service by HTTP: kept until answered, sent again with the same numbers until then.
import { z } from "zod";
import { describeError, isRetryable, pause, retryDelay, sendRequest } from "./http.ts";
import type { Measurement } from "./source.ts";
import { addLag, addReason, OUTCOMES, type Tally } from "./tally.ts";

/** `at` is by the monitor's clock, `measured` by ours; both in epoch milliseconds. */
export type QueuedSample = Measurement & { seq: number; at: number; measured: number };
export type Sender = {
  push: (samples: readonly QueuedSample[]) => void;
  /** How many samples nobody has answered for. */
  waitingCount: () => number;
  /** Why it has given up; null while it goes on. */
  failureReason: () => string | null;
  close: () => void;
};
export type SenderOptions = {
  base: URL;
  token: string;
  /** The monitor's clock, which may be wrong: epoch milliseconds. */
  clock: () => number;
  tally: Tally;
  /** Ends everything at once. */
  abort: AbortSignal;
  logLine: (line: string) => void;
};

/** The service takes 1,000 at once. */
const BATCH_SIZE = 500;
/** Of the answers that will not change, these are about the batch, the others about who sends it. */
const BATCH_ERROR_STATUSES = [400, 413, 415, 422];

const Results = z.object({
  data: z.object({
    results: z.array(z.object({ index: z.number().int().nonnegative(), status: z.string(), reason: z.string().nullish() })),
  }),
});
type Results = z.infer<typeof Results>["data"]["results"];

/** A sample as the wire has it. */
export function toWireSample({ code, value, unit, at, seq }: QueuedSample) {
  return { code, value, unit, effective_at: new Date(at).toISOString(), seq };
}

/** Whatever else the answer says, a sample that it does not name stays unanswered. */
function applyResults(tally: Tally, batch: readonly QueuedSample[], results: Results): QueuedSample[] {
  const now = Date.now();
  const open = new Map(batch.entries());
  for (const { index, status, reason } of results) {
    const sample = open.get(index);
    if (!sample) continue;
    open.delete(index);
    // A word that is not known here is an answer all the same, and no reason to send the sample for ever.
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

  /** @returns what of the batch is still to be sent, and how long to wait if that is because of a failure */
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
      if (attempt === 0 && !abort.aborted) logLine(`not delivered (${failureText}); sending again`);
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
