// Who may open a live view: tickets, the handshake, and their audit events.
import { afterEach, describe, expect, it, vi } from "vitest";
import { signTicket, tokenExpiresAt, verifyTicket } from "../../src/monitoring/live/tickets.ts";
import { getKeys } from "../../src/platform/config.ts";
import { uuidv7 } from "../../src/platform/ids.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, link, newDevice, newPatient, newPerson, newWorld, readAuditEvents, readJson, sendRequest } from "../world.ts";
import { acceptSocket, createTicket, sendHandshake, startMonitoring } from "./live-client.ts";

const TICKETS = `${API}/live/tickets`;
const open = (ticket: string) => sendHandshake(`${API}/live?ticket=${ticket}`);

afterEach(() => {
  vi.useRealTimers();
});

describe("a ticket", () => {
  it("opens one socket, also when twenty ask at once", async () => {
    const { nurse, patient } = await newWorld();
    const ticket = await createTicket(nurse, { patient_id: patient.id });
    const answers = await Promise.all(Array.from({ length: 20 }, () => open(ticket)));
    expect(answers.map(({ status }) => status).sort()).toEqual([101, ...Array(19).fill(401)]);
    for (const answer of answers) if (answer.webSocket) acceptSocket(answer).close();
  });

  it("lives for thirty seconds", async () => {
    const { nurse, patient } = await newWorld();
    const body = await readJson(await sendRequest(TICKETS, { as: nurse, json: { patient_id: patient.id } }));
    expect(Date.parse(body.data.expires_at) - Date.now()).toBeGreaterThan(25_000);
    expect(Date.parse(body.data.expires_at) - Date.now()).toBeLessThanOrEqual(30_000);
    expect(body.data.url).toBe(`wss://edgecare.test${API}/live?ticket=${body.data.ticket}`);
    const keys = await getKeys(env);
    const ticket = await verifyTicket(keys, body.data.ticket, Date.now());
    const stale = await signTicket(keys, { ...ticket, expires: Date.now() - 1 });
    await expectProblem(await open(stale), 401, "unauthenticated");
    const everlasting = await signTicket(keys, { ...ticket, expires: Date.now() + 3_600_000 });
    await expectProblem(await open(everlasting), 401, "unauthenticated");
    // Control: signed again without a change it opens; the two above were rejected because of their time.
    const live = acceptSocket(await open(await signTicket(keys, ticket)));
    live.close();
  });

  it("counts as it was signed or not at all", async () => {
    const { nurse, patient, stranger } = await newWorld();
    const ticket = await createTicket(nurse, { patient_id: patient.id });
    const [payload = "", tag = ""] = ticket.split(".");
    const other = Buffer.from(Buffer.from(payload, "base64url").toString().replace(patient.id, stranger.id)).toString(
      "base64url",
    );
    const flipped = (tag.startsWith("A") ? "B" : "A") + tag.slice(1);
    for (const text of [`${other}.${tag}`, `${payload}.${flipped}`, payload, `${payload}.`, `${ticket}.x`, "x.y", ""]) {
      await expectProblem(await open(text), 401, "unauthenticated");
    }
    acceptSocket(await open(ticket)).close();
  });

  it("ends with the session that asked for it", async () => {
    const { nurse, patient } = await newWorld();
    const ticket = await createTicket(nurse, { patient_id: patient.id });
    expect((await sendRequest(`${API}/auth/logout`, { as: nurse, method: "POST" })).status).toBeLessThan(300);
    await expectProblem(await open(ticket), 401, "unauthenticated");
  });

  it("is refused for patients who are not the caller's to see, all or nothing, and the refusal is recorded", async () => {
    const { nurse, doctor, self, patient, stranger, hospitalId } = await newWorld();
    const abroad = await newWorld();
    const cases = [
      { as: doctor, ids: [patient.id, stranger.id], refused: stranger.id },
      { as: self, ids: [stranger.id], refused: stranger.id },
      { as: nurse, ids: [patient.id, abroad.patient.id], refused: abroad.patient.id },
      { as: nurse, ids: [uuidv7()], refused: null },
    ];
    for (const { as, ids, refused } of cases) {
      const response = await sendRequest(TICKETS, { as, json: { patient_ids: ids } });
      const events = await readAuditEvents(response.headers.get("x-request-id") ?? "");
      await expectProblem(response, 404, "not_found");
      expect(events).toMatchObject([{ event: "access.denied", outcome: "denied", reason: "not_found", subjects: [] }]);
      if (refused) expect(events[0]).toMatchObject({ entity_type: "patient", entity_id: refused });
    }
    const allowed = await sendRequest(TICKETS, { as: nurse, json: { patient_ids: [patient.id, stranger.id] } });
    expect(allowed.status).toBe(201);
    const [event] = await readAuditEvents(allowed.headers.get("x-request-id") ?? "");
    expect(event).toMatchObject({ event: "live.ticket", outcome: "success", hospital_id: hospitalId });
    expect(event?.subjects.sort()).toEqual([patient.id, stranger.id].sort());
  });

  it("leaves a trace when it is used: the patients by name, or how many of the hospital", async () => {
    const { nurse, patient, stranger } = await newWorld();
    await startMonitoring(patient.id, stranger.id);
    const named = await open(await createTicket(nurse, { patient_id: patient.id }));
    expect(await readAuditEvents(named.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "live.open", outcome: "success", actor_id: nurse.id, subjects: [patient.id], detail: '{"patients":1}' },
    ]);
    acceptSocket(named).close();
    const all = await open(await createTicket(nurse));
    expect(await readAuditEvents(all.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "live.open", outcome: "success", subjects: [], detail: '{"patients":2,"whole_hospital":true}' },
    ]);
    acceptSocket(all).close();
  });

  it("is for patients of one hospital, at most a hundred, named in one way", async () => {
    const { admin, nurse, patient } = await newWorld();
    const abroad = await newWorld();
    const refused = async (as: typeof nurse, json: object) =>
      expectProblem(await sendRequest(TICKETS, { as, json }), 400, "invalid_request");
    await refused(admin, { patient_ids: [patient.id, abroad.patient.id] });
    await refused(admin, {});
    await refused(nurse, { patient_ids: [] });
    await refused(nurse, { patient_ids: Array.from({ length: 101 }, uuidv7) });
    await refused(nurse, { patient_id: patient.id, patient_ids: [patient.id] });
    await refused(nurse, { patient: patient.id });
    await expectProblem(await sendRequest(TICKETS, { as: admin, json: { hospital_id: uuidv7() } }), 404, "not_found");
    await expectProblem(await sendRequest(TICKETS, { as: nurse, json: { hospital_id: abroad.hospitalId } }), 404, "not_found");
    for (const json of [{ patient_id: patient.id }, { hospital_id: abroad.hospitalId }]) {
      expect((await sendRequest(TICKETS, { as: admin, json })).status).toBe(201);
    }
  });

  it("means a patient's own records, if one hospital has them", async () => {
    const { self, patient } = await newWorld();
    const answer = await sendRequest(TICKETS, { as: self, json: {} });
    expect((await readAuditEvents(answer.headers.get("x-request-id") ?? ""))[0]?.subjects).toEqual([patient.id]);
    const abroad = await newWorld();
    await link(self, abroad.patient);
    await expectProblem(await sendRequest(TICKETS, { as: self, json: {} }), 409, "patient_ambiguous");
    expect((await sendRequest(TICKETS, { as: self, json: { hospital_id: abroad.hospitalId } })).status).toBe(201);
    await expectProblem(await sendRequest(TICKETS, { as: await newPerson("patient"), json: {} }), 404, "not_found");
  });

  it("is not for devices", async () => {
    const { nurse, patient } = await newWorld();
    const device = await newDevice(nurse, patient.id);
    await expectProblem(await sendRequest(TICKETS, { as: device, json: {} }), 403, "forbidden");
    await expectProblem(await sendHandshake(`${API}/live`, { as: device }), 403, "forbidden");
  });

  it("is for apps that may read all that a view shows: patients, observations and alerts", async () => {
    const { manager, nurse, patient, hospitalId } = await newWorld();
    const newApp = async (scopes: string[]) => {
      const body = await readJson(await sendRequest(`${API}/api-keys`, { as: manager, json: { name: "board", scopes } }));
      return { token: String(body.data.token ?? body.data.key) };
    };
    await startMonitoring(patient.id);
    const item = { code: "8867-4", value: 137, unit: "/min", effective_at: new Date().toISOString() };
    await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: patient.id, ...item } });
    const all = ["patient:read", "observation:read", "alert:read"];
    const reader = await newApp(all);
    const query = `?patient_id=${patient.id}`;
    const partial = [["report:create"], ["patient:read"], ...all.map((scope) => all.filter((other) => other !== scope))];
    for (const scopes of partial) {
      const app = await newApp(scopes);
      for (const json of [{ patient_id: patient.id }, {}]) {
        await expectProblem(await sendRequest(TICKETS, { as: app, json }), 403, "forbidden");
      }
      for (const path of [`${API}/live${query}`, `/ws/vitals${query}`, `${API}/live`]) {
        await expectProblem(await sendHandshake(path, { as: app }), 403, "forbidden");
      }
      await expectProblem(await sendRequest(`${API}/live/sse${query}`, { as: app }), 403, "forbidden");
    }
    const live = acceptSocket(await sendHandshake(`${API}/live${query}`, { as: reader }));
    expect(await live.until(({ type }) => type === "view")).toMatchObject({ patient_ids: [patient.id] });
    expect(await live.until(({ type }) => type === "snapshot")).toMatchObject({ patients: [{ latest: [{ value: 137 }] }] });
    live.close();
    const abroad = await newWorld();
    await expectProblem(await sendHandshake(`${API}/live?patient_id=${abroad.patient.id}`, { as: reader }), 404, "not_found");
    expect(hospitalId).not.toBe(abroad.hospitalId);
  });
});

