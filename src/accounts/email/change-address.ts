// A change of the caller's own e-mail address: asked for with the password, confirmed by a link that is sent to the new address.
import { sql } from "drizzle-orm";
import { requireRole } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { computeEmailIndex } from "../auth/login-names.ts";
import { type HashSlot, hashCaller, withHashSlot } from "../passwords/hash-queue.ts";
import { clearAfterPassword } from "../passwords/lockout.ts";
import { verifyOwnPassword } from "../passwords/verify-own-password.ts";
import { endAddressChanges, isWithinAddressLimit, isWithinLinkLimits, prepareEmailLink } from "./email-links.ts";
import { runWithinLimits } from "./verification.ts";

/**
 * Sends a link to the new address. An address of another account gets no mail, and the same answer. A further request replaces
 * an earlier one.
 * @param limit counts the attempt once the session was found active
 * @throws ApiError wrong_password, account_locked, rate_limited, unavailable (hash queue full)
 */
export async function requestAddressChange(
  anyCall: Call,
  email: string,
  password: string,
  limit: () => Promise<void>,
): Promise<void> {
  const { call, effectiveRole } = await requireRole(anyCall, "self:write");
  await limit();
  return withHashSlot(hashCaller(call.actor), (slot) => request(call, effectiveRole, slot, email, password));
}

async function request(
  call: UserCall,
  { role, hospitalId }: UserEffectiveRole,
  hashSlot: HashSlot,
  email: string,
  password: string,
): Promise<void> {
  const { db, keys, actor, now } = call;
  const { userId } = actor;
  const entity = { type: "user", id: userId };
  const event = { event: "user.email_change_request", action: "C", role, hospitalId, entity } as const;
  const { account, slot } = await verifyOwnPassword(call, hashSlot, password, event);
  const emailIndex = await computeEmailIndex(keys, email);
  const { id, statements } = await prepareEmailLink(call, {
    userId,
    email,
    purpose: "change",
    // The password may have been changed while the hash was computed.
    when: sql`${isWithinLinkLimits(userId, "change", now)} AND EXISTS (SELECT 1 FROM users u WHERE u.id = ${userId}
      AND u.active = 1 AND u.password_changed_at = ${account.passwordChangedAt})`,
    sendWhen: sql`NOT EXISTS (SELECT 1 FROM users u WHERE u.email_index = ${emailIndex})
      AND ${isWithinAddressLimit(emailIndex, now)}`,
  });
  const isSent = sql`EXISTS (SELECT 1 FROM email_links WHERE id = ${id})`;
  await runWithinLimits(call, "change", id, [
    ...statements,
    endAddressChanges(call, userId, sql`id <> ${id} AND ${isSent}`),
    ...recordAuditEvent(db, actor, now, { ...event, when: isSent }),
    clearAfterPassword(db, slot, userId),
  ]);
}
