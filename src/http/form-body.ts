// Multipart bodies of uploads (RFC 7578): bounded in bytes, in parts and in the headers of each part.
import { MaxFileSizeExceededError, MaxPartsExceededError, MultipartPart, parseMultipart } from "@remix-run/multipart-parser";
import type { Context } from "hono";
import { ChunkedBytes } from "../platform/chunked-bytes.ts";
import { ApiError } from "../platform/errors.ts";
import { readBody, readBodyBlocks } from "./request-body.ts";
import type { AppEnv } from "./router.ts";

export const MAX_MULTIPART_BYTES = 10 * 1024 * 1024;
/** Room for multipart boundaries and headers around a file of the maximum size. */
export const FORM_OVERHEAD_BYTES = 128 * 1024;
/** Names of 5,000 characters are cut, not refused. */
const MAX_PART_HEADER_BYTES = 32 * 1024;
const BOUNDARY = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i;
const HEADER_END_BYTES = 4;
/** U+2028 and U+2029, the bytes of their UTF-8 read as Latin-1: the parser would end a header there. */
const LINE_SEPARATORS = /\xe2\x80[\xa8\xa9]/g;

export const isMultipart = (type: string): boolean => /^multipart\/form-data\s*;/i.test(type);

/** `fileName` is null for a part without one: a field, or a file whose sender names only its type. */
export type FormPart = { name: string; fileName: string | null; isFile: boolean; bytes: Uint8Array<ArrayBuffer> };

/** For fields: a file has no text. */
const toPartText = (part: FormPart | LargeFormPart): string =>
  new TextDecoder().decode("bytes" in part ? part.bytes : part.content.slice(0, part.content.size));

function findBoundary(c: Context<AppEnv>): string {
  const [, quoted, token] = BOUNDARY.exec(c.req.header("Content-Type") ?? "") ?? [];
  return quoted ?? token ?? "";
}

/** @throws ApiError too_large, invalid_request, for errors of the parser */
function parseParts<T>(parse: () => T[]): T[] {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof MaxFileSizeExceededError) throw new ApiError("too_large");
    const detail = cause instanceof MaxPartsExceededError ? "The form has too many parts." : "The form data is malformed.";
    throw new ApiError("invalid_request", detail, { cause });
  }
}

/**
 * Reads a form of at most `maxParts` parts. The bytes of a part are a view into the body.
 * @throws ApiError invalid_request, too_large, length_mismatch, request_timeout, unavailable
 */
export async function readForm(c: Context<AppEnv>, maxParts: number): Promise<FormPart[]> {
  const boundary = findBoundary(c);
  const body = skipPreamble(await readBody(c, MAX_MULTIPART_BYTES + FORM_OVERHEAD_BYTES), boundary);
  const limits = { maxHeaderSize: MAX_PART_HEADER_BYTES, maxFileSize: MAX_MULTIPART_BYTES, maxTotalSize: body.length, maxParts };
  return parseParts(() => {
    if (body.length === 0) throw new Error("an empty form");
    return Array.from(parseMultipart(body, { boundary, ...limits }), (part) => toFormPart(body, part));
  });
}

export type LargeFormPart = { name: string; fileName: string | null; isFile: boolean; content: ChunkedBytes };

/** A field of a large form that is longer is no text that any field takes. */
const MAX_FIELD_BYTES = 16 * 1024;

/**
 * Like `readForm`, for a form with a large file: the body is in memory once. Headers of parts must be UTF-8.
 * @param maxBytes of the file  @throws ApiError as readForm
 */
export async function readLargeForm(c: Context<AppEnv>, maxParts: number, maxBytes: number): Promise<LargeFormPart[]> {
  const boundary = findBoundary(c);
  const blocks = await readBodyBlocks(c, maxBytes + FORM_OVERHEAD_BYTES);
  const limits = { maxHeaderSize: MAX_PART_HEADER_BYTES, maxFileSize: maxBytes, maxTotalSize: maxBytes + FORM_OVERHEAD_BYTES };
  const parts = parseParts(() => {
    if (blocks.length === 0) throw new Error("an empty form");
    return Array.from(parseMultipart(blocks, { boundary, maxParts, ...limits }), toLargeFormPart);
  });
  if (parts.some(({ isFile, content }) => !isFile && content.size > MAX_FIELD_BYTES)) throw new ApiError("too_large");
  return parts;
}

