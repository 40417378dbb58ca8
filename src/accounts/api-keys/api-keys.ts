// API keys: credentials of a hospital's apps, with scopes, shown once, rotated with an overlap.

import { and, eq, gt, isNull, or, sql } from "drizzle-orm";
import { requireRole, withUser } from "../../access/access.ts";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { activeHospitalId, isInCallerHospital, resolveHospitalId } from "../../access/effective-role.ts";
import type { AppScope, Permission } from "../../access/permissions.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch, isConditionFailed } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { credentials, SELF_CARE_HOSPITAL_ID } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { DAY_MS, toIso, toIsoOrNull } from "../../platform/time.ts";
import { createCredentialToken } from "../sessions/credential-tokens.ts";

type CredentialRow = typeof credentials.$inferSelect;
const MAX_TTL_MS = 5 * 365 * DAY_MS;

function toApiKey(row: CredentialRow) {
  return {
    api_key_id: row.id,
    hospital_id: row.hospitalId,
    name: row.name,
    scopes: row.scopes.split(" "),
    created_by: row.createdBy,
    created_at: toIso(row.createdAt),
    expires_at: toIsoOrNull(row.expiresAt),
    last_used_at: toIsoOrNull(row.lastUsedAt),
    revoked_at: toIsoOrNull(row.revokedAt),
  };
}

/** The token is null on a replay: it was shown once and is not stored. */
export type ApiKeyWithToken = ReturnType<typeof toApiKey> & {
  token: string | null;
  replaces?: { api_key_id: string; expires_at: string | null };
};

function apiKeyEvent({ role }: UserEffectiveRole, hospitalId: string, id: string, event: string, action: "C" | "R" | "U" | "D") {
  return { event, action, role, hospitalId, entity: { type: "api_key", id } } as const;
}

/** `kind` is a literal, so that SQLite uses the partial index of API keys. */
const IS_API_KEY = sql`kind = 'app'`;

const authorUnlessFull = ({ createdBy, hospitalId }: CredentialRow) =>
  unlessFull(createdBy, ROW_LIMITS.apiKeys, sql`credentials WHERE ${IS_API_KEY} AND hospital_id = ${hospitalId}`);

/** Prepares the row of a new key and its secret, of which only a hash is stored. */
async function prepareApiKey(
  { keys, actor, now }: UserCall,
  attributes: Pick<CredentialRow, "hospitalId" | "name" | "scopes" | "expiresAt">,
) {
  const id = uuidv7();
  const { token, secretHash } = await createCredentialToken(keys, id, attributes.hospitalId);
  const defaults = { kind: "app", deviceId: null, lastUsedAt: null, revokedAt: null } as const;
  return {
    token,
    row: { ...defaults, ...attributes, id, secretHash, createdBy: actor.userId, createdAt: now } satisfies CredentialRow,
  };
}

export type NewApiKey = { name: string; scopes: AppScope[]; expires_at: number | null; hospital_id?: string | undefined };

/** @throws ApiError forbidden, not_found (another hospital), invalid_request, limit_reached */
export async function issueApiKey(anyCall: Call, input: NewApiKey, keyStatements: KeyStatements): Promise<ApiKeyWithToken> {
  const { call, effectiveRole } = await requireRole(anyCall, "api_key:manage");
  const { db, actor, now } = call;
  const { role } = effectiveRole;
  const hospitalId = resolveHospitalId(effectiveRole, input.hospital_id);
  if (!hospitalId) throw new ApiError("invalid_request", "hospital_id is required.");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE_HOSPITAL_ID) {
    return denyAccess(call, "api_key:manage", "not_found", {
      role,
      hospitalId,
      target: { hospital: input.hospital_id ?? hospitalId },
    });
  }
  const { name, expires_at: expiresAt } = input;
  if (expiresAt !== null && (expiresAt <= now || expiresAt > now + MAX_TTL_MS)) {
    throw new ApiError("invalid_request", "expires_at must be within the next five years.", {
      errors: [{ path: "expires_at", message: "Must be within the next five years", code: "out_of_range" }],
    });
  }
  const { row, token } = await prepareApiKey(call, { hospitalId, name, scopes: [...new Set(input.scopes)].join(" "), expiresAt });
  await batch(db, [
    ...keyStatements(row.id),
    db.insert(credentials).values({ ...row, hospitalId: activeHospitalId(hospitalId), createdBy: authorUnlessFull(row) }),
    ...recordAuditEvent(db, actor, now, {
      ...apiKeyEvent(effectiveRole, hospitalId, row.id, "api_key.issue", "C"),
      detail: { scopes: row.scopes },
    }),
  ]).catch((error: unknown) => {
    throw isConditionFailed(error, "credentials.hospital_id")
      ? new ApiError("not_found")
      : toLimitError(error, ROW_LIMITS.apiKeys);
  });
  return { ...toApiKey(row), token };
}

/** Fetches a key of a hospital that the caller manages, else records and throws not_found. */
async function requireApiKey(anyCall: Call, id: string, permission: Permission) {
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (effectiveRole, { db }) => [
    db
      .select()
      .from(credentials)
      .where(and(eq(credentials.id, id), eq(credentials.kind, "app"), isInCallerHospital(effectiveRole, credentials.hospitalId))),
  ]);
  const [row] = results[0];
  const { role, hospitalId } = effectiveRole;
  return {
    call,
    effectiveRole,
    row: row ?? (await denyAccess(call, permission, "not_found", { role, hospitalId, target: { api_key: id } })),
  };
}

