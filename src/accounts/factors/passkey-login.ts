// Sign-in with a passkey alone: possession and user verification are two factors. Two round trips to D1: account, session.
import { sql } from "drizzle-orm";
import type { Context } from "hono";
import type { Call } from "../../access/actor.ts";
import { limitPasskey } from "../../http/rate-limit.ts";
import type { AppEnv } from "../../http/router.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import {
  canLogIn,
  type LoginAccount,
  recordLoginEvent,
  type SessionTokens,
  selectAccount,
  startSession,
} from "../auth/start-session.ts";
import { accountName, rememberBrowser } from "../sessions/known-browser.ts";
import { type SignInClient, type Transport, toSignInClient } from "../sessions/new-browser.ts";
import type { SessionClient } from "../sessions/session-client.ts";
import { newCeremony } from "./ceremonies.ts";
import { toFactors } from "./factors.ts";
import { createAssertionOptions, findPasskeyProof, isUserHandle } from "./relying-party.ts";
import type { PasskeyAssertion } from "./schemas.ts";

/** Options for a sign-in of anybody: no name, no list of credentials, nothing stored. */
export async function createSignInOptions(c: Context<AppEnv>) {
  await limitPasskey(c);
  const { keys, now } = c.get("call");
  return createAssertionOptions(c.env, keys, newCeremony("sign_in", null, now), []);
}

/**
 * Signs in with a passkey.
 * @throws ApiError invalid_passkey (unknown, not verified, used challenge, disabled account alike), rate_limited
 */
export async function loginWithPasskey(
  c: Context<AppEnv>,
  response: PasskeyAssertion,
  transport: Transport,
  details: SessionClient,
): Promise<SessionTokens> {
  await limitPasskey(c);
  const call = c.get("call");
  const match = sql`u.id = (SELECT user_id FROM passkeys WHERE credential_id = ${response.id})`;
  const [[found]] = await batch(call.db, [selectAccount(call.db, match, transport)]);
  const client = toSignInClient(c, transport, details, found?.email_index ?? null);
  const session = await verify(c.env, call, found, response, client);
  if (found && transport === "cookie")
    await rememberBrowser(c, [found.email_index, accountName(found.id)], session.claimedRole.role !== "patient");
  return session;
}

async function verify(
  env: Env,
  call: Call,
  found: LoginAccount | undefined,
  response: PasskeyAssertion,
  client: SignInClient,
): Promise<SessionTokens> {
  const passkey = found && toFactors(found).passkeys.find(({ credentialId }) => credentialId === response.id);
  if (!found || !passkey || !isUserHandle(found.id, response.response.userHandle)) return reject(call, found, "unknown_passkey");
  const proof = await findPasskeyProof(env, call, { kind: "sign_in", userId: null }, passkey, response);
  if (!proof) return reject(call, found, "wrong_passkey");
  if (!canLogIn(found)) return reject(call, found, "disabled");
  try {
    return await startSession(call, found, client, { password: false, proof }, []);
  } catch (error) {
    if (!isUniqueViolation(error, "ceremonies") && !isConditionFailed(error, "sessions.user_id")) throw error;
    return reject(call, found, "changed_meanwhile");
  }
}

async function reject(call: Call, found: LoginAccount | undefined, reason: string): Promise<never> {
  await batch(call.db, recordLoginEvent(call, "login.failed", found, reason));
  throw new ApiError("invalid_passkey");
}
