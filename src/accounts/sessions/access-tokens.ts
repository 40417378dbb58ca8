// Access tokens: ES256 JWTs (RFC 9068), verified without storage; access.ts checks their claims against the database.
import { type JWTPayload, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { UserEffectiveRole } from "../../access/actor.ts";
import { BoundedCache } from "../../platform/bounded-cache.ts";
import { fromBase64Url, toBase64Url } from "../../platform/crypto.ts";
import { ROLES } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import type { SigningKeys } from "../../platform/signing-keys.ts";

const AUDIENCE = "edgecare-api";
const CLOCK_TOLERANCE_S = 5;
const DEFAULT_TTL_MINUTES = 15;

const Claims = z.object({
  sub: z.uuid(),
  sid: z.uuid(),
  jti: z.string(),
  iat: z.number().int().positive(),
  exp: z.number().int().positive(),
  nbf: z.number().int().positive().optional(),
  role: z.enum(ROLES),
  hid: z.uuid().nullable(),
  scp: z.enum(["care_team", "hospital"]),
  /** "Cookie refresh": issued beside the refresh cookie. */
  ckr: z.literal(true).optional(),
});

export type AccessTokenSubject = { userId: string; sessionId: string; claimedRole: UserEffectiveRole; viaCookie?: boolean };
const buildTokenHeader = (kid: string) => ({ alg: "ES256", kid, typ: "at+jwt" });
type TokenEnv = { ISSUER: string; ACCESS_TOKEN_EXPIRE_MINUTES: string };

/** Lifetime of an access token in seconds: ACCESS_TOKEN_EXPIRE_MINUTES from 1 minute to 24 hours, else 15 minutes. */
export function accessTokenTtlSeconds(env: TokenEnv): number {
  const minutes = Number(env.ACCESS_TOKEN_EXPIRE_MINUTES);
  return Math.round((minutes >= 1 && minutes <= 1440 ? minutes : DEFAULT_TTL_MINUTES) * 60);
}

export function signAccessToken(env: TokenEnv, keys: SigningKeys, token: AccessTokenSubject, now: number): Promise<string> {
  const issuedAt = Math.floor(now / 1000);
  const { role, hospitalId, doctorScope } = token.claimedRole;
  return new SignJWT({ sid: token.sessionId, role, hid: hospitalId, scp: doctorScope, ...(token.viaCookie && { ckr: true }) })
    .setProtectedHeader(buildTokenHeader(keys.currentKid))
    .setIssuer(env.ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(token.userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + accessTokenTtlSeconds(env))
    .setJti(uuidv7())
    .sign(keys.privateKey);
}

/** Users per isolate within the lifetime of their tokens. */
export const MAX_VERIFIED = 2_048;
/** `from`, `until`: epoch milliseconds between which the signature need not be verified again. */
type CachedToken = { issuer: string; token: AccessTokenSubject; from: number; until: number };
const verifiedTokens = new WeakMap<SigningKeys, BoundedCache<string, CachedToken>>();

/**
 * Verifies an access token. Caches verified tokens by their exact text until they expire; every request still checks the session
 * in the database (access.ts).
 * @throws ApiError unauthenticated for anything but a valid token of this service
 */
export async function verifyAccessToken(env: TokenEnv, keys: SigningKeys, jwt: string, now: number): Promise<AccessTokenSubject> {
  const cache = verifiedTokens.get(keys) ?? new BoundedCache(MAX_VERIFIED);
  verifiedTokens.set(keys, cache);
  const cached = cache.get(jwt);
  if (cached && cached.issuer === env.ISSUER && cached.from <= now && now < cached.until) return cached.token;
  const { token, expires } = await verifyClaims(env, keys, jwt, now);
  cache.set(jwt, { issuer: env.ISSUER, token, from: now, until: expires * 1000 });
  return token;
}

async function verifyClaims(
  env: TokenEnv,
  keys: SigningKeys,
  jwt: string,
  now: number,
): Promise<{ token: AccessTokenSubject; expires: number }> {
  const payload = await verifyJwt(env, keys, jwt, now);
  const claims = Claims.safeParse(payload);
  // A token issued in the future indicates a wrong clock or a forgery.
  if (!claims.success || claims.data.iat > now / 1000 + CLOCK_TOLERANCE_S) throw new ApiError("unauthenticated");
  const { sub, sid, exp, role, hid, scp, ckr } = claims.data;
  const claimedRole = { role, hospitalId: hid, doctorScope: scp };
  return { token: { userId: sub, sessionId: sid, claimedRole, ...(ckr && { viaCookie: true }) }, expires: exp };
}

const encodeSegment = (value: unknown) => toBase64Url(new TextEncoder().encode(JSON.stringify(value)));

/**
 * Accepts only the encoding that the service produces: base64url has spare bits, JSON allows repeated keys and spaces, and a
 * header may hold members (`jku`, `b64`) that a verifier could act on.
 */
function isCanonical(jwt: string, kid: string, payload: JWTPayload): boolean {
  const [header, claims, signature = ""] = jwt.split(".");
  return (
    header === encodeSegment(buildTokenHeader(kid)) && claims === encodeSegment(payload) && fromBase64Url(signature) !== null
  );
}

async function verifyJwt(env: TokenEnv, keys: SigningKeys, jwt: string, now: number): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(
      jwt,
      ({ kid }) => {
        const key = keys.publicKeys.get(kid ?? "");
        if (!key) throw new Error("unknown kid");
        return key;
      },
      {
        algorithms: ["ES256"],
        typ: "at+jwt",
        issuer: env.ISSUER,
        audience: AUDIENCE,
        requiredClaims: ["exp", "iat", "jti", "sub", "sid"],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(now),
      },
    );
    if (!isCanonical(jwt, protectedHeader.kid ?? "", payload)) throw new Error("not in canonical form");
    return payload;
  } catch (cause) {
    throw new ApiError("unauthenticated", undefined, { cause });
  }
}
