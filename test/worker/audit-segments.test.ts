// Segment files of the audit log: round trips, filters against a scan of everything, and changed bytes.
import { beforeAll, describe, expect, it } from "vitest";
import { mulberry32 } from "../../cli/random.ts";
import type { LogEntry, LogFilter, SegmentRef } from "../../src/audit-log/contract.ts";
import { deflate, inflate } from "../../src/audit-log/segments/bytes.ts";
import { MAX_MERGED_BYTES, MAX_MERGED_ENTRIES, mergeSegments, planMerges } from "../../src/audit-log/segments/merge-segments.ts";
import { readSegment, readSegmentForward, SMALL_FILE_BYTES } from "../../src/audit-log/segments/read-segment.ts";
import { encodeFileTerms, fingerprint, MAX_FILE_TERMS, mayMatch } from "../../src/audit-log/segments/terms.ts";
import { type WrittenSegment, writeSegment } from "../../src/audit-log/segments/write-segment.ts";
import { getKeys } from "../../src/platform/config.ts";
import { type KeyRing, parseKeyRing } from "../../src/platform/crypto.ts";
import { times } from "../long.ts";
import { env } from "../world.ts";
import { countReads, HOUR, naiveList, randomEvents, SECOND, START, seededIds, toEntries } from "./audit-entries.ts";

const [HOSPITAL = "", ELSEWHERE = "", FURTHER = ""] = seededIds(1, 3);
const PATIENTS = seededIds(2, 40);
const ACTORS = seededIds(3, 12);
const INTEGRITY = { code: "integrity_error" };

let ring: KeyRing;
beforeAll(async () => {
  ring = (await getKeys(env)).audit;
});

const options = { hospitalId: HOSPITAL, patients: PATIENTS, actors: ACTORS, otherHospitals: [ELSEWHERE, FURTHER] };
function someEntries(seed: number, count: number, first = 0, more: { detailBytes?: number } = {}): LogEntry[] {
  const random = mulberry32(seed);
  const { detailBytes = 0 } = more;
  const hex = (random: () => number) =>
    Array.from({ length: detailBytes / 8 }, () => random().toString(16).slice(2, 10)).join("");
  const detail = detailBytes > 0 ? (random: () => number) => ({ hex: hex(random) }) : null;
  const spanned = { ...options, from: START, to: START + 24 * HOUR, ...(detail ? { detail } : {}) };
  return toEntries(random, randomEvents(random, count, spanned), first);
}

const write = (logId: string, entries: LogEntry[]) => writeSegment(env.FILES, ring, logId, "hour", entries);
const readAll = async (ref: SegmentRef, filter: LogFilter | null = null, keys = ring) =>
  (await Array.fromAsync(readSegment(env.FILES, keys, ref, filter))).flat();
const readForward = async (ref: SegmentRef, range = {}) =>
  (await Array.fromAsync(readSegmentForward(env.FILES, ring, ref, range))).flat();
const bytesOf = async (key: string) => new Uint8Array((await (await env.FILES.get(key))?.arrayBuffer()) ?? new ArrayBuffer());
/** 2,000 entries of 1 KB that do not compress: read by ranges. */
const largeEntries = () => someEntries(20, 2_000, 0, { detailBytes: 1_024 });

