// Ten years of a log in moved time, through the object's own alarms and R2: lists, proofs and files at every stage.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { AuditLogEvent, LogEntry, LogFilter } from "../../src/audit-log/contract.ts";
import { leafBytes } from "../../src/audit-log/tree/leaf.ts";
import { verifyInclusion } from "../../src/audit-log/tree/proof.ts";
import { times } from "../long.ts";
import {
  alarmOf,
  DAY,
  expectWhole,
  HOUR,
  inside,
  listEntries,
  logNamed,
  MINUTE,
  naiveList,
  newEvent,
  readLog,
  rowsOf,
  runDue,
  START,
  type Stub,
  segmentFiles,
  treeHash,
} from "./audit-log-world.ts";

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const SEED = 20_261_130;
/** Mulberry32: the same run each time. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const YEARS = 10;
/** The short form has events in each third month. */
const MONTH_STEP = times(3, 1);
const MONTHS = (12 * YEARS) / MONTH_STEP;
const DAYS_PER_MONTH = times(2, 12);
const PATIENTS = 200;

type Random = () => number;
const pick = <T>(random: Random, items: readonly T[]): T => {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to pick");
  return item;
};
const patient = (random: Random) => `patient-${Math.floor(random() * PATIENTS)}`;

function randomEvent(random: Random): AuditLogEvent {
  const isAbroad = random() < 0.1;
  return newEvent({
    // Some are handed over late.
    recorded: Date.now() - (random() < 0.2 ? Math.floor(random() * 50 * MINUTE) : 0),
    event: pick(random, ["patient.read", "report.read", "alert.acknowledge"]),
    outcome: random() < 0.1 ? "denied" : "success",
    actor: { kind: "user", id: `actor-${Math.floor(random() * 9)}`, role: "nurse" },
    actor_hospital_id: isAbroad ? "hospital-2" : null,
    subjects: [...new Set([patient(random), patient(random)])],
  });
}

function randomFilter(random: Random): LogFilter {
  const from = START + random() * (Date.now() - START);
  return {
    patientIds: random() < 0.7 ? [patient(random)] : null,
    ...(random() < 0.3 && { actorId: `actor-${Math.floor(random() * 9)}` }),
    ...(random() < 0.2 && { outcome: "denied" }),
    ...(random() < 0.2 && { event: "alert.acknowledge" }),
    ...(random() < 0.2 && { isAbroad: true }),
    ...(random() < 0.3 && { from, to: from + 90 * DAY }),
  };
}

/** Lists with a few filters against a naive list. */
async function expectSameLists(stub: Stub, entries: LogEntry[], random: Random, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const filter = randomFilter(random);
    expect(await listEntries(stub, filter)).toEqual(naiveList(entries, filter));
  }
}

/** Lets the alarms of the object run, each at its time. */
async function passTime(stub: Stub, until: number): Promise<void> {
  for (;;) {
    const at = await alarmOf(stub);
    if (at === null || at > until) break;
    vi.setSystemTime(Math.max(at, Date.now()));
    await runDue(stub);
  }
  vi.setSystemTime(until);
}

const levelsOf = async (stub: Stub) =>
  (await rowsOf<{ level: string }>(stub, "SELECT level FROM segments ORDER BY first_seq")).map(({ level }) => level);

async function liveThroughMonth(stub: Stub, month: number, random: Random): Promise<AuditLogEvent[]> {
  const begin = Date.UTC(2100, 2 + month, 1);
  const events: AuditLogEvent[] = [];
  for (let i = 0; i < DAYS_PER_MONTH; i++) {
    const day = begin + Math.floor((i * 28) / DAYS_PER_MONTH) * DAY;
    // In two hours of the first day of a month, so that days are merged too.
    for (const hour of i === 0 ? [9, 12] : [9]) {
      await passTime(stub, day + hour * HOUR);
      const more = Array.from({ length: 1 + Math.floor(random() * 4) }, () => randomEvent(random));
      await stub.append(more);
      events.push(...more);
    }
  }
  return events;
}

it(`answers as a naive list over ${YEARS} years, and opens as few files in the last as in the first`, async () => {
  const log = logNamed("decade");
  const { stub } = log;
  const random = randomNumbers(SEED);
  const events: AuditLogEvent[] = [];
  const sizes: number[] = [];
  for (let month = 0; month < 12 * YEARS; month += MONTH_STEP) {
    events.push(...(await liveThroughMonth(stub, month, random)));
    if ((month + MONTH_STEP) % 12 !== 0) continue;
    sizes.push(await inside(stub, (_, { storage }) => storage.sql.databaseSize));
    await expectSameLists(stub, await readLog(stub), random, 3);
  }
  const end = Date.UTC(2100, 2 + 12 * YEARS, 1) + DAY;
  await passTime(stub, end);
  const entries = await expectWhole(log, events);
  await expectSameLists(stub, entries, random, 20);

  // A month is one file, and nothing else is left.
  const levels = await levelsOf(stub);
  expect(levels).toEqual(Array.from({ length: MONTHS }, () => "month"));
  expect(await segmentFiles(log.logId)).toHaveLength(MONTHS);
  expect(await rowsOf(stub, "SELECT seq FROM entries")).toEqual([]);
  // The object grows by the list of its files alone.
  const growth = sizes.map((size, year) => size - (sizes[year - 1] ?? size));
  expect(Math.max(...growth)).toBeLessThan(100_000);
  console.log(`${events.length} events: object of ${sizes.map((size) => Math.round(size / 1024)).join(", ")} kB after each year`);

  const checkpoint = await stub.checkpoint();
  for (let i = 0; i < 20; i++) {
    const entry = pick(random, entries);
    const proof = await stub.prove(entry.id);
    const claim = {
      index: entry.seq,
      size: checkpoint.size,
      leafHash: treeHash([leafBytes(entry)]),
      root: Buffer.from(checkpoint.rootHash, "base64"),
    };
    expect(
      verifyInclusion(
        claim,
        (proof?.hashes ?? []).map((hash) => Buffer.from(hash, "base64")),
      ),
    ).toBe(true);
  }
  const last = await stub.prune(Date.UTC(2100 + YEARS - 6, 2, 1));
  await passTime(stub, end + HOUR);
  const kept = await readLog(stub);
  expect(kept.map(({ seq }) => seq)).toEqual(entries.slice(last.prunedUpTo).map(({ seq }) => seq));
  expect(await segmentFiles(log.logId)).toHaveLength((6 * MONTHS) / YEARS);
  await expectSameLists(stub, kept, random, 5);
});

it("answers as a naive list while entries are open, in hours, in days and in months", async () => {
  const log = logNamed("stages");
  const { stub } = log;
  const random = randomNumbers(SEED);
  const events: AuditLogEvent[] = [];
  const stages = new Set<string>();
  for (const day of [0, 1, 2, 31, 32, 60]) {
    for (const hour of [8, 10, 12]) {
      await passTime(stub, Date.UTC(2100, 2, 1 + day, hour));
      const more = Array.from({ length: 5 }, () => randomEvent(random));
      await stub.append(more);
      events.push(...more);
      const entries = await expectWhole(log, events);
      const levels = await levelsOf(stub);
      stages.add([...new Set(levels)].sort().join());
      await expectSameLists(stub, entries, random, 4);
    }
  }
  expect([...stages].sort()).toEqual(["", "day", "day,hour", "day,hour,month", "day,month", "hour", "hour,month", "month"]);
});
