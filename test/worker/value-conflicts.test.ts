// Another value at the moment of a stored one: refused with the stored observation's id, never dropped as a repetition.
import { beforeEach, expect, it } from "vitest";
import { API, newDevice, newWorld, readJson, sendRequest, type World } from "../world.ts";
import { createItem, HEART_RATE } from "./vitals-world.ts";

let world: World;
let at: number;
beforeEach(async () => {
  world = await newWorld();
  at = Date.now() - 60_000;
});

type Result = { status: string; reason?: string; observation_id?: string };
const enter = async (...values: number[]): Promise<Result[]> => {
  const samples = values.map((value) => createItem(HEART_RATE, value, at));
  const json = { patient_id: world.patient.id, samples };
  return (await readJson(await sendRequest(`${API}/observations`, { as: world.nurse, json }))).data.results;
};
const amend = (id: string | undefined, json: object) =>
  sendRequest(`${API}/observations/${id}`, { as: world.nurse, method: "PATCH", json: { ...json, reason: "Typed wrongly" } });

it("names the stored observation, which the client can amend", async () => {
  const [first] = await enter(72);
  expect(await enter(27)).toMatchObject([
    { status: "rejected", reason: "value_conflict", observation_id: first?.observation_id },
  ]);
  expect(await enter(72)).toMatchObject([{ status: "duplicate" }]);
  expect((await amend(first?.observation_id, { status: "amended", value: 27 })).status).toBe(200);
  // What is true now, and what was sent first, are both no news.
  expect(await enter(27)).toMatchObject([{ status: "duplicate" }]);
  expect(await enter(72)).toMatchObject([{ status: "duplicate" }]);
  expect(await enter(28)).toMatchObject([{ reason: "value_conflict" }]);
});

it("is refused within one request too", async () => {
  const [first, same, other] = await enter(72, 72, 73);
  expect([first?.status, same?.status]).toEqual(["stored", "duplicate"]);
  expect(other).toMatchObject({ reason: "value_conflict", observation_id: first?.observation_id });
});

it("is stored when the first one was entered in error", async () => {
  const [first] = await enter(172);
  await amend(first?.observation_id, { status: "entered-in-error" });
  expect(await enter(72)).toMatchObject([{ status: "stored" }]);
  expect(await enter(72)).toMatchObject([{ status: "duplicate" }]);
  expect(await enter(172)).toMatchObject([{ status: "duplicate" }]);
});

it("is refused from a device without sequence numbers", async () => {
  const device = await newDevice(world.nurse, world.patient.id, "wearable");
  at = Date.now() + 1;
  const send = async (value: number) => {
    const json = { samples: [createItem(HEART_RATE, value, at)] };
    return (await readJson(await sendRequest(`${API}/observations`, { as: device, json }))).data.results;
  };
  const [first] = await send(72);
  expect(await send(73)).toMatchObject([{ reason: "value_conflict", observation_id: first.observation_id }]);
});
