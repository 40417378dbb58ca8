// Patients register their own devices, send with them, see and remove them; staff of the record's hospital see them as the patient's own.
import { beforeAll, describe, expect, it } from "vitest";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newDevice,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  type World,
} from "../world.ts";

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = [await newWorld(), await newWorld()];
});

type As = NonNullable<RequestOptions["as"]>;
const DEVICES = `${API}/wearables/devices`;
const post = (path: string, as: As, json: object) => sendRequest(path, { as, json });
const get = async (path: string, as: As) => readJson(await sendRequest(path, { as }));
const watch = (more: object = {}) => ({ kind: "wearable", name: "Watch", ...more });
const newWearer = async () => {
  const patient = await newPatient(world.hospitalId, world.nurse);
  const wearer = await newPerson("patient");
  await link(wearer, patient);
  return { patient, wearer };
};
const register = async (as: As, more: object = {}) => {
  const response = await post(DEVICES, as, watch(more));
  expect(response.status, await response.clone().text()).toBe(201);
  return { response, device: (await readJson(response)).data };
};
const change = (path: string, as: Person, method: string, json?: object, version = 1) =>
  sendRequest(path, { as, method, headers: { "If-Match": `"${version}"` }, ...(json && { json }) });
const reading = () => ({ metrics: [{ timestamp: new Date().toISOString(), heart_rate: 72 }] });
const idsOf = (list: { device_id: string }[]) => list.map(({ device_id }) => device_id);

describe("a self-registered patient", () => {
  it("registers a watch, syncs, sees it and its samples, and removes it", async () => {
    const account = { email: `${uniqueText()}@example.org`, password: "seven wide rivers 42", full_name: "Meera Iyer" };
    const { data: me } = await readJson(await sendRequest(`${API}/auth/register/patient`, { json: account }));
    const as = me.access_token;
    const { device } = await register(as);
    expect(device).toMatchObject({ patient_id: me.patient_id, is_patient_owned: true, is_active: true, last_synced_at: null });
    const synced = await readJson(await post(`${API}/wearables/sync`, as, { device_id: device.device_id, ...reading() }));
    expect(synced.data).toMatchObject({ patient_id: me.patient_id, stored: 1 });
    const { data: list } = await get(DEVICES, as);
    expect(list).toMatchObject([{ device_id: device.device_id, last_synced_at: expect.any(String) }]);
    expect((await get(`${API}/wearables/metrics/recent`, as)).data).toMatchObject([{ value: 72 }]);
    const path = `${DEVICES}/${device.device_id}`;
    const removed = await sendRequest(path, { as, method: "DELETE", headers: { "If-Match": '"1"' } });
    expect(removed.status).toBe(200);
    await expectProblem(await post(`${API}/wearables/sync`, as, { device_id: device.device_id, ...reading() }), 404, "not_found");
    expect((await get(`${DEVICES}?active=true`, as)).data).toEqual([]);
  });
});

