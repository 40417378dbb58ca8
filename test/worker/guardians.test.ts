// Guardians: recorded and confirmed by two members of staff, they decide about consents of one record until the guardianship ends.
import { beforeAll, describe, expect, it, vi } from "vitest";
import { newConsent, newScope } from "../consent-rows.ts";
import { newGuardianBody, newGuardianCode, newGuardianship } from "../guardian-rows.ts";
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
  uploadReport,
} from "../world.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** A minor has records at A and B, and no login; the report is at A. */
async function newScene() {
  const [a, b] = [await newWorld(), await newWorld("hospital")];
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  const report = await uploadReport(a.nurse, newPdf(), { patient_id: atA.id, kind: "ecg", recorded_at: "2026-03-01T00:00:00Z" });
  const reportId: string = (await readJson(report)).data.report_id;
  return { a, b, atA, atB, reportId };
}
let scene: Awaited<ReturnType<typeof newScene>>;
beforeAll(async () => {
  scene = await newScene();
});

const post = (path: string, as: Person, json?: object) =>
  sendRequest(`${API}${path}`, { as, method: "POST", ...(json && { json }) });
const get = (path: string, as: Person) => sendRequest(`${API}${path}`, { as });
const record = async (as: Person, patientId: string, guardian: Person, change: object = {}) =>
  post(`/patients/${patientId}/guardians`, as, newGuardianBody(await newGuardianCode(guardian), change));
const idOf = async (response: Response): Promise<string> => (await readJson(response)).data.guardianship_id;
const confirm = (id: string, as: Person) => post(`/guardianships/${id}/confirm`, as);
const end = (id: string, as: Person, reason: string | undefined = as.role === "patient" ? undefined : "The court said so.") =>
  post(`/guardianships/${id}/end`, as, { reason });
const readReport = async (as: Person) => (await get(`/reports/${scene.reportId}`, as)).status;

/** Whether somebody can deny a new request of B: true, or the status. */
async function canDecide(guardian: Person): Promise<true | number> {
  const { status } = await post(`/consents/${await newConsent(scene.atB.id)}/deny`, guardian, {});
  return status === 200 || status;
}

async function newGuardian(): Promise<{ guardian: Person; id: string }> {
  const guardian = await newPerson("patient");
  return { guardian, id: await newGuardianship(scene.atB.id, guardian.id, true) };
}

