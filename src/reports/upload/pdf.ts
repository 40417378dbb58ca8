// PDF detection: `%PDF-` at byte 0 and `%%EOF` in the last KiB. The content is not parsed; files are served as attachments.
import { createHash } from "node:crypto";
import { ApiError } from "../../platform/errors.ts";

const PDF_HEADER = "%PDF-";
const TRAILER_BYTES = 1024;
const decodeLatin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);

export type PdfInspection = { isPdf: boolean; size: number; sha256: string };

function hasPdfMarkers(head: string, tail: string): boolean {
  return head.startsWith(PDF_HEADER) && tail.includes("%%EOF");
}

export function inspectPdf(bytes: Uint8Array): PdfInspection {
  const head = decodeLatin1(bytes.subarray(0, PDF_HEADER.length));
  const tail = decodeLatin1(bytes.subarray(Math.max(0, bytes.length - TRAILER_BYTES)));
  return {
    isPdf: hasPdfMarkers(head, tail),
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
}

/**
 * Passes a stream through and inspects header, trailer, size and SHA-256. `result` is complete at the end of the stream.
 * @param expected size in bytes and hex SHA-256 that the sender announced
 * @param strict fails with not_pdf as soon as the header or trailer is wrong
 * @throws ApiError not_pdf, length_mismatch, digest_mismatch, from the stream
 */
export function inspectPdfStream(
  source: AsyncIterable<Uint8Array>,
  expected: { size: number; sha256: string },
  strict: boolean,
): { stream: AsyncIterable<Uint8Array>; result: PdfInspection } {
  const result: PdfInspection = { isPdf: false, size: 0, sha256: "" };
  async function* passThrough() {
    const hash = createHash("sha256");
    let head = "";
    let tail = new Uint8Array();
    for await (const chunk of source) {
      result.size += chunk.length;
      if (result.size > expected.size) throw new ApiError("length_mismatch");
      hash.update(chunk);
      if (head.length < PDF_HEADER.length) head += decodeLatin1(chunk.subarray(0, PDF_HEADER.length - head.length));
      if (strict && !head.startsWith(PDF_HEADER.slice(0, head.length))) throw new ApiError("not_pdf");
      tail = keepLastBytes(tail, chunk);
      yield chunk;
    }
    result.sha256 = hash.digest("hex");
    result.isPdf = hasPdfMarkers(head, decodeLatin1(tail));
    if (result.size !== expected.size) throw new ApiError("length_mismatch");
    if (result.sha256 !== expected.sha256) throw new ApiError("digest_mismatch");
    if (strict && !result.isPdf) throw new ApiError("not_pdf");
  }
  return { stream: passThrough(), result };
}

function keepLastBytes(previousTail: Uint8Array, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  if (chunk.length >= TRAILER_BYTES) return new Uint8Array(chunk.subarray(chunk.length - TRAILER_BYTES));
  const kept = previousTail.subarray(Math.max(0, previousTail.length + chunk.length - TRAILER_BYTES));
  const joined = new Uint8Array(kept.length + chunk.length);
  joined.set(kept);
  joined.set(chunk, kept.length);
  return joined;
}
