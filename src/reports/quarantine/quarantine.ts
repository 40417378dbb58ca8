// The quarantine: staff assign a file to a patient or discard it. Files are never matched to patients automatically.
import { type SQL, sql } from "drizzle-orm";
import { type Call, getActorId, type UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { beginChange, endChange } from "../../access/begun-change.ts";
import { denyAccess } from "../../access/deny.ts";
import { type Access, authorizePatient } from "../../access/patient-access.ts";
import { futureTimeError, requireClearTime, resolveMeasuredAt } from "../../http/measured-at.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { isAhead } from "../../platform/device-times.ts";
import { ApiError } from "../../platform/errors.ts";
import { streamFile } from "../../platform/files.ts";
import { giveBackStatement, TOTAL_PREFIX } from "../../platform/storage-quotas.ts";
import type { ReportKind } from "../upload/metric-ranges.ts";
import { parseMetrics } from "../upload/metrics.ts";
import { fileRecordId, storeMetrics, toReportKind } from "../upload/new-report.ts";
import { inspectPdfStream, type PdfInspection } from "../upload/pdf.ts";
import { settleAsReport, toNewReport } from "../upload/settle-as-report.ts";
import {
  changeUpload,
  findMeasuredAt,
  openDetail,
  sealDetail,
  settleUpload,
  type UploadDetail,
  type UploadRow,
} from "../upload/upload-log.ts";
import { requireUpload, toUploadWithDetail, uploadAuditFields } from "./upload-list.ts";

/** A repeated file is recognised among this many of the hospital's newest files in quarantine. */
const MAX_REPEAT_LOOKBACK = 200;

/** Selects the same file in quarantine from the calling device, sent with any of its credentials. */
export function selectQuarantinedRepeat({ actor }: Call, sha256: string | SQL): SQL {
  const id = getActorId(actor);
  return sql`SELECT q.id AS id, q.reason AS reason FROM
    (SELECT id, reason, sha256, actor_id, created_at FROM uploads WHERE outcome = 'quarantined' AND outcome <> 'stored'
      AND hospital_id = (SELECT hospital_id FROM credentials WHERE id = ${id}) ORDER BY created_at DESC LIMIT ${MAX_REPEAT_LOOKBACK}) q
    WHERE q.sha256 = ${sha256} AND q.actor_id IN
      (SELECT b.id FROM credentials a JOIN credentials b ON b.device_id = a.device_id WHERE a.id = ${id})
    ORDER BY q.created_at LIMIT 1`;
}

export type AssignmentResult = { uploadId: string; reportId: string; status: 200 | 201; duplicate: boolean };
type AssignmentInput = {
  patient_id: string;
  kind?: ReportKind | undefined;
  /** For a file whose own time is unclear or wrong. */
  recorded_at?: string | undefined;
  /** Why a file that is no proper PDF becomes a report all the same: somebody has looked at it. */
  reason?: string | undefined;
};

const MAX_ATTEMPTS = 3;
/** Runs an attempt again while it returns null, which means that a concurrent request settled the upload first. */
async function retryOnRace<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (let i = 0; i < MAX_ATTEMPTS; i++) {
    const result = await attempt();
    if (result) return result;
  }
  throw new ApiError("unavailable");
}

/**
 * Checks the file as an upload does and creates the patient's report. Idempotent.
 * @throws ApiError not_found (upload or patient), conflict (already settled, or not a PDF), invalid_request (no time or reason, if the
 * file needs one)
 */
export async function assignUpload(call: Call, bucket: R2Bucket, id: string, input: AssignmentInput): Promise<AssignmentResult> {
  return retryOnRace(() => tryAssign(call, bucket, id, input));
}

type FoundUpload = Awaited<ReturnType<typeof requireUpload>>;

async function tryAssign(anyCall: Call, bucket: R2Bucket, id: string, input: AssignmentInput): Promise<AssignmentResult | null> {
  const found = await requireUpload(anyCall, id, "upload:assign");
  const { call, effectiveRole, row, sameFile } = found;
  const access = await authorizePatient(call, { patient: input.patient_id }, "report:create");
  const { role } = access;
  // A file never leaves its hospital, not even when a platform administrator assigns it.
  if (access.hospitalId !== row.hospitalId) {
    const facts = { role, hospitalId: row.hospitalId, target: { upload: id }, patientId: access.patient.id };
    return denyAccess(call, "upload:assign", "not_found", facts);
  }
  if (row.outcome === "assigned" && row.patientId === access.patient.id && row.reportId) {
    return replayAssignment(call, bucket, row, row.reportId, access);
  }
  if (row.outcome !== "quarantined")
    return rejectSettledUpload(call, effectiveRole, row, "This upload is no longer in quarantine.");
  const existing = sameFile.find((report) => report.patientId === access.patient.id);
  if (existing) return assignDuplicate(call, bucket, row, access, existing.id);
  return assignNew(found, bucket, access, input);
}

