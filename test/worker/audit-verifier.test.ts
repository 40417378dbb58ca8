// The independent verifier on a log of the real object: it accepts the log and names what was changed in its raw stores.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openLogSource } from "../../src/audit-log/log-source.ts";
import { leafHash as ownLeafHash } from "../../src/audit-log/tree/leaf.ts";
import { leafHash } from "../../verifier/leaf.ts";
import { verifyLog, verifyPart } from "../../verifier/verify-log.ts";
import { env } from "../world.ts";
import { appendAll, DAY, evict, HOUR, inside, newEvent, newEvents, newLog, readLog, runDue, START } from "./audit-log-world.ts";

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

  it("without events has nothing to check, and stores nothing", async () => {
    const { logId, stub } = newLog();
    const checked = { events: 0, segments: 0, checkpoints: 0, firstSeq: 0, endSeq: 0, openEvents: 0 };
    expect(await verify(logId)).toEqual({ isIntact: true, problem: null, checked });
    const tables = "SELECT name FROM sqlite_master WHERE name NOT GLOB '_cf_*'";
    expect(await inside(stub, (_, { storage }) => storage.sql.exec(tables).toArray())).toEqual([]);
  });

  it("that grows and closes a segment between two parts is accepted", async () => {
    const { logId, stub } = await createLog();
    const parts = { events: 100, checkpoints: 10 };
    let [cursor, events]: [string | null, number] = [null, 0];
    do {
      const part = await verifyPart(await openLogSource(env, logId), cursor, parts);
      expect(part.problem).toBeNull();
      [cursor, events] = [part.nextCursor, events + part.checked.events];
      if (events !== 256) continue;
      await appendAll(stub, [newEvent()]);
      vi.setSystemTime(START + 4 * HOUR);
      await runDue(stub);
    } while (cursor !== null);
    expect(events).toBe(631);
  });

  it("whose open rows are closed between two parts is accepted", async () => {
    const { logId, stub } = await createLog();
    await appendAll(stub, newEvents(1_500));
    let [cursor, events]: [string | null, number] = [null, 0];
    do {
      const part = await verifyPart(await openLogSource(env, logId), cursor, { events: 900, checkpoints: 10 });
      expect(part.problem).toBeNull();
      [cursor, events] = [part.nextCursor, events + part.checked.events];
      // 1,000 of the 1,580 rows have been checked.
      if (events === 1_550) vi.setSystemTime(START + 4 * HOUR);
      if (events === 1_550) await runDue(stub);
    } while (cursor !== null);
    expect([events, (await stub.status()).closedEnd]).toEqual([2_130, 2_130]);
  });

  it("whose segments were merged, first of a day and then of a month, is accepted", async () => {
    const { logId, stub } = await createLog();
    for (const days of [1, 40]) {
      vi.setSystemTime(START + days * DAY);
      while ((await runDue(stub)) > 0) vi.setSystemTime(Date.now() + HOUR);
      const { isIntact, checked } = await verify(logId);
      expect({ isIntact, ...checked }).toMatchObject({ isIntact: true, events: 630, segments: 1, openEvents: 0 });
    }
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

it("a log that was rewritten with all keys differs from a saved checkpoint", async () => {
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

it.each([
  ["the actor", '"role":"nurse"', '"role":"nurse","name":"Dr Forged"'],
  ["an event", '"actor":', '"note":"forged","actor":'],
])("an unknown member of %s, which no leaf covers, is an edit", async (_, from, to) => {
  const { logId, stub } = await createLog();
  const sql = "UPDATE entries SET event = replace(event, ?, ?) WHERE seq = 560";
  await inside(stub, (_, { storage }) => void storage.sql.exec(sql, from, to));
  expect((await verify(logId)).problem).toMatchObject({ kind: "edited", seq: 560 });
});

it("a copy of the bucket has no open rows: the tiles of the rest are checked, and one that is missing is named", async () => {
  const { logId } = await createLog();
  const copy = { ...(await openLogSource(env, logId)), openRows: async () => ({ entries: [], previousMac: "" }) };
  expect((await verifyLog(copy)).problem).toMatchObject({ kind: "truncated", seq: 550 });
  expect(await verifyLog({ ...copy, isCopy: true })).toMatchObject({ problem: null, checked: { events: 550, endSeq: 610 } });
  const readTile: typeof copy.readTile = async (place) => (place.index === 2 && place.level === 0 ? null : copy.readTile(place));
  expect((await verifyLog({ ...copy, isCopy: true, readTile })).problem).toMatchObject({ kind: "tile_changed" });
});
