// Statistics over the reports that somebody may see, from counter rows.
import { type SQL, sql } from "drizzle-orm";
import { asPrincipal, patientScope } from "../access.ts";
import type { Call, Principal, PrincipalCall, Standing } from "../actor.ts";
import { audit } from "../audit.ts";
import { dayOf, scopes } from "../counters.ts";
import { batch } from "../db/client.ts";
import { patients } from "../db/schema.ts";

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

type CounterRow = { name: string; today: number; n: number; sum: number };

/** The counter rows behind the statistics of what somebody sees, for a batch. */
export function statsStatement({ db, actor, now }: PrincipalCall, standing: Standing) {
  // Named one by one, for the index: a range beside day 0 would read every day there has been.
  const days = JSON.stringify([0, ...Array.from({ length: 7 }, (_, ago) => dayOf(now) - ago)]);
  return db.all<CounterRow>(sql`SELECT name, day > 0 AS today, sum(n) AS n, sum(sum) AS sum FROM counters
    WHERE scope IN (${counterScopes(standing, actor)}) AND day IN (SELECT value FROM json_each(${days}))
      AND (name LIKE 'report|%' OR name = 'confidence') GROUP BY name, day > 0`);
}

/** Totals: total, by status, by kind, last 7 days, mean confidence. */
export function toStats(rows: CounterRow[]) {
  const confidence = rows.find((row) => row.name === "confidence" && !row.today);
  const allTime = rows.filter((row) => row.name !== "confidence" && !row.today);
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
    recent_7_days: rows.filter((row) => row.today).reduce((sum, row) => sum + row.n, 0),
    average_confidence: confidence && confidence.n > 0 ? confidence.sum / confidence.n : null,
  };
}

/** Statistics over everything the caller sees, from counter rows. */
export async function reportStats(anyCall: Call) {
  const { call, standing, results } = await asPrincipal(anyCall, "report:read", (standing, call) => [
    statsStatement(call, standing),
  ]);
  const { db, actor, now } = call;
  const { role, hospitalId } = standing;
  await batch(db, audit(db, actor, now, { event: "report.stats", action: "R", role, hospitalId }));
  return toStats(results[0]);
}
