// Moving the audit events of D1 into their logs: each once in every log it belongs to, in order, however often a run is cut off.
import { env, runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import dropTables from "../../migrations/next/drop_audit_events.sql?raw";
import { moveOldEvents, toEventId } from "../../src/audit/move-old-events.ts";
import { MAX_EVENT_LENGTH } from "../../src/audit-log/append.ts";
import { type AuditLogCalls, logsOf, NO_HOSPITAL_LOG } from "../../src/audit-log/contract.ts";
import { handOverStaged } from "../../src/audit-log/hand-over.ts";
import { withStoreFault } from "../stores.ts";
import { captureLogs } from "../token-forge.ts";

type OldRow = { seq: number; recordedAt: number; hospital: string | null; actorHospital: string | null; patients: string[] };

const START = Date.UTC(2026, 0, 1);
const pick = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)] as T;

async function insertOldRows(count: number, firstSeq: number, details: Record<number, string>): Promise<OldRow[]> {
  const hospitals = [crypto.randomUUID(), crypto.randomUUID(), null];
  const patients = Array.from({ length: 5 }, () => crypto.randomUUID());
  const rows = Array.from({ length: count }, (_, i): OldRow => {
    const hospital = pick(hospitals);
    const actorHospital = pick([null, null, ...hospitals.filter((id) => id !== hospital)]);
    const recordedAt = START + Math.floor(i / 3);
    return { seq: firstSeq + i, recordedAt, hospital, actorHospital, patients: patients.filter(() => Math.random() < 0.4) };
  });
  const insert = `INSERT INTO audit_events (seq, recorded_at, action, event, outcome, actor_kind, hospital_id, actor_hospital_id, request_id, detail)
    VALUES (?, ?, 'R', 'report.read', 'success', 'user', ?, ?, 'old', ?)`;
  await env.DB.batch([
    ...rows.map((row, i) =>
      // biome-ignore lint/plugin: a constant.
      env.DB.prepare(insert).bind(row.seq, row.recordedAt, row.hospital, row.actorHospital, details[i] ?? '{"count":1}'),
    ),
    ...rows.flatMap(({ seq, patients: ids }) =>
      ids.map((id) => env.DB.prepare("INSERT INTO audit_subjects (patient_id, seq) VALUES (?, ?)").bind(id, seq)),
    ),
  ]);
  return rows;
}

async function expectMoved(rows: readonly OldRow[], damaged?: OldRow): Promise<void> {
  const logs = new Set(
    rows.flatMap(({ hospital, actorHospital }) => logsOf({ hospital_id: hospital, actor_hospital_id: actorHospital })),
  );
  for (const logId of logs) {
    // RPC types make `never` of values with members of unknown type.
    const calls = env.AUDIT_LOG.getByName(logId) as unknown as AuditLogCalls;
    const { entries } = await calls.select({ patientIds: null }, null, 1_000);
    const moved = entries.filter(({ request_id }) => request_id === "old").sort((a, b) => a.seq - b.seq);
    const expected = rows.filter((row) =>
      logsOf({ hospital_id: row.hospital, actor_hospital_id: row.actorHospital }).includes(logId),
    );
    const ids = new Set(expected.map((row) => toEventId(row.recordedAt, row.seq, 0)));
    const ofTest = moved.filter(({ id }) => logId !== NO_HOSPITAL_LOG || ids.has(id));
    expect(ofTest.map(({ id, subjects }) => ({ id, subjects }))).toEqual(
      expected.map((row) => ({ id: toEventId(row.recordedAt, row.seq, 0), subjects: [...row.patients].sort() })),
    );
    const damagedId = damaged && toEventId(damaged.recordedAt, damaged.seq, 0);
    for (const entry of ofTest)
      expect(entry).toMatchObject({ purpose: "TREAT", detail: entry.id === damagedId ? { damaged: '{"count":' } : { count: 1 } });
  }
}

const countRows = async (): Promise<number> =>
  (await env.DB.prepare("SELECT (SELECT count(*) FROM audit_events) + (SELECT count(*) FROM audit_subjects) AS n").first<number>(
    "n",
  )) ?? -1;

let nextSeq = 1;
/** @param details by index in the list */
async function newRows(count: number, details: Record<number, string> = {}): Promise<OldRow[]> {
  const rows = await insertOldRows(count, nextSeq, details);
  nextSeq += count;
  return rows;
}

