// Escalation settings of hospitals and wards, and the staff of a ward: inheritance, versions, bounds, audit.
import { beforeAll, describe, expect, it } from "vitest";
import { API, findEvents, newPerson, newWard, newWorld, type Person, readJson, sendRequest, type World } from "../world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const get = async (path: string, as: Person = world.nurse) => (await readJson(await sendRequest(`${API}/${path}`, { as }))).data;
const put = (path: string, json: object, version?: number, as: Person = world.manager) =>
  sendRequest(`${API}/${path}`, { as, method: "PUT", json, ...(version && { headers: { "If-Match": `"${version}"` } }) });
const remove = (path: string, version: number) =>
  sendRequest(`${API}/${path}`, { as: world.manager, method: "DELETE", headers: { "If-Match": `"${version}"` } });
const MINUTES = { high: [2, 5], medium: [20], low: [] };
const REPEAT = { high: 10, medium: null, low: null };

describe("escalation settings", () => {
  it("are the ward's before the hospital's before the default, part by part", async () => {
    const hospital = `hospitals/${world.hospitalId}/escalation`;
    const ward = `wards/${await newWard(world.manager)}/escalation`;
    expect(await get(ward)).toMatchObject({
      own: null,
      version: null,
      in_force: { escalation_minutes: { high: [3, 10] }, repeat_minutes: { high: 15 }, tiers: [[{ role: "doctor" }], {}] },
      from: { escalation_minutes: "default", repeat_minutes: "default", tiers: "default" },
    });
    const tiers = [[{ user_id: world.manager.id }, { user_id: world.doctor.id }]];
    expect((await put(hospital, { repeat_minutes: REPEAT, tiers })).status).toBe(200);
    expect((await put(ward, { escalation_minutes: MINUTES })).status).toBe(200);
    const view = await get(ward);
    expect(view).toMatchObject({
      own: { escalation_minutes: MINUTES },
      in_force: { escalation_minutes: MINUTES, repeat_minutes: REPEAT, tiers },
      from: { escalation_minutes: "ward", repeat_minutes: "hospital", tiers: "hospital" },
      doctors_alarm_scope: "care_team_patients",
      version: 1,
      updated_by: world.manager.id,
    });
    expect(
      Object.fromEntries(view.people.map(({ user_id, alarm_scope }: Record<string, string>) => [user_id, alarm_scope])),
    ).toEqual({
      [world.manager.id]: "every_patient",
      [world.doctor.id]: "care_team_patients",
    });
    expect(await readJson(await remove(ward, 1))).toMatchObject({
      data: { own: null, version: null, from: { escalation_minutes: "default", tiers: "hospital" } },
    });
    expect(await readJson(await remove(hospital, 1))).toMatchObject({ data: { from: { tiers: "default" }, people: [] } });
    const events = await findEvents({ hospital_id: world.hospitalId, event: "escalation.update" });
    expect(JSON.parse(events[1]?.detail ?? "null")).toEqual({ before: null, after: { escalation_minutes: MINUTES } });
  });

  it("need the version that is there, and of two at once one counts", async () => {
    const path = `wards/${await newWard(world.manager)}/escalation`;
    const first = await Promise.all([put(path, { repeat_minutes: REPEAT }), put(path, { escalation_minutes: MINUTES })]);
    expect(first.map(({ status }) => status).sort()).not.toEqual([200, 200]);
    expect((await put(path, { repeat_minutes: REPEAT })).status).toBe(428);
    expect((await put(path, { repeat_minutes: REPEAT }, 9)).status).toBe(412);
    const both = await Promise.all([put(path, { repeat_minutes: REPEAT }, 1), put(path, { escalation_minutes: MINUTES }, 1)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    expect((await remove(path, 1)).status).toBe(412);
    expect((await remove(path, 2)).status).toBe(200);
    expect((await remove(path, 2)).status).toBe(404);
  });

  it.each([
    ["nothing", {}],
    ["a fourth tier", { escalation_minutes: { ...MINUTES, high: [1, 2, 3, 4] } }],
    ["minutes that do not increase", { escalation_minutes: { ...MINUTES, high: [5, 5] } }],
    ["no escalation of high alerts", { escalation_minutes: { ...MINUTES, high: [] } }],
    ["minute 0", { escalation_minutes: { ...MINUTES, high: [0] } }],
    ["minute 241", { repeat_minutes: { ...REPEAT, high: 241 } }],
    ["a tier of nobody", { tiers: [[]] }],
    ["four tiers", { tiers: Array.from({ length: 4 }, () => [{ role: "doctor" }]) }],
    ["21 entries", { tiers: [Array.from({ length: 21 }, () => ({ role: "doctor" }))] }],
    ["a role of no staff", { tiers: [[{ role: "patient" }]] }],
    ["somebody of another hospital", { tiers: [[{ user_id: "019c5a00-0000-7000-8000-000000000001" }]] }],
  ])("refuse %s", async (_, json) => {
    expect((await put(`wards/${await newWard(world.manager)}/escalation`, json)).status).toBe(400);
  });
});

describe("the staff of a ward", () => {
  it("is listed, replaced with the ward's version, and goes with the ward", async () => {
    const ward = await newWard(world.manager);
    const path = `wards/${ward}/staff`;
    expect(await get(path)).toMatchObject({ people: [], version: 1 });
    const user_ids = [world.nurse.id, world.doctor.id];
    expect(await readJson(await put(path, { user_ids }, 1))).toMatchObject({ data: { version: 2 } });
    expect((await put(path, { user_ids: [] }, 1)).status).toBe(412);
    expect((await put(path, { user_ids: [] })).status).toBe(428);
    const both = await Promise.all([put(path, { user_ids: [world.nurse.id] }, 2), put(path, { user_ids: [world.doctor.id] }, 2)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    const winner = both[0]?.status === 200 ? world.nurse : world.doctor;
    expect((await get(path)).people.map(({ user_id }: { user_id: string }) => user_id)).toEqual([winner.id]);
    expect(await findEvents({ entity_id: ward, event: "ward_staff.update", outcome: "success" })).toHaveLength(2);
    expect((await remove(`wards/${ward}`, 3)).status).toBe(200);
  });

  it("refuses who is not on the staff, a person twice, and more than a hundred", async () => {
    const path = `wards/${await newWard(world.manager)}/staff`;
    const stranger = await newPerson("patient");
    const refused = await put(path, { user_ids: [world.nurse.id, stranger.id] }, 1);
    expect(refused.status).toBe(400);
    expect((await readJson(refused)).errors).toMatchObject([{ path: "user_ids.1" }]);
    expect((await put(path, { user_ids: [world.nurse.id, world.nurse.id] }, 1)).status).toBe(400);
    const many = Array.from({ length: 101 }, () => crypto.randomUUID());
    expect((await put(path, { user_ids: many }, 1)).status).toBe(400);
  });
});
