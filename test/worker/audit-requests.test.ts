// How requests reach the audit log: reads append before they answer, writes stage and are handed over, whatever fails.
import { listDurableObjectIds } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { AuditLogEvent } from "../../src/audit-log/contract.ts";
import { handOverStaged } from "../../src/audit-log/hand-over.ts";
import { stageEvent } from "../../src/audit-log/staged-events.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { interceptStores, withAppendFault, withStoreFault } from "../stores.ts";
import {
  API,
  env,
  newHospital,
  newPdf,
  newWorld,
  readAuditEvents,
  readJson,
  sendRequest,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
let reportId = "";
beforeAll(async () => {
  world = await newWorld();
  const sent = await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id });
  reportId = (await readJson(sent)).data.report_id;
});

const HOUR = 3_600_000;
const reads = () => [
  `/patients/${world.patient.id}`,
  "/patients",
  `/patients/${world.patient.id}/care-team`,
  `/patients/${world.patient.id}/observations/latest`,
  "/reports",
  `/reports/${reportId}`,
  `/reports/${reportId}/file`,
];

const countStaged = async () => (await env.DB.prepare("SELECT count(*) AS n FROM audit_staged").first<number>("n")) ?? -1;
const stagedOf = async (requestId: string) =>
  (await env.DB.prepare("SELECT count(*) AS n FROM audit_staged WHERE event->>'request_id' = ?")
    .bind(requestId)
    .first<number>("n")) ?? -1;

/** Entries of a log with a request id, one per `seq`: a repeated append would show twice. */
async function logged(logId: string, requestId: string): Promise<AuditLogEvent[]> {
  const { entries } = await env.AUDIT_LOG.getByName(logId).select({ patientIds: null }, null, 1_000);
  const all = entries as unknown as AuditLogEvent[];
  return all.filter(({ request_id }) => request_id === requestId);
}

/** What must hold of every answer to a read: patient data only with its event, once. */
async function checkRead(response: Response): Promise<string[]> {
  const text = await response.text();
  const requestId = response.headers.get("x-request-id") ?? "";
  await handOverStaged(env);
  const events = await logged(world.hospitalId, requestId);
  return [
    ...(response.status < 300 && events.length !== 1 ? [`${events.length} events`] : []),
    ...(response.status >= 300 && (text.includes(world.patient.canary) || text.startsWith("%PDF")) ? ["data in an error"] : []),
    ...((await stagedOf(requestId)) > 0 ? ["an event waits"] : []),
  ];
}

describe("a read whose log fails", () => {
  it("once: appends through a new stub", async () => {
    for (const when of ["before", "after"] as const) {
      for (const path of reads()) {
        const response = await sendRequest(API + path, { as: world.nurse, env: withAppendFault(env, { when, count: 1 }).env });
        expect(response.status, path).toBe(200);
        expect(await stagedOf(response.headers.get("x-request-id") ?? ""), path).toBe(0);
        expect(await checkRead(response), `${path} ${when}`).toEqual([]);
      }
    }
  });

  it("twice: stages the event in D1, which hands it over once", async () => {
    for (const when of ["before", "after"] as const) {
      for (const path of reads()) {
        const response = await sendRequest(API + path, { as: world.nurse, env: withAppendFault(env, { when, count: 2 }).env });
        expect(response.status, path).toBe(200);
        expect(await stagedOf(response.headers.get("x-request-id") ?? ""), path).toBe(1);
        expect(await checkRead(response), `${path} ${when}`).toEqual([]);
      }
    }
  });

  it("and D1 too: is a 503 without patient data", async () => {
    for (const path of reads()) {
      const broken = withAppendFault(env, { when: "before", count: 2, isStagingDown: true }).env;
      const response = await sendRequest(API + path, { as: world.nurse, env: broken });
      expect(response.status, path).toBe(503);
      expect(await checkRead(response), path).toEqual([]);
    }
  });

  it("does not answer: is answered with a staged event after two deadlines, which the log has once in the end", async () => {
    const silent = interceptStores(env, async ({ op }, run) => {
      const result = await run();
      return op === "audit.append" ? new Promise<never>(() => undefined) : result;
    });
    const response = await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse, env: silent });
    expect(response.status).toBe(200);
    expect(await stagedOf(response.headers.get("x-request-id") ?? "")).toBe(1);
    expect(await checkRead(response)).toEqual([]);
  });

  it("is noticed by this check when it answers without an event", async () => {
    const forgetful = interceptStores(env, async ({ op }, run) => (op === "audit.append" ? (undefined as never) : run()));
    for (const path of reads()) {
      const response = await sendRequest(API + path, { as: world.nurse, env: forgetful });
      expect(await checkRead(response), path).toEqual(["0 events"]);
    }
  });
});

