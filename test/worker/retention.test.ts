// Retention: the periods by country, the policy of a hospital, its dry run, and legal holds on records.
import { beforeAll, describe, expect, it } from "vitest";
import { endOfRetention } from "../../src/erasure/retention/end-of-retention.ts";
import { longerPolicy, minimumPolicy } from "../../src/erasure/retention/jurisdictions.ts";
import { RETENTION } from "../erasure-rows.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newHospital,
  newPatient,
  newPerson,
  newWorld,
  readAuditEvents,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";
import { post } from "./erasure-world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const DAY = Date.UTC(2020, 1, 29);
const newest = (patient_record: number, reports: number | null = null) => ({
  patient_record,
  reports,
  documents: null,
  observations: null,
});
const end = (country: string | null, last: number, born: string | null = null) =>
  new Date(endOfRetention(minimumPolicy(country), newest(last), born, last)).toISOString().slice(0, 10);

describe("the end of retention", () => {
  it.each([
    ["IN", null, "2023-03-01"],
    ["DE", null, "2030-03-01"],
    ["GB", null, "2028-02-29"],
    ["FR", null, "2030-03-01"],
    [null, null, "2030-03-01"],
    // Of a minor of ten years.
    ["IN", "2010-01-01", "2023-03-01"],
    ["DE", "2010-01-01", "2030-03-01"],
    ["GB", "2010-01-01", "2036-01-01"],
    [null, "2010-01-01", "2038-01-01"],
    // The last possible day of the year and of the month.
    ["GB", "2010", "2036-12-31"],
    ["GB", "2010-02", "2036-02-28"],
    // On the day before the majority, and on it.
    ["GB", "2002-03-01", "2028-03-01"],
    ["GB", "2002-02-28", "2028-02-29"],
  ])("of %s, born %s", (country, born, expected) => {
    expect(end(country, DAY, born)).toBe(expected);
  });

  it("is that of the kind that ends last", () => {
    const policy = { ...minimumPolicy("IN"), years: { ...minimumPolicy("IN").years, reports: 30 } };
    expect(endOfRetention(policy, newest(DAY, Date.UTC(2000, 0, 1)), null, DAY)).toBe(Date.UTC(2030, 0, 1));
    expect(endOfRetention(policy, newest(DAY, Date.UTC(1990, 0, 1)), null, DAY)).toBe(Date.UTC(2023, 2, 1));
  });

  it("of a record that began in childhood is that of a minor's, whenever the last entry is", () => {
    const policy = { ...minimumPolicy("DE"), minors_until_age: 40 };
    const [born, childhood, adult] = ["2000-01-01", Date.UTC(2006, 0, 1), Date.UTC(2019, 0, 1)];
    expect(endOfRetention(policy, newest(adult), born, childhood)).toBe(Date.UTC(2040, 0, 1));
    expect(endOfRetention(policy, newest(adult), born, adult)).toBe(Date.UTC(2029, 0, 1));
  });

  it("is never shorter than the country requires", () => {
    const short = { years: { patient_record: 1, reports: 1, documents: 20, observations: 1 }, minors_until_age: null };
    expect(longerPolicy(short, minimumPolicy("GB"))).toEqual({
      years: { patient_record: 8, reports: 8, documents: 20, observations: 8 },
      minors_until_age: 26,
    });
  });
});

