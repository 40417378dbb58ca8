// The main job: a machine's report becomes a sealed file, one row, its counters, its log line and its audit event.
import { type Access, accessStillValid, authorizePatient } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { denyAccess } from "../../access/deny.ts";
import {
  type IdempotencyKey,
  type Replay,
  recordIdempotencyKey,
  resolveReplay,
  selectIdempotencyKey,
} from "../../http/idempotency.ts";
import { sha256Hex } from "../../platform/crypto.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { ApiError, type ErrorCode } from "../../platform/errors.ts";
import { createObjectKey, storeFile } from "../../platform/files.ts";
import { selectQuarantinedRepeat } from "../quarantine/quarantine.ts";
import type { ReportKind } from "./metric-ranges.ts";
import { type ParsedMetrics, parseMetrics } from "./metrics.ts";
import {
  fileRecordId,
  insertReportStatements,
  replayAction,
  resolvePatient,
  selectSameFile,
  storeMetrics,
  toReportKind,
} from "./new-report.ts";
import { inspectPdf, inspectPdfStream } from "./pdf.ts";
import { checkQuota, countBytesStatements, isQuotaExceeded, quotaExceededError, selectBytesToday } from "./quota.ts";
import { newUploadAttempt, recordUploadFailure, type UploadAttempt, uploadLogStatements } from "./upload-log.ts";
import type { UploadRequest } from "./upload-request.ts";

export type UploadResult =
  | { outcome: "stored" | "duplicate" | "replayed"; status: number; uploadId: string; reportId: string }
  | { outcome: "quarantined"; status: number; uploadId: string; reason: ErrorCode };

/** One upload on its way in. */
type UploadJob = {
  call: Call;
  bucket: R2Bucket;
  incoming: UploadRequest;
  attempt: UploadAttempt;
  idempotencyKey: IdempotencyKey;
  /** What a key was first used with: file, fields and metrics. */
  bodyHash: string;
};

/**
 * Takes an upload in. Every attempt of an authenticated caller leaves a row in the upload log.
 * @param read reads the request, of a raw body the headers alone
 * @throws ApiError not_found (a patient the caller may not write for), not_pdf, digest_mismatch, invalid_request, …
 */
export async function receiveUpload(
  call: Call,
  bucket: R2Bucket,
  idempotencyKey: IdempotencyKey | Promise<IdempotencyKey>,
  read: () => Promise<UploadRequest>,
): Promise<UploadResult> {
  const attempt = newUploadAttempt(call);
  try {
    const resolvedKey = await idempotencyKey;
    const incoming = await read();
    const inspected = incoming.isForm ? inspectPdf(incoming.bytes) : incoming;
    Object.assign(attempt, { fileName: incoming.fileName, sha256: inspected.sha256, size: inspected.size });
    const metrics = incoming.metrics ? await sha256Hex(new Uint8Array(incoming.metrics)) : "";
    const bodyHash = await sha256Hex(JSON.stringify([inspected.sha256, incoming.fields, metrics]));
    return await processUpload({ call, bucket, incoming, attempt, idempotencyKey: resolvedKey, bodyHash });
  } catch (error) {
    await recordUploadFailure(call, attempt, error);
    throw error;
  }
}

async function processUpload(job: UploadJob): Promise<UploadResult> {
  const { call, incoming, attempt } = job;
  const { replay, sameFile, repeated, used } = await findPrior(job);
  attempt.accessChecked = true;
  if (replay?.status === 201) return replayReport(job, replay);

  const { device, access } = await resolvePatient(call, incoming.fields);
  const kind = incoming.fields.kind ?? toReportKind(device?.kind) ?? incoming.defaultKind;
  Object.assign(attempt, { kind, hospitalId: access?.hospitalId ?? device?.hospitalId, patientId: access?.patient.id ?? null });
  attempt.quotaOwnerId = device?.deviceId ?? (call.actor.kind === "app" ? call.actor.credentialId : null);
  if (replay?.status === 202) return recordReplay(job, access, replay);
  const existing = sameFile.find((report) => report.patientId === access?.patient.id);
  if (replay && replay.resourceId !== existing?.id) {
    return denyAccess(call, "report:create", "not_found", { role: access?.role ?? "device", hospitalId: attempt.hospitalId });
  }
  if (!device && incoming.isForm && !inspectPdf(incoming.bytes).isPdf) throw new ApiError("not_pdf");
  const metrics = incoming.metrics && access ? parseMetrics(kind, incoming.metrics) : null;
  try {
    if (existing && access) {
      await drainAndVerify(incoming);
      return await (replay ? recordReplay(job, access, replay) : recordDuplicate(job, access, existing.id));
    }
    if (repeated && !access) {
      await drainAndVerify(incoming);
      return await recordRepeat(job, repeated);
    }
    if (attempt.quotaOwnerId) checkQuota(used, totalBytes(job), call.now);
    return await storeUpload(job, access, kind, metrics, device === null);
  } catch (error) {
    if (isQuotaExceeded(error)) throw quotaExceededError(call.now);
    if (!isRaceLost(error)) throw error;
    return resolveLostRace(job, access);
  }
}

