// The second step of a direct upload: the file in the bucket is verified, sealed and filed, or refused.
import { sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { type Access, authorizePatient } from "../../access/patient-access.ts";
import { batch } from "../../platform/db/client.ts";
import { QUARANTINE_REASONS } from "../../platform/db/vocabulary.ts";
import { ApiError, type ErrorCode } from "../../platform/errors.ts";
import { createObjectKey, storeFile } from "../../platform/files.ts";
import { selectQuarantinedRepeat } from "../quarantine/quarantine.ts";
import { denyOwnDevice, findDuplicate, isClosedToDevice, isFiledElsewhere, isMovedFrom } from "./destination.ts";
import {
  type QuarantinedDirectUpload,
  quarantineDirectUpload,
  quarantineNonPdf,
  repeatQuarantined,
  replayQuarantine,
} from "./direct-quarantine.ts";
import { authorizeSender, denyUnknownUpload, failMoved, type Sender, selectDirectUpload, toAuditEvent } from "./direct-sender.ts";
import { parseMetrics } from "./metrics.ts";
import { fileRecordId, replayAction, selectSameFile, storeMetrics, toReportKind } from "./new-report.ts";
import { inspectPdfStream } from "./pdf.ts";
import { settleAsReport, toNewReport } from "./settle-as-report.ts";
import { rejectsNonPdf } from "./upload.ts";
import { findMeasuredAt, openDetail, settleUpload, type UploadRow } from "./upload-log.ts";
import type { QuarantinedRepeat } from "./upload-outcomes.ts";

/** Attempts per request while concurrent requests settle the same upload. */
const MAX_ATTEMPTS = 3;

export type ConfirmedUpload = { uploadId: string; reportId: string; status: 200 | 201 } | QuarantinedDirectUpload;

/**
 * Verifies the uploaded file, seals it and creates the report. Idempotent.
 * @throws ApiError not_found (another sender's upload, or access has ended), conflict (no file, or the upload has ended),
 * not_pdf, length_mismatch, digest_mismatch
 */
export async function confirmDirectUpload(call: Call, bucket: R2Bucket, id: string): Promise<ConfirmedUpload> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const result = await tryConfirmUpload(call, bucket, id);
    if (result) return result;
  }
  throw new ApiError("unavailable");
}

async function tryConfirmUpload(call: Call, bucket: R2Bucket, id: string): Promise<ConfirmedUpload | null> {
  const sha256 = sql`(SELECT sha256 FROM uploads WHERE id = ${id})`;
  const [[row], sameFile, [repeated]] = await batch(call.db, [
    selectDirectUpload(call, id),
    selectSameFile(call, sha256),
    call.db.all<QuarantinedRepeat>(selectQuarantinedRepeat(call, sha256)),
  ]);
  if (!row) return denyUnknownUpload(call, id);
  const confirmed = sameFile.find(({ id }) => id === row.reportId);
  if (call.actor.kind !== "device" && isMovedFrom(confirmed, row.patientId)) return failMoved(call, row);
  if (row.reportId) return replayConfirmation(call, row, row.reportId);
  const sender = await authorizeSender(call, row);
  const { access } = sender;
  if (repeated && (row.outcome === "quarantined" || row.outcome === "duplicate"))
    return replayQuarantine(call, row, sender, repeated);
  if (row.outcome !== "awaiting" || !row.incomingKey)
    return rejectSettledUpload(call, row, sender, "This upload has ended. Begin a new one.");
  if (access && isClosedToDevice(access)) return rejectSettledUpload(call, row, sender, "The patient record is closed.");
  const object = await bucket.get(row.incomingKey);
  if (!object) return rejectSettledUpload(call, row, sender, "The file has not arrived.");
  const existing = findDuplicate(sameFile, access, (await openDetail(call, row)).about);
  const confirmation = { call, bucket, row, sender, object, incomingKey: row.incomingKey };
  try {
    if (existing) return await confirmDuplicate(confirmation, existing.id);
    if (!access) return await confirmQuarantine(confirmation, repeated, row.reason);
    const isElsewhere = isFiledElsewhere(sameFile, access);
    if (isElsewhere && access.isPatientOwned) return await denyOwnDevice(call, access, access);
    if (isElsewhere) return await confirmQuarantine(confirmation, repeated, "same_file_elsewhere");
    return await confirmNew({ ...confirmation, access, repeated });
  } catch (error) {
    if (error instanceof ApiError && FILE_ERRORS.includes(error.code)) await rejectFile(confirmation, error);
    throw error;
  }
}

/** Permanent errors: a second confirmation of the same bytes would fail in the same way. */
const FILE_ERRORS: readonly ErrorCode[] = ["length_mismatch", "digest_mismatch", "not_pdf"];

type Confirmation = {
  call: Call;
  bucket: R2Bucket;
  row: UploadRow;
  sender: Sender;
  object: R2ObjectBody;
  incomingKey: string;
};

