// Downloads of reports and of files in quarantine.
import type { Call } from "../../access/actor.ts";
import { appendAuditEvent } from "../../access/audit.ts";
import { repeatCheck } from "../../access/covered-access.ts";
import { denyAccess } from "../../access/deny.ts";
import { linkSignedAt } from "../../access/file-links.ts";
import { fileResponse, type RangeRequest } from "../../http/file-response.ts";
import { unsealValue } from "../../platform/crypto.ts";
import { ApiError } from "../../platform/errors.ts";
import { requireUpload, uploadAuditFields } from "../quarantine/upload-list.ts";
import { fileRecordId } from "../upload/new-report.ts";
import { openDetail } from "../upload/upload-log.ts";
import { requireReport, toReadEvent } from "./report.ts";

/**
 * The audit event is committed before the first byte is read.
 * @param link a verified link by which the caller was authenticated
 * @throws ApiError link_expired for a link from before the report was moved
 */
export async function downloadReport(call: Call, bucket: R2Bucket, id: string, request: RangeRequest, link: string | undefined) {
  const via = link === undefined ? "token" : "link";
  const signedAt = link === undefined ? Number.POSITIVE_INFINITY : linkSignedAt(link);
  const { row, access } = await requireReport(call, id);
  if ((row.linksFrom ?? 0) >= signedAt) throw new ApiError("link_expired");
  await appendAuditEvent(call, toReadEvent(access, id, { event: "report.download", detail: { via } }));
  const name = String(await unsealValue(call.keys.fields, { table: "reports", column: "file_name", id }, row.fileNameSealed));
  const { fileKey: key, fileSize: size, sha256 } = row;
  const stored = { key, owner: fileRecordId(id), size, sha256, name, type: "application/pdf" };
  const check = repeatCheck(call, access, (again) => requireReport(again, id));
  return fileResponse(call, bucket, stored, request, check);
}

/**
 * Downloads a file in quarantine, so that staff can identify its patient.
 * @throws ApiError not_found, also for an upload that was assigned or discarded
 */
export async function downloadQuarantined(anyCall: Call, bucket: R2Bucket, id: string, request: RangeRequest) {
  const { call, effectiveRole, row } = await requireUpload(anyCall, id, "upload:read");
  if (row.outcome !== "quarantined" || row.fileKey === null) {
    const { role, hospitalId } = effectiveRole;
    return denyAccess(call, "upload:read", "not_found", { role, hospitalId, target: { upload: id } });
  }
  await appendAuditEvent(call, { event: "upload.download", action: "R", ...uploadAuditFields(effectiveRole, row) });
  const { file_name } = await openDetail(call, row);
  const { fileKey: key, fileSize: size, sha256 } = row;
  // Files in quarantine may be something other than PDFs.
  const type = "application/octet-stream";
  const stored = { key, owner: fileRecordId(id), size: size ?? 0, sha256: sha256 ?? "", name: file_name ?? "upload.bin", type };
  return fileResponse(call, bucket, stored, request);
}
