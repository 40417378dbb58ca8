// What a hospital has stored today and in all, with its quotas.
import { sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { appendAuditEvent } from "../../access/audit.ts";
import { denyNotFound } from "../../access/deny.ts";
import { canManageHospital } from "../../access/effective-role.ts";
import { hospitalLimits } from "../../access/storage-charges.ts";
import { DAY_PREFIX, IMPORTED, SAMPLES, type StorageKind, TOTAL_PREFIX } from "../../platform/storage-quotas.ts";
import { DAY_MS, toIso, utcDayOf } from "../../platform/time.ts";

type CounterRow = { day: number; name: StorageKind | typeof IMPORTED | typeof SAMPLES; n: number };

/** @throws ApiError not_found (another hospital, for its administrators) */
export async function getStorage(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "storage:read", (effectiveRole, { db, now }) => {
    const hospitalId = canManageHospital(effectiveRole, id) ? id : "";
    return [
      db.all(sql`SELECT 1 FROM hospitals WHERE id = ${hospitalId}`),
      db.all<CounterRow>(sql`SELECT day, name, n FROM counters WHERE (scope = ${`${DAY_PREFIX}h:${hospitalId}`} AND day = ${utcDayOf(now)})
        OR scope = ${`${TOTAL_PREFIX}h:${hospitalId}`}`),
    ];
  });
  const [[hospital], counters] = results;
  if (!hospital) return denyNotFound(call, "storage:read", effectiveRole, { hospital: id });
  const entity = { type: "hospital", id };
  await appendAuditEvent(call, { event: "storage.read", action: "R", role: effectiveRole.role, hospitalId: id, entity });
  const limits = hospitalLimits(id);
  const read = (name: CounterRow["name"], isToday: boolean) =>
    counters.find((row) => row.name === name && row.day > 0 === isToday)?.n ?? 0;
  const toUse = (kind: StorageKind) => ({
    today: read(kind, true),
    day_quota: limits[kind].day,
    total: read(kind, false),
    ceiling: limits[kind].total,
  });
  return {
    hospital_id: id,
    day_ends_at: toIso((utcDayOf(call.now) + 1) * DAY_MS),
    records: toUse("records"),
    files: toUse("files"),
    imported_bytes: read(IMPORTED, false),
    samples_today: read(SAMPLES, true),
  };
}
