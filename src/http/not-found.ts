// Responses to requests that no operation has: 404, or 405 with the methods that the path supports.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler, NotFoundHandler } from "hono";
import { ApiError } from "../platform/errors.ts";
import { problemResponse } from "./on-error.ts";
import type { AppEnv } from "./router.ts";

/** Route patterns by segment; a parameter of any name is the child `:`. */
type PathNode = { children: Map<string, PathNode>; methods: Set<string> };

const createNode = (): PathNode => ({ children: new Map(), methods: new Set() });
const toSegments = (path: string) => path.replace(/(?<!\/)\/+$/, "").split("/");

/** Routes for all methods and for whole folders are middleware and files. */
function indexRoutes(app: OpenAPIHono<AppEnv>): PathNode {
  const root = createNode();
  for (const { method, path } of app.routes) {
    if (method === "ALL" || path.endsWith("*")) continue;
    let node = root;
    for (const segment of toSegments(path)) {
      const key = segment.startsWith(":") ? ":" : segment;
      const child = node.children.get(key) ?? createNode();
      node.children.set(key, child);
      node = child;
    }
    for (const name of method === "GET" ? ["GET", "HEAD"] : [method]) node.methods.add(name);
  }
  return root;
}

/** The methods of the most specific pattern: of `/patients/list`, not of `/patients/{patient_id}`. */
function findMethods(node: PathNode, [segment, ...rest]: string[]): Set<string> | null {
  if (segment === undefined) return node.methods.size > 0 ? node.methods : null;
  const named = node.children.get(segment);
  const parameter = segment === "" ? undefined : node.children.get(":");
  return (named && findMethods(named, rest)) ?? (parameter ? findMethods(parameter, rest) : null);
}

/** @param renderPage renders a page for browsers when no route has the path; null for a problem response */
export function createMethodChecks(
  app: OpenAPIHono<AppEnv>,
  renderPage: (c: Context<AppEnv>) => Promise<Response | null>,
): { denyOtherMethods: MiddlewareHandler<AppEnv>; notFound: NotFoundHandler<AppEnv> } {
  let root: PathNode | undefined;
  const methodsOf = (c: Context<AppEnv>) => {
    // After the last route was added.
    root ??= indexRoutes(app);
    return findMethods(root, toSegments(c.req.path));
  };
  return {
    denyOtherMethods: async (c, next) => {
      const methods = methodsOf(c);
      if (methods && !methods.has(c.req.method)) throw methodNotAllowed(methods);
      await next();
    },
    notFound: async (c) => {
      const methods = methodsOf(c);
      if (!methods) return (await renderPage(c)) ?? problemResponse(c, new ApiError("not_found"));
      return problemResponse(c, methods.has(c.req.method) ? new ApiError("not_found") : methodNotAllowed(methods));
    },
  };
}

function methodNotAllowed(methods: Set<string>): ApiError {
  return new ApiError("method_not_allowed", undefined, { headers: { Allow: [...methods, "OPTIONS"].join(", ") } });
}
