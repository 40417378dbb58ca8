// Responses with a stored file: ranges, and headers that keep browsers from rendering it.
import type { Context } from "hono";
import type { Call } from "../access/actor.ts";
import { ApiError } from "../platform/errors.ts";
import { type ByteRange, pipeChunks, streamFile } from "../platform/files.ts";

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

/** Headers of an attachment that is made for one request, which nobody may keep. */
export const attachmentHeaders = ({ name, type, bytes }: { name: string; type: string; bytes: Uint8Array }) => ({
  "Content-Type": type,
  "Content-Disposition": contentDisposition(name),
  "Content-Length": String(bytes.length),
  "Cache-Control": "private, no-store",
  "Content-Security-Policy": "default-src 'none'; sandbox",
});

/** `owner`: the record that the file is sealed for (platform/files.ts). `size` in bytes, `sha256` in hexadecimal digits. */
export type StoredFile = { key: string; owner: string; size: number; sha256: string; name: string; type: string };

/** How much of a file is sent under one check of an access that may end at any time. */
const CHECKED_BYTES = 1024 * 1024;

/** The chunks, with the check repeated before each MiB but the first. */
async function* checkRepeatedly<T extends Uint8Array>(chunks: AsyncIterable<T>, check: () => Promise<unknown>): AsyncIterable<T> {
  let sent = 0;
  for await (const chunk of chunks) {
    if (sent >= CHECKED_BYTES) {
      await check();
      sent = 0;
    }
    sent += chunk.length;
    yield chunk;
  }
}

/**
 * Builds the response: an attachment with headers that keep browsers from rendering or running it.
 * @param check repeats the check of an access that may end while the file is sent; the body ends with an error when it throws
 */
export async function fileResponse(
  { keys }: Call,
  bucket: R2Bucket,
  stored: StoredFile,
  request: RangeRequest,
  check?: (() => Promise<unknown>) | undefined,
) {
  const { key, owner, size, sha256, name, type } = stored;
  const etag = `"${sha256}"`;
  const range = selectRange(request, etag, size);
  const file = await streamFile(bucket, keys.fields, key, owner, size, range ?? undefined);
  const pipe = new FixedLengthStream(file.length);
  // The headers are sent by now: the client sees an error as an aborted body.
  const chunks = check ? checkRepeatedly(file.chunks, check) : file.chunks;
  pipeChunks(chunks, pipe.writable).catch(() => undefined);
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
