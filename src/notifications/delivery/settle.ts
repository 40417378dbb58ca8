// What becomes of a delivery after an attempt: its status, and when the next attempt is due.
import type { Channel, Outcome } from "../channel.ts";
import type { Leased } from "./lease.ts";

/** Longest wait that a provider can ask for (Retry-After). */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;
/** Waits are longer by up to this share, so that deliveries that failed together do not come back together. */
const JITTER = 0.2;

/** Changes of a row; `nextAttemptAt` null: final. Times are epoch milliseconds. */
export type Settlement = {
  status: "waiting" | "accepted" | "failed" | "unknown" | "cancelled";
  nextAttemptAt: number | null;
  /** False: the attempt does not count, because nothing was tried. */
  wasTried: boolean;
  answer: { status: number | null; text: string | null } | null;
};

/** @param random from 0 to 1 */
export function settlementOf(
  delivery: Pick<Leased, "attempts" | "priority">,
  channel: Pick<Channel, "retryDelays" | "isIdempotent">,
  outcome: Outcome,
  now: number,
  random = Math.random(),
): Settlement {
  switch (outcome.result) {
    case "accepted":
      return { status: "accepted", nextAttemptAt: null, wasTried: true, answer: outcome.answer };
    case "refused":
      return { status: "failed", nextAttemptAt: null, wasTried: true, answer: outcome.answer };
    case "cancelled":
      return { status: "cancelled", nextAttemptAt: null, wasTried: false, answer: null };
    case "postponed":
      return { status: "waiting", nextAttemptAt: Math.ceil(outcome.until), wasTried: false, answer: null };
    case "failed":
      return retryOr("failed", delivery.attempts, channel, outcome, now, random);
    case "unknown": {
      const isRepeated = delivery.priority === "alarm" || channel.isIdempotent === true;
      if (isRepeated) return retryOr("unknown", delivery.attempts, channel, outcome, now, random);
      return { status: "unknown", nextAttemptAt: null, wasTried: true, answer: outcome.answer };
    }
  }
}

function retryOr(
  final: "failed" | "unknown",
  attempts: number,
  { retryDelays }: Pick<Channel, "retryDelays">,
  outcome: Extract<Outcome, { result: "failed" | "unknown" }>,
  now: number,
  random: number,
): Settlement {
  const delay = retryDelays[attempts];
  const { answer } = outcome;
  if (delay === undefined) return { status: final, nextAttemptAt: null, wasTried: true, answer };
  const asked = outcome.result === "failed" ? Math.min(outcome.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS) : 0;
  const wait = Math.max(delay, asked) * (1 + JITTER * random);
  return { status: "waiting", nextAttemptAt: Math.ceil(now + wait), wasTried: true, answer };
}
