// The portal for browsers, from the Worker's own files: every address of it is the same page.
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../http/router.ts";
import { PORTAL_AREAS, PORTAL_CSP } from "./portal-policy.ts";

const A_YEAR = "public, max-age=31536000, immutable";
/** Names of built files carry a hash of their content. */
const HASHED = /-[\w-]{8}\.\w+$/;

const areaOf = (path: string) => path.split("/")[1] ?? "";

/** Programs that ask for the same addresses get what the API says of them. */
function isBrowser({ req }: Context<AppEnv>): boolean {
  return (req.method === "GET" || req.method === "HEAD") && (req.header("Accept")?.includes("text/html") ?? false);
}

async function thePage(c: Context<AppEnv>, status: 200 | 404): Promise<Response | null> {
  const page = await c.env.ASSETS.fetch(new Request(new URL("/", c.req.url), { method: c.req.method }));
  if (!page.ok) return null;
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": PORTAL_CSP,
    "Cache-Control": "no-cache",
  };
  return new Response(page.body, { status, headers });
}

export const portalPages: MiddlewareHandler<AppEnv> = async (c, next) => {
  const page = isBrowser(c) && PORTAL_AREAS.has(areaOf(c.req.path)) ? await thePage(c, 200) : null;
  return page ?? next();
};

/** An address that leads nowhere is said so in the portal's words to who sits before a browser; null: in the API's. */
export async function portalNotFound(c: Context<AppEnv>): Promise<Response | null> {
  return isBrowser(c) && areaOf(c.req.path) !== "api" ? thePage(c, 404) : null;
}

export async function portalFile(c: Context<AppEnv>): Promise<Response> {
  const file = await c.env.ASSETS.fetch(c.req.raw);
  const headers = new Headers(file.headers);
  headers.set("Cache-Control", file.ok && HASHED.test(c.req.path) ? A_YEAR : "no-cache");
  return new Response(file.body, { status: file.status, headers });
}
