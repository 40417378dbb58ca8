// Values whose unit is doubtful: shown as sent, told to staff at once, part of nothing, until somebody settles the unit.
import { beforeAll, describe, expect, it } from "vitest";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { API, env, newPatient, newWorld, type Patient, readJson, sendRequest, type World } from "../world.ts";

let world: World;
let patient: Patient;
beforeAll(async () => {
  world = await newWorld();
  patient = await newPatient(world.hospitalId, world.nurse);
  const headers = { "If-Match": '"1"' };
  const path = `${API}/patients/${patient.id}`;
  await sendRequest(path, { as: world.nurse, method: "PATCH", json: { monitoring: "home" }, headers });
});

const post = async (path: string, json: object) => readJson(await sendRequest(`${API}${path}`, { as: world.nurse, json }));
const sync = async (metrics: object, ago = 0) => {
  const timestamp = new Date(Date.now() - ago).toISOString();
  return (await post("/wearables/sync", { patient_id: patient.id, metrics: [{ timestamp, ...metrics }] })).data.results;
};
const snapshot = async () => {
  const found = await env.PATIENT_MONITOR.getByName(patient.id).snapshot();
  const of = (code: string) => found?.latest.filter((sample) => sample.code === code) ?? [];
  return {
    latest: of(CODES.glucose).map(({ value, unit, status }) => `${value} ${unit} ${status}`),
    alerts: found?.alerts ?? [],
  };
};
const alarms = async () => (await snapshot()).alerts.map(({ rule, priority, why }) => `${rule} ${priority}: ${why.text}`);

describe("glucose of a wearable", () => {
  it("by its old name and below 40 is neither converted nor compared with limits, and staff are alarmed at once", async () => {
    const [result] = await sync({ glucose: 14.2 });
    expect(result).toMatchObject({ status: "stored", note: "unit_suspect" });
    expect((await snapshot()).latest).toEqual(["14.2 {unknown} invalid"]);
    expect(await alarms()).toEqual(["unit medium: Check glucose in blood: unit unclear (sent: 14.2 without a unit)"]);
    const chart = await readJson(
      await sendRequest(`${API}/patients/${patient.id}/observations?code=${CODES.glucose}&buckets=10`, { as: world.nurse }),
    );
    expect(chart.data ?? []).toEqual([]);
    // Whoever settles the unit names it: the value counts from then on.
    const amend = (json: object) =>
      sendRequest(`${API}/observations/${result.observation_id}`, { as: world.nurse, method: "PATCH", json });
    const correction = { status: "amended", value: 14.2, reason: "Read off the meter" };
    expect((await amend(correction)).status).toBe(400);
    const { data } = await readJson(await amend({ ...correction, unit: "mmol/L" }));
    expect(data).toMatchObject({ value: 255.86, unit: "mg/dL", status: "amended" });
    expect(data.history).toMatchObject([{ value: 14.2, unit: "{unknown}" }]);
    expect((await snapshot()).latest).toEqual(["255.86 mg/dL amended"]);
    expect((await alarms()).map((text) => text.split(":")[0])).toEqual(["limit medium"]);
  });

  it("is told with its unit in the name, and a usable value ends the alarm", async () => {
    expect((await sync({ glucose_mmol_l: 5.5 }, 60_000))[0]).toMatchObject({ status: "stored", note: "unit_converted" });
    await sync({ glucose: 5.2 });
    expect((await alarms()).some((text) => text.startsWith("unit medium"))).toBe(true);
    expect((await sync({ glucose_mg_dl: 95 }))[0]).toMatchObject({ status: "stored" });
    expect((await alarms()).some((text) => text.startsWith("unit"))).toBe(false);
    // A real hypoglycaemia with its unit is one.
    await sync({ glucose_mg_dl: 33 });
    expect((await alarms()).some((text) => text.startsWith("limit high"))).toBe(true);
  });
});
