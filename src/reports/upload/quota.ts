// How many bytes a machine may have stored in a day (UTC): counted in the batch that stores them, so that no race passes it.

import { sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { type Db, isConditionFailed, type Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { DAY_MS, utcDayOf } from "../../platform/time.ts";

export const MAX_BYTES_PER_DAY = 2 * 1024 ** 3;

/** A device's quota is the device's, whichever of its credentials it uses; an app's is its key's. */
const toQuotaScope = (quotaOwnerId: string) => `m:${quotaOwnerId}`;

/** The bytes that the calling machine has stored today; nothing for people. */
export function selectBytesToday({ db, actor, now }: Call) {
  const id = getActorId(actor);
  return db.all<{ n: number }>(sql`SELECT n FROM counters WHERE name = 'bytes' AND day = ${utcDayOf(now)}
    AND scope = 'm:' || (SELECT coalesce(device_id, id) FROM credentials WHERE id = ${id})`);
}

/** @throws ApiError quota_exceeded, before anything is stored */
export function checkQuota(used: number, more: number, now: number): void {
  if (used + more > MAX_BYTES_PER_DAY) throw quotaExceededError(now);
}

/** Counts bytes for the machine that sent them, in the batch that names them; over the quota the whole batch fails. */
export function countBytesStatements({ db, now }: Call, quotaOwnerId: string | null, bytes: number): Statement[] {
  if (quotaOwnerId === null) return [];
  const [scope, day] = [toQuotaScope(quotaOwnerId), utcDayOf(now)];
  const used = sql`coalesce((SELECT n FROM counters WHERE scope = ${scope} AND day = ${day} AND name = 'bytes'), 0)`;
  return [
    db.run(sql`INSERT INTO counters (scope, day, name, n)
      VALUES (${scope}, CAST(${day} AS INTEGER), 'bytes', CASE WHEN ${used} + ${bytes} <= ${MAX_BYTES_PER_DAY} THEN CAST(${bytes} AS INTEGER) END)
      ON CONFLICT (scope, day, name) DO UPDATE SET n = n + excluded.n`),
  ];
}

/** True for the error of a batch that `takeBytes` refused: nothing of it was written. */
export function isQuotaExceeded(error: unknown): boolean {
  return isConditionFailed(error, "counters.n");
}

export function quotaExceededError(now: number): ApiError {
  const seconds = Math.ceil(((utcDayOf(now) + 1) * DAY_MS - now) / 1000);
  return new ApiError("quota_exceeded", "A machine sends at most 2 GiB a day.", { headers: { "Retry-After": String(seconds) } });
}

/** Yesterday's counts decide nothing any more. */
export function pruneByteCounters(db: Db, now: number): Statement {
  return db.run(sql`DELETE FROM counters WHERE scope >= 'm:' AND scope < 'm;' AND name = 'bytes' AND day < ${utcDayOf(now)}`);
}
