// What no route answers: 404, or 405 with the methods that the path does have.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, NotFoundHandler } from "hono";
import { ApiError, problem } from "../platform/errors.ts";
import type { AppEnv } from "./router.ts";

/** Methods that have a handler of their own for this path; a route for all methods is middleware. */
function methodsFor(app: OpenAPIHono<AppEnv>, path: string): string[] {
  const segments = path.replace(/\/+$/, "").split("/");
  const methods = app.routes
    .filter(({ method, path: pattern }) => method !== "ALL" && method !== "OPTIONS" && matches(pattern, segments))
    .map(({ method }) => method);
  return [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))];
}

function matches(pattern: string, segments: string[]): boolean {
  const parts = pattern.replace(/\/+$/, "").split("/");
  return (
    parts.length === segments.length &&
    parts.every((part, i) => (part.startsWith(":") ? segments[i] !== "" : part === segments[i]))
  );
}

const allow = (methods: string[]) => ({ Allow: [...methods, "OPTIONS"].join(", ") });

/** @param pageFor what a browser gets instead where no route has the path; null for the problem */
export function onNotFound(
  app: OpenAPIHono<AppEnv>,
  pageFor: (c: Context<AppEnv>) => Promise<Response | null>,
): NotFoundHandler<AppEnv> {
  return async (c) => {
    const methods = methodsFor(app, c.req.path);
    if (methods.length === 0) return (await pageFor(c)) ?? problem(c, new ApiError("not_found"));
    if (methods.includes(c.req.method)) return problem(c, new ApiError("not_found"));
    return problem(c, new ApiError("method_not_allowed", undefined, { headers: allow(methods) }));
  };
}
