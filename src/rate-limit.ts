// Rate limits: the binding counts, KV holds only the verdict, so that a caller blocked here is blocked elsewhere too.
import type { Actor } from "./actor.ts";
import { sha256Hex } from "./crypto.ts";
import { ApiError } from "./errors.ts";

const PERIOD_S = 60;
export const PERSON_LIMIT = 100;
export const MACHINE_LIMIT = 6000;
export const ADDRESS_LIMIT = 300;
export const IDENTITY_LIMIT = 30;
/** New accounts and links that stand for a password: each try costs a hash. */
export const SIGNUP_LIMIT = 20;

/** Callers of one IPv6 network share a bucket: a /64 is one customer. */
export function addressBucket(ip: string | null): string {
  if (!ip?.includes(":")) return ip ?? "none";
  const [head = "", tail] = ip.split("::");
  const left = head.split(":").filter(Boolean);
  const right = tail?.split(":").filter(Boolean) ?? [];
  const full = tail === undefined ? left : [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return `${full.slice(0, 4).join(":")}::/64`;
}

/** `spread`: whether a verdict is told to other locations. Machines stay where they are, and ask often. */
type Bucket = { key: string; limiter: RateLimit; policy: string; spread: boolean };

function bucketOf(env: Env, actor: Actor): Bucket {
  switch (actor.kind) {
    case "user":
      return { key: `user:${actor.userId}`, limiter: env.RATE_PERSON, policy: policyOf("person", PERSON_LIMIT), spread: true };
    case "device":
    case "app":
      return {
        key: `machine:${actor.credentialId}:${actor.secretHash ?? "link"}`,
        limiter: env.RATE_MACHINE,
        policy: policyOf("machine", MACHINE_LIMIT),
        spread: false,
      };
    default:
      return {
        key: `address:${addressBucket(actor.via.ip)}`,
        limiter: env.RATE_ADDRESS,
        policy: policyOf("address", ADDRESS_LIMIT),
        spread: true,
      };
  }
}

function policyOf(name: string, limit: number): string {
  return `"${name}";q=${limit};w=${PERIOD_S}`;
}

/** The `RateLimit-Policy` of the answer (draft-ietf-httpapi-ratelimit-headers). */
export function policyFor(env: Env, actor: Actor | null): string {
  return actor ? bucketOf(env, actor).policy : policyOf("address", ADDRESS_LIMIT);
}

/** KV remembers "not found" for a minute too: without this, every refused request would write its verdict again. */
const written = new Map<string, number>();
/** Until when a caller counts as free without asking that KV again, which is a minute late as it is. */
const freeIn = new WeakMap<KVNamespace, Map<string, number>>();
const FREE_MS = 10_000;
const MAX_KEPT = 10_000;

function keep(map: Map<string, number>, key: string, until: number): void {
  if (map.size >= MAX_KEPT) map.clear();
  map.set(key, until);
}

/** @throws ApiError rate_limited with Retry-After */
export function limitCaller(env: Env, actor: Actor): Promise<void> {
  return limit(env, bucketOf(env, actor));
}

/**
 * Those who register, accept an invitation or set a password by a link, by address; who makes accounts for others, by person.
 * @throws ApiError rate_limited
 */
export function limitSignup(env: Env, actor: Actor): Promise<void> {
  const key = `signup:${actor.kind === "user" ? actor.userId : addressBucket(actor.via.ip)}`;
  return limit(env, { key, limiter: env.RATE_SIGNUP, policy: SIGNUP_POLICY, spread: true });
}

/** Requests that name a government number, by hospital: each tells its caller an identifier. @throws ApiError rate_limited */
export function limitIdentity(env: Env, actor: Actor): Promise<void> {
  const hospital =
    actor.kind === "user" ? (actor.claimed.hospitalId ?? actor.userId) : actor.kind === "app" ? actor.hospitalId : "";
  return limit(env, { key: `identity:${hospital}`, limiter: env.RATE_IDENTITY, policy: IDENTITY_POLICY, spread: true });
}

export const IDENTITY_POLICY = policyOf("identity", IDENTITY_LIMIT);
export const SIGNUP_POLICY = policyOf("signup", SIGNUP_LIMIT);

const verdictOf = async (key: string) => `blocked:${(await sha256Hex(key)).slice(0, 32)}`;

/** A store that fails must not let the limit stop the clinic: the counting binding still holds. */
async function blockedUntilOf(env: Env, key: string): Promise<string | null> {
  return env.KV.get(await verdictOf(key), { cacheTtl: PERIOD_S }).catch(() => null);
}

async function limit(env: Env, { key, limiter, policy, spread }: Bucket): Promise<void> {
  const free = freeIn.get(env.KV) ?? new Map<string, number>();
  freeIn.set(env.KV, free);
  const known = !spread || (free.get(key) ?? 0) > Date.now();
  const [blockedUntil, { success }] = await Promise.all([known ? null : blockedUntilOf(env, key), limiter.limit({ key })]);
  const now = Date.now();
  if (!success) free.delete(key);
  else if (blockedUntil === null && !known) keep(free, key, now + FREE_MS);
  if (!success && spread && blockedUntil === null && (written.get(key) ?? 0) <= now) {
    const until = now + PERIOD_S * 1000;
    keep(written, key, until);
    await env.KV.put(await verdictOf(key), String(until), { expirationTtl: PERIOD_S }).catch(() => undefined);
  }
  const remaining = success ? Number(blockedUntil ?? 0) - now : PERIOD_S * 1000;
  if (!success || remaining > 0) {
    const headers = { "Retry-After": String(Math.ceil(remaining / 1000)), "RateLimit-Policy": policy };
    throw new ApiError("rate_limited", undefined, { headers });
  }
}