describe("the handshake", () => {
  it("is refused without a good token", async () => {
    const { nurse, patient } = await newWorld();
    for (const path of [`${API}/live`, "/ws/vitals", `${API}/live/sse`]) {
      await expectProblem(await sendHandshake(path), 401, "unauthenticated");
      await expectProblem(await sendHandshake(path, { as: `${nurse.token}x` }), 401, "unauthenticated");
      for (const name of ["access_token", "token"]) {
        await expectProblem(await sendHandshake(`${path}?${name}=${nurse.token}`), 401, "unauthenticated");
        await expectProblem(await sendHandshake(`${path}?${name}=${nurse.token}`, { as: nurse }), 401, "unauthenticated");
      }
      await expectProblem(await sendHandshake(`${path}?patient_id=${patient.id}&topic=x`, { as: nurse }), 400, "invalid_request");
      await expectProblem(await sendHandshake(`${path}?patient_id=${patient.number}`, { as: nurse }), 400, "invalid_request");
    }
  });

  it("responds 426 without an upgrade, and keeps the ticket valid", async () => {
    const { nurse, patient } = await newWorld();
    const ticket = await createTicket(nurse, { patient_id: patient.id });
    for (const path of [`${API}/live`, "/ws/vitals"]) {
      const response = await sendRequest(`${path}?ticket=${ticket}`);
      expect(response.headers.get("upgrade")).toBe("websocket");
      await expectProblem(response, 426, "upgrade_required");
      await expectProblem(await sendRequest(`${path}?patient_id=${patient.id}`, { as: nurse }), 426, "upgrade_required");
    }
    acceptSocket(await sendHandshake(`/ws/vitals?ticket=${ticket}`)).close();
  });

  it("accepts the service's own origin, those of CORS_ORIGINS and none, and no other", async () => {
    const { nurse, patient } = await newWorld();
    const path = `${API}/live?patient_id=${patient.id}`;
    const portal = { ...env, CORS_ORIGINS: "https://portal.example.org" };
    const from = (Origin: string) => sendHandshake(path, { as: nurse, headers: { Origin }, env: portal });
    for (const origin of ["http://localhost", "https://portal.example.org"]) acceptSocket(await from(origin)).close();
    for (const origin of ["https://evil.example", "null", "https://portal.example.org.evil.example", "http://localhost:1"]) {
      await expectProblem(await from(origin), 403, "origin_forbidden");
    }
  });

  it("carries the headers that every answer carries", async () => {
    const { nurse, patient } = await newWorld();
    const response = await sendHandshake(`${API}/live?patient_id=${patient.id}`, { as: nurse });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("no-store");
    acceptSocket(response).close();
  });

  it("allows ten views per session", async () => {
    const { nurse, patient } = await newWorld();
    const path = `${API}/live?patient_id=${patient.id}`;
    const sockets = [];
    for (let i = 0; i < 10; i++) sockets.push(acceptSocket(await sendHandshake(path, { as: nurse })));
    const refused = await sendHandshake(path, { as: nurse });
    expect(refused.headers.get("retry-after")).toBe("5");
    await expectProblem(refused, 429, "rate_limited");
    sockets[0]?.close();
    await sockets[0]?.closed;
    sockets[0] = acceptSocket(await sendHandshake(path, { as: nurse }));
    for (const socket of sockets) socket.close();
  });
});

describe("endOfToken", () => {
  it("reads the end of a token, and nothing of what is none", async () => {
    const { nurse } = await newWorld();
    const end = tokenExpiresAt(nurse.token) ?? 0;
    expect(end - Date.now()).toBeGreaterThan(14 * 60_000);
    expect(end - Date.now()).toBeLessThanOrEqual(15 * 60_000);
    for (const text of ["", "x", "a.b.c", "a.e30.c", "a.W10.c"]) expect(tokenExpiresAt(text)).toBeNull();
  });
});

describe("a hospital-wide view", () => {
  it("counts who is monitored or has a device now", async () => {
    const { nurse, patient, stranger, hospitalId } = await newWorld();
    const third = await newPatient(hospitalId, nurse);
    await startMonitoring(patient.id);
    await newDevice(nurse, stranger.id);
    const live = acceptSocket(await sendHandshake(`${API}/live`, { as: nurse }));
    const { patient_ids } = await live.until(({ type }) => type === "view");
    expect(patient_ids.sort()).toEqual([patient.id, stranger.id].sort());
    expect(patient_ids).not.toContain(third.id);
    live.close();
  });
});
