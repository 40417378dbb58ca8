// Token pairs: the API schema, and their creation from a session.
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type AppEnv, EXAMPLES, Id } from "../../http/router.ts";
import { ROLES } from "../../platform/db/schema.ts";
import type { SessionTokens } from "../auth/login.ts";
import { type AccessTokenSubject, accessTokenTtlSeconds, signAccessToken } from "./access-tokens.ts";
import { setRefreshCookie } from "./refresh-cookie.ts";

export const TokenPair = z
  .object({
    access_token: z.string(),
    token_type: z.literal("bearer"),
    expires_in: z.number().int().openapi({ description: "Seconds" }),
    refresh_token: z.string().nullable().openapi({ description: "Null when it is set as a cookie or stays unchanged" }),
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
  user_id: EXAMPLES.user,
  role: "doctor" as const,
  hospital_id: EXAMPLES.hospital,
};

async function issueAccessToken(c: Context<AppEnv>, session: AccessTokenSubject) {
  const { keys, now } = c.get("call");
  return {
    access_token: await signAccessToken(c.env, keys.jwt, session, now),
    token_type: "bearer" as const,
    expires_in: accessTokenTtlSeconds(c.env),
    user_id: session.userId,
    role: session.claimedRole.role,
    hospital_id: session.claimedRole.hospitalId,
  };
}

export async function issueTokens(c: Context<AppEnv>, session: SessionTokens, transport: "json" | "cookie") {
  if (transport === "cookie") setRefreshCookie(c, session.refreshToken);
  const accessToken = await issueAccessToken(c, { ...session, viaCookie: transport === "cookie" });
  return { ...accessToken, refresh_token: transport === "json" ? session.refreshToken : null };
}

/** For an existing session: returns no refresh token, so that a stolen access token does not yield one. */
export async function issueAccessTokenOnly(c: Context<AppEnv>, session: AccessTokenSubject) {
  return { ...(await issueAccessToken(c, session)), refresh_token: null };
}
