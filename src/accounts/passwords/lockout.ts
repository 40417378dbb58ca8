// The login lockout: five failed attempts lock a name for 15 minutes, exact under concurrency. A browser in which the name has
// logged in before has five attempts of its own, so that others cannot keep the owner out by guessing.
import { and, eq, lt, type SQL, sql } from "drizzle-orm";
import type { SQLiteRaw } from "drizzle-orm/sqlite-core/query-builders/raw";
import type { Call } from "../../access/actor.ts";
import { batch, type Db, type Statement } from "../../platform/db/client.ts";
import { loginAttempts } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { hasFactor } from "../factors/factors.ts";

export const MAX_FAILURES = 5;
export const LOCKOUT_MS = 15 * 60_000;
/** A reservation expires after this if its Worker died. */
export const RESERVATION_TTL_MS = 30_000;

const MAX_WAIT_MS = 3_000;
const WAIT_STEP_MS = 100;

export type AttemptSlot = { subject: string; id: string };
/** A slot, or the remaining lock time; with the account as of the same batch. */
export type SlotResult<T> = { found: T | undefined } & ({ slot: AttemptSlot } | { slot: null; lockedForS: number });

/**
 * Reserves one of five slots in one statement, before the password is hashed. Failures and running attempts together never
 * exceed five, so 50 concurrent wrong passwords cost exactly five hashes.
 * @param subject SQL for the user's id or the HMAC of an unknown name, with `browserSubject` for a known browser
 */
function buildReservation(db: Db, subject: SQL, now: number) {
  const id = uuidv7();
  const countActiveAttempts = sql`SELECT count(*) FROM login_attempts WHERE subject = ${subject} AND expires_at > ${now}`;
  return {
    id,
    reserve: db.all<{ subject: string }>(sql`INSERT INTO login_attempts (subject, id, state, expires_at)
      SELECT ${subject}, ${id}, 'pending', CAST(${now + RESERVATION_TTL_MS} AS INTEGER) WHERE (${countActiveAttempts}) < ${MAX_FAILURES}
      RETURNING subject`),
    failures: db.all<{ n: number; until: number | null }>(sql`SELECT count(*) AS n, max(expires_at) AS until
      FROM login_attempts WHERE subject = ${subject} AND state = 'failed' AND expires_at > ${now}`),
  };
}

/**
 * Waits for a slot while the attempts that hold them may still succeed.
 * @param account the statement that reads the account with its hash  @throws ApiError rate_limited
 */
export async function acquireSlot<T>(call: Call, subject: SQL, account: SQLiteRaw<T[]>): Promise<SlotResult<T>> {
  // Uses elapsed time besides steps, because the hashes being waited for block the isolate.
  for (let waited = 0; ; waited = Math.max(waited + WAIT_STEP_MS, Date.now() - call.now)) {
    const now = call.now + waited;
    const { id, reserve, failures } = buildReservation(call.db, subject, now);
    const [[found], [reserved], [failed]] = await batch(call.db, [account, reserve, failures]);
    if (reserved) return { found, slot: { subject: reserved.subject, id } };
    const { n, until } = failed ?? { n: 0, until: null };
    if (n >= MAX_FAILURES) return { found, slot: null, lockedForS: Math.max(1, Math.ceil(((until ?? now) - now) / 1000)) };
    if (waited >= MAX_WAIT_MS) throw new ApiError("rate_limited", undefined, { headers: { "Retry-After": "5" } });
    await scheduler.wait(WAIT_STEP_MS);
  }
}

/** @throws ApiError account_locked always */
export function throwAccountLocked(seconds: number): never {
  throw new ApiError("account_locked", undefined, { headers: { "Retry-After": String(seconds) } });
}

/** Records a wrong password: the slot stays used, and the 15 minutes restart for all failures. */
export function recordFailedAttempt(db: Db, slot: AttemptSlot, now: number): Statement[] {
  const lockedUntil = now + LOCKOUT_MS;
  return [
    db
      .insert(loginAttempts)
      .values({ ...slot, state: "failed", expiresAt: lockedUntil })
      .onConflictDoUpdate({
        target: [loginAttempts.subject, loginAttempts.id],
        set: { state: "failed", expiresAt: lockedUntil },
      }),
    db
      .update(loginAttempts)
      .set({ expiresAt: lockedUntil })
      .where(and(eq(loginAttempts.subject, slot.subject), eq(loginAttempts.state, "failed"), sql`expires_at > ${now}`)),
  ];
}

/** A correct password clears earlier failures and releases its own slot; other running attempts keep theirs. */
export function clearFailedAttempts(db: Db, slot: AttemptSlot): Statement {
  return db.delete(loginAttempts).where(and(eq(loginAttempts.subject, slot.subject), sql`(id = ${slot.id} OR state = 'failed')`));
}

/**
 * A correct password alone, of somebody who is signed in, clears earlier failures only where there is no second factor: else whoever has
 * the password could try codes without end.
 */
export function clearAfterPassword(db: Db, slot: AttemptSlot, userId: string): Statement {
  const isCleared = sql`(id = ${slot.id} OR (state = 'failed' AND NOT ${hasFactor(sql`${userId}`)}))`;
  return db.delete(loginAttempts).where(and(eq(loginAttempts.subject, slot.subject), isCleared));
}

/** Releases a slot whose attempt did not fail and is not finished: earlier failures stay, or each right password would allow more codes. */
export function releaseSlot(db: Db, slot: AttemptSlot): Statement {
  return db.delete(loginAttempts).where(and(eq(loginAttempts.subject, slot.subject), eq(loginAttempts.id, slot.id)));
}

/** The subject of attempts from a browser in which the account has logged in before. @param subject of those from elsewhere */
export function browserSubject(subject: SQL, browserId: string): SQL {
  return sql`(${subject} || ${`:${browserId}`})`;
}

/** Attempts on an account from anywhere. */
export function isAttemptOn(userId: string): SQL {
  // The subjects that begin with the id and a colon, as a range of the primary key.
  return sql`(subject = ${userId} OR (subject > ${`${userId}:`} AND subject < ${`${userId};`}))`;
}

export function clearLoginAttempts(db: Db, userId: string): Statement {
  return db.delete(loginAttempts).where(isAttemptOn(userId));
}

export function pruneLoginAttempts(db: Db, now: number): Statement {
  return db.delete(loginAttempts).where(lt(loginAttempts.expiresAt, now));
}
