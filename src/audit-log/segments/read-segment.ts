// Reads segment files from R2: a small file at once, a large one by its index and ranges of the blocks that may match.
import type { KeyRing } from "../../platform/crypto.ts";
import { ApiError } from "../../platform/errors.ts";
import {
  compareNewestFirst,
  type LogEntry,
  type LogFilter,
  type LogPosition,
  matchesFilter,
  type SegmentRef,
} from "../contract.ts";
import { type Bytes, inflate } from "./bytes.ts";
import { type Block, decodeHeader, decodeIndex, MAX_HEADER_BYTES, openPart, type SegmentIndex } from "./file-format.ts";
import { blockMayMatch, type RequiredTerms, requiredTerms } from "./terms.ts";

/** A file of at most this size is read at once. */
export const SMALL_FILE_BYTES = 512 * 1_024;
/** Ranges of a large file grow from the first to the second of these, so that a list which finds enough at once reads little. */
const FIRST_RANGE_BYTES = 512 * 1_024;
const MAX_RANGE_BYTES = 4 * 1_024 * 1_024;

/** Blocks of a small file that are opened at once: most lists need the newest only. */
const MEMORY_BLOCKS = 4;

/** The file is not there: after a merge it is deleted, and the log's object names another one. */
export class SegmentGoneError extends ApiError {
  constructor() {
    super("unavailable");
  }
}

/**
 * @param size bytes that the object must have; null: not known
 * @throws SegmentGoneError, ApiError integrity_error for another size
 */
async function readRange(bucket: R2Bucket, key: string, size: number | null, range: { offset: number; length: number }) {
  const object = await bucket.get(key, { range }).catch(async (cause: unknown) => {
    // R2 fails with different errors for a range outside an object that is shorter than it was.
    const found = await bucket.head(key);
    throw found && size !== null && found.size !== size ? new ApiError("integrity_error", undefined, { cause }) : cause;
  });
  if (!object) throw new SegmentGoneError();
  if (size !== null && object.size !== size) {
    await object.body.cancel();
    throw new ApiError("integrity_error");
  }
  const bytes = new Uint8Array(await object.arrayBuffer());
  if (bytes.length !== Math.min(range.length, object.size - range.offset)) throw new ApiError("integrity_error");
  return { size: object.size, bytes };
}

async function openIndex(ring: KeyRing, key: string, start: Bytes, size: number) {
  const { kid, headerSize, indexSize } = decodeHeader(start);
  if (start.length < indexSize) throw new ApiError("integrity_error");
  const plain = await openPart(ring, { kid, key, part: "index" }, start.slice(headerSize, indexSize));
  return { kid, indexSize, index: decodeIndex(plain, indexSize, size) };
}

/** Reads the index of a file that no reference describes. @throws SegmentGoneError, ApiError integrity_error */
export async function loadSegmentIndex(
  bucket: R2Bucket,
  ring: KeyRing,
  key: string,
): Promise<{ kid: string; index: SegmentIndex; size: number; indexSize: number }> {
  const header = await readRange(bucket, key, null, { offset: 0, length: MAX_HEADER_BYTES });
  const { indexSize } = decodeHeader(header.bytes);
  const { bytes } = await readRange(bucket, key, header.size, { offset: 0, length: indexSize });
  const { kid, index } = await openIndex(ring, key, bytes, header.size);
  return { kid, index, size: header.size, indexSize };
}

/** A segment whose index was read; `file` is the whole file if it is small. */
type OpenSegment = { ref: SegmentRef; kid: string; index: SegmentIndex; file: Bytes | null };

async function openSegment(bucket: R2Bucket, ring: KeyRing, ref: SegmentRef): Promise<OpenSegment> {
  const isSmall = ref.size <= SMALL_FILE_BYTES;
  const { bytes } = await readRange(bucket, ref.key, ref.size, { offset: 0, length: isSmall ? ref.size : ref.indexSize });
  const { kid, index, indexSize } = await openIndex(ring, ref.key, bytes, ref.size);
  if (indexSize !== ref.indexSize || index.first !== ref.first || index.first + index.count !== ref.end)
    throw new ApiError("integrity_error");
  return { ref, kid, index, file: isSmall ? bytes : null };
}

