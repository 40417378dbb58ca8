// Errors: the API's problem details (RFC 9457), no response, or an error of the page itself.

export type FieldError = { path: string; message: string; code: string };

export class Problem extends Error {
  /** HTTP status; 0 without a response. */
  readonly status: number;
  /** The API's code; `unreachable` without a response; `unexpected` for an error of the page itself. */
  readonly code: string;
  /** Request id to quote; finds the log line. Null without a response. */
  readonly errorId: string | null;
  readonly errors: readonly FieldError[];
  /** All members of the response, for those that one kind of problem adds. */
  readonly members: Readonly<Record<string, unknown>>;
  /** When the request may be sent again, ms; null when the service does not say. */
  readonly retryAfterMs: number | null;

  constructor(
    status: number,
    code: string,
    detail: string,
    errorId: string | null,
    errors: readonly FieldError[] = [],
    members: Readonly<Record<string, unknown>> = {},
    retryAfterMs: number | null = null,
  ) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.errorId = errorId;
    this.errors = errors;
    this.members = members;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @throws Problem always */
export function throwUnreachable(cause: unknown): never {
  throw cause instanceof Problem ? cause : new Problem(0, "unreachable", "Nothing answered.", null);
}

const MAX_RETRY_AFTER_MS = 300_000;

/** In seconds, as this API sends it. @returns null without one */
export function readRetryAfterMs(headers: Pick<Headers, "get"> | undefined): number | null {
  const seconds = Number(headers?.get("Retry-After") ?? Number.NaN);
  return seconds > 0 ? Math.min(MAX_RETRY_AFTER_MS, seconds * 1_000) : null;
}

type ProblemResponse = { status: number; headers?: Pick<Headers, "get">; json: () => Promise<unknown> };

export async function parseProblem(response: ProblemResponse): Promise<Problem> {
  const json = await response.json().catch(() => null);
  const body: Record<string, unknown> = typeof json === "object" && json !== null ? { ...json } : {};
  const stringField = (name: string) => (typeof body[name] === "string" ? body[name] : null);
  const errors = Array.isArray(body["errors"]) ? (body["errors"] as FieldError[]) : [];
  return new Problem(
    response.status,
    stringField("code") ?? "internal_error",
    stringField("detail") ?? "",
    stringField("error_id"),
    errors,
    body,
    readRetryAfterMs(response.headers),
  );
}

/** The message of a script error is left out: users cannot act on it, and it may contain patient data. */
export const toProblem = (error: unknown): Problem => (error instanceof Problem ? error : new Problem(0, "unexpected", "", null));

/** Runs a change and maps these error codes, general or per field, to translated texts. @throws Problem */
export async function withErrorMessages<T>(request: Promise<T>, messagesByCode: Record<string, string>): Promise<T> {
  return request.catch((error: unknown) => {
    const { status, code, message, errorId, errors } = toProblem(error);
    const fieldErrors = errors.map((field) => ({ ...field, message: messagesByCode[field.code] ?? field.message }));
    throw new Problem(status, code, messagesByCode[code] ?? message, errorId, fieldErrors);
  });
}
