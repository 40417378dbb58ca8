// Sessions that D1 has found active within the last ten seconds. Decides which rate limit counts a request, never what it may do.
import { BoundedCache } from "../platform/bounded-cache.ts";
import type { Actor } from "./actor.ts";

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
