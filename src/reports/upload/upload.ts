// The main job: a machine's report becomes a sealed file, one row, its counters, its log line and its audit event.
import { type Access, requirePatient, stillHolds } from "../../access/access.ts";
import { type Call, idOf } from "../../access/actor.ts";
import { refuse } from "../../access/refusals.ts";
import { type Claim, findKey, type Replay, replayOf, takeKey } from "../../http/idempotency.ts";
import { sha256Hex } from "../../platform/crypto.ts";
import { batch, isConflict, isUnmet } from "../../platform/db/client.ts";
import { ApiError, type ErrorCode } from "../../platform/errors.ts";
import { newFileKey, putFile } from "../../platform/files.ts";
import { repeatedInQuarantine } from "../quarantine/quarantine.ts";
import type { Incoming } from "./incoming.ts";
import type { ReportKind } from "./measures.ts";
import { type Metrics, readMetrics } from "./metrics.ts";
import { fileRecord, keepMetrics, kindOf, replayAction, reportStatements, sameFileStatement, whereTo } from "./new-report.ts";
import { inspect, inspectStream } from "./pdf.ts";
import { bytesToday, isOverQuota, overQuota, refuseOver, takeBytes } from "./quota.ts";
import { type Attempt, logRefusal, logStatements, newAttempt } from "./upload-log.ts";

export type Uploaded =
  | { outcome: "stored" | "duplicate" | "replayed"; status: number; uploadId: string; reportId: string }
  | { outcome: "quarantined"; status: number; uploadId: string; reason: ErrorCode };

/** One upload on its way in. */
type Job = {
  call: Call;
  bucket: R2Bucket;
  incoming: Incoming;
  attempt: Attempt;
  claim: Claim;
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
  claim: Claim | Promise<Claim>,
  read: () => Promise<Incoming>,
): Promise<Uploaded> {
  const attempt = newAttempt(call);
  try {
    const key = await claim;
    const incoming = await read();
    const seen = incoming.form ? inspect(incoming.bytes) : incoming;
    Object.assign(attempt, { fileName: incoming.fileName, sha256: seen.sha256, size: seen.size });
    const metrics = incoming.metrics ? await sha256Hex(new Uint8Array(incoming.metrics)) : "";
    const bodyHash = await sha256Hex(JSON.stringify([seen.sha256, incoming.about, metrics]));
    return await takeIn({ call, bucket, incoming, attempt, claim: key, bodyHash });
  } catch (error) {
    await logRefusal(call, attempt, error);
    throw error;
  }
}

async function takeIn(job: Job): Promise<Uploaded> {
  const { call, incoming, attempt } = job;
  const { replay, sameFile, repeated, used } = await whatIsKnown(job);
  attempt.gated = true;
  if (replay?.status === 201) return replayReport(job, replay);

  const { device, access } = await whereTo(call, incoming.about);
  const kind = incoming.about.kind ?? kindOf(device?.kind) ?? incoming.defaultKind;
  Object.assign(attempt, { kind, hospitalId: access?.hospitalId ?? device?.hospitalId, patientId: access?.patient.id ?? null });
  attempt.machine = device?.deviceId ?? (call.actor.kind === "app" ? call.actor.credentialId : null);
  if (replay?.status === 202) return logReplay(job, access, replay);
  const before = sameFile.find((report) => report.patientId === access?.patient.id);
  if (replay && replay.resourceId !== before?.id) {
    return refuse(call, "report:create", "not_found", { role: access?.role ?? "device", hospitalId: attempt.hospitalId });
  }
  if (!device && incoming.form && !inspect(incoming.bytes).isPdf) throw new ApiError("not_pdf");
  const metrics = incoming.metrics && access ? readMetrics(kind, incoming.metrics) : null;
  try {
    if (before && access) {
      await readThrough(incoming);
      return await (replay ? logReplay(job, access, replay) : logDuplicate(job, access, before.id));
    }
    if (repeated && !access) {
      await readThrough(incoming);
      return await logRepeated(job, repeated);
    }
    if (attempt.machine) refuseOver(used, bytesOf(job), call.now);
    return await keep(job, access, kind, metrics, device === null);
  } catch (error) {
    if (isOverQuota(error)) throw overQuota(call.now);
    if (!lostRace(error)) throw error;
    return afterRace(job, access);
  }
}

type Repeated = { id: string; reason: ErrorCode };

