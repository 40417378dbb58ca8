// The file format of a segment: a header in clear, a sealed index, sealed blocks.
import { decryptGcm, deriveRecordKey, encodeCanonical, encryptGcm, type KeyRing } from "../../platform/crypto.ts";
import { ApiError } from "../../platform/errors.ts";
import { ByteReader, type Bytes, ByteWriter, concatBytes } from "./bytes.ts";
import { MAX_BLOCK_TERMS } from "./terms.ts";

/*
 * header: version 1 (1 byte), length of the key id (1 byte), key id (ASCII), length of the sealed index (4 bytes, big-endian)
 * index:  sealed; integers are LEB128 varints:
 *         first seq, number of entries, digest (32 bytes), earliest `logged`, latest - earliest, number of blocks, and per block:
 *         bytes sealed, bytes of JSON, [number of entries, first, differences...] of the sorted `recorded`,
 *         [number, first, differences...] of the sorted 16-bit fingerprints; none means that every filter may match
 * blocks: in order of seq, sealed; DEFLATE (RFC 1951) of the JSON of each LogEntry, joined by line feeds
 *
 * sealed: nonce (12 random bytes), ciphertext and tag of AES-256-GCM. Key: HKDF-SHA256 of the ring's key, without salt,
 *         info = canonical("audit segment", object key). AAD = canonical("1", key id, object key, "index" or the block's number).
 *         canonical = parts with their length in bytes, `13:audit segment|...` (encodeCanonical).
 * A block never crosses a multiple of 256 in seq, so that it is a part of one entry bundle (C2SP tlog-tiles).
 * The digest is SHA-256 over a line `<seq> <id> <logged> <seed>\n` per entry.
 */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DIGEST_BYTES = 32;
/** Version, length, a key id of at most 12 characters, and the length of the index. */
export const MAX_HEADER_BYTES = 18;
export const MAX_INDEX_BYTES = 16 * 1_024 * 1_024;
export const BUNDLE_ENTRIES = 256;
/** A block is closed before it exceeds this; one entry alone may. */
export const FULL_BLOCK_BYTES = 1_024 * 1_024;
/** Bytes of a block's JSON. An entry was a row of an object's SQLite, which holds at most 2 MB. */
export const MAX_BLOCK_BYTES = 4 * 1_024 * 1_024;

export type SegmentLevel = "hour" | "day" | "month";
/** `audit/<log>/<first seq, 12 digits>-<end seq>-<level>` */
export const segmentKey = (logId: string, first: number, end: number, level: SegmentLevel): string =>
  `audit/${logId}/${String(first).padStart(12, "0")}-${end}-${level}`;

export type Block = {
  number: number;
  first: number;
  count: number;
  /** Bytes of the sealed block, and where it begins in the file. */
  offset: number;
  length: number;
  plainLength: number;
  /** Ascending. */
  recorded: number[];
  fingerprints: Uint16Array;
};
export type SegmentIndex = { first: number; count: number; digest: Bytes; loggedFrom: number; loggedTo: number; blocks: Block[] };

export function encodeHeader(kid: string, sealedIndexLength: number): Bytes {
  const header = new Uint8Array(6 + kid.length);
  header.set([VERSION, kid.length, ...new TextEncoder().encode(kid)]);
  new DataView(header.buffer).setUint32(2 + kid.length, sealedIndexLength);
  return header;
}

/** `indexSize` counts the header and the sealed index: the blocks begin there. */
export function decodeHeader(file: Uint8Array): { kid: string; headerSize: number; indexSize: number } {
  const [version, kidLength = 0] = file;
  const headerSize = 6 + kidLength;
  if (version !== VERSION || kidLength < 1 || headerSize > MAX_HEADER_BYTES || file.length < headerSize)
    throw new ApiError("integrity_error");
  const kid = new TextDecoder().decode(file.subarray(2, 2 + kidLength));
  const indexSize = headerSize + new DataView(file.buffer, file.byteOffset).getUint32(2 + kidLength);
  if (indexSize > MAX_INDEX_BYTES) throw new ApiError("integrity_error");
  return { kid, headerSize, indexSize };
}

/** The length of the index does not depend on the length of the header. */
export function encodeIndex(index: Omit<SegmentIndex, "blocks">, blocks: readonly Omit<Block, "offset" | "number">[]): Bytes {
  const writer = new ByteWriter();
  writer.varint(index.first);
  writer.varint(index.count);
  writer.bytes(index.digest);
  writer.varint(index.loggedFrom);
  writer.varint(index.loggedTo - index.loggedFrom);
  writer.varint(blocks.length);
  for (const block of blocks) {
    writer.varint(block.length);
    writer.varint(block.plainLength);
    writer.ascending(block.recorded);
    writer.ascending(block.fingerprints);
  }
  return writer.finish();
}

/** @param indexSize where the blocks begin  @param size bytes of the file  @throws ApiError integrity_error */
export function decodeIndex(plain: Bytes, indexSize: number, size: number): SegmentIndex {
  const reader = new ByteReader(plain);
  const first = reader.varint();
  const count = reader.varint();
  const digest = reader.bytes(DIGEST_BYTES);
  const loggedFrom = reader.varint();
  const loggedTo = loggedFrom + reader.varint();
  const blocks: Block[] = [];
  let [seq, offset] = [first, indexSize];
  for (let left = reader.varint(); left > 0; left--) {
    const block = decodeBlock(reader, blocks.length, seq, offset);
    blocks.push(block);
    seq += block.count;
    offset += block.length;
  }
  if (!reader.isAtEnd || seq !== first + count || offset !== size) throw new ApiError("integrity_error");
  return { first, count, digest, loggedFrom, loggedTo, blocks };
}

function decodeBlock(reader: ByteReader, number: number, first: number, offset: number): Block {
  const length = reader.varint();
  const plainLength = reader.varint();
  const recorded = reader.ascending(BUNDLE_ENTRIES);
  const fingerprints = Uint16Array.from(reader.ascending(MAX_BLOCK_TERMS));
  if (plainLength > MAX_BLOCK_BYTES || recorded.length === 0) throw new ApiError("integrity_error");
  return { number, first, count: recorded.length, offset, length, plainLength, recorded, fingerprints };
}

/** Bytes that sealing adds. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;
/** What a sealed part is bound to. */
export type PartOf = { kid: string; key: string; part: "index" | number };

const aadOf = ({ kid, key, part }: PartOf) => encodeCanonical([String(VERSION), kid, key, String(part)]);
const keyOf = (ring: KeyRing, { kid, key }: PartOf) => deriveRecordKey(ring, kid, ["audit segment", key]);

export async function sealPart(ring: KeyRing, partOf: PartOf, plain: Bytes): Promise<Bytes> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return concatBytes([nonce, await encryptGcm(await keyOf(ring, partOf), nonce, plain, aadOf(partOf))]);
}

/** @throws ApiError integrity_error when the part was changed or moved, or its key is not in the ring */
export async function openPart(ring: KeyRing, partOf: PartOf, sealed: Bytes): Promise<Bytes> {
  if (sealed.length < SEAL_BYTES) throw new ApiError("integrity_error");
  const key = await keyOf(ring, partOf);
  return decryptGcm(key, sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES), aadOf(partOf));
}
