// Verification of a whole log, part by part: what was checked so far, and the first problem.
import type { hc, InferResponseType } from "hono/client";
import type { auditLogRoutes } from "../../../src/audit/log-routes.ts";
import { getWaitMs, isTemporary } from "../platform/api/back-off.ts";
import { Problem } from "../platform/api/problem.ts";

type LogApi = ReturnType<typeof hc<typeof auditLogRoutes>>["audit-events"];
/** What a part found; `end_seq` is exclusive, `open_events` are in no segment yet. Counts are of the part. */
export type LogCheck = InferResponseType<LogApi["verify"]["$get"], 200>["data"];

/** `state`: `passed` only when every part was checked without a problem. */
export type Verification = {
  state: "running" | "passed" | "problem";
  checked: LogCheck["checked"];
  prunedUpTo: number | null;
  problem: { seq: number | null; kind: string; detail: string } | null;
};

/** Attempts of one part while the service is busy or does not answer. */
const MAX_ATTEMPTS = 8;
/** Beyond the wait that the service asks for, ms. */
const EXTRA_WAIT_MS = 250;

/** Adds the next part. */
export function addPart(before: Verification | null, part: LogCheck): Verification {
  const { checked, problem, next_cursor } = part;
  const earlier = before?.checked;
  const isBad = problem !== null || !part.is_intact;
  return {
    state: isBad ? "problem" : next_cursor === null ? "passed" : "running",
    checked: {
      events: (earlier?.events ?? 0) + checked.events,
      segments: (earlier?.segments ?? 0) + checked.segments,
      checkpoints: (earlier?.checkpoints ?? 0) + checked.checkpoints,
      first_seq: Math.min(earlier?.first_seq ?? checked.first_seq, checked.first_seq),
      end_seq: Math.max(earlier?.end_seq ?? checked.end_seq, checked.end_seq),
      open_events: (earlier?.open_events ?? 0) + checked.open_events,
    },
    prunedUpTo: part.pruned_up_to ?? before?.prunedUpTo ?? null,
    problem: isBad ? (problem ?? { seq: null, kind: "unknown", detail: "" }) : null,
  };
}

type VerifyOptions = {
  /** Checks the part at the cursor, at the beginning with null. @throws Problem */
  readPart: (cursor: string | null, signal: AbortSignal) => Promise<LogCheck>;
  signal: AbortSignal;
  onProgress: (verification: Verification) => void;
  wait?: (ms: number) => Promise<void>;
};

/** Checks the log to its end or its first problem. @throws Problem, and the reason of an aborted signal */
export async function verifyLog({ readPart, signal, onProgress, wait = sleep }: VerifyOptions): Promise<Verification> {
  let verification: Verification | null = null;
  let cursor: string | null = null;
  for (;;) {
    const part = await readPatiently(() => readPart(cursor, signal), signal, wait);
    signal.throwIfAborted();
    verification = addPart(verification, part);
    onProgress(verification);
    if (verification.state !== "running") return verification;
    if (part.next_cursor === cursor) throw new Problem(0, "unexpected", "", null);
    cursor = part.next_cursor;
  }
}

async function readPatiently<T>(read: () => Promise<T>, signal: AbortSignal, wait: (ms: number) => Promise<void>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      signal.throwIfAborted();
      if (!isTemporary(error) || attempt === MAX_ATTEMPTS) throw error;
      const asked = error instanceof Problem ? error.retryAfterMs : null;
      await wait(Math.max(getWaitMs(), asked ?? 0) + EXTRA_WAIT_MS);
      signal.throwIfAborted();
    }
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