describe("a write", () => {
  it("that fails has no event of success, and one that is committed has one, once", async () => {
    const countPatients = async () => (await env.DB.prepare("SELECT count(*) AS n FROM patients").first<number>("n")) ?? -1;
    for (const when of ["before", "after"] as const) {
      for (let k = 1; ; k++) {
        const before = await countPatients();
        const headers = { "X-Request-Id": `write-${when}-${k}-${uuidv7()}` };
        const broken = withStoreFault(env, k, when, "DB");
        const response = await sendRequest(`${API}/patients`, {
          ...{ as: world.nurse, json: { first_name: "Kiran" }, env: broken.env, headers },
        });
        await response.text();
        await handOverStaged(env);
        const events = await logged(world.hospitalId, headers["X-Request-Id"]);
        const successes = events.filter(({ event, outcome }) => event === "patient.create" && outcome === "success");
        expect(successes, `${when} ${k}`).toHaveLength((await countPatients()) - before);
        if (!broken.fault.fired) break;
      }
    }
  });

  it("is handed over behind the answer, and leaves nothing in D1", async () => {
    await handOverStaged(env);
    const response = await sendRequest(`${API}/wards`, { as: world.manager, json: { name: "Handed over" } });
    expect(response.status).toBe(201);
    expect(await countStaged()).toBe(0);
    expect(await logged(world.hospitalId, response.headers.get("x-request-id") ?? "")).toMatchObject([{ event: "ward.create" }]);
  });

  it("refused and any other response of 400 and more likewise", async () => {
    const response = await sendRequest(`${API}/patients/${world.stranger.id}`, { as: world.doctor });
    expect(response.status).toBe(404);
    expect(await countStaged()).toBe(0);
    const events = await logged(world.hospitalId, response.headers.get("x-request-id") ?? "");
    expect(events).toMatchObject([{ event: "access.denied", outcome: "denied", subjects: [world.stranger.id] }]);
  });
});

const db = getDb(env.DB);
const newEvent = (change: Partial<AuditLogEvent>): AuditLogEvent => ({
  ...{ id: uuidv7(), recorded: Date.now(), event: "test.staged", action: "E", outcome: "success", reason: null },
  actor: { kind: "system", id: "test", role: null },
  ...{ hospital_id: null, actor_hospital_id: null, basis: null, purpose: "administration", entity: null },
  ...{ request_id: "staged", ip: null, detail: null, subjects: [] },
  ...change,
});
const stage = (events: AuditLogEvent[]) =>
  batch(
    db,
    events.map((event) => stageEvent(db, event)),
  );

