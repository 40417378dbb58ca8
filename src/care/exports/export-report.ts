// One report as a PDF or DOCX file, made when it is asked for; nothing is stored.
import { eq } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { type Access, accessAllows } from "../../access/patient-access.ts";
import { batch } from "../../platform/db/client.ts";
import { hospitals, notificationSettings } from "../../platform/db/schema.ts";
import { computeQtc } from "../../reports/reading/qtc.ts";
import { loadMetrics, type ReportRow, requireReport, toReadEvent, toReport } from "../../reports/reading/report.ts";
import { localDay } from "./local-format.ts";
import { renderDocument } from "./render.ts";
import type { DocumentFormat, DocumentRenderer } from "./renderer.ts";
import { type ExportedReport, reportModel } from "./report-model.ts";
import { readSignedContent } from "./signed-content.ts";
import type { ExportLanguage } from "./word-list.ts";

export type ReportExport = { bytes: Uint8Array; type: string; name: string };

const TYPES: Record<DocumentFormat, string> = {
  pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
};

/**
 * @param language undefined: that of the caller's notifications, else English
 * @throws ApiError not_found, render_unavailable
 */
export async function exportReport(
  call: Call,
  { FILES: bucket }: Pick<Env, "FILES">,
  renderer: DocumentRenderer,
  id: string,
  { format, language }: { format: DocumentFormat; language?: ExportLanguage | undefined },
): Promise<ReportExport> {
  const { row, access } = await requireReport(call, id);
  const stored = appendAuditEvent(call, toReadEvent(access, id, { event: "report.export", detail: { format } }));
  const source = await afterAudit(stored, readSource(call, bucket, row, access, language));
  const { bytes } = await renderDocument(renderer, reportModel(source), format);
  const day = localDay(row.effectiveAt, source.hospital.time_zone);
  const subject = source.patient.number ?? "export";
  return { bytes, type: TYPES[format], name: `report-${subject}-${day}.${format}` };
}

/** Two statements in one round trip, and at most two objects of R2. */
async function readSource(
  call: Call,
  bucket: R2Bucket,
  row: ReportRow,
  access: Access,
  language: ExportLanguage | undefined,
): Promise<ExportedReport> {
  const isDevice = access.basis === "device";
  const showIdentity = !isDevice && accessAllows(access, "patient:read");
  const [{ hospital, known }, report, metrics, written] = await Promise.all([
    readSetting(call, row.hospitalId),
    toReport(call, row, access.patient, showIdentity),
    loadMetrics(call, bucket, row),
    readSignedContent(call, bucket, row),
  ]);
  const { patient } = report;
  return {
    language: language ?? known,
    hospital,
    patient: {
      number: isDevice ? null : patient.patient_number,
      name: patient.name,
      date_of_birth: patient.date_of_birth,
      gender: patient.gender,
    },
    report: {
      ...report,
      comment: isDevice ? null : report.comment,
      is_written: row.contentType === "application/json",
    },
    metrics,
    qtc: computeQtc(metrics.metrics),
    ...written,
    now: call.now,
  };
}

/** The letterhead, and the language of the caller. */
async function readSetting({ db, actor }: Call, hospitalId: string) {
  const { name, address, phone, email, timeZone } = hospitals;
  const userId = actor.kind === "user" ? actor.userId : "";
  const [[hospital], [settings]] = await batch(db, [
    db.select({ name, address, phone, email, time_zone: timeZone }).from(hospitals).where(eq(hospitals.id, hospitalId)),
    db
      .select({ language: notificationSettings.language })
      .from(notificationSettings)
      .where(eq(notificationSettings.userId, userId)),
  ]);
  if (!hospital) throw new Error("a report without a hospital");
  return { hospital, known: settings?.language ?? "en" };
}