describe("round trip", () => {
  it.each([1, 255, 256, 257, 1_000])("%i entries that begin within a bundle", async (count) => {
    const entries = someEntries(count, count, 100);
    const { ref } = await write(`round-${count}`, entries);
    expect(await readForward(ref)).toEqual(entries);
    expect(await readAll(ref)).toHaveLength(count);
    expect(ref).toMatchObject({ first: 100, end: 100 + count, loggedFrom: entries[0]?.logged, loggedTo: entries.at(-1)?.logged });
    expect(ref.recordedFrom).toBe(Math.min(...entries.map(({ recorded }) => recorded)));
    expect(ref.recordedTo).toBe(Math.max(...entries.map(({ recorded }) => recorded)));
    expect(ref.key).toBe(`audit/round-${count}/000000000100-${100 + count}-hour`);
    expect(ref.size).toBe((await env.FILES.head(ref.key))?.size);
  });

  it("reads a part by sequence numbers, and a large file by ranges", async () => {
    const entries = largeEntries();
    const { ref } = await write("large", entries);
    expect(ref.size).toBeGreaterThan(2 * SMALL_FILE_BYTES);
    expect(await readForward(ref)).toEqual(entries);
    expect(await readForward(ref, { from: 700, end: 1_030 })).toEqual(entries.slice(700, 1_030));
    expect(await readForward(ref, { from: 5, end: 6 })).toEqual(entries.slice(5, 6));
  });

  it("gives blocks newest first, and stores no patient in clear", async () => {
    const entries = someEntries(4, 700);
    const { ref } = await write("order", entries);
    const blocks = await Array.fromAsync(readSegment(env.FILES, ring, ref, null));
    expect(blocks.map((block) => Math.min(...block.map(({ seq }) => seq)))).toEqual([512, 256, 0]);
    const text = new TextDecoder("latin1").decode(await bytesOf(ref.key));
    for (const word of [PATIENTS[0], ACTORS[0], "patient.read", "seed"]) expect(text).not.toContain(word);
  });

  it("splits a bundle of large entries into blocks of a bounded size", async () => {
    const subjects = seededIds(5, 1_000);
    const entries = someEntries(5, 256).map((entry) => ({ ...entry, subjects }));
    const { ref } = await write("wide", entries);
    const blocks = await Array.fromAsync(readSegmentForward(env.FILES, ring, ref));
    expect(blocks.length).toBeGreaterThan(8);
    expect(blocks.flat()).toEqual(entries);
  });

  it("refuses no entries, a gap, and an entry larger than a block", async () => {
    const entries = someEntries(6, 3);
    const huge = entries.map((entry) => ({ ...entry, detail: { text: "x".repeat(4 * 1_024 * 1_024) } }));
    await expect(write("empty", [])).rejects.toThrow(RangeError);
    await expect(write("gap", [...entries.slice(0, 1), ...entries.slice(2)])).rejects.toThrow(RangeError);
    await expect(write("huge", huge)).rejects.toThrow(RangeError);
  });
});

describe("a file that is there already", () => {
  it("is kept and described when it holds the same entries", async () => {
    const entries = someEntries(7, 600);
    const first = await write("twice", entries);
    const before = await bytesOf(first.ref.key);
    expect(await write("twice", entries)).toEqual(first);
    expect(await bytesOf(first.ref.key)).toEqual(before);
  });

  it("is an error when it holds others", async () => {
    await write("other", someEntries(8, 30));
    await expect(write("other", someEntries(9, 30))).rejects.toMatchObject(INTEGRITY);
  });
});

/** Filters of each kind, alone and combined, from seeded numbers. */
function randomFilter(random: () => number): LogFilter {
  const one = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)];
  const maybe = (chance: number) => random() < chance;
  const from = START + Math.floor(random() * 24) * HOUR - 5 * HOUR;
  const actorId = maybe(0.3) ? one(ACTORS) : undefined;
  const event = maybe(0.3) ? one(["patient.read", "login", "unknown"]) : undefined;
  const outcome = maybe(0.3) ? one(["success", "denied", "failed"] as const) : undefined;
  const actorHospitalId = maybe(0.1) ? one([ELSEWHERE, HOSPITAL]) : undefined;
  return {
    patientIds: maybe(0.6) ? [one(PATIENTS) ?? "", ...(maybe(0.3) ? [one(PATIENTS) ?? ""] : [])] : null,
    ...(actorId === undefined ? {} : { actorId }),
    ...(event === undefined ? {} : { event }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(maybe(0.3) ? { from } : {}),
    ...(maybe(0.3) ? { to: from + Math.floor(random() * 10) * HOUR + SECOND } : {}),
    ...(maybe(0.2) ? { isAbroad: true } : {}),
    ...(maybe(0.1) ? { hospitalId: maybe(0.5) ? HOSPITAL : ELSEWHERE } : {}),
    ...(actorHospitalId === undefined ? {} : { actorHospitalId }),
  };
}

