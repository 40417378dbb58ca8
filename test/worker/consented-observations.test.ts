// What a consent opens of vital signs: samples of the granted times, and neither live values nor anything else.
import { runDurableObjectAlarm } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { type ConsentScene, grantAsAsked, newConsentScene, revoke } from "../consent-scene.ts";
import { API, env, findEvents, type Person, readJson, sendRequest } from "../world.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const NOW = Date.now();
const iso = (at: number) => new Date(at).toISOString();
const [FROM, UNTIL] = [NOW - 3 * HOUR_MS, NOW - HOUR_MS];
const TIMES = [FROM - 1_000, FROM, NOW - 2 * HOUR_MS, UNTIL, UNTIL + 1_000];

let scene: ConsentScene;
const history = (as: Person, query = "") => sendRequest(`${API}/patients/${scene.atA.id}/observations${query}`, { as });
const grant = (kinds: string[]) =>
  grantAsAsked(scene, { kinds, data_from: iso(FROM), data_until: iso(UNTIL), purpose: "PUBHLTH" });

beforeAll(async () => {
  scene = await newConsentScene();
  const samples = TIMES.map((at, i) => ({ code: "8867-4", value: 60 + i, unit: "/min", effective_at: iso(at) }));
  const sent = await sendRequest(`${API}/observations`, { as: scene.a.nurse, json: { patient_id: scene.atA.id, samples } });
  expect(sent.status).toBeLessThan(300);
});

describe("samples of another hospital", () => {
  it("are those of the granted times, whatever is asked for, until the consent ends", async () => {
    const { b } = scene;
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
    const [event] = await findEvents({ event: "observation.read", basis: "consent" });
    expect(event).toMatchObject({ hospital_id: scene.a.hospitalId, actor_hospital_id: b.hospitalId, purpose: "PUBHLTH" });
    expect(event?.detail).toContain(id);
    for (const consent of [reports, id]) await revoke(scene, consent);
    expect((await history(b.nurse)).status).toBe(404);
  });

  it("are counted by charts within the granted times, and by hours that they cover whole", async () => {
    const read = async (path: string, as = scene.b.nurse) => {
      const response = await sendRequest(`${API}/patients/${scene.atA.id}${path}`, { as });
      return response.status === 200 ? (await readJson(response)).data : response.status;
    };
    const count = (rows: { n: number }[]) => rows.reduce((sum, { n }) => sum + n, 0);
    // Hours of the past are counted by the next alarm of the patient's object.
    const countOwn = async () => {
      await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(scene.atA.id));
      return count(await read("/observations/rollups", scene.a.nurse));
    };
    await expect.poll(countOwn, { timeout: 20_000 }).toBe(TIMES.length);
    expect([await read("/history?buckets=10"), await read("/observations/rollups")]).toEqual([404, 404]);
    const id = await grant(["observations"]);
    expect(count(await read(`/history?buckets=10&from=${iso(FROM - DAY_MS / 2)}`))).toBe(3);
    const hours = await read("/observations/rollups");
    const whole = { from: Math.ceil(FROM / HOUR_MS) * HOUR_MS, to: Math.floor((UNTIL + 1) / HOUR_MS) * HOUR_MS };
    const covered = TIMES.filter((at) => at >= whole.from && at < whole.to).length;
    expect(count(hours)).toBe(covered);
    const wide = await read(`/history?buckets=10&from=${iso(FROM - 10 * DAY_MS)}`);
    expect(count(wide)).toBe(covered);
    const outside = `from=${iso(UNTIL + 1)}&to=${iso(UNTIL + HOUR_MS)}`;
    expect([await read(`/history?buckets=10&${outside}`), await read(`/observations/rollups?${outside}`)]).toEqual([404, 404]);
    for (const path of ["/observations/latest", "/scores/news2"]) expect([path, await read(path)]).toEqual([path, 404]);
    await revoke(scene, id);
    expect([await read("/history?buckets=10"), await read("/observations/rollups")]).toEqual([404, 404]);
  });
});
