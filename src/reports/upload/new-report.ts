// Creation of a report, shared by uploads, direct uploads and quarantine: patient, metrics, row and counters.

import { and, type SQL, sql } from "drizzle-orm";
import type { Actor, Call } from "../../access/actor.ts";
import type { Access } from "../../access/patient-access.ts";
import type { Permission } from "../../access/permissions.ts";
import { accessStillValid } from "../../access/still-valid.ts";
import { publishEvent } from "../../notifications/webhooks/publish.ts";
import { COUNTER_SCOPES, type CounterChange, incrementCounters } from "../../platform/counters.ts";
import { sealValue } from "../../platform/crypto.ts";
import type { Db, Statement } from "../../platform/db/client.ts";
import { reports } from "../../platform/db/schema.ts";
import { REPORT_KINDS } from "../../platform/db/vocabulary.ts";
import { isAhead } from "../../platform/device-times.ts";
import { createObjectKey, storeFile } from "../../platform/files.ts";
import { utcDayOf } from "../../platform/time.ts";
import type { ReportKind } from "./metric-ranges.ts";
import type { ParsedMetrics } from "./metrics.ts";
import type { ReportFields } from "./upload-request.ts";

/** Days (UTC) of `GET /reports/stats`, including today. */
export const MAX_STATS_DAYS = 90;

/** Bound into the seal of a report's file. The upload has this id first; the report that it becomes keeps it. */
export const fileRecordId = (reportId: string) => `report:${reportId}`;
export const metricsRecordId = (reportId: string) => `metrics:${reportId}`;

/** The permission for a replayed upload: an app may only create reports, everybody else reads the report. */
export const replayAction = (actor: Actor): Permission => (actor.kind === "app" ? "report:create" : "report:read");

/** The report kind of the same name as a device kind, if there is one. */
export function toReportKind(deviceKind: string | undefined): ReportKind | undefined {
  return REPORT_KINDS.find((kind) => kind === deviceKind);
}

/**
 * Reports of any patient with this file. Responses may mention only those of the patient that the caller has access to, and those
 * that the calling device sent.
 */
export function selectSameFile({ db, actor }: Call, sha256: SQL | string) {
  const isDevices = sql`${reports.uploadedByKind} = 'device'
    AND ${reports.uploadedBy} = (SELECT device_id FROM credentials WHERE id = ${actor.kind === "device" ? actor.credentialId : null})`;
  // Named, because the column of a bare number would come first in a row's values.
  const isOwn = sql<number>`coalesce(${isDevices}, 0)`.as("is_own");
  const movedFrom = sql<
    string | null
  >`(SELECT group_concat(c.from_patient_id) FROM report_changes c WHERE c.report_id = reports.id)`.as("moved_from");
  const { id, patientId, hospitalId, status } = reports;
  return db
    .select({ id, patientId, hospitalId, status, isOwn, movedFrom })
    .from(reports)
    .where(sql`${reports.sha256} = ${sha256}`);
}

/** Holds for a file that is no report of another patient of the hospital: of two uploads of a device at once, one may have become one. */
function isNotFiledElsewhere({ patient, hospitalId }: Access, sha256: string): SQL {
  // `+` keeps SQLite from reading all reports of the hospital instead of those with the digest.
  return sql`NOT EXISTS (SELECT 1 FROM reports r WHERE r.sha256 = ${sha256} AND +r.patient_id <> ${patient.id}
    AND +r.hospital_id = ${hospitalId})`;
}

export async function storeMetrics({ keys, now }: Call, bucket: R2Bucket, id: string, metrics: ParsedMetrics): Promise<string> {
  const key = createObjectKey(keys.fields, now);
  await storeFile(bucket, keys.fields, key, metricsRecordId(id), metrics.bytes, metrics.bytes.length);
  return key;
}

export type NewReport = {
  id: string;
  kind: ReportKind;
  about: ReportFields;
  uploadedBy: { kind: "user" | "device" | "app"; id: string };
  /** Unix time in ms; null: not known. */
  measuredAt: number | null;
  /** Unix time in ms. Also the effective time, unless that of the measurement is known and not ahead of it. */
  receivedAt: number;
  fileName: string;
  size: number;
  sha256: string;
  fileKey: string;
  metricsKey: string | null;
  metrics: ParsedMetrics | null;
};

