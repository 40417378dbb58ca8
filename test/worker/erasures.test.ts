// Requests for erasure: who may ask, who may decide, when the job begins, and what a restricted record is to whom.
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runErasures } from "../../src/erasure/run/run-erasures.ts";
import { renewSignIn } from "../authz.factors.ts";
import { ageSession } from "../factor-steps.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newDevice,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type Patient,
  readAuditEvents,
  readJson,
  sendRequest,
  uploadReport,
  type World,
} from "../world.ts";
import { LATER, post, REASON, secondManager } from "./erasure-world.ts";

let world: World;
let patient: Patient;
beforeAll(async () => {
  world = await newWorld();
  await renewSignIn(world.manager.sessionId);
});
beforeEach(async () => {
  patient = await newPatient(world.hospitalId, world.nurse, [world.doctor]);
});

const ask = (as = world.manager) => post(`/patients/${patient.id}/erasure`, as, REASON);
const askedBy = async (as = world.manager): Promise<string> => (await readJson(await ask(as))).data.erasure_id;
const stateOf = async (id: string) => (await readJson(await sendRequest(`${API}/erasures/${id}`, { as: world.manager }))).data;
/** Approved by a second manager. */
async function restrict(): Promise<string> {
  const id = await askedBy();
  expect((await post(`/erasures/${id}/approve`, await secondManager(world.hospitalId))).status).toBe(200);
  return id;
}

describe("a request", () => {
  it("is made by an administrator of the hospital or the person, with a reason and a recent sign-in", async () => {
    const own = await newPatient(world.hospitalId, world.nurse);
    const person = await newPerson("patient");
    await link(person, own);
    const asked = await post(`/patients/${own.id}/erasure`, person, REASON);
    expect([asked.status, (await readJson(asked)).data]).toMatchObject([
      201,
      { state: "requested", patient_id: own.id, requested_by: person.id, ...REASON, erase_on: null, decided_by: null },
    ]);
    expect(await readAuditEvents(asked.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "erasure.request", basis: "self", purpose: "PATRQT", subjects: [own.id] },
    ]);
    await expectProblem(await ask(world.nurse), 403, "forbidden");
    await expectProblem(await ask(world.self), 404, "not_found");
    const elsewhere = await newWorld();
    await expectProblem(await ask(elsewhere.manager), 404, "not_found");
    await expectProblem(await post(`/patients/${patient.id}/erasure`, world.manager, { reason: "no" }), 400, "invalid_request");
    const late = await newPerson("hospital_admin", world.hospitalId);
    await ageSession(late.sessionId, 11 * 60_000);
    await env.DB.prepare("UPDATE sessions SET created_at = created_at - 660000 WHERE id = ?").bind(late.sessionId).run();
    await expectProblem(await ask(late), 401, "step_up_required");
  });

  it("is one per record at a time", async () => {
    await askedBy();
    await expectProblem(await ask(), 409, "conflict");
    const together = await newPatient(world.hospitalId, world.nurse);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => post(`/patients/${together.id}/erasure`, world.manager, REASON)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  });

  it("is listed by its patient alone, for whoever may see it", async () => {
    const id = await askedBy();
    const other = await newPatient(world.hospitalId, world.nurse);
    const idsOf = async (patientId: string, as = world.manager): Promise<string[]> => {
      const { data } = await readJson(await sendRequest(`${API}/erasures?patient_id=${patientId}`, { as }));
      return data.map(({ erasure_id }: { erasure_id: string }) => erasure_id);
    };
    expect(await idsOf(patient.id)).toContain(id);
    expect(await idsOf(other.id)).toEqual([]);
    expect(await idsOf(patient.id, (await newWorld()).manager)).toEqual([]);
  });

  it("is approved by a second person with a second step, neither the one who asked nor the patient", async () => {
    const id = await askedBy();
    await expectProblem(await post(`/erasures/${id}/approve`, world.manager), 409, "conflict");
    const second = await newPerson("hospital_admin", world.hospitalId);
    await expectProblem(await post(`/erasures/${id}/approve`, second), 401, "step_up_required");
    await renewSignIn(second.sessionId);
    await link(second, patient);
    await expectProblem(await post(`/erasures/${id}/approve`, second), 409, "conflict");
    await expectProblem(await post(`/erasures/${id}/approve`, world.nurse), 403, "forbidden");
    const elsewhere = await newWorld();
    await renewSignIn(elsewhere.manager.sessionId);
    await expectProblem(await post(`/erasures/${id}/approve`, elsewhere.manager), 404, "not_found");
    const third = await secondManager(world.hospitalId);
    const approval = await post(`/erasures/${id}/approve`, third);
    expect([approval.status, (await readJson(approval)).data]).toMatchObject([
      200,
      { state: "restricted", decided_by: third.id, waits_for: "retention" },
    ]);
    await expectProblem(await post(`/erasures/${id}/approve`, third), 409, "conflict");
  });

  it("of a patient who is monitored on a ward is not approved", async () => {
    const id = await askedBy();
    await env.DB.prepare("UPDATE patients SET monitoring = 'ward' WHERE id = ?").bind(patient.id).run();
    await expectProblem(await post(`/erasures/${id}/approve`, await secondManager(world.hospitalId)), 409, "conflict");
    expect((await sendRequest(`${API}/patients/${patient.id}`, { as: world.nurse })).status).toBe(200);
  });

  it("is rejected with a reason; of an approval and a rejection at once, the record follows the one that stands", async () => {
    const id = await askedBy();
    await expectProblem(await post(`/erasures/${id}/reject`, world.manager, { reason: "" }), 400, "invalid_request");
    const rejected = await post(`/erasures/${id}/reject`, world.manager, { reason: "Withdrawn" });
    expect((await readJson(rejected)).data).toMatchObject({ state: "rejected", decision_reason: "Withdrawn" });
    await expectProblem(await post(`/erasures/${id}/reject`, world.manager, { reason: "Withdrawn" }), 409, "conflict");
    for (let round = 0; round < 4; round++) {
      const raced = await askedBy();
      const second = await secondManager(world.hospitalId);
      await Promise.all([
        post(`/erasures/${raced}/approve`, second),
        post(`/erasures/${raced}/reject`, world.manager, { reason: "Withdrawn" }),
      ]);
      const { state } = await stateOf(raced);
      const { status } = await sendRequest(`${API}/patients/${patient.id}`, { as: world.nurse });
      expect([state, status]).toEqual(state === "rejected" ? ["rejected", 200] : ["restricted", 404]);
      if (state === "restricted") await post(`/erasures/${raced}/reject`, world.manager, { reason: "Withdrawn" });
    }
  });
});

