// Is it alive, and can it work: each store asked, with its latency.
import { sql } from "drizzle-orm";
import { checkedKeys } from "../platform/config.ts";
import { database } from "../platform/db/client.ts";

export type Check = { status: "ok" | "error"; latency_ms: number };
const TIMEOUT_MS = 3_000;

async function check(work: Promise<unknown>): Promise<Check> {
  const started = Date.now();
  const late = scheduler.wait(TIMEOUT_MS).then(() => Promise.reject(new Error("timed out")));
  const status = await Promise.race([work, late]).then(
    () => "ok" as const,
    () => "error" as const,
  );
  return { status, latency_ms: Date.now() - started };
}

const CACHE_MS = 10_000;
/** What each isolate found lately: /health is open to everybody, and asks three stores. */
const lately = new WeakMap<Env, { at: number; stores: ReturnType<typeof askStores> }>();

/** D1, R2 and KV, each with one small read, at most every 10 seconds. */
export async function storeHealth(env: Env) {
  const now = Date.now();
  const known = lately.get(env);
  if (known && now - known.at < CACHE_MS) return known.stores;
  const stores = askStores(env);
  lately.set(env, { at: now, stores });
  return stores;
}

async function askStores(env: Env) {
  const [d1, r2, kv] = await Promise.all([
    check(database(env.DB).run(sql`SELECT 1`)),
    check(env.FILES.head("health")),
    check(env.KV.get("health")),
  ]);
  return { d1, r2, kv };
}

const proofs = new WeakMap<Env, { at: number; keys: Promise<Check> }>();

/** Ready when the secrets fit, no demo world stands in production, and a sealed constant in D1 opens now. */
export async function readiness(env: Env) {
  const now = Date.now();
  const known = proofs.get(env);
  if (known && now - known.at < CACHE_MS) return { keys: await known.keys };
  const keys = check(checkedKeys(env));
  proofs.set(env, { at: now, keys });
  return { keys: await keys };
}

export function allOk(checks: Record<string, Check>): boolean {
  return Object.values(checks).every(({ status }) => status === "ok");
}
