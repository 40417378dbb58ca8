// The main job: a machine's report becomes a sealed file, one row, its counters, its log line and its audit event.
import { and, eq } from "drizzle-orm";
import { type Access, deviceAccess, OWN, refuse, requirePatient } from "../access.ts";
import type { Call } from "../actor.ts";
import { count, dayOf, scopes } from "../counters.ts";
import { seal, sha256Hex } from "../crypto.ts";
import { batch, isConflict, type Statement } from "../db/client.ts";
import { REPORT_KINDS, reports } from "../db/schema.ts";
import { ApiError, type ErrorCode } from "../errors.ts";
import { newFileKey, putFile } from "../files.ts";
import { type Claim, findKey, type Replay, replayOf, takeKey } from "../idempotency.ts";
import type { Incoming } from "./incoming.ts";
import { type Metrics, type ReportKind, readMetrics } from "./metrics.ts";
import { inspect, inspectStream } from "./pdf.ts";
import { type Attempt, logRefusal, logStatements, newAttempt } from "./upload-log.ts";

export type Uploaded =
  | { outcome: "stored" | "duplicate" | "replayed"; status: number; uploadId: string; reportId: string }
  | { outcome: "quarantined"; status: number; uploadId: string; reason: ErrorCode };

type Taking = (replay: Replay) => Statement[];

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
    return await takeIn(call, bucket, await claim, await read(), attempt);
  } catch (error) {
    await logRefusal(call, attempt, error);
    throw error;
  }
}

async function takeIn(call: Call, bucket: R2Bucket, claim: Claim, incoming: Incoming, attempt: Attempt): Promise<Uploaded> {
  const seen = incoming.form ? inspect(incoming.bytes) : { isPdf: true, size: incoming.size, sha256: incoming.sha256 };
  Object.assign(attempt, { fileName: incoming.fileName, sha256: seen.sha256, size: seen.size });
  const bodyHash = await sha256Hex(JSON.stringify([seen.sha256, incoming.about, await metricsHash(incoming)]));
  const [keys, sameFile] = await batch(call.db, [
    findKey(call, claim),
    call.db.select({ id: reports.id, patientId: reports.patientId }).from(reports).where(eq(reports.sha256, seen.sha256)),
  ]);
  const replay = claim ? replayOf(keys[0], bodyHash, call.now) : null;
  attempt.gated = true;
  if (replay?.status === 201) {
    // The rights of now, to the report itself: the device that made it may serve another patient by now.
    const access = await requirePatient(call, { report: replay.resourceId }, "report:read");
    Object.assign(attempt, { hospitalId: access.hospitalId, patientId: access.patient.id });
    await readThrough(incoming);
    return logReplay(call, attempt, access, replay);
  }

  const { device, access } = await whereTo(call, incoming);
  const kind = incoming.about.kind ?? kindOf(device?.kind) ?? incoming.defaultKind;
  Object.assign(attempt, { kind, hospitalId: access?.hospitalId ?? device?.hospitalId, patientId: access?.patient.id ?? null });
  const before = sameFile.find((report) => report.patientId === access?.patient.id);
  if (replay?.status === 202) return logReplay(call, attempt, access, replay);
  if (replay && replay.resourceId !== before?.id) {
    return refuse(call, "report:create", "not_found", { role: access?.role ?? "device", hospitalId: attempt.hospitalId });
  }
  if (!seen.isPdf && !device) throw new ApiError("not_pdf");
  const metrics = incoming.metrics && access ? readMetrics(kind, incoming.metrics) : null;
  const taking = (replay: Replay) => takeKey(call, claim, bodyHash, replay);
  const files: string[] = [];
  try {
    if (before && access) {
      await readThrough(incoming);
      return await (replay ? logReplay(call, attempt, access, replay) : logDuplicate(call, attempt, access, before.id, taking));
    }
    const { fileKey, isPdf } = await keepFile(call, bucket, incoming, attempt, device === null);
    files.push(fileKey);
    if (!access || !isPdf) return await quarantine(call, attempt, fileKey, access ? "not_pdf" : "not_found", taking);
    const metricsKey = metrics ? await keepMetrics(call, bucket, attempt, metrics) : null;
    if (metricsKey) files.push(metricsKey);
    return await insertReport(call, attempt, access, { fileKey, metricsKey, metrics, kind, about: incoming.about }, taking);
  } catch (error) {
    // Only these two say for certain that nothing was written; after any other error the files must stay for a row
    // that may exist, and the sweep takes them if it does not.
    if (!isConflict(error, "reports.sha256") && !isConflict(error, "idempotency_keys")) throw error;
    if (files.length > 0) await bucket.delete(files);
    return afterRace(call, claim, bodyHash, attempt, access, taking);
  }
}

