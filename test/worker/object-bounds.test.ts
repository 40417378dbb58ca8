// Bounds of a patient's object: the work of reads depends on what is stored, never on the range that is asked for.
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { mulberry32, uniformIntegerBetween } from "../../cli/random.ts";
import { recordBatch } from "../../src/monitoring/patient-object/recording/record-batch.ts";
import { archiveOldBlocks } from "../../src/monitoring/patient-object/samples/archive.ts";
import {
  type HistoryQuery,
  readHistory,
  readHour,
  type SamplePosition,
} from "../../src/monitoring/patient-object/samples/read-samples.ts";
import { rollUpByHour } from "../../src/monitoring/patient-object/samples/rollup.ts";
import { Store } from "../../src/monitoring/patient-object/samples/store.ts";
import type { Sample } from "../../src/monitoring/vitals/model.ts";
import { isSampled, times } from "../long.ts";
import { API, env, newWorld, readJson, sendRequest, type World } from "../world.ts";
import { createItem, getMonitor, HEART_RATE, HOUR_MS, SPO2, storeSamples, TEMPERATURE, toIso } from "./vitals-world.ts";

const DAY_MS = 24 * HOUR_MS;
const NOW = Date.parse("2026-11-29T12:00:00Z");
const DEVICE = "device";

/** SQL statements of one page: ten for each of at most 64 windows, and one for each block. */
const MAX_STATEMENTS = 64 * 10 + 600;
/** Blocks decoded for one page: the page's limit, and the window in which it is reached. */
const MAX_DECODED_BYTES = 4 * 1024 * 1024;
/** Rows of indexes and tables that one call reads: 2 MiB at 64 bytes each, and one query more. */
const MAX_ROWS_READ = 40_000;

type Counted = { store: Store; sql: SqlStorage; statements: () => number };

/** Runs the work on a new object's store that counts SQL statements. */
function withStore<T>(work: (counted: Counted, patientId: string) => Promise<T>): Promise<T> {
  const patientId = crypto.randomUUID();
  return runInDurableObject(getMonitor(patientId), (_, state) => {
    let statements = 0;
    const bound = (target: object, key: PropertyKey) => {
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    };
    const sql = new Proxy(state.storage.sql, {
      get: (target, key) => {
        if (key === "exec") statements++;
        return bound(target, key);
      },
    });
    const storage = new Proxy(state.storage, { get: (target, key) => (key === "sql" ? sql : bound(target, key)) });
    const store = new Store(storage, (error) => expect.unreachable(error.message));
    store.createTables();
    return work({ store, sql: state.storage.sql, statements: () => statements }, patientId);
  });
}

const sampleAt = (code: string, at: number): Sample => ({ code, value: 70, unit: "/min", at, seq: null, status: "final" });

/** A random life: years without samples, quiet months and dense days, with late batches; the oldest blocks are archived. */
async function live({ store }: Counted, patientId: string, seed: number): Promise<Sample[]> {
  const next = mulberry32(seed);
  const integer = (from: number, to: number) => uniformIntegerBetween(next, from, to);
  const all: Sample[] = [];
  let now = NOW - integer(1, 6) * 365 * DAY_MS;
  while (now < NOW) {
    const rhythms = [
      { pause: HOUR_MS / 60, batches: 40 },
      { pause: DAY_MS, batches: 6 },
      { pause: 400 * DAY_MS, batches: 1 },
      { pause: 9 * HOUR_MS, batches: 12 },
    ];
    const { pause, batches } = rhythms[integer(0, 3)] ?? { pause: DAY_MS, batches: 1 };
    for (let left = batches; left > 0 && now < NOW; left--) {
      const isLate = next() < 0.2;
      const end = isLate ? now - integer(2, 29 * 24) * HOUR_MS : now;
      const samples = Array.from({ length: integer(1, 20) }, (_, i) =>
        sampleAt([HEART_RATE, SPO2][integer(0, 1)] ?? HEART_RATE, end - i * integer(0, 2000)),
      );
      const batch = { received: now, device: DEVICE, samples };
      if (isLate) store.appendLate(batch, now);
      else store.appendToOpenBlock(batch, now);
      all.push(...samples);
      now += integer(1, pause);
    }
    store.save();
  }
  const old = () => [...store.rows.listOpenedBefore(NOW - 31 * DAY_MS, 1)].length;
  while (old() > 0) {
    const before = store.rows.findArchives(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).length;
    await archiveOldBlocks(env, store, patientId, NOW, (work) => work());
    if (store.rows.findArchives(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).length === before) break;
  }
  return all;
}