/** The key's earlier use, what holds the same file, today's bytes: one round trip, before anything is decided. */
async function whatIsKnown({ call, claim, bodyHash, attempt }: Job) {
  const [keys, sameFile, repeated, bytes] = await batch(call.db, [
    findKey(call, claim),
    sameFileStatement(call, attempt.sha256 ?? ""),
    call.db.all<Repeated>(repeatedInQuarantine(call, attempt.sha256 ?? "")),
    bytesToday(call),
  ]);
  const replay = claim ? replayOf(keys[0], bodyHash, call.now) : null;
  return { replay, sameFile, repeated: repeated[0], used: bytes[0]?.n ?? 0 };
}

/** Under the rights of now, to the report itself: the device that made it may serve another patient by now. */
async function replayReport(job: Job, replay: Replay): Promise<Uploaded> {
  const access = await requirePatient(job.call, { report: replay.resourceId }, replayAction(job.call.actor));
  Object.assign(job.attempt, { hospitalId: access.hospitalId, patientId: access.patient.id });
  await readThrough(job.incoming);
  return logReplay(job, access, replay);
}

/** What is answered for a raw body by its announced digest is answered only once its bytes have that digest. */
async function readThrough(incoming: Incoming): Promise<void> {
  if (incoming.form) return;
  const bytes = inspectStream(incoming.chunks, incoming, false).stream[Symbol.asyncIterator]();
  while (!(await bytes.next()).done);
}

/** Blob before row. @param strict refuse what is no PDF, instead of putting it into quarantine */
async function keep(
  job: Job,
  access: Access | null,
  kind: ReportKind,
  metrics: Metrics | null,
  strict: boolean,
): Promise<Uploaded> {
  const { call, bucket } = job;
  const files: string[] = [];
  try {
    const { fileKey, isPdf } = await keepFile(job, strict);
    files.push(fileKey);
    if (!access || !isPdf) return await quarantine(job, fileKey, access ? "not_pdf" : "not_found");
    const metricsKey = metrics ? await keepMetrics(call, bucket, job.attempt.id, metrics) : null;
    if (metricsKey) files.push(metricsKey);
    return await insertReport(job, access, { fileKey, metricsKey, metrics, kind });
  } catch (error) {
    const [fileKey] = files;
    if (access && fileKey && isUnmet(error, "reports.id")) return lostRight(job, access, files, fileKey);
    // Only a lost race and the quota say for certain that nothing was written. After any other error the files stay for
    // a row that may exist, and the sweep takes them if it does not.
    if ((lostRace(error) || isOverQuota(error)) && files.length > 0) await bucket.delete(files);
    throw error;
  }
}

/** The right ended while the body came: a device's report goes to quarantine, a person's is refused as the gate says now. */
async function lostRight(job: Job, access: Access, files: string[], fileKey: string): Promise<Uploaded> {
  const { call, bucket, incoming, attempt } = job;
  attempt.patientId = null;
  const device = call.actor.kind === "device" ? (await whereTo(call, incoming.about)).device : null;
  if (device) return quarantine(job, fileKey, "not_found");
  await bucket.delete(files);
  await requirePatient(call, { patient: access.patient.id }, "report:create");
  throw new ApiError("unavailable");
}

function lostRace(error: unknown): boolean {
  return isConflict(error, "reports.sha256") || isConflict(error, "idempotency_keys");
}

async function keepFile({ call, bucket, incoming, attempt }: Job, strict: boolean) {
  const { keys, now } = call;
  const fileKey = newFileKey(keys.fields, now);
  const { stream, result } = incoming.form
    ? { stream: incoming.bytes, result: inspect(incoming.bytes) }
    : inspectStream(incoming.chunks, incoming, strict);
  await putFile(bucket, keys.fields, fileKey, fileRecord(attempt.id), stream, attempt.size ?? 0);
  return { fileKey, isPdf: result.isPdf };
}

const taking = ({ call, claim, bodyHash }: Job, replay: Replay) => takeKey(call, claim, bodyHash, replay);

type Stored = { fileKey: string; metricsKey: string | null; metrics: Metrics | null; kind: ReportKind };

