// Statistics over the reports that a caller may see, read from counters.

import { type SQL, sql } from "drizzle-orm";
import { withPrincipal } from "../../access/access.ts";
import type { Call, EffectiveRole, Principal, PrincipalCall } from "../../access/actor.ts";
import { CachedRead } from "../../access/cached-read.ts";
import { findCounterScope } from "../../access/effective-role.ts";
import { patientVisibility } from "../../access/visibility.ts";
import { patients } from "../../platform/db/schema.ts";
import { DAY_MS, toIsoDate, utcDayOf } from "../../platform/time.ts";

/** Selects the counter scopes whose sum covers what the caller may see, optionally for one patient. */
export function selectCounterScopes(effectiveRole: EffectiveRole, actor: Principal, patientId?: string): SQL {
  const visible = patientVisibility(effectiveRole, actor, patients.id, patients.hospitalId);
  if (patientId) return sql`SELECT 'p:' || patients.id FROM patients WHERE patients.id = ${patientId} AND ${visible}`;
  const scope = findCounterScope(effectiveRole);
  return scope === null ? sql`SELECT 'p:' || patients.id FROM patients WHERE ${visible}` : sql`SELECT ${scope}`;
}

type CounterRow = { name: string; day: number; n: number; sum: number };
const RECENT_DAYS = 7;

/** Above the number of kinds and statuses, times the days of the longest query. */
const MAX_COUNTER_ROWS = 100_000;

/**
 * Selects the counter rows behind the caller's statistics.
 * @param days last days (UTC), including today; at least 7 are read  @param limit of the rows
 */
export function selectStats(
  { db, actor, now }: PrincipalCall,
  effectiveRole: EffectiveRole,
  days = RECENT_DAYS,
  limit = sql`${MAX_COUNTER_ROWS}`,
) {
  // A list of days, not a range: with day 0 included, a range would read every day ever counted.
  const dayList = JSON.stringify([0, ...Array.from({ length: Math.max(days, RECENT_DAYS) }, (_, ago) => utcDayOf(now) - ago)]);
  return db.all<CounterRow>(sql`SELECT name, day, sum(n) AS n, sum(sum) AS sum FROM counters
    WHERE scope IN (${selectCounterScopes(effectiveRole, actor)}) AND day IN (SELECT value FROM json_each(${dayList}))
      AND (name LIKE 'report|%' OR name = 'confidence') GROUP BY name, day LIMIT ${limit}`);
}

/** Whether a counter is of reports that were entered in error: totals leave them out, as lists do. */
const isInError = ({ name }: CounterRow) => name.endsWith("|entered-in-error");

/** Summarizes counter rows: total, by status, by kind, last 7 days, mean confidence (0 to 1). */
export function toStats(allRows: CounterRow[], now: number) {
  const rows = allRows.filter((row) => !isInError(row));
  const confidence = rows.find((row) => row.name === "confidence" && row.day === 0);
  const allTime = rows.filter((row) => row.name !== "confidence" && row.day === 0);
  const recent = rows.filter((row) => row.name !== "confidence" && row.day > utcDayOf(now) - RECENT_DAYS);
  const byStatus: Record<string, number> = {};
  const byKind: Record<string, number> = {};
  for (const { name, n } of allTime) {
    const [, kind = ""] = name.split("|");
    if (n > 0) byKind[kind] = (byKind[kind] ?? 0) + n;
  }
  for (const { name, n } of allRows.filter((row) => row.name !== "confidence" && row.day === 0)) {
    const [, , status = ""] = name.split("|");
    if (n > 0) byStatus[status] = (byStatus[status] ?? 0) + n;
  }
  return {
    total: allTime.reduce((sum, row) => sum + row.n, 0),
    by_status: byStatus,
    by_kind: byKind,
    recent_7_days: recent.reduce((sum, row) => sum + row.n, 0),
    average_confidence: confidence && confidence.n > 0 ? confidence.sum / confidence.n : null,
  };
}

/** Reports per day over the last days (UTC), oldest first. */
function countByDay(rows: CounterRow[], now: number, days: number): { day: string; n: number }[] {
  return Array.from({ length: days }, (_, i) => {
    const day = utcDayOf(now) - days + 1 + i;
    const dayRows = rows.filter((row) => row.name !== "confidence" && row.day === day && !isInError(row));
    return { day: toIsoDate(day * DAY_MS), n: dayRows.reduce((sum, { n }) => sum + n, 0) };
  });
}

type ReportStats = ReturnType<typeof toStats> & { by_day: ReturnType<typeof countByDay> };

/** Returns statistics over all reports that the caller may see. @param days number of entries in `by_day` */
export async function getReportStats(anyCall: Call, days: number) {
  const today = utcDayOf(anyCall.now);
  const read = new CachedRead<ReportStats>("report.stats", { days, today }, ["reports", "patients"]);
  const { call, effectiveRole, results } = await withPrincipal(anyCall, "report:read", (effectiveRole, call) => [
    read.selectVersion(call.db, effectiveRole, call.actor),
    selectStats(call, effectiveRole, days, read.limit(MAX_COUNTER_ROWS)),
  ]);
  const [version, rows] = results;
  const { role, hospitalId } = effectiveRole;
  const stats = await read.finish(call, version, () => {
    const value = { ...toStats(rows, call.now), by_day: countByDay(rows, call.now, days) };
    return { events: [{ event: "report.stats", action: "R", role, hospitalId }], value: Promise.resolve(value) };
  });
  return { stats, etag: read.etag };
}
