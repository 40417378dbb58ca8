// The independent verifier on a log of the real object: it accepts the log and names what was changed in its raw stores.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openLogSource } from "../../src/audit-log/log-source.ts";
import { leafHash as ownLeafHash } from "../../src/audit-log/tree/leaf.ts";
import { leafHash } from "../../verifier/leaf.ts";
import { verifyLog, verifyPart } from "../../verifier/verify-log.ts";
import { times } from "../long.ts";
import { createRandom } from "../node/alerts-randomness.ts";
import { env } from "../world.ts";
import { appendAll, evict, HOUR, inside, newEvent, newLog, readLog, runDue, START, type Stub } from "./audit-log-world.ts";

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** 300 and 250 entries in two segments, 60 open ones under a checkpoint, and 20 that none covers. */
async function createLog() {
  vi.setSystemTime(START);
  const log = newLog();
  const add = (count: number) =>
    appendAll(
      log.stub,
      Array.from({ length: count }, (_, i) => newEvent({ actor: { kind: "user", id: `actor-${i % 7}`, role: "nurse" } })),
    );
  await add(300);
  vi.setSystemTime(START + HOUR);
  await runDue(log.stub);
  await add(250);
  vi.setSystemTime(START + 2 * HOUR);
  await runDue(log.stub);
  await add(60);
  const saved = await log.stub.checkpoint();
  await add(20);
  return { ...log, saved };
}
const verify = async (logId: string, saved: string | null = null) => verifyLog(await openLogSource(env, logId, saved));
const run = (stub: Stub, query: string, ...values: SqlStorageValue[]) =>
  inside(stub, (_, { storage }) => void storage.sql.exec(query, ...values));

async function flip(key: string, at: number): Promise<void> {
  const bytes = new Uint8Array((await (await env.FILES.get(key))?.arrayBuffer()) ?? new ArrayBuffer());
  const i = at % bytes.length;
  bytes[i] = (bytes[i] ?? 0) ^ 1;
  await env.FILES.put(key, bytes);
}
const keysOf = async (prefix: string) => (await env.FILES.list({ prefix })).objects.map(({ key }) => key);

describe("an intact log", () => {
  it("is accepted as a whole, in small parts, and without keys", async () => {
    const { logId, saved } = await createLog();
    const whole = await verify(logId, saved.checkpoint);
    expect(whole).toEqual({
      isIntact: true,
      problem: null,
      checked: { events: 630, segments: 2, checkpoints: 3, firstSeq: 0, endSeq: 630, openEvents: 80 },
    });
    const source = await openLogSource(env, logId);
    let [cursor, parts, events]: [string | null, number, number] = [null, 0, 0];
    do {
      const part = await verifyPart(source, cursor, { events: 100, checkpoints: 1 });
      expect(part.problem).toBeNull();
      expect(part.checked.events).toBeLessThanOrEqual(100 + 256);
      [cursor, parts, events] = [part.nextCursor, parts + 1, events + part.checked.events];
    } while (cursor !== null);
    expect({ events, isSplit: parts > 5 }).toEqual({ events: 630, isSplit: true });
    expect((await verifyLog({ ...source, auditKeys: null })).problem).toBeNull();
  });

  it("has the leaves that the verifier computes by itself", async () => {
    const { stub } = await createLog();
    for (const entry of await readLog(stub)) expect(leafHash(entry as never)).toEqual(ownLeafHash(entry));
  });

  it("that was pruned is accepted from there on", async () => {
    const { logId, stub } = await createLog();
    expect((await stub.prune(START + 1)).prunedUpTo).toBe(300);
    await runDue(stub);
    expect(await verify(logId)).toMatchObject({ isIntact: true, checked: { events: 330, segments: 1 } });
  });
});