describe("handing over", () => {
  it("repeats nothing after a kill between the append and the delete, and in concurrent runs", async () => {
    const [hospitalId, other] = [await newHospital(), await newHospital()];
    const events = Array.from({ length: 230 }, (_, i) =>
      newEvent({ hospital_id: hospitalId, request_id: "killed", ...(i % 3 === 0 && { actor_hospital_id: other }) }),
    );
    await stage(events);
    // The second statement of a round deletes.
    const killed = withStoreFault(env, 2, "before", "DB");
    await expect(handOverStaged(killed.env)).rejects.toThrow("injected");
    expect(killed.fault.fired).toBe(true);
    expect(await countStaged()).toBe(230);
    expect((await logged(hospitalId, "killed")).length).toBe(100);
    await Promise.all(Array.from({ length: 4 }, () => handOverStaged(env)));
    expect(await countStaged()).toBe(0);
    const ids = (await logged(hospitalId, "killed")).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
    const atOther = (await logged(other, "killed")).map(({ id }) => id);
    expect(atOther).toHaveLength(77);
    expect(ids).toEqual(expect.arrayContaining(atOther));
  });

  it("parks what a log refuses and what is damaged, hands over the rest, and tries again after six hours", async () => {
    const lines: unknown[] = [];
    vi.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
    const hospitalId = await newHospital();
    const subjects = Array.from({ length: 1_001 }, () => uuidv7());
    const tooMany = newEvent({ hospital_id: hospitalId, request_id: "parked", subjects });
    const good = Array.from({ length: 9 }, () => newEvent({ hospital_id: hospitalId, request_id: "parked" }));
    const damaged = uuidv7();
    await stage([...good.slice(0, 4), tooMany, ...good.slice(4)]);
    await env.DB.prepare("INSERT INTO audit_staged (id, event, subjects) VALUES (?, '{', '[]')").bind(damaged).run();
    await handOverStaged(env);
    expect((await logged(hospitalId, "parked")).map(({ id }) => id).toSorted()).toEqual(good.map(({ id }) => id).toSorted());
    const { results } = await env.DB.prepare("SELECT id FROM audit_staged WHERE parked_at IS NOT NULL ORDER BY id").all();
    expect(results).toEqual([{ id: tooMany.id }, { id: damaged }]);
    expect(JSON.stringify(lines)).toContain(`"message":"audit event parked"`);
    expect(JSON.stringify(lines)).toContain(tooMany.id);
    // As after a release that takes it.
    await env.DB.prepare("UPDATE audit_staged SET subjects = '[]' WHERE id = ?").bind(tooMany.id).run();
    await handOverStaged(env, Date.now() + 5 * HOUR);
    expect(await countStaged()).toBe(2);
    await handOverStaged(env, Date.now() + 7 * HOUR);
    expect((await logged(hospitalId, "parked")).some(({ id }) => id === tooMany.id)).toBe(true);
    expect(await countStaged()).toBe(1);
    await env.DB.prepare("DELETE FROM audit_staged").run();
    vi.restoreAllMocks();
  });

  it("leaves out a log that fails, however many events wait for it", async () => {
    const [failing, working] = [await newHospital(), await newHospital()];
    await stage(Array.from({ length: 250 }, () => newEvent({ hospital_id: failing, request_id: "failing" })));
    await stage([newEvent({ hospital_id: working, request_id: "working" })]);
    const broken: Env = {
      ...env,
      AUDIT_LOG: new Proxy(env.AUDIT_LOG, {
        get: (target, name) => {
          if (name !== "getByName") return Reflect.get(target, name);
          return (id: string) =>
            id === failing ? { append: () => Promise.reject(new Error("internal error")) } : target.getByName(id);
        },
      }),
    };
    await handOverStaged(broken);
    expect(await logged(working, "working")).toHaveLength(1);
    expect(await countStaged()).toBe(250);
    await handOverStaged(env);
    expect(await logged(failing, "failing")).toHaveLength(250);
    expect(await countStaged()).toBe(0);
  });
});

