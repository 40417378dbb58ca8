// The object of an audit log: one order for concurrent appends, repeated ids, bounds, lists, proofs, retention and moved rows.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_EVENT_LENGTH } from "../../src/audit-log/append.ts";
import { MAX_CLOSED_ENTRIES } from "../../src/audit-log/closing.ts";
import { type AuditLogEvent, MAX_APPENDED, MAX_SELECTED, MAX_SUBJECTS } from "../../src/audit-log/contract.ts";
import { leafBytes } from "../../src/audit-log/tree/leaf.ts";
import { parseCheckpoint } from "../../src/audit-log/tree/note.ts";
import { verifyConsistency, verifyInclusion } from "../../src/audit-log/tree/proof.ts";
import { dumpStorage } from "../object-storage.ts";
import { env } from "../world.ts";
import {
  type Around,
  alarmOf,
  appendAll,
  countRows,
  DAY,
  evict,
  expectWhole,
  HOUR,
  inside,
  listEntries,
  MINUTE,
  newEvent,
  newEvents,
  newLog,
  readLog,
  rowsOf,
  runDue,
  START,
  segmentFiles,
  treeHash,
  withInstance,
} from "./audit-log-world.ts";

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());
const at = (time: number) => void vi.setSystemTime(START + time);
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

describe("append", () => {
  it("gives fifty appends at once one order and one tree", async () => {
    const log = newLog();
    const batches = Array.from({ length: 50 }, (_, i) => newEvents(1 + (i % 3), { request_id: `request-${i}` }));
    await Promise.all(batches.map((events) => env.AUDIT_LOG.getByName(log.logId).append(events)));
    const entries = await expectWhole(log, batches.flat());
    for (const events of batches) {
      const seqs = events.map(({ id }) => entries.findIndex((entry) => entry.id === id));
      expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? -1) + i));
    }
    const { size, rootHash } = await log.stub.checkpoint();
    expect(size).toBe(batches.flat().length);
    expect(rootHash).toBe(treeHash(entries.map(leafBytes)).toString("base64"));
  });

  it("writes one row per event, and reads the last rows alone when it wakes", async () => {
    const { stub } = newLog();
    await stub.append(newEvents(200));
    expect(await alarmOf(stub)).toBe(START + HOUR);
    at(30 * MINUTE);
    const { read, written } = await countRows(stub, newEvents(3));
    expect(written).toBe(3);
    expect(read).toBeLessThan(20);
    expect(await rowsOf(stub, "SELECT seq FROM entries")).toHaveLength(203);
  });

  it("never lets the time of entries decrease", async () => {
    const log = newLog();
    const events = newEvents(1);
    await log.stub.append(events);
    at(-5 * MINUTE);
    await evict(log.stub);
    const earlier = newEvents(1);
    await log.stub.append(earlier);
    const entries = await expectWhole(log, [...events, ...earlier]);
    expect(entries.map(({ logged }) => logged)).toEqual([START, START]);
  });

  it.each<[string, () => AuditLogEvent[], RegExp]>([
    ["too many events", () => newEvents(MAX_APPENDED + 1), /at most 200 events/],
    ["too many patients", () => [newEvent({ subjects: Array.from({ length: MAX_SUBJECTS + 1 }, (_, i) => `p${i}`) })], /1000/],
    ["a patient twice", () => [newEvent({ subjects: ["a", "a"] })], /each patient once/],
    ["an id without a time", () => [newEvent({ id: crypto.randomUUID() })], /UUIDv7/],
    ["a long leaf", () => [newEvent({ request_id: "r".repeat(65_500) })], /65535 bytes/],
    ["a long detail", () => [newEvent({ detail: { text: "x".repeat(MAX_EVENT_LENGTH) } })], /131072 characters/],
    ["a value that JSON has no exact form for", () => [newEvent({ request_id: "\ud800" })], /canonical form/],
  ])("refuses %s, and stores nothing of the call", async (_, events, message) => {
    const { stub } = newLog();
    const before = newEvents(1);
    await stub.append(before);
    await expect(inside(stub, (log) => log.append([newEvent(), ...events()].slice(-(MAX_APPENDED + 1))))).rejects.toThrow(
      message,
    );
    expect((await readLog(stub)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  });

  it("takes an event at each bound", async () => {
    const log = newLog();
    const subjects = Array.from({ length: MAX_SUBJECTS }, () => crypto.randomUUID());
    const events = [newEvent({ subjects }), ...newEvents(MAX_APPENDED - 1)];
    await log.stub.append(events);
    await expectWhole(log, events);
  });
});