/** What is answered for a raw body by its announced digest is answered only once its bytes have that digest. */
async function readThrough(incoming: Incoming): Promise<void> {
  if (incoming.form) return;
  const bytes = inspectStream(incoming.chunks, incoming, false).stream[Symbol.asyncIterator]();
  while (!(await bytes.next()).done);
}

const metricsHash = (incoming: Incoming) => (incoming.metrics ? sha256Hex(new Uint8Array(incoming.metrics)) : "");

function kindOf(device: string | undefined): ReportKind | undefined {
  return REPORT_KINDS.find((kind) => kind === device);
}

/** The patient a report is for. People get 404; a device's report without a patient of its own goes to quarantine. */
async function whereTo(call: Call, { about }: Incoming) {
  const { actor } = call;
  const target = about.patient_id === undefined ? OWN : { patient: about.patient_id };
  if (actor.kind !== "device") return { device: null, access: await requirePatient(call, target, "report:create") };
  const device = await deviceAccess(call, actor, target, "report:create");
  return { device, access: device.access };
}

/** A report's file belongs to the attempt that brought it; the report takes over that id, in quarantine or not. */
export const fileRecord = (reportId: string) => `report:${reportId}`;
export const metricsRecord = (reportId: string) => `metrics:${reportId}`;

async function keepFile({ keys, now }: Call, bucket: R2Bucket, incoming: Incoming, attempt: Attempt, strict: boolean) {
  const fileKey = newFileKey(keys.fields, now);
  const size = attempt.size ?? 0;
  if (incoming.form) {
    await putFile(bucket, keys.fields, fileKey, fileRecord(attempt.id), incoming.bytes, size);
    return { fileKey, isPdf: inspect(incoming.bytes).isPdf };
  }
  const { stream, result } = inspectStream(incoming.chunks, incoming, strict);
  await putFile(bucket, keys.fields, fileKey, fileRecord(attempt.id), stream, size);
  return { fileKey, isPdf: result.isPdf };
}

async function keepMetrics({ keys, now }: Call, bucket: R2Bucket, attempt: Attempt, metrics: Metrics): Promise<string> {
  const key = newFileKey(keys.fields, now);
  const bytes = new TextEncoder().encode(metrics.json);
  await putFile(bucket, keys.fields, key, metricsRecord(attempt.id), new Uint8Array(bytes), bytes.length);
  return key;
}

type Stored = { fileKey: string; metricsKey: string | null; metrics: Metrics | null; kind: ReportKind; about: Incoming["about"] };

async function insertReport(call: Call, attempt: Attempt, access: Access, stored: Stored, taking: Taking): Promise<Uploaded> {
  const { db, keys, actor, now } = call;
  const { patient, hospitalId, deviceId } = access;
  const { about, kind, metrics } = stored;
  const status = "preliminary";
  await batch(db, [
    db.insert(reports).values({
      id: attempt.id,
      patientId: patient.id,
      hospitalId,
      kind,
      status,
      uploadedByKind: deviceId ? "device" : "user",
      uploadedBy: deviceId ?? (actor.kind === "user" ? actor.userId : actor.kind),
      encounterId: about.encounter_id ?? null,
      sessionType: about.session_type ?? null,
      confidence: about.confidence ?? null,
      heartRate: metrics?.heartRate ?? null,
      effectiveAt: about.recorded_at ? Date.parse(about.recorded_at) : now,
      fileKey: stored.fileKey,
      fileNameSealed: await seal(keys.fields, { table: "reports", column: "file_name", id: attempt.id }, attempt.fileName),
      fileSize: attempt.size ?? 0,
      sha256: attempt.sha256 ?? "",
      metricsKey: stored.metricsKey,
      metricsSize: metrics ? new TextEncoder().encode(metrics.json).length : null,
      createdAt: now,
      updatedAt: now,
    }),
    ...taking({ resourceId: attempt.id, status: 201 }),
    countReport(call, hospitalId, patient.id, kind, status, about.confidence ?? null),
    ...(await logStatements(call, attempt, {
      outcome: "stored",
      reportId: attempt.id,
      event: "report.create",
      action: "C",
      access,
    })),
  ]);
  return { outcome: "stored", status: 201, uploadId: attempt.id, reportId: attempt.id };
}

