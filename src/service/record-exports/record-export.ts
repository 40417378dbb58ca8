// One export of a record: what is answered of it, and its bounds.
import { and, eq, or, type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { denyAccess } from "../../access/deny.ts";
import { signLink } from "../../access/file-links.ts";
import { type Access, withPatient } from "../../access/patient-access.ts";
import { recordExports } from "../../platform/db/schema.ts";
import { DAY_MS, toIso, toIsoOrNull } from "../../platform/time.ts";

export type ExportRow = typeof recordExports.$inferSelect;

/** A file can be downloaded for a week; what is known of the export stays longer. */
export const FILE_KEPT_MS = 7 * DAY_MS;
export const ROW_KEPT_MS = 90 * DAY_MS;
/** A run of a job that is not heard of for this long was cut off. */
export const LEASE_MS = 5 * 60_000;
export const MAX_ATTEMPTS = 3;
export const MAX_JSON_BYTES = 32 * 1024 * 1024;
export const MAX_FILE_BYTES = 1024 * 1024 * 1024;
/** Objects of R2 that one run reads: half of the calls of a Worker's invocation. */
export const MAX_OBJECTS = 500;

export function toExport(row: ExportRow) {
  return {
    export_id: row.id,
    patient_id: row.patientId,
    format: row.format,
    language: row.language,
    state: row.state,
    progress: row.progress,
    reason: row.reason,
    size: row.state === "ready" ? row.fileSize : null,
    sha256: row.state === "ready" ? row.sha256 : null,
    created_at: toIso(row.createdAt),
    expires_at: toIsoOrNull(row.expiresAt),
    version: row.version,
  };
}

/** A ready export, with a link to its file that is valid for 5 minutes. */
export async function withDownloadLink(call: Call, origin: string, row: ExportRow) {
  const none = { download_url: null, download_expires_at: null };
  if (row.state !== "ready" || (row.expiresAt ?? 0) <= call.now) return { ...toExport(row), ...none };
  const path = `/patients/${row.patientId}/export/${row.id}/file`;
  const link = await signLink(call, origin, { kind: "record_export", id: row.id, path });
  return { ...toExport(row), download_url: link.url, download_expires_at: link.expires_at };
}

/** Exports are for who asked for them; those of a person, for every login of their record. */
export const isOwn = (call: Call): SQL =>
  sql`(${recordExports.requestedBy} = ${getActorId(call.actor)} OR EXISTS (SELECT 1 FROM patient_links own, patient_links asker
    WHERE own.user_id = ${getActorId(call.actor)} AND own.patient_id = ${recordExports.patientId}
      AND asker.patient_id = own.patient_id AND asker.user_id = ${recordExports.requestedBy}))`;

/**
 * Checks access to the record and loads one export, in one round trip. No recent sign-in is needed: whoever asked for the file proved it.
 * @throws ApiError not_found
 */
export async function requireExport(call: Call, ref: string, id: string): Promise<{ row: ExportRow; access: Access }> {
  const { access, results } = await withPatient(call, { patient: ref }, "record_export:read", (patientId) => [
    call.db
      .select()
      .from(recordExports)
      .where(and(eq(recordExports.id, id), sql`${recordExports.patientId} = ${patientId}`, or(isOwn(call)))),
  ]);
  const [[row]] = results;
  if (row) return { row, access };
  const { role, hospitalId, patient } = access;
  return denyAccess(call, "record_export:read", "not_found", {
    role,
    hospitalId,
    target: { record_export: id },
    patientId: patient.id,
  });
}
