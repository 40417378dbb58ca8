// Opens a segment: a header in clear, a sealed index, and sealed blocks of entries.
import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";
import type { Bytes, Ring } from "./bytes.ts";
import type { Entry } from "./leaf.ts";
import { type LogSource, ProblemError, type Segment } from "./source.ts";

const VERSION = 1;
const MAX_HEADER_BYTES = 18;
const MAX_INDEX_BYTES = 16 * 1_024 * 1_024;
const MAX_BLOCK_BYTES = 4 * 1_024 * 1_024;
const NONCE_BYTES = 12;
const utf8 = new TextEncoder();

type BlockPlace = { part: number; first: number; count: number; offset: number; length: number; plainLength: number };

/** Each part with its length in bytes before it: `13:audit segment|2:ab`. */
const joined = (parts: string[]): Bytes =>
  utf8.encode(parts.map((part) => `${utf8.encode(part).length}:${part}`).join("|")) as Bytes;

class Opener {
  readonly #key: CryptoKey;
  readonly #context: string[];

  constructor(key: CryptoKey, context: string[]) {
    this.#key = key;
    this.#context = context;
  }

  async open(part: string, sealed: Bytes): Promise<Bytes> {
    const algorithm = {
      name: "AES-GCM",
      iv: sealed.subarray(0, NONCE_BYTES),
      additionalData: joined([...this.#context, part]),
    };
    try {
      return new Uint8Array(await crypto.subtle.decrypt(algorithm, this.#key, sealed.subarray(NONCE_BYTES)));
    } catch {
      throw new Error("its bytes were changed, or its key is another one");
    }
  }
}

async function openerOf(ring: Ring, kid: string, key: string): Promise<Opener> {
  const raw = ring.get(kid);
  if (!raw) throw new Error(`the key ${JSON.stringify(kid)} is not in AUDIT_KEYS`);
  const master = await crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: joined(["audit segment", key]) };
  const fileKey = await crypto.subtle.deriveKey(derivation, master, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  return new Opener(fileKey, [String(VERSION), kid, key]);
}

/** Reads unsigned LEB128. */
class Reader {
  #at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  skip(count: number): void {
    this.#at += count;
  }

  int(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 56; factor *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
    throw new Error("the index ends early");
  }

  list(): number {
    const count = this.int();
    for (let i = 0; i < count; i++) this.int();
    return count;
  }
}

function parseIndex(plain: Uint8Array, start: number, segment: Segment): BlockPlace[] {
  const reader = new Reader(plain);
  const isRange = reader.int() === segment.first && reader.int() === segment.end - segment.first;
  if (!isRange) throw new Error("the file holds other entries");
  reader.skip(32);
  reader.int();
  reader.int();
  const blocks: BlockPlace[] = [];
  let [first, offset] = [segment.first, start];
  for (let part = 0, count = reader.int(); part < count; part++) {
    const [length, plainLength] = [reader.int(), reader.int()];
    const entries = reader.list();
    reader.list();
    blocks.push({ part, first, count: entries, offset, length, plainLength });
    first += entries;
    offset += length;
  }
  if (!reader.isAtEnd || first !== segment.end) throw new Error("the index does not cover the file");
  return blocks;
}

async function readExactly(source: LogSource, key: string, offset: number, length: number): Promise<Bytes> {
  const bytes = await source.readSegment(key, offset, length);
  if (bytes?.length !== length) throw new Error("the file ends early");
  return new Uint8Array(bytes);
}

async function openIndex(source: LogSource, ring: Ring, segment: Segment) {
  const header = await source.readSegment(segment.key, 0, MAX_HEADER_BYTES);
  if (!header) throw new ProblemError("deleted", segment.first, `The file ${segment.key} is missing.`);
  const kidLength = header[1] ?? 0;
  const start = 6 + kidLength;
  if (header[0] !== VERSION || start > header.length) throw new Error("the header is malformed");
  const kid = Buffer.from(header.subarray(2, 2 + kidLength)).toString("latin1");
  const length = new DataView(header.buffer, header.byteOffset).getUint32(2 + kidLength);
  if (length > MAX_INDEX_BYTES) throw new Error("the header is malformed");
  const opener = await openerOf(ring, kid, segment.key);
  const index = await opener.open("index", await readExactly(source, segment.key, start, length));
  return { opener, blocks: parseIndex(index, start + length, segment) };
}

async function openBlock(source: LogSource, opener: Opener, key: string, block: BlockPlace): Promise<Entry[]> {
  if (block.plainLength > MAX_BLOCK_BYTES) throw new Error("a block is too large");
  const packed = await opener.open(String(block.part), await readExactly(source, key, block.offset, block.length));
  const plain = inflateRawSync(packed, { maxOutputLength: 2 * MAX_BLOCK_BYTES });
  if (plain.length !== block.plainLength) throw new Error("a block has another length");
  const entries = plain
    .toString("utf8")
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
  if (entries.length !== block.count) throw new Error("a block holds another number of entries");
  return entries;
}

/**
 * The entries of a segment from `fromSeq` on, one block at a time; a block never crosses a multiple of 256.
 * @throws ProblemError deleted for a missing file; unreadable at the first entry that does not open
 */
export async function* readEntries(source: LogSource, ring: Ring, segment: Segment, fromSeq: number): AsyncGenerator<Entry[]> {
  let seq = Math.max(fromSeq, segment.first);
  try {
    const { opener, blocks } = await openIndex(source, ring, segment);
    for (const block of blocks) {
      if (block.first + block.count <= fromSeq) continue;
      seq = Math.max(fromSeq, block.first);
      yield (await openBlock(source, opener, segment.key, block)).slice(seq - block.first);
    }
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProblemError("unreadable", seq, `${segment.key} does not open from entry ${seq} on: ${reason}.`);
  }
}
