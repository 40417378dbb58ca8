// What an audit log shows of changes: ten thousand events from the first, each column of a row, a forged chain, restored backups; and
// that it holds no names.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AuditLogEvent } from "../../src/audit-log/contract.ts";
import { handOverStaged } from "../../src/audit-log/hand-over.ts";
import { openLogSource } from "../../src/audit-log/log-source.ts";
import { stageEvent } from "../../src/audit-log/staged-events.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { leafHash } from "../../verifier/leaf.ts";
import { verifyLog } from "../../verifier/verify-log.ts";
import { dumpStorage, loadStorage } from "../object-storage.ts";
import { API, env, newHospital, newWorld, PASSWORD, sendRequest } from "../world.ts";
import {
  appendAll,
  evict,
  HOUR,
  inside,
  listEntries,
  logNamed,
  newEvent,
  newEvents,
  newLog,
  runDue,
  START,
  type Stub,
} from "./audit-log-world.ts";

const verify = async (logId: string, saved: string | null = null) => verifyLog(await openLogSource(env, logId, saved));
const run = (stub: Stub, query: string, ...values: SqlStorageValue[]) =>
  inside(stub, (_, { storage }) => void storage.sql.exec(query, ...values));
afterEach(() => void vi.useRealTimers());

describe("a log", () => {
  beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ["Date"] }));

  it("of ten thousand events is verified from the first to the last", async () => {
    const { logId, stub } = newLog();
    for (let part = 0; part < 5; part++) {
      await appendAll(stub, newEvents(2_000));
      await runDue(stub);
    }
    const { isIntact, checked } = await verify(logId);
    expect([isIntact, checked.events, checked.firstSeq, checked.endSeq]).toEqual([true, 10_000, 0, 10_000]);
    expect(checked.segments).toBeGreaterThan(0);
    expect(checked.openEvents).toBeGreaterThan(0);
  });

  const COLUMNS = ["seq", "id", "logged", "event", "seed", "leaf_hash", "mac"];
  it("has no other columns in a row of an entry", async () => {
    const { stub } = newLog();
    await stub.append(newEvents(1));
    const names = await inside(stub, (_, { storage }) => storage.sql.exec("SELECT * FROM entries").columnNames);
    expect(names).toEqual(COLUMNS);
  });

  /** A byte of the text or blob in a column, or the number itself. */
  const CHANGES: Record<string, string> = {
    seq: "seq + 100",
    id: "replace(id, substr(id, -1), iif(substr(id, -1) = '1', '2', '1'))",
    logged: "logged + 1",
    seed: "unhex(replace(hex(seed), substr(hex(seed), 1, 2), iif(substr(hex(seed), 1, 2) = '00', '01', '00')))",
    leaf_hash: "unhex(iif(substr(hex(leaf_hash), 1, 2) = '00', '01', '00') || substr(hex(leaf_hash), 3))",
    mac: "substr(mac, 1, 5) || iif(substr(mac, 6, 1) = 'A', 'B', 'A') || substr(mac, 7)",
  };
  it.each(COLUMNS.filter((name) => name !== "event"))("names each row of which the column %s was changed", async (column) => {
    for (const seq of [0, 2, 4]) {
      const { logId, stub } = newLog();
      await stub.append(newEvents(5));
      await run(stub, `UPDATE entries SET "${column}" = ${CHANGES[column]} WHERE seq = ?`, seq);
      const { isIntact, problem } = await verify(logId);
      expect([seq, isIntact, problem?.seq]).toEqual([seq, false, seq]);
    }
  });

  it("names the row of which any member of the event was changed", async () => {
    const members = Object.keys(newEvent());
    for (const member of members) {
      const { logId, stub } = newLog();
      await stub.append(newEvents(3));
      await run(stub, "UPDATE entries SET event = json_set(event, '$.' || ?, 'changed') WHERE seq = 1", member);
      const { isIntact, problem } = await verify(logId);
      expect([member, isIntact, problem?.seq]).toEqual([member, false, 1]);
    }
  });

  it("shows a chain that was made again without the key", async () => {
    const { logId, stub } = newLog();
    await stub.append(newEvents(5));
    await inside(stub, async (_, { storage: { sql } }) => {
      type Row = { seq: number; logged: number; event: string; seed: ArrayBuffer; mac: string };
      let previous = Buffer.alloc(32);
      for (const row of sql.exec<Row>("SELECT * FROM entries ORDER BY seq").toArray()) {
        const event: AuditLogEvent = { ...JSON.parse(row.event), outcome: "denied" };
        const seed = Buffer.from(row.seed).toString("base64url");
        const leaf = Buffer.from(leafHash({ ...event, seq: row.seq, logged: row.logged, seed }));
        const place = Buffer.alloc(8);
        place.writeBigUInt64BE(BigInt(row.seq));
        previous = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.concat([previous, place, leaf])));
        const mac = `${row.mac.split(".")[0]}.${previous.toString("base64url")}`;
        const change = "UPDATE entries SET event = ?, leaf_hash = ?, mac = ? WHERE seq = ?";
        sql.exec(change, JSON.stringify(event), new Uint8Array(leaf).buffer, mac, row.seq);
      }
    });
    expect((await verify(logId)).problem).toMatchObject({ seq: 0, kind: "edited" });
  });
});

