// A rotation of AUDIT_KEYS: every segment of a log is sealed again, whatever interrupts it, and the old key is then not needed.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditLog } from "../../src/audit-log/audit-log.ts";
import { openLogSource } from "../../src/audit-log/log-source.ts";
import { readLogs } from "../../src/audit-log/read-logs.ts";
import { getKeys } from "../../src/platform/config.ts";
import { verifyLog } from "../../verifier/verify-log.ts";
import { env } from "../world.ts";
import {
  type Around,
  alarmOf,
  DAY,
  HOUR,
  newEvents,
  newLog,
  readLog,
  readRef,
  runDue,
  START,
  segmentFiles,
  withInstance,
} from "./audit-log-world.ts";

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

type Log = ReturnType<typeof newLog>;
const NEW_KEY = `new1:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
/** The stages of `edgecare keys rotate` after `add`: the new key seals, then the old one is gone. */
const signing: Env = { ...env, AUDIT_KEYS: `${NEW_KEY},${env.AUDIT_KEYS}` };
const dropped: Env = { ...env, AUDIT_KEYS: NEW_KEY };

class Killed extends Error {}
const unharmed: Around = (_, run) => run();

/** Works in an instance with these keys, which is gone afterwards. */
async function withKeys<T>(
  { stub }: Log,
  bindings: Env,
  work: (object: AuditLog, state: DurableObjectState) => T | Promise<T>,
  around = unharmed,
): Promise<T> {
  await stub.status();
  return withInstance(stub, around, work, bindings);
}
const toReseal = (log: Log) => withKeys(log, signing, (object) => object.status().toReseal);

/** A log with a segment per day, and no open entries. */
async function newClosedLog(days: number): Promise<Log> {
  const log = newLog();
  for (let day = 0; day < days; day++) {
    vi.setSystemTime(START + day * DAY);
    await log.stub.append(newEvents(2));
    vi.setSystemTime(START + day * DAY + HOUR);
    await runDue(log.stub);
  }
  return log;
}

/** What cron does with a log that has no new events. */
const visit = (log: Log, bindings: Env) =>
  withKeys(log, bindings, (object) => void object.prune(0)).then(() => alarmOf(log.stub));

/** Runs the alarms that are due in an instance with these keys. @returns what was left to seal before each */
const runAlarms = (log: Log, bindings: Env, around = unharmed) =>
  withKeys(
    log,
    bindings,
    async (object, { storage }) => {
      const left: number[] = [];
      for (let count = 0; count < 20; count++) {
        const at = await storage.getAlarm();
        left.push(object.status().toReseal);
        if (at === null || at > Date.now()) return left;
        await storage.deleteAlarm();
        await object.alarm();
      }
      throw new Error("the alarm does not come to rest");
    },
    around,
  );

/** That lists and the verifier see the log as it was, without the old key. */
async function expectWithoutOldKey({ logId, stub }: Log, entries: { id: string }[]): Promise<void> {
  const listed = await readLogs(dropped, await getKeys(dropped), [{ logId, filter: { patientIds: null } }], null, 500);
  expect(listed.entries.map(({ id }) => id).sort()).toEqual(entries.map(({ id }) => id).sort());
  const { problem, checked } = await verifyLog(await openLogSource(dropped, logId));
  expect(problem).toBeNull();
  expect(checked.events).toBe(entries.length);
  const segments = await stub.listSegments(0, 100);
  const read = (await Promise.all(segments.map((ref) => readRef(ref, null, dropped)))).flat();
  expect(read.sort((a, b) => a.seq - b.seq)).toEqual(entries);
}

describe("a rotation of AUDIT_KEYS", () => {
  it("needs no call: cron's visit of a log wakes it, one segment per alarm, and leaves keep their bytes", async () => {
    const log = await newClosedLog(6);
    const entries = await readLog(log.stub);
    const before = await log.stub.listSegments(0, 10);
    vi.setSystemTime(START + 6 * DAY);
    await runDue(log.stub);
    expect(await visit(log, env)).toBeGreaterThan(Date.now());
    expect(await visit(log, signing)).toBeLessThanOrEqual(Date.now());
    const left = await runAlarms(log, signing);
    expect(left).toEqual([6, 5, 4, 3, 2, 1, 0]);
    const after = await log.stub.listSegments(0, 10);
    expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => `${key}-new1`));
    await expect(readRef(after[0] ?? expect.unreachable())).rejects.toMatchObject({ code: "integrity_error" });
    await expectWithoutOldKey(log, entries);
    vi.setSystemTime(START + 6 * DAY + 2 * HOUR);
    await runAlarms(log, signing);
    expect(await segmentFiles(log.logId)).toEqual(after.map(({ key }) => key));
  });

  it("seals what is closed and merged during it under the new key at once", async () => {
    const log = await newClosedLog(1);
    await runAlarms(log, signing);
    await withKeys(log, signing, (object) => object.append(newEvents(3)));
    vi.setSystemTime(START + 3 * DAY);
    await runAlarms(log, signing);
    await runAlarms(log, signing);
    expect(await toReseal(log)).toBe(0);
    const segments = await log.stub.listSegments(0, 10);
    const entries = (await Promise.all(segments.map((ref) => readRef(ref, null, signing)))).flat();
    await expectWithoutOldKey(
      log,
      entries.sort((a, b) => a.seq - b.seq),
    );
  });

  it.each([false, true])("continues when the process died at any operation (after it: %s)", async (after) => {
    for (let k = 1; ; k++) {
      const log = await newClosedLog(2);
      const entries = await readLog(log.stub);
      await visit(log, signing);
      let count = 0;
      const around: Around = (op, run) => {
        if (!["get", "put", "transactionSync"].includes(op) || ++count < k) return run();
        if (count > k || !after) throw new Killed();
        const result = run();
        return (result instanceof Promise ? result.then(() => Promise.reject(new Killed())) : fail()) as typeof result;
      };
      const fail = () => {
        throw new Killed();
      };
      await runAlarms(log, signing, around).catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
      await visit(log, signing);
      vi.setSystemTime(Date.now() + 10 * 60_000);
      await runAlarms(log, signing);
      expect(await toReseal(log)).toBe(0);
      await expectWithoutOldKey(log, entries);
      if (count < k) return;
    }
  });

  it("goes on past a file that does not open, reports it, and tries it again with other keys", async () => {
    const log = await newClosedLog(3);
    const entries = await readLog(log.stub);
    const [first = expect.unreachable()] = await log.stub.listSegments(0, 1);
    const file = await (await env.FILES.get(first.key))?.arrayBuffer();
    await env.FILES.put(first.key, new Uint8Array(file?.byteLength ?? 0));
    await visit(log, signing);
    expect(await runAlarms(log, signing)).toEqual([3, 2, 1]);
    await env.FILES.put(first.key, file ?? expect.unreachable());
    await visit(log, signing);
    vi.setSystemTime(Date.now() + HOUR);
    expect((await runAlarms(log, signing)).at(-1)).toBe(0);
    await expectWithoutOldKey(log, entries);
  });
});
