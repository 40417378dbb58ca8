// Totals of the deployment.
import { sql } from "drizzle-orm";
import { asCaller } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { scopes, total } from "../../platform/counters.ts";
import { batch } from "../../platform/db/client.ts";
import { statsStatement, toStats } from "../../reports/reading/stats.ts";

/** Everything from counter rows: one read, one decision, one trace. */
export async function adminStats(anyCall: Call) {
  const { call, standing, results } = await asCaller(anyCall, "admin:read", (standing, call) => [
    call.db.all<{ users: number; hospitals: number; patients: number; devices: number }>(sql`SELECT
      ${total(scopes.all, "users")} AS users, ${total(scopes.all, "hospitals")} AS hospitals,
      ${total(scopes.all, "patients")} AS patients, ${total(scopes.all, "devices")} AS devices`),
    statsStatement(call, standing),
  ]);
  const { db, actor, now } = call;
  const [[counts = { users: 0, hospitals: 0, patients: 0, devices: 0 }], counters] = results;
  await batch(db, audit(db, actor, now, { event: "admin.stats", action: "R", role: standing.role }));
  return { ...counts, reports: toStats(counters, now) };
}
