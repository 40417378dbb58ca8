// Files in R2, encrypted in 64 KiB segments: byte ranges decrypt alone; truncated or reordered segments are detected.

import { decryptGcm, deriveRecordKey, encryptGcm, type KeyRing } from "./crypto.ts";
import { ApiError } from "./errors.ts";
import { randomOpaqueId } from "./ids.ts";
import { HOUR_MS } from "./time.ts";

/**
 * STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015): segment i is AES-256-GCM under a key per file with
 * nonce = 7 zero bytes, i as 4 bytes, 1 byte that is 1 on the last segment. The key is HKDF of object key and record.
 * Object keys are random and written once, so a (key, nonce) pair never encrypts two plaintexts.
 */
const SEGMENT_BYTES = 65_536;
const TAG_BYTES = 16;
const NO_AAD = new Uint8Array();

type Bytes = Uint8Array<ArrayBuffer>;
export type FileSource = Bytes | AsyncIterable<Uint8Array>;
/** The record that owns a file, e.g. `report:<id>`. A file key copied to another row does not decrypt there. */
export type FileOwner = string;

function countSegments(size: number): number {
  return Math.max(1, Math.ceil(size / SEGMENT_BYTES));
}

function sealedSize(size: number): number {
  return size + TAG_BYTES * countSegments(size);
}

function segmentNonce(index: number, last: boolean): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, index);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** `<key id>/<hour>/`: the prefix of files created in an hour, so that the orphan sweep does not list the whole bucket. */
export function hourPrefix(kid: string, time: number): string {
  return `${kid}/${Math.floor(time / HOUR_MS)}/`;
}

/** `<key id>/<hour>/<128 random bits>`: opaque, and names the key that decrypts the file. */
export function createObjectKey(ring: KeyRing, now: number): string {
  return `${hourPrefix(ring.currentKid, now)}${randomOpaqueId()}`;
}

function deriveFileKey(ring: KeyRing, objectKey: string, owner: FileOwner): Promise<CryptoKey> {
  return deriveRecordKey(ring, objectKey.split("/")[0] ?? "", ["file", objectKey, owner]);
}

async function* toChunks(source: FileSource): AsyncIterable<Uint8Array> {
  if (source instanceof Uint8Array) yield source;
  else yield* source;
}

async function* sealSegments(key: CryptoKey, source: FileSource): AsyncIterable<Bytes> {
  let buffer = new Uint8Array(SEGMENT_BYTES);
  let filled = 0;
  let index = 0;
  for await (const chunk of toChunks(source)) {
    for (let offset = 0; offset < chunk.length; ) {
      // Seals a full buffer only when more data follows, because the last segment carries a marker.
      if (filled === SEGMENT_BYTES) {
        yield await encryptGcm(key, segmentNonce(index++, false), buffer, NO_AAD);
        buffer = new Uint8Array(SEGMENT_BYTES);
        filled = 0;
      }
      const part = chunk.subarray(offset, offset + SEGMENT_BYTES - filled);
      buffer.set(part, filled);
      filled += part.length;
      offset += part.length;
    }
  }
  yield await encryptGcm(key, segmentNonce(index, true), buffer.slice(0, filled), NO_AAD);
}

/**
 * Encrypts a source and streams it to R2 under a key that must be new.
 * @param size exact length of the source in bytes (a stream to R2 needs a known length)
 */
export async function storeFile(
  bucket: R2Bucket,
  ring: KeyRing,
  objectKey: string,
  owner: FileOwner,
  source: FileSource,
  size: number,
): Promise<void> {
  const segments = sealSegments(await deriveFileKey(ring, objectKey, owner), source);
  const onlyIf = { etagDoesNotMatch: "*" };
  if (source instanceof Uint8Array) {
    const bytes = new Uint8Array(sealedSize(size));
    let offset = 0;
    for await (const segment of segments) {
      bytes.set(segment, offset);
      offset += segment.length;
    }
    if (!(await bucket.put(objectKey, bytes, { onlyIf }))) throw new ApiError("unavailable");
    return;
  }
  const pipe = new FixedLengthStream(sealedSize(size));
  const [stored] = await Promise.all([bucket.put(objectKey, pipe.readable, { onlyIf }), pipeChunks(segments, pipe.writable)]);
  if (!stored) throw new ApiError("unavailable");
}

