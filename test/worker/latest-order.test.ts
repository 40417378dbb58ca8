// Which value is the latest: one judgement for the screens and the alarm rules, by the server's clock.
import { beforeEach, expect, it } from "vitest";
import { eventually } from "../eventually.ts";
import { API, env, newDevice, newWard, newWorld, readJson, sendRequest, type World } from "../world.ts";
import { createItem, HEART_RATE, HOUR_MS, toIso } from "./vitals-world.ts";

let world: World;
let device: Awaited<ReturnType<typeof newDevice>>;
beforeEach(async () => {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
  const headers = { "If-Match": '"1"' };
  const json = { monitoring: "home" };
  await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse, method: "PATCH", json, headers });
});

const record = async (json: object, as: { token: string } = device) =>
  (await readJson(await sendRequest(`${API}/observations`, { as, json }))).data;
const send = (value: number, at: number) => record({ samples: [createItem(HEART_RATE, value, at)] });
const read = async (path: string) => (await readJson(await sendRequest(`${API}/${path}`, { as: world.nurse }))).data;
const latest = async () => (await read(`patients/${world.patient.id}/observations/latest`)).latest;
/** The last heart rate of the alarm rules, as their text shows it. */
const alarms = async () => (await env.PATIENT_MONITOR.getByName(world.patient.id).snapshot())?.alerts.map(({ why }) => why.value);

it("is a later value, after one that is ahead of the server's clock", async () => {
  await send(72, Date.now() + 115_000);
  const [ahead] = await latest();
  expect(ahead.age_s).toBeGreaterThanOrEqual(0);
  expect(ahead.age_s).toBeLessThan(100);
  await send(44, Date.now() + 2);
  expect(await latest()).toMatchObject([{ value: 44 }]);
  await send(39, Date.now() + 2);
  expect(await latest()).toMatchObject([{ value: 39 }]);
  // The rules saw the same.
  expect(await alarms()).toContain(39);
});

it("is the later one of two that are ahead, whatever their order in the request", async () => {
  const now = Date.now();
  await record({ samples: [createItem(HEART_RATE, 38, now + 100_000), createItem(HEART_RATE, 72, now + 50_000)] });
  expect(await latest()).toMatchObject([{ value: 38 }]);
  expect(await alarms()).toContain(38);
});

it("counts a value that is ahead from its receipt, on the board too", async () => {
  const ward_id = await newWard(world.manager);
  const headers = { "If-Match": '"2"' };
  await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse, method: "PATCH", json: { ward_id }, headers });
  const start = Date.now();
  await send(72, start + 3_000);
  await send(73, start + 110_000);
  const [{ effective_at, received_at }] = await latest();
  expect(effective_at > received_at).toBe(true);
  await eventually(async () => {
    const [own] = (await read(`wards/${ward_id}/board`)).patients;
    expect(own.latest).toMatchObject([{ value: 73 }]);
    expect(own.latest[0].age_s).toBeGreaterThanOrEqual(1);
  });
});

it("is the one before, after a correction, and never one whose time is unclear", async () => {
  const now = Date.now();
  const [first] = (await send(70, now + 1)).results;
  const ahead = { samples: [createItem(HEART_RATE, 90, now + 3 * HOUR_MS)], sent_at: toIso(now + 3 * HOUR_MS) };
  expect((await record(ahead)).results).toMatchObject([{ note: "clock_unconfirmed" }]);
  const second = (await send(81, Date.now() + 2)).results[0].observation_id;
  const json = { status: "entered-in-error", reason: "Wrong patient" };
  await sendRequest(`${API}/observations/${second}`, { as: world.nurse, method: "PATCH", json });
  expect(await latest()).toMatchObject([{ value: 70, observation_id: first.observation_id }]);
});