const EXTREMES = [-8.64e15, -62_167_219_200_000, 0, NOW - DAY_MS, NOW, NOW + 120_000, 253_402_300_799_999, 8.64e15];

describe("a page of samples", () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed).filter((seed) => isSampled(seed, 0, 20)))(
    "costs a bounded number of SQL steps in any range, and all pages together are the range (life %i)",
    (seed) =>
      withStore(async (counted, patientId) => {
        const { store, statements } = counted;
        const all = await live(counted, patientId, seed);
        const next = mulberry32(seed + 1000);
        const anyTime = () =>
          next() < 0.5
            ? (EXTREMES[uniformIntegerBetween(next, 0, EXTREMES.length - 1)] ?? 0)
            : (all[uniformIntegerBetween(next, 0, all.length - 1)]?.at ?? 0) + uniformIntegerBetween(next, -1, 1);
        for (let round = 0; round < times(6, 60); round++) {
          const [from = 0, to = 0] = [anyTime(), anyTime()].sort((a, b) => a - b);
          const codes = [null, [HEART_RATE], ["none"]][uniformIntegerBetween(next, 0, 2)] ?? null;
          const limit = [1, 20, 1000][uniformIntegerBetween(next, 0, 2)] ?? 20;
          const expected = all
            .filter(({ at, code }) => at >= from && at < to && (codes?.includes(code) ?? true))
            .map(({ at }) => at)
            .sort((a, b) => b - a);
          const found: number[] = [];
          let after: SamplePosition | null = null;
          for (let pages = 0; ; pages++) {
            const before = { statements: statements(), bytes: store.rows.decodedBytes };
            const query: HistoryQuery = { codes, from, to, limit, after };
            const page = await readHistory(env, store, patientId, query, NOW);
            expect(statements() - before.statements).toBeLessThan(MAX_STATEMENTS);
            expect(store.rows.decodedBytes - before.bytes).toBeLessThan(MAX_DECODED_BYTES);
            expect(page.samples.length).toBeLessThanOrEqual(limit);
            found.push(...page.samples.map(({ effective_at }) => Date.parse(effective_at)));
            after = page.next;
            if (after === null) break;
            // One sample a page over a dense life would be many pages; the first of them show the order.
            if (limit === 1 && pages > 20) break;
          }
          expect(found).toEqual(after === null ? expected : expected.slice(0, found.length));
        }
      }),
  );

  it("counts the steps that a walk by days through an empty range takes: a known-bad twin", () =>
    withStore(async ({ store, statements }) => {
      store.appendToOpenBlock({ received: NOW, device: DEVICE, samples: [sampleAt(HEART_RATE, NOW)] }, NOW);
      const before = statements();
      for (let to = NOW + 2 * 365 * DAY_MS; to > NOW; to -= DAY_MS) for (const _ of store.readRange(to - DAY_MS, to, NOW));
      expect(statements() - before).toBeGreaterThan(MAX_STATEMENTS);
    }));
});

describe("the last page of a dense record", () => {
  it("ends early and says where it goes on, and other calls are answered between", () =>
    withStore(async ({ store }, patientId) => {
      for (let at = NOW - 30 * DAY_MS, batch = 0; batch < 900; batch++, at += 5 * 60_000) {
        const samples = Array.from({ length: 1000 }, (_, n) => ({
          ...sampleAt(SPO2, at + n),
          value: (batch * 31 + n * 7919) % 997,
        }));
        store.appendToOpenBlock({ received: at, device: DEVICE, samples }, at);
      }
      const query: HistoryQuery = { codes: ["none"], from: 0, to: NOW, limit: 100, after: null };
      const before = store.rows.decodedBytes;
      let turns = 0;
      const other = setInterval(() => turns++, 0);
      const page = await readHistory(env, store, patientId, query, NOW);
      clearInterval(other);
      expect(page.samples).toEqual([]);
      expect(page.next).not.toBeNull();
      expect(store.rows.decodedBytes - before).toBeLessThan(MAX_DECODED_BYTES);
      expect(turns).toBeGreaterThan(0);
      let after = page.next;
      let pages = 1;
      for (; after !== null; pages++) after = (await readHistory(env, store, patientId, { ...query, after }, NOW)).next;
      expect(pages).toBeLessThan(20);
    }));
});