/** Writes all chunks and closes the stream; aborts it when the source fails. */
export async function pipeChunks(segments: AsyncIterable<Bytes>, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const segment of segments) await writer.write(segment);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}

export type ByteRange = { start: number; end: number };

/**
 * Decrypts a file, or its bytes `start` to `end` (inclusive). The first segment is verified before the function returns;
 * a later segment that fails verification ends the stream with an error.
 * @param size bytes of the plaintext  @throws ApiError integrity_error, unavailable (the object is missing)
 */
export async function streamFile(
  bucket: R2Bucket,
  ring: KeyRing,
  objectKey: string,
  owner: FileOwner,
  size: number,
  range?: ByteRange,
) {
  const { start, end } = range ?? { start: 0, end: Math.max(0, size - 1) };
  const first = Math.floor(start / SEGMENT_BYTES);
  const last = Math.floor(end / SEGMENT_BYTES);
  const offset = first * (SEGMENT_BYTES + TAG_BYTES);
  const length = Math.min((last + 1) * (SEGMENT_BYTES + TAG_BYTES), sealedSize(size)) - offset;
  const object = await bucket.get(objectKey, { range: { offset, length } });
  if (!object) throw new ApiError("unavailable");
  if (object.size !== sealedSize(size)) {
    await object.body.cancel();
    throw new ApiError("integrity_error");
  }
  const plainChunks = unsealSegments(await deriveFileKey(ring, objectKey, owner), object.body, first, countSegments(size) - 1);
  const trimmedChunks = trimChunks(plainChunks, start - first * SEGMENT_BYTES, size === 0 ? 0 : end - start + 1);
  const firstChunk = await trimmedChunks.next();
  return { length: size === 0 ? 0 : end - start + 1, chunks: prependChunk(firstChunk, trimmedChunks) };
}

async function* prependChunk(
  firstChunk: IteratorResult<Bytes, void>,
  remainingChunks: AsyncGenerator<Bytes, void>,
): AsyncIterable<Bytes> {
  if (firstChunk.done) return;
  yield firstChunk.value;
  yield* remainingChunks;
}

async function* unsealSegments(
  key: CryptoKey,
  body: ReadableStream<Uint8Array>,
  firstIndex: number,
  lastIndex: number,
): AsyncGenerator<Bytes, void> {
  let index = firstIndex;
  let pendingChunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    pendingChunks.push(chunk);
    size += chunk.length;
    while (size >= SEGMENT_BYTES + TAG_BYTES) {
      const bytes = concatChunks(pendingChunks, size);
      yield decryptGcm(key, segmentNonce(index, index === lastIndex), bytes.slice(0, SEGMENT_BYTES + TAG_BYTES), NO_AAD);
      index++;
      pendingChunks = [bytes.subarray(SEGMENT_BYTES + TAG_BYTES)];
      size -= SEGMENT_BYTES + TAG_BYTES;
    }
  }
  if (size > 0) yield decryptGcm(key, segmentNonce(index, index === lastIndex), concatChunks(pendingChunks, size), NO_AAD);
}

function concatChunks(chunks: Uint8Array[], size: number): Bytes {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

async function* trimChunks(source: AsyncIterable<Bytes>, skip: number, length: number): AsyncGenerator<Bytes, void> {
  let remaining = length;
  let toSkip = skip;
  for await (const chunk of source) {
    const part = chunk.subarray(toSkip, toSkip + remaining);
    toSkip = 0;
    remaining -= part.length;
    yield part;
    if (remaining === 0) return;
  }
}

/** Reads a small file (metrics) into memory. */
export async function readFile(
  bucket: R2Bucket,
  ring: KeyRing,
  objectKey: string,
  owner: FileOwner,
  size: number,
): Promise<Bytes> {
  const { chunks } = await streamFile(bucket, ring, objectKey, owner, size);
  const parts = await Array.fromAsync(chunks);
  return concatChunks(parts, size);
}
