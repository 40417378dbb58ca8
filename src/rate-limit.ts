// Rate limits: the binding counts, KV holds only the verdict, so that a caller blocked here is blocked elsewhere too.
import type { Actor } from "./actor.ts";
import { sha256Hex } from "./crypto.ts";
import { ApiError } from "./errors.ts";

const PERIOD_S = 60;
export const PERSON_LIMIT = 100;
export const MACHINE_LIMIT = 6000;
export const ADDRESS_LIMIT = 300;

/** Callers of one IPv6 network share a bucket: a /64 is one customer. */
export function addressBucket(ip: string | null): string {
  if (!ip?.includes(":")) return ip ?? "none";
  const [head = "", tail] = ip.split("::");
  const left = head.split(":").filter(Boolean);
  const right = tail?.split(":").filter(Boolean) ?? [];
  const full = tail === undefined ? left : [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return `${full.slice(0, 4).join(":")}::/64`;
}

type Bucket = { key: string; limiter: RateLimit; policy: string };

function bucketOf(env: Env, actor: Actor): Bucket {
  switch (actor.kind) {
    case "user":
      return { key: `user:${actor.userId}`, limiter: env.RATE_PERSON, policy: policyOf("person", PERSON_LIMIT) };
    case "device":
    case "app":
      return {
        key: `machine:${actor.credentialId}:${actor.secretHash ?? "link"}`,
        limiter: env.RATE_MACHINE,
        policy: policyOf("machine", MACHINE_LIMIT),
      };
    default:
      return {
        key: `address:${addressBucket(actor.via.ip)}`,
        limiter: env.RATE_ADDRESS,
        policy: policyOf("address", ADDRESS_LIMIT),
      };
  }
}

const policyOf = (name: string, limit: number) => `"${name}";q=${limit};w=${PERIOD_S}`;

/** The `RateLimit-Policy` of the answer (draft-ietf-httpapi-ratelimit-headers). */
export function policyFor(env: Env, actor: Actor | null): string {
  return actor ? bucketOf(env, actor).policy : policyOf("address", ADDRESS_LIMIT);
}

/** KV remembers "not found" for a minute too: without this, every refused request would write its verdict again. */
const written = new Map<string, number>();
const MAX_WRITTEN = 10_000;

/** @throws ApiError rate_limited with Retry-After */
export async function limitCaller(env: Env, actor: Actor): Promise<void> {
  const { key, limiter } = bucketOf(env, actor);
  const verdict = `blocked:${(await sha256Hex(key)).slice(0, 32)}`;
  const [blockedUntil, { success }] = await Promise.all([
    // A store that fails must not let the limit stop the clinic: the counting binding still holds.
    env.KV.get(verdict, { cacheTtl: PERIOD_S }).catch(() => null),
    limiter.limit({ key }),
  ]);
  const now = Date.now();
  if (!success && blockedUntil === null && (written.get(verdict) ?? 0) <= now) {
    const until = now + PERIOD_S * 1000;
    if (written.size >= MAX_WRITTEN) written.clear();
    written.set(verdict, until);
    await env.KV.put(verdict, String(until), { expirationTtl: PERIOD_S }).catch(() => undefined);
  }
  const remaining = success ? Number(blockedUntil ?? 0) - now : PERIOD_S * 1000;
  if (!success || remaining > 0) {
    throw new ApiError("rate_limited", undefined, { headers: { "Retry-After": String(Math.ceil(remaining / 1000)) } });
  }
}
