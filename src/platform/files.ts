// Files in R2, sealed in 64 KiB segments: any byte range opens by itself, and no segment can be cut off, moved or swapped.
import { gcmOpen, gcmSeal, type Ring, recordKey } from "./crypto.ts";
import { ApiError } from "./errors.ts";
import { opaqueId } from "./ids.ts";

/**
 * STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015): segment i is AES-256-GCM under the file's own key with
 * nonce = 7 zero bytes, i as 4 bytes, 1 byte that is 1 on the last segment. The key is HKDF of object key and record,
 * and object keys are random and written once, so that no (key, nonce) pair meets two plaintexts.
 */
const SEGMENT = 65_536;
const TAG = 16;
const NO_AAD = new Uint8Array();

type Bytes = Uint8Array<ArrayBuffer>;
export type Source = Bytes | AsyncIterable<Uint8Array>;
/** What a file belongs to, e.g. `report:<id>`; a file key moved to another row does not open there. */
export type Owner = string;

function segmentsOf(size: number): number {
  return Math.max(1, Math.ceil(size / SEGMENT));
}

function sealedSize(size: number): number {
  return size + TAG * segmentsOf(size);
}

function nonceOf(index: number, last: boolean): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, index);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** `<key id>/<hour>/`: where the files of an hour lie, so that the orphan sweep need not walk the bucket. */
export function hourPrefix(kid: string, time: number): string {
  return `${kid}/${Math.floor(time / 3_600_000)}/`;
}

/** `<key id>/<hour>/<128 random bits>`: opaque, and it says which key opens it. */
export function newFileKey(ring: Ring, now: number): string {
  return `${hourPrefix(ring.current, now)}${opaqueId()}`;
}

function fileKey(ring: Ring, key: string, owner: Owner): Promise<CryptoKey> {
  return recordKey(ring, key.split("/")[0] ?? "", ["file", key, owner]);
}

async function* chunksOf(source: Source): AsyncIterable<Uint8Array> {
  if (source instanceof Uint8Array) yield source;
  else yield* source;
}

async function* sealed(key: CryptoKey, source: Source): AsyncIterable<Bytes> {
  let buffer = new Uint8Array(SEGMENT);
  let filled = 0;
  let index = 0;
  for await (const chunk of chunksOf(source)) {
    for (let at = 0; at < chunk.length; ) {
      // A full buffer is sealed only when more follows: the last segment must know that it is the last.
      if (filled === SEGMENT) {
        yield await gcmSeal(key, nonceOf(index++, false), buffer, NO_AAD);
        buffer = new Uint8Array(SEGMENT);
        filled = 0;
      }
      const part = chunk.subarray(at, at + SEGMENT - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
    }
  }
  yield await gcmSeal(key, nonceOf(index, true), buffer.slice(0, filled), NO_AAD);
}

/**
 * Seals a source on its way to R2 under a key that must be new.
 * @param size bytes of the source, which must then have exactly that many (a stream to R2 needs a known length)
 */
export async function putFile(
  bucket: R2Bucket,
  ring: Ring,
  key: string,
  owner: Owner,
  source: Source,
  size: number,
): Promise<void> {
  const segments = sealed(await fileKey(ring, key, owner), source);
  const onlyIf = { etagDoesNotMatch: "*" };
  if (source instanceof Uint8Array) {
    const bytes = new Uint8Array(sealedSize(size));
    let at = 0;
    for await (const segment of segments) {
      bytes.set(segment, at);
      at += segment.length;
    }
    if (!(await bucket.put(key, bytes, { onlyIf }))) throw new ApiError("unavailable");
    return;
  }
  const pipe = new FixedLengthStream(sealedSize(size));
  const [stored] = await Promise.all([bucket.put(key, pipe.readable, { onlyIf }), pump(segments, pipe.writable)]);
  if (!stored) throw new ApiError("unavailable");
}

/** Writes a source out and closes; a failing source breaks the stream off. */
export async function pump(segments: AsyncIterable<Bytes>, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const segment of segments) await writer.write(segment);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}

export type Range = { start: number; end: number };

/**
 * Opens a file or the bytes `start` to `end` (inclusive) of it. The first segment is checked before anything is
 * answered; a later one that fails ends the stream with an error, never with other bytes.
 * @param size bytes of the plaintext  @throws ApiError integrity_error, unavailable (the object is missing)
 */
export async function openFile(bucket: R2Bucket, ring: Ring, key: string, owner: Owner, size: number, range?: Range) {
  const { start, end } = range ?? { start: 0, end: Math.max(0, size - 1) };
  const first = Math.floor(start / SEGMENT);
  const last = Math.floor(end / SEGMENT);
  const offset = first * (SEGMENT + TAG);
  const length = Math.min((last + 1) * (SEGMENT + TAG), sealedSize(size)) - offset;
  const object = await bucket.get(key, { range: { offset, length } });
  if (!object) throw new ApiError("unavailable");
  if (object.size !== sealedSize(size)) {
    await object.body.cancel();
    throw new ApiError("integrity_error");
  }
  const plain = opened(await fileKey(ring, key, owner), object.body, first, segmentsOf(size) - 1);
  const cut = trimmed(plain, start - first * SEGMENT, size === 0 ? 0 : end - start + 1);
  const head = await cut.next();
  return { length: size === 0 ? 0 : end - start + 1, chunks: rest(head, cut) };
}

async function* rest(head: IteratorResult<Bytes, void>, tail: AsyncGenerator<Bytes, void>): AsyncIterable<Bytes> {
  if (head.done) return;
  yield head.value;
  yield* tail;
}

async function* opened(
  key: CryptoKey,
  body: ReadableStream<Uint8Array>,
  from: number,
  final: number,
): AsyncGenerator<Bytes, void> {
  let index = from;
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    held.push(chunk);
    size += chunk.length;
    while (size >= SEGMENT + TAG) {
      const bytes = joined(held, size);
      yield gcmOpen(key, nonceOf(index, index === final), bytes.slice(0, SEGMENT + TAG), NO_AAD);
      index++;
      held = [bytes.subarray(SEGMENT + TAG)];
      size -= SEGMENT + TAG;
    }
  }
  if (size > 0) yield gcmOpen(key, nonceOf(index, index === final), joined(held, size), NO_AAD);
}

function joined(chunks: Uint8Array[], size: number): Bytes {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function* trimmed(source: AsyncIterable<Bytes>, skip: number, length: number): AsyncGenerator<Bytes, void> {
  let left = length;
  let drop = skip;
  for await (const chunk of source) {
    const part = chunk.subarray(drop, drop + left);
    drop = 0;
    left -= part.length;
    yield part;
    if (left === 0) return;
  }
}

/** Small files (metrics) at once. */
export async function readFile(bucket: R2Bucket, ring: Ring, key: string, owner: Owner, size: number): Promise<Bytes> {
  const { chunks } = await openFile(bucket, ring, key, owner, size);
  const parts = await Array.fromAsync(chunks);
  return joined(parts, size);
}
