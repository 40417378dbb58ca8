// Password changes: end reset links and sessions in the same batch.
import { and, eq, isNull, ne, type SQL, sql } from "drizzle-orm";
import { requireRole } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { unsealProfile } from "../../access/profile.ts";
import { batch } from "../../platform/db/client.ts";
import { passwordResets, sessions, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { type HashSlot, hashCaller, withHashSlot } from "./hash-queue.ts";
import { type AttemptSlot, acquireSlot, clearFailedAttempts, recordFailedAttempt, throwAccountLocked } from "./lockout.ts";
import { assertPasswordPolicy, hashPassword, verifyPassword } from "./passwords.ts";

/** A hash contains its own salt, so its presence proves that this change wrote it. */
export const hasPasswordHash = (userId: string, hash: string): SQL =>
  sql`EXISTS (SELECT 1 FROM users WHERE id = ${userId} AND password_hash = ${hash})`;

/**
 * Statements that change the password if `when` holds, record it, and end open reset links and all sessions except `keep`.
 * @param event without its condition
 */
export function passwordChangeStatements(
  call: Call,
  userId: string,
  hash: string,
  when: SQL,
  event: AuditEvent,
  keptSessionId: string | null,
) {
  const { db, actor, now } = call;
  const isThisChange = hasPasswordHash(userId, hash);
  const change = db
    .update(users)
    // A concurrent login compares this time, so it must increase with every change.
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
    ...recordAuditEvent(db, actor, now, { ...event, when: isThisChange }),
    db
      .update(passwordResets)
      .set({ usedAt: now })
      .where(and(eq(passwordResets.userId, userId), isNull(passwordResets.usedAt), isThisChange)),
    db
      .update(sessions)
      .set({ revokedAt: now, revokedReason: "password_changed" })
      .where(and(eq(sessions.userId, userId), isNull(sessions.revokedAt), ne(sessions.id, keptSessionId ?? ""), isThisChange)),
  ] as const;
}

const passwordChangeEvent = (call: UserCall, outcome: AuditEvent["outcome"], reason?: string): AuditEvent => ({
  event: "user.password_change",
  action: "U",
  outcome: outcome ?? "success",
  ...(reason && { reason }),
  entity: { type: "user", id: call.actor.userId },
});

/**
 * Changes the caller's own password. The current password counts against the login lockout, so that a stolen session cannot
 * guess it.
 * @param limit counts the attempt once the session was found active, so that an ended one spends nobody's quota
 * @throws ApiError wrong_password, account_locked, rate_limited, unavailable (hash queue full), invalid_request (weak password), conflict
 */
export async function changeOwnPassword(
  anyCall: Call,
  currentPassword: string,
  newPassword: string,
  limit: () => Promise<void>,
): Promise<void> {
  assertPasswordPolicy(newPassword, [], "new_password");
  const { call, effectiveRole } = await requireRole(anyCall, "self:write");
  await limit();
  return withHashSlot(hashCaller(call.actor), (slot) => change(call, effectiveRole, slot, currentPassword, newPassword));
}

async function change(
  call: UserCall,
  effectiveRole: UserEffectiveRole,
  hashSlot: HashSlot,
  currentPassword: string,
  newPassword: string,
): Promise<void> {
  const { db, keys, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  const account = db.all<typeof users.$inferSelect>(sql`SELECT id, profile_sealed AS profileSealed,
    password_hash AS passwordHash, password_changed_at AS passwordChangedAt FROM users WHERE id = ${actor.userId}`);
  const { found, ...slotResult } = await acquireSlot(call, sql`(SELECT id FROM users WHERE id = ${actor.userId})`, account);
  if (!found) throw new ApiError("unauthenticated");
  if (!slotResult.slot) {
    await batch(
      db,
      recordAuditEvent(db, actor, now, { ...passwordChangeEvent(call, "denied", "account_locked"), role, hospitalId }),
    );
    return throwAccountLocked(slotResult.lockedForS);
  }
  const rejectWrongPassword = async (slot: AttemptSlot): Promise<never> => {
    const auditStatements = recordAuditEvent(db, actor, now, {
      ...passwordChangeEvent(call, "denied", "wrong_password"),
      role,
      hospitalId,
    });
    await batch(db, [...recordFailedAttempt(db, slot, now), ...auditStatements]);
    throw new ApiError("wrong_password");
  };
  const { isCorrect } = await hashSlot.run(() => verifyPassword(currentPassword, found.passwordHash));
  if (!isCorrect) return rejectWrongPassword(slotResult.slot);
  const personalWords = Object.values(await unsealProfile(keys, found)).filter((word) => word !== null);
  assertPasswordPolicy(newPassword, personalWords, "new_password");
  const hash = await hashSlot.run(() => hashPassword(newPassword));
  const isUnchanged = sql`password_changed_at = ${found.passwordChangedAt}`;
  const event = { ...passwordChangeEvent(call, "success"), role, hospitalId };
  const [changed] = await batch(db, [
    ...passwordChangeStatements(call, actor.userId, hash, isUnchanged, event, actor.sessionId),
    clearFailedAttempts(db, slotResult.slot),
  ]);
  // The password was correct, so losing against a concurrent change costs no attempt.
  if (changed.length === 0) return failWithAudit(call, "conflict", event);
}
