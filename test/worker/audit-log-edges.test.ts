// Edges of an audit log: a hold in the middle of pruning, invented cursors, hospitals that are not the caller's, logs read before
// they are written, and events that waited for days.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { pruneAuditLogs } from "../../src/audit/retention.ts";
import { handOverStaged } from "../../src/audit-log/hand-over.ts";
import { openLogSource } from "../../src/audit-log/log-source.ts";
import { stageEvent } from "../../src/audit-log/staged-events.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { verifyLog } from "../../verifier/verify-log.ts";
import { interceptStores } from "../stores.ts";
import { API, env, newHospital, newPerson, newWorld, type Person, readJson, sendRequest, type World } from "../world.ts";
import { evict, HOUR, inside, logNamed, newEvents, newLog, runDue } from "./audit-log-world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => void vi.useRealTimers());

const YEAR = 365.25 * 24 * HOUR;
const RUN_MS = 15 * 60_000;
const get = async (path: string, as: Person) => {
  const response = await sendRequest(`${API}${path}`, { as });
  return { status: response.status, body: await readJson(response) };
};

describe("a legal hold", () => {
  it("that is set while the cron job prunes is kept", async () => {
    const hospitalId = await newHospital();
    const { stub } = logNamed(hospitalId);
    await stub.append(newEvents(3, { recorded: Date.now() - 7 * YEAR, hospital_id: hospitalId, subjects: [] }));
    vi.useFakeTimers({ now: Date.now() + HOUR, toFake: ["Date"] });
    await runDue(stub);
    vi.useRealTimers();
    let isSet = false;
    // The job has its list of logs; the hold comes before the job's turn of this one.
    const racing = interceptStores(env, async ({ op }, run) => {
      if (op === "audit.status" && !isSet) {
        isSet = true;
        const json = { reason: "Proceedings" };
        const put = await sendRequest(`${API}/hospitals/${hospitalId}/legal-hold`, { as: world.admin, method: "PUT", json });
        expect(put.status).toBe(200);
      }
      return run();
    });
    const logs = (await env.DB.prepare("SELECT count(*) + 1 AS n FROM hospitals").first<number>("n")) ?? 0;
    for (let turn = 0; turn < Math.ceil(logs / 25); turn++) await pruneAuditLogs(racing, Date.now() + turn * RUN_MS);
    expect(isSet).toBe(true);
    expect(await stub.status()).toMatchObject({ heldFrom: 0, prunedUpTo: 0 });
  });

  it("needs a reason that is more than spaces; ending none leaves no event", async () => {
    const hospitalId = await newHospital();
    const change = (method: string, json?: object) =>
      sendRequest(`${API}/hospitals/${hospitalId}/legal-hold`, { as: world.admin, method, ...(json && { json }) });
    expect((await change("PUT", { reason: "   " })).status).toBe(400);
    expect((await change("PUT", { reason: "Proceedings", recorded_from: null })).status).toBe(200);
    for (let i = 0; i < 2; i++) expect((await change("DELETE")).status).toBe(200);
    const { body } = await get(`/audit-events?hospital_id=${hospitalId}&event=legal_hold.end`, world.admin);
    expect(body.data).toHaveLength(1);
  });
});

describe("the verify route", () => {
  it("takes no cursor that it did not give this caller for this log", async () => {
    const hospitalId = await newHospital();
    const [manager, other] = [await newPerson("hospital_admin", hospitalId), await newPerson("hospital_admin", hospitalId)];
    const { stub } = logNamed(hospitalId);
    await stub.append(newEvents(5, { hospital_id: hospitalId, subjects: [] }));
    const { next_cursor: cursor } = (await get("/audit-events/verify", manager)).body.data;
    const size = (await stub.status()).size;
    for (const invented of ["e.3.0.0", "c.999999.0.0", `e.0.${size}.0`, `${cursor}x`])
      expect([invented, (await get(`/audit-events/verify?cursor=${invented}`, manager)).status]).toEqual([invented, 400]);
    expect((await get(`/audit-events/verify?cursor=${cursor}`, other)).status).toBe(400);
    expect((await get(`/audit-events/verify?cursor=${cursor}`, manager)).status).toBe(200);
    const { body } = await get("/audit-events?event=audit.verify", manager);
    const details = body.data.map(({ detail }: { detail: object }) => detail);
    expect(details[0]).toMatchObject({ is_intact: true, is_last: true, first_seq: 0 });
    expect(details).toHaveLength(2);
  });
});

describe("members that were added to the actor of a stored event", () => {
  it("are named by the verifier and shown to nobody", async () => {
    const hospitalId = await newHospital();
    const manager = await newPerson("hospital_admin", hospitalId);
    const { stub } = logNamed(hospitalId);
    await stub.append(newEvents(3, { hospital_id: hospitalId, subjects: [] }));
    await inside(
      stub,
      (_, { storage }) =>
        void storage.sql.exec(
          "UPDATE entries SET event = replace(event, ?, ?) WHERE seq = 1",
          '"role":',
          '"name":"Dr Forged","role":',
        ),
    );
    await evict(stub);
    const listed = await sendRequest(`${API}/audit-events`, { as: manager });
    expect(await listed.text()).not.toContain("Forged");
    expect((await verifyLog(await openLogSource(env, hospitalId))).problem).toMatchObject({ kind: "edited", seq: 1 });
  });
});

