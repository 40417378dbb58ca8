// Who has accessed a record, by name, for the person whose record it is.
import { beforeAll, describe, expect, it } from "vitest";
import { API, env, link, newPerson, newWorld, type Person, readJson, sendRequest, type World } from "../world.ts";

let world: World;
let parent: Person;
beforeAll(async () => {
  world = await newWorld();
  parent = await newPerson("patient");
  await link(parent, world.patient);
  for (const as of [world.nurse, parent])
    expect((await sendRequest(`${API}/patients/${world.patient.id}`, { as })).status).toBe(200);
});

type Event = { actor: { id: string | null; role: string; name: string | null } };
const actorsOf = async (as: Person, of: Person): Promise<Event["actor"][]> => {
  const path = `${API}/audit-events?patient_id=${world.patient.id}&event=patient.read&limit=100`;
  const { data }: { data: Event[] } = await readJson(await sendRequest(path, { as }));
  return data.map(({ actor }) => actor).filter(({ id }) => id === of.id);
};
const nameOf = async (as: Person): Promise<string> =>
  (await readJson(await sendRequest(`${API}/auth/me`, { as }))).data.full_name;

describe("the log of a record", () => {
  it("names staff to the patient", async () => {
    const name = await nameOf(world.nurse);
    expect(name.length).toBeGreaterThan(0);
    expect(await actorsOf(world.self, world.nurse)).toEqual([{ kind: "user", id: world.nurse.id, role: "nurse", name }]);
  });

  it("names no other person of the record", async () => {
    expect(await actorsOf(world.self, parent)).toMatchObject([{ role: "patient", name: null }]);
  });

  it("names nobody to an administrator of the hospital, whose list of members does", async () => {
    expect(await actorsOf(world.manager, world.nurse)).toMatchObject([{ role: "nurse", name: null }]);
  });

  it("stays readable when a profile cannot be opened", async () => {
    await env.DB.prepare("UPDATE users SET profile_sealed = 's1.f1.x' WHERE id = ?").bind(world.nurse.id).run();
    expect(await actorsOf(world.self, world.nurse)).toMatchObject([{ role: "nurse", name: null }]);
  });
});
