// The bytes of a file in chunks, as they were received: a large file is never copied into one buffer.

export class ChunkedBytes {
  readonly chunks: readonly Uint8Array[];
  readonly size: number;

  constructor(chunks: readonly Uint8Array[]) {
    this.chunks = chunks;
    this.size = chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** A copy of the bytes `start` to `end` (exclusive); fewer where the file begins or ends in between. */
  slice(start: number, end: number): Uint8Array<ArrayBuffer> {
    const from = Math.max(0, start);
    const bytes = new Uint8Array(Math.max(0, Math.min(end, this.size) - from));
    let at = 0;
    for (const chunk of this.chunks) {
      const part = chunk.subarray(Math.max(0, from - at), Math.max(0, from + bytes.length - at));
      if (part.length > 0) bytes.set(part, Math.max(0, at - from));
      at += chunk.length;
      if (at >= from + bytes.length) break;
    }
    return bytes;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    yield* this.chunks;
  }
}