type QuarantinedRepeat = { id: string; reason: ErrorCode };

/** The key's earlier use, what holds the same file, today's bytes: one round trip, before anything is decided. */
async function findPrior({ call, idempotencyKey, bodyHash, attempt }: UploadJob) {
  const [keys, sameFile, repeated, bytes] = await batch(call.db, [
    selectIdempotencyKey(call, idempotencyKey),
    selectSameFile(call, attempt.sha256 ?? ""),
    call.db.all<QuarantinedRepeat>(selectQuarantinedRepeat(call, attempt.sha256 ?? "")),
    selectBytesToday(call),
  ]);
  const replay = idempotencyKey ? resolveReplay(keys[0], bodyHash, call.now) : null;
  return { replay, sameFile, repeated: repeated[0], used: bytes[0]?.n ?? 0 };
}

/** Under the rights of now, to the report itself: the device that made it may serve another patient by now. */
async function replayReport(job: UploadJob, replay: Replay): Promise<UploadResult> {
  const access = await authorizePatient(job.call, { report: replay.resourceId }, replayAction(job.call.actor));
  Object.assign(job.attempt, { hospitalId: access.hospitalId, patientId: access.patient.id });
  await drainAndVerify(job.incoming);
  return recordReplay(job, access, replay);
}

/** What is answered for a raw body by its announced digest is answered only once its bytes have that digest. */
async function drainAndVerify(incoming: UploadRequest): Promise<void> {
  if (incoming.isForm) return;
  const bytes = inspectPdfStream(incoming.chunks, incoming, false).stream[Symbol.asyncIterator]();
  while (!(await bytes.next()).done);
}

/** Blob before row. @param strict refuse what is no PDF, instead of putting it into quarantine */
async function storeUpload(
  job: UploadJob,
  access: Access | null,
  kind: ReportKind,
  metrics: ParsedMetrics | null,
  strict: boolean,
): Promise<UploadResult> {
  const { call, bucket } = job;
  const files: string[] = [];
  try {
    const { fileKey, isPdf } = await storeCheckedPdf(job, strict);
    files.push(fileKey);
    if (!access || !isPdf) return await quarantineUpload(job, fileKey, access ? "not_pdf" : "not_found");
    const metricsKey = metrics ? await storeMetrics(call, bucket, job.attempt.id, metrics) : null;
    if (metricsKey) files.push(metricsKey);
    return await insertReport(job, access, { fileKey, metricsKey, metrics, kind });
  } catch (error) {
    const [fileKey] = files;
    if (access && fileKey && isConditionFailed(error, "reports.id")) return onAccessLost(job, access, files, fileKey);
    // Only a lost race and the quota say for certain that nothing was written. After any other error the files stay for
    // a row that may exist, and the sweep takes them if it does not.
    if ((isRaceLost(error) || isQuotaExceeded(error)) && files.length > 0) await bucket.delete(files);
    throw error;
  }
}

/** The right ended while the body came: a device's report goes to quarantine, a person's is refused as the gate says now. */
async function onAccessLost(job: UploadJob, access: Access, files: string[], fileKey: string): Promise<UploadResult> {
  const { call, bucket, incoming, attempt } = job;
  attempt.patientId = null;
  const device = call.actor.kind === "device" ? (await resolvePatient(call, incoming.fields)).device : null;
  if (device) return quarantineUpload(job, fileKey, "not_found");
  await bucket.delete(files);
  await authorizePatient(call, { patient: access.patient.id }, "report:create");
  throw new ApiError("unavailable");
}

function isRaceLost(error: unknown): boolean {
  return isUniqueViolation(error, "reports.sha256") || isUniqueViolation(error, "idempotency_keys");
}

async function storeCheckedPdf({ call, bucket, incoming, attempt }: UploadJob, strict: boolean) {
  const { keys, now } = call;
  const fileKey = createObjectKey(keys.fields, now);
  const { stream, result } = incoming.isForm
    ? { stream: incoming.bytes, result: inspectPdf(incoming.bytes) }
    : inspectPdfStream(incoming.chunks, incoming, strict);
  await storeFile(bucket, keys.fields, fileKey, fileRecordId(attempt.id), stream, attempt.size ?? 0);
  return { fileKey, isPdf: result.isPdf };
}

const keyStatements = ({ call, idempotencyKey, bodyHash }: UploadJob, replay: Replay) =>
  recordIdempotencyKey(call, idempotencyKey, bodyHash, replay);

type StoredFiles = { fileKey: string; metricsKey: string | null; metrics: ParsedMetrics | null; kind: ReportKind };

