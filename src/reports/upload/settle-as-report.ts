// Turns a row of the upload log into a report: the shared end of confirming a direct upload and of assigning from quarantine.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import type { AuditEvent } from "../../access/audit.ts";
import type { Access } from "../../access/patient-access.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { isQuotaError } from "../../platform/storage-quotas.ts";
import type { ReportKind } from "./metric-ranges.ts";
import type { ParsedMetrics } from "./metrics.ts";
import { insertReportStatements, type NewReport } from "./new-report.ts";
import { settleUpload, type UploadDetail, type UploadRow } from "./upload-log.ts";

type ReportContent = {
  kind: ReportKind;
  /** The device that sent the file; null for people and apps. */
  deviceId: string | null;
  /** Unix times in ms; null: not known. */
  measuredAt: number | null;
  receivedAt: number;
  fileKey: string;
  metricsKey: string | null;
  metrics: ParsedMetrics | null;
};

/** The report takes over the id of the upload, which owns the sealed files. */
export function toNewReport(row: UploadRow, detail: UploadDetail, { deviceId, ...content }: ReportContent): NewReport {
  return {
    ...content,
    id: row.id,
    about: detail.about ?? {},
    uploadedBy: deviceId ? { kind: "device", id: deviceId } : { kind: row.actorKind, id: row.actorId },
    fileName: detail.file_name ?? "report.pdf",
    size: row.fileSize ?? 0,
    sha256: row.sha256 ?? "",
  };
}

type Settlement = {
  row: UploadRow;
  access: Access;
  report: NewReport;
  change: Partial<UploadRow>;
  event: AuditEvent;
  /** Keys of the files that were stored for this report. */
  newFiles: string[];
};

/**
 * Writes the report and settles the upload in one batch, if the upload still has the outcome that was read.
 * @returns false, with the new files deleted, if another request settled it, access ended or the patient has the same file
 */
export async function settleAsReport(call: Call, bucket: R2Bucket, settlement: Settlement): Promise<boolean> {
  const { row, access, report, change, event, newFiles } = settlement;
  const isUnsettled = sql`EXISTS (SELECT 1 FROM uploads WHERE id = ${row.id} AND outcome = ${row.outcome})`;
  try {
    await batch(call.db, [
      ...(await insertReportStatements(call, access, report, isUnsettled)),
      ...settleUpload(call, row, change, event),
    ]);
    return true;
  } catch (error) {
    // Only these errors prove that nothing was written. After others a row may exist that names the files.
    const isSuperseded = isConditionFailed(error, "reports.id") || isUniqueViolation(error, "reports.sha256");
    if ((isSuperseded || isQuotaError(error)) && newFiles.length > 0) await bucket.delete(newFiles);
    if (!isSuperseded) throw error;
    return false;
  }
}
