// Objects written by earlier versions of the code, opened by the current one: tables, documents, and continued operation.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditLogEvent } from "../../src/audit-log/contract.ts";
import { AUDIT_LOG_MIGRATIONS } from "../../src/audit-log/schema.ts";
import { WARD_FEED_MIGRATIONS } from "../../src/monitoring/live/schema.ts";
import { recoverMemory } from "../../src/monitoring/patient-object/memory/damaged-memory.ts";
import { memoryDocument, OUTBOX_DOCUMENTS } from "../../src/monitoring/patient-object/memory/documents.ts";
import { PatientMonitor } from "../../src/monitoring/patient-object/patient-monitor.ts";
import { PATIENT_MONITOR_MIGRATIONS } from "../../src/monitoring/patient-object/samples/schema.ts";
import {
  type Migration,
  MigrationError,
  migrateEmpty,
  migrateExisting,
  migrationList,
} from "../../src/platform/object-migrations.ts";
import auditLogAt1 from "../fixtures/objects/AuditLog-1.json";
import auditLogAt2 from "../fixtures/objects/AuditLog-2.json";
import auditLogAt3 from "../fixtures/objects/AuditLog-3.json";
import memoryAt3 from "../fixtures/objects/memory-3.json";
import patientAt1 from "../fixtures/objects/PatientMonitor-1.json";
import patientAt2 from "../fixtures/objects/PatientMonitor-2.json";
import patientAt3 from "../fixtures/objects/PatientMonitor-3.json";
import patientAt4 from "../fixtures/objects/PatientMonitor-4.json";
import feedAt1 from "../fixtures/objects/WardFeed-1.json";
import feedAt2 from "../fixtures/objects/WardFeed-2.json";
import feedAt3 from "../fixtures/objects/WardFeed-3.json";
import { dumpStorage, loadStorage, type StorageDump } from "../object-storage.ts";
import { captureLogs } from "../token-forge.ts";
import { env, listLoggedEvents } from "../world.ts";
import { HOUR, inside, logNamed, MINUTE, newEvent, runDue } from "./audit-log-world.ts";
import { answersOf, goOn, HOSPITAL, MORNING, PATIENT } from "./object-lives.ts";

/** One fixture per number of migrations that an object can have had. Record the next one before adding a migration. */
const PATIENTS = [patientAt1, patientAt2, patientAt3, patientAt4];
const FEEDS = [feedAt1, feedAt2, feedAt3];
const AUDIT_LOGS = [auditLogAt1, auditLogAt2, auditLogAt3];
/** Counts of a day that were written before they were counted by hour. */
const NO_HOURS = new Array(24).fill(0);

const monitor = () => env.PATIENT_MONITOR.getByName(PATIENT);
const sqlOf = <T extends Record<string, SqlStorageValue>>(query: string) =>
  runInDurableObject(monitor(), (_, state) => state.storage.sql.exec<T>(query).toArray());
const monitorWith = async (storage: StorageDump) => {
  await runInDurableObject(monitor(), (_, state) => loadStorage(state.storage.sql, storage));
  await evictDurableObject(monitor());
};
const recordOf = (sql: SqlStorage) =>
  sql.exec<{ name: string; checksum: string }>("SELECT name, checksum FROM object_migrations ORDER BY id").toArray();
const expected = ({ migrations }: typeof PATIENT_MONITOR_MIGRATIONS) =>
  migrations.map(({ name, checksum }) => ({ name, checksum }));

/** The silences of `goOn` at the intervals of its device: the limits were 120 s of a vital and 60 s of a device whatever its pace was. */
const LEARNT_SILENCES: readonly [text: string, old: number, learnt: number][] = [
  ["Oxygen saturation: no usable value for", 120, 143],
  ["has sent nothing for", 60, 120],
];

function withLearntSilences<T>(answers: T): T {
  return JSON.parse(JSON.stringify(answers), (_, value) => {
    const [text, old, learnt] = LEARNT_SILENCES.find(([said]) => String(value?.text).includes(said)) ?? [];
    if (text === undefined || value.window_s !== old) return value;
    return { ...value, window_s: learnt, text: value.text.replace(`${old} s`, `${learnt} s`) };
  });
}

