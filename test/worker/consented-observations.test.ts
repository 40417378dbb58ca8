// What a consent opens of vital signs: samples of the granted times, and neither live values nor anything else.
import { beforeAll, describe, expect, it } from "vitest";
import { API, findEvents, link, newPatient, newPerson, newWorld, type Person, readJson, sendRequest } from "../world.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NOW = Date.now();
const iso = (at: number) => new Date(at).toISOString();
const [FROM, UNTIL] = [NOW - 3 * HOUR_MS, NOW - HOUR_MS];
const TIMES = [FROM - 1_000, FROM, NOW - 2 * HOUR_MS, UNTIL, UNTIL + 1_000];

async function newScene() {
  const [a, b] = [await newWorld(), await newWorld()];
  const person = await newPerson("patient");
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, patient);
  const samples = TIMES.map((at, i) => ({ code: "8867-4", value: 60 + i, unit: "/min", effective_at: iso(at) }));
  const sent = await sendRequest(`${API}/observations`, { as: a.nurse, json: { patient_id: atA.id, samples } });
  expect(sent.status).toBeLessThan(300);
  return { a, b, person, atA, atB };
}
let scene: Awaited<ReturnType<typeof newScene>>;
const post = (path: string, as: Person, json: object = {}) => sendRequest(`${API}${path}`, { as, method: "POST", json });
const history = (as: Person, query = "") => sendRequest(`${API}/patients/${scene.atA.id}/observations${query}`, { as });

async function grant(kinds: string[]): Promise<string> {
  const times = { data_from: iso(FROM), data_until: iso(UNTIL), expires_at: iso(NOW + DAY_MS) };
  const body = { patient_id: scene.atB.id, purpose: "PUBHLTH", kinds, ...times };
  const id = (await readJson(await post("/consents", scene.b.nurse, body))).data.consent_id;
  expect((await post(`/consents/${id}/grant`, scene.person, { patient_ids: [scene.atA.id] })).status).toBe(200);
  return id;
}

beforeAll(async () => {
  scene = await newScene();
});

describe("samples of another hospital", () => {
  it("are those of the granted times, whatever is asked for, until the consent ends", async () => {
    const { b, person } = scene;
    expect((await history(b.nurse)).status).toBe(404);
    const reports = await grant(["report:ecg"]);
    expect((await history(b.nurse)).status).toBe(404);
    const id = await grant(["observations"]);
    const valuesOf = async (query = "") =>
      (await readJson(await history(b.nurse, query))).data.map(({ value }: { value: number }) => value);
    expect(await valuesOf()).toEqual([63, 62, 61]);
    expect(await valuesOf(`?from=${iso(FROM - DAY_MS)}&to=${iso(NOW)}`)).toEqual([63, 62, 61]);
    expect(await valuesOf(`?from=${iso(FROM + 1)}&to=${iso(UNTIL - 1)}`)).toEqual([62]);
    expect((await history(b.nurse, `?from=${iso(UNTIL + 1)}`)).status).toBe(404);
    for (const path of ["/latest", "/rollups", "?buckets=10"])
      expect([path, (await history(b.nurse, path)).status]).toEqual([path, 404]);
    const [event] = await findEvents({ event: "observation.read", basis: "consent" });
    expect(event).toMatchObject({ hospital_id: scene.a.hospitalId, actor_hospital_id: b.hospitalId, purpose: "PUBHLTH" });
    expect(event?.detail).toContain(id);
    for (const consent of [reports, id]) expect((await post(`/consents/${consent}/revoke`, person)).status).toBe(200);
    expect((await history(b.nurse)).status).toBe(404);
  });
});
