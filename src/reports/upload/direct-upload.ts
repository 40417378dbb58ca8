// Direct uploads: the sender puts a large file into R2 through a presigned URL, and then confirms it (confirm-direct-upload.ts).

import type { z } from "zod";
import type { Call } from "../../access/actor.ts";
import { denyAccess } from "../../access/deny.ts";
import { safeFileName } from "../../http/form-body.ts";
import { type IdempotencyKey, type KeyStatements, runOnce } from "../../http/idempotency.ts";
import { batch, isUniqueViolation } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { randomOpaqueId } from "../../platform/ids.ts";
import { toIso } from "../../platform/time.ts";
import { resolveDestination } from "./destination.ts";
import { authorizeSender, denyUnknownUpload, selectDirectUpload, toAuditEvent } from "./direct-sender.ts";
import { toReportKind } from "./new-report.ts";
import { presignPut } from "./s3.ts";
import { newUploadAttempt, recordUploadFailure, settleUpload, uploadLogStatements } from "./upload-log.ts";
import { checkMetricsSize, DEFAULT_FILE_NAME, type DirectUploadInput } from "./upload-request.ts";

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
  const attempt = {
    ...newUploadAttempt(call),
    sha256,
    size,
    fileName: safeFileName(file_name ?? "", DEFAULT_FILE_NAME),
    accessChecked: true,
  };
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
