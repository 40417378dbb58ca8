// Users and apps with valid tokens, created without a login: a password hash takes a quarter of a second.
import type { Call, UserEffectiveRole } from "../src/access/actor.ts";
import { APP_SCOPES } from "../src/access/permissions.ts";
import { signAccessToken } from "../src/accounts/sessions/access-tokens.ts";
import { createCredentialToken } from "../src/accounts/sessions/credential-tokens.ts";
import { prepareSession } from "../src/accounts/sessions/sessions.ts";
import { createAuditLogs } from "../src/audit-log/audit-logs.ts";
import { getKeys } from "../src/platform/config.ts";
import { batch, getDb } from "../src/platform/db/client.ts";
import { credentials, memberships, users } from "../src/platform/db/schema.ts";
import { uuidv7 } from "../src/platform/ids.ts";

const via = { requestId: "bench", ip: null };

async function systemCall(env: Env): Promise<Call> {
  return {
    db: getDb(env.DB),
    keys: await getKeys(env),
    actor: { kind: "system", name: "bench", via },
    now: Date.now(),
    auditLog: createAuditLogs(env),
  };
}

export async function createUser(env: Env, effectiveRole: UserEffectiveRole): Promise<{ id: string; token: string }> {
  const call = await systemCall(env);
  const id = uuidv7();
  await call.db.insert(users).values({
    id,
    emailIndex: id,
    profileSealed: "-",
    passwordHash: "-",
    passwordChangedAt: 0,
    isAdmin: effectiveRole.role === "admin" ? 1 : 0,
    createdAt: 0,
    updatedAt: 0,
  });
  const { role, hospitalId } = effectiveRole;
  if (hospitalId && (role === "nurse" || role === "doctor" || role === "hospital_admin")) {
    await call.db.insert(memberships).values({ userId: id, hospitalId, role, createdBy: "bench", createdAt: 0 });
  }
  const session = await prepareSession(call, id, effectiveRole, { user_agent: null, ip: null });
  await batch(call.db, session.statements);
  const claims = { userId: id, sessionId: session.id, claimedRole: effectiveRole };
  return { id, token: await signAccessToken(env, call.keys.jwt, claims, call.now) };
}

/** An app with every scope. @returns its token */
export async function createApp(env: Env, hospitalId: string): Promise<string> {
  const { db, keys, now } = await systemCall(env);
  const id = uuidv7();
  const { token, secretHash } = await createCredentialToken(keys, id, hospitalId);
  const scopes = APP_SCOPES.join(" ");
  const row = { id, kind: "app" as const, hospitalId, name: "bench", secretHash, scopes, createdBy: "bench", createdAt: now };
  await db.insert(credentials).values(row);
  return token;
}