async function insertReport(
  job: UploadJob,
  access: Access,
  { fileKey, metricsKey, metrics, kind }: StoredFiles,
): Promise<UploadResult> {
  const { call, attempt, incoming } = job;
  const { id, size, sha256, fileName } = attempt;
  const { actor, now } = call;
  const uploadedBy = access.deviceId
    ? ({ kind: "device", id: access.deviceId } as const)
    : ({ kind: actor.kind === "app" ? "app" : "user", id: getActorId(actor) } as const);
  const file = { fileKey, metricsKey, metrics, fileName: fileName ?? "report.pdf", size: size ?? 0, sha256: sha256 ?? "" };
  const report = { id, kind, about: incoming.fields, uploadedBy, receivedAt: now, ...file };
  const log = { outcome: "stored", reportId: id, event: "report.create", action: "C", access } as const;
  await batch(call.db, [
    ...(await insertReportStatements(call, access, report, accessStillValid(actor, access, Date.now()))),
    ...countBytesStatements(call, attempt.quotaOwnerId, totalBytes(job)),
    ...keyStatements(job, { resourceId: id, status: 201 }),
    ...(await uploadLogStatements(call, attempt, log)),
  ]);
  return { outcome: "stored", status: 201, uploadId: id, reportId: id };
}

const totalBytes = ({ attempt, incoming }: UploadJob) => (attempt.size ?? 0) + (incoming.metrics?.length ?? 0);

/** Two uploads of one key or one file ran at once: this one lost, and answers as if it had come second. */
async function resolveLostRace(job: UploadJob, access: Access | null): Promise<UploadResult> {
  const { replay, sameFile } = await findPrior(job);
  if (replay) return recordReplay(job, access, replay);
  const winner = sameFile.find((report) => report.patientId === access?.patient.id);
  if (!winner || !access) throw new ApiError("unavailable");
  return recordDuplicate(job, access, winner.id).catch((error: unknown) => {
    // Another loser with the same key was quicker: now the key is there.
    if (!isUniqueViolation(error, "idempotency_keys")) throw error;
    return resolveLostRace(job, access);
  });
}

async function recordDuplicate(job: UploadJob, access: Access, reportId: string): Promise<UploadResult> {
  const { call, attempt } = job;
  // The report stays as it is; what this attempt said beside the file stays in the log.
  const kept = toRequestDetail(job.incoming);
  const log = { outcome: "duplicate", reportId, kept, event: "report.duplicate", action: "R", access } as const;
  await batch(call.db, [
    ...keyStatements(job, { resourceId: reportId, status: 200 }),
    ...(await uploadLogStatements(call, attempt, log)),
  ]);
  return { outcome: "duplicate", status: 200, uploadId: attempt.id, reportId };
}

async function recordReplay(
  { call, attempt }: UploadJob,
  access: Access | null,
  { resourceId, status }: Replay,
): Promise<UploadResult> {
  const quarantined = status === 202;
  if (!quarantined && !access) throw new ApiError("unavailable");
  const reportId = quarantined ? null : resourceId;
  const log = { outcome: "replayed", reportId, event: "report.replay", action: "R", access } as const;
  await batch(call.db, await uploadLogStatements(call, attempt, log));
  if (quarantined) return { outcome: "quarantined", status, uploadId: resourceId, reason: access ? "not_pdf" : "not_found" };
  return { outcome: "replayed", status, uploadId: attempt.id, reportId: resourceId };
}

function toRequestDetail({ fields: about, metrics }: UploadRequest) {
  return { about, metrics: metrics ? new TextDecoder().decode(metrics) : null };
}

async function quarantineUpload(job: UploadJob, fileKey: string, reason: ErrorCode): Promise<UploadResult> {
  const { call, bucket, attempt } = job;
  const unless = selectQuarantinedRepeat(call, attempt.sha256 ?? "");
  const kept = toRequestDetail(job.incoming);
  const log = { outcome: "quarantined", reason, fileKey, kept, unless, event: "report.quarantine", action: "C" } as const;
  try {
    await batch(call.db, [
      ...(await uploadLogStatements(call, attempt, log)),
      ...countBytesStatements(call, attempt.quotaOwnerId, totalBytes(job)),
      ...keyStatements(job, { resourceId: attempt.id, status: 202 }),
    ]);
  } catch (error) {
    if (!isConditionFailed(error, "uploads.id")) throw error;
    await bucket.delete(fileKey);
    const { repeated } = await findPrior(job);
    if (!repeated) throw new ApiError("unavailable");
    return recordRepeat(job, repeated);
  }
  return { outcome: "quarantined", status: 202, uploadId: attempt.id, reason };
}

/** A machine that sends again what waits already is told where it waits; no second copy is kept. */
async function recordRepeat(job: UploadJob, original: QuarantinedRepeat): Promise<UploadResult> {
  const { call, attempt, incoming } = job;
  const kept = toRequestDetail(incoming);
  const log = { outcome: "duplicate", repeats: original.id, kept, event: "report.duplicate", action: "R" } as const;
  const replay = { resourceId: original.id, status: 202 };
  await batch(call.db, [...keyStatements(job, replay), ...(await uploadLogStatements(call, attempt, log))]);
  return { outcome: "quarantined", status: 202, uploadId: original.id, reason: original.reason };
}
