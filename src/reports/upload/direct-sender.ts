// The sender of a direct upload: the row that only they may see, their access at each step, and the audit events of both.
import { and, eq, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { resolveDeviceAccess } from "../../access/device-access.ts";
import { type Access, authorizePatient } from "../../access/patient-access.ts";
import { uploads } from "../../platform/db/schema.ts";
import { MOVED_DETAIL } from "./destination.ts";
import { authorizeUploader, findMeasuredAt, openDetail, type UploadRow } from "./upload-log.ts";

/** `access` is null for a device's file whose patient was unclear when the upload began: it goes to quarantine. */
export type Sender = { role: Access["role"]; hospitalId: string | null; access: Access | null };

export const selectDirectUpload = ({ db, actor }: Call, id: string) =>
  db
    .select()
    .from(uploads)
    .where(and(eq(uploads.id, id), eq(uploads.actorId, getActorId(actor)), sql`${uploads.expiresAt} IS NOT NULL`));

/** @throws ApiError not_found */
export async function denyUnknownUpload(call: Call, id: string): Promise<never> {
  const { role, hospitalId } = await authorizeUploader(call);
  return denyAccess(call, "report:create", "not_found", { role, hospitalId, target: { upload: id } });
}

/**
 * Checks the sender's access to the upload's patient. A device's file existed when its upload began, so the assignment that held then,
 * or at the time of measurement, decides, whatever it is assigned to now.
 * @throws ApiError not_found
 */
export async function authorizeSender(call: Call, row: UploadRow): Promise<Sender> {
  const { actor } = call;
  if (row.patientId === null) return { ...(await authorizeUploader(call)), hospitalId: row.hospitalId, access: null };
  const target = { patient: row.patientId };
  if (actor.kind !== "device") {
    const access = await authorizePatient(call, target, "report:create");
    return { role: access.role, hospitalId: access.hospitalId, access };
  }
  const at = findMeasuredAt(await openDetail(call, row)) ?? row.createdAt;
  const { access, hospitalId } = await resolveDeviceAccess(call, actor, target, "report:create", at);
  if (!access) return denyAccess(call, "report:create", "not_found", { role: "device", hospitalId, target });
  return { role: "device", hospitalId, access };
}

/** @throws ApiError report_moved always; not_found without access to the patient for whom the report was sent */
export async function failMoved(call: Call, row: UploadRow): Promise<never> {
  const event = toAuditEvent(row, await authorizeSender(call, row), "upload.settle");
  return failWithAudit(call, "report_moved", event, MOVED_DETAIL);
}

export function toAuditEvent(row: UploadRow, { role, hospitalId, access }: Sender, event: string, reportId?: string) {
  const entity = reportId ? { type: "report", id: reportId } : { type: "upload", id: row.id };
  const subjects = access ? [access.patient.id] : [];
  const basis = access ? { basis: access.basis } : {};
  return { event, action: "C", role, ...basis, hospitalId, entity, subjects, detail: { upload_id: row.id } } as const;
}
