// Rate limits: the bindings count requests per minute; KV shares the verdict "blocked" with other locations.
import type { Context } from "hono";
import type { Actor, UserActor } from "../access/actor.ts";
import { isKnownSession } from "../access/known-sessions.ts";
import { addressBucket } from "../platform/address-bucket.ts";
import { sha256Hex } from "../platform/crypto.ts";
import { ApiError } from "../platform/errors.ts";
import type { AppEnv } from "./router.ts";

const PERIOD_S = 60;

/** Requests per minute of each policy, and the binding of wrangler.toml that counts them. */
export const LIMITS = {
  person: { binding: "RATE_PERSON", quota: 100 },
  /** Reads with a token that the portal's cookie renewed: a page sends up to ten. */
  "portal-session": { binding: "RATE_PORTAL_SESSION", quota: 600 },
  "portal-person": { binding: "RATE_PORTAL_PERSON", quota: 1_200 },
  session: { binding: "RATE_PERSON", quota: 100 },
  machine: { binding: "RATE_MACHINE", quota: 6_000 },
  address: { binding: "RATE_ADDRESS", quota: 300 },
  login: { binding: "RATE_LOGIN", quota: 30 },
  /** Registration and one-time links, whose use costs a password hash; guesses of claim codes. */
  signup: { binding: "RATE_SIGNUP", quota: 20 },
  identity: { binding: "RATE_IDENTITY", quota: 30 },
  "own-identity": { binding: "RATE_OWN_IDENTITY", quota: 5 },
  /** Changes of the own password: each costs two password hashes. */
  password: { binding: "RATE_OWN_IDENTITY", quota: 5 },
  /** Test messages to oneself: a text message costs money. */
  "test-message": { binding: "RATE_OWN_IDENTITY", quota: 5 },
  "phone-code": { binding: "RATE_OWN_IDENTITY", quota: 5 },
} as const;
type LimitName = keyof typeof LIMITS;

/** `sharesVerdict`: whether other locations learn the verdict. Not for machines, which stay in one location and call often. */
export type RateLimitBucket = { limit: LimitName; key: string; sharesVerdict?: boolean };

const addressOf = (c: Context<AppEnv>) => addressBucket(c.get("call").actor.via.ip);

/** A policy as in the `RateLimit-Policy` header (draft-ietf-httpapi-ratelimit-headers). */
function formatPolicy(limit: LimitName): string {
  return `"${limit}";q=${LIMITS[limit].quota};w=${PERIOD_S}`;
}

/** The `RateLimit-Policy` header: the policies that counted the request. */
export function rateLimitPolicy(c: Context<AppEnv>): string {
  return c.get("policies")?.join(", ") ?? formatPolicy("address");
}

/**
 * Limits an authenticated caller. A user's request counts against the person once D1 has found the session active; until then
 * against the session alone, so that a token of an ended session spends nobody's quota. A person who is blocked is so in each session.
 * @throws ApiError rate_limited with Retry-After
 */
export async function limitCaller(c: Context<AppEnv>): Promise<void> {
  const { actor, now } = c.get("call");
  if (actor.kind !== "user") return enforceLimits(c, callerBucket(actor));
  const { session, person } = userBuckets(actor, c.req.method);
  if (isKnownSession(actor.sessionId, now)) {
    // Only for the portal's reads has a session a smaller quota than its person.
    return session.limit === person.limit ? enforceLimits(c, person) : enforceLimits(c, session, person);
  }
  announce(c, [session, person]);
  const counts = [session, person].map((bucket) => ({
    bucket,
    wait: bucket === person ? readBlock(c.env, person) : countRequest(c.env, bucket),
  }));
  await enforce(counts);
  c.set("countPerson", async () => {
    if (isKnownSession(actor.sessionId, now)) await countRequest(c.env, person);
  });
}

/** Counts a request against its person if its own access check was the first to find the session active. */
export async function countProvenSession(c: Context<AppEnv>): Promise<void> {
  await c.get("countPerson")?.();
}

function userBuckets(
  { userId, sessionId, viaCookie }: UserActor,
  method: string,
): { session: RateLimitBucket; person: RateLimitBucket } {
  if (viaCookie && method === "GET") {
    return {
      session: { limit: "portal-session", key: `portal-session:${sessionId}` },
      person: { limit: "portal-person", key: `portal-person:${userId}`, sharesVerdict: true },
    };
  }
  return {
    session: { limit: "person", key: `session:${sessionId}` },
    person: { limit: "person", key: `user:${userId}`, sharesVerdict: true },
  };
}

function callerBucket(actor: Exclude<Actor, UserActor>): RateLimitBucket {
  if (actor.kind === "device" || actor.kind === "app") {
    return { limit: "machine", key: `machine:${actor.credentialId}:${actor.secretHash ?? "link"}` };
  }
  return { limit: "address", key: `address:${addressBucket(actor.via.ip)}`, sharesVerdict: true };
}

/** Limits requests without a valid credential: they count for the address, but against no other use of it. @throws ApiError rate_limited */
export function limitInvalidCredentials(c: Context<AppEnv>): Promise<void> {
  return enforceLimits(c, { limit: "address", key: `invalid:${addressOf(c)}`, sharesVerdict: true });
}

