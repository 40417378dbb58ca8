// What a consent opens of reports: exactly the granted kinds and times, read only, for staff who see the hospital's own record.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { getDb } from "../../src/platform/db/client.ts";
import { addToCareTeam } from "../authz.world.ts";
import {
  API,
  env,
  findEvents,
  link,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  uploadReport,
} from "../world.ts";

const DAY_MS = 86_400_000;
const FROM = "2026-01-01T00:00:00.000Z";
const UNTIL = "2026-06-30T23:59:59.999Z";
const before = (time: string) => new Date(Date.parse(time) - 1).toISOString();
const after = (time: string) => new Date(Date.parse(time) + 1).toISOString();

async function newScene() {
  const [a, b] = [await newWorld(), await newWorld()];
  const person = await newPerson("patient");
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, patient);
  return { a, b, person, atA, atB };
}
let scene: Awaited<ReturnType<typeof newScene>>;

const newReport = async (kind: string, recorded_at: string) => {
  const sent = await uploadReport(scene.a.nurse, newPdf(), { patient_id: scene.atA.id, kind, recorded_at });
  expect(sent.status).toBe(201);
  return String((await readJson(sent)).data.report_id);
};
const post = (path: string, as: Person, json: object = {}) => sendRequest(`${API}${path}`, { as, method: "POST", json });

async function grant(kinds = ["report:ecg"]): Promise<string> {
  const times = { data_from: FROM, data_until: UNTIL, expires_at: new Date(Date.now() + DAY_MS).toISOString() };
  const body = { patient_id: scene.atB.id, purpose: "CAREMGT", kinds, ...times };
  const id = (await readJson(await post("/consents", scene.b.nurse, body))).data.consent_id;
  expect((await post(`/consents/${id}/grant`, scene.person, { patient_ids: [scene.atA.id] })).status).toBe(200);
  return id;
}
const revokeAll = () => getDb(env.DB).run(sql`UPDATE consents SET status = 'revoked' WHERE hospital_id = ${scene.b.hospitalId}`);
const statusOf = async (id: string, as: Person, path = "") => (await sendRequest(`${API}/reports/${id}${path}`, { as })).status;

beforeAll(async () => {
  scene = await newScene();
});

describe("a report of another hospital", () => {
  it("is not there before the grant, and from the answer of a revocation on", async () => {
    const id = await newReport("ecg", FROM);
    expect(await statusOf(id, scene.b.nurse)).toBe(404);
    const consent = await grant();
    expect(await statusOf(id, scene.b.nurse)).toBe(200);
    expect(await statusOf(id, scene.b.nurse, "/file")).toBe(200);
    const { data } = await readJson(await sendRequest(`${API}/reports/${id}`, { as: scene.b.nurse }));
    const link = new URL(data.download_url);
    const viaLink = () => sendRequest(`${link.pathname}${link.search}`, {});
    expect((await viaLink()).status).toBe(200);
    expect((await post(`/consents/${consent}/revoke`, scene.person)).status).toBe(200);
    expect(await statusOf(id, scene.b.nurse)).toBe(404);
    expect(await statusOf(id, scene.b.nurse, "/file")).toBe(404);
    expect((await viaLink()).status).toBe(404);
  });

  it("is open for the granted kinds and times alone, to the millisecond", async () => {
    const reports = {
      first: await newReport("ecg", FROM),
      last: await newReport("ecg", UNTIL),
      early: await newReport("ecg", before(FROM)),
      late: await newReport("ecg", after(UNTIL)),
      kind: await newReport("cpap", FROM),
    };
    await grant();
    const statuses = await Promise.all(Object.values(reports).map((id) => statusOf(id, scene.b.nurse)));
    expect(statuses).toEqual([200, 200, 404, 404, 404]);
    await getDb(env.DB).run(sql`UPDATE consents SET expires_at = ${Date.now()} WHERE hospital_id = ${scene.b.hospitalId}`);
    expect(await statusOf(reports.first, scene.b.nurse)).toBe(404);
    await revokeAll();
  });

  it("is for those of the hospital who see its own record, and for nobody who left it", async () => {
    const id = await newReport("ecg", FROM);
    await grant();
    const { b, atB } = scene;
    expect(await statusOf(id, b.doctor)).toBe(404);
    await addToCareTeam(atB.id, b.doctor.id);
    expect(await statusOf(id, b.doctor)).toBe(200);
    expect(await statusOf(id, b.manager)).toBe(200);
    const other = await newWorld();
    expect(await statusOf(id, other.nurse)).toBe(404);
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(b.doctor.id).run();
    expect(await statusOf(id, b.doctor)).not.toBe(200);
    await revokeAll();
  });

  it("is read only, and nothing else of the record is open", async () => {
    const id = await newReport("ecg", FROM);
    await grant();
    const { b, atA } = scene;
    const patch = {
      as: b.nurse,
      method: "PATCH",
      json: { comment: "mine now", reason: "A test of rights" },
      headers: { "If-Match": "*" },
    };
    expect((await sendRequest(`${API}/reports/${id}`, patch)).status).toBe(404);
    for (const path of ["", "/summary", "/observations", "/observations/latest", "/care-team", "/timeline", "/monitoring"])
      expect([path, (await sendRequest(`${API}/patients/${atA.id}${path}`, { as: b.nurse })).status]).toEqual([path, 404]);
    const upload = await uploadReport(b.nurse, newPdf(), { patient_id: atA.id });
    expect(upload.status).toBe(404);
    await revokeAll();
  });

  it("leaves its event in the holder's log, with the basis, the purpose and the consent", async () => {
    const id = await newReport("ecg", FROM);
    const consent = await grant();
    await statusOf(id, scene.b.nurse);
    const [event] = await findEvents({ event: "report.read", entity_id: id });
    expect(event).toMatchObject({
      basis: "consent",
      hospital_id: scene.a.hospitalId,
      actor_hospital_id: scene.b.hospitalId,
      purpose: "TREAT",
    });
    expect(JSON.stringify(event)).toContain(consent);
    await revokeAll();
  });
});
