// Moving the audit events of D1 into their logs: each once in every log it belongs to, in order, however often a run is cut off.
import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { moveOldEvents, toEventId } from "../../src/audit/move-old-events.ts";
import { type AuditLogCalls, logsOf, NO_HOSPITAL_LOG } from "../../src/audit-log/contract.ts";
import { withStoreFault } from "../stores.ts";

type OldRow = { seq: number; recordedAt: number; hospital: string | null; actorHospital: string | null; patients: string[] };

const START = Date.UTC(2026, 0, 1);
const pick = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)] as T;

async function insertOldRows(count: number, firstSeq: number): Promise<OldRow[]> {
  const hospitals = [crypto.randomUUID(), crypto.randomUUID(), null];
  const patients = Array.from({ length: 5 }, () => crypto.randomUUID());
  const rows = Array.from({ length: count }, (_, i): OldRow => {
    const hospital = pick(hospitals);
    const actorHospital = pick([null, null, ...hospitals.filter((id) => id !== hospital)]);
    const recordedAt = START + Math.floor(i / 3);
    return { seq: firstSeq + i, recordedAt, hospital, actorHospital, patients: patients.filter(() => Math.random() < 0.4) };
  });
  const insert = `INSERT INTO audit_events (seq, recorded_at, action, event, outcome, actor_kind, hospital_id, actor_hospital_id, request_id, detail)
    VALUES (?, ?, 'R', 'report.read', 'success', 'user', ?, ?, 'old', '{"count":1}')`;
  await env.DB.batch([
    // biome-ignore lint/plugin: a constant.
    ...rows.map((row) => env.DB.prepare(insert).bind(row.seq, row.recordedAt, row.hospital, row.actorHospital)),
    ...rows.flatMap(({ seq, patients: ids }) =>
      ids.map((id) => env.DB.prepare("INSERT INTO audit_subjects (patient_id, seq) VALUES (?, ?)").bind(id, seq)),
    ),
  ]);
  return rows;
}

async function expectMoved(rows: readonly OldRow[]): Promise<void> {
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
    for (const entry of ofTest) expect(entry).toMatchObject({ purpose: "TREAT", detail: { count: 1 } });
  }
}

const countRows = async (): Promise<number> =>
  (await env.DB.prepare("SELECT (SELECT count(*) FROM audit_events) + (SELECT count(*) FROM audit_subjects) AS n").first<number>(
    "n",
  )) ?? -1;

let nextSeq = 1;
async function newRows(count: number): Promise<OldRow[]> {
  const rows = await insertOldRows(count, nextSeq);
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

it("makes UUIDv7s that sort by time, then by seq", () => {
  expect(toEventId(START, 1, 0)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const ids = [toEventId(START, 9, 0), toEventId(START, 10, 0), toEventId(START + 1, 2, 0)];
  expect([...ids].sort()).toEqual(ids);
});
