// The states of a document request, and what leads from one to the next. Every other step is refused.
import { type SQL, sql } from "drizzle-orm";
import type { DOCUMENT_REQUEST_STATES } from "../platform/db/vocabulary.ts";

export type RequestState = (typeof DOCUMENT_REQUEST_STATES)[number];

/** Steps of the hospitals and of the clock. `consented`, `denied` and `revoked` come from the consent alone. */
export const TRANSITIONS = {
  requested: { cancel: "cancelled", expire: "expired" },
  consented: { approve: "approved", reject: "rejected", cancel: "cancelled", expire: "expired" },
  approved: { fulfil: "fulfilled", cancel: "cancelled", expire: "expired" },
  rejected: {},
  fulfilled: {},
  cancelled: {},
  denied: {},
  revoked: {},
  expired: {},
} as const satisfies Record<RequestState, Partial<Record<string, RequestState>>>;
export type RequestStep = "approve" | "reject" | "fulfil" | "cancel" | "expire";

/** The state after a step, or null where it is not allowed. */
export function stateAfter(state: RequestState, step: RequestStep): RequestState | null {
  const steps: Partial<Record<RequestStep, RequestState>> = TRANSITIONS[state];
  return steps[step] ?? null;
}

/**
 * The state of a row `q` of document_requests with its consent `c` at a time, also before cron has written the end. An end that is
 * written stands; what the person has answered comes before the clock.
 */
export const selectState = (now: number): SQL => sql`CASE WHEN q.status NOT IN ('requested', 'approved') THEN q.status
  WHEN c.status IN ('denied', 'revoked') THEN c.status
  WHEN c.status = 'expired' OR q.expires_at <= ${now} OR iif(c.status = 'granted', c.expires_at, c.answer_until) <= ${now} THEN 'expired'
  WHEN c.status = 'requested' THEN 'requested'
  WHEN q.status = 'requested' THEN 'consented'
  ELSE 'approved' END`;

const OPEN = ["requested", "approved"] as const satisfies readonly RequestState[];
/** The written states of rows that can be in a state by the clock and the consent, so that lists of a state search an index. */
const WRITTEN = {
  requested: ["requested"],
  consented: ["requested"],
  approved: ["approved"],
  rejected: ["rejected"],
  fulfilled: ["fulfilled"],
  cancelled: ["cancelled"],
  denied: ["denied", ...OPEN],
  revoked: ["revoked", ...OPEN],
  expired: ["expired", ...OPEN],
} as const satisfies Record<RequestState, readonly RequestState[]>;

/** Rows `q`, with their consent `c`, that are in a state at a time. */
export const isInState = (state: RequestState, now: number): SQL =>
  sql`(q.status IN (${sql.join(
    WRITTEN[state].map((written) => sql`${written}`),
    sql`, `,
  )}) AND ${selectState(now)} = ${state})`;
