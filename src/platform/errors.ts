// The error class, its table of codes, statuses and titles, and what the log may say of a failure.

const PROBLEMS_BY_CODE = {
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

export type ErrorCode = keyof typeof PROBLEMS_BY_CODE;
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
    super(detail ?? PROBLEMS_BY_CODE[code][1], { cause: extra.cause });
    this.code = code;
    this.errors = extra.errors ?? [];
    this.headers = extra.headers ?? {};
  }

  get title() {
    return PROBLEMS_BY_CODE[this.code][1];
  }

  get status() {
    return PROBLEMS_BY_CODE[this.code][0];
  }

  /** What a caller is told: of a fault of ours the title alone. */
  get publicDetail(): string {
    return this.status >= 500 ? PROBLEMS_BY_CODE[this.code][1] : this.message;
  }
}

/** The name of what failed, for the log: messages can carry values, class names and codes cannot. */
export function describeCause(error: unknown): string {
  const names: string[] = [];
  for (let current: unknown = error; names.length < 5; current = current.cause) {
    if (!(current instanceof Error)) {
      names.push(typeof current);
      break;
    }
    const sqlite = /SQLITE_[A-Z_]+/.exec(current.message)?.[0];
    names.push(sqlite ? `${current.name}(${sqlite})` : current.name);
    if (current.cause === undefined) break;
  }
  return names.join(" < ");
}

/** Function names and positions of the stack without its first line, which holds the message. */
export function stackFrames(error: unknown): string | undefined {
  if (!(error instanceof Error) || !error.stack) return undefined;
  const frames = error.stack.split("\n").filter((line) => line.startsWith("    at "));
  return frames.slice(0, 4).join(" ").replace(/\s+/g, " ").trim();
}
