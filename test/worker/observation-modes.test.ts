// How patients are watched, through HTTP: which scores are current, which overdue, and what an old value may raise.
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { nothingTold, runRules } from "../../src/monitoring/patient-object/recording/run-rules.ts";
import { Store } from "../../src/monitoring/patient-object/samples/store.ts";
import { API, env, newDevice, newWard, newWorld, readJson, sendRequest, type World } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WELL: Record<string, readonly [number | string, string]> = {
  "9279-1": [16, "/min"],
  "2708-6": [97, "%"],
  "3151-8": [0, "L/min"],
  "8480-6": [120, "mm[Hg]"],
  "8867-4": [70, "/min"],
  "67775-7": ["A", "1"],
  "8310-5": [37, "Cel"],
};
/** Respiration 3, saturation 2, pulse 2, temperature 1. */
const EIGHT = { ...WELL, "9279-1": [25, "/min"], "2708-6": [92, "%"], "8867-4": [115, "/min"], "8310-5": [38.5, "Cel"] } as const;

let world: World;
let ward: string;
beforeEach(async () => {
  world = await newWorld();
  ward = await newWard(world.manager);
  await patch(`patients/${world.patient.id}`, { date_of_birth: "1970-01-01", monitoring: "ward", ward_id: ward }, world.nurse);
});

async function patch(path: string, json: object, as = world.manager, version = 1) {
  const headers = { "If-Match": `"${version}"` };
  const response = await sendRequest(`${API}/${path}`, { as, method: "PATCH", json, headers });
  expect(response.status).toBe(200);
}
const get = async (path: string) => (await readJson(await sendRequest(`${API}/${path}`, { as: world.nurse }))).data;
const chart = async (values: Record<string, readonly [number | string, string]>, ageMs: number) => {
  const effective_at = new Date(Date.now() - ageMs).toISOString();
  const samples = Object.entries(values).map(([code, [value, unit]]) => ({ code, value, unit, effective_at }));
  const json = { patient_id: world.patient.id, samples };
  const { data } = await readJson(await sendRequest(`${API}/observations`, { as: world.nurse, json }));
  expect(data.refused).toBe(0);
  return effective_at;
};
const news2 = () => get(`patients/${world.patient.id}/scores/news2`);

describe("a score", () => {
  it("of a set charted hours ago is current on a spot ward, and overdue under continuous monitoring", async () => {
    const at = await chart(WELL, 5 * HOUR);
    const dueAt = new Date(Date.parse(at) + 12 * HOUR).toISOString();
    expect(await news2()).toMatchObject({ status: "complete", score: 0, as_of: at, observation_mode: "spot", due_at: dueAt });
    await patch(`wards/${ward}`, { observation_mode: "continuous" });
    expect(await news2()).toMatchObject({ status: "overdue", score: 0, as_of: at, observation_mode: "continuous" });
    await patch(`patients/${world.patient.id}/monitoring`, { observation_mode: "spot" }, world.nurse);
    expect(await news2()).toMatchObject({ status: "complete", observation_mode: "spot" });
  });

  it("that is overdue keeps its number and time, and its rank on the board", async () => {
    const at = await chart(EIGHT, 2 * HOUR);
    expect(await news2()).toMatchObject({ status: "overdue", score: 8, risk: "high", as_of: at });
    const [shown] = (await get(`wards/${ward}/board`)).patients;
    expect(shown.news2).toMatchObject({ status: "overdue", score: 8, as_of: at });
  });

  it("of a set that was never complete is none", async () => {
    const { "8310-5": _, ...others } = WELL;
    await chart(others, HOUR);
    expect(await news2()).toMatchObject({ status: "incomplete", missing: ["temperature"] });
  });
});

describe("a value that arrives late", () => {
  const alerts = async () => (await get(`wards/${ward}/board`)).patients[0].alerts;

  it("is no alarm of now: a critical one of five days ago is an entry without a sound, with its true time", async () => {
    const at = await chart({ "2708-6": [84, "%"] }, 120 * HOUR);
    const entry = { rule: "late_critical", code: "2708-6", priority: "medium", sounds: false };
    expect(await alerts()).toMatchObject([{ ...entry, why: { value: 84, measured_at: at } }]);
  });

  it("of 40 minutes ago is of the present on a spot ward", async () => {
    await patch(`wards/${ward}`, { observation_mode: "spot" });
    await chart({ "2708-6": [84, "%"] }, 40 * MINUTE);
    expect(await alerts()).toMatchObject([{ rule: "limit", priority: "high", sounds: true }]);
  });

  it("of 40 minutes ago is history under continuous monitoring", async () => {
    await patch(`wards/${ward}`, { observation_mode: "continuous" });
    await chart({ "2708-6": [84, "%"] }, 40 * MINUTE);
    expect(await alerts()).toMatchObject([{ rule: "late_critical", sounds: false }]);
  });
});

it("a live view learns that sets are due half an hour after a monitor's last message", async () => {
  const monitor = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
  const json = { samples: [{ code: "8867-4", value: 70, unit: "/min", effective_at: new Date().toISOString() }] };
  expect((await sendRequest(`${API}/observations`, { as: monitor, json })).status).toBe(200);
  expect((await get(`wards/${ward}/board`)).patients[0].observations).toMatchObject({ mode: "continuous", status: "continuous" });
  const frames = await runInDurableObject(env.PATIENT_MONITOR.getByName(world.patient.id), (_, { storage }) => {
    const store = new Store(storage, (error) => expect.unreachable(String(error)));
    const tick = (after: number) => {
      const told = nothingTold();
      runRules(store, { kind: "tick" }, Date.now() + after, told);
      return told.frames;
    };
    return [tick(29 * MINUTE), tick(31 * MINUTE), tick(23 * HOUR)].map((pushed) =>
      pushed.filter(({ type }) => type === "observations"),
    );
  });
  const observations = { mode: "continuous", status: "never" };
  expect(frames).toMatchObject([[], [{ type: "observations", patient_id: world.patient.id, observations }], []]);
});