describe("a restored backup", () => {
  beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ["Date"] }));

  it("of the object is named, as R2 has a newer checkpoint, and nothing of R2 is overwritten", async () => {
    const { logId, stub } = newLog();
    await stub.append(newEvents(20));
    vi.setSystemTime(START + HOUR);
    await runDue(stub);
    await stub.append(newEvents(10));
    const backup = await inside(stub, (_, { storage }) => dumpStorage(storage.sql));
    await stub.append(newEvents(10));
    vi.setSystemTime(START + 2 * HOUR);
    await runDue(stub);
    const { checkpoint } = await stub.checkpoint();
    expect((await verify(logId)).isIntact).toBe(true);
    await inside(stub, (_, { storage }) => loadStorage(storage.sql, backup));
    await evict(stub);
    expect((await verify(logId)).problem).toMatchObject({ kind: "truncated" });
    expect((await verify(logId, checkpoint)).isIntact).toBe(false);
    const files = async () =>
      Promise.all((await env.FILES.list({ prefix: `audit/${logId}/` })).objects.map(async ({ key, etag }) => `${key} ${etag}`));
    const before = await files();
    await stub.append(newEvents(15));
    vi.setSystemTime(START + 4 * HOUR);
    await inside(stub, (object) => object.alarm());
    const after = await files();
    expect(after.filter((file) => before.includes(file))).toEqual(before);
    expect((await verify(logId)).isIntact).toBe(false);
  });

  it("of D1 hands events over again that the logs have: each stays once", async () => {
    vi.useRealTimers();
    const hospitalId = await newHospital();
    const events = newEvents(30, { hospital_id: hospitalId });
    const stage = () => {
      const db = getDb(env.DB);
      return batch(
        db,
        events.map((event) => stageEvent(db, event)),
      );
    };
    for (let time = 0; time < 2; time++) {
      await stage();
      await handOverStaged(env);
    }
    const { stub } = logNamed(hospitalId);
    vi.useFakeTimers({ now: Date.now() + HOUR, toFake: ["Date"] });
    await runDue(stub);
    await stage();
    await handOverStaged(env);
    expect((await listEntries(stub, { patientIds: null })).map(({ id }) => id).sort()).toEqual(events.map(({ id }) => id).sort());
  });
});

it("holds no name, address, search word or secret, in any column of any table", async () => {
  const world = await newWorld();
  const email = `absent-${world.patient.canary}@example.com`;
  await sendRequest(`${API}/patients?search=First-${world.patient.canary}`, { as: world.nurse });
  await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.doctor });
  await sendRequest(`${API}/patients/${world.stranger.id}`, { as: world.self });
  await sendRequest(`${API}/auth/login`, { json: { email, password: PASSWORD } });
  await sendRequest(`${API}/audit-events/export`, { as: world.manager }).then((response) => response.text());
  const dumps = await Promise.all(
    [world.hospitalId, "none"].map((id) => inside(logNamed(id).stub, (_, { storage }) => dumpStorage(storage.sql))),
  );
  const staged = await env.DB.prepare("SELECT * FROM audit_staged").all();
  const text = JSON.stringify([dumps, staged.results]);
  expect(text).toContain("patient.read");
  expect(text).toContain(world.patient.id);
  for (const secret of [world.patient.canary, world.stranger.canary, email, PASSWORD, world.nurse.token]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString("base64").slice(0, 12));
  }
});
