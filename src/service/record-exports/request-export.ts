// Requests for an export, the list of one's own, and the download.
import { and, count, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { type Access, accessFields, authorizePatient, withPatient } from "../../access/patient-access.ts";
import { fileResponse, type RangeRequest } from "../../http/file-response.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { recordExports } from "../../platform/db/schema.ts";
import type { LANGUAGES, RECORD_EXPORT_FORMATS } from "../../platform/db/vocabulary.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { DAY_MS } from "../../platform/time.ts";
import { exportRecordId } from "./file-owner.ts";
import { type ExportRow, isOwn, requireExport, toExport, withDownloadLink } from "./record-export.ts";

export type ExportRequest = { format: (typeof RECORD_EXPORT_FORMATS)[number]; language: (typeof LANGUAGES)[number] };

export const FILE_TYPES: Record<ExportRequest["format"], string> = {
  json: "application/json",
  pdf: "application/pdf",
  zip: "application/zip",
};

const exportEvent = (access: Access, id: string, event: string, action: "C" | "R", detail?: Record<string, unknown>) =>
  ({
    ...accessFields(access),
    event,
    action,
    entity: { type: "record_export", id },
    subjects: [access.patient.id],
    ...(detail && { detail }),
  }) as const;

/** Begins an export, which a job makes. @throws ApiError not_found, step_up_required, limit_reached */
export async function requestExport(call: Call, ref: string, { format, language }: ExportRequest, keyStatements: KeyStatements) {
  const { db, actor, now } = call;
  const access = await authorizePatient(call, { patient: ref }, "record:export");
  const { patient, hospitalId } = access;
  const id = uuidv7();
  const open = sql`record_exports WHERE patient_id = ${patient.id} AND state IN ('queued', 'running')`;
  const ofDay = sql`record_exports WHERE hospital_id = ${hospitalId} AND created_at > ${now - DAY_MS}`;
  const values = { id, patientId: patient.id, hospitalId, format, state: "queued" as const, createdAt: now, updatedAt: now };
  const unlimited = {
    requestedBy: unlessFull(getActorId(actor), ROW_LIMITS.openRecordExports, open),
    language: unlessFull(language, ROW_LIMITS.dailyRecordExports, ofDay),
  };
  try {
    await batch(db, [
      ...keyStatements(id),
      db.insert(recordExports).values({ ...values, ...unlimited }),
      ...recordAuditEvent(db, actor, now, exportEvent(access, id, "record_export.request", "C", { format })),
    ]);
  } catch (error) {
    throw toLimitError(toLimitError(error, ROW_LIMITS.openRecordExports), ROW_LIMITS.dailyRecordExports);
  }
  return { id, patientId: patient.id };
}

/** The caller's exports of a record, newest first. @throws ApiError not_found */
export async function listExports(call: Call, ref: string, query: PageQuery) {
  const start = await resolvePageStart(call, `exports:${ref}`, query);
  const { where, orderBy } = keysetClauses(start, recordExports.createdAt, recordExports.id);
  const { access, results } = await withPatient(call, { patient: ref }, "record_export:read", (patientId) => {
    const own = and(sql`${recordExports.patientId} = ${patientId}`, isOwn(call));
    return [
      call.db
        .select()
        .from(recordExports)
        .where(and(own, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      call.db.select({ n: count() }).from(recordExports).where(own),
    ];
  });
  const [rows, [counted]] = results;
  const key = (row: ExportRow) => ({ value: row.createdAt, id: row.id });
  const page = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: true });
  const event = { ...accessFields(access), event: "record_export.list", action: "R" as const, subjects: [access.patient.id] };
  await appendAuditEvent(call, { ...event, detail: { count: page.rows.length } });
  return { items: page.rows.map(toExport), pagination: page.pagination };
}

/** State and progress, and a link to the file when it is ready. @throws ApiError not_found */
export async function getExport(call: Call, ref: string, id: string, origin: string) {
  const { row, access } = await requireExport(call, ref, id);
  const stored = appendAuditEvent(call, exportEvent(access, id, "record_export.read", "R"));
  return afterAudit(stored, withDownloadLink(call, origin, row));
}

/**
 * Access to the record is checked now, whatever it was when the export was asked for.
 * @param isByLink whether a link has authenticated the caller
 * @throws ApiError not_found, conflict (not ready), link_expired (past its time)
 */
export async function downloadExport(
  call: Call,
  bucket: R2Bucket,
  ref: string,
  id: string,
  request: RangeRequest,
  isByLink: boolean,
) {
  const { row, access } = await requireExport(call, ref, id);
  if (row.state === "expired" || (row.expiresAt ?? Number.POSITIVE_INFINITY) <= call.now) throw new ApiError("link_expired");
  const file = storedFile(row, access);
  if (!file) throw new ApiError("conflict", "The export is not ready.");
  await appendAuditEvent(call, exportEvent(access, id, "record_export.download", "R", { via: isByLink ? "link" : "token" }));
  return fileResponse(call, bucket, file, request, () => requireExport({ ...call, now: Date.now() }, ref, id));
}

function storedFile({ id, state, format, fileKey: key, fileSize: size, sha256 }: ExportRow, { patient }: Access) {
  if (state !== "ready" || key === null || size === null || sha256 === null) return null;
  const name = `record-${patient.patient_number}.${format}`;
  return { key, owner: exportRecordId(id), size, sha256, name, type: FILE_TYPES[format] };
}
