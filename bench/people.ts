// People and programs with live tokens, made without a login: a hash costs a quarter of a second.
import type { Call, UserStanding } from "../src/access/actor.ts";
import { APP_SCOPES } from "../src/access/roles.ts";
import { newMachineToken } from "../src/accounts/sessions/machine-tokens.ts";
import { newSession } from "../src/accounts/sessions/sessions.ts";
import { signAccessToken } from "../src/accounts/sessions/tokens.ts";
import { keysOf } from "../src/platform/config.ts";
import { batch, database } from "../src/platform/db/client.ts";
import { credentials, memberships, users } from "../src/platform/db/schema.ts";
import { uuidv7 } from "../src/platform/ids.ts";

const via = { requestId: "bench", ip: null };

async function systemCall(env: Env): Promise<Call> {
  return { db: database(env.DB), keys: await keysOf(env), actor: { kind: "system", name: "bench", via }, now: Date.now() };
}

export async function newUser(env: Env, standing: UserStanding): Promise<{ id: string; token: string }> {
  const call = await systemCall(env);
  const id = uuidv7();
  await call.db.insert(users).values({
    id,
    emailIndex: id,
    profileSealed: "-",
    passwordHash: "-",
    passwordChangedAt: 0,
    isAdmin: standing.role === "admin" ? 1 : 0,
    createdAt: 0,
    updatedAt: 0,
  });
  const { role, hospitalId } = standing;
  if (hospitalId && (role === "nurse" || role === "doctor" || role === "hospital_admin")) {
    await call.db.insert(memberships).values({ userId: id, hospitalId, role, createdBy: "bench", createdAt: 0 });
  }
  const session = await newSession(call, id, standing, { user_agent: null, ip: null });
  await batch(call.db, session.statements);
  const claims = { userId: id, sessionId: session.id, claimed: standing };
  return { id, token: await signAccessToken(env, call.keys.jwt, claims, call.now) };
}

/** An app with every scope. @returns its token */
export async function newApp(env: Env, hospitalId: string): Promise<string> {
  const { db, keys, now } = await systemCall(env);
  const id = uuidv7();
  const { token, secretHash } = await newMachineToken(keys, id, hospitalId);
  const scopes = APP_SCOPES.join(" ");
  const row = { id, kind: "app" as const, hospitalId, name: "bench", secretHash, scopes, createdBy: "bench", createdAt: now };
  await db.insert(credentials).values(row);
  return token;
}