describe("a repeated id", () => {
  /** Appends again what the log has, and one event that is new. */
  async function repeat(log: ReturnType<typeof newLog>, events: AuditLogEvent[]): Promise<void> {
    const fresh = newEvent();
    await log.stub.append([...events.slice(0, 100), fresh]);
    await log.stub.append([fresh, ...events.slice(0, 100)]);
    await expectWhole(log, [...events, fresh]);
  }

  it("is known from memory", async () => {
    const log = newLog();
    const events = newEvents(5);
    await log.stub.append([...events, ...events]);
    await repeat(log, events);
  });

  it.each([0, 1, 10, 45])("is found in rows by an object that woke %i minutes later", async (minutes) => {
    const log = newLog();
    const events = newEvents(5);
    await log.stub.append(events);
    at(minutes * MINUTE);
    await evict(log.stub);
    await repeat(log, events);
  });

  it("is known just after its segment was closed, without a read of R2", async () => {
    const log = newLog();
    const events = newEvents(300);
    await appendAll(log.stub, events);
    at(HOUR);
    const late = newEvents(2);
    await log.stub.append(late);
    await runDue(log.stub);
    expect((await log.stub.status()).closedEnd).toBe(302);
    const ops: string[] = [];
    const watch: Around = (op, run) => {
      ops.push(op);
      return run();
    };
    await withInstance(log.stub, watch, (object) => object.append([...late, newEvent()]));
    expect(ops).not.toContain("get");
    expect((await log.stub.status()).size).toBe(303);
  });

  it.each([2 * HOUR, 30 * HOUR, 70 * DAY])("is found in closed segments %i ms later", async (later) => {
    const log = newLog();
    const events = newEvents(5);
    await log.stub.append(events);
    for (let time = HOUR; time <= later; time += Math.max(HOUR, later / 4)) {
      at(time);
      const more = newEvents(3);
      events.push(...more);
      await log.stub.append(more);
      await runDue(log.stub);
    }
    at(later);
    await evict(log.stub);
    await repeat(log, events);
  });

  it("is stored once by appends at the same time, also of an old id", async () => {
    const log = newLog();
    const [old] = newEvents(1);
    if (!old) throw new Error("no event");
    const others = newEvents(2);
    await log.stub.append(others);
    at(HOUR);
    await runDue(log.stub);
    at(3 * HOUR);
    await evict(log.stub);
    await Promise.all(Array.from({ length: 20 }, () => log.stub.append([old, ...others])));
    await expectWhole(log, [...others, old]);
  });

  it("is stored twice by a log without the search, which the check finds", async () => {
    const log = newLog();
    const events = newEvents(2);
    await log.stub.append(events);
    // What an object does that knows only the ids since it woke.
    await inside(log.stub, (_, { storage }) => {
      const query = "INSERT INTO entries SELECT seq + 2, id, logged, event, seed, leaf_hash, mac FROM entries";
      storage.sql.exec(query);
    });
    await expect(expectWhole(log, events)).rejects.toThrow();
  });
});

describe("a log without events", () => {
  it("stays empty on reads", async () => {
    const { logId, stub } = newLog();
    expect(await stub.select({ patientIds: null }, null, 10)).toEqual({ entries: [], segments: [], isComplete: true });
    expect(await stub.status()).toMatchObject({ size: 0, prunedUpTo: 0, heldFrom: null });
    expect(await stub.prove(newEvent().id)).toBeNull();
    expect(await stub.consistency(0, 1)).toBeNull();
    expect(await stub.readOpen(-1, 10)).toEqual({ entries: [], previousMac: "" });
    expect(await stub.listSegments(0, 10)).toEqual([]);
    expect(await stub.prune(START)).toEqual({ prunedUpTo: 0, isComplete: true });
    const { checkpoint, size } = await stub.checkpoint();
    expect([parseCheckpoint(checkpoint)?.origin, size]).toEqual([`edgecare/audit/${logId}`, 0]);
    expect(await inside(stub, (_, { storage }) => dumpStorage(storage.sql).schema)).toEqual([]);
  });

  it.each([0, MAX_SELECTED + 1, 1.5])("refuses a limit of %d", async (limit) => {
    await expect(inside(newLog().stub, (log) => log.select({ patientIds: null }, null, limit))).rejects.toThrow(/1000/);
  });
});

