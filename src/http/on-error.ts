// The error handler: one RFC 9457 response and one log line per failure.
import type { Context, ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { ApiError, describeCause, stackFrames } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import type { AppEnv } from "./router.ts";

/** Transient store failures: the caller may retry. */
const TRANSIENT_STORE_FAILURE =
  /D1_ERROR|D1 DB|Failed query|network connection lost|overloaded|^(put|get|head|delete|list): |KV (GET|PUT)|timed? ?out/i;
/** Permanent store failures, caused by the statement: a retry would fail again. */
const PERMANENT_STORE_FAILURE = /SQLITE_(ERROR|CONSTRAINT|MISMATCH|AUTH|RANGE|TOOBIG)|D1_TYPE_ERROR/;

function collectMessages(error: unknown): string[] {
  const found: string[] = [];
  for (let current: unknown = error; current instanceof Error && found.length < 5; current = current.cause)
    found.push(current.message);
  return found;
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof HTTPException) {
    if (error.status === 413) return new ApiError("too_large");
    if (error.status === 415) return new ApiError("unsupported_media_type");
    if (error.status < 500) return new ApiError("invalid_request");
  }
  const errorMessages = collectMessages(error);
  // A row may be deleted between its access check and the write that references it.
  if (errorMessages.some((text) => text.includes("FOREIGN KEY constraint failed"))) {
    return new ApiError("not_found", undefined, { cause: error });
  }
  if (
    errorMessages.some((text) => TRANSIENT_STORE_FAILURE.test(text)) &&
    !errorMessages.some((text) => PERMANENT_STORE_FAILURE.test(text))
  ) {
    return new ApiError("unavailable", undefined, { cause: error });
  }
  return new ApiError("internal_error", undefined, { cause: error });
}

export function problemResponse(c: Context<AppEnv>, error: ApiError): Response {
  const { status, title } = error;
  const errorId = uuidv7();
  const retryHeaders: Record<string, string> = status === 503 ? { "Retry-After": "5" } : {};
  const challengeHeaders: Record<string, string> = status === 401 ? { "WWW-Authenticate": 'Bearer realm="edgecare"' } : {};
  log(c.env, status >= 500 ? "ERROR" : "WARNING", `problem ${error.code}`, {
    request_id: c.get("requestId"),
    error_id: errorId,
    code: error.code,
    status,
    ...(status >= 500 && { cause: describeCause(error.cause ?? error), at: stackFrames(error.cause ?? error) }),
  });
  const body = {
    type: `urn:edgecare:problem:${error.code}`,
    title,
    status,
    detail: error.publicDetail,
    instance: new URL(c.req.url).pathname,
    code: error.code,
    error_id: errorId,
    request_id: c.get("requestId"),
    errors: error.errors,
    ...error.members,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...retryHeaders, ...challengeHeaders, ...error.headers, "Content-Type": "application/problem+json" },
  });
}

export const onError: ErrorHandler<AppEnv> = (error, c) => problemResponse(c, toApiError(error));
