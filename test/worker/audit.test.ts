// The audit log: one event per decision, every patient named, no access without an event, and append-only.
import { v7 } from "uuid";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { recordAuditEvent } from "../../src/access/audit.ts";
import { app } from "../../src/app.ts";
import { batch, getDb } from "../../src/platform/db/client.ts";
import { withStoreFault } from "../stores.ts";
import {
  API,
  env,
  listLoggedEvents,
  newHospital,
  newPatient,
  newPdf,
  newWorld,
  PASSWORD,
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
  const sent = await uploadReport(world.nurse, newPdf(world.patient.canary), {
    patient_id: world.patient.id,
    metrics: JSON.stringify({ heart_rate: 70, vendor: world.patient.canary }),
  });
  reportId = (await readJson(sent)).data.report_id;
});
afterEach(() => vi.restoreAllMocks());

const eventsOf = (response: Response) => readAuditEvents(response.headers.get("x-request-id") ?? "");

describe("what is traced", () => {
  it("a list names every patient on its page, and no other", async () => {
    await newPatient(world.hospitalId, world.nurse);
    for (const path of ["/patients?limit=2", "/patients/list?limit=2&offset=1", "/reports", "/reports/list", "/ecg/reports"]) {
      const response = await sendRequest(API + path, { as: world.nurse });
      const { data } = await readJson(response);
      const ids: string[] = data.map((row: { patient_id?: string; patient?: { patient_id: string } }) => {
        return row.patient_id ?? row.patient?.patient_id;
      });
      const events = await eventsOf(response);
      expect(events).toHaveLength(1);
      expect(ids.length).toBeGreaterThan(0);
      expect(events[0]?.subjects.toSorted()).toEqual([...new Set(ids)].sort());
      expect(events[0]).toMatchObject({ actor_id: world.nurse.id, actor_role: "nurse", hospital_id: world.hospitalId });
    }
  });

  it("failed logins of known and unknown names, without the name", async () => {
    const known = await sendRequest(`${API}/auth/login`, { json: { email: world.nurse.email, password: "not the password" } });
    const unknown = await sendRequest(`${API}/auth/login`, { json: { username: "nobody.at.all", password: "not the password" } });
    const right = await sendRequest(`${API}/auth/login`, { json: { email: world.nurse.email, password: PASSWORD } });
    expect([known.status, unknown.status, right.status]).toEqual([401, 401, 200]);
    const events = await Promise.all([known, unknown, right].map(eventsOf));
    expect(events.map((rows) => rows.length)).toEqual([1, 1, 1]);
    const [first, second, third] = events.flat();
    expect(first).toMatchObject({
      event: "login.failed",
      outcome: "denied",
      reason: "wrong_password",
      entity_id: world.nurse.id,
    });
    expect(second).toMatchObject({ event: "login.failed", outcome: "denied", reason: "unknown_name", entity_id: null });
    expect(third).toMatchObject({ event: "login.success", outcome: "success", actor_id: world.nurse.id });
    expect(JSON.stringify([first, second, third])).not.toMatch(/nobody\.at\.all|@example\.org|not the password/);
  });

  it("the making of a link and each use of it, with the address that used it", async () => {
    const detail = await sendRequest(`${API}/reports/${reportId}`, { as: world.doctor });
    const { data } = await readJson(detail);
    expect(await eventsOf(detail)).toMatchObject([{ event: "report.read", basis: "care_team", detail: '{"link":true}' }]);
    for (const ip of ["203.0.113.7", "203.0.113.8"]) {
      const used = await sendRequest(data.download_url, { ip });
      await used.arrayBuffer();
      expect(await eventsOf(used)).toMatchObject([
        { event: "report.download", actor_id: world.doctor.id, ip, detail: '{"via":"link"}', subjects: [world.patient.id] },
      ]);
    }
  });

  it("a stale or impossible change, as a failure, besides the change that counted", async () => {
    const path = `${API}/patients/${world.patient.id}`;
    const change = { as: world.nurse, method: "PATCH", json: { monitoring: "home" } };
    const good = await sendRequest(path, { ...change, headers: { "If-Match": '"1"' } });
    const stale = await sendRequest(path, { ...change, headers: { "If-Match": '"1"' } });
    expect([good.status, stale.status]).toEqual([200, 412]);
    expect(await eventsOf(good)).toMatchObject([{ event: "patient.update", outcome: "success", subjects: [world.patient.id] }]);
    expect(await eventsOf(stale)).toMatchObject([
      { event: "patient.update", outcome: "failed", reason: "precondition_failed", subjects: [world.patient.id] },
    ]);
  });

  it("a path parameter only if it is an id: no name, address or phone number", async () => {
    for (const ref of ["asha.verma@example.org", "Asha%20Verma", "919876543210", "234567890124"]) {
      const response = await sendRequest(`${API}/patients/${ref}`, { as: world.nurse });
      expect(response.status).toBe(404);
      expect(await eventsOf(response)).toMatchObject([{ event: "access.denied", entity_id: null, subjects: [] }]);
    }
    const response = await sendRequest(`${API}/patients/${world.stranger.id}`, { as: world.doctor });
    expect(await eventsOf(response)).toMatchObject([{ entity_id: world.stranger.id, subjects: [world.stranger.id] }]);
  });

  it("the caller's request id, if it is well-formed, in response, audit log and log", async () => {
    const lines: unknown[] = [];
    vi.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
    const plain = await sendRequest(`${API}/patients`, { as: world.nurse, headers: { "X-Request-Id": "clinic-0001.a" } });
    expect(plain.headers.get("x-request-id")).toBe("clinic-0001.a");
    expect(await readAuditEvents("clinic-0001.a")).toHaveLength(1);
    expect(JSON.stringify(lines)).toContain('"request_id":"clinic-0001.a"');
    for (const bad of ["short", "a".repeat(65), 'x","levelname":"ERROR', "\u001b[31mred-alert", "no spaces please"]) {
      lines.length = 0;
      const headers = { "X-Request-Id": bad };
      const response = await sendRequest(`${API}/patients`, { as: world.nurse, headers });
      expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(JSON.stringify(lines)).not.toContain(JSON.stringify(bad).slice(1, -1));
    }
  });
});

