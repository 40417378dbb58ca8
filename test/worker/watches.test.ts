// Watches and home through the front door: a wrist is not the core, a run is no emergency, a total is not a count.
import { beforeAll, expect, it } from "vitest";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { API, env, newPatient, newWorld, type Patient, readJson, sendRequest, type World } from "../world.ts";

let world: World;
let patient: Patient;
beforeAll(async () => {
  world = await newWorld();
  patient = await newPatient(world.hospitalId, world.nurse);
  const headers = { "If-Match": '"1"' };
  const json = { monitoring: "home" };
  await sendRequest(`${API}/patients/${patient.id}`, { as: world.nurse, method: "PATCH", json, headers });
});

const iso = (ago = 0) => new Date(Date.now() - ago).toISOString();
const get = async (path: string) => (await readJson(await sendRequest(`${API}${path}`, { as: world.nurse }))).data;
const post = (path: string, json: object) => sendRequest(`${API}${path}`, { as: world.nurse, json });
const sync = (metrics: object[]) => post("/wearables/sync", { patient_id: patient.id, metrics });
const alerts = async () =>
  ((await env.PATIENT_MONITOR.getByName(patient.id).snapshot())?.alerts ?? []).map(({ rule, code }) => `${rule} ${code}`);

it("the temperature of a wrist has a code of its own and no alarm, and the core's has one", async () => {
  const sample = { code: "8310-5", value: 25, unit: "Cel", effective_at: iso(1000), body_site: "wrist" };
  const sent = await readJson(await post("/observations", { patient_id: patient.id, samples: [sample] }));
  expect(sent.data.results).toMatchObject([{ status: "stored", note: "skin_temperature" }]);
  expect(await alerts()).toEqual([]);
  const { latest } = await get(`/patients/${patient.id}/observations/latest`);
  expect(latest).toMatchObject([{ code: CODES.skin_temperature, value: 25 }]);
  // The same from a wearable, by both ways to say it.
  expect((await sync([{ timestamp: iso(500), temperature: 26, body_site: "wrist" }])).status).toBe(200);
  expect((await sync([{ timestamp: iso(400), skin_temperature: 27 }])).status).toBe(200);
  expect(await alerts()).toEqual([]);
  expect((await sync([{ timestamp: iso(), temperature: 31 }])).status).toBe(200);
  expect(await alerts()).toEqual([`limit ${CODES.temperature}`]);
});

it("a heart rate of a run raises nothing, and a context that says nothing is refused by itself", async () => {
  const run = Array.from({ length: 10 }, (_, i) => ({
    timestamp: iso((10 - i) * 60_000),
    heart_rate: 140,
    activity: "during exercise",
  }));
  expect((await sync(run)).status).toBe(200);
  expect((await alerts()).filter((alert) => alert.includes(CODES.heart_rate))).toEqual([]);
  const { data: judged } = await readJson(
    await sync([
      { timestamp: iso(), steps: 10, activity: "at rest" },
      { timestamp: iso(), body_site: "wrist" },
      { timestamp: iso(), heart_rate: 70, activity: "jogging", spo2: 97 },
    ]),
  );
  expect(judged.results).toMatchObject([
    { status: "stored", reading: 0, metric: "steps" },
    { status: "rejected", reason: "context_unused", reading: 0, metric: "activity" },
    { status: "rejected", reason: "context_unused", reading: 1, metric: "body_site" },
    { status: "rejected", reason: "activity_invalid", reading: 2, metric: "heart_rate" },
    { status: "stored", reading: 2, metric: "spo2" },
  ]);
  const refused = { code: "2708-6", value: 97, unit: "%", effective_at: iso(), activity: "at rest" };
  const { data } = await readJson(await post("/observations", { patient_id: patient.id, samples: [refused] }));
  expect(data.results).toMatchObject([{ status: "rejected", reason: "activity_invalid" }]);
  // The twin: without a context the rate holds for more than five minutes. Its first values come after newer ones of the run.
  await sync(run.map(({ heart_rate }, i) => ({ timestamp: iso((10 - i) * 50_000), heart_rate })));
  const raised = (await alerts()).filter((alert) => alert.includes(CODES.heart_rate));
  expect(raised).toEqual([`late_critical ${CODES.heart_rate}`, `limit ${CODES.heart_rate}`]);
});

it("totals of the day do not add to counts", async () => {
  await sync([
    { timestamp: iso(3000), steps: 300, steps_day: 300, calories: 20, calories_day: 20 },
    { timestamp: iso(2000), steps: 500, steps_day: 800, calories: 30, calories_day: 50 },
    { timestamp: iso(1000), steps_day: 900 },
  ]);
  const { today } = await get(`/wearables/summary?patient_id=${patient.id}&days=1`);
  const sums = Object.fromEntries(today.map(({ name, sum }: { name: string; sum: number }) => [name, sum]));
  expect(sums).toEqual({ steps: 810, energy: 50, steps_day: 900, energy_day: 50 });
});

it("default limits of both profiles are listed, and the patient's are those of home", async () => {
  const high = async (query: string) =>
    (await get(`/alert-rules/defaults?limit=100${query}`)).find(({ code }: { code: string }) => code === CODES.heart_rate);
  expect(await high("")).toMatchObject({ monitoring: "ward", limits: { high: null, critical_high: 131, duration_s: 10 } });
  expect(await high("&monitoring=home")).toMatchObject({
    monitoring: "home",
    limits: { high: 120, critical_high: 131, duration_s: 300 },
    source: expect.stringContaining("Home:"),
  });
  const effective = await get(`/patients/${patient.id}/alert-rules`);
  expect(effective).toMatchObject({ monitoring: "home" });
  expect(effective.rules.find(({ code }: { code: string }) => code === CODES.heart_rate)).toMatchObject({
    limits: { high: 120, duration_s: 300 },
  });
});