describe("an hour with many samples", () => {
  const HOUR = Math.floor(NOW / HOUR_MS) - 20;

  it("is counted block by block", () =>
    withStore(async ({ store }, patientId) => {
      const samples = Array.from({ length: 20_000 }, (_, n) => ({
        ...sampleAt(n % 2 ? SPO2 : HEART_RATE, HOUR * HOUR_MS + n * 170),
        value: (n * 7919) % 997,
      }));
      for (let n = 0; n < samples.length; n += 1000)
        store.appendToOpenBlock({ received: NOW, device: DEVICE, samples: samples.slice(n, n + 1000) }, HOUR * HOUR_MS + n);
      const expected = Object.fromEntries(rollUpByHour(samples).get(HOUR) ?? []);
      expect(await readHour(env, store, patientId, HOUR, HOUR * HOUR_MS + HOUR_MS)).toEqual(expected);
    }));

  it("after quiet hours is read in small windows, and a page of one sample stays small", () =>
    withStore(async ({ store }, patientId) => {
      const times: number[] = [];
      const append = (at: number, count: number) => {
        const samples = Array.from({ length: count }, (_, n) => ({ ...sampleAt(SPO2, at + n * 100), value: (n * 7919) % 997 }));
        store.appendToOpenBlock({ received: at, device: DEVICE, samples }, at);
        times.push(...samples.map((one) => one.at));
      };
      // Ten dense hours, and then one sample per hour, over which the windows grow.
      for (let batch = 0; batch < 200; batch++) append(NOW - 34 * HOUR_MS + batch * 180_000, 1000);
      for (let hour = 24; hour > 0; hour--) append(NOW - hour * HOUR_MS + 1000, 1);
      const read = async (limit: number, after: SamplePosition | null, codes: string[] | null = null) => {
        const before = store.rows.decodedBytes;
        const page = await readHistory(env, store, patientId, { codes, from: 0, to: NOW, limit, after }, NOW);
        return { page, bytes: store.rows.decodedBytes - before };
      };
      const first = await read(30, null);
      expect(first.page.samples).toHaveLength(30);
      // A window over all dense hours has more than 1 MB: it is given up.
      expect(first.bytes).toBeLessThan(900_000);
      const one = await read(1, { at: NOW - 20 * HOUR_MS, block: 0, index: 0 }, ["none"]);
      expect(one.bytes).toBeLessThan(3 * 1024 * 1024);
      const found: number[] = [];
      for (let after: SamplePosition | null = null, pages = 0; pages === 0 || after !== null; pages++) {
        const { page, bytes } = await read(50_000, after);
        expect(bytes).toBeLessThan(3 * 1024 * 1024);
        found.push(...page.samples.map(({ effective_at }) => Date.parse(effective_at)));
        after = page.next;
      }
      expect(found).toEqual(times.toSorted((a, b) => b - a));
    }));
});

const SENDER = {
  by: DEVICE,
  device: DEVICE,
  bindings: [{ device: DEVICE, kind: "bedside_monitor", from: 0, until: null, credentials: {} }],
};

