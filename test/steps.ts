// The steps that a response waits for: password hashes with their cost, and round trips to the stores.
import crypto from "node:crypto";
import { vi } from "vitest";
import { interceptStores } from "./stores.ts";
import { env } from "./world.ts";

/**
 * Runs one request and lists its steps in order, such as `["DB batch", "scrypt 16384 8 5", "DB batch"]`. Tests compare these
 * lists to decide whether response times could differ, since measured times on a busy machine are random.
 */
export async function stepsOf(request: (of: Env) => Promise<unknown>): Promise<string[]> {
  const steps: string[] = [];
  const original = crypto.scrypt;
  const spy = vi.spyOn(crypto, "scrypt").mockImplementation((...args: unknown[]) => {
    const [, , , cost] = args;
    const { N, r, p } = { N: 0, r: 0, p: 0, ...(typeof cost === "object" && cost) };
    steps.push(`scrypt ${N} ${r} ${p}`);
    Reflect.apply(original, crypto, args);
  });
  const of = interceptStores(env, ({ store, op }, run) => {
    // Messages are sent behind the response.
    if (store !== "QUEUES") steps.push(`${store} ${op}`);
    return run();
  });
  await request(of);
  spy.mockRestore();
  // A copy: work behind the response may add steps of its own later.
  return [...steps];
}
