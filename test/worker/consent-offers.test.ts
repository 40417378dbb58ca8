// Sharing on one's own initiative: with a hospital or a practitioner, and by a code that staff of any hospital uses once.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { getDb } from "../../src/platform/db/client.ts";
import { listNotices } from "../letters.ts";
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
  uniqueText,
  uploadReport,
} from "../world.ts";

const DAY_MS = 86_400_000;
const iso = (at: number) => new Date(at).toISOString();

/** The person has records at A and B, linked to one login; B's staff has a second record that is linked to nobody. */
async function newScene() {
  const [a, b] = [await newWorld(), await newWorld("hospital")];
  const person = await newPerson("patient");
  const [atA, atB, unlinked] = [
    await newPatient(a.hospitalId, a.nurse),
    await newPatient(b.hospitalId, b.nurse),
    await newPatient(b.hospitalId, b.nurse),
  ];
  for (const patient of [atA, atB]) await link(person, patient);
  const report = await uploadReport(a.nurse, newPdf(), { patient_id: atA.id, kind: "ecg", recorded_at: "2026-03-01T00:00:00Z" });
  const reportId: string = (await readJson(report)).data.report_id;
  return { a, b, person, atA, atB, unlinked, reportId };
}
let scene: Awaited<ReturnType<typeof newScene>>;
beforeAll(async () => {
  scene = await newScene();
});

const post = (path: string, as: Person, json: object = {}, headers = {}) =>
  sendRequest(`${API}${path}`, { as, method: "POST", json, headers });
const get = (path: string, as: Person) => sendRequest(`${API}${path}`, { as });
const scope = (change: object = {}) => ({
  patient_ids: [scene.atA.id],
  kinds: ["report:ecg"],
  data_from: "2025-01-01T00:00:00Z",
  data_until: "2026-12-31T23:59:59.999Z",
  expires_at: iso(Date.now() + 90 * DAY_MS),
  ...change,
});
const share = (change: object = {}) =>
  post("/consents/share", scene.person, { hospital_id: scene.b.hospitalId, ...scope(change) });
const newOffer = async (change: object = {}) =>
  (await readJson(await post("/consents/offers", scene.person, scope(change)))).data;
const redeem = (code: string, as = scene.b.nurse, patientId = scene.unlinked.id) =>
  post("/consents/redeem", as, { code, patient_id: patientId });
const statusOf = async (as: Person) => (await get(`/reports/${scene.reportId}`, as)).status;
const revoke = async (id: string) => expect((await post(`/consents/${id}/revoke`, scene.person)).status).toBe(200);
const codeOf = async (response: Response) => [response.status, (await readJson(response)).code];