describe("filters", () => {
  it("give what a scan gives, before and after a merge", { timeout: 120_000 }, async () => {
    const entries = someEntries(10, 1_500);
    const parts = [entries.slice(0, 300), entries.slice(300, 1_100), entries.slice(1_100)];
    const hours: WrittenSegment[] = [];
    for (const part of parts) hours.push(await write("merge", part));
    const refs = hours.map(({ ref }) => ref);
    const day = await mergeSegments(env.FILES, ring, "merge", "day", refs);
    expect(day).toEqual(await mergeSegments(env.FILES, ring, "merge", "day", refs));
    expect(day.ref).toMatchObject({ first: 0, end: 1_500, key: "audit/merge/000000000000-1500-day" });
    expect(await readForward(day.ref)).toEqual(entries);
    const random = mulberry32(11);
    let [matched, excluded] = [0, 0];
    for (let i = 0; i < times(60, 600); i++) {
      const filter = randomFilter(random);
      for (const [part, { ref, terms }] of [
        [entries, day] as const,
        ...parts.map((part, n) => [part, hours[n] ?? day] as const),
      ]) {
        const expected = naiveList(part, filter).map(({ seq }) => seq);
        const found = (await readAll(ref, filter)).map(({ seq }) => seq);
        expect(
          found.toSorted((a, b) => a - b),
          JSON.stringify(filter),
        ).toEqual(expected.toSorted((a, b) => a - b));
        const may = mayMatch(terms, filter);
        if (expected.length > 0) expect(may, JSON.stringify(filter)).toBe(true);
        matched += expected.length;
        if (!may) excluded++;
      }
    }
    expect(matched).toBeGreaterThan(1_000);
    expect(excluded).toBeGreaterThan(10);
  });

  it("read few blocks of a large file", async () => {
    const rare = "00000000-0000-7000-8000-00000000000a";
    const entries = largeEntries().map((entry) => ({ ...entry, subjects: entry.seq === 300 ? [rare] : entry.subjects }));
    const { ref, terms } = await write("few", entries);
    const { bucket, reads } = countReads(env.FILES);
    const filter = { patientIds: [rare] };
    const found = (await Array.fromAsync(readSegment(bucket, ring, ref, filter))).flat();
    expect(found.map(({ seq }) => seq)).toEqual([300]);
    expect(reads()).toBe(2);
    expect(mayMatch(terms, filter)).toBe(true);
    expect(mayMatch(terms, { patientIds: ["00000000-0000-7000-8000-00000000000b"] })).toBe(false);
  });

  it("match every filter when a file has too many terms to store", () => {
    const terms = encodeFileTerms(Array.from({ length: MAX_FILE_TERMS + 1 }, (_, i) => i));
    expect(mayMatch(terms, { patientIds: ["unknown"] })).toBe(true);
    expect(mayMatch(encodeFileTerms([fingerprint("e:login")]), { patientIds: null, event: "login" })).toBe(true);
    expect(mayMatch(encodeFileTerms([fingerprint("e:login")]), { patientIds: null, event: "logout" })).toBe(false);
  });
});

describe("merging", () => {
  const ref = (first: number, end: number, size = 1_000) => ({ first, end, size }) as SegmentRef;

  it("groups up to the bounds of a file and splits no segment", () => {
    const days = Array.from({ length: 5 }, (_, i) => ref(i * 30_000, (i + 1) * 30_000));
    expect(planMerges(days).map((group) => group.length)).toEqual([2, 2, 1]);
    expect(planMerges([ref(0, MAX_MERGED_ENTRIES), ref(MAX_MERGED_ENTRIES, MAX_MERGED_ENTRIES + 1)])).toHaveLength(2);
    expect(planMerges([ref(0, 9, MAX_MERGED_BYTES), ref(9, 10, 1)])).toHaveLength(2);
    expect(planMerges([])).toEqual([]);
  });

  it("refuses a gap and what exceeds a file", async () => {
    const entries = someEntries(12, 90);
    const [a, , c] = [await write("gaps", entries.slice(0, 30)), null, await write("gaps", entries.slice(60))];
    await expect(mergeSegments(env.FILES, ring, "gaps", "day", [a.ref, c.ref])).rejects.toThrow(RangeError);
    expect(() => mergeSegments(env.FILES, ring, "gaps", "day", [ref(0, 60_000), ref(60_000, 70_000)])).toThrow(RangeError);
  });
});

