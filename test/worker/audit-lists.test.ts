// Lists over several audit logs: every entry once, newest first, with few reads of R2.
import { beforeAll, describe, expect, it } from "vitest";
import { mulberry32 } from "../../cli/random.ts";
import {
  type AuditLogEvent,
  compareNewestFirst,
  type LogEntry,
  type LogFilter,
  type LogPosition,
  logsOf,
  NO_HOSPITAL_LOG,
} from "../../src/audit-log/contract.ts";
import {
  type ListedEntry,
  type LogPage,
  type LogSource,
  MAX_LISTED_ENTRIES,
  MAX_LISTED_LOGS,
  MAX_READS,
  readLogs,
  readLogsFrom,
} from "../../src/audit-log/read-logs.ts";
import { mergeSegments } from "../../src/audit-log/segments/merge-segments.ts";
import { SMALL_FILE_BYTES } from "../../src/audit-log/segments/read-segment.ts";
import { writeSegment } from "../../src/audit-log/segments/write-segment.ts";
import { getKeys } from "../../src/platform/config.ts";
import type { KeyRing } from "../../src/platform/crypto.ts";
import { times, VERIFY } from "../long.ts";
import { env } from "../world.ts";
import {
  countReads,
  HOUR,
  naiveList,
  ownLogOf,
  randomEvents,
  START,
  seededIds,
  segmentLog,
  sourceOf,
  type TestLog,
  toEntries,
} from "./audit-entries.ts";

const DAY = 24 * HOUR;
const ALL: LogFilter = { patientIds: null };
const PATIENTS = seededIds(102, 60);
const ACTORS = seededIds(103, 12);

let ring: KeyRing;
beforeAll(async () => {
  ring = (await getKeys(env)).audit;
});

type Page = { entries: ListedEntry[]; reads: number };

/** Reads page after page to the end. */
async function readPages(logs: TestLog[], filter: LogFilter, limit: number, before: LogPosition | null = null): Promise<Page[]> {
  const asked = logs.map(({ logId }) => ({ logId, filter }));
  const pages: Page[] = [];
  let position = before;
  do {
    const { bucket, reads } = countReads(env.FILES);
    const { entries, next } = await readLogsFrom(sourceOf(ring, bucket, logs), asked, position, limit);
    pages.push({ entries, reads: reads() });
    if (next && position) expect(compareNewestFirst(position, next)).toBeLessThan(0);
    position = next;
  } while (position);
  return pages;
}

const idsOf = (entries: { id: string }[]) => entries.map(({ id }) => id);
const entriesOf = (pages: Page[]) => pages.flatMap(({ entries }) => entries);
/** Every event once. */
const distinct = (entries: LogEntry[]) => [...new Map(entries.map((entry) => [entry.id, entry])).values()];

/** Two hospitals whose staff also work at the other one, so that some events stand in both logs. */
async function twoLogs(seed: number, count: number, prefix: string) {
  const random = mulberry32(seed);
  const hospitals = [`${prefix}-a`, `${prefix}-b`];
  const events = hospitals.flatMap((hospitalId) => {
    const otherHospitals = hospitals.filter((id) => id !== hospitalId);
    return randomEvents(random, count, {
      hospitalId,
      otherHospitals,
      patients: PATIENTS,
      actors: ACTORS,
      from: START,
      to: START + DAY,
    });
  });
  const all: LogEntry[] = [];
  const logs: TestLog[] = [];
  for (const [i, logId] of hospitals.entries()) {
    const own = events.filter(({ event }) => logsOf(event).includes(logId)).sort((a, b) => a.logged - b.logged);
    const entries = toEntries(random, own);
    all.push(...entries);
    const cuts = [0.2, 0.35, 0.5, 0.7, i === 0 ? 0.9 : 0.95].map((part) => Math.floor(entries.length * part));
    const log = await segmentLog(ring, logId, entries, cuts);
    const merged = log.segments.slice(0, 3).map(({ ref }) => ref);
    const day = await mergeSegments(env.FILES, ring, logId, "day", merged);
    logs.push({ ...log, segments: [day, ...log.segments.slice(3)] });
  }
  return { logs, all };
}