describe("the policy of a hospital", () => {
  it("is that of its country until it sets a longer one, with If-Match from then on", async () => {
    const hospitalId = await newHospital();
    const manager = await newPerson("hospital_admin", hospitalId);
    const path = `${API}/hospitals/${hospitalId}/retention`;
    const put = (json: object, headers = {}) => sendRequest(path, { as: manager, method: "PUT", json, headers });
    await env.DB.prepare("UPDATE hospitals SET country = 'GB' WHERE id = ?").bind(hospitalId).run();
    const read = async () => (await readJson(await sendRequest(path, { as: manager }))).data;
    expect(await read()).toMatchObject({ jurisdiction: "GB", own: null, version: null, in_force: minimumPolicy("GB") });
    const set = await put(RETENTION);
    expect([set.status, (await readJson(set)).data]).toMatchObject([200, { own: RETENTION, in_force: RETENTION, version: 1 }]);
    expect(await readAuditEvents(set.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "retention.update", outcome: "success", purpose: "HSYSADMIN" },
    ]);
    await expectProblem(await put(RETENTION), 428, "precondition_required");
    await expectProblem(await put(RETENTION, { "If-Match": '"7"' }), 412, "precondition_failed");
    expect((await put({ ...RETENTION, minors_until_age: 30 }, { "If-Match": '"1"' })).status).toBe(200);
    expect(await read()).toMatchObject({ version: 2, in_force: { minors_until_age: 30 } });
  });

  it("cannot be shorter, and names what is", async () => {
    const json = { years: { ...RETENTION.years, reports: 9 }, minors_until_age: null };
    const refused = await sendRequest(`${API}/hospitals/${world.hospitalId}/retention`, {
      as: world.manager,
      method: "PUT",
      json,
    });
    const body = await readJson(refused);
    expect([refused.status, body.errors]).toMatchObject([
      400,
      [
        { path: "years.reports", code: "too_short" },
        { path: "minors_until_age", code: "too_short" },
      ],
    ]);
  });

  it("has a dry run that counts what is past its period, up to 1,000, and deletes nothing", async () => {
    const hospitalId = await newHospital();
    const manager = await newPerson("hospital_admin", hospitalId);
    const nurse = await newPerson("nurse", hospitalId);
    const old = await newPatient(hospitalId, nurse);
    await newPatient(hospitalId, nurse);
    await env.DB.prepare("UPDATE patients SET updated_at = 1 WHERE id = ?").bind(old.id).run();
    await env.DB.prepare(`WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 1100)
      INSERT INTO vital_months (hospital_id, month, patient_id, stale_at) SELECT ?, 1, 'p' || n, 0 FROM k`)
      .bind(hospitalId)
      .run();
    const { data } = await readJson(await sendRequest(`${API}/hospitals/${hospitalId}/retention/preview`, { as: manager }));
    expect(data.kinds).toMatchObject([
      { kind: "patient_record", years: 10, count: 1, is_exact: true },
      { kind: "reports", count: 0 },
      { kind: "documents", count: 0 },
      { kind: "observations", count: 1000, is_exact: false },
    ]);
    expect((await sendRequest(`${API}/patients/${old.id}`, { as: nurse })).status).toBe(200);
  });
});

describe("a legal hold", () => {
  it("is set once and released with reasons, and listed for the hospital", async () => {
    const { manager, patient, nurse } = world;
    const path = `/patients/${patient.id}/hold`;
    await expectProblem(await post(path, manager, { reason: "x" }), 400, "invalid_request");
    await expectProblem(await post(path, nurse, { reason: "A court asked" }), 403, "forbidden");
    const set = await post(path, manager, { reason: "A court asked" });
    expect([set.status, (await readJson(set)).data]).toMatchObject([201, { reason: "A court asked", released_at: null }]);
    await expectProblem(await post(path, manager, { reason: "Again" }), 409, "conflict");
    const released = await post(`${path}/release`, manager, { reason: "The case is closed" });
    expect((await readJson(released)).data).toMatchObject({ released_by: manager.id, release_reason: "The case is closed" });
    await expectProblem(await post(`${path}/release`, manager, { reason: "Again" }), 409, "conflict");
    const { data } = await readJson(await sendRequest(`${API}/patient-holds`, { as: manager }));
    expect(data).toMatchObject([{ patient_id: patient.id, reason: "A court asked", released_by: manager.id }]);
    const other = await newPatient(world.hospitalId, world.nurse);
    const ofPatient = async (id: string) =>
      (await readJson(await sendRequest(`${API}/patient-holds?patient_id=${id}`, { as: manager }))).data;
    expect(await ofPatient(patient.id)).toHaveLength(1);
    expect(await ofPatient(other.id)).toEqual([]);
    const elsewhere = await newWorld();
    expect((await readJson(await sendRequest(`${API}/patient-holds`, { as: elsewhere.manager }))).data).toEqual([]);
    await expectProblem(await post(path, elsewhere.manager, { reason: "A court asked" }), 404, "not_found");
  });

  it("of five set at once, one is", async () => {
    const { id } = await newPatient(world.hospitalId, world.nurse);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => post(`/patients/${id}/hold`, world.manager, { reason: "A court asked" })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  });
});
