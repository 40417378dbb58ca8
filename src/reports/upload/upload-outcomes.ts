// The batches that end an upload: each writes its outcome, idempotency key, log row and audit event together.
import { sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import type { Access } from "../../access/patient-access.ts";
import { type IdempotencyKey, type Replay, recordIdempotencyKey } from "../../http/idempotency.ts";
import { publishEvent } from "../../notifications/webhooks/publish.ts";
import { batch, isConditionFailed } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { selectQuarantinedRepeat } from "../quarantine/quarantine.ts";
import type { Destination, QuarantineReason, SameFile } from "./destination.ts";
import type { ParsedMetrics } from "./metrics.ts";
import { insertReportStatements } from "./new-report.ts";
import { type UploadAttempt, uploadLogStatements } from "./upload-log.ts";
import type { UploadRequest } from "./upload-request.ts";

export type UploadResult =
  | { outcome: "stored" | "replayed"; status: number; uploadId: string; reportId: string }
  | { outcome: "duplicate"; status: number; uploadId: string; reportId: string; isInError: boolean }
  | { outcome: "quarantined"; status: number; uploadId: string; reason: QuarantineReason };

/** One upload in progress. */
export type UploadJob = {
  call: Call;
  bucket: R2Bucket;
  incoming: UploadRequest;
  attempt: UploadAttempt;
  idempotencyKey: IdempotencyKey;
  /** SHA-256 over file, fields and metrics. */
  bodyHash: string;
};

export type StoredFiles = { fileKey: string; isPdf: boolean; metricsKey: string | null; metrics: ParsedMetrics | null };
/** An earlier upload of the same file, which is in quarantine. */
export type QuarantinedRepeat = { id: string; reason: QuarantineReason };

/** Bytes of file and metrics, as received. */
export const totalBytes = ({ attempt, incoming }: UploadJob) => (attempt.size ?? 0) + (incoming.metrics?.length ?? 0);

const keyStatements = ({ call, idempotencyKey, bodyHash }: UploadJob, replay: Replay) =>
  recordIdempotencyKey(call, idempotencyKey, bodyHash, replay);

/** The fields and metrics of the request, for the log row of a file that makes no report. */
function toRequestDetail({ fields: about, metrics }: UploadRequest) {
  return { about, metrics: metrics ? new TextDecoder().decode(metrics) : null };
}

export async function commitReport(
  job: UploadJob,
  { access, measuredAt }: { access: Access; measuredAt: number | null },
  files: StoredFiles,
): Promise<UploadResult> {
  const { call, attempt, incoming } = job;
  const { id, size, sha256, fileName } = attempt;
  const { actor, now } = call;
  const uploadedBy = access.deviceId
    ? ({ kind: "device", id: access.deviceId } as const)
    : ({ kind: actor.kind === "app" ? "app" : "user", id: getActorId(actor) } as const);
  const report = {
    ...files,
    id,
    kind: attempt.kind ?? incoming.defaultKind,
    about: incoming.fields,
    uploadedBy,
    measuredAt,
    receivedAt: now,
    fileName: fileName ?? "report.pdf",
    size: size ?? 0,
    sha256: sha256 ?? "",
  };
  const storedFiles = { bytes: totalBytes(job) };
  const log = { outcome: "stored", reportId: id, event: "report.create", action: "C", access, storedFiles } as const;
  await batch(call.db, [
    ...(await insertReportStatements(call, access, report)),
    ...keyStatements(job, { resourceId: id, status: 201 }),
    ...(await uploadLogStatements(call, attempt, log)),
  ]);
  return { outcome: "stored", status: 201, uploadId: id, reportId: id };
}

/** Puts a stored file into quarantine; null, with the file deleted, if the same device already has the same file there. */
export async function commitQuarantine(
  job: UploadJob,
  { measuredAt }: Pick<Destination, "measuredAt">,
  fileKey: string,
  reason: QuarantineReason,
): Promise<UploadResult | null> {
  const { call, bucket, attempt } = job;
  const unlessFound = selectQuarantinedRepeat(call, attempt.sha256 ?? "");
  const requestDetail = { ...toRequestDetail(job.incoming), measured_at: measuredAt };
  const log = {
    outcome: "quarantined",
    reason,
    fileKey,
    requestDetail,
    unlessFound,
    event: "report.quarantine",
    action: "C",
    storedFiles: { bytes: totalBytes(job) },
  } as const;
  try {
    await batch(call.db, [
      ...(await uploadLogStatements(call, attempt, log)),
      ...keyStatements(job, { resourceId: attempt.id, status: 202 }),
      ...publishEvent(call.db, call.actor, call.now, {
        type: "upload.quarantined",
        hospitalId: attempt.hospitalId,
        refs: { upload_id: attempt.id },
      }),
    ]);
  } catch (error) {
    if (!isConditionFailed(error, "uploads.id")) throw error;
    await bucket.delete(fileKey);
    return null;
  }
  return { outcome: "quarantined", status: 202, uploadId: attempt.id, reason };
}

/** The report stays as it is; the log keeps the fields and metrics of this attempt. */
export async function recordDuplicate(
  job: UploadJob,
  access: Access | null,
  { id: reportId, patientId, status: reportStatus }: SameFile,
): Promise<UploadResult> {
  const { call } = job;
  const attempt = { ...job.attempt, patientId };
  const requestDetail = toRequestDetail(job.incoming);
  const log = { outcome: "duplicate", reportId, requestDetail, event: "report.duplicate", action: "R", access } as const;
  await batch(call.db, [
    ...keyStatements(job, { resourceId: reportId, status: 200 }),
    ...(await uploadLogStatements(call, attempt, log)),
  ]);
  const isInError = reportStatus === "entered-in-error";
  return { outcome: "duplicate", status: 200, uploadId: attempt.id, reportId, isInError };
}

/** Answers with the earlier upload in quarantine; no second copy of the file is kept. */
export async function recordQuarantineRepeat(job: UploadJob, original: QuarantinedRepeat): Promise<UploadResult> {
  const { call, attempt, incoming } = job;
  const requestDetail = toRequestDetail(incoming);
  const log = { outcome: "duplicate", repeats: original.id, requestDetail, event: "report.duplicate", action: "R" } as const;
  const replay = { resourceId: original.id, status: 202 };
  await batch(call.db, [...keyStatements(job, replay), ...(await uploadLogStatements(call, attempt, log))]);
  return { outcome: "quarantined", status: 202, uploadId: original.id, reason: original.reason };
}

export async function recordReplay(
  { call, attempt }: UploadJob,
  access: Access | null,
  { resourceId, status }: Replay,
): Promise<UploadResult> {
  const quarantined = status === 202;
  if (!quarantined && !access) throw new ApiError("unavailable");
  const reportId = quarantined ? null : resourceId;
  const log = { outcome: "replayed", reportId, event: "report.replay", action: "R", access } as const;
  const [originals] = await batch(call.db, [
    call.db.all<QuarantinedRepeat>(sql`SELECT id, reason FROM uploads WHERE id = ${resourceId} AND ${quarantined}`),
    ...(await uploadLogStatements(call, attempt, log)),
  ]);
  const reason = originals[0]?.reason ?? "not_found";
  if (quarantined) return { outcome: "quarantined", status, uploadId: resourceId, reason };
  return { outcome: "replayed", status, uploadId: attempt.id, reportId: resourceId };
}