describe("a hospital that is not the caller's, or does not exist", () => {
  it("is refused by list and export alike, and no log comes into being", async () => {
    const unknown = crypto.randomUUID();
    const other = await newHospital();
    const asked: [Person, string][] = [
      [world.admin, unknown],
      [world.manager, other],
      [world.manager, unknown],
      [world.manager, "none"],
    ];
    for (const [person, id] of asked) {
      for (const path of ["/audit-events", "/audit-events/export"]) {
        const response = await sendRequest(`${API}${path}?hospital_id=${id}`, { as: person });
        expect([person.role, path, response.status]).toEqual([person.role, path, 404]);
        await response.body?.cancel();
      }
    }
    expect((await logNamed(unknown).stub.status()).size).toBe(0);
    expect((await get(`/audit-events?hospital_id=${world.hospitalId}`, world.manager)).status).toBe(200);
  });

  it("is no part of a patient's own log that names another", async () => {
    await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse });
    const events = async (query: string) => (await get(`/audit-events${query}`, world.self)).body.data.length;
    expect(await events(`?hospital_id=${world.hospitalId}`)).toBeGreaterThan(0);
    expect(await events(`?hospital_id=${await newHospital()}`)).toBe(0);
    expect(await events("?abroad=true")).toBe(0);
  });
});

describe("a log that was read before it was written", () => {
  it("takes events, also where the platform keeps a table of its own in the object", async () => {
    const { logId, stub } = newLog();
    expect((await stub.status()).size).toBe(0);
    await inside(stub, (_, { storage }) => void storage.sql.exec("CREATE TABLE __miniflare_do_name (name TEXT)"));
    await evict(stub);
    expect((await stub.status()).size).toBe(0);
    await stub.append(newEvents(2, { hospital_id: logId }));
    expect((await stub.status()).size).toBe(2);
  });

  it("is mended where an earlier version made its tables alone", async () => {
    const { logId, stub } = newLog();
    await stub.append(newEvents(1, { hospital_id: logId }));
    await inside(stub, (_, { storage }) => {
      storage.sql.exec("DELETE FROM state");
      storage.sql.exec("DELETE FROM entries");
    });
    await evict(stub);
    await stub.append(newEvents(2, { hospital_id: logId }));
    expect((await stub.status()).size).toBe(2);
  });
});

describe("closing a segment", () => {
  it("deletes no row that the signed checkpoint does not cover, whatever the object's state says", async () => {
    const { logId, stub } = newLog();
    await stub.append(newEvents(5, { hospital_id: logId }));
    await stub.checkpoint();
    await stub.append(newEvents(5, { hospital_id: logId }));
    await inside(stub, (_, { storage }) => void storage.sql.exec("UPDATE state SET checkpoint_size = 1000"));
    await evict(stub);
    vi.useFakeTimers({ now: Date.now() + HOUR + 60_000, toFake: ["Date"] });
    await runDue(stub).catch(() => undefined);
    vi.useRealTimers();
    expect((await stub.readOpen(-1, 100)).entries).toHaveLength(10);
    expect(await stub.listSegments(0, 10)).toEqual([]);
  });
});

describe("events that waited for days", () => {
  it("do not hold up newer ones of a hospital with many segments in between", async () => {
    const { logId, stub } = newLog();
    const now = Date.now();
    await stub.append(newEvents(10, { recorded: now - 72 * HOUR, hospital_id: logId }));
    vi.useFakeTimers({ now: now + HOUR + 60_000, toFake: ["Date"] });
    await runDue(stub);
    vi.useRealTimers();
    // As a hospital with seven events a second fills them from yesterday until now.
    await inside(stub, (_, { storage }) => {
      for (let i = 0; i < 101; i++) {
        const [from, to] = [now - 24 * HOUR + i * 600_000, now - 24 * HOUR + (i + 1) * 600_000];
        storage.sql.exec(
          `INSERT INTO segments SELECT ${1_000 + i}, ${1_001 + i}, ?, ?, ?, ?, level, object_key, size, index_size, terms, kid
            FROM segments WHERE first_seq = 0`,
          ...[from, to, from, to],
        );
      }
    });
    await evict(stub);
    const db = getDb(env.DB);
    const waiting = [26, 2, 0, 0, 0].flatMap((hours) => newEvents(1, { recorded: now - hours * HOUR, hospital_id: logId }));
    await batch(
      db,
      waiting.map((event) => stageEvent(db, event)),
    );
    for (let run = 0; run < 3; run++) await handOverStaged(env, now + run);
    const left = await env.DB.prepare("SELECT count(*) AS n FROM audit_staged WHERE event LIKE ?").bind(`%${logId}%`).first("n");
    expect({ left, logged: (await stub.status()).size - 10 }).toEqual({ left: 0, logged: 5 });
  });
});
