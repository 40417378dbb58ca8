// One error class, one table of codes, one RFC 9457 answer for every failure on every path.
import type { Context, ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { uuidv7 } from "./ids.ts";
import { log } from "./log.ts";
import type { AppEnv } from "./router.ts";

const CODES = {
  invalid_request: [400, "The request is not valid"],
  malformed_json: [400, "The body is not well-formed JSON"],
  invalid_cursor: [400, "The cursor does not belong to this list"],
  offset_too_large: [400, "Offsets end at 10,000; use the cursor"],
  invalid_idempotency_key: [400, "The Idempotency-Key is not valid"],
  length_mismatch: [400, "The body is not as long as announced"],
  digest_mismatch: [400, "The body does not have the announced SHA-256"],
  digest_required: [400, "A raw upload announces its SHA-256"],
  unauthenticated: [401, "Authentication is required"],
  invalid_credentials: [401, "The credentials are not valid"],
  invalid_refresh_token: [401, "The refresh token is not valid"],
  wrong_password: [403, "The present password is not right"],
  https_required: [403, "Use https"],
  forbidden: [403, "This role may not do that"],
  origin_forbidden: [403, "This origin may not do that"],
  link_invalid: [403, "The link is not valid"],
  not_found: [404, "Not found"],
  method_not_allowed: [405, "This method is not allowed here"],
  request_timeout: [408, "The body did not arrive in time"],
  conflict: [409, "The resource is in another state"],
  already_exists: [409, "It exists already"],
  password_given: [409, "Choose a password of your own first"],
  already_bootstrapped: [409, "An administrator exists already"],
  registration_refused: [409, "This registration is not possible"],
  idempotency_key_reused: [409, "The Idempotency-Key was used with another request"],
  patient_ambiguous: [409, "Several records belong to you; name patient_id"],
  link_expired: [410, "The link has expired"],
  length_required: [411, "Content-Length is required"],
  precondition_failed: [412, "The resource has changed since you read it"],
  too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "This media type is not accepted here"],
  not_pdf: [415, "The file is not a PDF"],
  range_not_satisfiable: [416, "The range is outside the file"],
  account_locked: [423, "Too many failed attempts; try again later"],
  upgrade_required: [426, "Connect by WebSocket"],
  precondition_required: [428, "If-Match is required"],
  rate_limited: [429, "Too many requests"],
  quota_exceeded: [429, "This machine has sent its bytes of the day"],
  internal_error: [500, "Something went wrong on our side"],
  integrity_error: [500, "Stored data failed its integrity check"],
  direct_uploads_off: [501, "Direct uploads are not set up here"],
  unavailable: [503, "The service is unavailable for the moment"],
  misconfigured: [503, "The service is not configured"],
} as const;

export type ErrorCode = keyof typeof CODES;
export type FieldError = { path: string; message: string; code: string };

export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[];
  readonly headers: Record<string, string>;

  /** `detail` is shown to the caller: say what to do, never echo input. */
  constructor(
    code: ErrorCode,
    detail?: string,
    extra: { errors?: FieldError[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail ?? CODES[code][1], { cause: extra.cause });
    this.code = code;
    this.errors = extra.errors ?? [];
    this.headers = extra.headers ?? {};
  }

  get status() {
    return CODES[this.code][0];
  }

  /** What a caller is told: of a fault of ours the title alone. */
  get told(): string {
    return this.status >= 500 ? CODES[this.code][1] : this.message;
  }
}

/** Failures of a store that pass by themselves: the caller may retry. */
const STORE_FAILURE =
  /D1_ERROR|D1 DB|Failed query|network connection lost|overloaded|^(put|get|head|delete|list): |KV (GET|PUT)|timed? ?out/i;
/** Failures of what we asked a store to do: asking again would fail again. */
const OUR_FAILURE = /SQLITE_(ERROR|CONSTRAINT|MISMATCH|AUTH|RANGE|TOOBIG)|D1_TYPE_ERROR/;

function messages(error: unknown): string[] {
  const found: string[] = [];
  for (let e: unknown = error; e instanceof Error && found.length < 5; e = e.cause) found.push(e.message);
  return found;
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof HTTPException) {
    if (error.status === 413) return new ApiError("too_large");
    if (error.status < 500) return new ApiError("invalid_request");
  }
  const told = messages(error);
  // What a gate has found may be gone before the write that names it: then it is absent, like anything that is gone.
  if (told.some((text) => text.includes("FOREIGN KEY constraint failed"))) {
    return new ApiError("not_found", undefined, { cause: error });
  }
  if (told.some((text) => STORE_FAILURE.test(text)) && !told.some((text) => OUR_FAILURE.test(text))) {
    return new ApiError("unavailable", undefined, { cause: error });
  }
  return new ApiError("internal_error", undefined, { cause: error });
}

/** The name of what failed, for the log: messages can carry values, class names and codes cannot. */
export function causeName(error: unknown): string {
  const names: string[] = [];
  for (let e: unknown = error; names.length < 5; e = e.cause) {
    if (!(e instanceof Error)) {
      names.push(typeof e);
      break;
    }
    const sqlite = /SQLITE_[A-Z_]+/.exec(e.message)?.[0];
    names.push(sqlite ? `${e.name}(${sqlite})` : e.name);
    if (e.cause === undefined) break;
  }
  return names.join(" < ");
}

export function problem(c: Context<AppEnv>, error: ApiError): Response {
  const [status, title] = CODES[error.code];
  const errorId = uuidv7();
  const retry: Record<string, string> = status === 503 ? { "Retry-After": "5" } : {};
  const challenge: Record<string, string> = status === 401 ? { "WWW-Authenticate": 'Bearer realm="edgecare"' } : {};
  log(c.env, status >= 500 ? "ERROR" : "WARNING", `problem ${error.code}`, {
    request_id: c.get("requestId"),
    error_id: errorId,
    code: error.code,
    status,
    ...(status >= 500 && { cause: causeName(error.cause ?? error), at: stackAt(error.cause ?? error) }),
  });
  const body = {
    type: `urn:edgecare:problem:${error.code}`,
    title,
    status,
    detail: error.told,
    instance: new URL(c.req.url).pathname,
    code: error.code,
    error_id: errorId,
    request_id: c.get("requestId"),
    errors: error.errors,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...retry, ...challenge, ...error.headers, "Content-Type": "application/problem+json" },
  });
}

/** Function names and positions of the stack without its first line, which holds the message. */
export function stackAt(error: unknown): string | undefined {
  if (!(error instanceof Error) || !error.stack) return undefined;
  const frames = error.stack.split("\n").filter((line) => line.startsWith("    at "));
  return frames.slice(0, 4).join(" ").replace(/\s+/g, " ").trim();
}

export const onError: ErrorHandler<AppEnv> = (error, c) => problem(c, toApiError(error));
