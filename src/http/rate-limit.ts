// Rate limits: the binding counts requests; KV shares the verdict "blocked" with other locations.
import type { Actor } from "../access/actor.ts";
import { sha256Hex } from "../platform/crypto.ts";
import { ApiError } from "../platform/errors.ts";

const PERIOD_S = 60;
export const USER_LIMIT = 100;
export const CREDENTIAL_LIMIT = 6000;
export const ADDRESS_LIMIT = 300;
export const IDENTITY_LIMIT = 30;
/** Registration and password links: each attempt costs a password hash. */
export const SIGNUP_LIMIT = 20;

/** The bucket of an IP address. IPv6 addresses share one per /64, the size of one customer's network. */
export function addressBucket(ip: string | null): string {
  if (!ip?.includes(":")) return ip ?? "none";
  const [head = "", tail] = ip.split("::");
  const leading = head.split(":").filter(Boolean);
  const trailing = tail?.split(":").filter(Boolean) ?? [];
  const groups =
    tail === undefined
      ? leading
      : [...leading, ...Array(Math.max(0, 8 - leading.length - trailing.length)).fill("0"), ...trailing];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** `sharesVerdict`: whether other locations learn the verdict. Not for machines, which stay in one location and call often. */
type RateLimitBucket = { key: string; limiter: RateLimit; policy: string; sharesVerdict: boolean };

function resolveBucket(env: Env, actor: Actor): RateLimitBucket {
  switch (actor.kind) {
    case "user":
      return {
        key: `user:${actor.userId}`,
        limiter: env.RATE_PERSON,
        policy: formatPolicy("person", USER_LIMIT),
        sharesVerdict: true,
      };
    case "device":
    case "app":
      return {
        key: `machine:${actor.credentialId}:${actor.secretHash ?? "link"}`,
        limiter: env.RATE_MACHINE,
        policy: formatPolicy("machine", CREDENTIAL_LIMIT),
        sharesVerdict: false,
      };
    default:
      return {
        key: `address:${addressBucket(actor.via.ip)}`,
        limiter: env.RATE_ADDRESS,
        policy: formatPolicy("address", ADDRESS_LIMIT),
        sharesVerdict: true,
      };
  }
}

function formatPolicy(name: string, limit: number): string {
  return `"${name}";q=${limit};w=${PERIOD_S}`;
}

/** The `RateLimit-Policy` response header (draft-ietf-httpapi-ratelimit-headers). */
export function rateLimitPolicy(env: Env, actor: Actor | null): string {
  return actor ? resolveBucket(env, actor).policy : formatPolicy("address", ADDRESS_LIMIT);
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

/** @throws ApiError rate_limited with Retry-After */
export function limitCaller(env: Env, actor: Actor): Promise<void> {
  return enforceLimit(env, resolveBucket(env, actor));
}

/**
 * Limits registration, accepting invitations and password links per IP address; creating accounts for others per user.
 * @throws ApiError rate_limited
 */
export function limitSignup(env: Env, actor: Actor): Promise<void> {
  const key = `signup:${actor.kind === "user" ? actor.userId : addressBucket(actor.via.ip)}`;
  return enforceLimit(env, { key, limiter: env.RATE_SIGNUP, policy: SIGNUP_POLICY, sharesVerdict: true });
}

/** Limits requests with a government number per hospital: each reveals an identifier. @throws ApiError rate_limited */
export function limitIdentity(env: Env, actor: Actor): Promise<void> {
  const hospital =
    actor.kind === "user" ? (actor.claimedRole.hospitalId ?? actor.userId) : actor.kind === "app" ? actor.hospitalId : "";
  return enforceLimit(env, {
    key: `identity:${hospital}`,
    limiter: env.RATE_IDENTITY,
    policy: IDENTITY_POLICY,
    sharesVerdict: true,
  });
}

export const IDENTITY_POLICY = formatPolicy("identity", IDENTITY_LIMIT);
export const SIGNUP_POLICY = formatPolicy("signup", SIGNUP_LIMIT);

const verdictOf = async (key: string) => `blocked:${(await sha256Hex(key)).slice(0, 32)}`;

/** A KV failure must not block callers: the counting binding still applies. */
async function blockedUntilOf(env: Env, key: string): Promise<string | null> {
  return env.KV.get(await verdictOf(key), { cacheTtl: PERIOD_S }).catch(() => null);
}

async function enforceLimit(env: Env, { key, limiter, policy, sharesVerdict }: RateLimitBucket): Promise<void> {
  const unblockedUntil = unblockedUntilByStore.get(env.KV) ?? new Map<string, number>();
  unblockedUntilByStore.set(env.KV, unblockedUntil);
  const isKnownUnblocked = !sharesVerdict || (unblockedUntil.get(key) ?? 0) > Date.now();
  const [blockedUntil, { success }] = await Promise.all([
    isKnownUnblocked ? null : blockedUntilOf(env, key),
    limiter.limit({ key }),
  ]);
  const now = Date.now();
  if (!success) unblockedUntil.delete(key);
  else if (blockedUntil === null && !isKnownUnblocked) cacheVerdict(unblockedUntil, key, now + UNBLOCKED_CACHE_MS);
  if (!success && sharesVerdict && blockedUntil === null && (writtenVerdicts.get(key) ?? 0) <= now) {
    const until = now + PERIOD_S * 1000;
    cacheVerdict(writtenVerdicts, key, until);
    await env.KV.put(await verdictOf(key), String(until), { expirationTtl: PERIOD_S }).catch(() => undefined);
  }
  const remaining = success ? Number(blockedUntil ?? 0) - now : PERIOD_S * 1000;
  if (!success || remaining > 0) {
    const headers = { "Retry-After": String(Math.ceil(remaining / 1000)), "RateLimit-Policy": policy };
    throw new ApiError("rate_limited", undefined, { headers });
  }
}
