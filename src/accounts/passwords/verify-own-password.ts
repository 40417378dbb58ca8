// The password of a signed-in user, asked for again. Counts against the login lockout, so that a stolen session cannot guess it.
import { sql } from "drizzle-orm";
import type { UserCall } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { batch } from "../../platform/db/client.ts";
import type { users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import type { HashSlot } from "./hash-queue.ts";
import { type AttemptSlot, acquireSlot, recordFailedAttempt, throwAccountLocked } from "./lockout.ts";
import { verifyPassword } from "./passwords.ts";

type Account = Pick<
  typeof users.$inferSelect,
  "id" | "profileSealed" | "emailIndex" | "emailVerifiedAt" | "passwordHash" | "passwordChangedAt"
>;

/**
 * @param event of the operation that needs the password; recorded as denied if it is wrong
 * @returns the account and the attempt, which the operation's batch clears with `clearAfterPassword()`
 * @throws ApiError wrong_password, account_locked, rate_limited, unauthenticated (no such account)
 */
export async function verifyOwnPassword(
  call: UserCall,
  hashSlot: HashSlot,
  password: string,
  event: AuditEvent,
): Promise<{ account: Account; slot: AttemptSlot }> {
  const { db, actor, now } = call;
  const select = db.all<Account>(sql`SELECT id, profile_sealed AS profileSealed, email_index AS emailIndex,
    email_verified_at AS emailVerifiedAt, password_hash AS passwordHash, password_changed_at AS passwordChangedAt
    FROM users WHERE id = ${actor.userId}`);
  const { found, ...result } = await acquireSlot(call, sql`(SELECT id FROM users WHERE id = ${actor.userId})`, select);
  if (!found) throw new ApiError("unauthenticated");
  const denied = (reason: string) => recordAuditEvent(db, actor, now, { ...event, outcome: "denied", reason });
  if (!result.slot) {
    await batch(db, denied("account_locked"));
    return throwAccountLocked(result.lockedForS);
  }
  const { isCorrect } = await hashSlot.run(() => verifyPassword(password, found.passwordHash));
  if (isCorrect) return { account: found, slot: result.slot };
  await batch(db, [...recordFailedAttempt(db, result.slot, now), ...denied("wrong_password")]);
  throw new ApiError("wrong_password");
}
