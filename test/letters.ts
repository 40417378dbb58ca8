// What the service has written for the mail service, and the links of these letters.
import { deriveOneTimeToken, type OneTimeTokenKind } from "../src/access/one-time-tokens.ts";
import type { LetterKind } from "../src/notifications/kinds.ts";
import { getKeys } from "../src/platform/config.ts";
import { env } from "./world.ts";

const TOKEN_KINDS: Partial<Record<LetterKind, OneTimeTokenKind>> = {
  "letter.email_verification": "email_verification",
  "letter.email_change": "email_change",
  "letter.password_reset": "password_reset",
  "letter.invitation": "invitation",
};

/** Ids of the rows that letters of a kind to a person are about, oldest first. */
export async function listLetters(userId: string, kind: LetterKind): Promise<string[]> {
  const query = env.DB.prepare("SELECT target_id AS id FROM deliveries WHERE user_id = ? AND kind = ? ORDER BY id");
  return (await query.bind(userId, kind).all<{ id: string }>()).results.map(({ id }) => id);
}

/** The token of the newest letter of a kind. */
export async function readToken(userId: string, kind: LetterKind): Promise<string> {
  const id = (await listLetters(userId, kind)).at(-1);
  const tokenKind = TOKEN_KINDS[kind];
  if (id === undefined || tokenKind === undefined) throw new Error(`no ${kind} with a link was written for ${userId}`);
  return deriveOneTimeToken(await getKeys(env), tokenKind, id);
}

/** Kinds of the person's notifications, newest first. */
export async function listNotices(userId: string): Promise<string[]> {
  const query = env.DB.prepare("SELECT kind FROM notifications WHERE user_id = ? ORDER BY id DESC");
  return (await query.bind(userId).all<{ kind: string }>()).results.map(({ kind }) => kind);
}

export async function setVerified(userId: string, at: number | null = Date.now()): Promise<void> {
  await env.DB.prepare("UPDATE users SET email_verified_at = ? WHERE id = ?").bind(at, userId).run();
}
