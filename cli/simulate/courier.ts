// Brings a monitor's samples to the service by HTTP: kept until answered, sent again with the same numbers until then.
import { z } from "zod";
import { ask, passes, pause, saidBy, waitBefore } from "./http.ts";
import type { Measurement } from "./source.ts";
import { addLag, addReason, OUTCOMES, type Tally } from "./tally.ts";

/** `at` is by the monitor's clock, `measured` by ours; both in epoch milliseconds. */
export type Waiting = Measurement & { seq: number; at: number; measured: number };
export type Courier = {
  push: (samples: readonly Waiting[]) => void;
  /** How many samples nobody has answered for. */
  waiting: () => number;
  /** Why it has given up; null while it goes on. */
  ended: () => string | null;
  close: () => void;
};
export type Errand = {
  base: URL;
  token: string;
  /** The monitor's clock, which may be wrong: epoch milliseconds. */
  clock: () => number;
  tally: Tally;
  /** Ends everything at once. */
  abort: AbortSignal;
  say: (line: string) => void;
};

/** The service takes 1,000 at once. */
const BATCH = 500;
/** Of the answers that will not change, these are about the batch, the others about who sends it. */
const ABOUT_THE_BATCH = [400, 413, 415, 422];

const Results = z.object({
  data: z.object({
    results: z.array(z.object({ index: z.number().int().nonnegative(), status: z.string(), reason: z.string().nullish() })),
  }),
});
type Results = z.infer<typeof Results>["data"]["results"];

/** A sample as the wire has it. */
export function wired({ code, value, unit, at, seq }: Waiting) {
  return { code, value, unit, effective_at: new Date(at).toISOString(), seq };
}

/** Whatever else the answer says, a sample that it does not name stays unanswered. */
function settle(tally: Tally, batch: readonly Waiting[], results: Results): Waiting[] {
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

export function httpCourier({ base, token, clock, tally, abort, say }: Errand): Courier {
  const url = new URL("/api/v1/observations", base);
  const queue: Waiting[] = [];
  let giveUp: string | null = null;
  let working = false;

  /** @returns what of the batch is still to be sent, and how long to wait if that is because of a failure */
  async function post(batch: Waiting[], attempt: number): Promise<{ left: Waiting[]; wait: number | null; said: string }> {
    const json = { samples: batch.map(wired), sent_at: new Date(clock()).toISOString() };
    try {
      const { status, body, retryAfterMs } = await ask(url, { method: "POST", token, json, signal: abort });
      const { data } = Results.safeParse(body);
      if (status < 300 && data) {
        const left = settle(tally, batch, data.data.results);
        return left.length < batch.length
          ? { left, wait: null, said: "" }
          : { left, wait: waitBefore(attempt), said: "an answer that names no sample" };
      }
      if (status < 300 || passes(status)) return { left: batch, wait: waitBefore(attempt, retryAfterMs), said: `${status}` };
      if (!ABOUT_THE_BATCH.includes(status)) {
        giveUp = `${status}`;
        return { left: batch, wait: null, said: giveUp };
      }
      tally.rejected += batch.length;
      addReason(tally, `rejected: the whole batch, ${status}`, batch.length);
      return { left: [], wait: null, said: "" };
    } catch (error) {
      return { left: batch, wait: waitBefore(attempt), said: saidBy(error) };
    }
  }

  async function work(): Promise<void> {
    if (working) return;
    working = true;
    let attempt = 0;
    while (queue.length > 0 && giveUp === null && !abort.aborted) {
      const batch = queue.slice(0, BATCH);
      if (attempt > 0) tally.retried++;
      const { left, wait, said } = await post(batch, attempt);
      queue.splice(0, batch.length, ...left);
      if (wait === null) {
        attempt = 0;
        continue;
      }
      if (attempt === 0 && !abort.aborted) say(`not delivered (${said}); sending again`);
      attempt++;
      await pause(wait, abort);
    }
    working = false;
  }

  return {
    push(samples) {
      queue.push(...samples);
      void work();
    },
    waiting: () => queue.length,
    ended: () => giveUp,
    close: () => undefined,
  };
}
