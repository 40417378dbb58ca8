// Limits over time in charts: across patient and ward rules, ward transfers, and objects of earlier versions.
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { API, env, newWorld, type RequestOptions, readJson, sendRequest, type World } from "../world.ts";
import { createItem, deliverToD1, getMonitor, HEART_RATE, HOUR_MS, SPO2, storeSamples, toIso } from "./vitals-world.ts";

let world: World;
let wards: string[];
beforeEach(async () => {
  world = await newWorld();
  const made = ["East", "West"].map((name) => sendRequest(`${API}/wards`, { as: world.manager, json: { name } }));
  wards = await Promise.all(made.map(async (answer) => (await readJson(await answer)).data.ward_id));
});

type Step = { code: string; from: string; low: number | null; high: number | null; set_by: string };
type Chart = { data: { n: number }[]; meta: { limits: Step[]; uncounted_hours: number; resolution: string; from: string } };

async function chart(hours: number, code = "heart_rate", as: RequestOptions["as"] = world.nurse): Promise<Chart> {
  const [from, to] = [toIso(Date.now() - hours * HOUR_MS), toIso(Date.now() + 1)];
  const query = `buckets=10&code=${code}&from=${from}&to=${to}`;
  return readJson(await sendRequest(`${API}/patients/${world.patient.id}/observations?${query}`, { as }));
}
const steps = async (hours = 1, code?: string) => (await chart(hours, code)).meta.limits;

/** What happens between two readings of the clock, and is known to the object. */
async function between(act: () => Promise<Response>): Promise<[after: number, before: number]> {
  const start = Date.now();
  expect((await act()).status).toBeLessThan(300);
  await deliverChanges(env);
  // The next change has another millisecond.
  while (Date.now() === start) await scheduler.wait(1);
  return [start, Date.now()];
}

const put = (path: string, json: object, headers = {}) =>
  sendRequest(`${API}${path}`, { as: world.nurse, method: "PUT", json, headers });
const rule = (path: string) => `${path}/alert-rules/heart_rate`;
const ofPatient = () => rule(`/patients/${world.patient.id}`);

async function moveTo(ward_id: string): Promise<Response> {
  const path = `${API}/patients/${world.patient.id}`;
  const version = (await readJson(await sendRequest(path, { as: world.nurse }))).data.version;
  const headers = { "If-Match": `"${version}"` };
  return sendRequest(path, { as: world.nurse, method: "PATCH", json: { ward_id, monitoring: "ward" }, headers });
}

const isBetween = (at: string | undefined, [after, before]: [number, number]) => {
  expect(Date.parse(at ?? "")).toBeGreaterThanOrEqual(after);
  expect(Date.parse(at ?? "")).toBeLessThanOrEqual(before);
};

describe("the limits of a chart", () => {
  it("are the defaults of the age for a patient without an object, for every requested code", async () => {
    const { meta } = await chart(1, "heart_rate,spo2");
    expect(meta.limits.map(({ code, set_by, from }) => [code, set_by, from])).toEqual([
      [SPO2, "default", meta.from],
      [HEART_RATE, "default", meta.from],
    ]);
    expect((await chart(1, "")).meta).toBeUndefined();
  });

  it("are those in force at each time: the patient's, the ward's, another ward's, and after a reset", async () => {
    const [standard] = await steps();
    expect(standard).toMatchObject({ low: null, high: null, set_by: "default" });
    const times = [
      await between(() => moveTo(wards[0] ?? "")),
      await between(() => put(rule(`/wards/${wards[0]}`), { high: 115 })),
      await between(() => put(ofPatient(), { low: 46, high: 125 })),
      await between(() => put(ofPatient(), { low: 46, high: 122 }, { "If-Match": '"1"' })),
      await between(() =>
        sendRequest(`${API}${ofPatient()}`, { as: world.nurse, method: "DELETE", headers: { "If-Match": '"2"' } }),
      ),
      await between(() => moveTo(wards[1] ?? "")),
    ];
    const found = await steps();
    expect(found.map(({ low, high, set_by }) => [low, high, set_by])).toEqual([
      [null, null, "default"],
      [null, 115, "ward"],
      [46, 125, "patient"],
      [46, 122, "patient"],
      [null, 115, "ward"],
      [null, null, "default"],
    ]);
    for (const [i, time] of times.entries()) if (i > 0) isBetween(found[i]?.from, time);
    // Another vital is unaffected, and a later range begins with the limits in effect by then.
    expect(await steps(1, "spo2")).toHaveLength(1);
    const query = `buckets=2&code=heart_rate&from=${found[3]?.from}&to=${toIso(Date.now() + 1)}`;
    const { meta } = await readJson(
      await sendRequest(`${API}/patients/${world.patient.id}/observations?${query}`, { as: world.self }),
    );
    expect(meta.limits).toEqual(found.slice(3));
  });

  it("come with charts of hours too", async () => {
    await between(() => moveTo(wards[0] ?? ""));
    await between(() => put(ofPatient(), { high: 125 }));
    const { meta } = await chart(30 * 24);
    expect(meta.resolution).toBe("hour");
    expect(meta.limits.map(({ high }) => high)).toEqual([null, 125]);
    expect(meta.limits[0]?.from).toBe(meta.from);
  });

  it("are those of now for all time in an object that never noted any, and notes begin with the next change", async () => {
    await between(() => put(ofPatient(), { high: 125 }));
    await runInDurableObject(getMonitor(world.patient.id), (_, { storage }) => {
      storage.sql.exec("DELETE FROM settings WHERE name = 'limits'");
    });
    expect((await steps()).map(({ high }) => high)).toEqual([125]);
    await between(() => put(ofPatient(), { high: 130 }, { "If-Match": '"1"' }));
    expect((await steps()).map(({ high }) => high)).toEqual([125, 130]);
  });
});

describe("hours that are counted again", () => {
  it("are listed with the chart until they are counted", async () => {
    const late = Date.now() - 50 * HOUR_MS;
    await storeSamples(world.nurse, world.patient.id, [
      createItem(HEART_RATE, 70, late),
      createItem(HEART_RATE, 72, late - 24 * HOUR_MS),
    ]);
    const seen = async (hours: number) => {
      const { data, meta } = await chart(hours);
      return { n: data.reduce((sum, { n }) => sum + n, 0), uncounted: meta.uncounted_hours };
    };
    expect(await seen(60)).toEqual({ n: 0, uncounted: 1 });
    expect(await seen(30 * 24)).toEqual({ n: 0, uncounted: 2 });
    await deliverToD1(world.patient.id);
    expect(await seen(30 * 24)).toEqual({ n: 2, uncounted: 0 });
  });
});
