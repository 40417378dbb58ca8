// Where a PDF begins and ends. Senders pad files: a BOM, line ends or blanks before the header, blanks or NULs after the trailer.
// Has no imports: the portal uses it too.

const PDF_HEADER = "%PDF-";
const PDF_TRAILER = "%%EOF";
/** Padding before the header. PDF readers look for it in the first KiB (ISO 32000-1, implementation note 13). */
export const MAX_LEADING_PADDING = 1024;
/** Padding after the trailer: senders fill up to their block size. */
export const MAX_TRAILING_PADDING = 64 * 1024;
/** The trailer is in this many bytes before the padding. */
export const TRAILER_BYTES = 1024;
/** As much of a file as decides about its header. */
export const HEAD_BYTES = MAX_LEADING_PADDING + PDF_HEADER.length;

/** White space of PDF (ISO 32000-1, table 1), which includes NUL, and the BOM of UTF-8; in Latin-1. */
const LEADING_PADDING = /^(?:[\0\t\n\f\r ]|\u00ef\u00bb\u00bf)*/;

export const decodeLatin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);

const skipPadding = (head: string) => head.replace(LEADING_PADDING, "");

/** Whether the first bytes of a file, in Latin-1, are padding and then the header. @param head at least `HEAD_BYTES`, if there are */
export function hasPdfHeader(head: string): boolean {
  const content = skipPadding(head);
  return content.startsWith(PDF_HEADER) && head.length - content.length <= MAX_LEADING_PADDING;
}

/** Whether a file that begins like this can still have the header: false as soon as other content or too much padding is seen. */
export function mayHavePdfHeader(head: string): boolean {
  const content = skipPadding(head);
  if (head.length - content.length > MAX_LEADING_PADDING) return false;
  // The first bytes of a BOM are padding whose end has not been read.
  return PDF_HEADER.startsWith(content.slice(0, PDF_HEADER.length)) || "\u00ef\u00bb\u00bf".startsWith(content);
}

/** Whether the header is in the first KiB, whatever precedes it: PDF readers open such a file. */
export const containsPdfHeader = (head: string): boolean => head.slice(0, HEAD_BYTES).includes(PDF_HEADER);

/** Whether the bytes before the padding at the end contain the trailer. */
export const hasPdfTrailer = (tail: string): boolean => tail.includes(PDF_TRAILER);

/** Whether a byte at the end of a file is padding. */
export const isTrailingPadding = (byte: number): boolean =>
  byte === 0 || byte === 9 || byte === 10 || byte === 12 || byte === 13 || byte === 32;

/** How many of the bytes remain without the padding at their end. */
export function lengthWithoutPadding(bytes: Uint8Array): number {
  let length = bytes.length;
  while (length > 0 && isTrailingPadding(bytes[length - 1] ?? 1)) length--;
  return length;
}
