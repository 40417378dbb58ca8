// Password changes: end links and sessions in the same batch, and tell the person.
import { and, eq, isNull, ne, type SQL, sql } from "drizzle-orm";
import { requireRole } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { unsealProfile } from "../../access/profile.ts";
import { notify } from "../../notifications/notify.ts";
import { batch } from "../../platform/db/client.ts";
import { passwordResets, sessions, users } from "../../platform/db/schema.ts";
import { endAddressChanges } from "../email/email-links.ts";
import { type HashSlot, hashCaller, withHashSlot } from "./hash-queue.ts";
import { clearAfterPassword } from "./lockout.ts";
import { assertPasswordPolicy, hashPassword } from "./passwords.ts";
import { verifyOwnPassword } from "./verify-own-password.ts";

/** A hash contains its own salt, so its presence proves that this change wrote it. */
export const hasPasswordHash = (userId: string, hash: string): SQL =>
  sql`EXISTS (SELECT 1 FROM users WHERE id = ${userId} AND password_hash = ${hash})`;

/**
 * Statements that change the password if `when` holds, record it, tell the person, and end open links and all sessions except `keep`.
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
    endAddressChanges(call, userId, isThisChange),
    ...notify(db, actor, now, {
      kind: "account.password_changed",
      hospitalId: null,
      refs: {},
      recipients: sql`SELECT ${userId}`,
      when: isThisChange,
    }),
  ] as const;
}

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
  const { db, keys, actor } = call;
  const { role, hospitalId } = effectiveRole;
  const entity = { type: "user", id: actor.userId };
  const event = { event: "user.password_change", action: "U", role, hospitalId, entity } as const;
  const { account, slot } = await verifyOwnPassword(call, hashSlot, currentPassword, event);
  const personalWords = Object.values(await unsealProfile(keys, account)).filter((word) => word !== null);
  assertPasswordPolicy(newPassword, personalWords, "new_password");
  const hash = await hashSlot.run(() => hashPassword(newPassword));
  const isUnchanged = sql`password_changed_at = ${account.passwordChangedAt}`;
  const [changed] = await batch(db, [
    ...passwordChangeStatements(call, actor.userId, hash, isUnchanged, event, actor.sessionId),
    clearAfterPassword(db, slot, actor.userId),
  ]);
  // The password was correct, so losing against a concurrent change costs no attempt.
  if (changed.length === 0) return failWithAudit(call, "conflict", event);
}
