// A log of a test: events with made-up actors and patients, its object's alarms, and what must hold of it at any time.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { createHash } from "node:crypto";
import { v7 } from "uuid";
import { expect } from "vitest";
import { AuditLog } from "../../src/audit-log/audit-log.ts";
import {
  type AuditLogEvent,
  compareNewestFirst,
  type LogEntry,
  type LogFilter,
  matchesFilter,
  type SegmentRef,
} from "../../src/audit-log/contract.ts";
import { toEntry } from "../../src/audit-log/entries.ts";
import { isChained, parseEntryKeys } from "../../src/audit-log/entry-chain.ts";
import { readSegment } from "../../src/audit-log/segments/read-segment.ts";
import { leafBytes } from "../../src/audit-log/tree/leaf.ts";
import { openCheckpoint } from "../../src/audit-log/tree/note.ts";
import { getKeys } from "../../src/platform/config.ts";
import { env } from "../world.ts";

/** Far ahead, so that no alarm of the object runs by itself during a test. */
export const START = Date.parse("2100-03-01T09:00:00Z");
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export type Stub = DurableObjectStub<AuditLog>;
export const newLog = (): { logId: string; stub: Stub } => {
  const logId = crypto.randomUUID();
  return { logId, stub: env.AUDIT_LOG.getByName(logId) };
};

/** An event of now, unless `recorded` says otherwise; its id is made at that time. */
export function newEvent(change: Partial<AuditLogEvent> = {}): AuditLogEvent {
  const recorded = change.recorded ?? Date.now();
  return {
    id: v7({ msecs: recorded }),
    recorded,
    event: "patient.read",
    action: "R",
    outcome: "success",
    reason: null,
    actor: { kind: "user", id: "actor-1", role: "nurse" },
    hospital_id: "hospital-1",
    actor_hospital_id: null,
    basis: "care_team",
    purpose: "treatment",
    entity: { type: "patient", id: "patient-1" },
    request_id: "request-1",
    ip: "203.0.113.7",
    detail: { count: 1 },
    subjects: ["patient-1"],
    ...change,
  };
}
export const newEvents = (count: number, change: Partial<AuditLogEvent> = {}): AuditLogEvent[] =>
  Array.from({ length: count }, () => newEvent(change));

/** Appends any number of events. */
export async function appendAll(stub: Stub, events: AuditLogEvent[]): Promise<void> {
  for (let i = 0; i < events.length; i += 200) await stub.append(events.slice(i, i + 200));
}

export const alarmOf = (stub: Stub) => runInDurableObject(stub, (_, state) => state.storage.getAlarm());

/** Runs the alarms that are due by now. @returns their number */
export async function runDue(stub: Stub): Promise<number> {
  for (let count = 0; count < 200; count++) {
    const at = await alarmOf(stub);
    if (at === null || at > Date.now()) return count;
    await runDurableObjectAlarm(stub);
  }
  throw new Error("the alarm does not come to rest");
}

export const rowsOf = <T extends Record<string, SqlStorageValue>>(stub: Stub, query: string) =>
  runInDurableObject(stub, (_, state) => state.storage.sql.exec<T>(query).toArray());

/** Around each operation of the stores of an instance: R2 requests, transactions and SQL statements. */
export type Around = <T>(op: string, run: () => T) => T;

/** The object with each named method going through `around`; `storage.sql` likewise. */
function wrapped<T extends object>(target: T, ops: readonly string[], around: Around): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (name === "sql") return wrapped(value as object, ["exec"], around);
      if (typeof value !== "function") return value;
      if (!ops.includes(String(name))) return value.bind(object);
      return (...args: unknown[]) => around(String(name), () => Reflect.apply(value, object, args));
    },
  });
}

/** Calls another instance of the object on the same storage, as a process would that may die; the object wakes afterwards. */
export async function withInstance<T>(stub: Stub, around: Around, work: (log: AuditLog) => Promise<T> | T): Promise<T> {
  await evictDurableObject(stub);
  const result = await runInDurableObject(stub, async (_, state) => {
    const log = new AuditLog(state, { ...env, FILES: wrapped(env.FILES, ["get", "put", "delete"], around) });
    const storage = wrapped(state.storage, ["transactionSync", "setAlarm"], around);
    Object.defineProperty(log, "ctx", {
      value: new Proxy(state, { get: (object, name) => (name === "storage" ? storage : Reflect.get(object, name)) }),
    });
    await scheduler.wait(0);
    return work(log);
  });
  await evictDurableObject(stub);
  return result;
}

/** Rows that an append reads and writes in an object that just woke. */
export async function countRows(stub: Stub, events: AuditLogEvent[]): Promise<{ read: number; written: number }> {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  const watch: Around = (op, run) => {
    const result = run();
    if (op === "exec") cursors.push(result as (typeof cursors)[number]);
    return result;
  };
  await withInstance(stub, watch, (log) => log.append(events));
  const sum = (count: (cursor: (typeof cursors)[number]) => number) =>
    cursors.reduce((total, cursor) => total + count(cursor), 0);
  return { read: sum(({ rowsRead }) => rowsRead), written: sum(({ rowsWritten }) => rowsWritten) };
}