describe("closing", () => {
  it("closes at 4,096 entries without waiting for the hour", async () => {
    const log = newLog();
    const events = newEvents(MAX_CLOSED_ENTRIES + 30);
    await appendAll(log.stub, events);
    expect(await alarmOf(log.stub)).toBe(START);
    await runDue(log.stub);
    expect(await log.stub.status()).toMatchObject({ size: 4_126, closedEnd: 4_096, checkpointSize: 4_126 });
    expect(await alarmOf(log.stub)).toBe(START + HOUR);
    await expectWhole(log, events);
  });

  it("does not hold up appends", async () => {
    const log = newLog();
    const events = newEvents(20);
    await log.stub.append(events);
    at(HOUR);
    let appended = 0;
    let appendOne = () => {};
    const appending: Around = (op, run) => {
      if (op === "put" || op === "get") appendOne();
      return run();
    };
    await withInstance(log.stub, appending, async (object) => {
      appendOne = () => {
        const more = newEvents(1);
        expect(object.append(more)).toBe("stored");
        events.push(...more);
        appended += 1;
      };
      await object.alarm();
    });
    expect((await log.stub.status()).closedEnd).toBe(20);
    expect(appended).toBeGreaterThan(1);
    await expectWhole(log, events);
  });
});

describe("proofs", () => {
  it("verify for every entry, open and closed, and between all sizes", async () => {
    const log = newLog();
    const events: AuditLogEvent[] = [];
    const checkpoints: { size: number; root: Uint8Array }[] = [];
    for (const [hour, count] of [250, 10, 3, 40].entries()) {
      at(hour * 25 * HOUR);
      const more = newEvents(count);
      events.push(...more);
      await appendAll(log.stub, more);
      if (hour < 3) {
        at(hour * 25 * HOUR + HOUR);
        await runDue(log.stub);
      }
      const { size, rootHash } = await log.stub.checkpoint();
      checkpoints.push({ size, root: bytes(rootHash) });
    }
    const entries = await expectWhole(log, events);
    for (const entry of entries) {
      const proof = await log.stub.prove(entry.id);
      if (!proof) throw new Error("no proof");
      expect(proof.entry).toEqual(entry);
      const leafHash = treeHash([leafBytes(entry)]);
      const claim = { index: proof.index, size: proof.size, leafHash, root: bytes(proof.rootHash) };
      expect([verifyInclusion(claim, proof.hashes.map(bytes)), parseCheckpoint(proof.checkpoint)?.size]).toEqual([true, 303]);
      expect(verifyInclusion({ ...claim, leafHash: treeHash([]) }, proof.hashes.map(bytes))).toBe(false);
    }
    for (const [i, old] of checkpoints.entries()) {
      for (const next of checkpoints.slice(i)) {
        const hashes = await log.stub.consistency(old.size, next.size);
        expect(verifyConsistency(old, next, (hashes ?? []).map(bytes))).toBe(true);
      }
    }
    expect(await log.stub.consistency(1, 304)).toBeNull();
    expect(await log.stub.consistency(2, 1)).toBeNull();
    expect(await log.stub.prove(newEvent().id)).toBeNull();
    expect(await log.stub.prove("no id")).toBeNull();
  });

  it("of a new entry come with a checkpoint that covers it, made once for calls at the same time", async () => {
    const log = newLog();
    const [event, ...others] = newEvents(3);
    await log.stub.append([...(event ? [event] : []), ...others]);
    const proofs = await Promise.all(Array.from({ length: 10 }, () => log.stub.prove(event?.id ?? "")));
    expect(new Set(proofs.map((proof) => proof?.checkpoint)).size).toBe(1);
    expect(proofs[0]).toMatchObject({ index: 0, size: 3 });
    expect(await log.stub.prove(event?.id ?? "")).toEqual(proofs[0]);
  });

  it("are refused when R2 holds another tree", async () => {
    const log = newLog();
    await log.stub.append(newEvents(3));
    await env.FILES.put(`tlog/${log.logId}/tile/0/000.p/3`, new Uint8Array(96));
    await expect(inside(log.stub, (object) => object.checkpoint())).rejects.toThrow();
    expect((await log.stub.status()).checkpointSize).toBe(0);
  });
});

