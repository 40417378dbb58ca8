// Token pairs: what the API says of them, and how one is made of a session.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type AppEnv, EXAMPLE, Id } from "../../http/router.ts";
import { ROLES } from "../../platform/db/schema.ts";
import type { Login } from "../auth/login.ts";
import { setRefreshCookie } from "./cookies.ts";
import { type AccessToken, accessTokenLife, signAccessToken } from "./tokens.ts";

export const TokenPair = z
  .object({
    access_token: z.string(),
    token_type: z.literal("bearer"),
    expires_in: z.number().int().openapi({ description: "Seconds" }),
    refresh_token: z.string().nullable().openapi({ description: "Null when it went into the cookie, or stays as it was" }),
    user_id: Id,
    role: z.enum(ROLES),
    hospital_id: Id.nullable(),
  })
  .openapi("TokenPair");

export const exampleTokens = {
  access_token: "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…",
  token_type: "bearer" as const,
  expires_in: 900,
  refresh_token: "ecr_…",
  user_id: EXAMPLE.user,
  role: "doctor" as const,
  hospital_id: EXAMPLE.hospital,
};

async function accessOf(c: Context<AppEnv>, session: AccessToken) {
  const { keys, now } = c.get("call");
  return {
    access_token: await signAccessToken(c.env, keys.jwt, session, now),
    token_type: "bearer" as const,
    expires_in: accessTokenLife(c.env),
    user_id: session.userId,
    role: session.claimed.role,
    hospital_id: session.claimed.hospitalId,
  };
}

export async function tokens(c: Context<AppEnv>, session: Login, transport: "json" | "cookie") {
  if (transport === "cookie") setRefreshCookie(c, session.refreshToken);
  return { ...(await accessOf(c, session)), refresh_token: transport === "json" ? session.refreshToken : null };
}

/** For a session that goes on: an access token must not be worth a refresh token to whoever has come by it. */
export async function accessAlone(c: Context<AppEnv>, session: AccessToken) {
  return { ...(await accessOf(c, session)), refresh_token: null };
}
