// Sessions: list and end one's own, at most ten, and every role change takes effect with the next request.
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../src/app.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newDevice,
  newHospital,
  newLogin,
  newPdf,
  newPerson,
  newWorld,
  PASSWORD,
  type Person,
  readAuditEvents,
  readJson,
  sendRequest,
  uploadReport,
} from "../world.ts";

let hospitalId: string;
beforeAll(async () => {
  hospitalId = await newHospital();
});

const PATIENT = { role: "patient", hospitalId: null, doctorScope: "care_team" } as const;
const me = (token: string) => sendRequest(`${API}/auth/me`, { as: token });
const list = async (token: string) => (await readJson(await sendRequest(`${API}/auth/sessions`, { as: token }))).data;
const end = (as: { token: string }, id: string) => sendRequest(`${API}/auth/sessions/${id}`, { as, method: "DELETE" });
const logout = (as: { token: string }) => sendRequest(`${API}/auth/logout`, { as, method: "POST" });
const isOver = async (token: string) => expectProblem(await me(token), 401, "unauthenticated");

describe("logout", () => {
  it("ends the session at once: access token, refresh token and links; others stay", async () => {
    const world = await newWorld();
    const { data } = await readJson(await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id }));
    const { data: report } = await readJson(await sendRequest(`${API}/reports/${data.report_id}`, { as: world.nurse }));
    expect((await sendRequest(report.download_url)).status).toBe(200);
    const other = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
    const done = await logout(world.nurse);
    expect(done.status).toBe(200);
    expect((await readJson(done)).data).toEqual({ session_id: world.nurse.sessionId });
    await isOver(world.nurse.token);
    await expectProblem(await sendRequest(report.download_url), 401, "unauthenticated");
    await expectProblem(
      await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: world.nurse.refresh } }),
      401,
      "invalid_refresh_token",
    );
    await expectProblem(await logout(world.nurse), 401, "unauthenticated");
    expect((await me(other.token)).status).toBe(200);
    const rows = await readAuditEvents(done.headers.get("x-request-id") ?? "");
    expect(rows).toMatchObject([{ event: "session.logout", actor_id: world.nurse.id, entity_id: world.nurse.sessionId }]);
  });
});

describe("the list of sessions", () => {
  it("has only the caller's sessions, newest first, with the current one marked", async () => {
    const [person, other] = await Promise.all([newPerson("patient"), newPerson("patient")]);
    const headers = { "User-Agent": "A phone", "CF-Connecting-IP": "203.0.113.9" };
    const { data } = await readJson(
      await sendRequest(`${API}/auth/login`, { json: { email: person.email, password: PASSWORD }, headers }),
    );
    const sessions = await list(data.access_token);
    expect(sessions).toMatchObject([
      { current: true, user_agent: "A phone", ip: "203.0.113.9" },
      { session_id: person.sessionId, current: false, user_agent: "test", ip: null },
    ]);
    expect((await list(other.token)).map((s: { session_id: string }) => s.session_id)).toEqual([other.sessionId]);
    expect((await list(person.token)).map((s: { current: boolean }) => s.current)).toEqual([false, true]);
  });

  it("ends one of the caller's sessions, and responds to another user's as to an unknown one", async () => {
    const [person, other] = await Promise.all([newPerson("patient"), newPerson("admin")]);
    const second = await newLogin(person.id, PATIENT);
    const told = [];
    for (const id of [other.sessionId, "0193a5b0-0000-7000-8000-000000000007"]) {
      const text = await (await end(person, id)).text();
      told.push(text.replace(/"(error_id|request_id|instance)":"[^"]+"/g, ""));
      expect(text).toContain('"status":404');
    }
    expect(told[0]).toBe(told[1]);
    await expectProblem(await end(other, person.sessionId), 404, "not_found");
    await expectProblem(await end(person, "not-an-id"), 400, "invalid_request");
    expect((await me(other.token)).status).toBe(200);
    expect((await end(person, second.sessionId)).status).toBe(200);
    await isOver(second.token);
    await expectProblem(await end(person, second.sessionId), 404, "not_found");
    expect((await list(person.token)).map((s: { session_id: string }) => s.session_id)).toEqual([person.sessionId]);
  });
});

describe("the eleventh session", () => {
  it("ends the oldest, of that person alone", async () => {
    const [person, other] = await Promise.all([newPerson("patient"), newPerson("patient")]);
    const more = [];
    for (let i = 0; i < 9; i++) more.push(await newLogin(person.id, PATIENT));
    expect((await me(person.token)).status).toBe(200);
    expect(await list(person.token)).toHaveLength(10);
    const { data } = await readJson(
      await sendRequest(`${API}/auth/login`, { json: { email: person.email, password: PASSWORD } }),
    );
    await isOver(person.token);
    for (const { token } of more) expect((await me(token)).status).toBe(200);
    expect(await list(data.access_token)).toHaveLength(10);
    expect((await me(other.token)).status).toBe(200);
  });

  it("stays the eleventh when thirty are created at once", async () => {
    const person = await newPerson("patient");
    const made = await Promise.all(Array.from({ length: 30 }, () => newLogin(person.id, PATIENT)));
    const live = await Promise.all([person, ...made].map(async ({ token }) => (await me(token)).status));
    expect(live.filter((status) => status === 200)).toHaveLength(10);
  });
});

/** Every authenticated route that needs no body, with unknown ids in the path. */
function bodilessRoutes(): [string, string][] {
  const id = "0193a5b0-0000-7000-8000-00000000000a";
  const hasBody = (route: string) => route === `DELETE ${API}/documents/:document_id`;
  const routes = app.routes
    .filter(
      ({ method, path }) => ["GET", "DELETE"].includes(method) && path.startsWith(`${API}/`) && !hasBody(`${method} ${path}`),
    )
    .map(({ method, path }): [string, string] => [
      method,
      path
        .replace(":code", "8867-4")
        .replace(/:[a-z_]+(\{[^}]*\})?/g, id)
        .replace(/search$/, "$&?q=as")
        .replace(/slots$/, "$&?from=2026-11-30T00:00:00Z&to=2026-12-01T00:00:00Z")
        .replace(/trends$/, "$&?code=8867-4")
        .replace(/reports\/.*\/export$/, "$&?format=pdf"),
    ]);
  return [...new Map(routes.map((route) => [route.join(" "), route])).values()];
}

