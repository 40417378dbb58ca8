// Direct uploads: the sender puts a large file into R2 through a presigned URL and then confirms it, which makes the report.

import { sql } from "drizzle-orm";
import type { z } from "zod";
import { type Access, authorizePatient } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { type IdempotencyKey, type KeyStatements, runOnce } from "../../http/idempotency.ts";
import { batch, isUniqueViolation } from "../../platform/db/client.ts";
import { QUARANTINE_REASONS } from "../../platform/db/vocabulary.ts";
import { ApiError, type ErrorCode } from "../../platform/errors.ts";
import { createObjectKey, storeFile } from "../../platform/files.ts";
import { randomOpaqueId } from "../../platform/ids.ts";
import { toIso } from "../../platform/time.ts";
import { selectQuarantinedRepeat } from "../quarantine/quarantine.ts";
import { denyOwnDevice, findDuplicate, isClosedToDevice, isFiledElsewhere, isMovedFrom, resolveDestination } from "./destination.ts";
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
import { presignPut } from "./s3.ts";
import { settleAsReport, toNewReport } from "./settle-as-report.ts";
import { rejectsNonPdf } from "./upload.ts";
import {
  findMeasuredAt,
  newUploadAttempt,
  openDetail,
  recordUploadFailure,
  settleUpload,
  type UploadRow,
  uploadLogStatements,
} from "./upload-log.ts";
import type { QuarantinedRepeat } from "./upload-outcomes.ts";
import { checkMetricsSize, type DirectUploadInput, safeFileName } from "./upload-request.ts";

/**
 * Prefix of unconfirmed files. They are protected only by R2's own encryption until the confirmation seals them or the
 * sweep deletes them, within one hour. No key id of the key ring has this form, so the prefix is unambiguous.
 */
export const DIRECT_UPLOAD_PREFIX = "incoming/";
export const isDirectUploadKey = (key: string) => /^incoming\/[a-z2-7]{26}$/.test(key);

export const UPLOAD_LINK_SECONDS = 300;

export type DirectUploadTarget = {
  upload_id: string;
  method: "PUT";
  url: string;
  headers: Record<string, string>;
  expires_at: string;
};

/** @throws ApiError direct_uploads_off, not_found (a patient the caller may not write for), too_large (metrics) */
export async function beginDirectUpload(
  call: Call,
  env: Env,
  idempotencyKey: IdempotencyKey,
  input: z.infer<typeof DirectUploadInput>,
): Promise<DirectUploadTarget> {
  return runOnce(
    call,
    idempotencyKey,
    input,
    (keyStatements) => createDirectUpload(call, env, input, keyStatements),
    (id) => reissueLink(call, env, id),
  );
}

async function createDirectUpload(
  call: Call,
  env: Env,
  input: z.infer<typeof DirectUploadInput>,
  keyStatements: KeyStatements,
): Promise<DirectUploadTarget> {
  const { now } = call;
  const { size, sha256, file_name, metrics, ...about } = input;
  const attempt = { ...newUploadAttempt(call), sha256, size, fileName: safeFileName(file_name ?? ""), accessChecked: true };
  try {
    const { measuredAt, device, access, reason } = await resolveDestination(call, about);
    // A device without a patient, or of a closed record, uses the ordinary upload. Of an unclear patient, the confirmation decides.
    if (reason === "not_found" || reason === "record_closed")
      return await denyAccess(call, "report:create", "not_found", { role: "device", hospitalId: device?.hospitalId ?? null });
    const kind = about.kind ?? toReportKind(device?.kind) ?? "ecg";
    const text = typeof metrics === "string" || metrics === undefined ? (metrics ?? null) : JSON.stringify(metrics);
    const hospitalId = access?.hospitalId ?? device?.hospitalId;
    Object.assign(attempt, { kind, hospitalId, patientId: access?.patient.id ?? null });
    if (text) checkMetricsSize(new TextEncoder().encode(text));
    const incomingKey = `${DIRECT_UPLOAD_PREFIX}${randomOpaqueId()}`;
    const link = await presignUpload(env, incomingKey, size, sha256);
    const requestDetail = { about, metrics: text, measured_at: measuredAt };
    const expected = { incomingKey, expiresAt: now + UPLOAD_LINK_SECONDS * 1000 };
    // The day's bytes are counted now: the link lets the sender store them before the confirmation, which counts the others
    // against the same grant or the same quotas.
    const storedFiles = { bytes: size, counts: "day" as const };
    const log = {
      outcome: "awaiting",
      ...(reason && { reason }),
      expected,
      requestDetail,
      event: "upload.begin",
      action: "C",
      access,
      storedFiles,
    } as const;
    await batch(call.db, [...(await uploadLogStatements(call, attempt, log)), ...keyStatements(attempt.id)]);
    return toDirectUploadTarget(attempt.id, link, expected.expiresAt);
  } catch (error) {
    // A concurrent request with the same key succeeded and its result is returned: this is not a failure.
    if (!isUniqueViolation(error, "idempotency_keys")) await recordUploadFailure(call, attempt, error);
    throw error;
  }
}

const presignUpload = (env: Env, key: string, size: number, sha256: string) =>
  presignPut(env, key, { contentType: "application/pdf", size, sha256, seconds: UPLOAD_LINK_SECONDS });

function toDirectUploadTarget(
  upload_id: string,
  link: { url: string; headers: Record<string, string> },
  expiresAt: number,
): DirectUploadTarget {
  return { upload_id, method: "PUT", ...link, expires_at: toIso(expiresAt) };
}

/** Replay of an idempotency key: a new URL for the same object while the upload is still awaited. */
async function reissueLink(call: Call, env: Env, id: string): Promise<DirectUploadTarget> {
  const [row] = await selectDirectUpload(call, id);
  if (!row) return denyUnknownUpload(call, id);
  const sender = await authorizeSender(call, row);
  if (!row.incomingKey) throw new ApiError("conflict", "This upload has ended. Begin a new one with a new Idempotency-Key.");
  const link = await presignUpload(env, row.incomingKey, row.fileSize ?? 0, row.sha256 ?? "");
  const expiresAt = call.now + UPLOAD_LINK_SECONDS * 1000;
  const [settled] = await batch(call.db, settleUpload(call, row, { expiresAt }, toAuditEvent(row, sender, "upload.replay")));
  if (settled.length === 0) throw new ApiError("conflict", "This upload has ended. Begin a new one with a new Idempotency-Key.");
  return toDirectUploadTarget(id, link, expiresAt);
}

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
