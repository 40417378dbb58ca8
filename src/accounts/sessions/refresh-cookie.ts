// The refresh token as a cookie for the portal: HttpOnly and SameSite=Strict.
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { AppEnv } from "../../http/router.ts";
import { isOrigin } from "../../platform/config.ts";
import { ApiError } from "../../platform/errors.ts";
import { REFRESH_TTL_MS } from "./sessions.ts";

const COOKIE_NAME = "__Secure-edgecare_refresh";
const COOKIE_OPTIONS = { path: "/api/v1/auth", httpOnly: true, secure: true, sameSite: "Strict" } as const;

export function setRefreshCookie(c: Context<AppEnv>, token: string): void {
  setCookie(c, COOKIE_NAME, token, { ...COOKIE_OPTIONS, maxAge: REFRESH_TTL_MS / 1000 });
}

export function clearRefreshCookie(c: Context<AppEnv>): void {
  deleteCookie(c, COOKIE_NAME, COOKIE_OPTIONS);
}

/**
 * Reads the token from the cookie. SameSite=Strict blocks other sites; the origin check also blocks sibling hosts of the same
 * site.
 * @throws ApiError origin_forbidden
 */
export function readRefreshCookie(c: Context<AppEnv>): string | undefined {
  const token = getCookie(c, COOKIE_NAME);
  const origin = c.req.header("Origin");
  if (
    token !== undefined &&
    origin !== undefined &&
    origin !== new URL(c.req.url).origin &&
    !allowedOrigins(c.env).includes(origin)
  ) {
    throw new ApiError("origin_forbidden");
  }
  return token;
}

/** Exact origins of CORS_ORIGINS; ignores wildcards and `null`. */
export function allowedOrigins(env: Env): string[] {
  return env.CORS_ORIGINS.split(",")
    .map((origin) => origin.trim())
    .filter(isOrigin);
}