function toLargeFormPart({ name, filename, mediaType, content }: MultipartPart): LargeFormPart {
  if (name === undefined) throw new Error("a part without a name");
  const isFile = filename !== undefined || mediaType !== undefined;
  return { name, fileName: filename ?? null, isFile, content: new ChunkedBytes(content) };
}

/** Text before the first boundary is ignored (RFC 2046, 5.1.1): some clients begin with a line end. */
function skipPreamble(body: Uint8Array<ArrayBuffer>, boundary: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const opening = `--${boundary}`;
  if (bytes.subarray(0, opening.length).toString("latin1") === opening) return body;
  const at = bytes.indexOf(`\r\n${opening}`, 0, "latin1");
  return at < 0 ? body : body.subarray(at + 2);
}

function toFormPart(body: Uint8Array<ArrayBuffer>, part: MultipartPart): FormPart {
  const [content] = part.content;
  const start = content === undefined ? 0 : content.byteOffset - body.byteOffset;
  const bytes = body.subarray(start, start + part.size);
  const { name, filename, mediaType } = readableHeaders(body, part, start);
  if (name === undefined) throw new Error("a part without a name");
  return { name, fileName: filename ?? null, isFile: filename !== undefined || mediaType !== undefined, bytes };
}

/**
 * Headers are UTF-8 (RFC 7578, 5.1); those of older clients, which send the encoding of their system, are read as Latin-1. Line
 * separators of Unicode are left out.
 */
function readableHeaders(body: Uint8Array<ArrayBuffer>, part: MultipartPart, start: number): MultipartPart {
  if (start === 0) return part;
  const headers = readHeaderBytes(body, start);
  if (!isUtf8(part)) return new MultipartPart(new TextEncoder().encode(headers), part.content);
  const whole = headers.replace(LINE_SEPARATORS, "");
  return whole === headers ? part : new MultipartPart(Buffer.from(whole, "latin1"), part.content);
}

function isUtf8(part: MultipartPart): boolean {
  try {
    return part.headers !== undefined;
  } catch {
    return false;
  }
}

/** The bytes of the headers of the part whose content is at `start`, as Latin-1. */
function readHeaderBytes(body: Uint8Array<ArrayBuffer>, start: number): string {
  const before = Buffer.from(body.buffer, body.byteOffset, start - HEADER_END_BYTES);
  const last = before.subarray(Math.max(0, before.length - MAX_PART_HEADER_BYTES)).toString("latin1");
  const headers = last.split("\r\n--").at(-1) ?? "";
  // The first line is the boundary.
  return headers.slice(headers.indexOf("\r\n") + 2);
}

/** @throws ApiError invalid_request for a file in the place of a field */
export function toTextFields(parts: (FormPart | LargeFormPart)[]): Record<string, string> {
  const files = parts.filter(({ fileName }) => fileName !== null);
  if (files.length > 0) {
    const errors = files.map(({ name }) => ({ path: name, message: "Must be a field, not a file", code: "invalid_type" }));
    throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
  }
  return Object.fromEntries(parts.map((part) => [part.name, toPartText(part)]));
}

/**
 * The last path segment, without characters that could split a header, hide the extension or traverse folders.
 * @param fallback for a name of which nothing is left
 */
export function safeFileName(name: string, fallback: string): string {
  const base = name.toWellFormed().normalize("NFC").split(/[/\\]/).at(-1) ?? "";
  const cleaned = Array.from(base)
    .filter((character) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"]/u.test(character))
    .slice(0, 120)
    .join("")
    .trim();
  return /^\.*$/.test(cleaned) ? fallback : cleaned;
}
