// A report comes to be: its patient, its metrics, its row and its totals. Every way in (upload, queue, direct) ends here.

import { type SQL, sql } from "drizzle-orm";
import { type Access, authorizePatient, resolveDeviceAccess } from "../../access/access.ts";
import type { Actor, Call } from "../../access/actor.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import type { Permission } from "../../access/permissions.ts";
import { COUNTER_SCOPES, incrementCounters } from "../../platform/counters.ts";
import { sealValue } from "../../platform/crypto.ts";
import type { Statement } from "../../platform/db/client.ts";
import { reports } from "../../platform/db/schema.ts";
import { REPORT_KINDS } from "../../platform/db/vocabulary.ts";
import { createObjectKey, storeFile } from "../../platform/files.ts";
import { utcDayOf } from "../../platform/time.ts";
import type { ReportKind } from "./metric-ranges.ts";
import type { ParsedMetrics } from "./metrics.ts";
import type { ReportFields } from "./upload-request.ts";

/** A report's file belongs to the attempt that brought it; the report takes over that id, in quarantine or not. */
export const fileRecordId = (reportId: string) => `report:${reportId}`;
export const metricsRecordId = (reportId: string) => `metrics:${reportId}`;

/** An app that may only send is told again what it sent; everybody else reads the report. */
export const replayAction = (actor: Actor): Permission => (actor.kind === "app" ? "report:create" : "report:read");

export function toReportKind(device: string | undefined): ReportKind | undefined {
  return REPORT_KINDS.find((kind) => kind === device);
}

/** The patient a report is for. People get 404; a device's report without a patient of its own goes to quarantine. */
export async function resolvePatient(call: Call, about: ReportFields) {
  const { actor } = call;
  const target = about.patient_id === undefined ? OWN_RECORD : { patient: about.patient_id };
  if (actor.kind !== "device") return { device: null, access: await authorizePatient(call, target, "report:create") };
  const device = await resolveDeviceAccess(call, actor, target, "report:create");
  return { device, access: device.access };
}

/** The reports that hold a file already, whoever's they are; only those of the one patient may be spoken of. */
export function selectSameFile({ db }: Call, sha256: SQL | string) {
  return db.select({ id: reports.id, patientId: reports.patientId }).from(reports).where(sql`${reports.sha256} = ${sha256}`);
}

export async function storeMetrics({ keys, now }: Call, bucket: R2Bucket, id: string, metrics: ParsedMetrics): Promise<string> {
  const key = createObjectKey(keys.fields, now);
  const bytes = new Uint8Array(new TextEncoder().encode(metrics.json));
  await storeFile(bucket, keys.fields, key, metricsRecordId(id), bytes, bytes.length);
  return key;
}

export type NewReport = {
  id: string;
  kind: ReportKind;
  about: ReportFields;
  uploadedBy: { kind: "user" | "device" | "app"; id: string };
  /** When the file came; it is the time of the report unless the machine says when it measured. */
  receivedAt: number;
  fileName: string;
  size: number;
  sha256: string;
  fileKey: string;
  metricsKey: string | null;
  metrics: ParsedMetrics | null;
};

/**
 * The row and the totals, for the batch that says what became of the attempt. Unless `when` holds the whole batch fails,
 * and `isUnmet(error, "reports.id")` tells so.
 */
export async function insertReportStatements(
  call: Call,
  access: Access,
  report: NewReport,
  condition: SQL,
): Promise<Statement[]> {
  const { db, keys, now } = call;
  const { id, kind, about, metrics } = report;
  const status = "preliminary";
  const place = { table: "reports", column: "file_name", id };
  return [
    db.insert(reports).values({
      id: sql`(SELECT ${id} WHERE ${condition})`,
      patientId: access.patient.id,
      hospitalId: access.hospitalId,
      kind,
      status,
      uploadedByKind: report.uploadedBy.kind,
      uploadedBy: report.uploadedBy.id,
      encounterId: about.encounter_id ?? null,
      sessionType: about.session_type ?? null,
      confidence: about.confidence ?? null,
      heartRate: metrics?.heartRate ?? null,
      effectiveAt: about.recorded_at ? Date.parse(about.recorded_at) : report.receivedAt,
      fileKey: report.fileKey,
      fileNameSealed: await sealValue(keys.fields, place, report.fileName),
      fileSize: report.size,
      sha256: report.sha256,
      metricsKey: report.metricsKey,
      metricsSize: metrics ? new TextEncoder().encode(metrics.json).length : null,
      createdAt: now,
      updatedAt: now,
    }),
    incrementReportCounters(call, access, `report|${kind}|${status}`, about.confidence ?? null),
  ];
}

/** Adds a report to the totals of the deployment, the hospital and the patient, for all time and for today. */
function incrementReportCounters({ db, now }: Call, { hospitalId, patient }: Access, name: string, confidence: number | null) {
  const counterScopes = [COUNTER_SCOPES.all, COUNTER_SCOPES.hospital(hospitalId), COUNTER_SCOPES.patient(patient.id)];
  return incrementCounters(
    db,
    counterScopes.flatMap((scope) => [
      { scope, day: 0, name, n: 1 },
      { scope, day: utcDayOf(now), name, n: 1 },
      ...(confidence === null ? [] : [{ scope, day: 0, name: "confidence", n: 1, sum: confidence }]),
    ]),
  );
}