/** Adds a report to the totals of the deployment, the hospital and the patient, for all time and for today. */
function countReport(
  { db, now }: Call,
  hospitalId: string,
  patientId: string,
  kind: string,
  status: string,
  confidence: number | null,
) {
  const names = [scopes.all, scopes.hospital(hospitalId), scopes.patient(patientId)];
  return count(
    db,
    names.flatMap((scope) => [
      { scope, day: 0, name: `report|${kind}|${status}`, n: 1 },
      { scope, day: dayOf(now), name: `report|${kind}|${status}`, n: 1 },
      ...(confidence === null ? [] : [{ scope, day: 0, name: "confidence", n: 1, sum: confidence }]),
    ]),
  );
}

/** Two uploads of one key or one file ran at once: this one lost, and answers as if it had come second. */
async function afterRace(
  call: Call,
  claim: Claim,
  bodyHash: string,
  attempt: Attempt,
  access: Access | null,
  taking: Taking,
): Promise<Uploaded> {
  const [keys, [winner]] = await batch(call.db, [
    findKey(call, claim),
    call.db
      .select({ id: reports.id })
      .from(reports)
      .where(and(eq(reports.sha256, attempt.sha256 ?? ""), eq(reports.patientId, access?.patient.id ?? ""))),
  ]);
  const replay = claim ? replayOf(keys[0], bodyHash, call.now) : null;
  if (replay) return logReplay(call, attempt, access, replay);
  if (!winner || !access) throw new ApiError("unavailable");
  return logDuplicate(call, attempt, access, winner.id, taking).catch((error: unknown) => {
    // Another loser with the same key was quicker: now the key is there.
    if (!isConflict(error, "idempotency_keys")) throw error;
    return afterRace(call, claim, bodyHash, attempt, access, taking);
  });
}

async function logDuplicate(call: Call, attempt: Attempt, access: Access, reportId: string, taking: Taking): Promise<Uploaded> {
  const log = { outcome: "duplicate", reportId, event: "report.duplicate", action: "R", access } as const;
  await batch(call.db, [...taking({ resourceId: reportId, status: 200 }), ...(await logStatements(call, attempt, log))]);
  return { outcome: "duplicate", status: 200, uploadId: attempt.id, reportId };
}

async function logReplay(call: Call, attempt: Attempt, access: Access | null, replay: Replay): Promise<Uploaded> {
  const { resourceId, status } = replay;
  const quarantined = status === 202;
  if (!quarantined && !access) throw new ApiError("unavailable");
  const log = {
    outcome: "replayed",
    reportId: quarantined ? null : resourceId,
    event: "report.replay",
    action: "R",
    access,
  } as const;
  await batch(call.db, await logStatements(call, attempt, log));
  if (quarantined) return { outcome: "quarantined", status, uploadId: resourceId, reason: access ? "not_pdf" : "not_found" };
  return { outcome: "replayed", status, uploadId: attempt.id, reportId: resourceId };
}

async function quarantine(call: Call, attempt: Attempt, fileKey: string, reason: ErrorCode, taking: Taking): Promise<Uploaded> {
  const log = { outcome: "quarantined", reason, fileKey, event: "report.quarantine", action: "C" } as const;
  await batch(call.db, [...taking({ resourceId: attempt.id, status: 202 }), ...(await logStatements(call, attempt, log))]);
  return { outcome: "quarantined", status: 202, uploadId: attempt.id, reason };
}