export async function readRef(ref: SegmentRef, filter: LogFilter | null = null): Promise<LogEntry[]> {
  const { audit } = await getKeys(env);
  const found: LogEntry[] = [];
  for await (const entries of readSegment(env.FILES, audit, ref, filter)) found.push(...entries);
  return found;
}

/** All entries of a log by `seq`, from its segments and rows. */
export async function readLog(stub: Stub): Promise<LogEntry[]> {
  const segments = await stub.listSegments(0, 1_000);
  const closed = (await Promise.all(segments.map((ref) => readRef(ref)))).flat();
  const open = await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec<Parameters<typeof toEntry>[0]>("SELECT * FROM entries").toArray().map(toEntry),
  );
  return [...closed, ...open].sort((a, b) => a.seq - b.seq);
}

/** What a list shows: the object's selection and the segments that it names. */
export async function listEntries(stub: Stub, filter: LogFilter): Promise<LogEntry[]> {
  const { entries, segments, isComplete } = await stub.select(filter, null, 1_000);
  expect(isComplete).toBe(true);
  const closed = await Promise.all(segments.map((ref) => readRef(ref, filter)));
  return [...entries, ...closed.flat()].sort(compareNewestFirst);
}

export const naiveList = (entries: LogEntry[], filter: LogFilter): LogEntry[] =>
  entries.filter((entry) => matchesFilter(entry, filter)).sort(compareNewestFirst);

const hash = (...parts: Uint8Array[]): Buffer =>
  parts.reduce((digest, part) => digest.update(part), createHash("sha256")).digest();

/** Merkle Tree Hash as RFC 9162, section 2.1.1 defines it. */
export function treeHash(leaves: readonly Uint8Array[]): Buffer {
  const [first] = leaves;
  if (!first) return hash();
  if (leaves.length === 1) return hash(Uint8Array.of(0), first);
  const middle = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return hash(Uint8Array.of(1), treeHash(leaves.slice(0, middle)), treeHash(leaves.slice(middle)));
}

async function listKeys(prefix: string): Promise<string[]> {
  const { objects, truncated } = await env.FILES.list({ prefix });
  expect(truncated).toBe(false);
  return objects.map(({ key }) => key);
}
export const segmentFiles = (logId: string) => listKeys(`audit/${logId}/`);
export const checkpointFiles = (logId: string) => listKeys(`tlog/${logId}/checkpoints/`);

/**
 * That the log has exactly these events: once each, in one contiguous order with times that do not decrease, chained, in segments
 * without gaps, and all its checkpoints of one tree.
 */
export async function expectWhole({ logId, stub }: { logId: string; stub: Stub }, events: AuditLogEvent[]): Promise<LogEntry[]> {
  const entries = await readLog(stub);
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, i) => i));
  expect(entries.map(({ id }) => id).sort()).toEqual(events.map(({ id }) => id).sort());
  const byId = new Map(events.map((event) => [event.id, event]));
  for (const { seq, logged, seed, ...event } of entries) {
    expect(event).toEqual(byId.get(event.id));
    expect(logged).toBeGreaterThanOrEqual(entries[seq - 1]?.logged ?? 0);
    expect(seed).toHaveLength(22);
  }
  const segments = await stub.listSegments(0, 1_000);
  expect(segments.map(({ first }) => first)).toEqual([0, ...segments.map(({ end }) => end)].slice(0, segments.length));
  await expectChained(stub);
  const leaves = entries.map(leafBytes);
  const { auditSigners } = await getKeys(env);
  for (const key of await checkpointFiles(logId)) {
    const note = await (await env.FILES.get(key))?.text();
    const checkpoint = await openCheckpoint(auditSigners, logId, note ?? "");
    const { size = -1, rootHash } = checkpoint ?? {};
    expect(key).toBe(`tlog/${logId}/checkpoints/${String(size).padStart(12, "0")}`);
    expect(Buffer.from(rootHash ?? []).toString("hex")).toBe(treeHash(leaves.slice(0, size)).toString("hex"));
  }
  return entries;
}

async function expectChained(stub: Stub): Promise<void> {
  const { entries, previousMac } = await stub.readOpen(-1, 1_000);
  const keys = parseEntryKeys(env.AUDIT_KEYS);
  let previous = previousMac;
  for (const { seq, leafHash, mac } of entries) {
    expect(isChained(keys, previous, { seq, leafHash: Buffer.from(leafHash, "base64url"), mac })).toBe(true);
    previous = mac;
  }
}

/** The object as after a restart. */
export const evict = (stub: Stub) => evictDurableObject(stub);
