// The monthly bill: prices against values computed by hand, and meters that count a known request.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Counts, subtractCounts, ZERO_COUNTS } from "../../bench/cost/counts.ts";
import { sendSync } from "../../bench/cost/traffic.ts";
import { createWorld, type MeteredServer, startMetered, type World } from "../../bench/cost/world.ts";
import { computeCurve } from "../../cli/cost/curve.ts";
import { computeUsage, SCENARIOS, unitsPerMonth, workerCpuMs } from "../../cli/cost/month.ts";
import { BILL_ITEMS, computeBill, PLAN_DOLLARS, type Usage } from "../../cli/cost/prices.ts";
import { runCost } from "../../cli/cost.ts";

const usage = (some: Partial<Usage>): Usage => ({
  ...(Object.fromEntries(BILL_ITEMS.map((item) => [item, 0])) as Usage),
  ...some,
});
const lineOf = (some: Partial<Usage>, item: keyof Usage) => computeBill(usage(some)).lines.find((line) => line.item === item);

describe("prices", () => {
  it.each<[keyof Usage, number, number, number]>([
    // Columns: used, list price, billed; computed by hand from the price list.
    ["requests", 18_000_000, 5.4, 2.4],
    ["cpuMs", 130_000_000, 2.6, 2],
    ["d1Written", 68_000_000, 68, 18],
    ["d1Gb", 7, 5.25, 1.5],
    ["objectRequests", 21_000_000, 3.15, 3],
    ["objectGbS", 16_588_800, 207.36, 202.36],
    ["objectGb", 8, 1.6, 0.6],
    ["kvRead", 28_800_000, 14.4, 9.4],
    ["kvWritten", 3_000_000, 15, 10],
    ["r2A", 2_000_000, 9, 4.5],
    ["r2B", 20_000_000, 7.2, 3.6],
    ["r2Gb", 12, 0.18, 0.03],
    ["logEvents", 64_000_000, 38.4, 26.4],
  ])("of %s", (item, used, list, billed) => {
    const line = lineOf({ [item]: used }, item);
    expect(line?.list).toBeCloseTo(list, 6);
    expect(line?.billed).toBeCloseTo(billed, 6);
  });

  it("bill nothing up to what the plan includes, and the plan always", () => {
    expect(lineOf({ requests: 10_000_000 }, "requests")?.billed).toBe(0);
    expect(lineOf({ requests: 10_000_001 }, "requests")?.billed).toBeCloseTo(0.3e-6, 12);
    expect(computeBill(usage({})).total).toBe(PLAN_DOLLARS);
    expect(computeBill(usage({ requests: 11_000_000, kvRead: 12_000_000 })).total).toBeCloseTo(PLAN_DOLLARS + 0.3 + 1, 6);
    expect(computeBill(usage({ requests: 11_000_000, kvRead: 12_000_000 })).list).toBeCloseTo(3.3 + 6, 6);
  });
});

