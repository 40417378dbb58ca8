// Sessions that D1 has found active within the last ten seconds. Decides which rate limit counts a request, never what it may do.
import { BoundedCache } from "../platform/bounded-cache.ts";
import { ApiError } from "../platform/errors.ts";
import type { Actor, Call } from "./actor.ts";
import { selectEffectiveRole, toEffectiveRole } from "./effective-role.ts";

/** A token of a session that ended elsewhere counts against its user for at most this long. */
export const KNOWN_SESSION_MS = 10_000;
const MAX_KNOWN_SESSIONS = 4_096;
const knownUntil = new BoundedCache<string, number>(MAX_KNOWN_SESSIONS);

/** Called after every access check that found the session active. */
export function rememberSession(actor: Actor, now: number): void {
  if (actor.kind === "user") knownUntil.set(actor.sessionId, now + KNOWN_SESSION_MS);
}

export function forgetSession(sessionId: string): void {
  knownUntil.delete(sessionId);
}

export function isKnownSession(sessionId: string, now: number): boolean {
  const until = knownUntil.get(sessionId) ?? 0;
  // A longer time comes from a clock that was set back.
  return until > now && until <= now + KNOWN_SESSION_MS;
}

/**
 * Throws the error of a write that was refused, perhaps before its check: without finding out whether the session is active, its
 * refused requests would never count for the person.
 */
export async function failWrite({ db, actor, now }: Call, error: unknown): Promise<never> {
  if (error instanceof ApiError && actor.kind === "user" && !isKnownSession(actor.sessionId, now)) {
    // A failure here must not replace the refusal.
    const [row] = await selectEffectiveRole(db, actor, now).catch(() => []);
    if (toEffectiveRole(row)) rememberSession(actor, now);
  }
  throw error;
}