describe("the job", () => {
  it("begins when retention has ended, and not while a hold is open", async () => {
    const id = await restrict();
    const { erase_on } = await stateOf(id);
    expect(new Date(erase_on).getUTCFullYear()).toBe(new Date().getUTCFullYear() + 10);
    await runErasures(env, Date.parse(erase_on) - 1);
    expect((await stateOf(id)).state).toBe("restricted");
    expect((await post(`/patients/${patient.id}/hold`, world.manager, { reason: "A court asked" })).status).toBe(201);
    await runErasures(env, LATER);
    expect(await stateOf(id)).toMatchObject({ state: "restricted", waits_for: "legal_hold" });
    await post(`/patients/${patient.id}/hold/release`, world.manager, { reason: "The case is closed" });
    await runErasures(env, LATER);
    expect(await stateOf(id)).toMatchObject({ state: "erased", reason: null });
    await expectProblem(await post(`/erasures/${id}/reject`, world.manager, { reason: "Withdrawn" }), 409, "conflict");
  });

  it("follows a policy that was made longer after the approval", async () => {
    const id = await restrict();
    const { erase_on } = await stateOf(id);
    const years = { patient_record: 20, reports: 10, documents: 10, observations: 10 };
    const json = { years, minors_until_age: 28 };
    expect(
      (await sendRequest(`${API}/hospitals/${world.hospitalId}/retention`, { as: world.manager, method: "PUT", json })).status,
    ).toBe(200);
    await runErasures(env, Date.parse(erase_on) + 1);
    const later = await stateOf(id);
    expect([later.state, new Date(later.erase_on).getUTCFullYear()]).toEqual(["restricted", new Date().getUTCFullYear() + 20]);
  });
});

