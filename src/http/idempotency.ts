// Idempotency keys: one effect per key. A replay keeps status and resource and is rendered anew under today's rights.
import { and, eq, lt } from "drizzle-orm";
import type { Context } from "hono";
import { type Call, idOf } from "../access/actor.ts";
import { mac, sha256Hex, toBase64Url } from "../platform/crypto.ts";
import { type Db, isConflict, type Statement } from "../platform/db/client.ts";
import { idempotencyKeys } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import type { AppEnv } from "./router.ts";

export const KEY_LIFE_MS = 24 * 3_600_000;

/** A key that was sent, or null. */
export type Claim = { scope: string; keyHash: string } | null;
export type Replay = { resourceId: string; status: number };
/** Given the new id, the statements that take the key. */
export type Taking = (resourceId: string) => Statement[];

/** @param verb what the key is for: one name for all paths of a create  @throws ApiError invalid_idempotency_key */
export function readClaim(c: Context<AppEnv>, verb: string): Promise<Claim> {
  return claimOf(c.get("call"), verb, c.req.header("Idempotency-Key"));
}

/** As `readClaim`, for a key that did not come in the header. */
export async function claimOf({ actor }: Call, verb: string, key: string | undefined): Promise<Claim> {
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{8,128}$/.test(key)) {
    throw new ApiError("invalid_idempotency_key", "Idempotency-Key is 8 to 128 printable characters.");
  }
  return { scope: `${idOf(actor)} ${verb}`, keyHash: await sha256Hex(key) };
}

type KeyRow = typeof idempotencyKeys.$inferSelect;

/** The lookup alone, for a batch that asks other things too. */
export function findKey({ db }: Call, claim: Claim) {
  return db
    .select()
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.scope, claim?.scope ?? ""), eq(idempotencyKeys.keyHash, claim?.keyHash ?? "")));
}

function isAlive(row: KeyRow | undefined, now: number): row is KeyRow {
  return row !== undefined && row.createdAt > now - KEY_LIFE_MS;
}

/** @throws ApiError idempotency_key_reused */
export function replayOf(row: KeyRow | undefined, bodyHash: string, now: number): Replay | null {
  if (!isAlive(row, now)) return null;
  if (row.bodyHash !== bodyHash) throw new ApiError("idempotency_key_reused");
  return { resourceId: row.resourceId, status: row.status };
}

/**
 * Runs a create once per key. `create` puts `taking(id)` into its batch; whoever loses the race, or comes again, gets
 * the resource as `render` shows it to them now.
 * @throws ApiError idempotency_key_reused, after the gate of `create` or `render` has let the caller in
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
  const [before] = claim ? await findKey(call, claim) : [];
  // A key that was used with another body goes on to `create`: its gate speaks first, and the taken key fails its batch.
  if (isAlive(before, call.now) && before.bodyHash === bodyHash) return render(before.resourceId);
  try {
    return await create((resourceId) => takeKey(call, claim, bodyHash, { resourceId, status: 201 }));
  } catch (error) {
    if (!isConflict(error, "idempotency_keys")) throw error;
    const taken = isAlive(before, call.now) ? before : (await findKey(call, claim))[0];
    const winner = replayOf(taken, bodyHash, call.now);
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