/** The sealed parts of a whole file. @throws SegmentGoneError, ApiError integrity_error for a changed header, index or size */
export async function loadSealedSegment(bucket: R2Bucket, ring: KeyRing, ref: SegmentRef) {
  const { bytes } = await readRange(bucket, ref.key, ref.size, { offset: 0, length: ref.size });
  const { kid, index, indexSize } = await openIndex(ring, ref.key, bytes, ref.size);
  const sealedIndex = bytes.slice(decodeHeader(bytes).headerSize, indexSize);
  const sealedBlocks = index.blocks.map(({ offset, length }) => bytes.subarray(offset, offset + length));
  return { kid, index, sealedIndex, sealedBlocks };
}

/** Reads blocks that follow each other in the file, gaps included, in one request. */
async function readBlocks(bucket: R2Bucket, ring: KeyRing, segment: OpenSegment, blocks: Block[]): Promise<LogEntry[][]> {
  const { file, ref } = segment;
  const start = file ? 0 : (blocks[0]?.offset ?? 0);
  const length = endOf(blocks.at(-1)) - start;
  const bytes = file ?? (await readRange(bucket, ref.key, ref.size, { offset: start, length })).bytes;
  const opened: LogEntry[][] = [];
  for (const block of blocks) {
    const sealed = bytes.slice(block.offset - start, block.offset - start + block.length);
    opened.push(await openBlock(ring, segment, block, sealed));
  }
  return opened;
}

const endOf = (block: Block | undefined) => (block ? block.offset + block.length : 0);

async function openBlock(ring: KeyRing, { ref, kid }: OpenSegment, block: Block, sealed: Bytes): Promise<LogEntry[]> {
  const packed = await openPart(ring, { kid, key: ref.key, part: block.number }, sealed);
  const lines = new TextDecoder().decode(await inflate(packed, block.plainLength)).split("\n");
  // Written by this Worker and authenticated by the seal.
  const entries = lines.map((line) => JSON.parse(line) as LogEntry);
  if (entries.length !== block.count || entries.some(({ seq }, i) => seq !== block.first + i))
    throw new ApiError("integrity_error");
  return entries;
}

/** How many of the blocks, from the first, a range of this size holds; at least one. */
function countInRange(blocks: readonly Block[], maxBytes: number): number {
  const [first] = blocks;
  if (!first) return 0;
  const span = (block: Block) => Math.max(endOf(first), endOf(block)) - Math.min(first.offset, block.offset);
  const beyond = blocks.findIndex((block, i) => i > 0 && span(block) > maxBytes);
  return beyond < 0 ? blocks.length : beyond;
}

/** A read of a segment by steps of at most one R2 request each, newest block first. */
export class SegmentScan {
  readonly ref: SegmentRef;
  readonly #filter: LogFilter;
  readonly #before: LogPosition | null;
  readonly #required: RequiredTerms;
  #segment: OpenSegment | null = null;
  /** Those still to read, newest first, each with the latest time that a matching entry in it can have. */
  #rest: { block: Block; latest: number }[] = [];
  #isDone: boolean;
  #rangeBytes = FIRST_RANGE_BYTES;

  constructor(ref: SegmentRef, filter: LogFilter, before: LogPosition | null) {
    this.ref = ref;
    this.#filter = filter;
    this.#before = before;
    this.#required = requiredTerms(filter);
    this.#isDone = !isInTimeRange(ref, filter, before);
  }