describe("a restricted record", () => {
  it("is absent for staff, apps and administrators, in reads, lists and changes", async () => {
    const shown = async () => {
      const paths = [`/patients/${patient.id}`, `/patients/${patient.number}`, `/patients/${patient.id}/observations/latest`];
      const statuses = [];
      for (const as of [world.nurse, world.doctor, world.manager, world.admin])
        for (const path of paths) statuses.push((await sendRequest(`${API}${path}`, { as })).status);
      return new Set(statuses);
    };
    const listed = async (as = world.nurse) =>
      JSON.stringify(await readJson(await sendRequest(`${API}/patients?limit=100`, { as }))).includes(patient.id);
    expect([...(await shown()), await listed()]).toEqual([200, true]);
    await restrict();
    expect([...(await shown()), await listed(), await listed(world.admin)]).toEqual([404, false, false]);
    const change = { as: world.nurse, method: "PATCH", json: { notes: "x" }, headers: { "If-Match": "*" } };
    await expectProblem(await sendRequest(`${API}/patients/${patient.id}`, change), 404, "not_found");
  });

  it("is readable for the person, who writes nothing and sees the date", async () => {
    const person = await newPerson("patient");
    await link(person, patient);
    const id = await restrict();
    expect((await sendRequest(`${API}/patients/${patient.id}`, { as: person })).status).toBe(200);
    const { data } = await readJson(await sendRequest(`${API}/erasures`, { as: person }));
    expect(data).toMatchObject([{ erasure_id: id, state: "restricted", waits_for: "retention" }]);
    const sample = { code: "8867-4", value: 70, unit: "/min", effective_at: new Date().toISOString() };
    await expectProblem(await post("/observations", person, sample), 403, "forbidden");
    await expectProblem(await sendRequest(`${API}/erasures/${id}`, { as: world.self }), 404, "not_found");
  });

  it("ends signed links, takes nothing from its device, and leaves no list that contains it", async () => {
    const device = await newDevice(world.nurse, patient.id);
    const { data } = await readJson(await uploadReport(device, newPdf(), {}));
    const path = `/reports/${data.report_id}`;
    const { download_url: url } = (await readJson(await sendRequest(`${API}${path}`, { as: world.nurse }))).data;
    const lists = ["/reports", "/uploads", "/documents", "/alerts", "/devices", "/patients/search?q=First"];
    const named = async () => {
      const texts = await Promise.all(
        lists.map(async (list) => (await sendRequest(`${API}${list}`, { as: world.nurse })).text()),
      );
      return texts.filter((text) => text.includes(patient.id)).length;
    };
    expect([(await sendRequest(url)).status, (await sendRequest(`${API}${path}`, { as: device })).status]).toEqual([200, 200]);
    expect(await named()).toBeGreaterThan(1);
    await restrict();
    expect([(await sendRequest(url)).status, (await sendRequest(`${API}${path}`, { as: device })).status]).toEqual([404, 404]);
    expect(await named()).toBe(0);
    const sample = { code: "8867-4", value: 70, unit: "/min", effective_at: new Date().toISOString() };
    const sent = await readJson(await sendRequest(`${API}/observations`, { as: device, json: sample }));
    expect(sent.data.results[0].status).not.toBe("stored");
    expect((await uploadReport(device, newPdf(), {})).status).toBe(202);
    const stored = env.DB.prepare("SELECT count(*) AS n FROM reports WHERE patient_id = ?").bind(patient.id);
    expect(await stored.first<number>("n")).toBe(1);
  });

  it("is open again after a rejection", async () => {
    const id = await restrict();
    await post(`/erasures/${id}/reject`, world.manager, { reason: "Needed by a court" });
    const { data } = await readJson(await sendRequest(`${API}/patients/${patient.id}`, { as: world.nurse }));
    expect(data).toMatchObject({ patient_id: patient.id, is_active: false });
  });
});
