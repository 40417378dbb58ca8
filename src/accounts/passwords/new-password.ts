// A password that replaces another: everything that hung on the old one ends in the same batch.
import { and, eq, isNull, ne, type SQL, sql } from "drizzle-orm";
import { requireRole } from "../../access/access.ts";
import type { Call, UserCall } from "../../access/actor.ts";
import { type AuditEvent, audit } from "../../access/audit.ts";
import { fail } from "../../access/refusals.ts";
import { batch } from "../../platform/db/client.ts";
import { passwordResets, sessions, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { openProfile } from "../users/users.ts";
import { clearFailures, recordFailure, refuseLocked, type Slot, takeSlot } from "./lockout.ts";
import { hashPassword, requireGoodPassword, verifyPassword } from "./passwords.ts";

/** A hash carries its own salt: where it stands, this very change has put it there. */
export const holdsHash = (userId: string, hash: string): SQL =>
  sql`EXISTS (SELECT 1 FROM users WHERE id = ${userId} AND password_hash = ${hash})`;

/**
 * The change if `when` holds, its trace, the end of open reset links and of every session but `keep`.
 * @param event without its condition
 */
export function changePassword(call: Call, userId: string, hash: string, when: SQL, event: AuditEvent, keep: string | null) {
  const { db, actor, now } = call;
  const mine = holdsHash(userId, hash);
  const change = db
    .update(users)
    // A login that is being verified compares this time: it never stands still.
    .set({
      passwordHash: hash,
      passwordChangedAt: sql`max(password_changed_at + 1, CAST(${now} AS INTEGER))`,
      passwordGiven: 0,
      updatedAt: now,
    })
    .where(and(eq(users.id, userId), when))
    .returning({ id: users.id });
  return [
    change,
    ...audit(db, actor, now, { ...event, when: mine }),
    db
      .update(passwordResets)
      .set({ usedAt: now })
      .where(and(eq(passwordResets.userId, userId), isNull(passwordResets.usedAt), mine)),
    db
      .update(sessions)
      .set({ revokedAt: now, revokedReason: "password_changed" })
      .where(and(eq(sessions.userId, userId), isNull(sessions.revokedAt), ne(sessions.id, keep ?? ""), mine)),
  ] as const;
}

const events = (call: UserCall, outcome: AuditEvent["outcome"], reason?: string): AuditEvent => ({
  event: "user.password_change",
  action: "U",
  outcome: outcome ?? "success",
  ...(reason && { reason }),
  entity: { type: "user", id: call.actor.userId },
});

/**
 * Changes the caller's own password. The present one is tried under the lockout of logins, so that a stolen session is no
 * way to guess it.
 * @throws ApiError wrong_password, account_locked, rate_limited, invalid_request (weak password), conflict
 */
export async function changeOwnPassword(anyCall: Call, current: string, next: string): Promise<void> {
  requireGoodPassword(next, [], "new_password");
  const { call, standing } = await requireRole(anyCall, "self:write");
  const { db, keys, actor, now } = call;
  const { role, hospitalId } = standing;
  const account = db.all<typeof users.$inferSelect>(sql`SELECT id, profile_sealed AS profileSealed,
    password_hash AS passwordHash, password_changed_at AS passwordChangedAt FROM users WHERE id = ${actor.userId}`);
  const { found, ...taken } = await takeSlot(call, sql`(SELECT id FROM users WHERE id = ${actor.userId})`, account);
  if (!found) throw new ApiError("unauthenticated");
  if (!taken.slot) {
    await batch(db, audit(db, actor, now, { ...events(call, "denied", "account_locked"), role, hospitalId }));
    return refuseLocked(taken.lockedForS);
  }
  const refuseWrong = async (slot: Slot): Promise<never> => {
    const trace = audit(db, actor, now, { ...events(call, "denied", "wrong_password"), role, hospitalId });
    await batch(db, [...recordFailure(db, slot, now), ...trace]);
    throw new ApiError("wrong_password");
  };
  if (!(await verifyPassword(current, found.passwordHash))) return refuseWrong(taken.slot);
  const words = Object.values(await openProfile(keys, found)).filter((word) => word !== null);
  requireGoodPassword(next, words, "new_password");
  const hash = await hashPassword(next);
  const asVerified = sql`password_changed_at = ${found.passwordChangedAt}`;
  const event = { ...events(call, "success"), role, hospitalId };
  const [changed] = await batch(db, [
    ...changePassword(call, actor.userId, hash, asVerified, event, actor.sessionId),
    clearFailures(db, taken.slot),
  ]);
  // The password was right when it was tried: losing against another change costs no attempt.
  if (changed.length === 0) return fail(call, "conflict", event);
}