describe("paging", () => {
  it("visits every entry once, newest first, with any limit", { timeout: 120_000 }, async () => {
    const { logs, all } = await twoLogs(104, times(500, 3_000), "paging");
    const expected = idsOf(distinct(naiveList(all, ALL)));
    // The entries are late, equal in time and in two logs: a list that trusts the order of segments or entries fails.
    const bySequence = logs.flatMap(({ logId }) => all.filter((entry) => ownLogOf(entry) === logId).reverse());
    expect(idsOf(bySequence)).not.toEqual(idsOf(bySequence.toSorted(compareNewestFirst)));
    expect(expected.length).toBeLessThan(all.length - 50);
    expect(new Set(all.map(({ recorded }) => recorded)).size).toBeLessThan(expected.length - 10);
    for (const limit of [7, 20, 100, MAX_LISTED_ENTRIES]) {
      const pages = await readPages(logs, ALL, limit);
      expect(idsOf(entriesOf(pages)), `limit ${limit}`).toEqual(expected);
      for (const { entries, reads } of pages) {
        expect(reads).toBeLessThanOrEqual(MAX_READS);
        expect(entries.length).toBeLessThanOrEqual(limit);
      }
    }
    for (const entry of entriesOf(await readPages(logs, ALL, 100))) expect(entry.log).toBe(ownLogOf(entry));
  });

  it("gives what a scan gives for a filter from any position", async () => {
    const { logs, all } = await twoLogs(105, 300, "positions");
    const random = mulberry32(106);
    const someone = (ids: string[]) => ids[Math.floor(random() * ids.length)] ?? "";
    for (let i = 0; i < times(25, 250); i++) {
      const at = all[Math.floor(random() * all.length)];
      const filter: LogFilter =
        i % 3 === 0
          ? { patientIds: [someone(PATIENTS)] }
          : i % 3 === 1
            ? { ...ALL, actorId: someone(ACTORS) }
            : { ...ALL, isAbroad: true };
      const before = at ? { recorded: at.recorded, id: at.id } : null;
      const pages = await readPages(logs, filter, 1 + Math.floor(random() * 30), before);
      expect(idsOf(entriesOf(pages))).toEqual(idsOf(distinct(naiveList(all, filter, before))));
    }
  });

  it("asks nothing for no patients, and has bounds", async () => {
    const { bucket, reads } = countReads(env.FILES);
    const select: LogSource["select"] = () => Promise.reject(new Error("asked"));
    const source: LogSource = { select, bucket, keys: { audit: ring } };
    expect(await readLogsFrom(source, [{ logId: "none", filter: { patientIds: [] } }], null, 10)).toEqual({
      entries: [],
      next: null,
    });
    expect(reads()).toBe(0);
    const logs = (count: number) => Array.from({ length: count }, (_, i) => ({ logId: `log-${i}`, filter: { patientIds: [] } }));
    await expect(readLogsFrom(source, logs(MAX_LISTED_LOGS + 1), null, 10)).rejects.toThrow(RangeError);
    expect((await readLogsFrom(source, logs(MAX_LISTED_LOGS), null, 10)).entries).toEqual([]);
    for (const limit of [0, 1.5, MAX_LISTED_ENTRIES + 1])
      await expect(readLogsFrom(source, [], null, limit)).rejects.toThrow(RangeError);
  });

  it("asks at most six objects at once", async () => {
    let [running, most] = [0, 0];
    const select: LogSource["select"] = async () => {
      most = Math.max(most, ++running);
      await scheduler.wait(1);
      running--;
      return { entries: [], segments: [], isComplete: true };
    };
    const logs = Array.from({ length: 50 }, (_, i) => ({ logId: `log-${i}`, filter: ALL }));
    await readLogsFrom({ select, bucket: env.FILES, keys: { audit: ring } }, logs, null, 10);
    expect(most).toBe(6);
  });
});