/** Records and throws a conflict for an upload's outcome. @returns null if the outcome has changed meanwhile: try again */
async function rejectSettledUpload(call: Call, row: UploadRow, sender: Sender, detail: string): Promise<null> {
  const { db, actor, now } = call;
  const sameOutcome = sql`EXISTS (SELECT 1 FROM uploads WHERE id = ${row.id} AND outcome = ${row.outcome})`;
  const failed = {
    ...toAuditEvent(row, sender, "upload.settle"),
    outcome: "failed",
    reason: "conflict",
    when: sameOutcome,
  } as const;
  const [[current]] = await batch(db, [selectDirectUpload(call, row.id), ...recordAuditEvent(db, actor, now, failed)]);
  if (current?.outcome === row.outcome) throw new ApiError("conflict", detail);
  return null;
}

async function replayConfirmation(call: Call, row: UploadRow, reportId: string): Promise<ConfirmedUpload> {
  const access = await authorizePatient(call, { report: reportId }, replayAction(call.actor));
  const { db, actor, now } = call;
  const event = toAuditEvent(row, { ...access, access }, "report.replay", reportId);
  await batch(db, recordAuditEvent(db, actor, now, { ...event, action: "R" }));
  return { uploadId: row.id, reportId, status: row.outcome === "stored" ? 201 : 200 };
}

/** Streams the bytes; fails if size or digest are not as announced, and if it is no PDF as `rejectsNonPdf` says. */
const verifyBytes = ({ call, object, row, sender }: Confirmation) =>
  inspectPdfStream(object.body, { size: row.fileSize ?? 0, sha256: row.sha256 ?? "" }, rejectsNonPdf(call, sender.access));

/** @param storedReason why the patient was unclear when the upload began, or is now */
async function confirmQuarantine(
  confirmation: Confirmation,
  repeated: QuarantinedRepeat | undefined,
  storedReason: string | null,
) {
  const quarantine = { ...confirmation, bytes: verifyBytes(confirmation).stream };
  if (repeated) return repeatQuarantined(quarantine, repeated);
  const reason = QUARANTINE_REASONS.find((known) => known === storedReason) ?? "not_found";
  return quarantineDirectUpload({ ...quarantine, reason });
}

async function confirmDuplicate(confirmation: Confirmation, reportId: string): Promise<ConfirmedUpload | null> {
  const { call, bucket, row, sender, incomingKey } = confirmation;
  for await (const _ of verifyBytes(confirmation).stream);
  const change = { outcome: "duplicate", reportId, incomingKey: null } as const;
  const event = { ...toAuditEvent(row, sender, "report.duplicate", reportId), action: "R" } as const;
  const [settled] = await batch(call.db, settleUpload(call, row, change, event));
  if (settled.length === 0) return null;
  await bucket.delete(incomingKey);
  return { uploadId: row.id, reportId, status: 200 };
}

/** A device's file that is no PDF goes to quarantine, as in the other uploads. */
async function confirmNew(
  confirmation: Confirmation & { access: Access; repeated: QuarantinedRepeat | undefined },
): Promise<ConfirmedUpload | null> {
  const { call, bucket, row, sender, access, incomingKey } = confirmation;
  const { keys, now } = call;
  const detail = await openDetail(call, row);
  const kind = toReportKind(row.kind ?? undefined) ?? "other";
  const size = row.fileSize ?? 0;
  const fileKey = createObjectKey(keys.fields, now);
  const { stream, result } = verifyBytes(confirmation);
  await storeFile(bucket, keys.fields, fileKey, fileRecordId(row.id), stream, size);
  if (!result.isPdf) return quarantineNonPdf(confirmation, fileKey, confirmation.repeated);
  const metrics = detail.metrics ? parseMetrics(kind, new TextEncoder().encode(detail.metrics)) : null;
  const metricsKey = metrics ? await storeMetrics(call, bucket, row.id, metrics) : null;
  const { deviceId } = access;
  const measuredAt = findMeasuredAt(detail);
  const report = toNewReport(row, detail, { kind, deviceId, measuredAt, receivedAt: now, fileKey, metricsKey, metrics });
  const settled = await settleAsReport(call, bucket, {
    row,
    access,
    report,
    change: { outcome: "stored", reportId: row.id, incomingKey: null },
    event: {
      ...toAuditEvent(row, sender, "report.create", row.id),
      storedFiles: { bytes: size + (metrics?.bytes.length ?? 0), counts: "total" },
      importGrant: detail.import_grant ?? null,
    },
    newFiles: metricsKey ? [fileKey, metricsKey] : [fileKey],
  });
  if (!settled) return null;
  await bucket.delete(incomingKey);
  return { uploadId: row.id, reportId: row.id, status: 201 };
}

/** Ends an upload whose file is not as announced or not a PDF, and deletes the unsealed file at once. */
async function rejectFile({ call, bucket, row, sender, incomingKey }: Confirmation, error: ApiError): Promise<void> {
  const change = { outcome: "refused", reason: error.code, incomingKey: null } as const;
  const event = { ...toAuditEvent(row, sender, "report.refuse"), outcome: "failed", reason: error.code } as const;
  await batch(call.db, settleUpload(call, row, change, event));
  await bucket.delete(incomingKey);
}
