// PDF detection: `%PDF-` at the begin and `%%EOF` in the last KiB, padding aside (pdf-markers.ts). The content is not parsed; files are
// served as attachments.
import { createHash } from "node:crypto";
import { ApiError } from "../../platform/errors.ts";
import {
  containsPdfHeader,
  decodeLatin1,
  HEAD_BYTES,
  hasPdfHeader,
  hasPdfTrailer,
  lengthWithoutPadding,
  MAX_TRAILING_PADDING,
  mayHavePdfHeader,
  TRAILER_BYTES,
} from "../../platform/pdf-markers.ts";

/** `isReadable`: no PDF by our rule, but with a PDF header in the first KiB, so that a reader may open it. */
export type PdfInspection = { isPdf: boolean; isReadable: boolean; size: number; sha256: string };

/** The last bytes of a file before the padding at its end. */
class FileTail {
  #content = new Uint8Array();
  #padding = 0;

  add(chunk: Uint8Array): void {
    const length = lengthWithoutPadding(chunk);
    if (length > 0) {
      // Padding that content follows is content; only its place counts, and only as far as the last KiB reaches.
      const gap = new Uint8Array(Math.min(this.#padding, TRAILER_BYTES));
      const recent = chunk.subarray(Math.max(0, length - TRAILER_BYTES), length);
      this.#content = new Uint8Array(Buffer.concat([this.#content, gap, recent]).subarray(-TRAILER_BYTES));
      this.#padding = 0;
    }
    this.#padding += chunk.length - length;
  }

  hasTrailer(): boolean {
    return this.#padding <= MAX_TRAILING_PADDING && hasPdfTrailer(decodeLatin1(this.#content));
  }
}

export function inspectPdf(bytes: Uint8Array): PdfInspection {
  const head = decodeLatin1(bytes.subarray(0, HEAD_BYTES));
  const tail = new FileTail();
  tail.add(bytes);
  return {
    isPdf: hasPdfHeader(head) && tail.hasTrailer(),
    isReadable: containsPdfHeader(head),
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
  const result: PdfInspection = { isPdf: false, isReadable: false, size: 0, sha256: "" };
  async function* passThrough() {
    const hash = createHash("sha256");
    const tail = new FileTail();
    let head = "";
    for await (const chunk of source) {
      result.size += chunk.length;
      if (result.size > expected.size) throw new ApiError("length_mismatch");
      hash.update(chunk);
      if (head.length < HEAD_BYTES) {
        head += decodeLatin1(chunk.subarray(0, HEAD_BYTES - head.length));
        if (strict && !mayHavePdfHeader(head)) throw new ApiError("not_pdf");
      }
      tail.add(chunk);
      yield chunk;
    }
    result.sha256 = hash.digest("hex");
    result.isPdf = hasPdfHeader(head) && tail.hasTrailer();
    result.isReadable = containsPdfHeader(head);
    if (result.size !== expected.size) throw new ApiError("length_mismatch");
    if (result.sha256 !== expected.sha256) throw new ApiError("digest_mismatch");
    if (strict && !result.isPdf) throw new ApiError("not_pdf");
  }
  return { stream: passThrough(), result };
}
