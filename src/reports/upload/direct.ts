// Direct uploads: a large file goes to R2 by a presigned link, and becomes a report when its sender confirms it.
import { and, eq, sql } from "drizzle-orm";
import type { z } from "zod";
import { type Access, requirePatient, stillHolds } from "../../access/access.ts";
import { type Call, idOf } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import { type Claim, once, type Taking } from "../../http/idempotency.ts";
import { batch, isConflict, isUnmet } from "../../platform/db/client.ts";
import { uploads } from "../../platform/db/schema.ts";
import { ApiError, type ErrorCode } from "../../platform/errors.ts";
import { newFileKey, putFile } from "../../platform/files.ts";
import { opaqueId } from "../../platform/ids.ts";
import { type DirectUpload, safeFileName } from "./incoming.ts";
import { MAX_METRICS, readMetrics } from "./metrics.ts";
import { fileRecord, keepMetrics, kindOf, replayAction, reportStatements, sameFileStatement, whereTo } from "./new-report.ts";
import { inspectStream } from "./pdf.ts";
import { bytesToday, isOverQuota, overQuota, refuseOver, takeBytes } from "./quota.ts";
import { presignPut } from "./s3.ts";
import { askGate, logRefusal, logStatements, newAttempt, openDetail, settle, type UploadRow } from "./upload-log.ts";

/**
 * Where senders put files. Here a file lies in clear, under R2's own encryption alone, from the PUT to the confirmation
 * or the sweep: minutes, never an hour. No key ring entry has a key of this form.
 */
export const INCOMING = "incoming/";
export const isIncomingKey = (key: string) => /^incoming\/[a-z2-7]{26}$/.test(key);

export const LINK_SECONDS = 300;

export type Begun = {
  upload_id: string;
  method: "PUT";
  url: string;
  headers: Record<string, string>;
  expires_at: string;
};

/** @throws ApiError direct_uploads_off, not_found (a patient the caller may not write for), invalid_request (metrics) */
export async function beginDirect(call: Call, env: Env, claim: Claim, input: z.infer<typeof DirectUpload>): Promise<Begun> {
  return once(
    call,
    claim,
    input,
    (taking) => begin(call, env, input, taking),
    (id) => renderLink(call, env, id),
  );
}

async function begin(call: Call, env: Env, input: z.infer<typeof DirectUpload>, taking: Taking): Promise<Begun> {
  const { now } = call;
  const { size, sha256, file_name, metrics, ...about } = input;
  const attempt = { ...newAttempt(call), sha256, size, fileName: safeFileName(file_name ?? ""), gated: true };
  try {
    const { device, access } = await whereTo(call, about);
    // Where a file lies in clear there is no queue for what is nobody's: a device sends that the ordinary way.
    if (!access)
      return await refuse(call, "report:create", "not_found", { role: "device", hospitalId: device?.hospitalId ?? null });
    const kind = about.kind ?? kindOf(device?.kind) ?? "ecg";
    const text = metrics ? JSON.stringify(metrics) : null;
    Object.assign(attempt, { kind, hospitalId: access.hospitalId, patientId: access.patient.id });
    if (text) checkMetrics(kind, text);
    const incomingKey = `${INCOMING}${opaqueId()}`;
    const link = await presign(env, incomingKey, size, sha256);
    const kept = { about: { ...about, patient_id: access.patient.id }, metrics: text };
    const awaited = { incomingKey, expiresAt: now + LINK_SECONDS * 1000 };
    const log = { outcome: "awaiting", awaited, kept, event: "upload.begin", action: "C", access } as const;
    await batch(call.db, [...(await logStatements(call, attempt, log)), ...taking(attempt.id)]);
    return begun(attempt.id, link, awaited.expiresAt);
  } catch (error) {
    // The key's winner is answered instead: that is no refusal.
    if (!isConflict(error, "idempotency_keys")) await logRefusal(call, attempt, error);
    throw error;
  }
}

function checkMetrics(kind: Parameters<typeof readMetrics>[0], text: string) {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_METRICS) throw new ApiError("too_large", "Metrics are at most 64 KiB.");
  return readMetrics(kind, bytes);
}

const presign = (env: Env, key: string, size: number, sha256: string) =>
  presignPut(env, key, { contentType: "application/pdf", size, sha256, seconds: LINK_SECONDS });

function begun(upload_id: string, link: { url: string; headers: Record<string, string> }, expiresAt: number): Begun {
  return { upload_id, method: "PUT", ...link, expires_at: new Date(expiresAt).toISOString() };
}

