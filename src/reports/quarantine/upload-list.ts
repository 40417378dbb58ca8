// Reads of the upload log: all attempts of a hospital, files in quarantine, one attempt in detail.

import { and, eq, getTableColumns, sql } from "drizzle-orm";
import { z } from "zod";
import { withUser } from "../../access/access.ts";
import type { Call, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, toListEvents } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { isUnrestricted } from "../../access/visibility.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { unsealValue } from "../../platform/crypto.ts";
import { reports, uploads } from "../../platform/db/schema.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { selectSameFile } from "../upload/new-report.ts";
import { findMeasuredAt, openDetail, type UploadOutcome, type UploadRow } from "../upload/upload-log.ts";

/** `reportNameSealed`: the file name of the row's report, if there is one. */
type ListedUpload = UploadRow & { reportNameSealed: string | null };

export async function toUpload(call: Call, row: ListedUpload) {
  const file_name = (await openDetail(call, row)).file_name ?? (await openReportName(call, row));
  return {
    upload_id: row.id,
    actor_kind: row.actorKind,
    actor_id: row.actorId,
    hospital_id: row.hospitalId,
    patient_id: row.patientId,
    report_id: row.reportId,
    kind: row.kind,
    outcome: row.outcome,
    reason: row.reason,
    file_name,
    file_size: row.fileSize,
    sha256: row.sha256,
    created_at: toIso(row.createdAt),
  };
}

async function openReportName({ keys }: Call, { reportId, reportNameSealed }: ListedUpload): Promise<string | null> {
  if (reportId === null || reportNameSealed === null) return null;
  const context = { table: "reports", column: "file_name", id: reportId };
  return z.string().parse(await unsealValue(keys.fields, context, reportNameSealed));
}

/** Adds the sending device, and fields and metrics as received. */
export async function toUploadWithDetail(call: Call, row: ListedUpload, deviceId: string | null) {
  const detail = await openDetail(call, row);
  const { about, metrics, discard_reason, assign_reason } = detail;
  return {
    ...(await toUpload(call, row)),
    device_id: deviceId,
    fields: about ?? {},
    measured_at: toIsoOrNull(findMeasuredAt(detail)),
    metrics: metrics ?? null,
    discard_reason: discard_reason ?? null,
    assign_reason: assign_reason ?? null,
  };
}

/** The device that the sender's credential belongs to; null for people and apps. */
const deviceIdColumn = sql<
  string | null
>`(SELECT c.device_id FROM credentials c WHERE c.id = uploads.actor_id AND c.kind = 'device')`;

/**
 * The row with the patient whose report it is by now, since a report may have been moved, with the size and digest of its report
 * where it has none of its own, and with the report's file name.
 */
const currentRow = {
  ...getTableColumns(uploads),
  patientId: sql<string | null>`coalesce(${reports.patientId}, ${uploads.patientId})`.as("current_patient_id"),
  fileSize: sql<number | null>`coalesce(${uploads.fileSize}, ${reports.fileSize})`.as("current_file_size"),
  sha256: sql<string | null>`coalesce(${uploads.sha256}, ${reports.sha256})`.as("current_sha256"),
  reportNameSealed: sql<string | null>`${reports.fileNameSealed}`.as("report_name_sealed"),
};
const isReportOfRow = eq(reports.id, uploads.reportId);
const isOfUnrestricted = (effectiveRole: UserEffectiveRole) =>
  isUnrestricted(effectiveRole, sql`coalesce(${reports.patientId}, ${uploads.patientId}, '')`);

type UploadQuery = PageQuery & { outcome?: UploadOutcome | undefined };

