// Totals of the deployment.
import { sql } from "drizzle-orm";
import { asCaller } from "../access.ts";
import type { Call } from "../actor.ts";
import { scopes, total } from "../counters.ts";
import { reportStats } from "../reports/reports.ts";

/** Patients and reports from counters; accounts, hospitals and devices from counter rows too. */
export async function adminStats(call: Call) {
  const [{ results }, reports] = await Promise.all([
    asCaller(call, "admin:read", (_, { db }) => [
      db.all<{ users: number; hospitals: number; patients: number; devices: number }>(sql`SELECT
        ${total(scopes.all, "users")} AS users, ${total(scopes.all, "hospitals")} AS hospitals,
        ${total(scopes.all, "patients")} AS patients, ${total(scopes.all, "devices")} AS devices`),
    ]),
    reportStats(call, "admin:read"),
  ]);
  const counts = results[0][0] ?? { users: 0, hospitals: 0, patients: 0, devices: 0 };
  return { ...counts, reports };
}
