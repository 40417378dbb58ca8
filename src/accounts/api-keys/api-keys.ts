// API keys: credentials of a hospital's programs, with scopes, shown once, rotated with an overlap.
import { and, eq, gt, isNull, or, sql } from "drizzle-orm";
import { asCaller, requireRole } from "../../access/access.ts";
import type { Call, UserCall, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import type { Action, APP_SCOPES } from "../../access/roles.ts";
import { openHospital } from "../../access/standing.ts";
import type { Taking } from "../../http/idempotency.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../../http/pagination.ts";
import { DAY_MS } from "../../platform/counters.ts";
import { batch, isUnmet } from "../../platform/db/client.ts";
import { credentials, SELF_CARE } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { newMachineToken } from "../sessions/machine-tokens.ts";

export type Scope = (typeof APP_SCOPES)[number];
type Row = typeof credentials.$inferSelect;
const MAX_LIFE_MS = 5 * 365 * DAY_MS;

const iso = (time: number) => new Date(time).toISOString();
const isoOrNull = (time: number | null) => (time === null ? null : iso(time));

function toKey(row: Row) {
  return {
    api_key_id: row.id,
    hospital_id: row.hospitalId,
    name: row.name,
    scopes: row.scopes.split(" "),
    created_by: row.createdBy,
    created_at: iso(row.createdAt),
    expires_at: isoOrNull(row.expiresAt),
    last_used_at: isoOrNull(row.lastUsedAt),
    revoked_at: isoOrNull(row.revokedAt),
  };
}

/** The token is null for a key that was made before: it was shown then and is kept nowhere. */
export type ShownKey = ReturnType<typeof toKey> & {
  token: string | null;
  replaces?: { api_key_id: string; expires_at: string | null };
};

function keyEvent({ role }: UserStanding, hospitalId: string, id: string, event: string, action: "C" | "R" | "U" | "D") {
  return { event, action, role, hospitalId, entity: { type: "api_key", id } } as const;
}

/** The row of a new key and its secret, which is kept as a hash alone. */
async function newKey({ keys, actor, now }: UserCall, about: Pick<Row, "hospitalId" | "name" | "scopes" | "expiresAt">) {
  const id = uuidv7();
  const { token, secretHash } = await newMachineToken(keys, id, about.hospitalId);
  const blank = { kind: "app", deviceId: null, lastUsedAt: null, revokedAt: null } as const;
  return { token, row: { ...blank, ...about, id, secretHash, createdBy: actor.userId, createdAt: now } satisfies Row };
}

export type NewKey = { name: string; scopes: Scope[]; expires_at: number | null; hospital_id?: string | undefined };

/** @throws ApiError forbidden, not_found (another hospital), invalid_request */
export async function issueKey(anyCall: Call, input: NewKey, taking: Taking): Promise<ShownKey> {
  const { call, standing } = await requireRole(anyCall, "api_key:manage");
  const { db, actor, now } = call;
  const { role } = standing;
  const hospitalId = role === "admin" ? input.hospital_id : standing.hospitalId;
  if (!hospitalId) throw new ApiError("invalid_request", "Name hospital_id.");
  if ((input.hospital_id && input.hospital_id !== hospitalId) || hospitalId === SELF_CARE) {
    return refuse(call, "api_key:manage", "not_found", {
      role,
      hospitalId,
      target: { hospital: input.hospital_id ?? hospitalId },
    });
  }
  const { name, expires_at: expiresAt } = input;
  if (expiresAt !== null && (expiresAt <= now || expiresAt > now + MAX_LIFE_MS)) {
    throw new ApiError("invalid_request", "expires_at lies in the past or more than five years ahead.", {
      errors: [{ path: "expires_at", message: "From now to five years ahead", code: "out_of_range" }],
    });
  }
  const { row, token } = await newKey(call, { hospitalId, name, scopes: [...new Set(input.scopes)].join(" "), expiresAt });
  await batch(db, [
    ...taking(row.id),
    db.insert(credentials).values({ ...row, hospitalId: openHospital(hospitalId) }),
    ...audit(db, actor, now, { ...keyEvent(standing, hospitalId, row.id, "api_key.issue", "C"), detail: { scopes: row.scopes } }),
  ]).catch((error: unknown) => {
    throw isUnmet(error, "credentials.hospital_id") ? new ApiError("not_found") : error;
  });
  return { ...toKey(row), token };
}

/** The key with that id at a hospital that the caller manages, or 404 after its trace. */
async function ownKey(anyCall: Call, id: string, action: Action) {
  const { call, standing, results } = await asCaller(anyCall, action, (standing, { db }) => [
    db
      .select()
      .from(credentials)
      .where(
        and(
          eq(credentials.id, id),
          eq(credentials.kind, "app"),
          standing.role === "admin" ? undefined : eq(credentials.hospitalId, standing.hospitalId ?? ""),
        ),
      ),
  ]);
  const [row] = results[0];
  const { role, hospitalId } = standing;
  return { call, standing, row: row ?? (await refuse(call, action, "not_found", { role, hospitalId, target: { api_key: id } })) };
}

/** One key; its token was shown when it was made. @throws ApiError not_found */
export async function getKey(anyCall: Call, id: string): Promise<ShownKey> {
  const { call, standing, row } = await ownKey(anyCall, id, "api_key:read");
  await batch(call.db, audit(call.db, call.actor, call.now, keyEvent(standing, row.hospitalId, id, "api_key.read", "R")));
  return { ...toKey(row), token: null };
}

/** Every key a hospital ever had, newest first. */
export async function listKeys(anyCall: Call, query: PageQuery & { hospital_id?: string | undefined }) {
  const start = await startOf(anyCall, "api-keys", query);
  const { where, orderBy } = keyset(start, credentials.createdAt, credentials.id);
  const { call, standing, results } = await asCaller(anyCall, "api_key:read", (standing, { db }) => {
    const wanted = standing.role === "admin" ? query.hospital_id : (standing.hospitalId ?? "");
    const filter = and(eq(credentials.kind, "app"), wanted === undefined ? undefined : eq(credentials.hospitalId, wanted));
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
  const { db, actor, now } = call;
  if (standing.role !== "admin" && query.hospital_id && query.hospital_id !== standing.hospitalId) {
    const { role, hospitalId } = standing;
    return refuse(call, "api_key:read", "not_found", { role, hospitalId, target: { hospital: query.hospital_id } });
  }
  const [rows, [count]] = results;
  const key = (row: Row) => ({ value: row.createdAt, id: row.id });
  const { rows: kept, pagination } = await toPage(start, rows, key, { n: count?.n ?? 0, exact: false });
  const { role, hospitalId } = standing;
  const detail = { count: kept.length };
  await batch(db, audit(db, actor, now, { event: "api_key.list", action: "R", role, hospitalId, detail }));
  return { items: kept.map(toKey), pagination };
}

/**
 * A successor with the same name, scopes and end; the old key goes on for `graceDays`, so that programs can be changed one
 * by one. Rotating an old key again ends it no later than it would.
 * @throws ApiError not_found, conflict (a key that no longer works)
 */
export async function rotateKey(anyCall: Call, id: string, graceDays: number, taking: Taking): Promise<ShownKey> {
  const { call, standing, row } = await ownKey(anyCall, id, "api_key:manage");
  const { db, actor, now } = call;
  const { row: next, token } = await newKey(call, row);
  const ends = now + graceDays * DAY_MS;
  const works = and(
    eq(credentials.id, id),
    isNull(credentials.revokedAt),
    or(isNull(credentials.expiresAt), gt(credentials.expiresAt, now)),
  );
  const old = db
    .update(credentials)
    .set({ expiresAt: sql`min(coalesce(expires_at, ${ends}), ${ends})` })
    .where(works)
    .returning({ expiresAt: credentials.expiresAt });
  const event = { ...keyEvent(standing, row.hospitalId, id, "api_key.rotate", "U"), detail: { next_id: next.id } };
  try {
    const [[kept]] = await batch(db, [
      old,
      // Without its id the batch fails: the old key works no more, and an ended key has no successor.
      db.insert(credentials).values({ ...next, id: sql`(SELECT ${next.id} WHERE changes() > 0)` }),
      ...audit(db, actor, now, event),
      ...taking(next.id),
    ]);
    return { ...toKey(next), token, replaces: { api_key_id: id, expires_at: isoOrNull(kept?.expiresAt ?? null) } };
  } catch (error) {
    throw isUnmet(error, "credentials.id") ? new ApiError("conflict", "The key has ended; make a new one.") : error;
  }
}

/** Ends a key: its next request is refused. @throws ApiError not_found for one that is not there or has ended */
export async function revokeKey(anyCall: Call, id: string): Promise<void> {
  const { call, standing, row } = await ownKey(anyCall, id, "api_key:manage");
  const { db, actor, now } = call;
  const end = db
    .update(credentials)
    .set({ revokedAt: now })
    .where(and(eq(credentials.id, id), isNull(credentials.revokedAt)))
    .returning({ id: credentials.id });
  const event = keyEvent(standing, row.hospitalId, id, "api_key.revoke", "D");
  const [ended] = await batch(db, [end, ...audit(db, actor, now, { ...event, when: sql`changes() > 0` })]);
  const { role, hospitalId } = standing;
  if (ended.length === 0) await refuse(call, "api_key:manage", "not_found", { role, hospitalId, target: { api_key: id } });
}
