// Writes and reads unsigned varints (LEB128) and byte strings, and compresses with a bound.
import { ApiError } from "../../platform/errors.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

export class ByteWriter {
  #bytes: Bytes = new Uint8Array(4_096);
  #length = 0;

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** @throws RangeError for anything but a safe integer from 0 */
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError("a varint is a safe integer from 0");
    this.#reserve(8);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  /** An ascending list: its length, then the first value and the differences. */
  ascending(values: ArrayLike<number>): void {
    this.varint(values.length);
    let last = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? 0;
      this.varint(value - last);
      last = value;
    }
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  finish(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Every method throws ApiError integrity_error where the bytes are not what a ByteWriter writes. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 56; factor *= 0x80) {
      const byte = this.#bytes[this.#offset++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80 && Number.isSafeInteger(value)) return value;
    }
    throw new ApiError("integrity_error");
  }

  ascending(max: number): number[] {
    const count = this.varint();
    if (count > max) throw new ApiError("integrity_error");
    const values: number[] = [];
    for (let last = 0; values.length < count; values.push(last)) last += this.varint();
    return values;
  }

  bytes(length: number): Bytes {
    if (this.#offset + length > this.#bytes.length) throw new ApiError("integrity_error");
    this.#offset += length;
    return this.#bytes.slice(this.#offset - length, this.#offset);
  }
}

export function concatBytes(parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** DEFLATE without a wrapper (RFC 1951). */
export async function deflate(bytes: Bytes): Promise<Bytes> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @throws ApiError integrity_error for bytes that are not DEFLATE of exactly `length` bytes; reads no further than that */
export async function inflate(bytes: Bytes, length: number): Promise<Bytes> {
  const plain = new Uint8Array(length);
  let offset = 0;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    for await (const chunk of stream) {
      plain.set(chunk, offset);
      offset += chunk.length;
    }
  } catch (cause) {
    throw new ApiError("integrity_error", undefined, { cause });
  }
  if (offset !== length) throw new ApiError("integrity_error");
  return plain;
}
