// Conditional requests (RFC 9110 §13): ETags of versioned resources, If-Match of changes, If-None-Match of reads.
import { createHash } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import type { Call } from "../access/actor.ts";
import { ApiError, LostRace } from "../platform/errors.ts";

/** The versions that a change may replace; `*` for any. */
export type ExpectedVersion = readonly number[] | "*";
/** As much of the context as a change needs; the router's own type would be an import cycle. */
type ChangeContext = { req: Pick<Context["req"], "header">; get: (key: "call") => Call };

/** Versions begin at 1. */
const NO_VERSION = 0;
const MAX_HEADER_LENGTH = 1000;
/** Repetitions of a change with `*`, each of which means that another change succeeded. */
const MAX_REPETITIONS = 15;
/** A proxy that compresses a response makes its ETag weak, so weak ones count as well. */
const ENTITY_TAG = String.raw`(?:W/)?"[\x21\x23-\x7e]*"`;
const ENTITY_TAG_LIST = new RegExp(`^${ENTITY_TAG}(?:[ \\t]*,[ \\t]*${ENTITY_TAG})*$`);

/**
 * `"<version>-<digest>"`, or null for a resource without a version. Changes compare the version alone; the digest covers what a
 * response shows of other rows, such as the patient of a device. A report's link is new in every response.
 */
export function formatEtag(data: unknown): string | null {
  if (typeof data !== "object" || data === null || !("version" in data) || "download_url" in data) return null;
  if (typeof data.version !== "number") return null;
  return `"${data.version}-${createHash("sha256").update(JSON.stringify(data)).digest("hex").slice(0, 16)}"`;
}

/** The opaque parts of the listed ETags, with quotes; null for a malformed list. */
function parseEtags(header: string): string[] | "*" | null {
  const list = header.trim();
  if (list === "*") return "*";
  if (list.length > MAX_HEADER_LENGTH || !ENTITY_TAG_LIST.test(list)) return null;
  return list.match(/"[^"]*"/g) ?? [];
}

/**
 * Reads the expected versions from If-Match.
 * @throws ApiError precondition_required without If-Match, precondition_failed for a malformed list
 */
function readIfMatch(c: ChangeContext): ExpectedVersion {
  const header = c.req.header("If-Match");
  if (header === undefined) throw new ApiError("precondition_required");
  const etags = parseEtags(header);
  if (etags === null) throw new ApiError("precondition_failed");
  if (etags === "*") return etags;
  return etags.map((etag) => Number(/^"([1-9][0-9]{0,9})(?:-[0-9a-f]{16})?"$/.exec(etag)?.[1] ?? NO_VERSION));
}

/** The current version, if it is expected; else a version that no row has, so that the change fails as stale. */
export function matchVersion(expected: ExpectedVersion, current: number): number {
  return expected === "*" || expected.includes(current) ? current : NO_VERSION;
}

/**
 * Runs a change with the versions that If-Match names. With `*`, which every version fulfils, a change that lost a race against
 * another one runs again, since it merges its fields with those that it has read.
 * @throws ApiError as readIfMatch and the change
 */
export async function changeIfMatch<T>(
  c: ChangeContext,
  change: (call: Call, expected: ExpectedVersion) => Promise<T>,
): Promise<T> {
  const call = c.get("call");
  const expected = readIfMatch(c);
  for (let left = expected === "*" ? MAX_REPETITIONS : 0; left > 0; left--) {
    try {
      return await change({ ...call, repeatsLostRaces: true }, expected);
    } catch (error) {
      if (!(error instanceof LostRace)) throw error;
    }
  }
  return change(call, expected);
}

/** Answers a read with 304 if the caller has the version of the response's ETag. */
export const answerNotModified: MiddlewareHandler = async (c, next) => {
  await next();
  const header = c.req.header("If-None-Match");
  const etag = c.res.headers.get("ETag");
  if (header === undefined || etag === null || c.res.status !== 200 || !["GET", "HEAD"].includes(c.req.method)) return;
  const etags = parseEtags(header);
  if (etags === null || (etags !== "*" && !etags.includes(etag.replace(/^W\//, "")))) return;
  const headers = new Headers(c.res.headers);
  for (const name of ["Content-Type", "Content-Length"]) headers.delete(name);
  await c.res.body?.cancel();
  // Cleared first: hono copies the headers of the previous response into the next.
  c.res = undefined;
  c.res = new Response(null, { status: 304, headers });
};
