// A dry run of a hospital's retention policy: how much is older than its period.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { batch } from "../../platform/db/client.ts";
import { toIso } from "../../platform/time.ts";
import { monthOf } from "./end-of-retention.ts";
import { RECORD_KINDS, type RecordKind } from "./jurisdictions.ts";
import { loadPolicy } from "./policy.ts";
import { policyInForce } from "./stored-policy.ts";

/** More are not counted. */
export const MAX_PREVIEWED = 1_000;

function yearsBefore(now: number, years: number): number {
  const date = new Date(now);
  date.setUTCFullYear(date.getUTCFullYear() - years);
  return date.getTime();
}

/** What is counted of each kind, as rows older than a time. Observations are counted in months of patients. */
const OLDER_ROWS = {
  patient_record: (hospitalId: string, limit: number) =>
    sql`patients WHERE hospital_id = ${hospitalId} AND updated_at < ${limit}`,
  reports: (hospitalId: string, limit: number) => sql`reports WHERE hospital_id = ${hospitalId} AND created_at < ${limit}`,
  documents: (hospitalId: string, limit: number) => sql`documents WHERE hospital_id = ${hospitalId} AND created_at < ${limit}`,
  observations: (hospitalId: string, limit: number) =>
    sql`vital_months WHERE hospital_id = ${hospitalId} AND month < ${monthOf(limit)}`,
} as const satisfies Record<RecordKind, (hospitalId: string, limit: number) => unknown>;

/**
 * Counts what is past its period, at most MAX_PREVIEWED per kind. Birth dates are sealed: the longer period of minors is not part of it.
 * @throws ApiError not_found
 */
export async function previewRetention(anyCall: Call, hospitalId: string) {
  const { call, row, event } = await loadPolicy(anyCall, hospitalId, "retention:read", "retention.preview", "R");
  const { db, now } = call;
  const { years } = policyInForce(row.country, row.policy);
  const results = await batch(
    db,
    RECORD_KINDS.map((kind) =>
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${OLDER_ROWS[kind](hospitalId, yearsBefore(now, years[kind]))} LIMIT ${MAX_PREVIEWED + 1})`,
      ),
    ),
  );
  const kinds = RECORD_KINDS.map((kind, i) => {
    const n = results[i]?.[0]?.n ?? 0;
    return {
      kind,
      years: years[kind],
      older_than: toIso(yearsBefore(now, years[kind])),
      count: Math.min(n, MAX_PREVIEWED),
      is_exact: n <= MAX_PREVIEWED,
    };
  });
  return afterAudit(appendAuditEvent(call, event), Promise.resolve({ hospital_id: hospitalId, kinds }));
}
