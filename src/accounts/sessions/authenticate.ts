// Authentication: reads the Authorization header into an actor. access.ts checks sessions and secrets in the database.
import type { MiddlewareHandler } from "hono";
import type { Actor, RequestOrigin } from "../../access/actor.ts";
import { countProvenSession, limitCaller, limitInvalidCredentials } from "../../http/rate-limit.ts";
import type { AppEnv } from "../../http/router.ts";
import type { Keys } from "../../platform/config.ts";
import { ApiError } from "../../platform/errors.ts";
import { verifyAccessToken } from "./access-tokens.ts";
import { readCredentialToken } from "./credential-tokens.ts";

/** @throws ApiError unauthenticated for a missing or unreadable credential */
export async function readActor(
  env: Env,
  keys: Keys,
  header: string | undefined,
  via: RequestOrigin,
  now: number,
): Promise<Actor> {
  const token = /^Bearer ([\x21-\x7e]+)$/i.exec(header ?? "")?.[1];
  if (token === undefined || token.length > 8192) throw new ApiError("unauthenticated");
  const credentialActor = await readCredentialToken(keys, token, via);
  if (credentialActor) return credentialActor;
  return { kind: "user", ...(await verifyAccessToken(env, keys.jwt, token, now)), via };
}

export const authenticate: MiddlewareHandler<AppEnv> = async (c, next) => {
  const call = c.get("call");
  // A redeemed link has already set the actor (reports/reading/routes.ts).
  if (call.actor.kind === "anonymous") {
    const header = c.req.header("Authorization");
    const actor = await readActor(c.env, call.keys, header, call.actor.via, call.now).catch(async (error: unknown) => {
      await limitInvalidCredentials(c);
      throw error;
    });
    c.set("call", { ...call, actor });
  }
  await limitCaller(c);
  await next();
  await countProvenSession(c);
};