  /** The latest `recorded` that an entry not yet read can have; null when all are read. */
  get latest(): number | null {
    if (this.#isDone) return null;
    if (!this.#segment) return Math.min(this.ref.recordedTo, latestAllowed(this.#filter, this.#before));
    return this.#rest.reduce((latest, rest) => Math.max(latest, rest.latest), 0);
  }

  /** Whether the next step needs no R2 request, because the file is small and was read. */
  get isInMemory(): boolean {
    return !this.#isDone && Boolean(this.#segment?.file);
  }

  /** @returns the matching entries of each block that it opened */
  async readNext(bucket: R2Bucket, ring: KeyRing): Promise<LogEntry[][]> {
    if (this.#isDone) return [];
    const segment = this.#segment ?? (await this.#open(bucket, ring));
    const isFirstOfLarge = this.#segment === null && segment.file === null;
    this.#segment = segment;
    if (isFirstOfLarge) {
      this.#isDone = this.#rest.length === 0;
      return [];
    }
    const candidates = this.#rest.map(({ block }) => block);
    const count = segment.file ? Math.min(candidates.length, MEMORY_BLOCKS) : countInRange(candidates, this.#rangeBytes);
    const opened = await readBlocks(bucket, ring, segment, candidates.slice(0, count).reverse());
    this.#rest = this.#rest.slice(count);
    this.#isDone = this.#rest.length === 0;
    this.#rangeBytes = Math.min(this.#rangeBytes * 2, MAX_RANGE_BYTES);
    return opened.reverse().map((entries) => entries.filter((entry) => this.#matches(entry)).sort(compareNewestFirst));
  }

  async #open(bucket: R2Bucket, ring: KeyRing): Promise<OpenSegment> {
    const segment = await openSegment(bucket, ring, this.ref);
    const [from, to] = [this.#filter.from ?? 0, latestAllowed(this.#filter, this.#before)];
    for (const block of segment.index.blocks.toReversed()) {
      const latest = block.recorded.findLast((time) => time <= to);
      if (latest !== undefined && latest >= from && blockMayMatch(block.fingerprints, this.#required))
        this.#rest.push({ block, latest });
    }
    return segment;
  }

  #matches(entry: LogEntry): boolean {
    return matchesFilter(entry, this.#filter) && (this.#before === null || compareNewestFirst(this.#before, entry) < 0);
  }
}

function latestAllowed({ to }: LogFilter, before: LogPosition | null): number {
  return Math.min(to === undefined ? Number.MAX_SAFE_INTEGER : to - 1, before?.recorded ?? Number.MAX_SAFE_INTEGER);
}

/** Whether a segment's times leave room for an entry that the filter asks for, at or after `before` in the order of lists. */
export const isInTimeRange = (ref: SegmentRef, filter: LogFilter, before: LogPosition | null): boolean =>
  ref.recordedFrom <= latestAllowed(filter, before) && ref.recordedTo >= (filter.from ?? 0);

/**
 * Reads the entries that meet the filter (null: all), newest block first; within a block newest first. Blocks follow `seq`, so times
 * of different blocks overlap where events were handed over late.
 * @throws SegmentGoneError, ApiError integrity_error when any byte was changed
 */
export async function* readSegment(
  bucket: R2Bucket,
  ring: KeyRing,
  ref: SegmentRef,
  filter: LogFilter | null,
): AsyncGenerator<LogEntry[], void> {
  const scan = new SegmentScan(ref, filter ?? { patientIds: null }, null);
  while (scan.latest !== null) {
    for (const entries of await scan.readNext(bucket, ring)) if (entries.length > 0) yield entries;
  }
}

/**
 * Reads the entries `from` to `end` (exclusive) by ascending `seq`, a block at a time.
 * @throws SegmentGoneError, ApiError integrity_error when any byte was changed
 */
export async function* readSegmentForward(
  bucket: R2Bucket,
  ring: KeyRing,
  ref: SegmentRef,
  { from = ref.first, end = ref.end }: { from?: number; end?: number } = {},
): AsyncGenerator<LogEntry[], void> {
  const segment = await openSegment(bucket, ring, ref);
  let rest = segment.index.blocks.filter(({ first, count }) => first < end && first + count > from);
  while (rest.length > 0) {
    const count = countInRange(rest, MAX_RANGE_BYTES);
    const opened = await readBlocks(bucket, ring, segment, rest.slice(0, count));
    rest = rest.slice(count);
    for (const entries of opened) yield entries.filter(({ seq }) => seq >= from && seq < end);
  }
}