describe("no data without an audit event", () => {
  const reads = () => [
    `/patients/${world.patient.id}`,
    "/patients",
    `/patients/${world.patient.id}/care-team`,
    "/reports",
    "/reports/stats",
    `/reports/${reportId}`,
    `/reports/${reportId}/file`,
    "/uploads",
    "/devices",
  ];

  it("every read whose D1 call fails is a 503 without patient data", async () => {
    for (const path of reads()) {
      let fired = 0;
      for (const when of ["before", "after"] as const) {
        for (let k = 1; ; k++) {
          const broken = withStoreFault(env, k, when, "DB");
          const response = await sendRequest(API + path, { as: world.nurse, env: broken.env });
          const text = await response.text();
          if (!broken.fault.fired) {
            expect(response.status, path).toBe(200);
            break;
          }
          fired++;
          expect(response.status, `${path} ${when} ${k}`).toBe(503);
          expect(response.headers.get("retry-after")).toBe("5");
          expect(text).not.toContain(world.patient.canary);
          expect(text).not.toMatch(/injected|D1_ERROR|INSERT|SELECT/);
        }
      }
      expect(fired, path).toBeGreaterThanOrEqual(2);
    }
  });

  it("a write and its audit event are stored together or not at all", async () => {
    const counts = async () => [
      await env.DB.prepare("SELECT count(*) AS n FROM patients").first<number>("n"),
      (await listLoggedEvents()).filter(({ event }) => event === "patient.create").length,
    ];
    const before = await counts();
    for (let k = 1; ; k++) {
      const broken = withStoreFault(env, k, "before", "DB");
      const response = await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Kiran" }, env: broken.env });
      if (!broken.fault.fired) {
        expect(response.status).toBe(201);
        break;
      }
      expect(response.status).toBe(503);
      expect(await counts()).toEqual(before);
    }
    expect(await counts()).toEqual(before.map((n) => Number(n) + 1));
  });
});

