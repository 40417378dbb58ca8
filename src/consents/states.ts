// The states of a consent, and what leads from one to the next. Every other step is refused.
import type { CONSENT_STATES } from "../platform/db/vocabulary.ts";

export type ConsentState = (typeof CONSENT_STATES)[number];

/** `expire`: by the clock. The others: by a person. */
export const TRANSITIONS = {
  requested: { grant: "granted", deny: "denied", expire: "expired" },
  granted: { revoke: "revoked", expire: "expired" },
  denied: {},
  revoked: {},
  expired: {},
} as const satisfies Record<ConsentState, Partial<Record<string, ConsentState>>>;
export type ConsentStep = "grant" | "deny" | "revoke" | "expire";

/** The state after a step, or null where it is not allowed. */
export function stateAfter(state: ConsentState, step: ConsentStep): ConsentState | null {
  const steps: Partial<Record<ConsentStep, ConsentState>> = TRANSITIONS[state];
  return steps[step] ?? null;
}

type Timed = { status: ConsentState; answerUntil: number; expiresAt: number };

/** The state at a time, also before cron has written that a consent has expired. A consent holds before its last millisecond. */
export function stateAt({ status, answerUntil, expiresAt }: Timed, now: number): ConsentState {
  const end = { requested: answerUntil, granted: expiresAt, denied: null, revoked: null, expired: null }[status];
  return end !== null && end <= now ? "expired" : status;
}