it("moves every row once into each of its logs, and empties the tables", async () => {
  const rows = await newRows(600);
  expect(await moveOldEvents(env, Date.now())).toBe(600);
  await expectMoved(rows);
  expect(await countRows()).toBe(0);
  expect(await moveOldEvents(env, Date.now())).toBe(0);
}, 60_000);

it("finishes after a run that ended at any store call, before or after its effect", async () => {
  for (const when of ["before", "after"] as const) {
    for (let k = 1; ; k++) {
      const rows = await newRows(12);
      const { env: faulty, fault } = withStoreFault(env, k, when);
      await moveOldEvents(faulty, Date.now()).catch(() => undefined);
      await moveOldEvents(env, Date.now());
      await expectMoved(rows);
      expect(await countRows()).toBe(0);
      if (!fault.fired) break;
      expect(k).toBeLessThan(20);
    }
  }
}, 120_000);

it("keeps the last row for an hour, so that numbers are not used again", async () => {
  const rows = await newRows(3);
  const soon = (rows.at(-1)?.recordedAt ?? 0) + 1_000;
  expect(await moveOldEvents(env, soon)).toBe(2);
  await expectMoved(rows);
  expect(await env.DB.prepare("SELECT seq FROM audit_events").first<number>("seq")).toBe(rows.at(-1)?.seq);
  await moveOldEvents(env, soon + 3_600_000);
  await expectMoved(rows);
  expect(await countRows()).toBe(0);
});

const listStaged = async () =>
  (await env.DB.prepare("SELECT id, parked_at IS NOT NULL AS parked FROM audit_staged ORDER BY id").all()).results;

it("sets aside a row that a log refuses, says so, keeps it, and moves the others, wherever a run ends", async () => {
  const logged = captureLogs();
  for (let k = 0; ; k++) {
    await env.DB.prepare("DELETE FROM audit_staged").run();
    const rows = await newRows(9, { 4: JSON.stringify({ text: "x".repeat(MAX_EVENT_LENGTH) }), 6: '{"count":' });
    const [refused, damaged] = [rows[4], rows[6]];
    const { env: faulty, fault } = withStoreFault(env, k, "after");
    if (k > 0) await moveOldEvents(faulty, Date.now()).catch(() => undefined);
    await moveOldEvents(env, Date.now());
    expect(await countRows()).toBe(0);
    await expectMoved(
      rows.filter((row) => row !== refused),
      damaged,
    );
    const id = toEventId(refused?.recordedAt ?? 0, refused?.seq ?? 0, 0);
    expect(await listStaged()).toEqual([{ id, parked: 0 }]);
    expect(logged()).toContain(`"code":"${refused?.seq}"`);
    await handOverStaged(env);
    expect(await listStaged()).toEqual([{ id, parked: 1 }]);
    if (k > 0 && !fault.fired) break;
    expect(k).toBeLessThan(30);
  }
  await env.DB.prepare("DELETE FROM audit_staged").run();
  vi.restoreAllMocks();
}, 120_000);

it("has a guard for the migration that drops the tables: it fails while a row is left", async () => {
  await runInDurableObject(env.AUDIT_LOG.getByName(crypto.randomUUID()), (_, { storage }) => {
    const { sql } = storage;
    sql.exec("CREATE TABLE audit_events (seq INTEGER); CREATE TABLE audit_subjects (seq INTEGER)");
    const tables = () => sql.exec("SELECT count(*) AS n FROM sqlite_master WHERE name GLOB 'audit_*'").one()["n"];
    const drop = () => storage.transactionSync(() => void sql.exec(dropTables));
    const expectGuarded = () => {
      expect(drop).toThrow("CHECK constraint failed: audit_events_wait_for_their_logs");
      expect(tables()).toBe(2);
    };
    sql.exec("INSERT INTO audit_events (seq) VALUES (1)");
    expectGuarded();
    sql.exec("INSERT INTO audit_subjects (seq) VALUES (1); DELETE FROM audit_events");
    expectGuarded();
    sql.exec("DELETE FROM audit_subjects");
    drop();
    expect(tables()).toBe(0);
  });
});

it("makes UUIDv7s that sort by time, then by seq", () => {
  expect(toEventId(START, 1, 0)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const ids = [toEventId(START, 9, 0), toEventId(START, 10, 0), toEventId(START + 1, 2, 0)];
  expect([...ids].sort()).toEqual(ids);
});