describe("late samples", () => {
  const recordAt = (store: Store, patientId: string, items: object[], now = NOW) =>
    recordBatch(store, patientId, SENDER, { items, sent_at: now, conditions: null }, now).results;
  const countRows = (store: Store) => [...store.rows.listRange(0, NOW)].length;

  it("of days in turn share a block per day, and keep their positions", () =>
    withStore(async ({ store }, patientId) => {
      const ids = Array.from({ length: 400 }, (_, i) => {
        const [stored] = recordAt(store, patientId, [createItem(SPO2, 90, NOW - ((i % 20) + 2) * DAY_MS + i)], NOW + i);
        return stored?.observation_id;
      });
      expect(new Set(ids).size).toBe(400);
      expect(countRows(store)).toBe(20);
      const query: HistoryQuery = { codes: null, from: 0, to: NOW, limit: 1000, after: null };
      const { samples } = await readHistory(env, store, patientId, query, NOW);
      expect(new Set(samples.map(({ observation_id }) => observation_id))).toEqual(new Set(ids));
    }));

  it("of many days in one batch are a row per day, and are duplicates when they come again", () =>
    withStore(async ({ store }, patientId) => {
      recordAt(store, patientId, [createItem(HEART_RATE, 70, NOW)]);
      const items = Array.from({ length: 650 }, (_, hour) => createItem(HEART_RATE, 70, NOW - (hour + 2) * HOUR_MS));
      expect(recordAt(store, patientId, items).every(({ status }) => status === "stored")).toBe(true);
      expect(countRows(store)).toBeLessThanOrEqual(30);
      expect(recordAt(store, patientId, items).every(({ status }) => status === "duplicate")).toBe(true);
    }));

  it("are compared, listed and recounted by a bounded number of rows when many rows are stored", () =>
    withStore(async ({ store }, patientId) => {
      const times = Array.from({ length: 6_000 }, (_, i) => NOW - 29 * DAY_MS + i * 400_000);
      // A row per sample, as earlier code wrote for days in turn; and a row of 20 days.
      for (const [i, at] of times.entries())
        store.rows.appendLate({ received: NOW, device: DEVICE, samples: [sampleAt(SPO2, at)] }, undefined, NOW + i);
      const wide = [sampleAt(SPO2, NOW - 25 * DAY_MS + 7), sampleAt(SPO2, NOW - 5 * DAY_MS + 7)];
      store.rows.appendLate({ received: NOW, device: DEVICE, samples: wide }, undefined, NOW + 6_000);
      recordAt(store, patientId, [createItem(SPO2, 70, NOW)]);
      const items = Array.from({ length: 650 }, (_, hour) => createItem(SPO2, 70, NOW - 28 * DAY_MS + hour * HOUR_MS + 1));
      let before = store.rows.rowsRead;
      const results = recordAt(store, patientId, items);
      expect(store.rows.rowsRead - before).toBeLessThan(MAX_ROWS_READ);
      expect(results.at(-1)?.status).toBe("stored");
      expect(results.every(({ status, reason }) => status === "stored" || reason === "too_scattered")).toBe(true);
      const resent = recordAt(store, patientId, [createItem(SPO2, 70, NOW - 25 * DAY_MS + 7)]);
      expect(resent).toMatchObject([{ status: "duplicate" }]);
      const found: number[] = [];
      for (let after: SamplePosition | null = null, pages = 0; pages === 0 || after !== null; pages++) {
        before = store.rows.rowsRead;
        const page = await readHistory(env, store, patientId, { codes: [SPO2], from: 0, to: NOW, limit: 1000, after }, NOW);
        expect(store.rows.rowsRead - before).toBeLessThan(MAX_ROWS_READ);
        found.push(...page.samples.map(({ effective_at }) => Date.parse(effective_at)));
        after = page.next;
      }
      expect(new Set(found).isSupersetOf(new Set([...times, ...wide.map(({ at }) => at)]))).toBe(true);
    }));

  it("cost more rows with a query that is bounded on one side: a known-bad twin", () =>
    withStore(async ({ store, sql }) => {
      for (let i = 0; i < 3_000; i++) {
        const samples = [sampleAt(SPO2, NOW - 29 * DAY_MS + i * 800_000)];
        store.rows.appendLate({ received: NOW, device: DEVICE, samples }, undefined, NOW + i);
      }
      let rows = 0;
      for (let hour = 0; hour < 650; hour++) {
        const from = NOW - 28 * DAY_MS + hour * HOUR_MS;
        const query = "SELECT id, data FROM late WHERE to_at >= ? AND from_at < ?";
        const cursor = sql.exec(query, from, from + HOUR_MS);
        for (const _ of cursor);
        rows += cursor.rowsRead;
      }
      expect(rows).toBeGreaterThan(MAX_ROWS_READ);
    }));

  it("share blocks, and keep their positions", () =>
    withStore(async ({ store }, patientId) => {
      const positions = Array.from({ length: 300 }, (_, i) => i).flatMap((i) => {
        const samples = [sampleAt(TEMPERATURE, NOW - 5 * HOUR_MS + i * 1000)];
        return store.appendLate({ received: NOW + i * 1000, device: DEVICE, samples }, NOW + i * 1000);
      });
      expect(new Set(positions.map(({ block }) => block)).size).toBeLessThan(5);
      expect(positions).toHaveLength(300);
      for (const [i, { block, index }] of positions.entries()) {
        expect(store.block(block, NOW)?.[index]?.at).toBe(NOW - 5 * HOUR_MS + i * 1000);
      }
      const query: HistoryQuery = { codes: null, from: 0, to: NOW, limit: 1000, after: null };
      expect((await readHistory(env, store, patientId, query, NOW)).samples).toHaveLength(300);
    }));

  it("scattered over a dense month are compared with a bounded number of blocks, and refused one by one beyond it", () =>
    withStore(async ({ store }, patientId) => {
      const start = NOW - 29 * DAY_MS;
      for (let hour = 0; hour < 29 * 24; hour++) {
        const at = start + hour * HOUR_MS;
        const samples = Array.from({ length: 3_000 }, (_, n) => ({
          ...sampleAt(SPO2, at + n * 1000),
          value: (hour * 31 + n * 7919) % 997,
        }));
        store.appendToOpenBlock({ received: at + HOUR_MS, device: DEVICE, samples }, at + HOUR_MS);
      }
      const items = Array.from({ length: 29 * 24 }, (_, hour) => createItem(HEART_RATE, 70, start + hour * HOUR_MS));
      const record = (part: object[]) => recordAt(store, patientId, part);
      // The device's newest heart rate, so that all others are older.
      record([createItem(HEART_RATE, 70, NOW)]);
      const before = store.rows.decodedBytes;
      const results = record(items);
      expect(store.rows.decodedBytes - before).toBeLessThan(MAX_DECODED_BYTES);
      const stored = results.filter(({ status }) => status === "stored").length;
      expect(results.filter(({ reason }) => reason === "too_scattered")).toHaveLength(items.length - stored);
      expect(stored).toBeGreaterThan(50);
      expect(results.at(-1)?.status).toBe("stored");
      // Sent in requests of their own, they are stored.
      expect(record(items.slice(0, 24)).every(({ status }) => status === "stored")).toBe(true);
    }));
});

describe("observations far in the future and the past", () => {
  let world: World;
  beforeAll(async () => {
    world = await newWorld();
    await storeSamples(world.nurse, world.patient.id, [createItem(HEART_RATE, 71, Date.now() - 1000)]);
  });

  it.each([
    "to=9999-12-31T23:59:59Z&limit=1",
    "from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
    `from=${toIso(Date.now() - DAY_MS)}&to=2426-01-01T00:00:00Z&code=heart_rate`,
  ])("are the samples that exist: %s", async (query) => {
    for (const path of [`${API}/patients/${world.patient.id}/observations`, `/api/patients/${world.patient.number}/history`]) {
      const { data, meta } = await readJson(await sendRequest(`${path}?${query}`, { as: world.nurse }));
      expect(data).toMatchObject([{ code: HEART_RATE, value: 71 }]);
      expect(meta.pagination).toMatchObject({ total: 1, total_is_exact: true, has_more: false });
    }
  });

  it.each(["from=9000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", "to=0001-01-02T00:00:00Z"])("are none: %s", async (query) => {
    const answer = await sendRequest(`${API}/patients/${world.patient.id}/observations?${query}`, { as: world.nurse });
    expect((await readJson(answer)).data).toEqual([]);
  });
});
