// Sign-ins from a browser that the person never used, which are told to them.

import { type SQL, sql } from "drizzle-orm";
import type { Context } from "hono";
import { z } from "zod";
import type { AppEnv } from "../../http/router.ts";
import { clientKind } from "./client-names.ts";
import { accountName, findKnownBrowser } from "./known-browser.ts";
import { readSessionClient, type SessionClient } from "./sessions.ts";

/** Sessions of the account that a client without cookies is compared with, newest first. */
const COMPARED_SESSIONS = 20;
const RecentSessions = z.array(z.object({ id: z.string(), clientSealed: z.string() }));

/** SQL of the sessions, ended ones too, that `isNewBrowser()` needs of the account `u`: JSON. */
export const selectRecentSessions = (transport: "json" | "cookie"): SQL => sql`(SELECT
  json_group_array(json_object('id', id, 'clientSealed', client_sealed)) FROM (SELECT id, client_sealed FROM sessions
    WHERE user_id = u.id ORDER BY created_at DESC, id DESC LIMIT ${transport === "cookie" ? 1 : COMPARED_SESSIONS}))`;

/**
 * Whether to tell a person of a sign-in. Not of the first of an account. A browser is known by its cookie; a client that keeps no
 * cookie by its User-Agent header without versions among the last 20 sessions, which anybody who knows it can send.
 * @param nameIndex the keyed index of the name that was signed in with: cookies of older releases have no tag of the account
 */
export async function isNewBrowser(
  c: Context<AppEnv>,
  transport: "json" | "cookie",
  account: { id: string; recent_sessions: string },
  nameIndex: string,
  client: SessionClient,
): Promise<boolean> {
  const recent = RecentSessions.parse(JSON.parse(account.recent_sessions));
  if (recent.length === 0) return false;
  if (transport === "cookie") {
    const known = (await findKnownBrowser(c, accountName(account.id))) ?? (await findKnownBrowser(c, nameIndex));
    return known === null;
  }
  const kind = clientKind(client.user_agent);
  const { keys } = c.get("call");
  const clients = await Promise.all(recent.map((row) => readSessionClient(keys, row)));
  return clients.every(({ user_agent }) => clientKind(user_agent) !== kind);
}