describe("many segments", () => {
  /** `count` logs of the same hours, in segments that overlap in time. */
  async function manyLogs(count: number, prefix: string): Promise<{ logs: TestLog[]; all: LogEntry[] }> {
    const random = mulberry32(107);
    const logs: TestLog[] = [];
    const all: LogEntry[] = [];
    for (let i = 0; i < count; i++) {
      const spanned = { hospitalId: `${prefix}-${i}`, patients: PATIENTS, actors: ACTORS, from: START, to: START + DAY };
      const entries = toEntries(random, randomEvents(random, 24, spanned));
      logs.push(await segmentLog(ring, spanned.hospitalId, entries, [10, 22]));
      all.push(...entries);
    }
    return { logs, all };
  }

  it("an early end leaves out nothing and repeats nothing", async () => {
    const { logs, all } = await manyLogs(9, "many");
    const pages = await readPages(logs, ALL, 250);
    expect(idsOf(entriesOf(pages))).toEqual(idsOf(naiveList(all, ALL)));
    expect(Math.max(...pages.map(({ reads }) => reads))).toBeLessThanOrEqual(MAX_READS);
    const rare = await readPages(logs, { patientIds: PATIENTS.slice(0, 1) }, 5);
    expect(idsOf(entriesOf(rare))).toEqual(idsOf(naiveList(all, { patientIds: PATIENTS.slice(0, 1) })));
  });

  it("moves on where more logs than reads cover one time", async () => {
    const { logs, all } = await manyLogs(30, "wide");
    const pages = await readPages(logs, ALL, 100);
    expect(idsOf(entriesOf(pages))).toEqual(idsOf(naiveList(all, ALL)));
    expect(pages.some(({ reads }) => reads > MAX_READS)).toBe(true);
    expect(Math.max(...pages.map(({ reads }) => reads))).toBeLessThanOrEqual(60);
  });

  /** An object that names this many segments at a time. */
  function naming(count: number, log: TestLog): LogSource {
    const complete = sourceOf(ring, env.FILES, [log]);
    const select: LogSource["select"] = async (...asked) => {
      const { entries, segments } = await complete.select(...asked);
      return { entries, segments: segments.slice(0, count), isComplete: segments.length <= count };
    };
    return { ...complete, select };
  }

  it("come page by page when the object does not name all of them at once", async () => {
    const random = mulberry32(113);
    const spanned = { hospitalId: "unnamed", patients: PATIENTS, actors: ACTORS, from: START, to: START + DAY };
    const events = randomEvents(random, 40, spanned).map(({ logged, event }) => ({
      logged,
      event: { ...event, recorded: logged },
    }));
    const entries = toEntries(random, events);
    const log = await segmentLog(ring, "unnamed", entries, [10, 20, 30, 38]);
    const found: LogEntry[] = [];
    let position: LogPosition | null = null;
    do {
      const page: LogPage = await readLogsFrom(naming(2, log), [{ logId: "unnamed", filter: ALL }], position, 500);
      found.push(...page.entries);
      position = page.next;
    } while (position);
    expect(idsOf(found)).toEqual(idsOf(naiveList(entries, ALL)));
  });

  it("give an error, not an end, when no named segment lets the list move on", async () => {
    const random = mulberry32(114);
    const spanned = { hospitalId: "stuck", patients: PATIENTS, actors: ACTORS, from: START, to: START + DAY };
    const events = randomEvents(random, 40, spanned).map(({ logged, event }) => ({
      logged,
      event: { ...event, recorded: START },
    }));
    const log = await segmentLog(ring, "stuck", toEntries(random, events), [20, 40]);
    const asked = [{ logId: "stuck", filter: ALL }];
    const { next } = await readLogsFrom(naming(1, log), asked, null, 5);
    expect(next).not.toBeNull();
    await expect(readLogsFrom(naming(1, log), asked, next, 5)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("a segment that a merge deleted", () => {
  it("is asked for once more, and its entries come from the merged file", async () => {
    const { logs, all } = await twoLogs(108, 200, "deleted");
    const stale = structuredClone(logs);
    const [log] = logs;
    if (!log) throw new Error("no log");
    const refs = log.segments.map(({ ref }) => ref);
    const month = await mergeSegments(env.FILES, ring, log.logId, "month", refs);
    await env.FILES.delete(refs.map(({ key }) => key));
    const merged = [{ ...log, segments: [month] }, ...logs.slice(1)];
    const [before, after] = [sourceOf(ring, env.FILES, stale), sourceOf(ring, env.FILES, merged)];
    const asked = new Map<string, number>();
    const select: LogSource["select"] = (logId, ...rest) => {
      asked.set(logId, (asked.get(logId) ?? 0) + 1);
      return ((asked.get(logId) ?? 0) > 1 ? after : before).select(logId, ...rest);
    };
    const lists = logs.map(({ logId }) => ({ logId, filter: ALL }));
    const { entries } = await readLogsFrom({ ...before, select }, lists, null, 300);
    expect(idsOf(entries)).toEqual(idsOf(distinct(naiveList(all, ALL))).slice(0, 300));
    expect([...asked.values()].sort()).toEqual([1, 2]);
    await expect(readLogsFrom(before, lists, null, 300)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("ten years of a hospital", () => {
  const MONTHS = 120;
  const MONTH = 30 * DAY;
  /** In the short form only the months of the patient are large, by details that do not compress. */
  const entriesIn = (month: number) => (month % 6 === 0 ? times(1_100, 8_000) : times(64, 8_000));
  const [patient = ""] = seededIds(109, 1);
  const log: TestLog = { logId: "ten-years", open: [], segments: [] };
  const own: LogEntry[] = [];

  beforeAll(async () => {
    const random = mulberry32(110);
    let seq = 0;
    for (let month = 0; month < MONTHS; month++) {
      const from = START - (MONTHS - month) * MONTH;
      const hex = VERIFY
        ? null
        : { detail: () => ({ hex: Array.from({ length: 150 }, () => random().toString(16).slice(2, 10)).join("") }) };
      const spanned = { hospitalId: "ten-years", patients: PATIENTS, actors: ACTORS, from, to: from + MONTH, ...hex };
      const entries = toEntries(random, randomEvents(random, entriesIn(month), spanned), seq);
      // The patient is seen in each sixth month, in stretches of it.
      for (const entry of entries) if (month % 6 === 0 && entry.seq % 64 < 2) entry.subjects = [patient];
      seq += entries.length;
      own.push(...entries.filter(({ subjects }) => subjects.includes(patient)));
      log.segments.push(await writeSegment(env.FILES, ring, log.logId, "month", entries));
    }
  }, 600_000);

  it("lists a patient's log of three years ago with at most 20 reads", async () => {
    expect(log.segments.filter(({ ref }) => ref.size > SMALL_FILE_BYTES).length).toBeGreaterThanOrEqual(MONTHS / 6);
    const filter = { patientIds: [patient] };
    const before = { recorded: START - 36 * MONTH, id: "ffffffff-ffff-ffff-ffff-ffffffffffff" };
    const { bucket, reads } = countReads(env.FILES);
    const started = performance.now();
    const source = sourceOf(ring, bucket, [log]);
    const { entries, next } = await readLogsFrom(source, [{ logId: log.logId, filter }], before, 20);
    if (VERIFY)
      console.log(`a patient's log of three years ago: ${reads()} reads, ${Math.round(performance.now() - started)} ms`);
    expect(idsOf(entries)).toEqual(idsOf(naiveList(own, filter, before)).slice(0, 20));
    expect(next).not.toBeNull();
    expect(reads()).toBeLessThanOrEqual(MAX_READS);
  });

  it("reads the whole log of the patient in pages of at most 20 reads", async () => {
    const pages = await readPages([log], { patientIds: [patient] }, 100);
    expect(idsOf(entriesOf(pages))).toEqual(idsOf(naiveList(own, { patientIds: [patient] })));
    expect(Math.max(...pages.map(({ reads }) => reads))).toBeLessThanOrEqual(MAX_READS);
  });
});

describe("the objects", () => {
  it("answer for open entries of several logs", async () => {
    const random = mulberry32(111);
    const [hospital = "", other = "", patient = ""] = seededIds(112, 3);
    const spanned = {
      hospitalId: hospital,
      otherHospitals: [other],
      patients: [patient],
      actors: ACTORS,
      from: START,
      to: START + HOUR,
    };
    const events: AuditLogEvent[] = randomEvents(random, 60, spanned).map(({ event }) => event);
    for (const event of events) for (const logId of logsOf(event)) await env.AUDIT_LOG.getByName(logId).append([event]);
    const keys = await getKeys(env);
    const logs = [hospital, other, NO_HOSPITAL_LOG].map((logId) => ({ logId, filter: { patientIds: [patient] } }));
    const expected = events.filter(({ subjects }) => subjects.includes(patient)).sort(compareNewestFirst);
    const found: ListedEntry[] = [];
    let position: LogPosition | null = null;
    do {
      const { entries, next } = await readLogs(env, keys, logs, position, 7);
      found.push(...entries);
      position = next;
    } while (position);
    expect(idsOf(found)).toEqual(idsOf(expected));
    expect(found.every(({ log }) => log === hospital)).toBe(true);
  });
});
