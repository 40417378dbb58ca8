// A process that dies at any operation of closing, merging and deleting: nothing is lost or repeated, and the tree never forks.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditLogEvent } from "../../src/audit-log/contract.ts";
import { isSampled } from "../long.ts";
import {
  type Around,
  DAY,
  expectWhole,
  HOUR,
  inside,
  newEvent,
  newEvents,
  newLog,
  runDue,
  START,
  type Stub,
  segmentFiles,
  withInstance,
} from "./audit-log-world.ts";

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

class Killed extends Error {}

/** Stops every operation from the `k`-th of the given names on; counts them. `after`: the `k`-th one happens. */
function killer(k: number, ops: readonly string[], after = false) {
  const seen: string[] = [];
  let isDead = false;
  const around: Around = (op, run) => {
    if (isDead) throw new Killed();
    if (!ops.includes(op)) return run();
    seen.push(op);
    if (seen.length < k) return run();
    isDead = true;
    if (!after) throw new Killed();
    const result = run();
    // Nobody waits for an alarm to be set.
    if (result instanceof Promise && op !== "setAlarm") return result.then(() => Promise.reject(new Killed())) as typeof result;
    throw new Killed();
  };
  return { around, seen, isDead: () => isDead };
}
const ALL = ["get", "put", "delete", "transactionSync", "setAlarm", "exec"];

/** Runs due alarms in a process that dies at the `k`-th operation, then in one that lives. @returns its operations */
async function dieThenRun(stub: Stub, k: number, after: boolean): Promise<string[]> {
  const { around, seen, isDead } = killer(k, ALL, after);
  for (let i = 0; i < 50 && !isDead(); i++) {
    const at = await inside(stub, (_, { storage }) => storage.getAlarm());
    if (at === null || at > Date.now()) break;
    // As the platform does: an alarm is gone once its handler has returned.
    await inside(stub, (_, { storage }) => storage.deleteAlarm());
    await withInstance(stub, around, (log) => log.alarm()).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    if (isDead()) await inside(stub, (_, { storage }) => storage.setAlarm(at));
  }
  await runDue(stub);
  return seen;
}

/** The short form tries each `every`-th operation, others after the operation instead of before it, and others each day. */
type Stage = { name: string; every: number; prepare: (log: ReturnType<typeof newLog>) => Promise<AuditLogEvent[]> };

const STAGES: Stage[] = [
  {
    name: "closing",
    every: 18,
    prepare: async ({ stub }) => {
      const events = newEvents(300);
      await stub.append(events.slice(0, 200));
      await stub.append(events.slice(200));
      vi.setSystemTime(START + HOUR);
      return events;
    },
  },
  {
    name: "merging a day",
    every: 9,
    prepare: async ({ stub }) => {
      const events: AuditLogEvent[] = [];
      for (let hour = 0; hour < 3; hour++) {
        vi.setSystemTime(START + hour * HOUR);
        const more = newEvents(3);
        events.push(...more);
        await stub.append(more);
        vi.setSystemTime(START + (hour + 1) * HOUR);
        await runDue(stub);
      }
      vi.setSystemTime(START + DAY);
      return events;
    },
  },
  {
    name: "merging a month",
    every: 9,
    prepare: async ({ stub }) => {
      const events: AuditLogEvent[] = [];
      for (let day = 0; day < 3; day++) {
        vi.setSystemTime(START + day * DAY);
        const more = newEvents(3);
        events.push(...more);
        await stub.append(more);
        vi.setSystemTime(START + day * DAY + HOUR);
        await runDue(stub);
      }
      vi.setSystemTime(START + 31 * DAY);
      return events;
    },
  },
  {
    name: "deleting replaced files",
    every: 9,
    prepare: async (log) => {
      const events = await STAGES[1]?.prepare(log);
      await runDue(log.stub);
      vi.setSystemTime(Date.now() + HOUR);
      return events ?? [];
    },
  },
];

/** After an hour only the files of the list are left. */
async function expectNoOrphans({ logId, stub }: ReturnType<typeof newLog>): Promise<void> {
  for (let hour = 1; hour <= 3; hour++) {
    vi.setSystemTime(Date.now() + HOUR);
    await runDue(stub);
  }
  const listed = await stub.listSegments(0, 1_000);
  expect(await segmentFiles(logId)).toEqual(listed.map(({ key }) => key).sort());
}

async function crashAt({ prepare }: Stage, k: number, after: boolean): Promise<number> {
  vi.setSystemTime(START);
  const log = newLog();
  const events = await prepare(log);
  const ops = await dieThenRun(log.stub, k, after);
  // Everything goes on, also for an id that the log has.
  const more = newEvent();
  await log.stub.append([more, ...events.slice(-2)]);
  await expectWhole(log, [...events, more]);
  await expectNoOrphans(log);
  await expectWhole(log, [...events, more]);
  return ops.length;
}

describe.each(STAGES)("a process that dies while $name", (stage) => {
  it.each([false, true])("loses and repeats nothing; the operation happened: %s", async (after) => {
    const count = await crashAt(stage, Number.POSITIVE_INFINITY, false);
    expect(count).toBeGreaterThan(5);
    const every = Math.min(stage.every, count);
    for (let k = 1; k <= count; k++) if (isSampled(k, Number(after), every)) await crashAt(stage, k, after);
  });
});

describe("a log that closes in the wrong order", () => {
  it("loses entries when it dies, which the check finds", async () => {
    const log = newLog();
    const events = newEvents(3);
    await log.stub.append(events);
    vi.setSystemTime(START + HOUR);
    // The known-bad twin: rows go before the file is stored.
    const { around } = killer(1, ["put"]);
    await inside(log.stub, (_, { storage }) => void storage.sql.exec("DELETE FROM entries WHERE seq < 2"));
    await withInstance(log.stub, around, (object) => object.alarm()).catch(() => undefined);
    await expect(expectWhole(log, events)).rejects.toThrow();
  });
});

describe("a bucket that fails", () => {
  it("is tried again after 5 s, then ever later up to 5 minutes, while appends go on", async () => {
    const log = newLog();
    const events = newEvents(3);
    await log.stub.append(events);
    vi.setSystemTime(START + HOUR);
    const failing: Around = (op, run) => {
      if (op === "put") throw new Error("no R2");
      return run();
    };
    const waits = await withInstance(log.stub, failing, async (object, { storage }) => {
      const found: number[] = [];
      for (let i = 0; i < 8; i++) {
        await object.alarm();
        const more = newEvents(1);
        await object.append(more);
        events.push(...more);
        const next = (await storage.getAlarm()) ?? 0;
        found.push((next - Date.now()) / 1_000);
        vi.setSystemTime(next);
      }
      return found;
    });
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
    await expectWhole(log, events);
    await runDue(log.stub);
    // The range was fixed by the first attempt.
    expect((await log.stub.status()).closedEnd).toBe(3);
    await expectWhole(log, events);
  });
});
