// The upload pipeline: read, find prior uploads, authorize, answer from a prior upload, check, store, commit, resolve races.

import type { Call } from "../../access/actor.ts";
import { denyAccess } from "../../access/deny.ts";
import { checkQuota, selectFileRoom } from "../../access/file-quota.ts";
import { type Access, authorizePatient } from "../../access/patient-access.ts";
import { type IdempotencyKey, type Replay, resolveReplay, selectIdempotencyKey } from "../../http/idempotency.ts";
import { sha256Hex } from "../../platform/crypto.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { createObjectKey, storeFile } from "../../platform/files.ts";
import { isQuotaError } from "../../platform/storage-quotas.ts";
import { selectQuarantinedRepeat } from "../quarantine/quarantine.ts";
import {
  type Destination,
  denyOwnDevice,
  findDuplicate,
  isFiledElsewhere,
  isMovedFrom,
  MOVED_DETAIL,
  type QuarantineReason,
  resolveDestination,
  type SameFile,
} from "./destination.ts";
import type { MetricFlag } from "./metric-flags.ts";
import { describeMetrics, type ParsedMetrics, parseMetrics } from "./metrics.ts";
import { fileRecordId, replayAction, selectSameFile, storeMetrics, toReportKind } from "./new-report.ts";
import { inspectPdf, inspectPdfStream } from "./pdf.ts";
import { newUploadAttempt, recordUploadFailure, type UploadAttempt } from "./upload-log.ts";
import {
  commitQuarantine,
  commitReport,
  type QuarantinedRepeat,
  recordDuplicate,
  recordQuarantineRepeat,
  recordReplay,
  type StoredFiles,
  totalBytes,
  type UploadJob,
  type UploadResult,
} from "./upload-outcomes.ts";
import type { UploadRequest } from "./upload-request.ts";

/**
 * Processes one upload. Every attempt of an authenticated caller leaves a row in the upload log.
 * @param read reads the request; of a raw body only the headers
 * @returns also what is doubtful about the metrics of this request
 * @throws ApiError not_found (a patient the caller may not write for), not_pdf, digest_mismatch, invalid_request, …
 */
export async function receiveUpload(
  call: Call,
  bucket: R2Bucket,
  idempotencyKey: IdempotencyKey | Promise<IdempotencyKey>,
  read: () => Promise<UploadRequest>,
): Promise<UploadResult & { metricFlags: MetricFlag[] }> {
  const attempt = newUploadAttempt(call);
  try {
    const job: UploadJob = { call, bucket, attempt, ...(await readUpload(attempt, await idempotencyKey, read)) };
    const result = await processUpload(job);
    const { metrics, defaultKind } = job.incoming;
    const flags = metrics ? describeMetrics(attempt.kind ?? defaultKind, metrics).metric_flags : [];
    return { ...result, metricFlags: flags };
  } catch (error) {
    await recordUploadFailure(call, attempt, error);
    throw error;
  }
}

async function processUpload(job: UploadJob): Promise<UploadResult> {
  const prior = await findPrior(job);
  const destination = await authorizeUpload(job, prior);
  if (prior.replay) return answerReplay(job, destination, prior.replay);
  const metrics = checkContent(job, destination);
  try {
    const known = await answerKnownFile(job, destination, prior);
    if (known) return known;
    checkQuota(job.call, prior.fileRoom, totalBytes(job));
    const files = await storeFiles(job, destination, metrics);
    return await commitUpload(job, destination, files);
  } catch (error) {
    if (!isRaceLost(error)) throw error;
    return resolveRace(job, destination);
  }
}

/** Reads the request and hashes it. `bodyHash` covers file, fields and metrics: an idempotency key is bound to it. */
async function readUpload(attempt: UploadAttempt, idempotencyKey: IdempotencyKey, read: () => Promise<UploadRequest>) {
  const incoming = await read();
  const { sha256, size } = incoming.isForm ? inspectPdf(incoming.bytes) : incoming;
  if (incoming.isForm && incoming.announced !== null && incoming.announced !== sha256) throw new ApiError("digest_mismatch");
  Object.assign(attempt, { fileName: incoming.fileName, sha256, size });
  const metricsHash = incoming.metrics ? await sha256Hex(new Uint8Array(incoming.metrics)) : "";
  const bodyHash = await sha256Hex(JSON.stringify([sha256, incoming.fields, metricsHash]));
  return { idempotencyKey, incoming, bodyHash };
}

/** What is known before anything is decided, all in one round trip. */
type Prior = {
  /** The response that was given for this idempotency key. */
  replay: Replay | null;
  /** Reports of any patient that hold the same file. */
  sameFile: SameFile[];
  /** The same file from the same device, in quarantine. */
  repeated: QuarantinedRepeat | undefined;
  /** Bytes of files that the caller may still store today. */
  fileRoom: number;
};

