// Password reset links, asked for by the person or issued by a manager: valid for 30 minutes, single use; a reset ends all sessions.
import { and, eq, inArray, isNull, ne, type SQL, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import { buildLinkUrl, deriveOneTimeToken, hashOneTimeToken, listOneTimeTokens } from "../../access/one-time-tokens.ts";
import { unsealProfile } from "../../access/profile.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { writeLetter } from "../../notifications/notify.ts";
import { batch, isConditionFailed } from "../../platform/db/client.ts";
import { loginAttempts, passwordResets, pushSubscriptions, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { HOUR_MS, toIso } from "../../platform/time.ts";
import { hasFactor } from "../factors/factors.ts";
import { denyForbidden, requireManagedUser } from "../users/manage-users.ts";
import { hasPasswordHash, passwordChangeStatements } from "./change-password.ts";
import { hashCaller, withHashSlot } from "./hash-queue.ts";
import { isAttemptOn } from "./lockout.ts";
import { assertPasswordPolicy, hashPassword } from "./passwords.ts";

export const RESET_TTL_MS = 30 * 60_000;
/** Links that are kept per account until they are deleted a day after they expire; only the newest is valid. */
const MAX_KEPT_LINKS = 20;

/**
 * True when the actor may set the user's password. A hospital administrator may only if the account has no rights outside their
 * hospital, because whoever sets a password can act as the user everywhere.
 */
export function canResetPassword(actorId: SQL, userId: SQL): SQL {
  return sql`EXISTS (SELECT 1 FROM users b WHERE b.id = ${actorId} AND b.active = 1 AND (b.is_admin = 1 OR (
    NOT EXISTS (SELECT 1 FROM users x WHERE x.id = ${userId} AND x.is_admin = 1)
    AND NOT EXISTS (SELECT 1 FROM patient_links l WHERE l.user_id = ${userId})
    AND EXISTS (SELECT 1 FROM memberships m
      JOIN hospitals h ON h.id = m.hospital_id AND h.active = 1
      JOIN memberships t ON t.hospital_id = m.hospital_id AND t.user_id = ${userId} AND t.ended_at IS NULL
      WHERE m.user_id = b.id AND m.role = 'hospital_admin' AND ${ACTIVE_MEMBERSHIP} AND NOT EXISTS
        (SELECT 1 FROM memberships o WHERE o.user_id = ${userId} AND o.hospital_id <> m.hospital_id AND o.ended_at IS NULL)))))`;
}

const toResetLink = (origin: string, token: string, expiresAt: number) => ({
  url: buildLinkUrl(origin, "password_reset", token),
  token,
  expires_at: toIso(expiresAt),
});

/** Issues a link, which is shown to the caller, and mailed to the user if the address is verified. @throws ApiError not_found, forbidden (the caller's own account; a user with rights beyond the caller's hospital) */
export async function issueResetLink(anyCall: Call, userId: string, origin: string, keyStatements: KeyStatements) {
  const target = await requireManagedUser(anyCall, "user:update", userId);
  const { db, keys, actor, now } = target.call;
  const { role, hospitalId } = target.effectiveRole;
  // A stolen session must not allow taking over the account.
  if (userId === actor.userId) return denyForbidden(target, "user:update");
  const id = uuidv7();
  const token = await deriveOneTimeToken(keys, "password_reset", id);
  try {
    await batch(db, [
      ...keyStatements(id),
      // Of the links of managers only the newest is valid; one that the person asked for stays so, in their mailbox.
      db
        .update(passwordResets)
        .set({ usedAt: now })
        .where(and(eq(passwordResets.userId, userId), isNull(passwordResets.usedAt), ne(passwordResets.createdBy, userId))),
      db.insert(passwordResets).values({
        tokenHash: await hashOneTimeToken(keys, "password_reset", token),
        userId: sql`(SELECT ${userId} WHERE ${canResetPassword(sql`${actor.userId}`, sql`${userId}`)})`,
        createdBy: actor.userId,
        createdAt: now,
        expiresAt: now + RESET_TTL_MS,
      }),
      db.run(sql`DELETE FROM password_resets WHERE user_id = ${userId} AND token_hash NOT IN
        (SELECT token_hash FROM password_resets WHERE user_id = ${userId} ORDER BY used_at IS NULL DESC, created_at DESC LIMIT ${MAX_KEPT_LINKS})`),
      writeLetter(db, actor, now, {
        kind: "letter.password_reset",
        targetId: id,
        userId,
        hospitalId,
        when: sql`EXISTS (SELECT 1 FROM users WHERE id = ${userId} AND email_verified_at IS NOT NULL)`,
      }),
      ...recordAuditEvent(db, actor, now, {
        event: "user.password_reset_link",
        action: "C",
        role,
        hospitalId,
        entity: { type: "user", id: userId },
      }),
    ]);
  } catch (error) {
    if (isConditionFailed(error, "password_resets.user_id")) return denyForbidden(target, "user:update");
    throw error;
  }
  return toResetLink(origin, token, now + RESET_TTL_MS);
}

/** Replays the link of an idempotent create, for a caller who still manages the account. */
export async function replayResetLink(anyCall: Call, id: string, userId: string, origin: string) {
  const { call, effectiveRole } = await requireManagedUser(anyCall, "user:update", userId);
  const { db, keys, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  const candidates = await listOneTimeTokens(keys, "password_reset", id);
  const [row] = await db
    .select()
    .from(passwordResets)
    .where(
      inArray(
        passwordResets.tokenHash,
        candidates.map(({ hash }) => hash),
      ),
    );
  const token = candidates.find(({ hash }) => hash === row?.tokenHash)?.token;
  const target = { user: userId };
  if (row?.userId !== userId || !token) return denyAccess(call, "user:update", "not_found", { role, hospitalId, target });
  const entity = { type: "user", id: userId };
  await batch(
    db,
    recordAuditEvent(db, actor, now, { event: "user.password_reset_replay", action: "R", role, hospitalId, entity }),
  );
  return toResetLink(origin, token, row.expiresAt);
}

/** Where there is a second factor, one reset an hour lifts the lockout: else whoever reads the mail could try codes without end. */
const UNLOCK_INTERVAL_MS = HOUR_MS;
const mayUnlock = (
  userId: string,
  now: number,
) => sql`NOT (${hasFactor(sql`${userId}`)} AND EXISTS (SELECT 1 FROM password_resets r
  WHERE r.user_id = ${userId} AND r.used_at > ${now - UNLOCK_INTERVAL_MS} AND r.used_at < ${now}))`;

/**
 * Sets the password for a link and unlocks the account. Computes a hash even for an invalid token.
 * @throws ApiError link_invalid (unknown, used, expired, or its issuer may no longer), invalid_request
 */
export async function redeemResetLink(call: Call, token: string, password: string): Promise<void> {
  const { db, keys, actor, now } = call;
  assertPasswordPolicy(password, [], "new_password");
  const hashedToken = await hashOneTimeToken(keys, "password_reset", token);
  const isRedeemable = sql`users.active = 1 AND EXISTS (SELECT 1 FROM password_resets r WHERE r.token_hash = ${hashedToken}
    AND r.user_id = users.id AND r.used_at IS NULL AND r.expires_at > ${now}
    AND (r.created_by = r.user_id OR ${canResetPassword(sql`r.created_by`, sql`r.user_id`)}))`;
  const [row] = await db
    .select()
    .from(users)
    .where(and(sql`users.id = (SELECT user_id FROM password_resets WHERE token_hash = ${hashedToken})`, isRedeemable));
  const personalWords = row ? Object.values(await unsealProfile(keys, row)).filter((word) => word !== null) : [];
  assertPasswordPolicy(password, personalWords, "new_password");
  const hash = await withHashSlot(hashCaller(actor), (slot) => slot.run(() => hashPassword(password)));
  const event = { event: "user.password_reset", action: "U", ...(row && { entity: { type: "user", id: row.id } }) } as const;
  const [changed] = row
    ? await batch(db, [
        ...passwordChangeStatements(call, row.id, hash, isRedeemable, event, null),
        db.delete(loginAttempts).where(and(isAttemptOn(row.id), hasPasswordHash(row.id, hash), mayUnlock(row.id, now))),
        // Somebody else's browser may be among them.
        db.delete(pushSubscriptions).where(and(eq(pushSubscriptions.userId, row.id), hasPasswordHash(row.id, hash))),
      ])
    : [[]];
  if (changed.length > 0) return;
  await batch(db, recordAuditEvent(db, actor, now, { ...event, outcome: "denied", reason: "link_invalid" }));
  throw new ApiError("link_invalid");
}