/** Limits refreshes with a valid token, per session. @throws ApiError rate_limited */
export function limitRefresh(c: Context<AppEnv>, sessionId: string): Promise<void> {
  return enforceLimits(c, { limit: "session", key: `refresh:${sessionId}` });
}

/**
 * Limits logins before any lookup, so that the limit reveals no account: per name and browser in which the account has logged
 * in before, or per name and address; then per address. A flood on one name does not use up the address. Known and unknown browsers
 * of an address are counted apart, and those of staff, which nobody can make for themselves, per name alone.
 * @param browser in which this name has logged in, else null  @throws ApiError rate_limited
 */
export async function limitLogin(
  c: Context<AppEnv>,
  nameIndex: string,
  browser: { id: string; isStaff: boolean } | null,
): Promise<void> {
  await enforceLimits(c, { limit: "login", key: `login:${nameIndex}:${browser?.id ?? addressOf(c)}` });
  if (browser?.isStaff) return;
  const key = `${browser ? "known-login" : "login"}:${addressOf(c)}`;
  await enforceLimits(c, { limit: "address", key, sharesVerdict: true });
}

/** Limits sign-ins with a passkey and their options per address: no name is known. @throws ApiError rate_limited */
export function limitPasskey(c: Context<AppEnv>): Promise<void> {
  return enforceLimits(c, { limit: "address", key: `passkey:${addressOf(c)}`, sharesVerdict: true });
}

/** Limits codes of the second step and passkeys of somebody who is signed in, per user. @throws ApiError rate_limited */
export async function limitFactor(c: Context<AppEnv>): Promise<void> {
  const { actor } = c.get("call");
  if (actor.kind === "user") await enforceLimits(c, { limit: "login", key: `factor:${actor.userId}` });
}

/** Limits changes of the own password per user. @throws ApiError rate_limited */
export async function limitPasswordChange(c: Context<AppEnv>): Promise<void> {
  const { actor } = c.get("call");
  if (actor.kind === "user") await enforceLimits(c, { limit: "password", key: `password:${actor.userId}` });
}

/** Limits test messages per user. @throws ApiError rate_limited */
export async function limitTestMessage(c: Context<AppEnv>): Promise<void> {
  const { actor } = c.get("call");
  if (actor.kind === "user") await enforceLimits(c, { limit: "test-message", key: `test-message:${actor.userId}` });
}

/** Limits codes by text message per IP address: accounts are free, and each code costs money. @throws ApiError rate_limited */
export function limitPhoneCode(c: Context<AppEnv>): Promise<void> {
  return enforceLimits(c, { limit: "phone-code", key: `phone-code:${addressOf(c)}`, sharesVerdict: true });
}

/**
 * Limits self-registration, and guesses of a device's claim code, per IP address and each by itself; creating accounts for others
 * per user. Call it once the body is valid: others count as invalid.
 * @throws ApiError rate_limited
 */
export function limitSignup(c: Context<AppEnv>, what: "registration" | "device claim" | "account"): Promise<void> {
  const { actor } = c.get("call");
  const key = `${what}:${actor.kind === "user" ? actor.userId : addressOf(c)}`;
  return enforceLimits(c, { limit: "signup", key, sharesVerdict: true });
}

/** Limits guesses of codes that share records, per member of staff and per IP address. @throws ApiError rate_limited */
export async function limitConsentCode(c: Context<AppEnv>): Promise<void> {
  const { actor } = c.get("call");
  if (actor.kind !== "user") return;
  await enforceLimits(
    c,
    { limit: "signup", key: `consent-code:${actor.userId}` },
    { limit: "address", key: `consent-code:${addressOf(c)}` },
  );
}

/**
 * Limits the use of invitations and password links, each of which costs a hash, per token and per IP address. Few uses of one link
 * do not use up the address. @throws ApiError rate_limited
 */
export async function limitLink(c: Context<AppEnv>, token: string): Promise<void> {
  await enforceLimits(c, { limit: "signup", key: `link:${await sha256Hex(token)}` });
  await enforceLimits(c, { limit: "address", key: `link:${addressOf(c)}`, sharesVerdict: true });
}

/**
 * Limits requests for reset links before any lookup: per name and IP address, then per IP address. Requests from elsewhere count
 * against neither, so that nobody keeps an account's owner from a link. @throws ApiError rate_limited
 */
export async function limitForgottenPassword(c: Context<AppEnv>, nameIndex: string): Promise<void> {
  await enforceLimits(c, { limit: "signup", key: `forgotten:${nameIndex}:${addressOf(c)}` });
  await enforceLimits(c, { limit: "address", key: `forgotten:${addressOf(c)}`, sharesVerdict: true });
}

/**
 * Limits requests with an Aadhaar or ABHA number, because each reveals an identifier: per hospital; without a hospital per person, per
 * address and for all such accounts together. @throws ApiError rate_limited
 */
