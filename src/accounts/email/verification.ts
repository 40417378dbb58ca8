// Verification of an account's e-mail address, and redemption of the links that were sent to addresses.
import { and, eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { unsealLinkAddress } from "../../access/link-addresses.ts";
import { hashOneTimeToken } from "../../access/one-time-tokens.ts";
import { sealProfile, unsealProfile } from "../../access/profile.ts";
import { batch, isUniqueViolation } from "../../platform/db/client.ts";
import { users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { DAY_MS } from "../../platform/time.ts";
import {
  addressChangedStatements,
  isWithinLinkLimits,
  type LinkPurpose,
  prepareEmailLink,
  secondsUntilNextLink,
  tokenKindOf,
} from "./email-links.ts";

/**
 * Sends another link to the unverified address of the caller's account.
 * @throws ApiError conflict (verified already), rate_limited
 */
export async function resendVerification(anyCall: Call): Promise<void> {
  const { call, effectiveRole, results } = await withUser(anyCall, "self:write", (_, { db, actor }) => [
    db
      .select({ id: users.id, profileSealed: users.profileSealed, emailVerifiedAt: users.emailVerifiedAt })
      .from(users)
      .where(eq(users.id, actor.userId)),
  ]);
  const [[account]] = results;
  if (!account) throw new ApiError("unauthenticated");
  const { db, keys, actor, now } = call;
  const { role, hospitalId } = effectiveRole;
  const entity = { type: "user", id: actor.userId };
  const event = { event: "user.email_verification", action: "C", role, hospitalId, entity } as const;
  if (account.emailVerifiedAt !== null) return failWithAudit(call, "conflict", event, "The address is verified.");
  const { email } = await unsealProfile(keys, account);
  const when = isWithinLinkLimits(actor.userId, "verify", now);
  const { id, statements } = await prepareEmailLink(call, { userId: actor.userId, email, purpose: "verify", when });
  await runWithinLimits(call, "verify", id, [
    ...statements,
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`EXISTS (SELECT 1 FROM email_links WHERE id = ${id})` }),
  ]);
}

type SentLink = { id: string; created_at: number };

/** Runs the statements of a link that limits apply to. @throws ApiError rate_limited with Retry-After, if it was not written */
export async function runWithinLimits(
  { db, actor, now }: Call & { actor: { userId: string } },
  purpose: LinkPurpose,
  id: string,
  statements: Parameters<typeof batch>[1],
): Promise<void> {
  const sent = db.all<SentLink>(sql`SELECT id, created_at FROM email_links WHERE user_id = ${actor.userId}
    AND purpose = ${purpose} AND created_at > ${now - DAY_MS} ORDER BY created_at DESC`);
  const results: readonly unknown[] = await batch(db, [...statements, sent]);
  const links = results.at(-1) as SentLink[];
  if (links.some((link) => link.id === id)) return;
  const seconds = secondsUntilNextLink(
    links.map(({ created_at }) => created_at),
    now,
  );
  throw new ApiError("rate_limited", undefined, { headers: { "Retry-After": String(seconds) } });
}

type OpenLink = {
  id: string;
  userId: string;
  emailIndex: string;
  addressSealed: string;
  profileSealed: string;
  accountIndex: string;
  emailVerifiedAt: number | null;
  version: number;
};

const isOpen = (id: string, now: number) =>
  sql`EXISTS (SELECT 1 FROM email_links l WHERE l.id = ${id} AND l.used_at IS NULL AND l.expires_at > ${now})`;

function selectOpenLink({ db, now }: Call, purpose: LinkPurpose, tokenHash: string) {
  return db.all<OpenLink>(sql`SELECT l.id AS id, l.user_id AS userId, l.email_index AS emailIndex,
      l.address_sealed AS addressSealed, u.profile_sealed AS profileSealed, u.email_index AS accountIndex,
      u.email_verified_at AS emailVerifiedAt, u.version AS version
    FROM email_links l JOIN users u ON u.id = l.user_id AND u.active = 1
    WHERE l.token_hash = ${tokenHash} AND l.purpose = ${purpose} AND l.used_at IS NULL AND l.expires_at > ${now}`);
}

