// Middleware for every request: request id, log line, response headers, rate limits, call context and strict body parsing.
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { type Call, getActorId } from "../access/actor.ts";
import { getVerifiedKeys, isProduction } from "../platform/config.ts";
import { getDb } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { UUID_PATTERN, uuidv7 } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { IdleTimer } from "./idle-timer.ts";
import { rejectRepeatedParams } from "./pagination.ts";
import { limitCaller, limitSignup, rateLimitPolicy, SIGNUP_POLICY } from "./rate-limit.ts";
import type { AppEnv } from "./router.ts";

export const MAX_JSON_BYTES = 256 * 1024;
const MAX_FORM_BYTES = 16 * 1024;
const MAX_JSON_DEPTH = 64;
/** Maximum pause between chunks, and maximum time for a whole body. */
export const BODY_IDLE_TIMEOUT_MS = 30_000;
export const BODY_TIMEOUT_MS = 10 * 60_000;

/** Assigns the request id and writes one log line per request. */
export const logRequest: MiddlewareHandler<AppEnv> = async (c, next) => {
  const started = Date.now();
  const clientRequestId = c.req.header("X-Request-Id") ?? "";
  c.set("requestId", /^[A-Za-z0-9._-]{8,64}$/.test(clientRequestId) ? clientRequestId : uuidv7());
  await next();
  const actor = c.get("call")?.actor;
  log(c.env, "INFO", "request", {
    request_id: c.get("requestId"),
    actor: actor && actor.kind !== "anonymous" ? `${actor.kind}:${getActorId(actor)}` : "anonymous",
    method: c.req.method,
    // The route pattern, not the path: no ids in the line that metrics group by.
    route: matchedRoutes(c).findLast((r) => !r.path.endsWith("*"))?.path ?? "none",
    status: c.res.status,
    duration_ms: Date.now() - started,
  });
};

/**
 * The response headers, to be changed in place: `c.header` would copy the whole response on each call. A response of an
 * object or a file is immutable and is copied once.
 */
function headersOf(c: Context<AppEnv>): Headers {
  try {
    c.res.headers.set("X-Request-Id", c.get("requestId"));
  } catch {
    c.header("X-Request-Id", c.get("requestId"));
  }
  return c.res.headers;
}

/** Sets default response headers: no caching unless a route sets it, a closed content policy, and the rate limit policy. */
export const setResponseHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const headers = headersOf(c);
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
  if (!headers.has("Content-Security-Policy"))
    headers.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  if (!headers.has("RateLimit-Policy")) headers.set("RateLimit-Policy", rateLimitPolicy(c.env, c.get("call")?.actor ?? null));
};

/**
 * CORS for requests with an Origin header. Other requests get the origin-independent headers after the response exists,
 * because headers set earlier make hono copy the response.
 */
export function crossOrigin(exposed: readonly string[], cors: MiddlewareHandler<AppEnv>): MiddlewareHandler<AppEnv> {
  const list = exposed.join(",");
  return async (c, next) => {
    if (c.req.method === "OPTIONS" || c.req.header("Origin") !== undefined) return cors(c, next);
    await next();
    const headers = headersOf(c);
    headers.set("Access-Control-Expose-Headers", list);
    headers.append("Vary", "Origin");
  };
}

/** Wraps thrown non-Errors, which the router does not pass to onError and the platform would show to the client. */
export const wrapThrownValues: MiddlewareHandler<AppEnv> = async (_, next) => {
  try {
    await next();
  } catch (thrown) {
    throw new Error("a value that is not an Error was thrown", { cause: thrown });
  }
};

/** In production, redirects reads to https and rejects other requests, whose bodies were already sent unencrypted. */
export const requireHttps: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!isProduction(c.env) || c.req.url.startsWith("https:")) return next();
  if (!["GET", "HEAD"].includes(c.req.method)) throw new ApiError("https_required");
  const url = new URL(c.req.url);
  url.protocol = "https:";
  return c.redirect(url.toString(), 308);
};

/** Rate limit of unauthenticated callers, per IP address. */
export const limitByAddress: MiddlewareHandler<AppEnv> = async (c, next) => {
  await limitCaller(c.env, c.get("call").actor);
  await next();
};

