// The portal, served from the Worker's assets: all of its routes return the same page.
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../http/router.ts";
import { PORTAL_CSP, PORTAL_ROOT_SEGMENTS, PUSH_WORKER_CSP, PUSH_WORKER_PATH } from "./portal-policy.ts";

const CACHE_ONE_YEAR = "public, max-age=31536000, immutable";
/** Names of built files contain a hash of their content. */
const HASHED_FILE_NAME = /-[\w-]{8}\.\w+$/;

/** Empty for `/` alone: `//x` is no page. */
const rootSegment = (path: string) => (path === "/" ? "" : path.split("/")[1] || "/");

/** Clients that do not accept HTML get the API's response for the same path. */
function acceptsHtml({ req }: Context<AppEnv>): boolean {
  return (req.method === "GET" || req.method === "HEAD") && (req.header("Accept")?.includes("text/html") ?? false);
}

async function fetchPortalPage(c: Context<AppEnv>, status: 200 | 404): Promise<Response | null> {
  const page = await c.env.ASSETS.fetch(new Request(new URL("/", c.req.url), { method: c.req.method }));
  if (!page.ok) return null;
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": PORTAL_CSP,
    "Cache-Control": "no-cache",
  };
  return new Response(page.body, { status, headers });
}

export const servePortalPages: MiddlewareHandler<AppEnv> = async (c, next) => {
  const page = acceptsHtml(c) && PORTAL_ROOT_SEGMENTS.has(rootSegment(c.req.path)) ? await fetchPortalPage(c, 200) : null;
  return page ?? next();
};

/** The portal's 404 page for browsers; null for other clients and API paths, which get the API's response. */
export async function portalNotFoundPage(c: Context<AppEnv>): Promise<Response | null> {
  return acceptsHtml(c) && rootSegment(c.req.path) !== "api" ? fetchPortalPage(c, 404) : null;
}

export async function servePortalFile(c: Context<AppEnv>): Promise<Response> {
  const file = await c.env.ASSETS.fetch(c.req.raw);
  const headers = new Headers(file.headers);
  headers.set("Cache-Control", file.ok && HASHED_FILE_NAME.test(c.req.path) ? CACHE_ONE_YEAR : "no-cache");
  if (c.req.path === PUSH_WORKER_PATH) headers.set("Content-Security-Policy", PUSH_WORKER_CSP);
  return new Response(file.body, { status: file.status, headers });
}
