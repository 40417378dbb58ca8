// One report: response formats, access check and detail. Every response is audited; most contain the patient's name.

import { eq } from "drizzle-orm";
import { z } from "zod";
import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { coverTime } from "../../access/covered-access.ts";
import { signLink } from "../../access/file-links.ts";
import { type Access, accessAllows, accessFields, isBeyondRole, withPatient } from "../../access/patient-access.ts";
import { displayName, unsealIdentity } from "../../patients/identity/sealed-fields.ts";
import { reports } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { readFile } from "../../platform/files.ts";
import { nullIfCorrupt, readSealed } from "../../platform/sealed-documents.ts";
import { toIso } from "../../platform/time.ts";
import { describeMetrics, type MetricsView, NO_METRICS } from "../upload/metrics.ts";
import { metricsRecordId } from "../upload/new-report.ts";
import { computeQtc } from "./qtc.ts";

export type ReportRow = typeof reports.$inferSelect;
const FileName = z.string().nullable();

type ReportPatient = { id: string; version: number; patient_number: number; identity_sealed: string };

/**
 * @param showIdentity false for an app without patient:read
 * @param onCorrupt called per value that cannot be decrypted, which becomes null; without it such a value is an error
 */
export async function toReport(
  call: Call,
  row: ReportRow,
  patient: ReportPatient,
  showIdentity: boolean,
  onCorrupt?: () => void,
) {
  const [sentReport, identity, comment] = await Promise.all([
    toSentReport(call, row, onCorrupt),
    showIdentity ? nullIfCorrupt(unsealIdentity(call.keys, patient), onCorrupt) : null,
    nullIfCorrupt(readComment(call, row), onCorrupt),
  ]);
  return {
    ...sentReport,
    comment,
    patient: {
      patient_id: patient.id,
      patient_number: patient.patient_number,
      name: identity && displayName(identity),
      gender: identity?.gender ?? null,
      date_of_birth: identity?.date_of_birth ?? null,
    },
    hospital_id: row.hospitalId,
  };
}

/** What the sender of a report knows of it: nothing about the patient, whom staff may have assigned, and may correct, later. */
async function toSentReport({ keys }: Call, row: ReportRow, onCorrupt?: () => void) {
  const sealContext = { table: "reports", column: "file_name", id: row.id };
  const name = await nullIfCorrupt(readSealed(keys.fields, sealContext, row.fileNameSealed, FileName), onCorrupt);
  return {
    report_id: row.id,
    kind: row.kind,
    status: row.status,
    encounter_id: row.encounterId,
    session_type: row.sessionType,
    confidence: row.confidence,
    heart_rate: row.heartRate,
    effective_at: toIso(row.effectiveAt),
    created_at: toIso(row.createdAt),
    file_name: name,
    file_size: row.fileSize,
    sha256: row.sha256,
    uploaded_by: { kind: row.uploadedByKind, id: row.uploadedBy },
    file_url: `/api/v1/reports/${row.id}/file`,
    version: row.version,
  };
}

export const commentSealContext = (id: string) => ({ table: "reports", column: "comment", id });

export async function readComment({ keys }: Call, { id, commentSealed }: ReportRow): Promise<string | null> {
  return commentSealed === null ? null : readSealed(keys.fields, commentSealContext(id), commentSealed, z.string());
}

export async function addDownloadLink<T extends { report_id: string }>(call: Call, origin: string, report: T) {
  const link = await signLink(call, origin, { kind: "report", id: report.report_id });
  return { ...report, download_url: link.url, download_expires_at: link.expires_at };
}

/** Checks access to one report and loads it, in one round trip; its caller records the event. @throws ApiError not_found */
export async function requireReport(call: Call, id: string) {
  const { access, results } = await withPatient(
    call,
    { report: id },
    "report:read",
    () => [call.db.select().from(reports).where(eq(reports.id, id))],
    { byConsent: true },
  );
  const [[row]] = results;
  if (!row) throw new ApiError("not_found");
  // What was entered in error is for those who may correct it: neither a consent nor an emergency opens it.
  const isHidden = isBeyondRole(access) && row.status === "entered-in-error";
  const readable = isHidden ? { ...access, grants: [] } : access;
  const covered = { kind: `report:${row.kind}`, at: row.effectiveAt, target: { report: id } } as const;
  return { row, access: await coverTime(call, readable, "report:read", covered) };
}

export function toReadEvent(access: Access, id: string, { event, detail }: { event: string; detail: Record<string, unknown> }) {
  const entity = { type: "report", id };
  return { ...accessFields(access), event, action: "R", entity, subjects: [access.patient.id], detail } as const;
}

/** Returns one report with its metrics, computed QTc and a signed download link; to a device, only what it sent. */
export async function getReport(call: Call, bucket: R2Bucket, id: string, origin: string) {
  const { row, access } = await requireReport(call, id);
  const stored = appendAuditEvent(call, toReadEvent(access, id, { event: "report.read", detail: { link: true } }));
  if (access.basis === "device") {
    const [sent, metrics] = await afterAudit(stored, Promise.all([toSentReport(call, row), loadMetrics(call, bucket, row)]));
    return addDownloadLink(call, origin, { ...sent, ...metrics });
  }
  const showIdentity = accessAllows(access, "patient:read");
  const [report, metrics] = await afterAudit(
    stored,
    Promise.all([toReport(call, row, access.patient, showIdentity), loadMetrics(call, bucket, row)]),
  );
  return addDownloadLink(call, origin, { ...report, ...metrics, computed_qtc: computeQtc(metrics.metrics) });
}

/** Of one report; without metrics, a view without values. */
export async function loadMetrics({ keys }: Call, bucket: R2Bucket, row: ReportRow): Promise<MetricsView> {
  if (!row.metricsKey) return NO_METRICS;
  const bytes = await readFile(bucket, keys.fields, row.metricsKey, metricsRecordId(row.id), row.metricsSize ?? 0);
  return describeMetrics(row.kind, bytes);
}
