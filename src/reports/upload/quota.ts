// Early check of the daily file quota: a file beyond it is refused before it is stored. The batch that names the file decides.
import { sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { DAY_PREFIX, quotaError, STORAGE_LIMITS } from "../../platform/storage-quotas.ts";
import { utcDayOf } from "../../platform/time.ts";

/** Selects the bytes of files that the caller has stored today; no row before the first. */
export function selectFilesToday({ db, actor, now }: Call) {
  const id = getActorId(actor);
  const scope =
    actor.kind === "user"
      ? sql`${`${DAY_PREFIX}u:${id}`}`
      : sql`${`${DAY_PREFIX}m:`} || (SELECT coalesce(device_id, id) FROM credentials WHERE id = ${id})`;
  return db.all<{ n: number }>(sql`SELECT n FROM counters WHERE name = 'files' AND day = ${utcDayOf(now)} AND scope = ${scope}`);
}

/** @throws ApiError quota_exceeded */
export function checkQuota({ actor, now }: Call, used: number, more: number): void {
  if (actor.via.importGrant) return;
  const { patient, staff, device, app } = STORAGE_LIMITS;
  const machine = actor.kind === "device" ? device : app;
  const limits = actor.kind === "user" ? (actor.claimedRole.role === "patient" ? patient : staff) : machine;
  if (used + more > limits.files.day) throw quotaError("account day", now);
}