type Log = Awaited<ReturnType<typeof createLog>>;
/** Each changes the raw stores; `kinds` are the names that fit, `seq` the entry that must be named. */
type Tampering = { name: string; kinds: string[]; change: (log: Log, n: number) => Promise<number | null> };
const TAMPERINGS: Tampering[] = [
  {
    name: "a byte of a segment",
    kinds: ["unreadable"],
    change: async ({ logId }, n) => {
      const keys = await keysOf(`audit/${logId}/`);
      await flip(keys[n % keys.length] ?? "", n * 7919);
      return null;
    },
  },
  {
    name: "a byte of a tile",
    kinds: ["tile_changed"],
    change: async ({ logId }, n) => {
      const keys = await keysOf(`tlog/${logId}/tile/`);
      await flip(keys[n % keys.length] ?? "", n * 7919);
      return null;
    },
  },
  {
    name: "a byte of a checkpoint",
    kinds: ["checkpoint_replaced"],
    change: async ({ logId }, n) => {
      const keys = await keysOf(`tlog/${logId}/checkpoints/`);
      await flip(keys[n % keys.length] ?? "", n * 7919);
      return null;
    },
  },
  {
    name: "the event of a row",
    kinds: ["edited"],
    change: async ({ stub }, n) => {
      const seq = 550 + (n % 80);
      await run(stub, "UPDATE entries SET event = replace(event, 'actor-', 'actor-x') WHERE seq = ?", seq);
      return seq;
    },
  },
  {
    name: "a row deleted",
    kinds: ["deleted"],
    change: async ({ stub }, n) => {
      const seq = 550 + (n % 79);
      await run(stub, "DELETE FROM entries WHERE seq = ?", seq);
      return seq;
    },
  },
  {
    name: "a row deleted and the others renumbered",
    kinds: ["deleted", "edited"],
    change: async ({ stub }, n) => {
      const seq = 550 + (n % 79);
      await run(stub, "DELETE FROM entries WHERE seq = ?", seq);
      for (let from = seq + 1; from < 630; from++) await run(stub, "UPDATE entries SET seq = seq - 1 WHERE seq = ?", from);
      return seq;
    },
  },
  {
    name: "two rows exchanged",
    kinds: ["reordered", "edited"],
    change: async ({ stub }, n) => {
      const seq = 550 + (n % 79);
      await run(stub, "UPDATE entries SET seq = 9999 WHERE seq = ?", seq);
      await run(stub, "UPDATE entries SET seq = ? WHERE seq = ?", seq, seq + 1);
      await run(stub, "UPDATE entries SET seq = ? WHERE seq = 9999", seq + 1);
      return seq;
    },
  },
  {
    name: "a row inserted at the end",
    kinds: ["inserted", "edited"],
    change: async ({ stub }) => {
      await run(stub, "INSERT INTO entries SELECT 630, id, logged, event, seed, leaf_hash, mac FROM entries WHERE seq = 629");
      return 630;
    },
  },
  {
    name: "a segment dropped",
    kinds: ["deleted"],
    change: async ({ stub }, n) => {
      const seq = (n % 2) * 300;
      await run(stub, "DELETE FROM segments WHERE first_seq = ?", seq);
      return seq;
    },
  },
  {
    name: "the end of the log",
    kinds: ["truncated"],
    change: async ({ stub }, n) => {
      const seq = 550 + (n % 60);
      await run(stub, "DELETE FROM entries WHERE seq >= ?", seq);
      return seq;
    },
  },
];

describe("a changed log", () => {
  const random = createRandom(15).next;
  it.each(TAMPERINGS)("is named: $name", async ({ kinds, change }) => {
    for (let i = 0; i < times(6, 100); i++) {
      const log = await createLog();
      const n = Math.floor(random() * 1_000_000);
      const seq = await change(log, n);
      const { isIntact, problem } = await verify(log.logId);
      expect({ n, isIntact, kind: kinds.includes(problem?.kind ?? "") ? kinds[0] : problem }).toEqual({
        n,
        isIntact: false,
        kind: kinds[0],
      });
      if (seq !== null) expect({ n, seq: problem?.seq }).toEqual({ n, seq });
    }
  });

  it("that was rewritten with all keys differs from a saved checkpoint", async () => {
    const { logId, stub, saved } = await createLog();
    const entries = await readLog(stub);
    await inside(stub, (_, { storage }) => storage.deleteAll());
    for (const prefix of [`audit/${logId}/`, `tlog/${logId}/`]) await env.FILES.delete(await keysOf(prefix));
    await evict(stub);
    const events = entries.map(
      ({ seq, logged: _, seed: __, ...event }) => ({ ...event, outcome: seq === 17 ? "denied" : event.outcome }) as const,
    );
    await appendAll(stub, events);
    await stub.checkpoint();
    expect((await verify(logId)).problem).toBeNull();
    expect((await verify(logId, saved.checkpoint)).problem).toMatchObject({ kind: "saved_checkpoint_differs" });
  });
});