async function insertReport(job: Job, access: Access, { fileKey, metricsKey, metrics, kind }: Stored): Promise<Uploaded> {
  const { call, attempt, incoming } = job;
  const { id, size, sha256, fileName } = attempt;
  const { actor, now } = call;
  const uploadedBy = access.deviceId
    ? ({ kind: "device", id: access.deviceId } as const)
    : ({ kind: actor.kind === "app" ? "app" : "user", id: idOf(actor) } as const);
  const file = { fileKey, metricsKey, metrics, fileName: fileName ?? "report.pdf", size: size ?? 0, sha256: sha256 ?? "" };
  const report = { id, kind, about: incoming.about, uploadedBy, receivedAt: now, ...file };
  const log = { outcome: "stored", reportId: id, event: "report.create", action: "C", access } as const;
  await batch(call.db, [
    ...(await reportStatements(call, access, report, stillHolds(actor, access, Date.now()))),
    ...takeBytes(call, attempt.machine, bytesOf(job)),
    ...taking(job, { resourceId: id, status: 201 }),
    ...(await logStatements(call, attempt, log)),
  ]);
  return { outcome: "stored", status: 201, uploadId: id, reportId: id };
}

const bytesOf = ({ attempt, incoming }: Job) => (attempt.size ?? 0) + (incoming.metrics?.length ?? 0);

/** Two uploads of one key or one file ran at once: this one lost, and answers as if it had come second. */
async function afterRace(job: Job, access: Access | null): Promise<Uploaded> {
  const { replay, sameFile } = await whatIsKnown(job);
  if (replay) return logReplay(job, access, replay);
  const winner = sameFile.find((report) => report.patientId === access?.patient.id);
  if (!winner || !access) throw new ApiError("unavailable");
  return logDuplicate(job, access, winner.id).catch((error: unknown) => {
    // Another loser with the same key was quicker: now the key is there.
    if (!isConflict(error, "idempotency_keys")) throw error;
    return afterRace(job, access);
  });
}

async function logDuplicate(job: Job, access: Access, reportId: string): Promise<Uploaded> {
  const { call, attempt } = job;
  // The report stays as it is; what this attempt said beside the file stays in the log.
  const kept = keptOf(job.incoming);
  const log = { outcome: "duplicate", reportId, kept, event: "report.duplicate", action: "R", access } as const;
  await batch(call.db, [...taking(job, { resourceId: reportId, status: 200 }), ...(await logStatements(call, attempt, log))]);
  return { outcome: "duplicate", status: 200, uploadId: attempt.id, reportId };
}

async function logReplay({ call, attempt }: Job, access: Access | null, { resourceId, status }: Replay): Promise<Uploaded> {
  const quarantined = status === 202;
  if (!quarantined && !access) throw new ApiError("unavailable");
  const reportId = quarantined ? null : resourceId;
  const log = { outcome: "replayed", reportId, event: "report.replay", action: "R", access } as const;
  await batch(call.db, await logStatements(call, attempt, log));
  if (quarantined) return { outcome: "quarantined", status, uploadId: resourceId, reason: access ? "not_pdf" : "not_found" };
  return { outcome: "replayed", status, uploadId: attempt.id, reportId: resourceId };
}

function keptOf({ about, metrics }: Incoming) {
  return { about, metrics: metrics ? new TextDecoder().decode(metrics) : null };
}

async function quarantine(job: Job, fileKey: string, reason: ErrorCode): Promise<Uploaded> {
  const { call, bucket, attempt } = job;
  const unless = repeatedInQuarantine(call, attempt.sha256 ?? "");
  const kept = keptOf(job.incoming);
  const log = { outcome: "quarantined", reason, fileKey, kept, unless, event: "report.quarantine", action: "C" } as const;
  try {
    await batch(call.db, [
      ...(await logStatements(call, attempt, log)),
      ...takeBytes(call, attempt.machine, bytesOf(job)),
      ...taking(job, { resourceId: attempt.id, status: 202 }),
    ]);
  } catch (error) {
    if (!isUnmet(error, "uploads.id")) throw error;
    await bucket.delete(fileKey);
    const { repeated } = await whatIsKnown(job);
    if (!repeated) throw new ApiError("unavailable");
    return logRepeated(job, repeated);
  }
  return { outcome: "quarantined", status: 202, uploadId: attempt.id, reason };
}

/** A machine that sends again what waits already is told where it waits; no second copy is kept. */
async function logRepeated(job: Job, first: Repeated): Promise<Uploaded> {
  const { call, attempt, incoming } = job;
  const kept = keptOf(incoming);
  const log = { outcome: "duplicate", repeats: first.id, kept, event: "report.duplicate", action: "R" } as const;
  const replay = { resourceId: first.id, status: 202 };
  await batch(call.db, [...taking(job, replay), ...(await logStatements(call, attempt, log))]);
  return { outcome: "quarantined", status: 202, uploadId: first.id, reason: first.reason };
}