const awaitedBy = ({ db, actor }: Call, id: string) =>
  db
    .select()
    .from(uploads)
    .where(and(eq(uploads.id, id), eq(uploads.actorId, idOf(actor)), sql`${uploads.expiresAt} IS NOT NULL`));

/** The same key again: a new link to the same place, as long as the file is still awaited. */
async function renderLink(call: Call, env: Env, id: string): Promise<Begun> {
  const [row] = await awaitedBy(call, id);
  if (!row) return refuseUnknown(call, id);
  const access = await requirePatient(call, { patient: row.patientId ?? "" }, "report:create");
  if (!row.incomingKey) throw new ApiError("conflict", "This upload has ended; begin another with a new key.");
  const link = await presign(env, row.incomingKey, row.fileSize ?? 0, row.sha256 ?? "");
  const expiresAt = call.now + LINK_SECONDS * 1000;
  const [moved] = await batch(call.db, settle(call, row, { expiresAt }, eventOf(row, access, "upload.replay")));
  if (moved.length === 0) throw new ApiError("conflict", "This upload has ended; begin another with a new key.");
  return begun(id, link, expiresAt);
}

function eventOf(row: UploadRow, { role, basis, hospitalId, patient }: Access, event: string, reportId?: string) {
  const entity = reportId ? { type: "report", id: reportId } : { type: "upload", id: row.id };
  return { event, action: "C", role, basis, hospitalId, entity, subjects: [patient.id], detail: { upload_id: row.id } } as const;
}

async function refuseUnknown(call: Call, id: string): Promise<never> {
  const { role, hospitalId } = await askGate(call);
  return refuse(call, "report:create", "not_found", { role, hospitalId, target: { upload: id } });
}

export type Confirmed = { uploadId: string; reportId: string; status: 200 | 201 };

/**
 * Checks what was sent, seals it where files lie and makes the report. The same again answers the same.
 * @throws ApiError not_found (another's, or the right has ended), conflict (nothing there, or ended otherwise), not_pdf,
 * length_mismatch, digest_mismatch
 */
export async function confirmDirect(call: Call, bucket: R2Bucket, id: string): Promise<Confirmed> {
  for (let round = 0; round < 3; round++) {
    const done = await tryConfirm(call, bucket, id);
    if (done) return done;
  }
  throw new ApiError("unavailable");
}

async function tryConfirm(call: Call, bucket: R2Bucket, id: string): Promise<Confirmed | null> {
  const [[row], sameFile, bytes] = await batch(call.db, [
    awaitedBy(call, id),
    sameFileStatement(call, sql`(SELECT sha256 FROM uploads WHERE id = ${id})`),
    bytesToday(call),
  ]);
  if (!row) return refuseUnknown(call, id);
  if (row.reportId) return confirmedBefore(call, row, row.reportId);
  const access = await requirePatient(call, { patient: row.patientId ?? "" }, "report:create");
  if (row.outcome !== "awaiting" || !row.incomingKey)
    return refuseState(call, row, access, "This upload has ended; begin another.");
  const machine = machineOf(call, access);
  if (machine) refuseOver(bytes[0]?.n ?? 0, row.fileSize ?? 0, call.now);
  const object = await bucket.get(row.incomingKey);
  if (!object) return refuseState(call, row, access, "The file has not arrived.");
  const before = sameFile.find((report) => report.patientId === access.patient.id);
  const work = { call, bucket, row, access, object, incomingKey: row.incomingKey, machine };
  try {
    return await (before ? confirmDuplicate(work, before.id) : confirmNew(work));
  } catch (error) {
    if (isOverQuota(error)) throw overQuota(call.now);
    if (error instanceof ApiError && BAD_FILE.includes(error.code)) await refuseFile(work, error);
    throw error;
  }
}

/** What another look at the same bytes would find again. */
const BAD_FILE: readonly ErrorCode[] = ["length_mismatch", "digest_mismatch", "not_pdf"];

type Work = {
  call: Call;
  bucket: R2Bucket;
  row: UploadRow;
  access: Access;
  object: R2ObjectBody;
  incomingKey: string;
  machine: string | null;
};

function machineOf({ actor }: Call, { deviceId }: Access): string | null {
  return deviceId ?? (actor.kind === "app" ? actor.credentialId : null);
}