/** @throws ApiError idempotency_key_reused */
async function findPrior({ call, idempotencyKey, bodyHash, attempt }: UploadJob): Promise<Prior> {
  const [keys, sameFile, repeated, rooms] = await batch(call.db, [
    selectIdempotencyKey(call, idempotencyKey),
    selectSameFile(call, attempt.sha256 ?? ""),
    call.db.all<QuarantinedRepeat>(selectQuarantinedRepeat(call, attempt.sha256 ?? "")),
    selectFileRoom(call),
  ]);
  const replay = idempotencyKey ? resolveReplay(keys[0], bodyHash, call.now) : null;
  return { replay, sameFile, repeated: repeated[0], fileRoom: rooms[0]?.room ?? 0 };
}

/** Access to the report itself decides: the device that sent it may be assigned to another patient by now. */
async function authorizeReplay({ call, attempt }: UploadJob, replay: Replay): Promise<Destination> {
  const access = await authorizePatient(call, { report: replay.resourceId }, replayAction(call.actor));
  Object.assign(attempt, { hospitalId: access.hospitalId, patientId: access.patient.id });
  return { measuredAt: null, device: null, access, reason: null };
}

/**
 * Checks access and completes the attempt with hospital, patient and kind.
 * @throws ApiError report_moved for a retry whose report has left the record for which it was sent: not_found would have a queue
 * send it anew. A device reads what it sent, wherever that is.
 */
async function authorizeUpload(job: UploadJob, prior: Prior): Promise<Destination> {
  const { call, incoming, attempt } = job;
  const { replay } = prior;
  const replayed = prior.sameFile.find(({ id }) => id === replay?.resourceId);
  const mayHaveMoved = call.actor.kind !== "device" && replayed !== undefined && replayed.movedFrom !== null;
  attempt.accessChecked = true;
  if (replay?.status === 201 && !mayHaveMoved) return authorizeReplay(job, replay);
  const destination = await findDestination(call, incoming, prior);
  const { device, access } = destination;
  const hospitalId = access?.hospitalId ?? device?.hospitalId;
  const kind = incoming.fields.kind ?? toReportKind(device?.kind) ?? incoming.defaultKind;
  Object.assign(attempt, { kind, hospitalId, patientId: access?.patient.id ?? null });
  if (access && replayed?.isOwn !== 1 && isMovedFrom(replayed, access.patient.id)) {
    await drainAndVerify(incoming);
    throw new ApiError("report_moved", MOVED_DETAIL);
  }
  if (replay?.status === 201) return authorizeReplay(job, replay);
  if (replay?.status === 200 && replay.resourceId !== findDuplicate(prior.sameFile, access, incoming.fields)?.id) {
    return denyAccess(call, "report:create", "not_found", { role: access?.role ?? "device", hospitalId: attempt.hospitalId });
  }
  return destination;
}

/** A device's file is never filed for a second patient. */
async function findDestination(call: Call, { fields }: UploadRequest, { sameFile }: Prior): Promise<Destination> {
  const destination = await resolveDestination(call, fields);
  const { access, reason } = destination;
  if (reason !== null || !isFiledElsewhere(sameFile, access)) return destination;
  return access.isPatientOwned ? denyOwnDevice(call, access, access) : { ...destination, reason: "same_file_elsewhere" };
}

async function answerReplay(job: UploadJob, { access }: Destination, replay: Replay): Promise<UploadResult> {
  if (replay.status !== 202) await drainAndVerify(job.incoming);
  return recordReplay(job, access, replay);
}

/** Verifies the bytes of a raw body against its announced digest, before that digest is used to answer. */
async function drainAndVerify(incoming: UploadRequest): Promise<void> {
  if (incoming.isForm) return;
  const bytes = inspectPdfStream(incoming.chunks, incoming, false).stream[Symbol.asyncIterator]();
  while (!(await bytes.next()).done);
}

/** @throws ApiError not_pdf (forms; a raw body is checked while it is stored) */
function checkContent({ call, incoming, attempt }: UploadJob, { access }: Destination): ParsedMetrics | null {
  if (rejectsNonPdf(call, access) && incoming.isForm && !inspectPdf(incoming.bytes).isPdf) throw new ApiError("not_pdf");
  return incoming.metrics && access ? parseMetrics(attempt.kind ?? incoming.defaultKind, incoming.metrics) : null;
}

/** A file of a hospital's device that is not a PDF goes to quarantine; other callers get an error. */
export const rejectsNonPdf = ({ actor }: Call, access: Access | null) =>
  actor.kind !== "device" || access?.isPatientOwned === true;

