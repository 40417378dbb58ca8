// Statistics over the reports that somebody may see, from counter rows.
import { type SQL, sql } from "drizzle-orm";
import { asPrincipal, patientScope } from "../../access/access.ts";
import type { Call, Principal, PrincipalCall, Standing } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { DAY_MS, dayOf, scopes } from "../../platform/counters.ts";
import { batch } from "../../platform/db/client.ts";
import { patients } from "../../platform/db/schema.ts";

/** The counter scopes that add up to what the caller sees, of one patient if one is named. */
export function counterScopes(standing: Standing, actor: Principal, patientId?: string): SQL {
  const visible = patientScope(standing, actor, patients.id, patients.hospitalId);
  if (patientId) return sql`SELECT 'p:' || patients.id FROM patients WHERE patients.id = ${patientId} AND ${visible}`;
  if (standing.role === "admin") return sql`SELECT ${scopes.all}`;
  if (standing.role === "patient" || (standing.role === "doctor" && standing.doctorScope === "care_team")) {
    return sql`SELECT 'p:' || patients.id FROM patients WHERE ${visible}`;
  }
  return sql`SELECT ${scopes.hospital(standing.hospitalId ?? "")}`;
}

type CounterRow = { name: string; day: number; n: number; sum: number };
const RECENT_DAYS = 7;

/** The counter rows behind the statistics of what somebody sees, for a batch; of the last so many days, today among them. */
export function statsStatement({ db, actor, now }: PrincipalCall, standing: Standing, days = RECENT_DAYS) {
  // Named one by one, for the index: a range beside day 0 would read every day there has been.
  const named = JSON.stringify([0, ...Array.from({ length: Math.max(days, RECENT_DAYS) }, (_, ago) => dayOf(now) - ago)]);
  return db.all<CounterRow>(sql`SELECT name, day, sum(n) AS n, sum(sum) AS sum FROM counters
    WHERE scope IN (${counterScopes(standing, actor)}) AND day IN (SELECT value FROM json_each(${named}))
      AND (name LIKE 'report|%' OR name = 'confidence') GROUP BY name, day`);
}

/** Totals: total, by status, by kind, last 7 days, mean confidence. */
export function toStats(rows: CounterRow[], now: number) {
  const confidence = rows.find((row) => row.name === "confidence" && row.day === 0);
  const allTime = rows.filter((row) => row.name !== "confidence" && row.day === 0);
  const recent = rows.filter((row) => row.name !== "confidence" && row.day > dayOf(now) - RECENT_DAYS);
  const byStatus: Record<string, number> = {};
  const byKind: Record<string, number> = {};
  for (const { name, n } of allTime) {
    const [, kind = "", status = ""] = name.split("|");
    if (n > 0) byKind[kind] = (byKind[kind] ?? 0) + n;
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

/** How many came on each of the last days (UTC), the oldest first. */
function byDay(rows: CounterRow[], now: number, days: number): { day: string; n: number }[] {
  return Array.from({ length: days }, (_, i) => {
    const day = dayOf(now) - days + 1 + i;
    const those = rows.filter((row) => row.name !== "confidence" && row.day === day);
    return { day: new Date(day * DAY_MS).toISOString().slice(0, 10), n: those.reduce((sum, { n }) => sum + n, 0) };
  });
}

/** Statistics over everything the caller sees, from counter rows. @param days how many days `by_day` has */
export async function reportStats(anyCall: Call, days: number) {
  const { call, standing, results } = await asPrincipal(anyCall, "report:read", (standing, call) => [
    statsStatement(call, standing, days),
  ]);
  const { db, actor, now } = call;
  const { role, hospitalId } = standing;
  await batch(db, audit(db, actor, now, { event: "report.stats", action: "R", role, hospitalId }));
  return { ...toStats(results[0], now), by_day: byDay(results[0], now, days) };
}