/** Refuses for the state an upload is in, and leaves that in the trail. @returns null when the state is another by now */
async function refuseState(call: Call, row: UploadRow, access: Access, detail: string): Promise<null> {
  const { db, actor, now } = call;
  const when = sql`EXISTS (SELECT 1 FROM uploads WHERE id = ${row.id} AND outcome = ${row.outcome})`;
  const failed = { ...eventOf(row, access, "upload.settle"), outcome: "failed", reason: "conflict", when } as const;
  const [[current]] = await batch(db, [awaitedBy(call, row.id), ...audit(db, actor, now, failed)]);
  if (current?.outcome === row.outcome) throw new ApiError("conflict", detail);
  return null;
}

async function confirmedBefore(call: Call, row: UploadRow, reportId: string): Promise<Confirmed> {
  const access = await requirePatient(call, { report: reportId }, replayAction(call.actor));
  const { db, actor, now } = call;
  await batch(db, audit(db, actor, now, { ...eventOf(row, access, "report.replay", reportId), action: "R" }));
  return { uploadId: row.id, reportId, status: row.outcome === "stored" ? 201 : 200 };
}

/** The bytes as they were announced, or an error from the stream. */
const checked = ({ object, row }: Work) =>
  inspectStream(object.body, { size: row.fileSize ?? 0, sha256: row.sha256 ?? "" }, true).stream;

async function confirmDuplicate(work: Work, reportId: string): Promise<Confirmed | null> {
  const { call, bucket, row, access, incomingKey } = work;
  for await (const _ of checked(work));
  const change = { outcome: "duplicate", reportId, incomingKey: null } as const;
  const event = { ...eventOf(row, access, "report.duplicate", reportId), action: "R" } as const;
  const [moved] = await batch(call.db, settle(call, row, change, event));
  if (moved.length === 0) return null;
  await bucket.delete(incomingKey);
  return { uploadId: row.id, reportId, status: 200 };
}

async function confirmNew(work: Work): Promise<Confirmed | null> {
  const { call, bucket, row, access, incomingKey } = work;
  const { keys, actor, now } = call;
  const { file_name, about, metrics: text } = await openDetail(call, row);
  const kind = kindOf(row.kind ?? undefined) ?? "other";
  const size = row.fileSize ?? 0;
  const fileKey = newFileKey(keys.fields, now);
  await putFile(bucket, keys.fields, fileKey, fileRecord(row.id), checked(work), size);
  const metrics = text ? checkMetrics(kind, text) : null;
  const metricsKey = metrics ? await keepMetrics(call, bucket, row.id, metrics) : null;
  const report = {
    id: row.id,
    kind,
    about: about ?? {},
    uploadedBy: { kind: row.actorKind, id: access.deviceId ?? row.actorId },
    receivedAt: now,
    fileName: file_name ?? "report.pdf",
    size,
    sha256: row.sha256 ?? "",
    fileKey,
    metricsKey,
    metrics,
  };
  const waits = sql`EXISTS (SELECT 1 FROM uploads WHERE id = ${row.id} AND outcome = 'awaiting')`;
  const change = { outcome: "stored", reportId: row.id, incomingKey: null } as const;
  try {
    await batch(call.db, [
      ...(await reportStatements(call, access, report, sql`${stillHolds(actor, access, Date.now())} AND ${waits}`)),
      ...takeBytes(call, machineOf(call, access), size + (metrics ? metrics.json.length : 0)),
      ...settle(call, row, change, eventOf(row, access, "report.create", row.id)),
    ]);
  } catch (error) {
    const lost = isUnmet(error, "reports.id") || isConflict(error, "reports.sha256");
    // Only these say for certain that nothing was written.
    if (lost || isOverQuota(error)) await bucket.delete([fileKey, ...(metricsKey ? [metricsKey] : [])]);
    if (lost) return null;
    throw error;
  }
  await bucket.delete(incomingKey);
  return { uploadId: row.id, reportId: row.id, status: 201 };
}

/** What was sent is not what was announced, or no PDF: the upload has ended, and the bytes in clear go at once. */
async function refuseFile({ call, bucket, row, access, incomingKey }: Work, error: ApiError): Promise<void> {
  const change = { outcome: "refused", reason: error.code, incomingKey: null } as const;
  const event = { ...eventOf(row, access, "report.refuse"), outcome: "failed", reason: error.code } as const;
  await batch(call.db, settle(call, row, change, event));
  await bucket.delete(incomingKey);
}
