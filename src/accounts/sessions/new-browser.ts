// Sign-ins from a browser that the person never used, which are told to them.

import { type SQL, sql } from "drizzle-orm";
import type { Context } from "hono";
import { z } from "zod";
import type { AppEnv } from "../../http/router.ts";
import { clientKind } from "../../platform/client-names.ts";
import { accountName, findKnownBrowser } from "./known-browser.ts";
import { readSessionClient, type SessionClient } from "./session-client.ts";

/** Sessions of the account that a client without cookies is compared with, newest first. */
const COMPARED_SESSIONS = 20;
const RecentSessions = z.array(z.object({ id: z.string(), clientSealed: z.string() }));

/** SQL of the sessions, ended ones too, that `isNewBrowser()` needs of the account `u`: JSON. */
export const selectRecentSessions = (transport: Transport): SQL => sql`(SELECT
  json_group_array(json_object('id', id, 'clientSealed', client_sealed)) FROM (SELECT id, client_sealed FROM sessions
    WHERE user_id = u.id ORDER BY created_at DESC, id DESC LIMIT ${transport === "cookie" ? 1 : COMPARED_SESSIONS}))`;

export type Transport = "json" | "cookie";
type SignedIn = { id: string; recent_sessions: string };

/** The client of a sign-in. `isNew`: whether the account was never used from it. */
export type SignInClient = { details: SessionClient; transport: Transport; isNew: (account: SignedIn) => Promise<boolean> };

/** @param nameIndex the keyed index of the name that was signed in with, if one was */
export const toSignInClient = (
  c: Context<AppEnv>,
  transport: Transport,
  details: SessionClient,
  nameIndex: string | null,
): SignInClient => ({
  details,
  transport,
  isNew: (account) => isNewBrowser(c, transport, account, nameIndex, details),
});

/**
 * Whether to tell a person of a sign-in. Not of the first of an account. A browser is known by its cookie; a client that keeps no
 * cookie by its User-Agent header without versions among the last 20 sessions, which anybody who knows it can send.
 * @param nameIndex cookies of older releases have a tag of the name and none of the account
 */
async function isNewBrowser(
  c: Context<AppEnv>,
  transport: Transport,
  account: SignedIn,
  nameIndex: string | null,
  client: SessionClient,
): Promise<boolean> {
  const recent = RecentSessions.parse(JSON.parse(account.recent_sessions));
  if (recent.length === 0) return false;
  if (transport === "cookie") {
    if (await findKnownBrowser(c, accountName(account.id))) return false;
    return nameIndex === null || (await findKnownBrowser(c, nameIndex)) === null;
  }
  const kind = clientKind(client.user_agent);
  const { keys } = c.get("call");
  // A damaged row must not keep anybody from signing in.
  const read = recent.map((row) => readSessionClient(keys, row).catch(() => ({ user_agent: null })));
  const clients = await Promise.all(read);
  return clients.every(({ user_agent }) => clientKind(user_agent) !== kind);
}
