// The same decision at once, all in one millisecond: one counts, is recorded and is told, and the others are refused.
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { newEmergencyScene, openInEmergency } from "../emergency-scene.ts";
import { newGuardianship } from "../guardian-rows.ts";
import { listNotices } from "../letters.ts";
import {
  API,
  env,
  findEvents,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  type World,
} from "../world.ts";
import { post, REASON, secondManager } from "./erasure-world.ts";

const AT_ONCE = 15;
const ONE_OF_THEM = [200, ...Array.from({ length: AT_ONCE - 1 }, () => 409)];

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function postAtOnce(path: string, as: Person, json?: object): Promise<number[]> {
  const now = Date.now();
  vi.spyOn(Date, "now").mockReturnValue(now);
  const send = () => sendRequest(`${API}${path}`, { as, method: "POST", ...(json && { json }) });
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, send));
  vi.restoreAllMocks();
  return answers.map(({ status }) => status).sort();
}

const countSuccesses = async (event: string, id: string) =>
  (await findEvents({ event, entity_id: id })).filter(({ outcome }) => outcome === "success").length;

it("an emergency access ends once", async () => {
  const { a, atA } = await newEmergencyScene();
  const id = await openInEmergency(a.doctor, atA.id);
  expect(await postAtOnce(`/emergency-access/${id}/end`, a.doctor)).toEqual(ONE_OF_THEM);
  expect(await countSuccesses("emergency_access.end", id)).toBe(1);
});

it("a request for erasure is approved once", async () => {
  const patient = await newPatient(world.hospitalId, world.nurse);
  const second = await secondManager(world.hospitalId);
  const id = (await readJson(await post(`/patients/${patient.id}/erasure`, world.manager, REASON))).data.erasure_id;
  expect(await postAtOnce(`/erasures/${id}/approve`, second)).toEqual(ONE_OF_THEM);
  expect(await countSuccesses("erasure.approve", id)).toBe(1);
  const row = await env.DB.prepare("SELECT active FROM patients WHERE id = ?").bind(patient.id).first();
  expect(row).toEqual({ active: 0 });
});

it("a guardianship is confirmed once and ended once", async () => {
  const guardian = await newPerson("patient");
  const patient = await newPatient(world.hospitalId, world.nurse);
  const id = await newGuardianship(patient.id, guardian.id);
  expect(await postAtOnce(`/guardianships/${id}/confirm`, world.nurse)).toEqual(ONE_OF_THEM);
  expect(await postAtOnce(`/guardianships/${id}/end`, world.nurse, { reason: "The court said so." })).toEqual(ONE_OF_THEM);
  for (const event of ["guardian.confirm", "guardian.end"]) expect(await countSuccesses(event, id)).toBe(1);
  expect((await listNotices(guardian.id)).sort()).toEqual(["guardianship.began", "guardianship.ended"]);
});