describe("a minor's guardian", () => {
  it("is recorded by two members of staff at each hospital, grants and revokes, and decides no more after the end", async () => {
    const { a, b, atA, atB } = scene;
    const guardian = await newPerson("patient");
    const ids: string[] = [];
    for (const [world, patient] of [[a, atA] as const, [b, atB] as const]) {
      const recorded = await record(world.nurse, patient.id, guardian);
      expect(recorded.status).toBe(201);
      const { data } = await readJson(recorded);
      expect(data).toMatchObject({
        state: "recorded",
        patient_id: patient.id,
        guardian_id: guardian.id,
        recorded_by: world.nurse.id,
      });
      const confirmed = await confirm(data.guardianship_id, world.manager);
      expect((await readJson(confirmed)).data).toMatchObject({ state: "active", confirmed_by: world.manager.id });
      ids.push(data.guardianship_id);
    }
    const asked = await post("/consents", b.nurse, { patient_id: atB.id, purpose: "CAREMGT", ...newScope() });
    const consentId: string = (await readJson(asked)).data.consent_id;
    expect(await listNotices(guardian.id)).toContain("consent.requested");
    expect(
      (await readJson(await get("/consents", guardian))).data.map((one: { consent_id: string }) => one.consent_id),
    ).toContain(consentId);
    expect(await readReport(b.nurse)).toBe(404);
    expect((await post(`/consents/${consentId}/grant`, guardian, { patient_ids: [atA.id] })).status).toBe(200);
    expect(await readReport(b.nurse)).toBe(200);
    // Nothing of the record itself.
    expect(await readReport(guardian)).toBe(404);
    expect((await get(`/patients/${atA.id}`, guardian)).status).toBe(404);
    const events = await findEvents({ event: "consent.grant", entity_id: consentId });
    expect(events.map(({ hospital_id }) => hospital_id).sort()).toEqual([a.hospitalId, b.hospitalId].sort());
    for (const { detail } of events) expect(ids).toContain(JSON.parse(detail ?? "{}").guardianship_id);
    expect(events.map(({ basis }) => basis)).toEqual(["guardian", "guardian"]);
    expect((await post(`/consents/${consentId}/revoke`, guardian)).status).toBe(200);
    expect(await readReport(b.nurse)).toBe(404);
    const next = await newConsent(atB.id);
    for (const id of ids) expect((await end(id, id === ids[0] ? a.nurse : guardian)).status).toBe(200);
    expect((await post(`/consents/${next}/grant`, guardian, { patient_ids: [atA.id] })).status).toBe(404);
    expect(await canDecide(guardian)).toBe(404);
    const own = await readJson(await get("/guardianships", guardian));
    expect(own.data.map((one: { state: string; reason: null }) => [one.state, one.reason])).toEqual([
      ["ended", null],
      ["ended", null],
    ]);
    const list = await readJson(await get(`/patients/${atB.id}/guardians`, b.doctor));
    expect(list.data.find((one: { guardianship_id: string }) => one.guardianship_id === ids[1])).toMatchObject({
      state: "ended",
      reason: "Mother of a minor; birth certificate seen.",
      ended_by: guardian.id,
    });
  });

  it("shares with a hospital, and never puts the minor's data into a record of their own there", async () => {
    const { b, atA, atB } = scene;
    const guardian = await newPerson("patient");
    await link(guardian, await newPatient(b.hospitalId, b.nurse));
    await newGuardianship(atA.id, guardian.id, true);
    const share = () => post("/consents/share", guardian, { hospital_id: b.hospitalId, patient_ids: [atA.id], ...newScope() });
    expect((await share()).status).toBe(409);
    await newGuardianship(atB.id, guardian.id, true);
    const shared = await share();
    expect(shared.status).toBe(201);
    const { data } = await readJson(shared);
    expect(data).toMatchObject({ patient_id: atB.id, status: "granted" });
    const [event] = await findEvents({ event: "consent.share", entity_id: data.consent_id, hospital_id: b.hospitalId });
    expect(event?.basis).toBe("guardian");
    expect((await post(`/consents/${data.consent_id}/revoke`, guardian)).status).toBe(200);
  });

  it("shares no record that staff have identified as another person's", async () => {
    const { a, b } = scene;
    const guardian = await newPerson("patient");
    const records = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
    for (const { id } of records) {
      await newGuardianship(id, guardian.id, true);
      await env.DB.prepare("UPDATE patients SET patient_uid = id, uid_basis = 'staff' WHERE id = ?").bind(id).run();
    }
    const share = () =>
      post("/consents/share", guardian, { hospital_id: b.hospitalId, patient_ids: [records[0]?.id], ...newScope() });
    expect((await share()).status).toBe(409);
    await env.DB.prepare("UPDATE patients SET patient_uid = ?1 WHERE id IN (?1, ?2)").bind(records[0]?.id, records[1]?.id).run();
    expect((await share()).status).toBe(201);
  });

  it("of one record decides nothing about another, and another person nothing about theirs", async () => {
    const { a, atA } = scene;
    const { guardian } = await newGuardian();
    const consentId = await newConsent(atA.id);
    expect((await post(`/consents/${consentId}/deny`, guardian)).status).toBe(404);
    // Of another hospital's record, but not theirs to share.
    const mine = await newConsent(scene.atB.id);
    expect((await post(`/consents/${mine}/grant`, guardian, { patient_ids: [atA.id] })).status).toBe(409);
    expect(await canDecide(await newPerson("patient"))).toBe(404);
    expect(await canDecide(guardian)).toBe(true);
    expect((await get("/guardianships", a.nurse)).status).toBe(403);
  });
});