/** Like `limitByAddress`, for routes that compute a password hash or create an account. */
export const limitSignups: MiddlewareHandler<AppEnv> = async (c, next) => {
  await limitSignup(c.env, c.get("call").actor);
  await next();
  c.header("RateLimit-Policy", SIGNUP_POLICY);
};

/** Reads a form body, size-limited, for the validators that follow. */
export const parseFormBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (c.req.method !== "POST") return next();
  if (!/^application\/x-www-form-urlencoded\b/i.test(c.req.header("Content-Type") ?? "") || c.req.header("Content-Encoding")) {
    throw new ApiError("unsupported_media_type", "Send application/x-www-form-urlencoded.");
  }
  const bytes = await readBody(c, MAX_FORM_BYTES);
  c.req.bodyCache.arrayBuffer = bytes.buffer;
  await next();
};

/** The grant that an import counts against, instead of the storage quotas. @throws ApiError invalid_request */
function readImportGrant(c: Context<AppEnv>): string | null {
  const id = c.req.header("Import-Grant");
  if (id !== undefined && !UUID_PATTERN.test(id))
    throw new ApiError("invalid_request", "Import-Grant must be the id of a grant.");
  return id ?? null;
}

/** Creates the call context with keys, database and an anonymous actor; 503 while secrets are invalid. */
export const initializeCall: MiddlewareHandler<AppEnv> = async (c, next) => {
  const keys = await getVerifiedKeys(c.env);
  const ip = c.req.header("CF-Connecting-IP") ?? null;
  const via = { requestId: c.get("requestId"), ip, importGrant: readImportGrant(c) };
  const debug: Call["debug"] = (message, fields) => log(c.env, "DEBUG", message, { request_id: via.requestId, ...fields }, 1);
  c.set("call", { db: getDb(c.env.DB), keys, actor: { kind: "anonymous", via }, now: Date.now(), debug });
  if (c.req.url.includes("?")) rejectRepeatedParams(c.req.queries());
  await next();
};

/**
 * Streams the body's chunks; stops a stalled upload, because the platform has no timeout.
 * @throws ApiError request_timeout
 */
export async function* streamBody(c: Context<AppEnv>): AsyncIterable<Uint8Array> {
  const reader = c.req.raw.body?.getReader();
  if (!reader) return;
  const deadline = Date.now() + BODY_TIMEOUT_MS;
  const idle = new IdleTimer(BODY_IDLE_TIMEOUT_MS, () => new ApiError("request_timeout"));
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), idle.start()]);
      idle.stop();
      if (Date.now() > deadline) throw new ApiError("request_timeout");
      if (next.done) return;
      yield next.value;
    }
  } finally {
    idle.end();
    // Ends the transfer when the consumer stops early; no effect after the end.
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * Reads at most `limit` bytes and counts them, because Content-Length may be wrong.
 * @throws ApiError too_large, length_mismatch, request_timeout
 */
export async function readBody(c: Context<AppEnv>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const declaredLength = c.req.header("Content-Length");
  if (declaredLength !== undefined && Number(declaredLength) > limit) throw new ApiError("too_large");
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of streamBody(c)) {
    size += chunk.length;
    if (size > limit) throw new ApiError("too_large");
    chunks.push(chunk);
  }
  if (declaredLength !== undefined && Number(declaredLength) !== size) throw new ApiError("length_mismatch");
  const bytes = new Uint8Array(size);
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

/** Parses a JSON body strictly, for the validators that follow. */
export const parseJsonBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const expectsBody = ["POST", "PUT", "PATCH"].includes(c.req.method);
  if (expectsBody && c.req.header("Content-Type") === undefined) {
    // Over HTTP a request without a body has an empty body stream.
    const bodyLength = c.req.raw.body === null ? 0 : (await readBody(c, MAX_JSON_BYTES)).length;
    if (bodyLength > 0) throw new ApiError("unsupported_media_type", "Send application/json.");
  } else if (expectsBody) {
    if (c.req.header("Content-Encoding")) throw new ApiError("unsupported_media_type", "Content-Encoding is not supported.");
    if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(c.req.header("Content-Type") ?? "")) {
      throw new ApiError("unsupported_media_type", "Send application/json.");
    }
    const body = parseJson(await readBody(c, MAX_JSON_BYTES));
    // From its body cache, hono would write the value as text and parse that again.
    Object.assign(c.req, { json: () => Promise.resolve(body) });
  }
  await next();
};

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
