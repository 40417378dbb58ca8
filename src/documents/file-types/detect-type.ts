// The media type of a document, from its bytes alone: names and headers of senders are not trusted.
import type { ChunkedBytes } from "../../platform/chunked-bytes.ts";
import type { DOCUMENT_TYPES } from "../../platform/db/vocabulary.ts";
import {
  decodeLatin1,
  HEAD_BYTES,
  hasPdfHeader,
  hasPdfTrailer,
  lengthWithoutPadding,
  MAX_TRAILING_PADDING,
  TRAILER_BYTES,
} from "../../platform/pdf-markers.ts";
import { isDocx } from "./docx.ts";

export type ContentType = (typeof DOCUMENT_TYPES)[number];

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const JPEG_START = bytesOf("\xff\xd8\xff");
const JPEG_END = bytesOf("\xff\xd9");
/** The signature, and the length and type of the first chunk (PNG, third edition, sections 5.2 and 11.2.1). */
const PNG_START = bytesOf("\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
/** The last chunk, which is empty, with its CRC. */
const PNG_END = bytesOf("\0\0\0\0IEND\xae\x42\x60\x82");
const ZIP_START = bytesOf("PK\x03\x04");

/**
 * Returns null for a file of another type, and for one that begins as one of ours but is cut off or damaged at its end. The content
 * is not parsed further; files are served as attachments (http/file-response.ts).
 */
export function detectContentType(file: ChunkedBytes): ContentType | null {
  if (hasPdfHeader(decodeLatin1(file.slice(0, HEAD_BYTES)))) return hasPdfEnd(file) ? "application/pdf" : null;
  if (startsWith(file, JPEG_START)) return endsWith(file, JPEG_END) ? "image/jpeg" : null;
  if (startsWith(file, PNG_START)) return endsWith(file, PNG_END) ? "image/png" : null;
  if (startsWith(file, ZIP_START)) {
    return isDocx(file) ? "application/vnd.openxmlformats-officedocument.wordprocessingml.document" : null;
  }
  return isPlainText(file) ? "text/plain" : null;
}

const isEqual = (bytes: Uint8Array, expected: Uint8Array) => Buffer.from(bytes.buffer).equals(expected);
const startsWith = (file: ChunkedBytes, start: Uint8Array) => isEqual(file.slice(0, start.length), start);
const endsWith = (file: ChunkedBytes, end: Uint8Array) => isEqual(file.slice(file.size - end.length, file.size), end);

function hasPdfEnd(file: ChunkedBytes): boolean {
  const tail = file.slice(file.size - MAX_TRAILING_PADDING - TRAILER_BYTES, file.size);
  const length = lengthWithoutPadding(tail);
  return hasPdfTrailer(decodeLatin1(tail.subarray(Math.max(0, length - TRAILER_BYTES), length)));
}

/** Control characters that text files do not have: all but tab, line feed, form feed and carriage return. */
const CONTROLS = /(?![\t\n\f\r])\p{Cc}/u;

/** Not empty, well-formed UTF-8 without control characters; a BOM is allowed. */
function isPlainText(file: ChunkedBytes): boolean {
  if (file.size === 0) return false;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    for (const chunk of file.chunks) if (CONTROLS.test(decoder.decode(chunk, { stream: true }))) return false;
    return !CONTROLS.test(decoder.decode());
  } catch {
    return false;
  }
}
