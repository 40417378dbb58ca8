// Recognition of DOCX: a ZIP archive whose directory names the parts of a Word document. Nothing is inflated.
import type { ChunkedBytes } from "../../platform/chunked-bytes.ts";

/** Record layouts: APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3.7, 4.3.12 and 4.3.16. All numbers are little-endian. */
const LOCAL_HEADER = { signature: 0x04034b50, size: 30 };
const DIRECTORY_ENTRY = { signature: 0x02014b50, size: 46 };
const END_RECORD = { signature: 0x06054b50, size: 22 };
const ENCRYPTED = 1;
const [STORED, DEFLATED] = [0, 8];

/** A Word document of 25 MiB has a few hundred parts. */
const MAX_ENTRIES = 2_000;
const MAX_DIRECTORY_BYTES = 512 * 1024;
/** Bytes that the directory announces in all: ten times the largest file. Readers inflate them, we do not. */
const MAX_INFLATED_BYTES = 250 * 1024 * 1024;

/** The list of types (ECMA-376 part 2, section 7.2.3.4), and the main part under the name that word processors give it. */
const REQUIRED_PARTS = ["[Content_Types].xml", "word/document.xml"];
/** Holds macros. */
const MACROS = /(^|\/)vbaProject\.bin$/i;

type Entry = { name: string; offset: number; packedSize: number; size: number };

/**
 * True for an archive that begins with its first entry and ends with its directory, whose entries agree with the directory and do not
 * overlap, and which has no macros, encryption or ZIP64 records.
 */
export function isDocx(file: ChunkedBytes): boolean {
  const entries = readDirectory(file);
  if (entries === null) return false;
  const names = new Set(entries.map(({ name }) => name));
  if (names.size < entries.length || !REQUIRED_PARTS.every((name) => names.has(name))) return false;
  if (entries.some(({ name }) => MACROS.test(name) || leavesFolder(name))) return false;
  return entries.reduce((sum, { size }) => sum + size, 0) <= MAX_INFLATED_BYTES;
}

const leavesFolder = (name: string) => name.startsWith("/") || name.includes("\\") || name.split("/").includes("..");

const viewOf = (bytes: Uint8Array<ArrayBuffer>) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The entries by their place in the file; null for a directory that is damaged, too large or contradicted by the file. */
function readDirectory(file: ChunkedBytes): Entry[] | null {
  const endAt = file.size - END_RECORD.size;
  const end = viewOf(file.slice(endAt, file.size));
  if (end.byteLength < END_RECORD.size || end.getUint32(0, true) !== END_RECORD.signature) return null;
  const [count, size, offset] = [end.getUint16(10, true), end.getUint32(12, true), end.getUint32(16, true)];
  const isWhole = end.getUint32(4, true) === 0 && end.getUint16(8, true) === count && end.getUint16(20, true) === 0;
  if (!isWhole || count > MAX_ENTRIES || size > MAX_DIRECTORY_BYTES || offset + size !== endAt) return null;
  const entries = parseEntries(file.slice(offset, endAt), count);
  if (entries === null) return null;
  entries.sort((a, b) => a.offset - b.offset);
  const hasGapBefore = entries[0]?.offset !== 0;
  return hasGapBefore || entries.some((entry, i) => !isInFile(file, entry, entries[i + 1]?.offset ?? offset)) ? null : entries;
}

function parseEntries(bytes: Uint8Array<ArrayBuffer>, count: number): Entry[] | null {
  const view = viewOf(bytes);
  const entries: Entry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY_ENTRY.size > bytes.length || view.getUint32(at, true) !== DIRECTORY_ENTRY.signature) return null;
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    if ((flags & ENCRYPTED) !== 0 || (method !== STORED && method !== DEFLATED)) return null;
    const nameAt = at + DIRECTORY_ENTRY.size;
    const nameLength = view.getUint16(at + 28, true);
    entries.push({
      name: decodeName(bytes.subarray(nameAt, nameAt + nameLength)),
      offset: view.getUint32(at + 42, true),
      packedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
    });
    at = nameAt + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return at === bytes.length ? entries : null;
}

/** Whether the file has this entry at its offset, under the same name, and its data end by `limit`. */
function isInFile(file: ChunkedBytes, { name, offset, packedSize }: Entry, limit: number): boolean {
  const header = viewOf(file.slice(offset, offset + LOCAL_HEADER.size));
  if (header.byteLength < LOCAL_HEADER.size || header.getUint32(0, true) !== LOCAL_HEADER.signature) return false;
  const [nameLength, extraLength] = [header.getUint16(26, true), header.getUint16(28, true)];
  const nameAt = offset + LOCAL_HEADER.size;
  if (nameAt + nameLength + extraLength + packedSize > limit) return false;
  return decodeName(file.slice(nameAt, nameAt + nameLength)) === name;
}

/** Latin-1: names of parts are ASCII, and others are only compared. */
const decodeName = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