describe("an append-only audit log", () => {
  it("has no route but one that reads, and that reading is an event too", async () => {
    const routes = app.routes.filter((r) => r.method !== "ALL" && r.path.includes("audit")).map((r) => `${r.method} ${r.path}`);
    expect(routes.length).toBeGreaterThan(5);
    expect(routes.filter((route) => !route.startsWith("GET /api/v1/audit-events"))).toEqual([]);
    const response = await sendRequest(`${API}/audit-events?patient_id=${world.patient.id}`, { as: world.manager });
    expect(response.status).toBe(200);
    expect(await eventsOf(response)).toMatchObject([{ event: "audit.read", subjects: [world.patient.id] }]);
  });

  it("shows patients what concerns them, hospital administrators their hospital, administrators all", async () => {
    const other = await newWorld();
    await sendRequest(`${API}/patients/${other.patient.id}`, { as: other.nurse });
    type Event = { hospital_id: string | null; actor: { id: string | null }; entity: { id: string } | null; event: string };
    const events = async (as: { token: string }): Promise<Event[]> => {
      const { data } = await readJson(await sendRequest(`${API}/audit-events?limit=100`, { as }));
      return data;
    };
    const own = await events(other.manager);
    expect(own.length).toBeGreaterThan(2);
    expect(new Set(own.map((event) => event.hospital_id))).toEqual(new Set([other.hospitalId]));
    const mine = await events(other.self);
    expect(mine.some((e) => e.event === "patient.read" && e.actor.id === other.nurse.id)).toBe(true);
    expect(mine.some((e) => e.entity?.id === other.stranger.id)).toBe(false);
    const places = new Set((await events(other.admin)).map((event) => event.hospital_id));
    expect(places.has(other.hospitalId) && places.size > 1).toBe(true);
  });

  it("nothing of a range of time is missed, nothing else shown, whatever the order in which events were stored", async () => {
    const other = await newHospital();
    const day = 86_400_000;
    // Requests that started before the logged ones and ended in a different order.
    const start = Date.now() - 50 * 60_000;
    const times = Array.from({ length: 60 }, (_, i) => start + i * 45_000 + ((i * 7) % 5) * 60_000);
    const db = getDb(env.DB);
    for (const time of times) {
      await batch(
        db,
        recordAuditEvent(db, { kind: "anonymous", via: { requestId: "by time", ip: null } }, time, {
          event: "trail.time",
          action: "E",
          hospitalId: other,
        }),
      );
    }
    const iso = (time: number) => new Date(time).toISOString();
    for (const [from, to] of [
      [times[20], times[40]],
      [times[59], start + 90 * day],
      [start - day, times[0]],
      [start - day, start + 90 * day],
    ] as const) {
      if (from === undefined || to === undefined) throw new Error("no time");
      const query = `from=${iso(from)}&to=${iso(to)}&limit=100`;
      const expected = times.filter((time) => time >= from && time < to).map(iso);
      for (const filter of ["", "&event=trail.time", "&outcome=success"]) {
        const path = `${API}/audit-events?hospital_id=${other}&${query}${filter}`;
        const { data } = await readJson(await sendRequest(path, { as: world.admin }));
        const found = data.filter(({ event }: { event: string }) => event === "trail.time");
        expect(found.map(({ recorded }: { recorded: string }) => recorded).toSorted()).toEqual(expected.toSorted());
      }
    }
    const first = await readJson(await sendRequest(`${API}/audit-events?event=trail.time&limit=40`, { as: world.admin }));
    const cursor = first.meta.pagination.next_cursor;
    const second = await readJson(
      await sendRequest(`${API}/audit-events?event=trail.time&limit=40&cursor=${cursor}`, { as: world.admin }),
    );
    const recorded = [...first.data, ...second.data].map((item: { recorded: string }) => Date.parse(item.recorded));
    expect(recorded).toEqual(times.toSorted((a, b) => b - a));
  });

  it("tells a patient of a list they were on without the ids of others on it", async () => {
    const { data: theirs } = await readJson(await uploadReport(world.nurse, newPdf(), { patient_id: world.stranger.id }));
    const list = await sendRequest(`${API}/reports`, { as: world.nurse });
    expect(await list.text()).toContain(theirs.report_id);
    const seen = await sendRequest(`${API}/audit-events?event=report.list`, { as: world.self });
    const text = await seen.text();
    expect(text).toContain(world.nurse.id);
    expect(text).not.toContain(theirs.report_id);
    expect(await (await sendRequest(`${API}/audit-events?event=report.list`, { as: world.manager })).text()).toContain(
      theirs.report_id,
    );
  });

  it("shows a cross-hospital attempt to both hospitals, and IP addresses only to the actor's own", async () => {
    const other = await newWorld();
    const tried = await sendRequest(`${API}/patients/${other.patient.id}`, { as: world.doctor, ip: "203.0.113.77" });
    expect(tried.status).toBe(404);
    const id = tried.headers.get("x-request-id");
    const seenBy = async (as: { token: string }, query = "") => {
      const { data } = await readJson(await sendRequest(`${API}/audit-events?limit=100${query}`, { as }));
      return data.find((event: { request_id: string }) => event.request_id === id);
    };
    const facts = { hospital_id: other.hospitalId, actor_hospital_id: world.hospitalId, outcome: "denied" };
    expect(await seenBy(other.manager)).toMatchObject({ ...facts, ip: null });
    const own = { actor_hospital_id: world.hospitalId, hospital_id: null, outcome: "denied", ip: "203.0.113.77" };
    expect(await seenBy(world.manager, "&abroad=true")).toMatchObject(own);
    expect(await seenBy(world.admin, "&abroad=true")).toMatchObject(facts);
    expect(await seenBy(world.manager)).toBeUndefined();
    expect(await seenBy(other.manager, "&abroad=true")).toBeUndefined();
  });

  it("does not tell a hospital which patients exist elsewhere", async () => {
    const other = await newWorld();
    const nobody = [String(other.patient.number + 500_000), v7()];
    const somebody = [String(other.patient.number), other.patient.id];
    /** What the log shows to the hospital of the caller, in every list that it can ask for. */
    const shown = async (ref: string, path: string, method = "GET") => {
      const tried = await sendRequest(`${API}/patients/${ref}${path}`, {
        as: world.nurse,
        ip: "203.0.113.9",
        method,
        headers: { "If-Match": '"1"' },
      });
      const id = tried.headers.get("x-request-id") ?? "";
      const lists = ["", "&abroad=true", `&outcome=denied&actor_id=${world.nurse.id}&abroad=true`, "&event=access.denied"];
      const byPatient = ref.length > 9 ? [`&patient_id=${ref}`, `&patient_id=${ref}&abroad=true`] : [];
      const events = [...lists, ...byPatient].map(async (query) => {
        const { data } = await readJson(await sendRequest(`${API}/audit-events?limit=100${query}`, { as: world.manager }));
        const found = data.find((event: { request_id: string }) => event.request_id === id);
        return JSON.stringify({ query, found: found ?? null, total: data.length })
          .replaceAll(`"id":"${ref}"`, '"id":"{ref}"')
          .replace(`patient_id=${ref}`, "patient_id={ref}")
          .replaceAll(id, "{id}")
          .replace(/"(seq|total)":\d+|"recorded":"[^"]*"|"found":{"id":"[^"]*"/g, "");
      });
      return { status: tried.status, events: await Promise.all(events) };
    };
    for (const [i, ref] of somebody.entries()) {
      // Reads that are denied as not found, and an operation that no nurse may call.
      for (const path of ["", "/summary", "/observations/latest"])
        expect(await shown(ref, path)).toEqual(await shown(nobody[i] ?? "", path));
      expect(await shown(ref, "", "DELETE")).toEqual(await shown(nobody[i] ?? "", "", "DELETE"));
    }
    const mine = await shown(somebody[0] ?? "", "");
    expect(mine.events[1]).toContain("access.denied");
  });
});
