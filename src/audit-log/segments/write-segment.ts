// Writes entries of a log as a segment file into R2, once.
import { createHash } from "node:crypto";
import { constantTimeEqual, type KeyRing } from "../../platform/crypto.ts";
import { ApiError } from "../../platform/errors.ts";
import type { LogEntry, SegmentRef } from "../contract.ts";
import { type Bytes, concatBytes, deflate } from "./bytes.ts";
import {
  BUNDLE_ENTRIES,
  encodeHeader,
  encodeIndex,
  FULL_BLOCK_BYTES,
  MAX_BLOCK_BYTES,
  SEAL_BYTES,
  type SegmentIndex,
  type SegmentLevel,
  sealPart,
  segmentKey,
} from "./file-format.ts";
import { loadSegmentIndex } from "./read-segment.ts";
import { encodeFileTerms, fingerprint, MAX_BLOCK_TERMS, termsOf } from "./terms.ts";

/** `terms`: the fingerprints of the file (encodeFileTerms). `kid`: the key that it is sealed under. */
export type WrittenSegment = { ref: SegmentRef; kid: string; terms: Bytes };

type PackedBlock = {
  packed: Bytes;
  plainLength: number;
  first: number;
  count: number;
  recorded: number[];
  fingerprints: Uint16Array;
};

const encoder = new TextEncoder();

/** Collects entries into blocks; keeps one block in clear and the others compressed. */
class SegmentPacker {
  readonly blocks: PackedBlock[] = [];
  readonly #digest = createHash("sha256");
  readonly #fingerprints = new Map<string, number>();
  #lines: Uint8Array[] = [];
  #size = 0;
  #entries: LogEntry[] = [];
  #first = -1;
  #count = 0;
  #logged = { from: Number.POSITIVE_INFINITY, to: 0 };
  #recorded = { from: Number.POSITIVE_INFINITY, to: 0 };

  async add(entry: LogEntry): Promise<void> {
    if (this.#count === 0) this.#first = entry.seq;
    if (entry.seq !== this.#first + this.#count) throw new RangeError("entries of a segment have contiguous sequence numbers");
    const line = encoder.encode(JSON.stringify(entry));
    if (line.length > MAX_BLOCK_BYTES) throw new RangeError("an entry is larger than a block may be");
    if (entry.seq % BUNDLE_ENTRIES === 0 || this.#size + line.length > FULL_BLOCK_BYTES) await this.#closeBlock();
    this.#lines.push(line);
    this.#size += line.length + 1;
    this.#entries.push(entry);
    this.#count++;
    this.#digest.update(`${entry.seq} ${entry.id} ${entry.logged} ${entry.seed}\n`);
    this.#logged = widen(this.#logged, entry.logged);
    this.#recorded = widen(this.#recorded, entry.recorded);
  }

  async #closeBlock(): Promise<void> {
    const [first] = this.#entries;
    if (!first) return;
    const plain = concatBytes(this.#lines.flatMap((line, i) => (i === 0 ? [line] : [LINE_FEED, line])));
    const recorded = this.#entries.map((entry) => entry.recorded).sort((a, b) => a - b);
    const fingerprints = this.#blockFingerprints();
    const [count, plainLength] = [this.#entries.length, plain.length];
    this.#lines = [];
    this.#entries = [];
    this.#size = 0;
    this.blocks.push({ packed: await deflate(plain), plainLength, first: first.seq, count, recorded, fingerprints });
  }

  #blockFingerprints(): Uint16Array {
    const found = new Set<number>();
    for (const entry of this.#entries) for (const term of termsOf(entry)) found.add(this.#fingerprint(term) >>> 16);
    return found.size > MAX_BLOCK_TERMS ? new Uint16Array() : Uint16Array.from(found).sort();
  }

  #fingerprint(term: string): number {
    const known = this.#fingerprints.get(term);
    if (known !== undefined) return known;
    const value = fingerprint(term);
    this.#fingerprints.set(term, value);
    return value;
  }

  async finish() {
    await this.#closeBlock();
    if (this.#count === 0) throw new RangeError("a segment has at least one entry");
    const index: Omit<SegmentIndex, "blocks"> = {
      first: this.#first,
      count: this.#count,
      digest: new Uint8Array(this.#digest.digest()),
      loggedFrom: this.#logged.from,
      loggedTo: this.#logged.to,
    };
    return { index, recorded: this.#recorded, terms: encodeFileTerms(this.#fingerprints.values()) };
  }
}

const LINE_FEED = encoder.encode("\n");
type Span = { from: number; to: number };
const widen = ({ from, to }: Span, time: number): Span => ({ from: Math.min(from, time), to: Math.max(to, time) });

/**
 * Seals entries under the current key of the ring and stores them; never overwrites. An object that is there already, from an attempt
 * whose answer was lost, is compared by its digest of sequence numbers, ids, times and seeds, and its reference is returned.
 * @param entries contiguous in `seq`, ascending
 * @throws RangeError for no entries or a gap; ApiError integrity_error if the object that is there holds other entries
 */
export async function writeSegment(
  bucket: R2Bucket,
  ring: KeyRing,
  logId: string,
  level: SegmentLevel,
  entries: AsyncIterable<LogEntry[]> | LogEntry[],
): Promise<WrittenSegment> {
  const packer = new SegmentPacker();
  for await (const batch of Array.isArray(entries) ? [entries] : entries) for (const entry of batch) await packer.add(entry);
  const { index, recorded, terms } = await packer.finish();
  const end = index.first + index.count;
  const key = segmentKey(logId, index.first, end, level);
  const { kid, ...sizes } = await storeSegment(bucket, ring, key, index, await sealFile(ring, key, index, packer.blocks));
  const times = { recordedFrom: recorded.from, recordedTo: recorded.to, loggedFrom: index.loggedFrom, loggedTo: index.loggedTo };
  return { ref: { first: index.first, end, ...times, key, ...sizes }, kid, terms };
}

async function sealFile(ring: KeyRing, key: string, index: Omit<SegmentIndex, "blocks">, blocks: PackedBlock[]) {
  const kid = ring.currentKid;
  const plainIndex = encodeIndex(
    index,
    blocks.map(({ packed, ...block }) => ({ ...block, length: packed.length + SEAL_BYTES })),
  );
  const sealedIndex = await sealPart(ring, { kid, key, part: "index" }, plainIndex);
  const parts = [encodeHeader(kid, sealedIndex.length), sealedIndex];
  const indexSize = parts.reduce((sum, part) => sum + part.length, 0);
  for (const [part, { packed }] of blocks.entries()) parts.push(await sealPart(ring, { kid, key, part }, packed));
  return { file: concatBytes(parts), indexSize };
}

/**
 * Stores a file, sealed under the current key, unless there is one of the same entries, which may be sealed under another one.
 * @throws ApiError integrity_error if there is one of others
 */
export async function storeSegment(
  bucket: R2Bucket,
  ring: KeyRing,
  key: string,
  expected: Omit<SegmentIndex, "blocks">,
  { file, indexSize }: { file: Bytes; indexSize: number },
): Promise<{ kid: string; size: number; indexSize: number }> {
  const isStored = await bucket.put(key, file, { onlyIf: { etagDoesNotMatch: "*" } });
  if (isStored) return { kid: ring.currentKid, size: file.length, indexSize };
  const found = await loadSegmentIndex(bucket, ring, key);
  const { first, count, digest } = found.index;
  const isEqual = first === expected.first && count === expected.count && constantTimeEqual(digest, expected.digest);
  if (!isEqual) throw new ApiError("integrity_error");
  return { kid: found.kid, size: found.size, indexSize: found.indexSize };
}
