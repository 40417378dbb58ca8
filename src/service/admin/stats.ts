// Totals of the deployment.
import { sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { appendAuditEvent } from "../../access/audit.ts";
import { COUNTER_SCOPES, counterValue } from "../../platform/counters.ts";
import { selectStats, toStats } from "../../reports/reading/stats.ts";

/** Reads totals from counters, without scanning tables. Requires `admin:read`. */
export async function getAdminStats(anyCall: Call) {
  const { call, effectiveRole, results } = await withUser(anyCall, "admin:read", (effectiveRole, call) => [
    call.db.all<{ users: number; hospitals: number; patients: number; devices: number }>(sql`SELECT
      ${counterValue(COUNTER_SCOPES.all, "users")} AS users, ${counterValue(COUNTER_SCOPES.all, "hospitals")} AS hospitals,
      ${counterValue(COUNTER_SCOPES.all, "patients")} AS patients, ${counterValue(COUNTER_SCOPES.all, "devices")} AS devices`),
    selectStats(call, effectiveRole),
  ]);
  const [[counts = { users: 0, hospitals: 0, patients: 0, devices: 0 }], counters] = results;
  await appendAuditEvent(call, { event: "admin.stats", action: "R", role: effectiveRole.role });
  return { ...counts, reports: toStats(counters, call.now) };
}
