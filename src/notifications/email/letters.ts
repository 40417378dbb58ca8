// Mail with a link: its address and its token come from the row that the delivery names. A link that was used or has expired is not sent.
import { and, eq, gt, inArray, isNull } from "drizzle-orm";
import { unsealInvitee } from "../../access/invitees.ts";
import { unsealLinkAddress } from "../../access/link-addresses.ts";
import { buildLinkUrl, listOneTimeTokens, type OneTimeTokenKind, repeatOneTimeToken } from "../../access/one-time-tokens.ts";
import { unsealProfile } from "../../access/profile.ts";
import { emailLinks, hospitals, invitations, notificationSettings, passwordResets, users } from "../../platform/db/schema.ts";
import type { ChannelCall, Delivery } from "../channel.ts";
import { LETTER_KINDS, type LetterKind } from "../kinds.ts";
import type { TextLanguage } from "../texts/kind-text.ts";
import type { Envelope } from "./recipients.ts";

const LETTERS: ReadonlySet<string> = new Set(LETTER_KINDS);
export const isLetterKind = (kind: string): kind is LetterKind => LETTERS.has(kind);

type Letter = Pick<Delivery, "targetId" | "refs">;
const isLanguage = (value: unknown): value is TextLanguage => value === "en" || value === "hi";

/** Null when the key that the link was made under is not in the ring any more. */
async function buildPath({ keys }: ChannelCall, kind: OneTimeTokenKind, id: string, hash: string): Promise<string | null> {
  const token = await repeatOneTimeToken(keys, kind, id, hash);
  return token && buildLinkUrl("", kind, token);
}

async function readEmailLink(call: ChannelCall, kind: LetterKind, id: string): Promise<Envelope | null> {
  const { db, keys, now } = call;
  const purpose = kind === "letter.email_verification" ? "verify" : "change";
  // The former address is only notified: its row has no link that could be used.
  const isOpen =
    kind === "letter.email_changed"
      ? undefined
      : and(eq(emailLinks.purpose, purpose), isNull(emailLinks.usedAt), gt(emailLinks.expiresAt, now));
  const [row] = await db
    .select({
      id: emailLinks.id,
      tokenHash: emailLinks.tokenHash,
      addressSealed: emailLinks.addressSealed,
      language: notificationSettings.language,
      timeZone: notificationSettings.timeZone,
    })
    .from(emailLinks)
    .innerJoin(users, and(eq(users.id, emailLinks.userId), eq(users.active, 1)))
    .leftJoin(notificationSettings, eq(notificationSettings.userId, emailLinks.userId))
    .where(and(eq(emailLinks.id, id), isOpen));
  if (!row) return null;
  const token = kind === "letter.email_verification" ? "email_verification" : "email_change";
  const path = isOpen ? await buildPath(call, token, id, row.tokenHash) : null;
  if (isOpen && path === null) return null;
  return {
    address: await unsealLinkAddress(keys, row),
    path,
    language: row.language ?? "en",
    timeZone: row.timeZone,
  };
}

async function readPasswordReset(call: ChannelCall, id: string): Promise<Envelope | null> {
  const { db, keys, now } = call;
  const candidates = await listOneTimeTokens(keys, "password_reset", id);
  const [row] = await db
    .select({
      id: users.id,
      tokenHash: passwordResets.tokenHash,
      profileSealed: users.profileSealed,
      language: notificationSettings.language,
      timeZone: notificationSettings.timeZone,
    })
    .from(passwordResets)
    .innerJoin(users, and(eq(users.id, passwordResets.userId), eq(users.active, 1)))
    .leftJoin(notificationSettings, eq(notificationSettings.userId, users.id))
    .where(
      and(
        inArray(
          passwordResets.tokenHash,
          candidates.map(({ hash }) => hash),
        ),
        isNull(passwordResets.usedAt),
        gt(passwordResets.expiresAt, now),
      ),
    );
  const token = candidates.find(({ hash }) => hash === row?.tokenHash)?.token;
  if (!row || !token) return null;
  const { email } = await unsealProfile(keys, row);
  const path = buildLinkUrl("", "password_reset", token);
  return { address: email, path, language: row.language ?? "en", timeZone: row.timeZone };
}

async function readInvitation(call: ChannelCall, { targetId: id, refs }: Letter): Promise<Envelope | null> {
  const { db, keys, now } = call;
  const [row] = await db
    .select({
      id: invitations.id,
      tokenHash: invitations.tokenHash,
      inviteeSealed: invitations.inviteeSealed,
      timeZone: hospitals.timeZone,
    })
    .from(invitations)
    .innerJoin(hospitals, and(eq(hospitals.id, invitations.hospitalId), eq(hospitals.active, 1)))
    .where(
      and(eq(invitations.id, id), isNull(invitations.acceptedAt), isNull(invitations.revokedAt), gt(invitations.expiresAt, now)),
    );
  const path = row && (await buildPath(call, "invitation", id, row.tokenHash));
  if (!row || !path) return null;
  const { email } = await unsealInvitee(keys, row);
  // Somebody without an account has chosen no language: the inviting person's, if the letter names it.
  const language = isLanguage(refs["language"]) ? refs["language"] : "en";
  return { address: email, path, language, timeZone: row.timeZone };
}

/** Null when the link is used, revoked or expired. @throws ApiError integrity_error */
export function readLetter(call: ChannelCall, kind: LetterKind, letter: Letter): Promise<Envelope | null> {
  switch (kind) {
    case "letter.email_verification":
    case "letter.email_change":
    case "letter.email_changed":
      return readEmailLink(call, kind, letter.targetId);
    case "letter.password_reset":
      return readPasswordReset(call, letter.targetId);
    case "letter.invitation":
      return readInvitation(call, letter);
  }
}