describe("a role or status change takes effect at the next request", () => {
  it("for a deactivated account: 401 on every route, for all its sessions, until it is active again", async () => {
    const person = await newPerson("admin");
    const second = await newLogin(person.id, { role: "admin", hospitalId: null, doctorScope: "care_team" });
    const set = (active: number) => env.DB.prepare("UPDATE users SET active = ? WHERE id = ?").bind(active, person.id).run();
    const routes = bodilessRoutes();
    expect(routes.length).toBeGreaterThan(15);
    await set(0);
    for (const [method, path] of routes) {
      const { status } = await sendRequest(path, { as: person, method, headers: { "If-Match": '"1"', Upgrade: "websocket" } });
      expect({ method, path, status }).toEqual({ method, path, status: 401 });
    }
    await isOver(second.token);
    await set(1);
    const again = await Promise.all(
      routes.map(async ([method, path]) => (await sendRequest(path, { as: person, method })).status),
    );
    expect(again).not.toContain(401);
  });

  it("for a role, up and down", async () => {
    const [person, admin] = await Promise.all([newPerson("nurse", hospitalId), newPerson("admin")]);
    const accounts = () => sendRequest(`${API}/users`, { as: person });
    const setRole = (role: string) =>
      sendRequest(`${API}/hospitals/${hospitalId}/members/${person.id}`, { as: admin, method: "PUT", json: { role } });
    await expectProblem(await accounts(), 403, "forbidden");
    expect((await setRole("hospital_admin")).ok).toBe(true);
    expect((await accounts()).status).toBe(200);
    expect((await readJson(await me(person.token))).data.role).toBe("hospital_admin");
    expect((await setRole("nurse")).ok).toBe(true);
    await expectProblem(await accounts(), 403, "forbidden");
    expect((await sendRequest(`${API}/admin/users`, { as: admin })).status).toBe(200);
    await env.DB.prepare("UPDATE users SET is_admin = 0 WHERE id = ?").bind(admin.id).run();
    await expectProblem(await sendRequest(`${API}/admin/users`, { as: admin }), 403, "forbidden");
  });

  it("for a doctor's scope, a care team, a membership and a hospital", async () => {
    const world = await newWorld("hospital");
    const { doctor, patient, stranger, nurse, self } = world;
    const device = await newDevice(nurse, patient.id);
    const see = async (as: Person, id: string) => (await sendRequest(`${API}/patients/${id}`, { as })).status;
    const change = (sql: string, ...values: string[]) =>
      // biome-ignore lint/plugin: constants of this test.
      env.DB.prepare(sql)
        .bind(...values)
        .run();
    expect([await see(doctor, patient.id), await see(doctor, stranger.id)]).toEqual([200, 200]);
    await change("UPDATE hospitals SET doctor_scope = 'care_team' WHERE id = ?", world.hospitalId);
    expect([await see(doctor, patient.id), await see(doctor, stranger.id)]).toEqual([200, 404]);
    await change("UPDATE care_team SET ended_at = 1 WHERE user_id = ?", doctor.id);
    expect(await see(doctor, patient.id)).toBe(404);
    await change("UPDATE memberships SET ended_at = 1 WHERE user_id = ?", doctor.id);
    await isOver(doctor.token);
    expect(await see(doctor, patient.id)).toBe(401);
    expect([await see(nurse, patient.id), await see(self, patient.id), (await uploadReport(device, newPdf())).status]).toEqual([
      200, 200, 201,
    ]);
    await change("UPDATE hospitals SET active = 0 WHERE id = ?", world.hospitalId);
    expect([await see(nurse, patient.id), (await uploadReport(device, newPdf())).status]).toEqual([401, 401]);
    const closed = await sendRequest(`${API}/auth/login`, { json: { email: nurse.email, password: PASSWORD } });
    await expectProblem(closed, 401, "invalid_credentials");
    expect((await me(self.token)).status).toBe(200);
  });

  it("for a session that was deleted, and for another person's session in the token", async () => {
    const person = await newPerson("patient");
    await env.DB.prepare("DELETE FROM sessions WHERE id = ?").bind(person.sessionId).run();
    await isOver(person.token);
  });
});
