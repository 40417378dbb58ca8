// The patient summary: identity and counts of related records.

import { and, desc, eq, ne, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { accessAllows, withPatient } from "../../access/patient-access.ts";
import { COUNTER_SCOPES } from "../../platform/counters.ts";
import { reports } from "../../platform/db/schema.ts";
import { toIso } from "../../platform/time.ts";
import { unsealClinical, unsealIdentity } from "../identity/sealed-fields.ts";
import { patientEvent, toPatientSummary } from "../patients.ts";

/** Reports are null, and their scope is listed, for an app that may not read them. @throws ApiError not_found */
export async function getPatientSummary(call: Call, ref: string) {
  const { db, keys } = call;
  const { access, results } = await withPatient(call, { patient: ref }, "patient:read", (patientId) => [
    db.all<{ name: string; n: number }>(
      sql`SELECT name, n FROM counters WHERE scope = ${COUNTER_SCOPES.patient("")} || ${patientId} AND day = 0 AND name LIKE 'report|%'
        AND name NOT LIKE '%|entered-in-error' AND n > 0`,
    ),
    db
      .select({ id: reports.id, kind: reports.kind, status: reports.status, at: reports.effectiveAt, rate: reports.heartRate })
      .from(reports)
      .where(and(eq(reports.patientId, patientId), ne(reports.status, "entered-in-error")))
      .orderBy(desc(reports.createdAt))
      .limit(1),
    db.all<{ team: number; devices: number; intake: number | null; logins: number }>(sql`SELECT
      (SELECT count(*) FROM care_team WHERE patient_id = ${patientId} AND ended_at IS NULL) AS team,
      (SELECT count(*) FROM device_assignments WHERE patient_id = ${patientId} AND ended_at IS NULL) AS devices,
      (SELECT max(authored_at) FROM intake_responses WHERE patient_id = ${patientId}) AS intake,
      (SELECT count(*) FROM patient_links WHERE patient_id = ${patientId}) AS logins`),
  ]);
  const { patient } = access;
  const [reportCounters, [latest], [relatedCounts]] = results;
  const stored = appendAuditEvent(call, patientEvent(access, "patient.summary", "R"));
  const [identity, clinical] = await afterAudit(
    stored,
    Promise.all([unsealIdentity(keys, patient), unsealClinical(keys, patient)]),
  );
  const byKind: Record<string, number> = {};
  for (const { name, n } of reportCounters) {
    const kind = name.split("|")[1] ?? "";
    byKind[kind] = (byKind[kind] ?? 0) + n;
  }
  const hasReports = accessAllows(access, "report:read");
  return {
    patient: toPatientSummary(patient, identity),
    symptoms: clinical.symptoms,
    reports: hasReports ? { total: Object.values(byKind).reduce((a, b) => a + b, 0), by_kind: byKind } : null,
    latest_report:
      hasReports && latest
        ? {
            report_id: latest.id,
            kind: latest.kind,
            status: latest.status,
            effective_at: toIso(latest.at),
            heart_rate: latest.rate,
          }
        : null,
    care_team: relatedCounts?.team ?? 0,
    devices: relatedCounts?.devices ?? 0,
    latest_intake_at: relatedCounts?.intake ? toIso(relatedCounts.intake) : null,
    claimed: (relatedCounts?.logins ?? 0) > 0,
    missing_scopes: hasReports ? [] : ["report:read" as const],
  };
}
