// Daily byte quota (UTC) of devices and apps. Counted in the batch that stores the upload, so concurrent uploads cannot exceed it.

import { sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { type Db, isConditionFailed, type Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { DAY_MS, utcDayOf } from "../../platform/time.ts";

export const MAX_BYTES_PER_DAY = 2 * 1024 ** 3;

/** The quota is per device, across its credentials, and per API key. */
const toQuotaScope = (quotaOwnerId: string) => `m:${quotaOwnerId}`;

/** Selects the bytes that the calling device or app has stored today; no row for people. */
export function selectBytesToday({ db, actor, now }: Call) {
  const id = getActorId(actor);
  return db.all<{ n: number }>(sql`SELECT n FROM counters WHERE name = 'bytes' AND day = ${utcDayOf(now)}
    AND scope = 'm:' || (SELECT coalesce(device_id, id) FROM credentials WHERE id = ${id})`);
}

/** Early check, before anything is stored. @throws ApiError quota_exceeded */
export function checkQuota(used: number, more: number, now: number): void {
  if (used + more > MAX_BYTES_PER_DAY) throw quotaExceededError(now);
}

/** Adds bytes to the sender's counter. Beyond the quota the whole batch fails; see `isQuotaExceeded`. */
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

/** True for the error of a batch that `countBytesStatements` failed: nothing was written. */
export function isQuotaExceeded(error: unknown): boolean {
  return isConditionFailed(error, "counters.n");
}

export function quotaExceededError(now: number): ApiError {
  const seconds = Math.ceil(((utcDayOf(now) + 1) * DAY_MS - now) / 1000);
  return new ApiError("quota_exceeded", "A device or app may upload at most 2 GiB per day (UTC).", {
    headers: { "Retry-After": String(seconds) },
  });
}

/** Deletes the counters of past days, which are no longer needed. */
export function pruneByteCounters(db: Db, now: number): Statement {
  return db.run(sql`DELETE FROM counters WHERE scope >= 'm:' AND scope < 'm;' AND name = 'bytes' AND day < ${utcDayOf(now)}`);
}