/** Lists the upload attempts of a hospital, newest first. For roles with `upload:read`. */
async function loadUploadPage(anyCall: Call, list: "uploads" | "quarantine", query: UploadQuery) {
  const start = await resolvePageStart(anyCall, list, query);
  const { where, orderBy } = keysetClauses(start, uploads.createdAt, uploads.id);
  const { call, effectiveRole, results } = await withUser(anyCall, "upload:read", (effectiveRole, { db }) => {
    const filter = and(
      isInCallerHospital(effectiveRole, uploads.hospitalId),
      query.outcome ? eq(uploads.outcome, query.outcome) : undefined,
      // Redundant with the line above, but lets SQLite use the partial indexes.
      query.outcome && query.outcome !== "stored" ? sql`${uploads.outcome} <> 'stored'` : undefined,
    );
    return [
      db
        .select({ row: currentRow, deviceId: deviceIdColumn })
        .from(uploads)
        .leftJoin(reports, isReportOfRow)
        .where(and(filter, isOfUnrestricted(effectiveRole), where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM uploads WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [rows, [count]] = results;
  const toCursor = ({ row }: { row: UploadRow }) => ({ value: row.createdAt, id: row.id });
  const { rows: pageRows, pagination } = await buildPage(start, rows, toCursor, { n: count?.n ?? 0, exact: false });
  const { role, hospitalId } = effectiveRole;
  const event = list === "uploads" ? "upload.list" : "upload.quarantine";
  const events = toListEvents(
    pageRows,
    ({ row }) => row.hospitalId,
    hospitalId,
    (ofHospital) => ({
      ...({ event, action: "R", role } as const),
      subjects: ofHospital.flatMap(({ row }) => row.patientId ?? []),
      detail: { count: ofHospital.length },
    }),
  );
  return { call, rows: pageRows, pagination, stored: appendAuditEvent(call, events) };
}

export async function listUploads(anyCall: Call, query: UploadQuery) {
  const { call, rows, pagination, stored } = await loadUploadPage(anyCall, "uploads", query);
  return { items: await afterAudit(stored, Promise.all(rows.map(({ row }) => toUpload(call, row)))), pagination };
}

/** Lists files in quarantine, newest first. */
export async function listQuarantine(anyCall: Call, query: PageQuery) {
  const { call, rows, pagination, stored } = await loadUploadPage(anyCall, "quarantine", { ...query, outcome: "quarantined" });
  const items = Promise.all(rows.map(({ row, deviceId }) => toUploadWithDetail(call, row, deviceId)));
  return { items: await afterAudit(stored, items), pagination };
}

/**
 * Checks access to one attempt and loads it with the reports that have the same file, in one round trip.
 * @throws ApiError not_found if it does not exist or belongs to another hospital
 */
export async function requireUpload(anyCall: Call, id: string, action: Permission) {
  const { call, effectiveRole, results } = await withUser(anyCall, action, (effectiveRole, { db }) => [
    db
      .select({ row: currentRow, deviceId: deviceIdColumn })
      .from(uploads)
      .leftJoin(reports, isReportOfRow)
      .where(and(eq(uploads.id, id), isInCallerHospital(effectiveRole, uploads.hospitalId), isOfUnrestricted(effectiveRole))),
    selectSameFile({ ...anyCall, db }, sql`(SELECT sha256 FROM uploads WHERE id = ${id})`),
  ]);
  const [[found], sameFile] = results;
  const { role, hospitalId } = effectiveRole;
  if (!found) return denyAccess(call, action, "not_found", { role, hospitalId, target: { upload: id } });
  return { call, effectiveRole, sameFile, ...found };
}

/** The fields that audit events about one attempt share. */
export function uploadAuditFields({ role }: UserEffectiveRole, row: UploadRow) {
  return {
    role,
    hospitalId: row.hospitalId,
    entity: { type: "upload", id: row.id },
    subjects: row.patientId ? [row.patientId] : [],
  };
}

export async function getUpload(anyCall: Call, id: string) {
  const { call, effectiveRole, row, deviceId } = await requireUpload(anyCall, id, "upload:read");
  const event = { event: "upload.read", action: "R", ...uploadAuditFields(effectiveRole, row) } as const;
  return afterAudit(appendAuditEvent(call, event), toUploadWithDetail(call, row, deviceId));
}
