// Idempotency keys: one effect per key. A replay has the same status and resource, rendered with the caller's current rights.

import { and, eq, lt } from "drizzle-orm";
import type { Context } from "hono";
import { type Call, getActorId } from "../access/actor.ts";
import { computeMac, sha256Hex, toBase64Url } from "../platform/crypto.ts";
import { type Db, isUniqueViolation, type Statement } from "../platform/db/client.ts";
import { idempotencyKeys } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { DAY_MS } from "../platform/time.ts";
import type { AppEnv } from "./router.ts";

export const IDEMPOTENCY_TTL_MS = DAY_MS;

/** The key of the request, or null without one. */
export type IdempotencyKey = { scope: string; keyHash: string } | null;
export type Replay = { resourceId: string; status: number };
/** `recordedAt`: when the first request with the key came, epoch milliseconds. */
type RecordedReplay = Replay & { recordedAt: number };
/** Returns the statements that record the key for a new resource. */
export type KeyStatements = (resourceId: string) => Statement[];

/** @param operation name shared by all routes of the same create operation  @throws ApiError invalid_idempotency_key */
export function readIdempotencyKey(c: Context<AppEnv>, operation: string): Promise<IdempotencyKey> {
  return parseIdempotencyKey(c.get("call"), operation, c.req.header("Idempotency-Key"));
}

/** Like `readIdempotencyKey`, for a key outside the header. */
export async function parseIdempotencyKey({ actor }: Call, operation: string, key: string | undefined): Promise<IdempotencyKey> {
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{8,128}$/.test(key)) {
    throw new ApiError("invalid_idempotency_key", "Idempotency-Key must be 8 to 128 printable ASCII characters.");
  }
  return { scope: `${getActorId(actor)} ${operation}`, keyHash: await sha256Hex(key) };
}

type IdempotencyKeyRow = typeof idempotencyKeys.$inferSelect;

/** The lookup statement, for use in a larger batch. */
export function selectIdempotencyKey({ db }: Call, idempotencyKey: IdempotencyKey) {
  return db
    .select()
    .from(idempotencyKeys)
    .where(
      and(eq(idempotencyKeys.scope, idempotencyKey?.scope ?? ""), eq(idempotencyKeys.keyHash, idempotencyKey?.keyHash ?? "")),
    );
}

function isUnexpired(row: IdempotencyKeyRow | undefined, now: number): row is IdempotencyKeyRow {
  return row !== undefined && row.createdAt > now - IDEMPOTENCY_TTL_MS;
}

/** @throws ApiError idempotency_key_reused */
export function resolveReplay(row: IdempotencyKeyRow | undefined, bodyHash: string, now: number): RecordedReplay | null {
  if (!isUnexpired(row, now)) return null;
  if (row.bodyHash !== bodyHash) throw new ApiError("idempotency_key_reused");
  return { resourceId: row.resourceId, status: row.status, recordedAt: row.createdAt };
}

/**
 * Runs a create once per key. `create` puts `keyStatements(id)` into its batch; a concurrent or repeated request gets
 * the existing resource from `render`.
 * @throws ApiError idempotency_key_reused, after the access check of `create` or `render`
 */
export async function runOnce<T>(
  call: Call,
  idempotencyKey: IdempotencyKey,
  input: unknown,
  create: (keyStatements: KeyStatements) => Promise<T>,
  render: (resourceId: string, recordedAt: number) => Promise<T>,
): Promise<T> {
  // A keyed hash, because a body may contain a password.
  const bodyHash = idempotencyKey ? toBase64Url(await computeMac(call.keys.index, ["body", JSON.stringify(input)])) : "";
  const [existing] = idempotencyKey ? await selectIdempotencyKey(call, idempotencyKey) : [];
  // With another body `create` still runs: its access check comes first, then the recorded key fails its batch.
  if (isUnexpired(existing, call.now) && existing.bodyHash === bodyHash) return render(existing.resourceId, existing.createdAt);
  try {
    return await create((resourceId) => recordIdempotencyKey(call, idempotencyKey, bodyHash, { resourceId, status: 201 }));
  } catch (error) {
    if (!isUniqueViolation(error, "idempotency_keys")) throw error;
    const current = isUnexpired(existing, call.now) ? existing : (await selectIdempotencyKey(call, idempotencyKey))[0];
    const replay = resolveReplay(current, bodyHash, call.now);
    if (!replay) throw error;
    return render(replay.resourceId, replay.recordedAt);
  }
}

/** The statements that record a key; a second batch with the same key fails as a whole. */
export function recordIdempotencyKey(
  { db, now }: Call,
  idempotencyKey: IdempotencyKey,
  bodyHash: string,
  replay: Replay,
): Statement[] {
  if (!idempotencyKey) return [];
  const isSameKey = and(eq(idempotencyKeys.scope, idempotencyKey.scope), eq(idempotencyKeys.keyHash, idempotencyKey.keyHash));
  return [
    // Keys expire after a day.
    db.delete(idempotencyKeys).where(and(isSameKey, lt(idempotencyKeys.createdAt, now - IDEMPOTENCY_TTL_MS + 1))),
    db.insert(idempotencyKeys).values({ ...idempotencyKey, bodyHash, ...replay, createdAt: now }),
  ];
}

/** Forgets a key whose request was refused, so that a corrected one may use it. */
export function forgetIdempotencyKey({ db }: Call, idempotencyKey: IdempotencyKey): Statement[] {
  if (!idempotencyKey) return [];
  const { scope, keyHash } = idempotencyKey;
  return [db.delete(idempotencyKeys).where(and(eq(idempotencyKeys.scope, scope), eq(idempotencyKeys.keyHash, keyHash)))];
}

export function pruneIdempotencyKeys(db: Db, now: number): Statement {
  return db.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, now - IDEMPOTENCY_TTL_MS));
}
