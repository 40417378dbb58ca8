// Idempotency keys: one effect per key. A replay keeps status and resource and is rendered anew under today's rights.
import { and, eq, lt } from "drizzle-orm";
import type { Context } from "hono";
import { type Call, idOf } from "./actor.ts";
import { mac, sha256Hex, toBase64Url } from "./crypto.ts";
import { type Db, isConflict, type Statement } from "./db/client.ts";
import { idempotencyKeys } from "./db/schema.ts";
import { ApiError } from "./errors.ts";
import type { AppEnv } from "./router.ts";

export const KEY_LIFE_MS = 24 * 3_600_000;

/** A key that was sent, or null. */
export type Claim = { scope: string; keyHash: string } | null;
export type Replay = { resourceId: string; status: number };
/** Given the new id, the statements that take the key. */
export type Taking = (resourceId: string) => Statement[];

/** @param verb what the key is for: one name for all paths of a create  @throws ApiError invalid_idempotency_key */
export async function readClaim(c: Context<AppEnv>, verb: string): Promise<Claim> {
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{8,128}$/.test(key)) {
    throw new ApiError("invalid_idempotency_key", "Idempotency-Key is 8 to 128 printable characters.");
  }
  return { scope: `${idOf(c.get("call").actor)} ${verb}`, keyHash: await sha256Hex(key) };
}

/** The resource that a key made. @throws ApiError idempotency_key_reused when the key was used with another body */
export async function findReplay(call: Call, claim: Claim, bodyHash: string): Promise<Replay | null> {
  if (!claim) return null;
  const [row] = await findKey(call, claim);
  return replayOf(row, bodyHash, call.now);
}

type KeyRow = typeof idempotencyKeys.$inferSelect;

/** The lookup alone, for a batch that asks other things too. */
export function findKey({ db }: Call, claim: Claim) {
  return db
    .select()
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.scope, claim?.scope ?? ""), eq(idempotencyKeys.keyHash, claim?.keyHash ?? "")));
}

/** @throws ApiError idempotency_key_reused */
export function replayOf(row: KeyRow | undefined, bodyHash: string, now: number): Replay | null {
  if (!row || row.createdAt <= now - KEY_LIFE_MS) return null;
  if (row.bodyHash !== bodyHash) throw new ApiError("idempotency_key_reused");
  return { resourceId: row.resourceId, status: row.status };
}

/**
 * Runs a create once per key. `create` puts `taking(id)` into its batch; whoever loses the race, or comes again, gets
 * the resource as `render` shows it to them now.
 */
export async function once<T>(
  call: Call,
  claim: Claim,
  input: unknown,
  create: (taking: Taking) => Promise<T>,
  render: (resourceId: string) => Promise<T>,
): Promise<T> {
  // Keyed, because a body may hold a password.
  const bodyHash = claim ? toBase64Url(await mac(call.keys.index, ["body", JSON.stringify(input)])) : "";
  const before = await findReplay(call, claim, bodyHash);
  if (before) return render(before.resourceId);
  try {
    return await create((resourceId) => takeKey(call, claim, bodyHash, { resourceId, status: 201 }));
  } catch (error) {
    const winner = isConflict(error, "idempotency_keys") ? await findReplay(call, claim, bodyHash) : null;
    if (!winner) throw error;
    return render(winner.resourceId);
  }
}

/** The statements that make a key taken: a second batch with the same key fails as a whole. */
export function takeKey({ db, now }: Call, claim: Claim, bodyHash: string, replay: Replay): Statement[] {
  if (!claim) return [];
  const mine = and(eq(idempotencyKeys.scope, claim.scope), eq(idempotencyKeys.keyHash, claim.keyHash));
  return [
    // A key older than a day is free again.
    db.delete(idempotencyKeys).where(and(mine, lt(idempotencyKeys.createdAt, now - KEY_LIFE_MS + 1))),
    db.insert(idempotencyKeys).values({ ...claim, bodyHash, ...replay, createdAt: now }),
  ];
}

export function pruneKeys(db: Db, now: number): Statement {
  return db.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, now - KEY_LIFE_MS));
}