describe("changed bytes", () => {
  /** Reads with a filter for no patient and all; either must fail, because nothing may be read from a changed index. */
  const expectRefused = async (ref: SegmentRef, keys = ring) => {
    await expect(readAll(ref, null, keys)).rejects.toMatchObject(INTEGRITY);
    await expect(Array.fromAsync(readSegmentForward(env.FILES, keys, ref))).rejects.toMatchObject(INTEGRITY);
  };

  it("are found in every region of a small file", async () => {
    const { ref } = await write("flip", someEntries(13, 600));
    const good = await bytesOf(ref.key);
    const header = Array.from({ length: 20 }, (_, i) => i);
    const random = mulberry32(14);
    const anywhere = Array.from({ length: times(60, 600) }, () => Math.floor(random() * good.length));
    for (const at of [...header, ref.indexSize - 1, ref.indexSize, good.length - 1, ...anywhere]) {
      const bad = good.slice();
      bad[at] = (bad[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      await env.FILES.put(ref.key, bad);
      await expectRefused(ref);
    }
    await env.FILES.put(ref.key, good);
    expect(await readAll(ref)).toHaveLength(600);
  });

  it("are found in a large file, and where it is cut, extended or empty", async () => {
    const { ref } = await write("flip-large", largeEntries());
    const good = await bytesOf(ref.key);
    for (const at of [0, 3, ref.indexSize - 5, ref.indexSize + 3, good.length >> 1, good.length - 1]) {
      const bad = good.slice();
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      await env.FILES.put(ref.key, bad);
      await expectRefused(ref);
    }
    const cut = [
      good.slice(0, 9),
      good.slice(0, ref.indexSize),
      good.slice(0, -1),
      new Uint8Array([...good, 0]),
      new Uint8Array(),
    ];
    for (const bad of cut) {
      await env.FILES.put(ref.key, bad);
      await expectRefused(ref);
    }
  });

  it("another file, another place of a block, another key or another reference is refused", async () => {
    const a = await write("swap-a", someEntries(15, 600));
    const b = await write("swap-b", someEntries(15, 600));
    const [bytesA, bytesB] = [await bytesOf(a.ref.key), await bytesOf(b.ref.key)];
    await env.FILES.put(a.ref.key, bytesB);
    await expectRefused({ ...a.ref, size: b.ref.size, indexSize: b.ref.indexSize });
    await env.FILES.put(a.ref.key, bytesA);
    const otherRing = await parseKeyRing(`${ring.currentKid}:${btoa("0123456789abcdef0123456789abcdef")}`);
    const otherId = await parseKeyRing(`other:${btoa("0123456789abcdef0123456789abcdef")}`);
    for (const keys of [otherRing, otherId]) await expectRefused(a.ref, keys);
    for (const wrong of [{ first: 1 }, { end: 599 }, { indexSize: a.ref.indexSize - 1 }, { size: a.ref.size + 1 }])
      await expectRefused({ ...a.ref, ...wrong });
    expect(await readAll(a.ref)).toHaveLength(600);
  });

  it("a block that would expand beyond its length is refused", async () => {
    const packed = await deflate(new Uint8Array(8 * 1_024 * 1_024));
    await expect(inflate(packed, 1_000)).rejects.toMatchObject(INTEGRITY);
    await expect(inflate(packed.slice(0, 100), 8 * 1_024 * 1_024)).rejects.toMatchObject(INTEGRITY);
    await expect(inflate(new Uint8Array([1, 2, 3]), 10)).rejects.toMatchObject(INTEGRITY);
    expect(await inflate(await deflate(new Uint8Array(9)), 9)).toEqual(new Uint8Array(9));
  });
});