/** Records the conflict in the audit log, as access denials are, and throws it. */
async function rejectSettledUpload(call: Call, effectiveRole: UserEffectiveRole, row: UploadRow, detail: string): Promise<never> {
  const { db, actor, now } = call;
  const failed = { action: "U", outcome: "failed", reason: "conflict" } as const;
  await batch(
    db,
    recordAuditEvent(db, actor, now, { event: "upload.settle", ...failed, ...uploadAuditFields(effectiveRole, row) }),
  );
  throw new ApiError("conflict", detail);
}

function toAuditEvent(row: UploadRow, { role, basis, hospitalId, patient }: Access, event: string, reportId: string) {
  const entity = { type: "report", id: reportId };
  return { event, action: "U", role, basis, hospitalId, entity, subjects: [patient.id], detail: { upload_id: row.id } } as const;
}

async function replayAssignment(
  call: Call,
  bucket: R2Bucket,
  row: UploadRow,
  reportId: string,
  access: Access,
): Promise<AssignmentResult> {
  const { db, actor, now } = call;
  await batch(db, recordAuditEvent(db, actor, now, { ...toAuditEvent(row, access, "upload.replay", reportId), action: "R" }));
  await deleteFileOf(bucket, row);
  return { uploadId: row.id, reportId, status: 200, duplicate: reportId !== row.id };
}

/** The patient already has a report with this file: links the upload to it and deletes the copy. */
async function assignDuplicate(call: Call, bucket: R2Bucket, row: UploadRow, access: Access, reportId: string) {
  const change = { outcome: "assigned", patientId: access.patient.id, reportId } as const;
  const event = toAuditEvent(row, access, "upload.assign", reportId);
  const detail = await openDetail(call, row);
  const [, settled] = await batch(call.db, [
    giveBackFile(call, row, detail),
    ...settleUpload(call, row, change, { ...event, reason: "duplicate" }),
  ]);
  if (settled.length === 0) return null;
  await deleteFileOf(bucket, row);
  return { uploadId: row.id, reportId, status: 200 as const, duplicate: true };
}

async function assignNew(
  { call, effectiveRole, row, deviceId }: FoundUpload,
  bucket: R2Bucket,
  access: Access,
  input: AssignmentInput,
) {
  const detail = await openDetail(call, row);
  const kind = input.kind ?? toReportKind(row.kind ?? undefined) ?? "other";
  const metrics = detail.metrics ? parseMetrics(kind, new TextEncoder().encode(detail.metrics)) : null;
  const measuredAt = await findAssignedTime(call, row, detail, input);
  const inspection = await inspectStoredFile(call, bucket, row);
  if (inspection === null) return null;
  if (!inspection.isReadable)
    return rejectSettledUpload(call, effectiveRole, row, "The file is not a PDF. It can only be discarded.");
  if (!inspection.isPdf && input.reason === undefined)
    throw requiredError("reason", "Required, because the file is no proper PDF: look at it first");
  const metricsKey = metrics ? await storeMetrics(call, bucket, row.id, metrics) : null;
  // The report takes over the upload's id, to which the file is sealed: the file needs no new seal.
  const fileKey = row.fileKey ?? "";
  const content = { kind, deviceId, measuredAt, receivedAt: row.createdAt, fileKey, metricsKey, metrics };
  const report = toNewReport(row, detail, content);
  const { reason } = input;
  const detailSealed =
    reason === undefined ? {} : { detailSealed: await sealDetail(call, row.id, { ...detail, assign_reason: reason }) };
  const settled = await settleAsReport(call, bucket, {
    row,
    access,
    report,
    change: { outcome: "assigned", patientId: access.patient.id, reportId: row.id, kind, fileKey: null, ...detailSealed },
    event: toAuditEvent(row, access, "upload.assign", row.id),
    newFiles: metricsKey ? [metricsKey] : [],
  });
  return settled ? { uploadId: row.id, reportId: row.id, status: 201 as const, duplicate: false } : null;
}