describe("sharing with a hospital", () => {
  it("opens the records at once, until it is revoked, and is in both hospitals' logs", async () => {
    const { a, b, person, atA, atB } = scene;
    expect(await statusOf(b.nurse)).toBe(404);
    const response = await share();
    expect(response.status).toBe(201);
    const { data } = await readJson(response);
    expect(data).toMatchObject({ status: "granted", purpose: "PATRQT", patient_id: atB.id, shared: [{ patient_id: atA.id }] });
    expect(data).toMatchObject({ requested_by: null, practitioner_id: null, version: 1 });
    expect(await statusOf(b.nurse)).toBe(200);
    const events = await findEvents({ event: "consent.share", entity_id: data.consent_id });
    expect(events.map(({ hospital_id }) => hospital_id).sort()).toEqual([a.hospitalId, b.hospitalId].sort());
    expect(await listNotices(b.nurse.id)).not.toContain("consent.shared");
    expect((await readJson(await get(`/consents/${data.consent_id}`, b.nurse))).data.status).toBe("granted");
    await revoke(data.consent_id);
    expect(await statusOf(b.nurse)).toBe(404);
    expect(await listNotices(person.id)).not.toContain("consent.shared");
  });

  it("happens once per key", async () => {
    const key = { "Idempotency-Key": uniqueText() };
    const body = { hospital_id: scene.b.hospitalId, ...scope() };
    const ids = await Promise.all(
      [1, 2, 3].map(async () => (await readJson(await post("/consents/share", scene.person, body, key))).data.consent_id),
    );
    expect(new Set(ids).size).toBe(1);
    await revoke(ids[0]);
  });

  it("needs a record of the person there, and records that are theirs and elsewhere", async () => {
    const other = await newWorld();
    expect(await codeOf(await share({ hospital_id: other.hospitalId }))).toEqual([409, "recipient_unavailable"]);
    expect(await codeOf(await share({ hospital_id: crypto.randomUUID() }))).toEqual([409, "recipient_unavailable"]);
    expect(await codeOf(await share({ patient_ids: [scene.atB.id] }))).toEqual([409, "conflict"]);
    expect(await codeOf(await share({ patient_ids: [scene.atA.id, scene.unlinked.id] }))).toEqual([409, "conflict"]);
    expect(await codeOf(await share({ hospital_id: undefined }))).toEqual([400, "invalid_request"]);
    expect(await codeOf(await share({ expires_at: iso(Date.now() - 1) }))).toEqual([400, "invalid_request"]);
    expect((await post("/consents/share", scene.b.nurse, { hospital_id: scene.b.hospitalId, ...scope() })).status).toBe(403);
  });

  it("with a practitioner is for them alone, while they work there", async () => {
    const { b } = scene;
    const profile = await post("/practitioners", b.manager, { user_id: b.doctor.id, specialty: "cardiology" });
    expect(profile.status).toBe(201);
    const practitionerId = (await readJson(profile)).data.practitioner_id;
    const response = await share({ hospital_id: undefined, practitioner_id: practitionerId });
    expect(response.status).toBe(201);
    const { consent_id } = (await readJson(response)).data;
    expect(await listNotices(b.doctor.id)).toContain("consent.shared");
    const list = async (as: Person) =>
      (await readJson(await get(`/reports?patient_id=${scene.atA.id}`, as))).data.map(
        (one: { report_id: string }) => one.report_id,
      );
    expect([await statusOf(b.doctor), await statusOf(b.nurse), await statusOf(b.manager)]).toEqual([200, 404, 404]);
    expect([await list(b.doctor), await list(b.nurse)]).toEqual([[scene.reportId], []]);
    await env.DB.prepare("UPDATE practitioners SET active = 0 WHERE id = ?").bind(practitionerId).run();
    expect(await statusOf(b.doctor)).toBe(404);
    expect(await codeOf(await share({ practitioner_id: practitionerId }))).toEqual([409, "recipient_unavailable"]);
    await env.DB.prepare("UPDATE practitioners SET active = 1 WHERE id = ?").bind(practitionerId).run();
    await env.DB.prepare("UPDATE memberships SET ended_at = 1 WHERE user_id = ?").bind(b.doctor.id).run();
    expect(await statusOf(b.doctor)).not.toBe(200);
    await env.DB.prepare("UPDATE memberships SET ended_at = NULL WHERE user_id = ?").bind(b.doctor.id).run();
    await revoke(consent_id);
  });
});

