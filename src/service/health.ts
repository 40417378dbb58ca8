// Health and readiness checks: each store with its latency in ms.
import { sql } from "drizzle-orm";
import { loadVerifiedKeys } from "../platform/config.ts";
import { getDb } from "../platform/db/client.ts";

export type HealthCheck = { status: "ok" | "error"; latency_ms: number };
const TIMEOUT_MS = 3_000;

async function runCheck(work: Promise<unknown>): Promise<HealthCheck> {
  const started = Date.now();
  const timeout = scheduler.wait(TIMEOUT_MS).then(() => Promise.reject(new Error("timed out")));
  const status = await Promise.race([work, timeout]).then(
    () => "ok" as const,
    () => "error" as const,
  );
  return { status, latency_ms: Date.now() - started };
}

const CACHE_MS = 10_000;
/** Per isolate. /health is public and queries three stores, so its results are cached. */
const storeHealthCache = new WeakMap<Env, { at: number; stores: ReturnType<typeof checkStores> }>();

/** Checks D1, R2 and KV with one small read each, at most every 10 seconds per isolate. */
export async function getStoreHealth(env: Env) {
  const now = Date.now();
  const cached = storeHealthCache.get(env);
  if (cached && now - cached.at < CACHE_MS) return cached.stores;
  const stores = checkStores(env);
  storeHealthCache.set(env, { at: now, stores });
  return stores;
}

async function checkStores(env: Env) {
  const [d1, r2, kv] = await Promise.all([
    runCheck(getDb(env.DB).run(sql`SELECT 1`)),
    runCheck(env.FILES.head("health")),
    runCheck(env.KV.get("health")),
  ]);
  return { d1, r2, kv };
}

const readinessCache = new WeakMap<Env, { at: number; keys: Promise<HealthCheck> }>();

/** Ready if the secrets are valid, production has no demo data, and the sealed sentinel in D1 can be decrypted. */
export async function getReadiness(env: Env) {
  const now = Date.now();
  const cached = readinessCache.get(env);
  if (cached && now - cached.at < CACHE_MS) return { keys: await cached.keys };
  const keys = runCheck(loadVerifiedKeys(env));
  readinessCache.set(env, { at: now, keys });
  return { keys: await keys };
}

export function areAllOk(checks: Record<string, HealthCheck>): boolean {
  return Object.values(checks).every(({ status }) => status === "ok");
}
