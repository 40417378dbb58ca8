// Rules of sets that wait to be sent: when to try again, when to ask, and what an answer of the service means.

import type { News2 } from "../../../../src/monitoring/vitals/news2.ts";
import type { Problem } from "../../platform/api/problem.ts";
import { HOUR_MS } from "../../platform/durations.ts";
import type { SetBody } from "./set-draft.ts";

/** Why the service refused a set. `code`: the first one of a field, if the request was invalid. */
export type Refusal = { status: number; code: string; message: string; errorId: string | null; serverScore: ServerScore | null };
/** The score that the service computes, where it differs from the confirmed one. */
export type ServerScore = Pick<News2, "score" | "risk">;

const RISKS: readonly News2["risk"][] = ["low", "low_medium", "medium", "high"];

/** @returns null where NEWS2 does not apply, or for another problem */
export function readServerScore({ members }: Pick<Problem, "members">): ServerScore | null {
  const given: unknown = members["score"];
  if (typeof given !== "object" || given === null || !("score" in given && "risk" in given)) return null;
  const risk = RISKS.find((known) => known === given.risk);
  return typeof given.score === "number" && risk !== undefined ? { score: given.score, risk } : null;
}

export function toRefusal(problem: Problem): Refusal {
  const { status, code, message, errorId, errors } = problem;
  const [first] = errors;
  return {
    status,
    code: first?.code ?? code,
    message: first?.message ?? message,
    errorId,
    serverScore: readServerScore(problem),
  };
}

/** A set that is not filed yet. It holds ids, codes and values, and no name. */
export type WaitingSet = {
  /** Also its idempotency key, so that a set whose answer was lost is stored once. */
  id: string;
  /** The person who entered it. */
  owner: string;
  /** The hospital for which that person acted. */
  hospitalId: string | null;
  patientId: string;
  body: SetBody;
  /** Null: not refused. */
  refusal: Refusal | null;
};

/** More means that nobody looks at them any more. */
export const MAX_WAITING_SETS = 20;
/** An older set is sent only when its owner says so: the patient may be another one by now. */
export const ASK_AFTER_MS = 12 * HOUR_MS;

export type WaitingState = "waiting" | "ask" | "refused" | "other_hospital";

/** @param now server time, epoch milliseconds */
export function getWaitingState({ refusal, hospitalId, body }: WaitingSet, now: number, actingFor: string | null): WaitingState {
  if (refusal) return "refused";
  if (hospitalId !== actingFor) return "other_hospital";
  // A time ahead of now means that a clock is wrong.
  const ageMs = now - Date.parse(body.effective_at);
  return ageMs >= ASK_AFTER_MS || ageMs < -ASK_AFTER_MS ? "ask" : "waiting";
}

const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 5 * 60_000;
/** @param failures in a row, from 1 @param random from 0 to 1, so that the browsers of a ward do not all return at once */
export const retryDelayMs = (failures: number, random: number): number =>
  Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1)) * (0.75 + random / 2);

/** `wait`: nothing was decided, the same request may succeed later. `sign_in`: as soon as its owner is signed in as required. */
export type Verdict = "wait" | "sign_in" | "refused";

/** What a failed attempt means. @param status of HTTP; 0 without an answer  @param code of the problem */
export function judgeFailure(status: number, code?: string): Verdict {
  if (status === 401 || code === "enrolment_required") return "sign_in";
  return status === 0 || status === 408 || status === 429 || status >= 500 ? "wait" : "refused";
}
