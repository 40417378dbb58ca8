// Facts of a patient without monitoring and devices: the object follows a changed birth date, status, ward and hospital.
import { beforeEach, describe, expect, it } from "vitest";
import { DAY_MS } from "../../src/platform/time.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, newPerson, newWard, newWorld, readJson, sendRequest, type World } from "../world.ts";

let world: World;
let version: number;
beforeEach(async () => {
  world = await newWorld();
  version = 1;
});

const change = async (json: object) => {
  const headers = { "If-Match": `"${version}"` };
  const path = `${API}/patients/${world.patient.id}`;
  const response = await sendRequest(path, { as: world.nurse, method: "PATCH", json, headers });
  expect(response.status).toBe(200);
  version = (await readJson(response)).data.version;
};
/** Everything that NEWS2 needs, by hand. */
const VALUES: [string, number | string, string][] = [
  ["9279-1", 16, "/min"],
  ["2708-6", 97, "%"],
  ["3151-8", 0, "L/min"],
  ["8480-6", 120, "mm[Hg]"],
  ["8867-4", 70, "/min"],
  ["67775-7", "A", "1"],
  ["8310-5", 37, "Cel"],
];
const measure = (as: { token: string } = world.nurse, values = VALUES) => {
  const effective_at = new Date().toISOString();
  const samples = values.map(([code, value, unit]) => ({ code, value, unit, effective_at }));
  return sendRequest(`${API}/observations`, { as, json: { patient_id: world.patient.id, samples } });
};
const news2 = async () =>
  (await readJson(await sendRequest(`${API}/patients/${world.patient.id}/scores/news2`, { as: world.nurse }))).data;
const latest = async () =>
  (await readJson(await sendRequest(`${API}/patients/${world.patient.id}/observations/latest`, { as: world.nurse }))).data;
const bornDaysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
const storedSamples = async () => {
  const path = `${API}/patients/${world.patient.id}/observations?code=8867-4`;
  return (await readJson(await sendRequest(path, { as: world.nurse }))).data.length;
};

describe("a patient without monitoring and devices", () => {
  it("has no adult score after the birth date is corrected to a toddler's", async () => {
    await change({ date_of_birth: "1970-01-01" });
    expect((await readJson(await measure())).data.refused).toBe(0);
    expect(await news2()).toMatchObject({ status: "complete" });
    await change({ date_of_birth: bornDaysAgo(800) });
    expect(await news2()).toMatchObject({ status: "not_applicable", reason: "age" });
    await change({ date_of_birth: null });
    expect(await news2()).toMatchObject({ status: "not_applicable", reason: "age_unknown" });
  });

  it("stores no sample while the record is inactive, whoever sends it", async () => {
    expect((await readJson(await measure())).data.refused).toBe(0);
    await change({ is_active: false, reason: "Moved away" });
    for (const as of [world.nurse, world.doctor]) await expectProblem(await measure(as), 409, "conflict");
    expect(await env.PATIENT_MONITOR.getByName(world.patient.id).record({ kind: "person", id: world.nurse.id }, EMPTY)).toEqual({
      known: false,
    });
    await change({ is_active: true, reason: "Came back" });
    expect((await readJson(await measure())).data.refused).toBe(0);
    expect(await storedSamples()).toBe(2);
  });

  it("has the limits of its ward after a move", async () => {
    expect((await readJson(await measure())).data.refused).toBe(0);
    const ward_id = await newWard(world.manager);
    const limits = { as: world.nurse, method: "PUT", json: { low: 46 } };
    expect((await sendRequest(`${API}/wards/${ward_id}/alert-rules/heart_rate`, limits)).status).toBe(200);
    await change({ date_of_birth: "1970-01-01", ward_id });
    const rate = (await latest()).limits.find(({ code }: { code: string }) => code === "8867-4");
    expect(rate).toMatchObject({ low: 46, set_by: "ward" });
  });

  it("stores no sample of an administrator while the hospital is closed", async () => {
    expect((await readJson(await measure())).data.refused).toBe(0);
    const admin = await newPerson("admin");
    const path = `${API}/hospitals/${world.hospitalId}`;
    const { data } = await readJson(await sendRequest(path, { as: admin }));
    const headers = { "If-Match": `"${data.version}"` };
    expect((await sendRequest(path, { as: admin, method: "DELETE", headers })).status).toBe(200);
    await expectProblem(await measure(admin), 409, "conflict");
  });
});

const EMPTY = {
  items: [{ code: "8867-4", value: 70, unit: "/min", effective_at: "2026-11-29T00:00:00Z" }],
  sent_at: null,
  conditions: null,
};