/** Returns one key without its token. @throws ApiError not_found */
export async function getApiKey(anyCall: Call, id: string): Promise<ApiKeyWithToken> {
  const { call, effectiveRole, row } = await requireApiKey(anyCall, id, "api_key:read");
  await batch(
    call.db,
    recordAuditEvent(call.db, call.actor, call.now, apiKeyEvent(effectiveRole, row.hospitalId, id, "api_key.read", "R")),
  );
  return { ...toApiKey(row), token: null };
}

/** Lists all keys of a hospital, active and ended, newest first. */
export async function listApiKeys(anyCall: Call, query: PageQuery & { hospital_id?: string | undefined }) {
  const start = await resolvePageStart(anyCall, "api-keys", query);
  const { where, orderBy } = keysetClauses(start, credentials.createdAt, credentials.id);
  const { call, effectiveRole, results } = await withUser(anyCall, "api_key:read", (effectiveRole, { db }) => {
    const filter = and(
      IS_API_KEY,
      isInCallerHospital(effectiveRole, credentials.hospitalId),
      query.hospital_id ? eq(credentials.hospitalId, query.hospital_id) : undefined,
    );
    return [
      db
        .select()
        .from(credentials)
        .where(and(filter, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM credentials WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  if (effectiveRole.role !== "admin" && query.hospital_id && query.hospital_id !== effectiveRole.hospitalId) {
    const { role, hospitalId } = effectiveRole;
    return denyAccess(call, "api_key:read", "not_found", { role, hospitalId, target: { hospital: query.hospital_id } });
  }
  const [rows, [count]] = results;
  const key = (row: CredentialRow) => ({ value: row.createdAt, id: row.id });
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, { n: count?.n ?? 0, exact: false });
  const { role, hospitalId } = effectiveRole;
  const detail = { count: pageRows.length };
  await appendAuditEvent(call, { event: "api_key.list", action: "R", role, hospitalId, detail });
  return { items: pageRows.map(toApiKey), pagination };
}

/**
 * Creates a successor with the same name, scopes and expiry; the old key stays valid for `graceDays`. Rotating it again never
 * extends its validity.
 * @throws ApiError not_found, conflict (a key that is no longer valid), limit_reached
 */
export async function rotateApiKey(
  anyCall: Call,
  id: string,
  graceDays: number,
  keyStatements: KeyStatements,
): Promise<ApiKeyWithToken> {
  const { call, effectiveRole, row } = await requireApiKey(anyCall, id, "api_key:manage");
  const { db, actor, now } = call;
  const { row: successor, token } = await prepareApiKey(call, row);
  const graceEndsAt = now + graceDays * DAY_MS;
  const isActive = and(
    eq(credentials.id, id),
    isNull(credentials.revokedAt),
    or(isNull(credentials.expiresAt), gt(credentials.expiresAt, now)),
  );
  const expireOldKey = db
    .update(credentials)
    .set({ expiresAt: sql`min(coalesce(expires_at, ${graceEndsAt}), ${graceEndsAt})` })
    .where(isActive)
    .returning({ expiresAt: credentials.expiresAt });
  const event = { ...apiKeyEvent(effectiveRole, row.hospitalId, id, "api_key.rotate", "U"), detail: { next_id: successor.id } };
  try {
    const [[replaced]] = await batch(db, [
      expireOldKey,
      // NULL fails the batch when the old key is no longer valid: an ended key has no successor.
      db.insert(credentials).values({
        ...successor,
        id: sql`(SELECT ${successor.id} WHERE changes() > 0)`,
        createdBy: authorUnlessFull(successor),
      }),
      ...recordAuditEvent(db, actor, now, event),
      ...keyStatements(successor.id),
    ]);
    return {
      ...toApiKey(successor),
      token,
      replaces: { api_key_id: id, expires_at: toIsoOrNull(replaced?.expiresAt ?? null) },
    };
  } catch (error) {
    if (isConditionFailed(error, "credentials.id")) throw new ApiError("conflict", "The key has ended; create a new one.");
    throw toLimitError(error, ROW_LIMITS.apiKeys);
  }
}

/** Ends a key at once. @throws ApiError not_found when it does not exist or has ended */
export async function revokeApiKey(anyCall: Call, id: string): Promise<void> {
  const { call, effectiveRole, row } = await requireApiKey(anyCall, id, "api_key:manage");
  const { db, actor, now } = call;
  const revoke = db
    .update(credentials)
    .set({ revokedAt: now })
    .where(and(eq(credentials.id, id), isNull(credentials.revokedAt)))
    .returning({ id: credentials.id });
  const event = apiKeyEvent(effectiveRole, row.hospitalId, id, "api_key.revoke", "D");
  const [ended] = await batch(db, [revoke, ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` })]);
  const { role, hospitalId } = effectiveRole;
  if (ended.length === 0) await denyAccess(call, "api_key:manage", "not_found", { role, hospitalId, target: { api_key: id } });
}
