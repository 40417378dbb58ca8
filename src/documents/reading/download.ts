// Downloads of documents: links to files, and the files.
import type { Call } from "../../access/actor.ts";
import { appendAuditEvent } from "../../access/audit.ts";
import { repeatCheck } from "../../access/covered-access.ts";
import { signLink } from "../../access/file-links.ts";
import { fileResponse, type RangeRequest } from "../../http/file-response.ts";
import { unsealValue } from "../../platform/crypto.ts";
import { documentEvent, fileRecordId, requireDocument, sealContext } from "./document.ts";

/** A signed link to the file, which is valid for 5 minutes and checked again on use. @throws ApiError not_found */
export async function createDocumentLink(call: Call, id: string, origin: string) {
  const { access } = await requireDocument(call, id);
  await appendAuditEvent(call, documentEvent(access, id, "document.link", "R"));
  const link = await signLink(call, origin, { kind: "document", id });
  return { download_url: link.url, download_expires_at: link.expires_at };
}

/**
 * The audit event is committed before the first byte is read.
 * @param isByLink whether a link has authenticated the caller  @throws ApiError not_found, range_not_satisfiable
 */
export async function downloadDocument(call: Call, bucket: R2Bucket, id: string, request: RangeRequest, isByLink: boolean) {
  const { row, access } = await requireDocument(call, id);
  const detail = { via: isByLink ? "link" : "token" };
  await appendAuditEvent(call, documentEvent(access, id, "document.download", "R", detail));
  const name = String(await unsealValue(call.keys.fields, sealContext("file_name", id), row.fileNameSealed));
  const { fileKey: key, fileSize: size, sha256, contentType } = row;
  const type = contentType === "text/plain" ? "text/plain; charset=utf-8" : contentType;
  const stored = { key, owner: fileRecordId(id), size, sha256, name, type };
  const check = repeatCheck(call, access, (again) => requireDocument(again, id));
  return fileResponse(call, bucket, stored, request, check);
}