describe("retention", () => {
  /** A log with a segment per day. */
  async function logOfDays(days: number) {
    const log = newLog();
    const events: AuditLogEvent[] = [];
    for (let day = 0; day < days; day++) {
      at(day * DAY);
      const more = newEvents(2);
      events.push(...more);
      await log.stub.append(more);
      at(day * DAY + HOUR);
      await runDue(log.stub);
    }
    return { log, events };
  }

  it("deletes whole segments that are older, and keeps the tree", async () => {
    const { log, events } = await logOfDays(5);
    const before = await log.stub.checkpoint();
    expect(await log.stub.prune(START + 2 * DAY)).toEqual({ prunedUpTo: 4, isComplete: true });
    await runDue(log.stub);
    expect((await listEntries(log.stub, { patientIds: null })).map(({ seq }) => seq).sort()).toEqual([4, 5, 6, 7, 8, 9]);
    expect(await segmentFiles(log.logId)).toHaveLength(3);
    expect(await log.stub.checkpoint()).toEqual(before);
    expect(await log.stub.status()).toMatchObject({ size: 10, prunedUpTo: 4 });
    expect(await log.stub.prove(events[0]?.id ?? "")).toBeNull();
    const proof = await log.stub.prove(events[5]?.id ?? "");
    const leafHash = treeHash(proof ? [leafBytes(proof.entry)] : []);
    const claim = { index: 5, size: before.size, leafHash, root: bytes(before.rootHash) };
    expect(verifyInclusion(claim, (proof?.hashes ?? []).map(bytes))).toBe(true);
    // One whose last event is of the time itself stays.
    expect(await log.stub.prune(START + 2 * DAY)).toEqual({ prunedUpTo: 4, isComplete: true });
    expect(await log.stub.prune(START + 2 * DAY + 1)).toEqual({ prunedUpTo: 6, isComplete: true });
  });

  it("stops at a legal hold until it ends", async () => {
    const { log } = await logOfDays(4);
    await log.stub.setHold(START + DAY);
    await evict(log.stub);
    expect(await log.stub.prune(START + 100 * DAY)).toEqual({ prunedUpTo: 2, isComplete: true });
    expect(await log.stub.status()).toMatchObject({ heldFrom: START + DAY });
    await log.stub.setHold(null);
    expect(await log.stub.prune(START + 100 * DAY)).toEqual({ prunedUpTo: 8, isComplete: true });
    await log.stub.append(newEvents(1));
    expect((await readLog(log.stub)).map(({ seq }) => seq)).toEqual([8]);
  });

  it("keeps open entries, whatever their age", async () => {
    const log = newLog();
    await log.stub.append(newEvents(2));
    expect(await log.stub.prune(START + 100 * DAY)).toEqual({ prunedUpTo: 0, isComplete: true });
    expect(await readLog(log.stub)).toHaveLength(2);
  });
});

describe("rows of D1", () => {
  it("are moved in once each, in their order, however often they come", async () => {
    const log = newLog();
    const rows = Array.from({ length: 30 }, (_, i) => ({
      seq: 10 + 3 * i,
      event: newEvent({ recorded: START - (40 - i) * DAY }),
    }));
    const own = newEvents(2);
    await log.stub.append(own.slice(0, 1));
    expect(await log.stub.moveIn(rows.slice(0, 12))).toBe(43);
    expect(await log.stub.moveIn(rows.slice(0, 20))).toBe(67);
    await evict(log.stub);
    expect(await log.stub.moveIn(rows.slice(5, 20))).toBe(67);
    await log.stub.append(own.slice(1));
    expect(await log.stub.moveIn(rows)).toBe(97);
    expect(await log.stub.status()).toMatchObject({ movedSeq: 97, size: 32 });
    const entries = await expectWhole(log, [...own, ...rows.map(({ event }) => event)]);
    expect(entries.filter(({ recorded }) => recorded < START).map(({ id }) => id)).toEqual(rows.map(({ event }) => event.id));
    const lists = await listEntries(log.stub, { patientIds: ["patient-1"] });
    expect(lists.map(({ recorded }) => recorded)).toEqual(lists.map(({ recorded }) => recorded).sort((a, b) => b - a));
  });

  it("are refused out of order, with nothing of the call stored", async () => {
    const { stub } = newLog();
    const rows = [2, 1].map((seq) => ({ seq, event: newEvent() }));
    await expect(inside(stub, (log) => log.moveIn(rows))).rejects.toThrow(/ascend/);
    expect((await stub.status()).size).toBe(0);
  });
});
