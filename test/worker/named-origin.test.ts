// What a request names is honoured or refused: patients and devices of samples, conditions, encounters and repeated fields of reports.
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newDevice,
  newPdf,
  newWorld,
  readAuditEvents,
  readJson,
  sendRequest,
  sha256,
  uploadForm,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";

let world: World;
let other: World;
let device: Awaited<ReturnType<typeof newDevice>>;
beforeAll(async () => {
  [world, other] = [await newWorld(), await newWorld()];
});
beforeEach(async () => {
  device = await newDevice(world.nurse, world.patient.id);
});

type As = { token: string };
const A = () => world.patient.id;
const B = () => world.stranger.id;
const NOBODY = "0193a5b0-0000-7000-8000-00000000ffff";
let calls = 0;
/** A moment of its own, never before the device was assigned. */
const timestamp = () => new Date(Date.now() + ++calls).toISOString();
const sync = (as: As, more: object) =>
  sendRequest(`${API}/wearables/sync`, { as, json: { metrics: [{ timestamp: timestamp(), heart_rate: 71 }], ...more } });
const observe = (as: As, more: object, at = timestamp()) =>
  sendRequest(`${API}/observations`, { as, json: { code: "8867-4", value: 71, unit: "/min", effective_at: at, ...more } });
const move = async (patient_id: string) => {
  await sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id } });
  while ((await deliverChanges(env)) > 0);
};

describe("the device of samples", () => {
  it("is the sender itself, or assigned to the patient", async () => {
    const unbound = await newDevice(world.nurse, null);
    const elsewhere = await newDevice(world.nurse, B());
    const foreign = await newDevice(other.nurse, other.patient.id);
    expect((await readJson(await sync(device, { device_id: device.id }))).data).toMatchObject({ stored: 1, patient_id: A() });
    for (const as of [world.nurse, world.self]) {
      const synced = await sync(as, { patient_id: A(), device_id: device.id });
      expect((await readJson(synced.clone())).data).toMatchObject({ stored: 1 });
      const [event] = await readAuditEvents(synced.headers.get("x-request-id") ?? "");
      expect(JSON.parse(event?.detail ?? "{}")).toMatchObject({ device_id: device.id });
    }
    for (const device_id of [unbound.id, elsewhere.id, foreign.id, NOBODY, "watch-7"]) {
      await expectProblem(await sync(device, { device_id }), 404, "not_found");
      for (const as of [world.nurse, world.self])
        await expectProblem(await sync(as, { patient_id: A(), device_id }), 404, "not_found");
    }
  });
});

describe("the patient that a device names", () => {
  const HELD = { status: "quarantined", reason: "other_patient" };

  it("is its own, by id or number", async () => {
    for (const patient_id of [A(), String(world.patient.number)]) {
      expect((await readJson(await observe(device, { patient_id }))).data).toMatchObject({ stored: 1, patient_id: A() });
      expect((await readJson(await sync(device, { patient_id }))).data).toMatchObject({ stored: 1, patient_id: A() });
    }
    for (const patient_id of [B(), other.patient.id, NOBODY, String(world.stranger.number)]) {
      for (const held of [await observe(device, { patient_id }), await sync(device, { patient_id })])
        expect((await readJson(held)).data).toMatchObject({ patient_id: null, stored: 0, results: [HELD] });
    }
  });

  it("gets no samples of another patient's time, and no other patient gets them", async () => {
    expect((await readJson(await observe(device, {}))).data).toMatchObject({ stored: 1 });
    // The move may happen in this millisecond.
    const earlier = new Date(Date.now() - 1).toISOString();
    await move(B());
    const sent_at = new Date().toISOString();
    const samples = [{ code: "8867-4", value: 72, unit: "/min", effective_at: earlier }];
    const late = await sendRequest(`${API}/observations`, { as: device, json: { patient_id: B(), samples, sent_at } });
    expect((await readJson(late)).data).toMatchObject({ stored: 0, results: [HELD] });
    const stale = await observe(device, { patient_id: A() }, new Date().toISOString());
    expect((await readJson(stale)).data).toMatchObject({ stored: 0, results: [HELD] });
    expect((await readJson(await observe(device, { patient_id: B() }, new Date().toISOString()))).data).toMatchObject({
      stored: 1,
      patient_id: B(),
    });
  });
});

it("conditions of a person are refused", async () => {
  const samples = [{ code: "8867-4", value: 71, unit: "/min", effective_at: timestamp() }];
  const json = { patient_id: A(), samples, conditions: ["leads_off"] };
  await expectProblem(await sendRequest(`${API}/observations`, { as: world.nurse, json }), 400, "invalid_request");
});

describe("a report", () => {
  const UNKNOWN = [{ path: "encounter_id", message: "Unknown field", code: "unknown_field" }];

  it("names no encounter, since there are none", async () => {
    const [pdf, fields] = [newPdf(), { patient_id: A(), encounter_id: NOBODY }];
    const json = { ...fields, size: pdf.length, sha256: await sha256(pdf) };
    for (const refused of [
      await uploadReport(world.nurse, pdf, fields),
      await uploadRaw(world.nurse, pdf, `?patient_id=${A()}&encounter_id=${NOBODY}`),
      await sendRequest(`${API}/reports/direct`, { as: world.nurse, json }),
    ])
      expect([refused.status, (await readJson(refused)).errors]).toEqual([400, UNKNOWN]);
    const body = new FormData();
    body.append("file", new File([pdf], "a.pdf", { type: "application/pdf" }));
    body.append("items", JSON.stringify([fields]));
    const { data } = await readJson(await sendRequest(`${API}/reports/batch`, { as: world.nurse, body }));
    expect(data).toMatchObject([{ status: 400, errors: UNKNOWN }]);
  });

  it("says each field once: not in the form and in the query", async () => {
    const body = uploadForm(newPdf(), { patient_id: A() });
    const refused = await sendRequest(`${API}/reports?patient_id=${B()}`, { as: world.nurse, body });
    expect([refused.status, (await readJson(refused)).errors]).toMatchObject([400, [{ path: "patient_id", code: "repeated" }]]);
  });
});
