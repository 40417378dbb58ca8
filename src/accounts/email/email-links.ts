// Links that are sent to an e-mail address: to verify it, to move an account to it, and the notice to the former one.
import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { sealLinkAddress } from "../../access/link-addresses.ts";
import { deriveOneTimeToken, hashOneTimeToken, type OneTimeTokenKind } from "../../access/one-time-tokens.ts";
import type { LetterKind } from "../../notifications/kinds.ts";
import { notify, writeLetter } from "../../notifications/notify.ts";
import type { Statement } from "../../platform/db/client.ts";
import { firstIdAt, uuidv7 } from "../../platform/ids.ts";
import { DAY_MS } from "../../platform/time.ts";
import { computeEmailIndex } from "../auth/login-names.ts";

export const EMAIL_LINK_TTL_MS = DAY_MS;
/** After the end of its validity: a mail that waits for the mail service still finds its address. */
export const EMAIL_LINK_KEPT_MS = 2 * DAY_MS;
/** Links per account, purpose and 24 hours that the account's owner can ask for. */
export const MAX_LINKS_PER_DAY = 5;
/** Mails of changes per new address and 24 hours. */
export const MAX_CHANGES_PER_ADDRESS = 5;
export const MIN_LINK_INTERVAL_MS = 60_000;

export type LinkPurpose = "verify" | "change";
const KINDS = {
  verify: { token: "email_verification", letter: "letter.email_verification" },
  change: { token: "email_change", letter: "letter.email_change" },
  /** Sent with no link: its row only holds the address until the mail is delivered. */
  former: { token: "email_change", letter: "letter.email_changed" },
} as const satisfies Record<LinkPurpose | "former", { token: OneTimeTokenKind; letter: LetterKind }>;

export const tokenKindOf = (purpose: LinkPurpose): OneTimeTokenKind => KINDS[purpose].token;

type NewLink = {
  userId: string;
  email: string;
  purpose: keyof typeof KINDS;
  /** Nothing is written unless this holds. */
  when?: SQL;
  /** The row is written, and no mail, unless this holds. */
  sendWhen?: SQL;
};

/** Statements that write a link with its mail, for the batch of what causes it. @returns also the id of the row */
export async function prepareEmailLink(call: Call, link: NewLink): Promise<{ id: string; statements: Statement[] }> {
  const { db, keys, actor, now } = call;
  const { userId, email, purpose, when = sql`1`, sendWhen = sql`1` } = link;
  const id = uuidv7();
  const { token: kind, letter } = KINDS[purpose];
  const tokenHash = await hashOneTimeToken(keys, kind, await deriveOneTimeToken(keys, kind, id));
  const usedAt = purpose === "former" ? sql`CAST(${now} AS INTEGER)` : sql`NULL`;
  const exists = sql`EXISTS (SELECT 1 FROM email_links WHERE id = ${id})`;
  return {
    id,
    statements: [
      db.run(sql`INSERT INTO email_links
          (id, token_hash, user_id, purpose, email_index, address_sealed, created_at, expires_at, used_at)
        SELECT ${id}, ${tokenHash}, ${userId}, ${purpose}, ${await computeEmailIndex(keys, email)},
          ${await sealLinkAddress(keys, id, email)}, CAST(${now} AS INTEGER), CAST(${now + EMAIL_LINK_TTL_MS} AS INTEGER), ${usedAt}
        WHERE ${when}`),
      writeLetter(db, actor, now, {
        kind: letter,
        targetId: id,
        userId,
        hospitalId: null,
        when: sql`${exists} AND ${sendWhen}`,
      }),
    ],
  };
}

/** Statements that send a link to the unverified address of an account. */
export async function verificationStatements(call: Call, userId: string, email: string, when?: SQL): Promise<Statement[]> {
  return (await prepareEmailLink(call, { userId, email, purpose: "verify", ...(when && { when }) })).statements;
}

/** What of the account's owner limits a further link: true of the SQL that inserts it. */
export function isWithinLinkLimits(userId: string, purpose: LinkPurpose, now: number): SQL {
  const sent = sql`email_links l WHERE l.user_id = ${userId} AND l.purpose = ${purpose}`;
  return sql`((SELECT count(*) FROM ${sent} AND l.created_at > ${now - DAY_MS}) < ${MAX_LINKS_PER_DAY}
    AND NOT EXISTS (SELECT 1 FROM ${sent} AND l.created_at > ${now - MIN_LINK_INTERVAL_MS}))`;
}

/** True while few links of changes were written for the address, whoever asked: nobody is flooded through several accounts. */
export function isWithinAddressLimit(emailIndex: string, now: number): SQL {
  // An id begins with its time, and is part of the index.
  return sql`(SELECT count(*) FROM email_links l WHERE l.id >= ${firstIdAt(now - DAY_MS)}
    AND l.email_index = ${emailIndex} AND l.purpose = 'change') <= ${MAX_CHANGES_PER_ADDRESS}`;
}

/** Seconds until a further link may be asked for. @param sentAt times of the links of the last 24 hours, newest first */
export function secondsUntilNextLink(sentAt: readonly number[], now: number): number {
  const oldestCounted = sentAt[MAX_LINKS_PER_DAY - 1];
  const [newest = 0] = sentAt;
  const freeAt = Math.max(newest + MIN_LINK_INTERVAL_MS, oldestCounted === undefined ? 0 : oldestCounted + DAY_MS);
  return Math.max(1, Math.ceil((freeAt - now) / 1000));
}

/**
 * Statements that follow a change of the address: links to the former one end, it is told, and so is the person.
 * @param former null when it was never verified: nothing else is sent to such an address
 */
export async function addressChangedStatements(
  call: Call,
  { userId, former, when }: { userId: string; former: string | null; when: SQL },
): Promise<Statement[]> {
  const { db, actor, now } = call;
  const letter =
    former === null ? [] : (await prepareEmailLink(call, { userId, email: former, purpose: "former", when })).statements;
  return [
    db.run(sql`UPDATE email_links SET used_at = CAST(${now} AS INTEGER)
      WHERE user_id = ${userId} AND used_at IS NULL AND ${when}`),
    db.run(sql`UPDATE password_resets SET used_at = CAST(${now} AS INTEGER)
      WHERE user_id = ${userId} AND used_at IS NULL AND ${when}`),
    ...letter,
    ...notify(db, actor, now, {
      kind: "account.email_changed",
      hospitalId: null,
      refs: {},
      recipients: sql`SELECT ${userId}`,
      when,
    }),
  ];
}

/** Ends links that would move the account to another address: its password was changed. */
export const endAddressChanges = ({ db, now }: Call, userId: string, when: SQL): Statement =>
  db.run(sql`UPDATE email_links SET used_at = CAST(${now} AS INTEGER)
    WHERE user_id = ${userId} AND purpose = 'change' AND used_at IS NULL AND ${when}`);
