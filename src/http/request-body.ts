// Bodies of requests: bounded reading of streams, and strict JSON.
import type { Context } from "hono";
import type { Call } from "../access/actor.ts";
import { ApiError } from "../platform/errors.ts";
import { holdBody } from "./held-bodies.ts";
import { IdleTimer } from "./idle-timer.ts";

const MAX_JSON_DEPTH = 64;
/** Maximum pause between chunks, and maximum time for a whole body. */
export const BODY_IDLE_TIMEOUT_MS = 30_000;
const BODY_TIMEOUT_MS = 10 * 60_000;
/** A body that takes longer than this arrives at 1 kB/s at least, a quarter of a GPRS line. */
const SLOW_BODY_MS = 60_000;
const MAX_MS_PER_BYTE = 1;

/**
 * Streams the body's chunks; stops one that stalls or trickles, because the platform has no timeout.
 * @throws ApiError request_timeout
 */
export async function* streamBody(c: Context): AsyncIterable<Uint8Array> {
  const reader = c.req.raw.body?.getReader();
  if (!reader) return;
  const started = Date.now();
  let size = 0;
  const idle = new IdleTimer(BODY_IDLE_TIMEOUT_MS, () => new ApiError("request_timeout"));
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), idle.start()]);
      idle.stop();
      const limitMs = Math.min(BODY_TIMEOUT_MS, SLOW_BODY_MS + size * MAX_MS_PER_BYTE);
      if (Date.now() - started > limitMs) throw new ApiError("request_timeout");
      if (next.done) return;
      size += next.value.length;
      yield next.value;
    }
  } finally {
    idle.end();
    // Ends the transfer when the consumer stops early; no effect after the end.
    await reader.cancel().catch(() => undefined);
  }
}

/** The chunks of a body of at most `limit` bytes, which are counted as held, because Content-Length may be wrong. */
async function* holdChunks(c: Context, limit: number): AsyncIterable<Uint8Array> {
  const declaredLength = c.req.header("Content-Length");
  if (declaredLength !== undefined && Number(declaredLength) > limit) throw new ApiError("too_large");
  const { actor }: Call = c.get("call");
  let size = 0;
  for await (const chunk of streamBody(c)) {
    size += chunk.length;
    if (size > limit) throw new ApiError("too_large");
    holdBody(c.req.raw, actor, chunk.length);
    yield chunk;
  }
  if (declaredLength !== undefined && Number(declaredLength) !== size) throw new ApiError("length_mismatch");
}

/**
 * Reads at most `limit` bytes. They are held until the request has ended.
 * @throws ApiError too_large, length_mismatch, request_timeout, unavailable
 */
export async function readBody(c: Context, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks = await Array.fromAsync(holdChunks(c, limit));
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

/** A body that is sent in single bytes takes no more memory than another. */
const BLOCK_BYTES = 64 * 1024;

/** Like `readBody`, for large bodies: in blocks, so that the body is in memory once. */
export async function readBodyBlocks(c: Context, limit: number): Promise<Uint8Array<ArrayBuffer>[]> {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  let filled = BLOCK_BYTES;
  for await (const chunk of holdChunks(c, limit)) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === BLOCK_BYTES) {
        blocks.push(new Uint8Array(BLOCK_BYTES));
        filled = 0;
      }
      const part = chunk.subarray(at, at + BLOCK_BYTES - filled);
      blocks.at(-1)?.set(part, filled);
      filled += part.length;
      at += part.length;
    }
  }
  const last = blocks.pop();
  return last ? [...blocks, last.subarray(0, filled)] : [];
}

/**
 * Parses RFC 8259 JSON in well-formed UTF-8, at most 64 levels deep, without NUL or lone surrogates. The last value of a
 * repeated key counts, for validators and handlers alike.
 * @throws ApiError malformed_json
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (cause) {
    throw new ApiError("malformed_json", "The body is not valid UTF-8.", { cause });
  }
  assertMaxDepth(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ApiError("malformed_json", undefined, { cause });
  }
  if (mayBeUnsafe(text)) assertSafeJson(value);
  return value;
}

const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [34, 92, 123, 125, 91, 93];

/** Checks nesting before JSON.parse, which would accept five million levels at a cost of seconds of CPU. */
function assertMaxDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === BACKSLASH) i++;
      else if (char === QUOTE) inString = false;
    } else if (char === QUOTE) inString = true;
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (++depth > MAX_JSON_DEPTH) throw new ApiError("malformed_json", "The body is nested too deeply.");
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--;
  }
}

/**
 * False when the values need no check: NUL, lone surrogates and a hidden `__proto__` can only come from `\\u`
 * escapes (JSON allows no bare NUL, UTF-8 no surrogate), and a non-finite number has an exponent or 200 digits.
 */
function mayBeUnsafe(text: string): boolean {
  return text.includes("\\u") || text.includes("__proto__") || /\d[eE]|\d{200}/.test(text);
}

function assertSafeJson(value: unknown): void {
  if (typeof value === "string" && (value.includes("\0") || !value.isWellFormed())) {
    throw new ApiError("malformed_json", "A string contains NUL or a lone surrogate.");
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new ApiError("malformed_json", "A number is out of range.");
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === "__proto__") throw new ApiError("malformed_json", "An object key is not allowed.");
    assertSafeJson(key);
    assertSafeJson(inner);
  }
}