describe("a code", () => {
  it("is used once by staff, opens the records, and the person is told and can end it", async () => {
    const { b, person, atA, unlinked } = scene;
    const offer = await newOffer();
    expect(offer).toMatchObject({
      state: "open",
      patient_ids: [atA.id],
      code: expect.stringMatching(/^([A-Z2-7]{4}-){2}[A-Z2-7]{4}$/),
    });
    const stored = await getDb(env.DB).all(sql`SELECT * FROM consent_offers WHERE id = ${offer.offer_id}`);
    expect(JSON.stringify(stored).toUpperCase()).not.toContain(offer.code.replaceAll("-", ""));
    const response = await redeem(offer.code.toLowerCase());
    expect(response.status).toBe(201);
    const { data } = await readJson(response);
    expect(data).toMatchObject({
      status: "granted",
      patient_id: unlinked.id,
      shared: [{ patient_id: atA.id }],
      purpose: "PATRQT",
    });
    expect(await statusOf(b.nurse)).toBe(200);
    expect(await listNotices(person.id)).toContain("consent.code_used");
    expect(await codeOf(await redeem(offer.code))).toEqual([404, "not_found"]);
    const [listed] = (await readJson(await get("/consents/offers", person))).data;
    expect(listed).toMatchObject({ offer_id: offer.offer_id, state: "used", consent_id: data.consent_id });
    expect(listed).not.toHaveProperty("code");
    expect(await findEvents({ event: "consent.redeem", entity_id: data.consent_id })).toHaveLength(2);
    await revoke(data.consent_id);
    expect(await statusOf(b.nurse)).toBe(404);
  });

  it("of two at once is used by one", async () => {
    const { b, unlinked, atB } = scene;
    for (let i = 0; i < 3; i++) {
      const { code } = await newOffer();
      const statuses = await Promise.all([redeem(code), redeem(code, b.manager, atB.id), redeem(code, b.nurse, unlinked.id)]);
      expect(statuses.map(({ status }) => status).sort()).toEqual([201, 404, 404]);
      const [won] = await Promise.all(statuses.filter(({ status }) => status === 201).map(readJson));
      await revoke(won.data.consent_id);
    }
  });

  it("is not for records of the hospital itself, nor for somebody else's record", async () => {
    const { a, b, atA, unlinked } = scene;
    const own = await newOffer();
    expect(await codeOf(await redeem(own.code, a.nurse, atA.id))).toEqual([409, "conflict"]);
    await getDb(env.DB).run(
      sql`UPDATE patients SET patient_uid = id, uid_basis = 'staff' WHERE id IN (${atA.id}, ${unlinked.id})`,
    );
    const other = await redeem(own.code);
    expect(await codeOf(other)).toEqual([409, "conflict"]);
    await getDb(env.DB).run(sql`UPDATE patients SET patient_uid = 'same' WHERE id IN (${atA.id}, ${unlinked.id})`);
    const response = await redeem(own.code, b.nurse);
    expect(response.status).toBe(201);
    await getDb(env.DB).run(
      sql`UPDATE patients SET patient_uid = NULL, uid_basis = NULL WHERE id IN (${atA.id}, ${unlinked.id})`,
    );
    await revoke((await readJson(response)).data.consent_id);
  });

  it("is for staff who see the record, and of a person with that record alone", async () => {
    const { a, b, person } = scene;
    const { code } = await newOffer();
    expect((await redeem(code, a.nurse)).status).toBe(404);
    expect((await redeem(code, person)).status).toBe(403);
    expect((await post("/consents/offers", b.nurse, scope())).status).toBe(403);
    expect((await get("/consents/offers", b.nurse)).status).toBe(403);
    const foreign = await newPatient(a.hospitalId, a.nurse);
    expect(await codeOf(await post("/consents/offers", person, scope({ patient_ids: [foreign.id] })))).toEqual([409, "conflict"]);
    expect((await redeem("AAAA-AAAA-AAAA")).status).toBe(404);
    expect((await redeem("AAAA-AAAA-AAA1")).status).toBe(400);
  });

  it("can be withdrawn by its person, and not twice", async () => {
    const { person } = scene;
    const { offer_id: id, code } = await newOffer();
    const withdraw = (as: Person) => sendRequest(`${API}/consents/offers/${id}`, { as, method: "DELETE" });
    expect((await withdraw(await newPerson("patient"))).status).toBe(404);
    expect((await withdraw(person)).status).toBe(200);
    expect((await withdraw(person)).status).toBe(409);
    expect((await redeem(code)).status).toBe(404);
    expect(await findEvents({ event: "consent.offer_withdraw", entity_id: id, outcome: "success" })).toMatchObject([
      { hospital_id: scene.a.hospitalId, subjects: [scene.atA.id] },
    ]);
  });

  it("ends at its time, by the service's clock", async () => {
    const { offer_id: id, code, valid_until } = await newOffer();
    const end = Date.parse(valid_until);
    expect(end - Date.now()).toBeLessThanOrEqual(DAY_MS);
    try {
      vi.useFakeTimers({ now: end, toFake: ["Date"] });
      const { b } = scene;
      await getDb(env.DB).run(sql`UPDATE sessions SET expires_at = ${end + DAY_MS}`);
      const nurse = await newPerson("nurse", b.hospitalId);
      expect((await redeem(code, nurse)).status).toBe(404);
      vi.setSystemTime(end - 1);
      expect((await redeem(code, nurse)).status).toBe(201);
    } finally {
      vi.useRealTimers();
    }
    const [row] = await getDb(env.DB).all<{ consent: string }>(
      sql`SELECT consent_id AS consent FROM consent_offers WHERE id = ${id}`,
    );
    await revoke(String(row?.consent));
  });

  it("is valid for at most seven days, and ten of a person wait", async () => {
    const { person } = scene;
    for (const valid_until of [iso(Date.now() + 7 * DAY_MS + 60_000), iso(Date.now() - 1)])
      expect(await codeOf(await post("/consents/offers", person, scope({ valid_until })))).toEqual([400, "invalid_request"]);
    await getDb(env.DB).run(sql`UPDATE consent_offers SET withdrawn_at = 1 WHERE user_id = ${person.id} AND used_at IS NULL`);
    const statuses: number[] = [];
    for (let i = 0; i < 11; i++) statuses.push((await post("/consents/offers", person, scope())).status);
    expect(statuses).toEqual([...Array(10).fill(201), 409]);
  });

  it("of a person whose login or link has ended opens nothing", async () => {
    const { person, atA } = scene;
    await getDb(env.DB).run(sql`UPDATE consent_offers SET withdrawn_at = 1 WHERE user_id = ${person.id} AND used_at IS NULL`);
    const { code } = await newOffer();
    await env.DB.prepare("UPDATE users SET active = 0 WHERE id = ?").bind(person.id).run();
    expect((await redeem(code)).status).toBe(404);
    await env.DB.prepare("UPDATE users SET active = 1 WHERE id = ?").bind(person.id).run();
    await env.DB.prepare("DELETE FROM patient_links WHERE user_id = ? AND patient_id = ?").bind(person.id, atA.id).run();
    expect(await codeOf(await redeem(code))).toEqual([409, "conflict"]);
    await link(person, atA);
  });
});
