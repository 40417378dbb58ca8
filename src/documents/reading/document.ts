// One document: its row, the response format, the access check and the detail.
import { asc, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { findGrant } from "../../access/consented.ts";
import { coverTime } from "../../access/covered-access.ts";
import { denyAccess } from "../../access/deny.ts";
import { type Access, accessAllows, accessFields, isBeyondRole, withPatient } from "../../access/patient-access.ts";
import type { Permission } from "../../access/permissions.ts";
import { documents } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { nullIfCorrupt, readSealed } from "../../platform/sealed-documents.ts";
import { toIso } from "../../platform/time.ts";
import { toCategory, toDocumentType } from "../document-types.ts";

/** A version of a document. `previousId`: the version that it replaces; `ground`: what opened it to the caller of a list beyond the role. */
export type DocumentRow = typeof documents.$inferSelect & { previousId: string | null; ground?: string | null };

/** Bound into the seal of a document's file. */
export const fileRecordId = (id: string) => `document:${id}`;
export const sealContext = (column: "title" | "author" | "file_name" | "reason", id: string) => ({
  table: "documents",
  column,
  id,
});

/** Named tables, because the query is about one table, whose columns would be rendered without a name. */
const previousId = sql<string | null>`(SELECT p.id FROM documents p WHERE p.series_id = documents.series_id
  AND p.series_version = documents.series_version - 1)`.as("previous_id");

/** @param ground of `selectGroundOf`, in a list */
export const selectDocuments = ({ db }: Pick<Call, "db">, where: SQL | undefined, ground = sql`NULL`) =>
  db
    .select({ ...getTableColumns(documents), previousId, ground: sql<string | null>`${ground}`.as("ground") })
    .from(documents)
    .where(where);

const Text = z.string();

/** @param onCorrupt called per value that cannot be decrypted, which becomes null; without it such a value is an error */
export async function toDocument({ keys }: Pick<Call, "keys">, row: DocumentRow, onCorrupt?: () => void) {
  const read = async (column: Parameters<typeof sealContext>[0], sealed: string | null) =>
    sealed === null ? null : nullIfCorrupt(readSealed(keys.fields, sealContext(column, row.id), sealed, Text), onCorrupt);
  const [title, author, file_name, reason] = await Promise.all([
    read("title", row.titleSealed),
    read("author", row.authorSealed),
    read("file_name", row.fileNameSealed),
    read("reason", row.reasonSealed),
  ]);
  return {
    document_id: row.id,
    status: row.status,
    type: toDocumentType(row.typeCode),
    category: toCategory(row.typeCode),
    patient_id: row.patientId,
    hospital_id: row.hospitalId,
    date: toIso(row.dateAt),
    title,
    author,
    file_name,
    content_type: row.contentType,
    size: row.fileSize,
    sha256: row.sha256,
    relates_to: row.previousId,
    version_number: row.seriesVersion,
    uploaded_by: { kind: row.uploadedByKind, id: row.uploadedBy },
    entered_in_error: row.endedAt === null ? null : { reason, by: row.endedBy ?? "", at: toIso(row.endedAt) },
    created_at: toIso(row.createdAt),
    file_url: `/api/v1/documents/${row.id}/file`,
    version: row.version,
  };
}

const toVersion = (row: DocumentRow) => ({
  document_id: row.id,
  version_number: row.seriesVersion,
  status: row.status,
  content_type: row.contentType,
  size: row.fileSize,
  created_at: toIso(row.createdAt),
  uploaded_by: { kind: row.uploadedByKind, id: row.uploadedBy },
});

export function documentEvent(
  access: Access,
  id: string,
  event: string,
  action: "C" | "R" | "U",
  detail?: Record<string, unknown>,
) {
  const entity = { type: "document", id };
  return { ...accessFields(access), event, action, entity, subjects: [access.patient.id], ...(detail && { detail }) } as const;
}

/** A document that was entered in error exists for those who may correct documents only. @throws ApiError not_found */
export async function denyHidden(call: Call, access: Access, { id, status }: DocumentRow, permission: Permission): Promise<void> {
  const maySee = !isBeyondRole(access) && accessAllows(access, "document:correct");
  if (status !== "entered-in-error" || maySee) return;
  const { role, hospitalId, patient } = access;
  await denyAccess(call, permission, "not_found", { role, hospitalId, target: { document: id }, patientId: patient.id });
}

/** The access to one version: a consent must cover it, and does not cover what was entered in error. @throws ApiError not_found */
async function coverDocument(call: Call, access: Access, row: DocumentRow): Promise<Access> {
  await denyHidden(call, access, row, "document:read");
  return coverTime(call, access, "document:read", { kind: "documents", at: row.dateAt, target: { document: row.id } });
}

/** Checks access to one document and loads it, in one round trip; its caller records the event. @throws ApiError not_found */
export async function requireDocument(call: Call, id: string) {
  const { access, results } = await withPatient(
    call,
    { document: id },
    "document:read",
    () => [selectDocuments(call, eq(documents.id, id))],
    { byConsent: true },
  );
  const [[row]] = results;
  if (!row) throw new ApiError("not_found");
  return { row, access: await coverDocument(call, access, row) };
}

/** All versions of the document that has this version, oldest first. */
export const selectSeries = (call: Pick<Call, "db">, id: string) =>
  selectDocuments(call, sql`series_id = (SELECT s.series_id FROM documents s WHERE s.id = ${id})`).orderBy(
    asc(documents.seriesVersion),
  );

/** Returns one version of a document with the list of all versions. @throws ApiError not_found */
export async function getDocument(call: Call, id: string) {
  const { access, results } = await withPatient(call, { document: id }, "document:read", () => [selectSeries(call, id)], {
    byConsent: true,
  });
  const [rows] = results;
  const row = rows.find((version) => version.id === id);
  if (!row) throw new ApiError("not_found");
  const covered = await coverDocument(call, access, row);
  const stored = appendAuditEvent(call, documentEvent(covered, id, "document.read", "R"));
  const isShown = (version: DocumentRow) =>
    !access.grants || findGrant(access.grants, "documents", version.dateAt, version.id) !== undefined;
  return { ...(await afterAudit(stored, toDocument(call, row))), versions: rows.filter(isShown).map(toVersion) };
}
