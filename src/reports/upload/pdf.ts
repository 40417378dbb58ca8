// Is it a PDF: `%PDF-` at byte 0 and `%%EOF` in the last KiB. Nothing inside is interpreted; files go out as attachments.
import { createHash } from "node:crypto";
import { ApiError } from "../../platform/errors.ts";

const HEAD = "%PDF-";
const TAIL_BYTES = 1024;
const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);

export type Inspected = { isPdf: boolean; size: number; sha256: string };

function looksLikePdf(head: string, tail: string): boolean {
  return head.startsWith(HEAD) && tail.includes("%%EOF");
}

export function inspect(bytes: Uint8Array): Inspected {
  const head = latin1(bytes.subarray(0, HEAD.length));
  const tail = latin1(bytes.subarray(Math.max(0, bytes.length - TAIL_BYTES)));
  return {
    isPdf: looksLikePdf(head, tail),
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

/**
 * Passes a stream on while looking at its beginning, end, length and hash; `result` is complete when the stream is.
 * @param strict stop with not_pdf as soon as the beginning, or at the end the end, is wrong
 * @param expected what the sender announced  @throws ApiError not_pdf, length_mismatch, digest_mismatch, from the stream
 */
export function inspectStream(
  source: AsyncIterable<Uint8Array>,
  expected: { size: number; sha256: string },
  strict: boolean,
): { stream: AsyncIterable<Uint8Array>; result: Inspected } {
  const result: Inspected = { isPdf: false, size: 0, sha256: "" };
  async function* pass() {
    const hash = createHash("sha256");
    let head = "";
    let tail = new Uint8Array();
    for await (const chunk of source) {
      result.size += chunk.length;
      if (result.size > expected.size) throw new ApiError("length_mismatch");
      hash.update(chunk);
      if (head.length < HEAD.length) head += latin1(chunk.subarray(0, HEAD.length - head.length));
      if (strict && !head.startsWith(HEAD.slice(0, head.length))) throw new ApiError("not_pdf");
      tail = lastBytes(tail, chunk);
      yield chunk;
    }
    result.sha256 = hash.digest("hex");
    result.isPdf = looksLikePdf(head, latin1(tail));
    if (result.size !== expected.size) throw new ApiError("length_mismatch");
    if (result.sha256 !== expected.sha256) throw new ApiError("digest_mismatch");
    if (strict && !result.isPdf) throw new ApiError("not_pdf");
  }
  return { stream: pass(), result };
}

function lastBytes(before: Uint8Array, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  if (chunk.length >= TAIL_BYTES) return new Uint8Array(chunk.subarray(chunk.length - TAIL_BYTES));
  const kept = before.subarray(Math.max(0, before.length + chunk.length - TAIL_BYTES));
  const joined = new Uint8Array(kept.length + chunk.length);
  joined.set(kept);
  joined.set(chunk, kept.length);
  return joined;
}
