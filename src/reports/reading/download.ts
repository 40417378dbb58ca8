import type { Context } from "hono";
import type { Call } from "../../access/actor.ts";
import { appendAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { unsealValue } from "../../platform/crypto.ts";
import { ApiError } from "../../platform/errors.ts";
import { type ByteRange, pipeChunks, streamFile } from "../../platform/files.ts";
import { requireUpload, uploadAuditFields } from "../quarantine/upload-list.ts";
import { fileRecordId } from "../upload/new-report.ts";
import { openDetail } from "../upload/upload-log.ts";
import { linkSignedAt } from "./links.ts";
import { requireReport, toReadEvent } from "./report.ts";

/**
 * Parses `bytes=a-b`, `bytes=a-` or `bytes=-n`. Returns null (the whole file) for several ranges or another unit.
 * @throws ApiError range_not_satisfiable
 */
export function parseRange(header: string | undefined, size: number): ByteRange | null {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (from === "" && to === "") return null;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (start > end || start >= size || (from === "" && Number(to) === 0)) {
    throw new ApiError("range_not_satisfiable", undefined, { headers: { "Content-Range": `bytes */${size}` } });
  }
  return { start, end };
}

/** The headers of a request that decide which bytes are sent. */
export type RangeRequest = { method: string; range: string | undefined; ifRange: string | undefined };

export const readRangeRequest = (c: Context): RangeRequest => ({
  method: c.req.raw.method,
  range: c.req.header("Range"),
  ifRange: c.req.header("If-Range"),
});

/**
 * The range to send; null: the whole file. Only GET has ranges (RFC 9110 §14.2). With If-Range, the range counts only if the client has
 * this file: its strong ETag, since files have no date (§13.1.5).
 */
function selectRange({ method, range, ifRange }: RangeRequest, etag: string, size: number): ByteRange | null {
  if (method !== "GET" || (ifRange !== undefined && ifRange.trim() !== etag)) return null;
  return parseRange(range, size);
}

/** RFC 6266, with an ASCII fallback for clients that do not know filename*. */
function contentDisposition(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%;]/g, "_");
  const encoded = encodeURIComponent(name).replace(/['()*!]/g, (ch) => `%${ch.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

type StoredFile = { key: string; owner: string; size: number; sha256: string; name: string; type: string };

/** Builds the response: an attachment with headers that keep browsers from rendering or running it. */
async function fileResponse({ keys }: Call, bucket: R2Bucket, stored: StoredFile, request: RangeRequest) {
  const { key, owner, size, sha256, name, type } = stored;
  const etag = `"${sha256}"`;
  const range = selectRange(request, etag, size);
  const file = await streamFile(bucket, keys.fields, key, owner, size, range ?? undefined);
  const pipe = new FixedLengthStream(file.length);
  // The headers are sent by now: the client sees an error as an aborted body.
  pipeChunks(file.chunks, pipe.writable).catch(() => undefined);
  return {
    body: pipe.readable,
    status: range ? (206 as const) : (200 as const),
    headers: {
      "Content-Type": type,
      "Content-Disposition": contentDisposition(name),
      "Accept-Ranges": "bytes",
      ETag: etag,
      "Content-Length": String(file.length),
      "Repr-Digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`,
      "Cache-Control": "private, no-store",
      "Content-Security-Policy": "default-src 'none'; sandbox",
      ...(range ? { "Content-Range": `bytes ${range.start}-${range.end}/${size}` } : {}),
    },
  };
}

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
  return fileResponse(call, bucket, stored, request);
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