describe("lists", () => {
  it("of an administrator append one event per hospital, with its patients only", async () => {
    const other = await newWorld();
    const response = await sendRequest(`${API}/patients?limit=100`, { as: world.admin });
    const { data } = await readJson(response);
    const events = await readAuditEvents(response.headers.get("x-request-id") ?? "");
    const hospitals = new Set<string>(data.map(({ hospital_id }: { hospital_id: string }) => hospital_id));
    expect(hospitals.size).toBeGreaterThan(1);
    expect(new Set(events.map(({ hospital_id }) => hospital_id))).toEqual(hospitals);
    expect(events).toHaveLength(hospitals.size);
    for (const { hospital_id, subjects, detail } of events) {
      const own = data.filter((row: { hospital_id: string }) => row.hospital_id === hospital_id);
      expect(subjects.toSorted()).toEqual(own.map(({ patient_id }: { patient_id: string }) => patient_id).toSorted());
      expect(detail).toBe(JSON.stringify({ count: own.length }));
    }
    expect(hospitals.has(other.hospitalId)).toBe(true);
  });

  it("of events show what has just been staged, with id and log, page by page", async () => {
    const list = async (query: string, as: { token: string } = world.admin) =>
      readJson(await sendRequest(`${API}/audit-events?${query}`, { as }));
    const hospitalId = await newHospital();
    const recorded = Date.now();
    await stage(Array.from({ length: 7 }, (_, i) => newEvent({ hospital_id: hospitalId, recorded: recorded - (i >> 1) })));
    const seen: { id: string; log: string; recorded: string }[] = [];
    let cursor = "";
    for (let page = 0; page < 5; page++) {
      const { data, meta } = await list(`hospital_id=${hospitalId}&limit=3${cursor}`);
      seen.push(...data);
      if (meta.pagination.next_cursor === null) break;
      expect(meta.pagination.total_is_exact).toBe(false);
      cursor = `&cursor=${meta.pagination.next_cursor}`;
    }
    const listed = seen.filter((item) => (item as unknown as { event: string }).event === "test.staged");
    expect(listed).toHaveLength(7);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(7);
    expect(listed.every(({ log }) => log === hospitalId)).toBe(true);
    const order = listed.map(({ id, recorded: at }) => `${at} ${id}`);
    expect(order).toEqual(order.toSorted().reverse());
    const ofNobody = (await list("hospital_id=none&limit=100")).data;
    expect(ofNobody.every((item: { log: string | null }) => item.log === null)).toBe(true);
    expect((await sendRequest(`${API}/audit-events?offset=1`, { as: world.admin })).status).toBe(400);
  });

  it("of a hospital that does not exist are refused, and no log comes into being", async () => {
    const hospitalId = uuidv7();
    for (const path of [`/audit-events?hospital_id=${hospitalId}`, "/users"]) {
      const json = {
        email: "nobody@example.org",
        full_name: "N N",
        role: "nurse",
        password: "quiet river stones",
        hospital_id: hospitalId,
      };
      const response = await sendRequest(API + path, { as: world.admin, ...(path === "/users" && { json }) });
      expect(response.status, path).toBe(404);
      const events = await readAuditEvents(response.headers.get("x-request-id") ?? "");
      expect(events).toMatchObject([{ event: "access.denied", hospital_id: null, entity_id: hospitalId }]);
    }
    const ids = (await listDurableObjectIds(env.AUDIT_LOG)).map(String);
    expect(ids).not.toContain(String(env.AUDIT_LOG.idFromName(hospitalId)));
    expect(ids).toContain(String(env.AUDIT_LOG.idFromName(world.hospitalId)));
  });

  it("of all hospitals end at a hundred, where hospital_id is needed", async () => {
    const hospitals = await env.DB.prepare("SELECT count(*) AS n FROM hospitals").first<number>("n");
    for (let i = hospitals ?? 0; i < 99; i++) await newHospital();
    expect((await sendRequest(`${API}/audit-events`, { as: world.admin })).status).toBe(200);
    await newHospital();
    const refused = await sendRequest(`${API}/audit-events`, { as: world.admin });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("hospital_id");
    const one = await sendRequest(`${API}/audit-events?hospital_id=${world.hospitalId}`, { as: world.admin });
    expect(one.status).toBe(200);
    expect((await sendRequest(`${API}/audit-events`, { as: world.manager })).status).toBe(200);
  });
});