describe("a month", () => {
  const nothing = { units: 1, counts: ZERO_COUNTS, cpuMs: 0 };
  const stretches = {
    "first sync": nothing,
    sync: nothing,
    "patient-hour": nothing,
    upload: nothing,
    read: nothing,
    "monitor-second": nothing,
    "minute clock": nothing,
    "quarter clock": nothing,
    "log-hour": nothing,
    "packed day": nothing,
  };
  const floors = { request: 1, kv: 2, d1: 3, cache: 0.5, limit: 0.25, object: 0.125, record: 3 };
  const rowBytes = { upload: {}, staged: 0, hour: 0, monthRow: 0, packedDay: 0, perPatient: 0 };
  const counted = { stretches, floors, objectBytes: 0, sampleBytes: 0, logBytes: 0, rowBytes };
  const logging = { enabled: true, invocations: true, sampled: 1 };
  const month = (kind: keyof typeof stretches, units: number, counts: Partial<Counts>, log = logging) =>
    computeUsage(
      { ...counted, stretches: { ...stretches, [kind]: { units, counts: { ...ZERO_COUNTS, ...counts }, cpuMs: 0 } } },
      SCENARIOS.with,
      log,
    );

  it("has the reference traffic", () => {
    const { sync: syncs, "first sync": first, read, upload } = SCENARIOS.without;
    expect(first + syncs).toBe(5_000 * 4 * 24 * 30);
    expect(read).toBe(3_600_000);
    expect(upload).toBe(30_000);
    expect(SCENARIOS.without["monitor-second"]).toBe(0);
    expect(SCENARIOS.with["monitor-second"]).toBe(50 * 2_592_000);
    expect(unitsPerMonth(50)["patient-hour"] - unitsPerMonth(0)["patient-hour"]).toBe(50 * 720);
  });

  it("multiplies what one unit costs, frames at twenty to a request", () => {
    expect(month("read", 2, { d1Written: 10, requests: 2 })).toMatchObject({ d1Written: 18_000_000, requests: 3_600_000 });
    expect(month("monitor-second", 60, { socketMessages: 60 }).objectRequests).toBe(129_600_000 / 20);
    expect(month("upload", 1, { d1Bytes: 1_000, r2A: 1 })).toMatchObject({ d1Gb: 0.03, r2A: 30_000 });
  });

  it("charges an object that stays awake for all of its time, another for its calls", () => {
    // 129.6 million seconds with 128 MB.
    expect(month("monitor-second", 1, { objectAwakeMs: 1_000, socketMessages: 1 }).objectGbS).toBeCloseTo(16_588_800, 3);
    expect(month("monitor-second", 1, { objectAwakeMs: 1, socketMessages: 1 }).objectGbS).toBeCloseTo(165_888, 3);
  });

  it("logs as it is set up to", () => {
    const read = { requests: 1, logLines: 1, objectCalls: 2 };
    expect(month("read", 1, read).logEvents).toBe(4 * 3_600_000);
    expect(month("read", 1, read, { ...logging, invocations: false }).logEvents).toBe(3_600_000);
    expect(month("read", 1, read, { ...logging, sampled: 0.1 }).logEvents).toBeCloseTo(0.4 * 3_600_000, 3);
    expect(month("read", 1, read, { ...logging, enabled: false }).logEvents).toBe(0);
  });

  it("excludes from CPU time the local stand-ins of the platform and the object's work for a sync", () => {
    const counts = { ...ZERO_COUNTS, requests: 1, kvRead: 2, d1Trips: 1, cacheCalls: 2, limitCalls: 4, objectCalls: 8 };
    expect(workerCpuMs("read", { units: 1, counts, cpuMs: 20 }, floors)).toBe(20 - 1 - 4 - 3 - 1 - 1 - 1);
    expect(workerCpuMs("sync", { units: 1, counts, cpuMs: 20 }, floors)).toBe(20 - 1 - 4 - 3 - 1 - 1 - 1 - 3);
    expect(workerCpuMs("read", { units: 1, counts, cpuMs: 5 }, floors)).toBe(0);
    expect(workerCpuMs("patient-hour", { units: 1, counts: { ...ZERO_COUNTS, alarms: 1 }, cpuMs: 20 }, floors)).toBe(0);
  });
});

describe("the curve of D1's size", () => {
  const rowBytes = {
    ...{
      upload: { reports: 1_000, reports_hash: 150, sqlite_autoindex_reports_1: 50, uploads: 300, counters: 10, outbox: 7 },
      staged: 4_096,
    },
    ...{ hour: 300, monthRow: 200, packedDay: 100, perPatient: 1_000 },
  };

  it("keeps staged events and hours as they are, and adds what stays for ever", () => {
    const [first, second, third] = computeCurve(rowBytes, 3);
    expect(second).toMatchObject({
      audit: 4_096,
      hours: 1.1 * 5_000 * 61 * 24 * 300,
      reports: 1.09 * 730_000 * 1_200,
      uploads: 1.09 * 730_000 * 300,
    });
    expect(second?.hours).toBe(first?.hours);
    expect(third?.audit).toBe(first?.audit);
    expect(second?.other).toBe(1.09 * (730_000 * 7 + 95_000 * 10) + 5_000 * 1_000);
    expect(Number(third?.months) - Number(second?.months)).toBeCloseTo(1.35 * 365 * 5_000 * (100 + 200 / 30.4), 3);
  });
});

