// The portal for browsers, from the Worker's own files: every address of it is the same page.
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../router.ts";
import { PORTAL_AREAS, PORTAL_CSP } from "./portal-policy.ts";

const A_YEAR = "public, max-age=31536000, immutable";
/** Names of built files carry a hash of their content. */
const HASHED = /-[\w-]{8}\.\w+$/;

/** Programs that ask for the same addresses get what the API says of them. */
export const portalPages: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { method, path } = c.req;
  const wanted = (method === "GET" || method === "HEAD") && c.req.header("Accept")?.includes("text/html");
  if (!wanted || !PORTAL_AREAS.has(path.split("/")[1] ?? "")) return next();
  const page = await c.env.ASSETS.fetch(new Request(new URL("/", c.req.url), { method }));
  if (!page.ok) return next();
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": PORTAL_CSP,
    "Cache-Control": "no-cache",
  };
  return new Response(page.body, { headers });
};

export async function portalFile(c: Context<AppEnv>): Promise<Response> {
  const file = await c.env.ASSETS.fetch(c.req.raw);
  const headers = new Headers(file.headers);
  headers.set("Cache-Control", file.ok && HASHED.test(c.req.path) ? A_YEAR : "no-cache");
  return new Response(file.body, { status: file.status, headers });
}
