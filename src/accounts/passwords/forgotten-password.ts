// Reset links that people ask for themselves. The answer, its time and the statements are the same for every address.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { deriveOneTimeToken, hashOneTimeToken } from "../../access/one-time-tokens.ts";
import { writeLetter } from "../../notifications/notify.ts";
import { batch } from "../../platform/db/client.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { RESET_TTL_MS } from "./password-reset.ts";

/**
 * Time in which a further request sends nothing: the link of the first is in the mailbox, and valid for as long again at least. So
 * at most four mails an hour are sent, and nobody's requests keep the owner from a valid link.
 */
export const RESET_MAIL_INTERVAL_MS = RESET_TTL_MS / 2;

/**
 * Mails a reset link to the address if it is the verified one of an active account; otherwise does nothing, with the same statements.
 * @param emailIndex the keyed index of the address
 */
export async function sendResetLink(call: Call, emailIndex: string): Promise<void> {
  const { db, keys, actor, now } = call;
  const [account] = await db.all<{ id: string }>(sql`SELECT id FROM users
    WHERE email_index = ${emailIndex} AND active = 1 AND email_verified_at IS NOT NULL`);
  const id = uuidv7();
  const tokenHash = await hashOneTimeToken(keys, "password_reset", await deriveOneTimeToken(keys, "password_reset", id));
  const userId = account?.id ?? "";
  const outcome = account ? { entity: { type: "user", id: userId } } : ({ outcome: "denied", reason: "unknown_name" } as const);
  await batch(db, [
    // The address may have been changed, or the account disabled, since it was read.
    db.run(sql`INSERT INTO password_resets (token_hash, user_id, created_by, created_at, expires_at)
      SELECT ${tokenHash}, u.id, u.id, CAST(${now} AS INTEGER), CAST(${now + RESET_TTL_MS} AS INTEGER) FROM users u
      WHERE u.id = ${userId} AND u.email_index = ${emailIndex} AND u.active = 1 AND u.email_verified_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM password_resets r WHERE r.user_id = u.id AND r.created_by = u.id AND r.used_at IS NULL
          AND r.created_at > ${now - RESET_MAIL_INTERVAL_MS})`),
    writeLetter(db, actor, now, {
      kind: "letter.password_reset",
      targetId: id,
      userId,
      hospitalId: null,
      when: sql`EXISTS (SELECT 1 FROM password_resets WHERE token_hash = ${tokenHash})`,
    }),
    ...recordAuditEvent(db, actor, now, { event: "user.password_forgotten", action: "C", ...outcome }),
  ]);
}
