// An administrator removes the second factors of somebody who has lost them.
import { and, eq, isNull, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failsUnless } from "../../access/sign-in.ts";
import { notify } from "../../notifications/notify.ts";
import { batch, isRoleChanged } from "../../platform/db/client.ts";
import { passkeys, recoveryCodes, sessions, totpFactors } from "../../platform/db/schema.ts";
import { canResetPassword } from "../passwords/password-reset.ts";
import { denyForbidden, requireManagedUser } from "../users/manage-users.ts";

/**
 * Removes all factors and recovery codes of a person and ends their sessions. The person is told by every channel.
 * @throws ApiError not_found, forbidden (the own account, or rights beyond the caller's hospital), step_up_required (the caller's
 *   sign-in had no second step within ten minutes)
 */
export async function resetFactors(anyCall: Call, userId: string): Promise<void> {
  const target = await requireManagedUser(anyCall, "factor:reset", userId);
  const { db, actor, now } = target.call;
  const { role, hospitalId } = target.effectiveRole;
  if (userId === actor.userId) return denyForbidden(target, "factor:reset");
  try {
    await batch(db, [
      failsUnless(db, canResetPassword(sql`${actor.userId}`, sql`${userId}`)),
      db.delete(totpFactors).where(eq(totpFactors.userId, userId)),
      db.delete(passkeys).where(eq(passkeys.userId, userId)),
      db.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId)),
      db
        .update(sessions)
        .set({ revokedAt: now, revokedReason: "factors_reset" })
        .where(and(eq(sessions.userId, userId), isNull(sessions.revokedAt))),
      ...recordAuditEvent(db, actor, now, {
        event: "user.factors_reset",
        action: "D",
        role,
        hospitalId,
        entity: { type: "user", id: userId },
      }),
      ...notify(db, actor, now, { kind: "account.factors_reset", hospitalId, refs: {}, recipients: sql`SELECT ${userId}` }),
    ]);
  } catch (error) {
    if (isRoleChanged(error)) return denyForbidden(target, "factor:reset");
    throw error;
  }
}