/** Default limits of adults until NEWS2 judged values of one and two points alone, by code. */
const NO_LONGER_DEFAULT: Readonly<Record<string, { low?: number; high?: number }>> = {
  "9279-1": { low: 10 },
  "8867-4": { low: 50, high: 120 },
  "8480-6": { low: 100, high: 180 },
  "8462-4": { low: 50 },
  "8310-5": { high: 39.1 },
  "19889-5": { low: 30 },
};

function inCurrentLimits<T>(value: T): T {
  if (typeof value !== "object" || value === null || !("code" in value && "low" in value && "high" in value)) return value;
  const gone = NO_LONGER_DEFAULT[String(value.code)];
  const drop = (bound: unknown, old: number | undefined) => (bound === old ? null : bound);
  return gone ? { ...value, low: drop(value.low, gone.low), high: drop(value.high, gone.high) } : value;
}

/** Earlier versions had no trend mark, and did not say when sets are due: none are, as the patient is monitored continuously. */
const NOTHING_DUE = { status: "continuous", due_at: null, overdue_at: null, last_attempt: null, pause: null };
const observations = { mode: "continuous", ...NOTHING_DUE };
/** At the end the monitor has sent nothing for half an hour, so the first set is due, since monitoring began. */
const SET_DUE = { status: "never", due_at: "2100-01-10T09:00:00.000Z", overdue_at: "2100-01-10T09:15:00.000Z" };

/** What version 1 answered, in the words of today's alarm texts and limits, and with invalid samples after the valid ones. */
function inCurrentWords<T>(answers: T): T {
  const texts: [string, string][] = [[" a minute over ", " per minute over "]];
  const text = texts.reduce((text, [old, now]) => text.replaceAll(old, now), JSON.stringify(answers));
  const isInvalid = ({ status }: { status: string }) => Number(status === "invalid");
  // Every alert of an earlier version sounds.
  return JSON.parse(text, (key, value) => {
    if (key === "latest") return value.toSorted((a: never, b: never) => isInvalid(a) - isInvalid(b));
    if (value?.news2 && value.devices) return { ...value, observations, trend_mark: null };
    return inCurrentLimits(value?.alert_id ? { ...value, sounds: true } : value);
  });
}

/** Without what no earlier version said of an alert; test/worker/alerts-api.test.ts looks at it. */
const inFormerWords = (answers: unknown): unknown =>
  JSON.parse(JSON.stringify(answers), (key, value) => (key === "escalates_at" ? undefined : value));