describe("a patient of a hospital", () => {
  it("has the device's credential once, and the device sends by itself", async () => {
    const { patient, wearer } = await newWearer();
    const { device, response } = await register(wearer, { serial_number: "W-1" });
    const [event] = await readAuditEvents(response.headers.get("x-request-id") ?? "");
    expect(event).toMatchObject({ event: "device.create", basis: "self", subjects: [patient.id] });
    const issued = await post(`${DEVICES}/${device.device_id}/credentials`, wearer, { name: "phone" });
    const { data: credential } = await readJson(issued);
    expect(credential.token).toMatch(/^ecd_/);
    while ((await deliverChanges(env)) > 0);
    const sent = await readJson(await post(`${API}/wearables/sync`, { token: credential.token }, reading()));
    expect(sent.data).toMatchObject({ patient_id: patient.id, stored: 1 });
    const { data: credentials } = await get(`${DEVICES}/${device.device_id}/credentials`, wearer);
    expect(credentials).toMatchObject([{ credential_id: credential.credential_id }]);
    expect(JSON.stringify(credentials)).not.toContain(credential.token);
    const revoke = `${DEVICES}/${device.device_id}/credentials/${credential.credential_id}`;
    expect((await sendRequest(revoke, { as: wearer, method: "DELETE" })).status).toBe(200);
    await expectProblem(await post(`${API}/wearables/sync`, { token: credential.token }, reading()), 401, "unauthenticated");
  });

  it("renames it, and a removed one is not revived", async () => {
    const { wearer } = await newWearer();
    const path = `${DEVICES}/${(await register(wearer)).device.device_id}`;
    expect((await readJson(await change(path, wearer, "PATCH", { name: "Left wrist" }))).data).toMatchObject({
      name: "Left wrist",
    });
    expect((await change(path, wearer, "DELETE", undefined, 2)).status).toBe(200);
    for (const as of [wearer, world.nurse])
      await expectProblem(await change(path, as, "PATCH", { is_active: true }, 3), 409, "conflict");
  });

  it("repeats a request without a second device", async () => {
    const { wearer } = await newWearer();
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const send = () => sendRequest(DEVICES, { as: wearer, json: watch(), headers });
    const ids = [(await readJson(await send())).data.device_id, (await readJson(await send())).data.device_id];
    expect(ids[0]).toBe(ids[1]);
    expect((await get(DEVICES, wearer)).data).toHaveLength(1);
  });

  it("registers no device of a ward, none for another hospital or record, and takes none of the hospital's", async () => {
    const { patient, wearer } = await newWearer();
    for (const kind of ["bedside_monitor", "gateway"])
      await expectProblem(await post(DEVICES, wearer, watch({ kind })), 400, "invalid_request");
    await expectProblem(await post(DEVICES, wearer, watch({ hospital_id: world.hospitalId })), 400, "invalid_request");
    await expectProblem(await post(DEVICES, wearer, watch({ patient_id: world.stranger.id })), 404, "not_found");
    await expectProblem(await post(DEVICES, world.nurse, watch({ patient_id: patient.id })), 400, "invalid_request");
    await expectProblem(await post(DEVICES, await newPerson("patient"), watch()), 404, "not_found");
    const ofHospital = await newDevice(world.nurse, patient.id, "wearable");
    const path = `${DEVICES}/${ofHospital.id}`;
    await expectProblem(await sendRequest(path, { as: wearer }), 404, "not_found");
    await expectProblem(await change(path, wearer, "DELETE"), 404, "not_found");
    await expectProblem(await post(`${path}/credentials`, wearer, { name: "mine" }), 404, "not_found");
    await expectProblem(await post(`${path}/assignments`, wearer, { patient_id: patient.id }), 403, "forbidden");
    await expectProblem(await sendRequest(`${path}/claim-code`, { as: wearer, method: "POST" }), 403, "forbidden");
    expect((await get(DEVICES, wearer)).data).toEqual([]);
  });

  it("with two records names one", async () => {
    const { wearer } = await newWearer();
    await link(wearer, other.patient);
    await expectProblem(await post(DEVICES, wearer, watch()), 409, "patient_ambiguous");
    const { device } = await register(wearer, { patient_id: other.patient.id });
    expect(device).toMatchObject({ patient_id: other.patient.id, hospital_id: other.hospitalId });
  });

  it("learns nothing of others by a serial number", async () => {
    const [first, second] = [await newWearer(), await newWearer()];
    const serial_number = `SN-${uniqueText()}`;
    await register(first.wearer, { serial_number });
    await register(second.wearer, { serial_number });
    expect((await post(DEVICES, world.nurse, watch({ serial_number }))).status).toBe(201);
  });
});

describe("staff", () => {
  it("see the device as the patient's own where they see the patient, and assign it to nobody else", async () => {
    const { patient, wearer } = await newWearer();
    const { device } = await register(wearer, { name: "Asha's watch" });
    const id: string = device.device_id;
    const path = `${API}/devices/${id}`;
    expect((await get(path, world.nurse)).data).toMatchObject({ is_patient_owned: true, patient_id: patient.id });
    expect(idsOf((await get(`${API}/devices?patient_id=${patient.id}`, world.nurse)).data)).toEqual([id]);
    for (const as of [other.nurse, world.self, world.doctor])
      await expectProblem(await sendRequest(path, { as }), 404, "not_found");
    expect(idsOf((await get(`${API}/devices?limit=100`, world.doctor)).data)).not.toContain(id);
    const team = `${API}/patients/${patient.id}/care-team/${world.doctor.id}`;
    expect((await sendRequest(team, { as: world.nurse, method: "PUT" })).status).toBe(200);
    expect((await get(path, world.doctor)).data).toMatchObject({ device_id: id });
    await expectProblem(await post(`${path}/assignments`, world.nurse, { patient_id: world.patient.id }), 404, "not_found");
    expect((await post(`${path}/assignments`, world.nurse, { patient_id: patient.id })).status).toBe(201);
  });
});
