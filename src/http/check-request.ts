// The check of a request against the contract of its operation, before the validators: path, query and body.
import type { RouteConfig } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { ApiError, type FieldError } from "../platform/errors.ts";
import { parseJson, readBody, streamBody } from "./request-body.ts";

const MAX_JSON_BYTES = 256 * 1024;
const MAX_FORM_BYTES = 16 * 1024;
/** Of operations without a credential, such as logins: parsing must not cost more than counting the caller. */
const MAX_PUBLIC_JSON_BYTES = 16 * 1024;
const JSON_TYPE = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;
const FORM_TYPE = /^application\/x-www-form-urlencoded\b/i;
/** Methods that change the resource of their path. */
const CHANGES = new Set(["PUT", "PATCH", "DELETE"]);

type Contract = Pick<RouteConfig, "method" | "request" | "security">;

/**
 * The only place that decides whether an operation has a body and of which type. Uploads read theirs themselves, after the
 * access check.
 */
export function checkRequest(contract: Contract): MiddlewareHandler {
  const declaresQuery = contract.request?.query !== undefined;
  const readRequestBody = chooseBodyReader(contract);
  return async (c, next) => {
    if (CHANGES.has(c.req.method)) denyTrailingSlash(c);
    if (c.req.url.includes("?")) checkQuery(new URL(c.req.url).searchParams, declaresQuery);
    await readRequestBody?.(c);
    await next();
  };
}

/**
 * The platform resolves `..` and `%2e%2e` before the Worker sees the path: a change of `/wards/{id}/alert-rules/..` arrives as a
 * change of `/wards/{id}/`. Only the slash tells them apart.
 */
function denyTrailingSlash(c: Context): void {
  if (!new URL(c.req.url).pathname.endsWith("/")) return;
  throw new ApiError("invalid_request", "The path of a change must not end with a slash.", {
    errors: [{ path: "path", message: "Ends with a slash", code: "trailing_slash" }],
  });
}

/**
 * Declared queries reject unknown names themselves: their schemas are strict. They do not see an empty name, which hono leaves out
 * of its queries.
 */
function checkQuery(query: URLSearchParams, declaresQuery: boolean): void {
  const names = new Set<string>();
  const repeated = new Set<string>();
  for (const name of query.keys()) (names.has(name) ? repeated : names).add(name);
  if (repeated.size > 0) {
    throw new ApiError("invalid_request", "A query parameter is repeated.", {
      errors: [...repeated].slice(0, 20).map(() => ({ path: "query", message: "Repeated parameter", code: "repeated" })),
    });
  }
  denyUnknownFields([...names].filter((name) => !declaresQuery || name === ""));
}

function denyUnknownFields(names: string[]): void {
  if (names.length === 0) return;
  const errors = toUnknownFieldErrors(names).slice(0, 20);
  throw new ApiError("invalid_request", "Some fields are invalid; see errors.", { errors });
}

/** Names that are no plain identifiers are not repeated to the caller. */
export function toUnknownFieldErrors(names: readonly string[], parents: readonly PropertyKey[] = []): FieldError[] {
  return names.map((name) => ({
    path: [...parents, /^[\w.-]{1,40}$/.test(name) ? name : "?"].join("."),
    message: "Unknown field",
    code: "unknown_field",
  }));
}

function chooseBodyReader({ method, request, security }: Contract): ((c: Context) => Promise<void>) | null {
  const types = Object.keys(request?.body?.content ?? {});
  const limit = security?.length ? MAX_JSON_BYTES : MAX_PUBLIC_JSON_BYTES;
  if (types.includes("application/json")) return (c) => readJsonBody(c, limit);
  if (types.includes("application/x-www-form-urlencoded")) return readFormBody;
  return types.length === 0 && ["post", "put", "patch", "delete"].includes(method) ? readNoBody : null;
}

/** The bytes of a body of the given type. An empty body may have any type. @throws ApiError unsupported_media_type, too_large */
async function readTypedBody(c: Context, type: RegExp, limit: number, hint: string): Promise<Uint8Array<ArrayBuffer>> {
  const isEncoded = c.req.header("Content-Encoding") !== undefined;
  if (!isEncoded && type.test(c.req.header("Content-Type") ?? "")) return readBody(c, limit);
  for await (const chunk of streamBody(c)) {
    if (chunk.length === 0) continue;
    throw new ApiError("unsupported_media_type", isEncoded ? "Content-Encoding is not supported." : hint);
  }
  return new Uint8Array(0);
}

const readJsonBytes = (c: Context, limit: number) => readTypedBody(c, JSON_TYPE, limit, "Send application/json.");

async function readJsonBody(c: Context, limit: number): Promise<void> {
  const bytes = await readJsonBytes(c, limit);
  if (bytes.length === 0) throw new ApiError("malformed_json", "A JSON body is required.");
  const body = parseJson(bytes);
  // From its body cache, hono would write the value as text and parse that again.
  Object.assign(c.req, { json: () => Promise.resolve(body) });
}

/** Some clients send an empty object where no body is described. */
async function readNoBody(c: Context): Promise<void> {
  const bytes = await readJsonBytes(c, MAX_JSON_BYTES);
  if (bytes.length === 0) return;
  const body = parseJson(bytes);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ApiError("invalid_request", "This operation has no body.");
  }
  denyUnknownFields(Object.keys(body));
}

async function readFormBody(c: Context): Promise<void> {
  const bytes = await readTypedBody(c, FORM_TYPE, MAX_FORM_BYTES, "Send application/x-www-form-urlencoded.");
  c.req.bodyCache.arrayBuffer = bytes.buffer;
}
