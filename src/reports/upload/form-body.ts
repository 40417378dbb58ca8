// Multipart bodies of uploads: bounded in bytes and in parts before they are parsed.
import type { Context } from "hono";
import { readBody } from "../../http/request-body.ts";
import type { AppEnv } from "../../http/router.ts";
import { ApiError } from "../../platform/errors.ts";

export const MAX_MULTIPART_BYTES = 10 * 1024 * 1024;
/** Room for multipart boundaries and headers around a file of the maximum size. */
export const FORM_OVERHEAD_BYTES = 128 * 1024;
const BOUNDARY = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i;

export const isMultipart = (type: string): boolean => /^multipart\/form-data\s*;/i.test(type);

/**
 * Reads a form of at most `maxParts` parts. The platform's parser takes seconds for the 200,000 parts that fit in the maximum size.
 * @throws ApiError invalid_request, too_large, length_mismatch, request_timeout, unavailable
 */
export async function readForm(c: Context<AppEnv>, maxParts: number): Promise<FormData> {
  const type = c.req.header("Content-Type") ?? "";
  const body = await readBody(c, MAX_MULTIPART_BYTES + FORM_OVERHEAD_BYTES);
  const [, quoted, token] = BOUNDARY.exec(type) ?? [];
  if (hasMoreParts(body, quoted ?? token ?? "", maxParts)) throw new ApiError("invalid_request", "The form has too many parts.");
  return new Response(body, { headers: { "Content-Type": type } }).formData().catch((cause: unknown) => {
    throw new ApiError("invalid_request", "The form data is malformed.", { cause });
  });
}

/** Each part begins with a delimiter, and one ends the form (RFC 2046, 5.1.1). */
function hasMoreParts(body: Uint8Array, boundary: string, maxParts: number): boolean {
  const text = new TextDecoder("latin1").decode(body);
  const delimiter = `--${boundary}`;
  let at = 0;
  for (let delimiters = 0; delimiters <= maxParts + 1; delimiters++) {
    at = text.indexOf(delimiter, at);
    if (at < 0) return false;
    at += delimiter.length;
  }
  return true;
}
