// What went wrong, as the API says it (RFC 9457), because nothing answered, or in the page itself.

export type FieldError = { path: string; message: string; code: string };

export class Problem extends Error {
  /** 0 without an answer. */
  readonly status: number;
  /** The API's code; `unreachable` where nothing answered; `unexpected` for an error of the page itself. */
  readonly code: string;
  /** To quote: finds the log line. Null without an answer. */
  readonly errorId: string | null;
  readonly errors: readonly FieldError[];

  constructor(status: number, code: string, detail: string, errorId: string | null, errors: readonly FieldError[] = []) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.errorId = errorId;
    this.errors = errors;
  }
}

/** @throws Problem always */
export function throwUnreachable(cause: unknown): never {
  throw cause instanceof Problem ? cause : new Problem(0, "unreachable", "Nothing answered.", null);
}

export async function parseProblem(response: { status: number; json: () => Promise<unknown> }): Promise<Problem> {
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
  );
}

/** What a script's error says is nothing for people, and may name what it worked on: it is left out. */
export const toProblem = (error: unknown): Problem => (error instanceof Problem ? error : new Problem(0, "unexpected", "", null));

/** A change whose refusals by these codes, of all or of a field, are said in our own words. @throws Problem */
export async function withErrorMessages<T>(request: Promise<T>, messagesByCode: Record<string, string>): Promise<T> {
  return request.catch((error: unknown) => {
    const { status, code, message, errorId, errors } = toProblem(error);
    const fieldErrors = errors.map((field) => ({ ...field, message: messagesByCode[field.code] ?? field.message }));
    throw new Problem(status, code, messagesByCode[code] ?? message, errorId, fieldErrors);
  });
}
