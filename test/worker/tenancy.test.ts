// Isolation of hospitals and patients: every path to a record gives the same decision, and nothing changes it.
import { beforeAll, describe, expect, it } from "vitest";
import {
  API,
  env,
  newLogin,
  newPdf,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
let other: World;
const reports: Record<string, string> = {};
beforeAll(async () => {
  [world, other] = await Promise.all([newWorld(), newWorld()]);
  for (const [home, patient] of [
    [world, world.patient],
    [world, world.stranger],
    [other, other.patient],
  ] as const) {
    const sent = await uploadReport(home.nurse, newPdf(patient.canary), {
      patient_id: patient.id,
      fileName: `${patient.canary}.pdf`,
    });
    reports[patient.id] = (await readJson(sent)).data.report_id;
  }
});
const reportOf = (patient: { id: string }) => reports[patient.id] ?? "";

const LISTS = [
  "/patients",
  "/patients/list",
  "/reports",
  "/reports/list",
  "/ecg/reports",
  "/uploads",
  "/audit-events",
  "/devices",
];

describe("one decision on every path", () => {
  it("direct, listed, filtered, counted, by number, by file and by log", async () => {
    const people: [Person, World["patient"][]][] = [
      [world.nurse, [world.patient, world.stranger]],
      [world.manager, [world.patient, world.stranger]],
      [world.doctor, [world.patient]],
      [world.self, [world.patient]],
      [other.nurse, [other.patient, other.stranger]],
      [other.doctor, [other.patient]],
      [world.admin, [world.patient, world.stranger, other.patient, other.stranger]],
    ];
    const all = [world.patient, world.stranger, other.patient, other.stranger];
    for (const [as, visible] of people) {
      const listed = await Promise.all(LISTS.map(async (path) => (await sendRequest(`${API}${path}?limit=100`, { as })).text()));
      for (const patient of all) {
        const may = visible.includes(patient);
        const direct = await sendRequest(`${API}/patients/${patient.id}`, { as });
        expect([direct.status, (await direct.text()).includes(patient.canary)]).toEqual([may ? 200 : 404, may]);
        expect((await sendRequest(`${API}/patients/${patient.number}`, { as })).status).toBe(may ? 200 : 404);
        expect(listed.some((text) => text.includes(patient.canary))).toBe(may);
        const report = reportOf(patient);
        if (!report) continue;
        for (const path of [`/reports/${report}`, `/ecg/reports/${report}`, `/reports/${report}/file`]) {
          const response = await sendRequest(API + path, { as });
          const bytes = new TextDecoder("latin1").decode(await response.arrayBuffer());
          expect([response.status, bytes.includes(patient.canary)], path).toEqual([may ? 200 : 404, may]);
        }
        const filtered = await readJson(await sendRequest(`${API}/reports?patient_id=${patient.id}`, { as }));
        expect([filtered.data.length, filtered.meta.pagination.total]).toEqual(may ? [1, 1] : [0, 0]);
      }
    }
  });

  it("a link of a signer without access fails, and so does a link for another report", async () => {
    const doctor = await newPerson("doctor", world.hospitalId);
    const team = `${API}/patients/${world.patient.id}/care-team/${doctor.id}`;
    await sendRequest(team, { as: world.nurse, method: "PUT" });
    const { data } = await readJson(await sendRequest(`${API}/reports/${reportOf(world.patient)}`, { as: doctor }));
    const open = async (url: string) => {
      const response = await sendRequest(url);
      await response.arrayBuffer();
      return response.status;
    };
    expect(await open(data.download_url)).toBe(200);
    expect(await open(data.download_url.replace(reportOf(world.patient), reportOf(world.stranger)))).toBe(403);
    expect((await sendRequest(team, { as: world.nurse, method: "DELETE" })).status).toBe(200);
    expect(await open(data.download_url)).toBe(404);
    expect((await sendRequest(team, { as: world.nurse, method: "PUT" })).status).toBe(200);
    expect(await open(data.download_url)).toBe(200);
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(doctor.id).run();
    expect(await open(data.download_url)).toBe(401);
  });
});

describe("no request crosses hospitals", () => {
  it("no header, query or body names another hospital", async () => {
    const headers = {
      "X-Hospital-Id": other.hospitalId,
      "X-Tenant-Id": other.hospitalId,
      "X-User-Role": "admin",
      "X-Role": "admin",
    };
    for (const patient of [other.patient, other.stranger]) {
      expect((await sendRequest(`${API}/patients/${patient.id}`, { as: world.nurse, headers })).status).toBe(404);
    }
    const listed = await (await sendRequest(`${API}/patients?limit=100`, { as: world.nurse, headers })).text();
    expect([listed.includes(world.patient.canary), listed.includes(other.patient.canary)]).toEqual([true, false]);
    for (const path of ["/patients", "/reports", "/devices", "/uploads"]) {
      const asked = await sendRequest(`${API}${path}?hospital_id=${other.hospitalId}`, { as: world.nurse });
      const { data, meta } = await readJson(asked);
      if (asked.status === 200) expect([path, data, meta.pagination.total]).toEqual([path, [], 0]);
      else expect([path, asked.status]).toEqual([path, 400]);
    }
    const create = (path: string, json: object) => sendRequest(API + path, { as: world.nurse, json });
    for (const [hospital, status] of [
      [other.hospitalId, 404],
      [other.patient.id, 404],
      [world.hospitalId, 201],
    ] as const) {
      expect((await create("/patients", { first_name: "A", hospital_id: hospital })).status).toBe(status);
      expect((await create("/devices", { kind: "ecg", name: "A", hospital_id: hospital })).status).toBe(status);
    }
  });

  it("an upload for another hospital's patient is 404, without a report or a patient's data", async () => {
    for (const as of [world.nurse, world.doctor, world.self]) {
      const sent = await uploadReport(as, newPdf("foreign"), { patient_id: other.patient.id });
      const nowhere = await uploadReport(as, newPdf("foreign"), { patient_id: "01890000-0000-7000-8000-000000000000" });
      expect([sent.status, nowhere.status]).toEqual([404, 404]);
    }
    const { meta } = await readJson(await sendRequest(`${API}/reports?patient_id=${other.patient.id}`, { as: other.nurse }));
    expect(meta.pagination.total).toBe(1);
  });

  it("the same file for two patients is two reports, and says nothing of the other", async () => {
    const pdf = newPdf("one file");
    const first = await uploadReport(world.nurse, pdf, { patient_id: world.patient.id });
    const second = await uploadReport(other.nurse, pdf, { patient_id: other.patient.id });
    expect([first.status, second.status]).toEqual([201, 201]);
    const [a, b] = [await readJson(first), await readJson(second)];
    expect([b.data.duplicate_of, a.data.report_id === b.data.report_id]).toEqual([null, false]);
    const again = await uploadReport(world.nurse, pdf, { patient_id: world.patient.id });
    expect([again.status, (await readJson(again)).data.duplicate_of]).toEqual([200, a.data.report_id]);
  });

  it("one person at two hospitals acts for one at a time", async () => {
    const person = await newPerson("nurse", world.hospitalId);
    await env.DB.prepare(
      "INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at) VALUES (?, ?, 'doctor', 't', 1)",
    )
      .bind(person.id, other.hospitalId)
      .run();
    const there = await newLogin(person.id, { role: "doctor", hospitalId: other.hospitalId, doctorScope: "care_team" });
    const see = async (as: { token: string }, patient: World["patient"]) =>
      (await sendRequest(`${API}/patients/${patient.id}`, { as })).status;
    expect([await see(person, world.patient), await see(person, other.patient)]).toEqual([200, 404]);
    expect([await see(there, world.patient), await see(there, other.patient)]).toEqual([404, 404]);
  });

  it("a token that claims more than the database grants gets what the database grants", async () => {
    const claims = [
      { role: "admin", hospitalId: null, doctorScope: "care_team" },
      { role: "nurse", hospitalId: other.hospitalId, doctorScope: "care_team" },
      { role: "doctor", hospitalId: world.hospitalId, doctorScope: "hospital" },
    ] as const;
    for (const claimed of claims) {
      const { token } = await newLogin(world.self.id, claimed);
      const response = await sendRequest(`${API}/patients/${world.stranger.id}`, { as: { token } });
      expect([401, 404]).toContain(response.status);
      expect((await sendRequest(`${API}/admin/users`, { as: { token } })).status).not.toBe(200);
      const list = await sendRequest(`${API}/patients?limit=100`, { as: { token } });
      const text = await list.text();
      expect(text.includes(world.stranger.canary) || text.includes(other.patient.canary)).toBe(false);
    }
  });
});

describe("losing access takes effect at the next request", () => {
  const counts = ["deactivated", "session revoked", "hospital closed"] as const;
  it.each(counts)("%s", async (how) => {
    const home = await newWorld();
    const paths = [`/patients/${home.patient.id}`, "/patients", "/reports", "/auth/me", "/hospitals"];
    const statuses = () => Promise.all(paths.map(async (path) => (await sendRequest(API + path, { as: home.nurse })).status));
    expect(new Set(await statuses())).toEqual(new Set([200]));
    if (how === "deactivated") await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(home.nurse.id).run();
    if (how === "session revoked") {
      await env.DB.prepare("UPDATE sessions SET revoked_at = 1 WHERE id = ?").bind(home.nurse.sessionId).run();
    }
    if (how === "hospital closed")
      await env.DB.prepare("UPDATE hospitals SET active = 0 WHERE id = ?").bind(home.hospitalId).run();
    expect(new Set(await statuses())).toEqual(new Set([401]));
    expect((await sendRequest(`${API}/patients/${home.patient.id}`, { as: home.self })).status).toBe(200);
  });
});