const eventOf = (purpose: LinkPurpose) =>
  ({ event: purpose === "verify" ? "user.email_verify" : "user.email_change", action: "U" }) as const;

/** The same answer to every link that is not valid; the reason is in the audit log. */
async function denyLink(
  call: Call,
  purpose: LinkPurpose,
  reason: "link_invalid" | "already_exists",
  link?: OpenLink,
): Promise<never> {
  const entity = link && { type: "user", id: link.userId };
  const event = { ...eventOf(purpose), outcome: "denied", reason, ...(entity && { entity }) } as const;
  await batch(call.db, recordAuditEvent(call.db, call.actor, call.now, event));
  throw new ApiError("link_invalid");
}

/**
 * Verifies the address that a link was sent to; the account moves to it if the link is one of a change. Sessions go on.
 * @throws ApiError link_invalid (unknown, used, expired, of another address by now, or the address belongs to another account by now)
 */
export async function redeemEmailLink(call: Call, token: string): Promise<void> {
  const purpose: LinkPurpose = token.startsWith("ece_") ? "change" : "verify";
  const tokenHash = await hashOneTimeToken(call.keys, tokenKindOf(purpose), token);
  // A change of the profile at the same time moves its version: the second reading sees it.
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const [link] = await selectOpenLink(call, purpose, tokenHash);
    if (!link) return denyLink(call, purpose, "link_invalid");
    if (await (purpose === "verify" ? verifyAddress(call, link) : moveAccount(call, link))) return;
  }
  return denyLink(call, purpose, "link_invalid");
}

const MAX_ATTEMPTS = 3;

async function verifyAddress(call: Call, { id, userId, emailIndex }: OpenLink): Promise<boolean> {
  const { db, actor, now } = call;
  const [verified] = await batch(db, [
    db
      .update(users)
      .set({ emailVerifiedAt: now })
      .where(and(eq(users.id, userId), eq(users.emailIndex, emailIndex), eq(users.active, 1), isOpen(id, now)))
      .returning({ id: users.id }),
    db.run(sql`UPDATE email_links SET used_at = CAST(${now} AS INTEGER)
      WHERE user_id = ${userId} AND purpose = 'verify' AND used_at IS NULL AND changes() > 0`),
    ...recordAuditEvent(db, actor, now, {
      ...eventOf("verify"),
      entity: { type: "user", id: userId },
      when: sql`changes() > 0`,
    }),
  ]);
  return verified.length > 0;
}

async function moveAccount(call: Call, link: OpenLink): Promise<boolean> {
  const { db, keys, actor, now } = call;
  const { id, userId, emailIndex } = link;
  const profile = await unsealProfile(keys, { id: userId, profileSealed: link.profileSealed });
  const email = await unsealLinkAddress(keys, link);
  const profileSealed = await sealProfile(keys, userId, { ...profile, email });
  // The nonce makes the sealed value unique to this call.
  const when = sql`EXISTS (SELECT 1 FROM users WHERE id = ${userId} AND profile_sealed = ${profileSealed})`;
  const former = link.emailVerifiedAt === null ? null : profile.email;
  const moved = await batch(db, [
    db
      .update(users)
      .set({ profileSealed, emailIndex, emailVerifiedAt: now, updatedAt: now, version: link.version + 1 })
      .where(and(eq(users.id, userId), eq(users.version, link.version), eq(users.active, 1), isOpen(id, now)))
      .returning({ id: users.id }),
    ...recordAuditEvent(db, actor, now, { ...eventOf("change"), entity: { type: "user", id: userId }, when }),
    ...(await addressChangedStatements(call, { userId, former, when })),
  ]).catch((error: unknown) => {
    if (isUniqueViolation(error, "users.email_index")) return denyLink(call, "change", "already_exists", link);
    throw error;
  });
  const [rows] = moved;
  return (rows as unknown[]).length > 0;
}
