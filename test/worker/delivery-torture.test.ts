// Deliveries under failure: consumers that are killed at each store call, two consumers at once, and many deliveries with
// injected failures. Nothing is lost, and nothing is sent twice but alarms whose answer was lost.
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { getDb } from "../../src/platform/db/client.ts";
import { times } from "../long.ts";
import { interceptStores } from "../stores.ts";
import { env } from "../world.ts";
import {
  ALARMS,
  type Behaviour,
  consumeMessages,
  createDeliveries,
  createProvider,
  MESSAGES,
  onlyChannel,
  readDeliveries,
} from "./deliveries-world.ts";

const LEASE_OVER_MS = 61_000;
const never = new Promise<never>(() => undefined);

/** From the k-th call of D1 on nothing happens any more, as if the isolate had ended. `onKill`: called then. */
function killedAt(k: number, onKill: () => void): Env {
  let calls = 0;
  return interceptStores(env, (call, run) => {
    if (call.store !== "DB") return run();
    calls += 1;
    if (calls === k) onKill();
    return calls >= k ? never : run();
  });
}

/** Sends an event with a consumer that ends at its k-th call of D1. @returns false when it finished before */
async function sendAndKill(event: string, queue: string, k: number, channel: ReturnType<typeof createProvider>["channel"]) {
  let isKilled = false;
  const killed = Promise.withResolvers<void>();
  const onKill = () => {
    isKilled = true;
    killed.resolve();
  };
  const mortal = { ...channel, send: (...args: Parameters<typeof channel.send>) => (isKilled ? never : channel.send(...args)) };
  const finished = consumeMessages(queue, [{ event }], { channels: onlyChannel(mortal) }, killedAt(k, onKill));
  await Promise.race([finished, killed.promise]);
  // Requests that were under way arrive.
  if (isKilled) await scheduler.wait(20);
  return isKilled;
}

test.each([
  ["normal", MESSAGES, false],
  ["normal", MESSAGES, true],
  ["alarm", ALARMS, false],
] as const)(
  "a consumer of %s messages that is killed at any call loses nothing (%s, receiver drops repeats: %s)",
  async (priority, queue, isIdempotent) => {
    let k = 1;
    for (let isKilled = true; isKilled; k++) {
      const { channel, accepted } = createProvider(() => "ok", { isIdempotent });
      const event = await createDeliveries({ count: 8, priority });
      isKilled = await sendAndKill(event, queue, k, channel);
      await consumeMessages(queue, [{ event }], { channels: onlyChannel(channel), clock: () => Date.now() + LEASE_OVER_MS });
      const rows = await readDeliveries(event);
      const ids = (await accepted()).map(([id]) => id);
      for (const { id, status } of rows) {
        const sent = ids.filter((each) => each === id).length;
        if (priority === "alarm" || isIdempotent) {
          expect(status).toBe("accepted");
          expect(sent).toBeGreaterThanOrEqual(1);
        } else {
          expect(["accepted", "unknown"]).toContain(status);
          expect(sent).toBeLessThanOrEqual(1);
          if (status === "accepted") expect(sent).toBe(1);
        }
      }
    }
    // Sessions of keys, lease, and the rounds of the ledger.
    expect(k).toBeGreaterThan(4);
  },
);

/** Consumes one event with two consumers at once. @returns how often the provider accepted each delivery, at most */
async function raceTwoConsumers(on: Env): Promise<number> {
  const { channel, accepted } = createProvider();
  const event = await createDeliveries({ count: 60 });
  const options = { channels: onlyChannel(channel) };
  await Promise.all([1, 2].map(() => consumeMessages(MESSAGES, [{ event }], options, on)));
  const counts = Map.groupBy(await accepted(), ([id]) => id);
  expect((await readDeliveries(event)).every(({ status }) => status === "accepted")).toBe(true);
  return Math.max(...[...counts.values()].map((all) => all.length));
}

test("two consumers at once send each delivery once; without the lease they do not", async () => {
  expect(await raceTwoConsumers(env)).toBe(1);
  const withoutLease = {
    ...env,
    DB: new Proxy(env.DB, {
      get(target, name) {
        if (name === "prepare") {
          return (query: string) =>
            // biome-ignore lint/plugin: passes on statements of the code under test.
            target.prepare(
              query
                .replace(/\+next_attempt_at <= (\?\d*)/g, "(settled_at IS NULL AND $1 > 0)")
                .replace(/(deliveries\.)?leased_until = j.lease( AND status = 'waiting')?/g, "1"),
            );
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
  };
  expect(await raceTwoConsumers(withoutLease)).toBeGreaterThan(1);
});

/** Mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): number {
  let t = (seed + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

const FAILURES: readonly Behaviour[] = ["500", "429", "close", "lost"];
/** One attempt in ten fails; a few do not answer at all. */
function planned(id: string, attempts: number): Behaviour {
  const target = Number(id.split("-").at(-1));
  const draw = randomFrom(target * 31 + attempts * 7_919);
  if (draw < 0.0005) return "hang";
  return draw < 0.1 ? (FAILURES[Math.floor(draw * 1e6) % FAILURES.length] ?? "500") : "ok";
}

const COUNT = times(1_000, 10_000);

test(`${COUNT} deliveries with failures in ten of a hundred attempts: none is lost, none is sent twice without a reason`, async () => {
  const { channel, accepted, url } = createProvider(({ id, attempts }) => planned(id, attempts), {
    // Long enough for a busy machine: an answer that comes later would count as lost.
    deadlineMs: 2_500,
    destination: ({ id }) => `${url} ${Number(id.split("-").at(-1)) % 20}`,
    retryDelays: [1_000, 5_000, 30_000, 60_000, 60_000, 60_000],
  });
  const [alarms, others] = [
    await createDeliveries({ count: COUNT / 10, priority: "alarm" }),
    await createDeliveries({ count: COUNT * 0.9 }),
  ];
  let now = Date.now();
  const options = { channels: onlyChannel(channel), clock: () => now };
  for (let round = 0; round < 100; round++) {
    await consumeMessages(ALARMS, [{ event: alarms }], options);
    await Promise.all([1, 2].map(() => consumeMessages(MESSAGES, [{ event: others }], options)));
    const [left] = await getDb(env.DB).all<{ at: number | null }>(sql`SELECT max(next_attempt_at) AS at FROM deliveries
      WHERE (id >= ${`${alarms}.`} AND id < ${`${alarms}/`}) OR (id >= ${`${others}.`} AND id < ${`${others}/`})`);
    if (left?.at == null) break;
    now = Math.max(now, left.at);
  }
  const sent = Map.groupBy(await accepted(), ([id]) => id);
  const [alarmRows, otherRows] = [await readDeliveries(alarms), await readDeliveries(others)];
  expect(alarmRows).toHaveLength(COUNT / 10);
  expect(otherRows).toHaveLength(COUNT * 0.9);
  for (const { id, status, attempts } of alarmRows) {
    expect(status).toBe("accepted");
    const lost = Array.from({ length: attempts }, (_, i) => planned(id, i)).filter((behaviour) => behaviour === "lost").length;
    expect(sent.get(id)).toHaveLength(1 + lost);
  }
  for (const { id, status, attempts } of otherRows) {
    const last = planned(id, attempts - 1);
    expect(status).toBe(last === "ok" ? "accepted" : "unknown");
    expect(sent.get(id)?.length ?? 0).toBe(last === "ok" || last === "lost" ? 1 : 0);
  }
  expect(otherRows.filter(({ status }) => status === "unknown").length).toBeGreaterThan(COUNT / 50);
});