describe("the command", () => {
  it("refuses what it does not know", async () => {
    expect(await runCost(["--days", "3"])).toBe(2);
    expect(await runCost(["--seconds", "1"])).toBe(2);
    expect(await runCost(["--years", "0"])).toBe(2);
  });
});

describe("the meters", () => {
  let server: MeteredServer;
  let world: World;
  beforeAll(async () => {
    server = await startMetered();
    world = await createWorld(server.env, { wearables: 1, monitors: 0 });
    await server.runClock("* * * * *");
  }, 120_000);
  afterAll(() => server?.close());

  async function during(work: () => Promise<unknown>): Promise<Counts> {
    const before = (await server.counted()).counts;
    await work();
    return subtractCounts((await server.counted()).counts, before);
  }
  const now = async () => (await server.counted()).now;
  const wearable = () => {
    const [device] = world.wearables;
    if (!device) throw new Error("no wearable");
    return device;
  };

  it("count nothing when nothing happens", async () => {
    expect(await during(async () => undefined)).toEqual(ZERO_COUNTS);
  });

  it("count a look at the health: a line, and each store asked once", async () => {
    expect(await during(() => fetch(new URL("/health", server.url)))).toMatchObject({
      requests: 1,
      logLines: 1,
      d1Trips: 1,
      kvRead: 1,
      objectCalls: 0,
      d1Written: 0,
      r2A: 0,
    });
  });

  it("count rows that D1's own interface does not tell", async () => {
    const [nurse = ""] = world.staff.slice(-1);
    const read = await during(async () => {
      const headers = { Authorization: `Bearer ${nurse}` };
      expect((await fetch(new URL("/api/v1/patients?limit=20", server.url), { headers })).status).toBe(200);
    });
    expect(read.d1Trips).toBe(1);
    expect(read.d1Read).toBeGreaterThanOrEqual(20);
    expect(read.d1Written).toBe(0);
    // The event is one row of the audit log's object; the first also creates its tables and sets its alarm.
    expect(read.objectCalls).toBe(1);
    expect(read.objectWritten).toBeGreaterThanOrEqual(1);
  });

  it("count a first sync: D1 asked for the device, the hint kept; the next one leaves D1 alone", async () => {
    const first = await during(async () => sendSync(server, wearable(), await now()));
    expect(first).toMatchObject({ requests: 1, d1Trips: 1, kvRead: 1, kvWritten: 1, cacheCalls: 2, objectCalls: 1 });
    expect(first.objectWritten).toBeGreaterThanOrEqual(1);
    await server.advance(15 * 60_000);
    // The location's cache has its entry.
    const second = await during(async () => sendSync(server, wearable(), await now()));
    expect(second).toMatchObject({
      limitCalls: 1,
      requests: 1,
      d1Trips: 0,
      d1Written: 0,
      kvRead: 0,
      kvWritten: 0,
      objectCalls: 1,
    });
    // Samples and memory are one row; setting an alarm is another.
    expect([1, 2, 3]).toContain(second.objectWritten);
  });

  it("count the hour's end: alarms that ring as the clock passes, and what they write in D1", async () => {
    const hour = await during(() => server.advance(2 * 3_600_000));
    expect(hour.alarms).toBeGreaterThanOrEqual(1);
    expect(hour.d1Trips).toBeGreaterThanOrEqual(1);
    expect(hour.d1Written).toBeGreaterThanOrEqual(1);
    expect(hour.requests).toBe(0);
    const { results } = await server.env.DB.prepare("SELECT hour FROM vital_hours").all();
    expect(results.length).toBeGreaterThanOrEqual(1);
  });

  it("count the end of a day: the device's uploads reach the audit log, which closes a segment", async () => {
    // Of the day that begins, whenever the test runs.
    await sendSync(server, wearable(), await now());
    await server.advance(24 * 3_600_000);
    await server.runClock("* * * * *");
    expect(await server.env.DB.prepare("SELECT count(*) AS n FROM audit_staged").first<number>("n")).toBe(0);
    const day = await during(() => server.advanceLogs(3_600_000));
    // The hour's segment, a tile and the checkpoint.
    expect(day.alarms).toBeGreaterThanOrEqual(1);
    expect(day.r2A).toBeGreaterThanOrEqual(3);
  });
});