describe("a patient's object of an earlier version", () => {
  beforeEach(() => void vi.useFakeTimers({ now: MORNING + 41 * 60_000, toFake: ["Date"] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("has a fixture for each version but today's", () => {
    expect(PATIENTS).toHaveLength(PATIENT_MONITOR_MIGRATIONS.migrations.length - 1);
  });

  it.each(PATIENTS)("answers as before, and its alarms continue as they would have", async ({ storage, answers }) => {
    const logs = captureLogs();
    await monitorWith(storage);
    expect(inFormerWords(await answersOf())).toEqual({
      snapshot: { ...inCurrentWords(answers.snapshot), observations },
      samples: answers.samples,
    });
    expect(await runInDurableObject(monitor(), (_, state) => recordOf(state.storage.sql))).toEqual(
      expected(PATIENT_MONITOR_MIGRATIONS),
    );
    const next = withLearntSilences(inCurrentWords(answers.next));
    const last = { ...next.at(-1), observations: { ...observations, ...SET_DUE } };
    expect(inFormerWords(await goOn())).toEqual([...next.slice(0, -1), last]);
    expect(logs()).not.toContain("object failed");
  });

  it.each(PATIENTS)("delivers what waited in its outbox", async ({ storage }) => {
    await monitorWith(storage);
    expect((await monitor().outboxState()).waiting).toBe(storage.rows.outbox.length);
    // Rows that D1 rejected before are due again after their back-off.
    vi.setSystemTime(MORNING + 42 * 60_000);
    await runInDurableObject(monitor(), (instance: PatientMonitor) => instance.alarm());
    expect(await monitor().outboxState()).toEqual({ waiting: 0, parked: 0 });
    const hours = await env.DB.prepare("SELECT hour, stats FROM vital_hours WHERE patient_id = ? AND hour = 1140992")
      .bind(PATIENT)
      .first<{ stats: string }>();
    expect(JSON.parse(hours?.stats ?? "{}")["8867-4"]).toEqual([60, 66, 70, 4080, 69, 3_540_000]);
  });

  it("delivers counts that were queued as kind `came`", async () => {
    const { schema, rows } = patientAt2.storage;
    const content = { by: "counted-device", day: 47_541, count: 2, firstSeq: 3, lastSeq: 4, version: 5, told: MORNING };
    const counts = { id: 9_000, kind: "came", body: JSON.stringify({ formatVersion: 2, content }), attempts: 0, due_at: 0 };
    await monitorWith({ schema, rows: { ...rows, outbox: [...rows.outbox, { ...counts, parked_at: null }] } });
    vi.setSystemTime(MORNING + 42 * 60_000);
    await runInDurableObject(monitor(), (instance: PatientMonitor) => instance.alarm());
    expect(await monitor().outboxState()).toEqual({ waiting: 0, parked: 0 });
    const event = (await listLoggedEvents([HOSPITAL])).find(({ actor_id }) => actor_id === "counted-device");
    expect(JSON.parse(event?.detail ?? "{}")).toMatchObject({ samples: 2, first_seq: 3, last_seq: 4 });
  });

  it.each(PATIENTS)("has the tables that a new object has", async ({ storage }) => {
    const [fresh] = await runInDurableObject(env.PATIENT_MONITOR.getByName(crypto.randomUUID()), (_, state) => {
      migrateEmpty(state.storage, PATIENT_MONITOR_MIGRATIONS);
      return [columnsOf(state.storage.sql)];
    });
    await monitorWith(storage);
    expect(await runInDurableObject(monitor(), (_, state) => columnsOf(state.storage.sql))).toEqual(fresh);
  });

  it.each(PATIENTS)("stores whole words from then on", async ({ storage }) => {
    await monitorWith(storage);
    await goOn();
    const [row] = await sqlOf<{ memory: string }>("SELECT memory FROM open");
    const { formatVersion, content } = JSON.parse(row?.memory ?? "{}");
    expect(formatVersion).toBe(5);
    expect(content.alarm.vitals["8480-6"]).toMatchObject({ lastValue: 59, side: "low" });
    for (const key of ["heard", "seen", "newest", "told", "again", "held", "came"]) expect(content).not.toHaveProperty(key);
    const single = keysOf(content).filter((key) => /^[a-z]$/.test(key));
    expect(single).toEqual([]);
  });
});

describe("a memory of format 2", () => {
  const [row] = patientAt2.storage.rows.open;
  const text = row?.memory ?? "";
  const { content: before } = JSON.parse(text);

  it("is read with every part under its new name", () => {
    const { latest, heard, seen, newest, told, again, held, came, ...rest } = before;
    const { "2708-6!": invalid, ...valid } = latest;
    const [monitorId = "", bandId = ""] = Object.keys(heard);
    const at = (device: string, code: string) => newest[`${device} ${code}`];
    expect(memoryDocument.read(text)).toEqual({
      ...rest,
      latest: valid,
      latestInvalid: { "2708-6": invalid },
      deviceStatuses: heard,
      seenSequences: seen,
      newestSampleAt: {
        [monitorId]: Object.fromEntries(["8867-4", "2708-6", "8480-6"].map((code) => [code, at(monitorId, code)])),
        [bandId]: Object.fromEntries(["8310-5", "9279-1"].map((code) => [code, at(bandId, code)])),
      },
      lastClosedHour: told,
      hoursToRecount: again,
      quarantinedCounts: held,
      receivedCounts: {
        [monitorId]: { 47541: { ...came[`${monitorId} 47541`], hours: NO_HOURS } },
        [bandId]: { 47541: { ...came[`${bandId} 47541`], hours: NO_HOURS } },
      },
      // Later than format 2, and empty until the next sample.
      storedCounts: {},
      hourCounts: { from: 0, counts: [] },
      lateBlocks: {},
    });
  });

  it("is recovered in parts when one of them is damaged", () => {
    const damaged = JSON.stringify({ formatVersion: 2, content: { ...before, told: "yesterday" } });
    const { lastClosedHour, ...others } = recoverMemory(damaged, MORNING);
    const { lastClosedHour: _, ...kept } = memoryDocument.read(text);
    expect(others).toEqual(kept);
    expect(lastClosedHour).toBe(Math.floor(MORNING / 3_600_000) - 1);
  });
});

describe("a memory of format 3", () => {
  const read = memoryDocument.read(JSON.stringify(memoryAt3));
  const device = "0193a5b0-0000-7000-8000-000000000004";

  it("keeps a device's own code apart from the invalid heart rates in whose slot it was", () => {
    expect(read.latest["8867-4"]).toMatchObject({ value: 176, unit: "/min" });
    expect(read.latest["8867-4!"]).toMatchObject({ value: 999, unit: "furlong", status: "final" });
    expect(read.latestInvalid).toMatchObject({ "2708-6": { value: 120, status: "invalid" } });
    expect(Object.keys(read.latestInvalid)).toEqual(["2708-6"]);
  });

  it("has newest times by sender and code, also for a code with spaces, and counts by device and day", () => {
    expect(Object.keys(read.newestSampleAt[device] ?? {})).toEqual(["8867-4", "2708-6", "8480-6", "8867-4!"]);
    expect(read.newestSampleAt["user:0193a5b0-0000-7000-8000-000000000009"]).toEqual({ "drops per minute": 4_107_577_200_000 });
    expect(read.receivedCounts[device]).toEqual({
      47541: { ...memoryAt3.content.receivedCounts[`${device} 47541`], hours: NO_HOURS },
    });
  });

  it("is recovered in parts when one of them is damaged", () => {
    const { content } = memoryAt3;
    const newestSampleAt = { ...content.newestSampleAt, [`${device} 2708-6`]: "yesterday" };
    const recovered = recoverMemory(JSON.stringify({ formatVersion: 3, content: { ...content, newestSampleAt } }), MORNING);
    const { "2708-6": _, ...kept } = read.newestSampleAt[device] ?? {};
    expect(recovered).toEqual({ ...read, newestSampleAt: { ...read.newestSampleAt, [device]: kept } });
  });
});

describe("a memory of format 4", () => {
  it("has newest times by the clock of the sender from then on", () => {
    const current = memoryDocument.read(JSON.stringify(memoryAt3));
    const device = "0193a5b0-0000-7000-8000-000000000004";
    const status = { received: MORNING, skew: 600_000, corrected: 600_000, conditions: [] };
    const content = { ...current, deviceStatuses: { [device]: status }, newestSampleAt: { [device]: { a: 1 }, other: { b: 2 } } };
    const read = memoryDocument.read(JSON.stringify({ formatVersion: 4, content }));
    expect(read.newestSampleAt).toEqual({ [device]: { a: 600_001 }, other: { b: 2 } });
    expect(read.deviceStatuses).toEqual({ [device]: status });
  });
});

describe("counts of format 1 and 2 in the outbox", () => {
  const current = { by: "device", day: 1, count: 2, firstSeq: 3, lastSeq: 4, version: 5, queuedAt: 6 };
  it.each([
    ["1", { by: "device", day: 1, n: 2, first: 3, last: 4, version: 5, told: 6 }],
    ["2", { formatVersion: 2, content: { by: "device", day: 1, count: 2, firstSeq: 3, lastSeq: 4, version: 5, told: 6 } }],
    ["3", { formatVersion: 3, content: current }],
  ])("of format %s are read alike, without counts of hours", (_, stored) => {
    expect(OUTBOX_DOCUMENTS.received.read(JSON.stringify(stored))).toEqual({ ...current, hours: NO_HOURS });
  });
});

/** Every key in a document, at any depth. */
function keysOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [...(Array.isArray(value) ? [] : [key]), ...keysOf(item)]);
}

function columnsOf(sql: SqlStorage): Record<string, SqlStorageValue[]> {
  const names = Object.keys(dumpStorage(sql).rows);
  return Object.fromEntries(
    names.map((name) => [
      name,
      sql
        .exec("SELECT name, type, dflt_value FROM pragma_table_info(?) ORDER BY name", name)
        .toArray()
        .map((column) => Object.values(column).join()),
    ]),
  );
}

describe("a hospital's feed of an earlier version", () => {
  it("has a fixture for each version", () => {
    expect(FEEDS).toHaveLength(WARD_FEED_MIGRATIONS.migrations.length);
  });

  it.each(FEEDS)("knows used tickets, views and followers", async ({ storage }) => {
    const stub = env.WARD_FEED.getByName(crypto.randomUUID());
    await runInDurableObject(stub, (_, state) => loadStorage(state.storage.sql, storage));
    await evictDurableObject(stub);
    expect(await stub.redeemTicket("used-ticket", MORNING)).toBe(false);
    expect(await stub.redeemTicket("new-ticket", MORNING)).toBe(true);
    // Its view is known: the patient's object is told to continue.
    expect(await stub.publish(PATIENT, [])).toBeGreaterThan(Date.now());
    expect(await runInDurableObject(stub, (_, state) => recordOf(state.storage.sql))).toEqual(expected(WARD_FEED_MIGRATIONS));
    const followers = () =>
      runInDurableObject(stub, (_, state) => state.storage.sql.exec("SELECT hospital_id FROM followers").toArray().length);
    expect(await followers()).toBe(1);
    await stub.recheck();
    expect(await followers()).toBe(0);
  });
});

describe("an audit log of an earlier version", () => {
  const { stub } = logNamed(HOSPITAL);
  beforeEach(() => void vi.useFakeTimers({ now: MORNING + 3 * HOUR, toFake: ["Date"] }));
  afterEach(async () => {
    vi.useRealTimers();
    // The fixtures are of one log with different entries.
    await inside(stub, (_, state) => state.storage.deleteAlarm());
    const { objects } = await env.FILES.list();
    await env.FILES.delete(objects.map(({ key }) => key).filter((key) => key.includes(HOSPITAL)));
  });

  it("has a fixture for each version", () => {
    expect(AUDIT_LOGS).toHaveLength(AUDIT_LOG_MIGRATIONS.migrations.length);
  });

  it.each(AUDIT_LOGS)("answers as before, takes no event twice, and goes on", async ({ storage, answers }) => {
    await inside(stub, (_, state) => loadStorage(state.storage.sql, storage));
    await evictDurableObject(env.AUDIT_LOG.getByName(HOSPITAL));
    // The key of a segment is not known to an object of the first version.
    const { toReseal, checkpoint: _, ...status } = await stub.status();
    expect(answers.status).toMatchObject(status);
    expect(toReseal).toBe(storage.rows.object_migrations.length === 1 ? storage.rows.segments.length : 0);
    expect(await stub.select({ patientIds: null }, null, 10)).toEqual(answers.open);
    const known: AuditLogEvent[] = storage.rows.entries.map(({ event }) => JSON.parse(event));
    vi.setSystemTime(MORNING + 3 * HOUR + MINUTE);
    await stub.append([newEvent(), ...known]);
    const { size } = answers.status;
    expect((await stub.status()).size).toBe(size + 1);
    vi.setSystemTime(MORNING + 4 * HOUR + MINUTE);
    await runDue(stub);
    expect(await stub.status()).toMatchObject({ closedEnd: size + 1, checkpointSize: size + 1, heldFrom: MORNING });
    expect(await inside(stub, (_, state) => recordOf(state.storage.sql))).toEqual(expected(AUDIT_LOG_MIGRATIONS));
  });

  it.each(AUDIT_LOGS)("has the tables that a new log has", async ({ storage }) => {
    const fresh = await inside(logNamed(crypto.randomUUID()).stub, (_, state) => {
      migrateEmpty(state.storage, AUDIT_LOG_MIGRATIONS);
      return columnsOf(state.storage.sql);
    });
    await inside(stub, (_, state) => loadStorage(state.storage.sql, storage));
    await evictDurableObject(env.AUDIT_LOG.getByName(HOSPITAL));
    expect(await inside(stub, (_, state) => columnsOf(state.storage.sql))).toEqual(fresh);
  });
});

describe("the record of migrations", () => {
  const first: Migration = { name: "first", statements: ["CREATE TABLE IF NOT EXISTS a (id INTEGER PRIMARY KEY)"] };
  const second: Migration = { name: "second", statements: ["ALTER TABLE a ADD COLUMN b TEXT", "INSERT INTO a (b) VALUES ('b')"] };
  const third: Migration = { name: "third", statements: ["CREATE TABLE c (id INTEGER PRIMARY KEY)"] };
  const list = (...migrations: Migration[]) => migrationList("Test", migrations);
  /** In the storage of a new object. */
  const inStorage = <T>(work: (storage: DurableObjectStorage) => T) =>
    runInDurableObject(env.PATIENT_MONITOR.getByName(crypto.randomUUID()), (_, state) => work(state.storage));

  it("runs new migrations once, and earlier ones never again", async () => {
    const names = await inStorage((storage) => {
      migrateEmpty(storage, list(first));
      for (let i = 0; i < 2; i += 1) migrateExisting(storage, list(first, second, third));
      expect(storage.sql.exec("SELECT b FROM a").toArray()).toEqual([{ b: "b" }]);
      return recordOf(storage.sql).map(({ name }) => name);
    });
    expect(names).toEqual(["first", "second", "third"]);
  });

  it("leaves an empty object empty", async () => {
    expect(
      await inStorage((storage) => [
        migrateExisting(storage, list(first)),
        storage.sql.databaseSize > 0 && dumpStorage(storage.sql).schema,
      ]),
    ).toEqual([false, []]);
  });

  it("treats an object without the record as one of the first migration", async () => {
    const names = await inStorage((storage) => {
      storage.sql.exec("CREATE TABLE a (id INTEGER PRIMARY KEY)");
      expect(migrateExisting(storage, list(first, second))).toBe(true);
      return recordOf(storage.sql).map(({ name }) => name);
    });
    expect(names).toEqual(["first", "second"]);
  });

  it.each([
    ["edited", [first, { ...second, statements: ["ALTER TABLE a ADD COLUMN z TEXT"] }], /migration 2: "second" was edited/],
    ["renamed", [{ ...first, name: "other" }, second], /migration 1: "first" ran in this object, and the code has "other"/],
    ["reordered", [second, first], /migration 1: "first" ran in this object, and the code has "second"/],
    ["removed", [first], /migration 2: "second" ran in this object and is missing from the code/],
  ])("refuses a past that was %s, and changes nothing", async (_, migrations, message) => {
    await inStorage((storage) => {
      migrateEmpty(storage, list(first, second));
      const before = dumpStorage(storage.sql);
      expect(() => migrateExisting(storage, list(...migrations, third))).toThrow(MigrationError);
      expect(() => migrateExisting(storage, list(...migrations))).toThrow(message);
      expect(dumpStorage(storage.sql)).toEqual(before);
    });
  });

  it("undoes a migration that fails half-way, and the ones before it in the same run", async () => {
    await inStorage((storage) => {
      migrateEmpty(storage, list(first));
      const bad = {
        name: "bad",
        statements: ["CREATE TABLE d (id INTEGER PRIMARY KEY)", "ALTER TABLE nowhere ADD COLUMN x TEXT"],
      };
      expect(() => migrateExisting(storage, list(first, second, bad))).toThrow(/nowhere/);
      expect(recordOf(storage.sql).map(({ name }) => name)).toEqual(["first"]);
      expect(Object.keys(dumpStorage(storage.sql).rows)).toEqual(["a", "object_migrations"]);
    });
  });

  it("costs two small reads when nothing is to do", async () => {
    const rows = await inStorage((storage) => {
      const migrations = list(first, second, third);
      migrateEmpty(storage, migrations);
      let queries = 0;
      const counting = new Proxy(storage, {
        get: (target, name) => {
          if (name === "sql") queries += 1;
          const value: unknown = Reflect.get(target, name);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      expect(migrateExisting(counting, migrations)).toBe(true);
      return queries;
    });
    expect(rows).toBeLessThanOrEqual(2);
  });

  it("stops an object with a different record, and logs one line", async () => {
    const logs = captureLogs();
    const stub = env.PATIENT_MONITOR.getByName(PATIENT);
    await runInDurableObject(stub, (_, state) => {
      loadStorage(state.storage.sql, {
        schema: [
          ...patientAt1.storage.schema,
          "CREATE TABLE object_migrations (id INTEGER PRIMARY KEY, name TEXT, checksum TEXT)",
        ],
        rows: {
          ...patientAt1.storage.rows,
          object_migrations: [{ id: 1, name: "create tables", checksum: "of something else" }],
        },
      });
      // Created by hand: for a class whose constructor throws, the test runner reports an unhandled error.
      expect(() => new PatientMonitor(state, env)).toThrow(/"create tables" was edited after it ran/);
    });
    const [line] = logs()
      .split("\n")
      .filter((text) => text.includes("migrate"))
      .map((text) => JSON.parse(text)[0]);
    expect(line).toMatchObject({
      levelname: "ERROR",
      object: "PatientMonitor",
      operation: "migrate",
      object_id: PATIENT,
      cause: "MigrationError",
    });
    expect(line.at).toContain("object-migrations.ts");
    vi.restoreAllMocks();
  });
});