/**
 * The statements that insert the report, increment its counters and tell webhooks. The whole batch fails, with
 * `isConditionFailed(error, "reports.id")`, if `access` is no longer valid, `condition` does not hold, or a device's file is a report
 * of another patient by now.
 */
export async function insertReportStatements(
  call: Call,
  access: Access,
  report: NewReport,
  condition?: SQL,
): Promise<Statement[]> {
  const { db, keys, actor, now } = call;
  const { id, kind, about, metrics } = report;
  const status = "preliminary";
  const sealContext = { table: "reports", column: "file_name", id };
  const isStillValid = accessStillValid(actor, access, Date.now());
  const isFirst = access.basis === "device" ? isNotFiledElsewhere(access, report.sha256) : undefined;
  return [
    db.insert(reports).values({
      // The clock is read here: the upload may have taken minutes since the request began.
      id: sql`(SELECT ${id} WHERE ${and(isStillValid, isFirst, condition)})`,
      patientId: access.patient.id,
      hospitalId: access.hospitalId,
      kind,
      status,
      uploadedByKind: report.uploadedBy.kind,
      uploadedBy: report.uploadedBy.id,
      sessionType: about.session_type ?? null,
      confidence: about.confidence ?? null,
      heartRate: metrics?.heartRate ?? null,
      effectiveAt: findEffectiveTime(report),
      fileKey: report.fileKey,
      fileNameSealed: await sealValue(keys.fields, sealContext, report.fileName),
      fileSize: report.size,
      sha256: report.sha256,
      metricsKey: report.metricsKey,
      metricsSize: metrics?.bytes.length ?? null,
      createdAt: now,
      updatedAt: now,
    }),
    incrementCounters(
      db,
      countReport({
        hospitalId: access.hospitalId,
        patientId: access.patient.id,
        kind,
        status,
        confidence: about.confidence ?? null,
        createdAt: now,
      }),
    ),
    deleteOldDays(db, access.patient.id, now),
    ...publishEvent(db, actor, now, {
      type: "report.created",
      hospitalId: access.hospitalId,
      refs: { report_id: id, patient_id: access.patient.id },
    }),
  ];
}

/** Deletes the patient's counts of days that no statistic shows any more: each report would leave a row for ever. */
function deleteOldDays(db: Db, patientId: string, now: number): Statement {
  const firstShown = utcDayOf(now) - MAX_STATS_DAYS;
  return db.run(sql`DELETE FROM counters WHERE scope = ${COUNTER_SCOPES.patient(patientId)} AND day > 0 AND day < ${firstShown}`);
}

/** A time ahead of the receipt is a wrong clock: it was measured by then at the latest. */
function findEffectiveTime({ measuredAt, receivedAt }: NewReport): number {
  return measuredAt === null || isAhead(measuredAt, receivedAt) ? receivedAt : measuredAt;
}

type CountedReport = Pick<
  typeof reports.$inferSelect,
  "hospitalId" | "patientId" | "kind" | "status" | "confidence" | "createdAt"
>;

/** A report in the counters of the deployment, the hospital and the patient, for all time (day 0) and for its day (UTC). */
export function countReport(report: CountedReport, n: 1 | -1 = 1): CounterChange[] {
  const { hospitalId, patientId, kind, status, confidence, createdAt } = report;
  const name = `report|${kind}|${status}`;
  // A report that was entered in error has no part in the mean.
  const sum = status === "entered-in-error" ? null : confidence;
  return [COUNTER_SCOPES.all, COUNTER_SCOPES.hospital(hospitalId), COUNTER_SCOPES.patient(patientId)].flatMap((scope) => [
    { scope, day: 0, name, n },
    { scope, day: utcDayOf(createdAt), name, n },
    ...(sum === null ? [] : [{ scope, day: 0, name: "confidence", n, sum: n * sum }]),
  ]);
}
