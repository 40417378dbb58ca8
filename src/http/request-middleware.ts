// Middleware for every request: request id, log line, response headers, rate limits and call context.
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { type Call, getActorId } from "../access/actor.ts";
import { mayHaveStaged } from "../access/audit.ts";
import { createAuditLogs } from "../audit-log/audit-logs.ts";
import { handOverInBackground } from "../audit-log/hand-over.ts";
import { getVerifiedKeys, isProduction } from "../platform/config.ts";
import { getDb } from "../platform/db/client.ts";
import { ApiError } from "../platform/errors.ts";
import { uuidv7 } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { releaseBody } from "./held-bodies.ts";
import { limitCaller, limitInvalidCredentials, rateLimitPolicy } from "./rate-limit.ts";
import { type AppEnv, Uuid } from "./router.ts";

/** Assigns the request id, writes one log line per request, and gives back the memory of its body. */
export const logRequest: MiddlewareHandler<AppEnv> = async (c, next) => {
  const started = Date.now();
  const clientRequestId = c.req.header("X-Request-Id") ?? "";
  c.set("requestId", /^[A-Za-z0-9._-]{8,64}$/.test(clientRequestId) ? clientRequestId : uuidv7());
  try {
    await next();
  } finally {
    releaseBody(c.req.raw);
  }
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
  if (!headers.has("RateLimit-Policy")) headers.set("RateLimit-Policy", rateLimitPolicy(c));
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
  await limitCaller(c);
  await next();
};

/**
 * For routes that count a caller by name or token once they have read it: counts requests that failed before that, per IP address.
 * Beyond the limit the response is 429. Not before the body is read, because valid logins from the address must go on.
 */
export const limitRejected: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (!c.error || c.get("policies")) return;
  const limited: unknown = await limitInvalidCredentials(c).catch((error: unknown) => error);
  if (limited === undefined) return;
  // Setting a response over another one would keep the headers of the first.
  c.res = undefined;
  throw limited;
};

/** The grant that an import counts against, instead of the storage quotas. @throws ApiError invalid_request */
function readImportGrant(c: Context<AppEnv>): string | null {
  const id = Uuid.optional().safeParse(c.req.header("Import-Grant"));
  if (!id.success) throw new ApiError("invalid_request", "Import-Grant must be the id of a grant.");
  return id.data ?? null;
}

/** Creates the call context with keys, database and an anonymous actor; 503 while secrets are invalid. */
export const initializeCall: MiddlewareHandler<AppEnv> = async (c, next) => {
  const keys = await getVerifiedKeys(c.env);
  const ip = c.req.header("CF-Connecting-IP") ?? null;
  const via = { requestId: c.get("requestId"), ip, importGrant: readImportGrant(c) };
  const debug: Call["debug"] = (message, fields) => log(c.env, "DEBUG", message, { request_id: via.requestId, ...fields }, 1);
  const auditLog = createAuditLogs(c.env);
  c.set("call", { db: getDb(c.env.DB), keys, actor: { kind: "anonymous", via }, now: Date.now(), auditLog, debug });
  await next();
};

/** Hands over the events that a change or a refusal has staged, behind the response. A device's samples stage none. */
export const handOverAfterResponse: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const call: Call | undefined = c.get("call");
  if (c.res.status >= 400 || (call && mayHaveStaged(call.actor))) c.executionCtx.waitUntil(handOverInBackground(c.env));
};