export async function limitIdentity(c: Context<AppEnv>): Promise<void> {
  const { actor } = c.get("call");
  const hospitalId = actor.kind === "user" ? actor.claimedRole.hospitalId : actor.kind === "app" ? actor.hospitalId : "";
  const isPatient = actor.kind === "user" && hospitalId === null && actor.claimedRole.role !== "admin";
  const key = `identity:${hospitalId ?? (actor.kind === "user" ? actor.userId : "")}`;
  if (!isPatient) return enforceLimits(c, { limit: "identity", key, sharesVerdict: true });
  await enforceLimits(
    c,
    { limit: "own-identity", key, sharesVerdict: true },
    { limit: "own-identity", key: `identity:${addressOf(c)}`, sharesVerdict: true },
  );
  await enforceLimits(c, { limit: "identity", key: "identity:patients", sharesVerdict: true });
}

/** KV also caches "not found" for a minute: without this, every rejected request would write its verdict again. */
const writtenVerdicts = new Map<string, number>();
/** Time until which a caller counts as unblocked without another KV read; KV itself lags by up to a minute. */
const unblockedUntilByStore = new WeakMap<KVNamespace, Map<string, number>>();
const UNBLOCKED_CACHE_MS = 10_000;
const MAX_CACHED_VERDICTS = 10_000;

function cacheVerdict(map: Map<string, number>, key: string, until: number): void {
  if (map.size >= MAX_CACHED_VERDICTS) map.clear();
  map.set(key, until);
}

const verdictOf = async (key: string) => `blocked:${(await sha256Hex(key)).slice(0, 32)}`;

/** A KV failure must not block callers: the counting binding still applies. */
async function blockedUntilOf(env: Env, key: string): Promise<string | null> {
  return env.KV.get(await verdictOf(key), { cacheTtl: PERIOD_S }).catch(() => null);
}

function announce(c: Context<AppEnv>, buckets: RateLimitBucket[]): void {
  const policies = buckets.map(({ limit }) => formatPolicy(limit));
  c.set("policies", [...new Set([...(c.get("policies") ?? []), ...policies])]);
}

/** @throws ApiError rate_limited, which names the policies that were exceeded */
function enforceLimits(c: Context<AppEnv>, ...buckets: RateLimitBucket[]): Promise<void> {
  announce(c, buckets);
  return enforce(buckets.map((bucket) => ({ bucket, wait: countRequest(c.env, bucket) })));
}

/** @throws ApiError rate_limited, which names the policies that were exceeded */
async function enforce(counts: { bucket: RateLimitBucket; wait: Promise<number> }[]): Promise<void> {
  const waits = await Promise.all(counts.map(({ wait }) => wait));
  const wait = Math.max(...waits);
  if (wait <= 0) return;
  const exceeded = new Set(counts.filter((_, i) => (waits[i] ?? 0) > 0).map(({ bucket }) => formatPolicy(bucket.limit)));
  const headers = { "Retry-After": String(Math.ceil(wait / 1000)), "RateLimit-Policy": [...exceeded].join(", ") };
  throw new ApiError("rate_limited", undefined, { headers });
}

function unblockedUntilOf({ KV }: Env): Map<string, number> {
  const known = unblockedUntilByStore.get(KV) ?? new Map<string, number>();
  unblockedUntilByStore.set(KV, known);
  return known;
}

/** Reads whether a caller is blocked, without counting. @returns for how long in milliseconds; 0 or less when it is not */
async function readBlock(env: Env, { key }: RateLimitBucket): Promise<number> {
  const now = Date.now();
  const writtenUntil = writtenVerdicts.get(key) ?? 0;
  const unblockedUntil = unblockedUntilOf(env);
  if (writtenUntil > now || (unblockedUntil.get(key) ?? 0) > now) return writtenUntil - now;
  const blockedUntil = await blockedUntilOf(env, key);
  if (blockedUntil === null) cacheVerdict(unblockedUntil, key, now + UNBLOCKED_CACHE_MS);
  return Number(blockedUntil ?? 0) - now;
}

/** Counts a request. @returns how long the caller is blocked in milliseconds; 0 or less when it is not */
async function countRequest(env: Env, { limit, key, sharesVerdict = false }: RateLimitBucket): Promise<number> {
  const unblockedUntil = unblockedUntilOf(env);
  const isKnownUnblocked = !sharesVerdict || (unblockedUntil.get(key) ?? 0) > Date.now();
  const [blockedUntil, { success }] = await Promise.all([
    isKnownUnblocked ? null : blockedUntilOf(env, key),
    env[LIMITS[limit].binding].limit({ key }),
  ]);
  const now = Date.now();
  if (!success) unblockedUntil.delete(key);
  else if (blockedUntil === null && !isKnownUnblocked) cacheVerdict(unblockedUntil, key, now + UNBLOCKED_CACHE_MS);
  if (!success && sharesVerdict && blockedUntil === null && (writtenVerdicts.get(key) ?? 0) <= now) {
    const until = now + PERIOD_S * 1000;
    cacheVerdict(writtenVerdicts, key, until);
    await env.KV.put(await verdictOf(key), String(until), { expirationTtl: PERIOD_S }).catch(() => undefined);
  }
  return success ? Number(blockedUntil ?? 0) - now : PERIOD_S * 1000;
}
