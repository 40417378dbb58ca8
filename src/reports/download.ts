// A report's file: opened segment by segment, whole or by Range (RFC 9110 §14), always as an attachment.
import type { Call } from "../actor.ts";
import { open } from "../crypto.ts";
import { ApiError } from "../errors.ts";
import { openFile, pump, type Range } from "../files.ts";
import { requireReport } from "./reports.ts";
import { fileRecord } from "./upload.ts";

/**
 * The bytes `a` to `b` of `bytes=a-b`, `a-` or `-n`; null (the whole file) for several ranges or another unit.
 * @throws ApiError range_not_satisfiable
 */
export function parseRange(header: string | undefined, size: number): Range | null {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (from === "" && to === "") return null;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (start > end || start >= size || (from === "" && Number(to) === 0)) {
    throw new ApiError("range_not_satisfiable", undefined, { headers: { "Content-Range": `bytes */${size}` } });
  }
  return { start, end };
}

/** RFC 6266, with an ASCII fallback for clients that do not know filename*. */
function disposition(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%;]/g, "_");
  const encoded = encodeURIComponent(name).replace(/['()*!]/g, (ch) => `%${ch.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** The trace commits before the first byte is fetched. @param via `link` or `token`: how the caller came */
export async function downloadReport(
  call: Call,
  bucket: R2Bucket,
  id: string,
  rangeHeader: string | undefined,
  via: "link" | "token",
) {
  const { row } = await requireReport(call, id, { event: "report.download", detail: { via } });
  const range = parseRange(rangeHeader, row.fileSize);
  const name = String(await open(call.keys.fields, { table: "reports", column: "file_name", id }, row.fileNameSealed));
  const file = await openFile(bucket, call.keys.fields, row.fileKey, fileRecord(id), row.fileSize, range ?? undefined);
  const pipe = new FixedLengthStream(file.length);
  // The reader sees a failure here as a broken body; there is nobody else to tell.
  pump(file.chunks, pipe.writable).catch(() => undefined);
  return {
    body: pipe.readable,
    status: range ? (206 as const) : (200 as const),
    headers: {
      "Content-Type": "application/pdf",
      "Content-Disposition": disposition(name),
      "Accept-Ranges": "bytes",
      "Content-Length": String(file.length),
      "Repr-Digest": `sha-256=:${Buffer.from(row.sha256, "hex").toString("base64")}:`,
      "Cache-Control": "private, no-store",
      "Content-Security-Policy": "default-src 'none'; sandbox",
      ...(range ? { "Content-Range": `bytes ${range.start}-${range.end}/${row.fileSize}` } : {}),
    },
  };
}
