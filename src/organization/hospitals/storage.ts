// What a hospital has stored today and in all, with its quotas.
import { sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound } from "../../access/deny.ts";
import { canManageHospital } from "../../access/effective-role.ts";
import { hospitalLimits } from "../../access/storage-charges.ts";
import { batch } from "../../platform/db/client.ts";
import { DAY_PREFIX, type StorageKind, TOTAL_PREFIX } from "../../platform/storage-quotas.ts";
import { DAY_MS, HOUR_MS, toIso, utcDayOf } from "../../platform/time.ts";

type CounterRow = { day: number; name: StorageKind; n: number };

/** Samples of closed hours of the day, from the hourly rollups: stats is an object of [count, …] by code. */
const countSamples = (hospitalId: string, now: number) => sql`SELECT coalesce(sum(json_extract(v.value, '$[0]')), 0) AS n
  FROM vital_hours h, json_each(h.stats) v WHERE h.hospital_id = ${hospitalId} AND h.hour >= ${(utcDayOf(now) * DAY_MS) / HOUR_MS}`;

/** @throws ApiError not_found (another hospital, for its administrators) */
export async function getStorage(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "storage:read", (effectiveRole, { db, now }) => {
    const hospitalId = canManageHospital(effectiveRole, id) ? id : "";
    return [
      db.all(sql`SELECT 1 FROM hospitals WHERE id = ${hospitalId}`),
      db.all<CounterRow>(sql`SELECT day, name, n FROM counters WHERE (scope = ${`${DAY_PREFIX}h:${hospitalId}`} AND day = ${utcDayOf(now)})
        OR scope = ${`${TOTAL_PREFIX}h:${hospitalId}`}`),
      db.all<{ n: number }>(countSamples(hospitalId, now)),
      db.all<{ n: number }>(sql`SELECT coalesce(sum(c.n), 0) AS n FROM import_grants g
        JOIN counters c ON c.scope = 'quota:g:' || g.id AND c.day = 0 WHERE g.hospital_id = ${hospitalId}`),
    ];
  });
  const [[hospital], counters, [samples], [imported]] = results;
  if (!hospital) return denyNotFound(call, "storage:read", effectiveRole, { hospital: id });
  const { db, actor, now } = call;
  const entity = { type: "hospital", id };
  await batch(
    db,
    recordAuditEvent(db, actor, now, { event: "storage.read", action: "R", role: effectiveRole.role, hospitalId: id, entity }),
  );
  const limits = hospitalLimits(id);
  const toUse = (kind: StorageKind) => {
    const used = (isToday: boolean) => counters.find(({ day, name }) => name === kind && day > 0 === isToday)?.n ?? 0;
    return { today: used(true), day_quota: limits[kind].day, total: used(false), ceiling: limits[kind].total };
  };
  return {
    hospital_id: id,
    day_ends_at: toIso((utcDayOf(now) + 1) * DAY_MS),
    records: toUse("records"),
    files: toUse("files"),
    imported_bytes: imported?.n ?? 0,
    samples_today: samples?.n ?? 0,
  };
}
