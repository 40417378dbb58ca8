// The handler for unmatched requests: 404, or 405 with the methods that the path supports.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, NotFoundHandler } from "hono";
import { ApiError } from "../platform/errors.ts";
import { problemResponse } from "./on-error.ts";
import type { AppEnv } from "./router.ts";

/** Methods with a handler for this path; a route for all methods is middleware. */
function listMethods(app: OpenAPIHono<AppEnv>, path: string): string[] {
  const segments = path.replace(/(?<!\/)\/+$/, "").split("/");
  const methods = app.routes
    .filter(({ method, path: pattern }) => method !== "ALL" && method !== "OPTIONS" && isPathMatch(pattern, segments))
    .map(({ method }) => method);
  return [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))];
}

function isPathMatch(pattern: string, segments: string[]): boolean {
  const parts = pattern.replace(/(?<!\/)\/+$/, "").split("/");
  return (
    parts.length === segments.length &&
    parts.every((part, i) => (part.startsWith(":") ? segments[i] !== "" : part === segments[i]))
  );
}

const allowHeader = (methods: string[]) => ({ Allow: [...methods, "OPTIONS"].join(", ") });

/** @param renderPage renders a page for browsers when no route has the path; null for a problem response */
export function createNotFoundHandler(
  app: OpenAPIHono<AppEnv>,
  renderPage: (c: Context<AppEnv>) => Promise<Response | null>,
): NotFoundHandler<AppEnv> {
  return async (c) => {
    const methods = listMethods(app, c.req.path);
    if (methods.length === 0) return (await renderPage(c)) ?? problemResponse(c, new ApiError("not_found"));
    if (methods.includes(c.req.method)) return problemResponse(c, new ApiError("not_found"));
    return problemResponse(c, new ApiError("method_not_allowed", undefined, { headers: allowHeader(methods) }));
  };
}