/** The time that the request names, else that of the file, in Unix ms. @throws ApiError invalid_request */
async function findAssignedTime(call: Call, row: UploadRow, detail: UploadDetail, { recorded_at }: AssignmentInput) {
  const named = requireClearTime(await resolveMeasuredAt(call, recorded_at, row.hospitalId ?? ""));
  if (isAhead(named, call.now)) throw futureTimeError();
  const measuredAt = named ?? findMeasuredAt(detail);
  if (measuredAt === null && row.reason === "time_unclear")
    throw requiredError("recorded_at", "Required, because the time that came with the file is unclear");
  return measuredAt;
}

function requiredError(path: string, message: string): ApiError {
  return new ApiError("invalid_request", "Some fields are invalid; see errors.", {
    errors: [{ path, message, code: "required" }],
  });
}

/** Reads the file to its end. @returns null if it is gone, because another request settled the upload */
async function inspectStoredFile({ keys }: Call, bucket: R2Bucket, row: UploadRow): Promise<PdfInspection | null> {
  const size = row.fileSize ?? 0;
  const file = await streamFile(bucket, keys.fields, row.fileKey ?? "", fileRecordId(row.id), size).catch((error: unknown) => {
    if (error instanceof ApiError && error.code === "unavailable") return null;
    throw error;
  });
  if (!file) return null;
  const { stream, result } = inspectPdfStream(file.chunks, { size, sha256: row.sha256 ?? "" }, false);
  try {
    for await (const _ of stream);
  } catch (cause) {
    throw new ApiError("integrity_error", undefined, { cause });
  }
  return result;
}

/**
 * Discards a file: first in the row, then in R2. If the deletion fails, the sweep repeats it.
 * @throws ApiError not_found, conflict (already assigned)
 */
export async function discardUpload(anyCall: Call, bucket: R2Bucket, id: string, reason: string) {
  return retryOnRace(async () => {
    const { call, effectiveRole, row, deviceId } = await requireUpload(anyCall, id, "upload:assign");
    const { db, actor, now } = call;
    const event = { action: "D", ...uploadAuditFields(effectiveRole, row), event: "upload.discard" } as const;
    if (row.outcome === "discarded") {
      await batch(db, recordAuditEvent(db, actor, now, { ...event, event: "upload.replay", action: "R" }));
      await deleteFileOf(bucket, row);
      return toUploadWithDetail(call, row, deviceId);
    }
    if (row.outcome !== "quarantined") return rejectSettledUpload(call, effectiveRole, row, "This upload is not in quarantine.");
    const detail = await openDetail(call, row);
    const detailSealed = await sealDetail(call, row.id, { ...detail, discard_reason: reason });
    const change = { outcome: "discarded", detailSealed } as const;
    const { results, begun } = await beginChange(call, { ...event, when: sql`changes() > 0` }, [
      giveBackFile(call, row, detail),
      changeUpload(call, row, change),
    ]);
    if (results[1].length === 0) return null;
    await deleteFileOf(bucket, row);
    await endChange(call, begun);
    return toUploadWithDetail(call, { ...row, ...change }, deviceId);
  });
}

/** Gives the bytes of a file that the batch deletes back to the ceilings; before `settleUpload`, which needs the same outcome. */
function giveBackFile({ db }: Call, row: UploadRow, detail: UploadDetail): Statement {
  const { id, outcome, hospitalId, actorId, fileSize } = row;
  const isUnderGrant = detail.import_grant !== undefined;
  const device = sql`coalesce((SELECT device_id FROM credentials WHERE id = ${actorId}), ${actorId})`;
  return giveBackStatement(
    db,
    sql`SELECT value AS scope, 'files' AS name, CAST(${isUnderGrant ? 0 : (fileSize ?? 0)} AS INTEGER) AS bytes
      FROM json_each(json_array(${`${TOTAL_PREFIX}h:${hospitalId}`}, ${`${TOTAL_PREFIX}m:`} || ${device}))
      WHERE EXISTS (SELECT 1 FROM uploads WHERE id = ${id} AND outcome = ${outcome})`,
  );
}

/** Deletes the file of a settled upload. The row keeps the key until the sweep has verified the deletion. */
async function deleteFileOf(bucket: R2Bucket, { fileKey }: UploadRow): Promise<void> {
  if (fileKey !== null) await bucket.delete(fileKey);
}