describe("recording", () => {
  it("decides nothing before a second member of staff has confirmed it, once", async () => {
    const { b, atB } = scene;
    const guardian = await newPerson("patient");
    const id = await idOf(await record(b.nurse, atB.id, guardian));
    expect(await canDecide(guardian)).toBe(404);
    expect((await confirm(id, b.nurse)).status).toBe(403);
    expect((await confirm(id, scene.a.manager)).status).toBe(404);
    expect((await confirm(id, b.doctor)).status).toBe(403);
    expect((await confirm(id, guardian)).status).toBe(403);
    expect(await canDecide(guardian)).toBe(404);
    const second = await newPerson("nurse", b.hospitalId, "hospital");
    const answers = await Promise.all([confirm(id, b.manager), confirm(id, second)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await findEvents({ event: "guardian.confirm", entity_id: id, outcome: "success" })).toHaveLength(1);
    expect((await confirm(id, b.manager)).status).toBe(409);
    expect(await canDecide(guardian)).toBe(true);
  });

  it("is of staff of the record's hospital, with a code of the guardian that is used once", async () => {
    const { a, b, atB } = scene;
    const guardian = await newPerson("patient");
    const body = newGuardianBody(await newGuardianCode(guardian));
    const send = (as: Person, json: object = body) => post(`/patients/${atB.id}/guardians`, as, json);
    expect((await send(a.nurse)).status).toBe(404);
    expect((await send(b.doctor)).status).toBe(403);
    expect((await send(guardian)).status).toBe(403);
    expect((await send(b.nurse, newGuardianBody("AAAA-AAAA-AAAA"))).status).toBe(404);
    expect((await post("/guardian-codes", b.nurse)).status).toBe(403);
    const current = newGuardianBody(await newGuardianCode(guardian));
    expect((await send(b.nurse)).status).toBe(404);
    const answers = await Promise.all([send(b.nurse, current), send(b.manager, current)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 404]);
    expect((await send(b.nurse, current)).status).toBe(404);
    expect((await record(b.nurse, atB.id, guardian)).status).toBe(409);
    const stored = await env.DB.prepare("SELECT reason_sealed FROM guardianships WHERE guardian_id = ?")
      .bind(guardian.id)
      .first();
    expect(JSON.stringify(stored)).not.toContain("birth");
  });

  it("needs a code of the last 15 minutes and an end within 18 years", async () => {
    const { b, atB } = scene;
    const guardian = await newPerson("patient");
    // Signed in now: a session of the scene may end with the code.
    const nurse = await newPerson("nurse", b.hospitalId, "hospital");
    const from = Date.now();
    const body = newGuardianBody(await newGuardianCode(guardian));
    const late = (json: object = body) => post(`/patients/${atB.id}/guardians`, nurse, json);
    const iso = (at: number) => new Date(at).toISOString();
    for (const until of [iso(from - 1000), iso(from + 6_580 * DAY_MS)])
      expect((await late(newGuardianBody(body.code, { until }))).status).toBe(400);
    vi.useFakeTimers({ now: from + 15 * MINUTE_MS + 1000, toFake: ["Date"] });
    try {
      expect((await late()).status).toBe(404);
      vi.setSystemTime(from + 14 * MINUTE_MS);
      expect((await late()).status).toBe(201);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a guardianship", () => {
  it("ends by its date, by staff of its hospital or by the guardian, and once", async () => {
    const { a, b } = scene;
    const [expired, ended] = [await newGuardian(), await newGuardian()];
    expect([await canDecide(expired.guardian), await canDecide(ended.guardian)]).toEqual([true, true]);
    const past = Date.now() - 1;
    await env.DB.prepare("UPDATE guardianships SET valid_until = CAST(? AS INTEGER) WHERE id = ?").bind(past, expired.id).run();
    expect(await canDecide(expired.guardian)).toBe(404);
    expect((await readJson(await get("/guardianships", expired.guardian))).data[0].state).toBe("expired");
    expect((await end(expired.id, b.nurse)).status).toBe(409);
    expect((await end(ended.id, a.nurse)).status).toBe(404);
    expect((await end(ended.id, expired.guardian)).status).toBe(404);
    expect(await canDecide(ended.guardian)).toBe(true);
    const answers = await Promise.all([end(ended.id, b.nurse), end(ended.id, ended.guardian)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await canDecide(ended.guardian)).toBe(404);
    expect(await findEvents({ event: "guardian.end", entity_id: ended.id, outcome: "success" })).toHaveLength(1);
  });

  it("that ended before it was confirmed is not confirmed", async () => {
    const { b, atB } = scene;
    const id = await newGuardianship(atB.id, (await newPerson("patient")).id);
    expect((await end(id, b.nurse)).status).toBe(200);
    expect((await confirm(id, b.manager)).status).toBe(409);
  });

  it("is not confirmed by the guardian, whatever they became", async () => {
    const { b, atB } = scene;
    const id = await newGuardianship(atB.id, b.manager.id);
    expect((await confirm(id, b.manager)).status).toBe(403);
  });

  it("rests while its hospital is closed", async () => {
    const { b } = scene;
    const { guardian } = await newGuardian();
    const setActive = (active: number) =>
      env.DB.prepare("UPDATE hospitals SET active = ? WHERE id = ?").bind(active, b.hospitalId).run();
    await setActive(0);
    expect(await canDecide(guardian)).toBe(404);
    await setActive(1);
    expect(await canDecide(guardian)).toBe(true);
  });
});