/** Answers for a file that reports or the quarantine already hold; null for a new file. @param isRead whether the body was read */
async function answerKnownFile(
  job: UploadJob,
  { access, reason }: Destination,
  prior: Prior,
  isRead = false,
): Promise<UploadResult | null> {
  const duplicate = findDuplicate(prior.sameFile, access, job.incoming.fields);
  const repeated = reason === null ? undefined : prior.repeated;
  if (!duplicate && !repeated) return null;
  if (!isRead) await drainAndVerify(job.incoming);
  if (duplicate) return recordDuplicate(job, access, duplicate);
  return repeated ? recordQuarantineRepeat(job, repeated) : null;
}

/** Stores the files before the row that names them. The sweep deletes them if the row is never written. */
async function storeFiles(job: UploadJob, destination: Destination, metrics: ParsedMetrics | null): Promise<StoredFiles> {
  const { call, bucket, incoming, attempt } = job;
  const fileKey = createObjectKey(call.keys.fields, call.now);
  const { stream, result } = incoming.isForm
    ? { stream: incoming.bytes, result: inspectPdf(incoming.bytes) }
    : inspectPdfStream(incoming.chunks, incoming, rejectsNonPdf(call, destination.access));
  await storeFile(bucket, call.keys.fields, fileKey, fileRecordId(attempt.id), stream, attempt.size ?? 0);
  const { isPdf } = result;
  const metricsKey =
    metrics && findQuarantineReason(destination, isPdf) === null ? await storeMetrics(call, bucket, attempt.id, metrics) : null;
  return { fileKey, isPdf, metricsKey, metrics };
}

/** Null for a file that becomes a report. */
function findQuarantineReason({ access, reason }: Destination, isPdf: boolean): QuarantineReason | null {
  return access && !isPdf ? "not_pdf" : reason;
}

async function commitUpload(job: UploadJob, destination: Destination, files: StoredFiles): Promise<UploadResult> {
  const { access } = destination;
  try {
    const reason = findQuarantineReason(destination, files.isPdf);
    if (access && reason === null) return await commitReport(job, { ...destination, access }, files);
    return (await commitQuarantine(job, destination, files.fileKey, reason ?? "not_found")) ?? (await answerQuarantineRace(job));
  } catch (error) {
    if (access && isConditionFailed(error, "reports.id")) return onAccessLost(job, access.patient.id, files);
    // Only these errors prove that nothing was written. After others a row may exist that names the files.
    if (isRaceLost(error) || isQuotaError(error)) await job.bucket.delete(objectKeys(files));
    throw error;
  }
}

const objectKeys = ({ fileKey, metricsKey }: StoredFiles) => (metricsKey ? [fileKey, metricsKey] : [fileKey]);

/**
 * Access ended, the record was closed or another upload of a device's file was filed during the upload: a device's file goes to
 * quarantine, other callers get the access check's error.
 */
async function onAccessLost(job: UploadJob, patientId: string, files: StoredFiles): Promise<UploadResult> {
  const { call, bucket, incoming, attempt } = job;
  attempt.patientId = null;
  if (call.actor.kind === "device") {
    // Fails if the device itself has lost access.
    const prior = await findPrior(job);
    const current = await findDestination(call, incoming, prior);
    const known = await answerKnownFile(job, current, prior, true);
    if (known) await bucket.delete(objectKeys(files));
    if (known) return known;
    if (current.access?.isPatientOwned) throw new ApiError("unavailable");
    const reason = findQuarantineReason(current, files.isPdf) ?? "not_found";
    return (await commitQuarantine(job, current, files.fileKey, reason)) ?? (await answerQuarantineRace(job));
  }
  await bucket.delete(objectKeys(files));
  await authorizePatient(call, { patient: patientId }, "report:create");
  throw new ApiError("unavailable");
}

async function answerQuarantineRace(job: UploadJob): Promise<UploadResult> {
  const { repeated } = await findPrior(job);
  if (!repeated) throw new ApiError("unavailable");
  return recordQuarantineRepeat(job, repeated);
}

function isRaceLost(error: unknown): boolean {
  return isUniqueViolation(error, "reports.sha256") || isUniqueViolation(error, "idempotency_keys");
}

/** A concurrent upload with the same key or file was committed first: answers as if this one had come after it. */
async function resolveRace(job: UploadJob, destination: Destination): Promise<UploadResult> {
  const { access } = destination;
  const prior = await findPrior(job);
  if (prior.replay) return recordReplay(job, access, prior.replay);
  const winner = findDuplicate(prior.sameFile, access, job.incoming.fields);
  if (!winner) throw new ApiError("unavailable");
  return recordDuplicate(job, access, winner).catch((error: unknown) => {
    // Another upload with the same key was committed meanwhile, so the next lookup finds the key.
    if (!isUniqueViolation(error, "idempotency_keys")) throw error;
    return resolveRace(job, destination);
  });
}
