// Limits of patients' own devices: what ends their credentials, whose quota they use, what is refused, and what the patient's log says.
import { beforeAll, describe, expect, it } from "vitest";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { STORAGE_LIMITS } from "../../src/platform/storage-quotas.ts";
import { utcDayOf } from "../../src/platform/time.ts";
import { eventually } from "../eventually.ts";
import { expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  link,
  newDevice,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  type Patient,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uploadReport,
  type World,
} from "../world.ts";
import { createSample } from "./monitored-patient.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

type As = NonNullable<RequestOptions["as"]>;
const post = (path: string, as: As, json: object) => sendRequest(path, { as, json });
const created = async (response: Response) => {
  expect(response.status, await response.clone().text()).toBe(201);
  return (await readJson(response)).data;
};

async function newOwnDevice(as: As, patient: Patient) {
  const { device_id: id } = await created(
    await post(`${API}/devices`, as, { kind: "wearable", name: "Watch", patient_id: patient.id }),
  );
  const issued = await created(await post(`${API}/devices/${id}/credentials`, as, { name: "phone" }));
  while ((await deliverChanges(env)) > 0);
  return { id: String(id), credentialId: String(issued.credential_id), token: String(issued.token) };
}

async function newWearer() {
  const patient = await newPatient(world.hospitalId, world.nurse);
  const wearer = await newPerson("patient");
  await link(wearer, patient);
  return { patient, wearer, device: await newOwnDevice(wearer, patient) };
}

const sendSample = (as: As, more: object = {}) =>
  sendRequest(`${API}/observations`, { as, json: { samples: [createSample(72)], ...more } });

async function openStream(as: As) {
  const { webSocket: socket, status } = await sendRequest(`${API}/observations/stream`, {
    as,
    headers: { Upgrade: "websocket" },
  });
  if (!socket) throw new Error(`no socket but ${status}`);
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  socket.accept();
  return { closed };
}

describe("the credentials of an own device", () => {
  const endings = {
    "is unlinked": (patient: Patient, id: string) =>
      sendRequest(`${API}/patients/${patient.id}/links/${id}`, { as: world.nurse, method: "DELETE" }),
    "is removed": (_: Patient, id: string) => sendRequest(`${API}/users/${id}`, { as: world.admin, method: "DELETE" }),
    "is deactivated": (_: Patient, id: string) =>
      sendRequest(`${API}/users/${id}`, {
        as: world.admin,
        method: "PATCH",
        headers: { "If-Match": "*" },
        json: { is_active: false },
      }),
  };

  it.each(Object.entries(endings))("end when their issuer %s, with open sockets, and nobody else's", async (_, end) => {
    const { patient, wearer, device } = await newWearer();
    const relative = await newPerson("patient");
    await link(relative, patient);
    const another = await newOwnDevice(relative, patient);
    // The patient's object knows both, so that later samples take its fast path.
    for (const as of [device, another]) expect((await readJson(await sendSample(as))).data.results[0].status).toBe("stored");
    expect((await uploadReport(device, newPdf())).status).toBe(201);
    const { closed } = await openStream(device);
    expect((await end(patient, wearer.id)).status).toBe(200);
    // After the response, for an account.
    await eventually(async () => expect((await sendSample(device)).status).toBe(401));
    await expectProblem(await uploadReport(device, newPdf()), 401, "unauthenticated");
    await expectProblem(await sendRequest(`${API}/reports`, { as: device }), 401, "unauthenticated");
    expect(await closed).toBe(4403);
    expect((await sendSample(another)).status).toBe(200);
    expect((await sendSample(await newDevice(world.nurse, patient.id))).status).toBe(200);
  });

  it("of another record stay when their issuer is unlinked from one", async () => {
    const { patient, wearer, device } = await newWearer();
    const second = await newPatient(world.hospitalId, world.nurse);
    await link(wearer, second);
    const kept = await newOwnDevice(wearer, second);
    expect((await endings["is unlinked"](patient, wearer.id)).status).toBe(200);
    expect((await sendSample(kept)).status).toBe(200);
    await expectProblem(await sendSample(device), 401, "unauthenticated");
  });
});

describe("staff and a patient's own device", () => {
  it("neither issue credentials or claim codes of it nor unassign it, and the patient's log says that they tried", async () => {
    const { patient, device } = await newWearer();
    const path = `${API}/devices/${device.id}`;
    for (const as of [world.nurse, world.manager, world.admin]) {
      for (const response of [
        await post(`${path}/credentials`, as, { name: "mine" }),
        await sendRequest(`${path}/claim-code`, { as, method: "POST" }),
        await sendRequest(`${path}/assignments/current`, { as, method: "DELETE" }),
      ]) {
        const [event] = await readAuditEvents(response.headers.get("x-request-id") ?? "");
        await expectProblem(response, 403, "forbidden");
        expect(event).toMatchObject({ event: "access.denied", subjects: [patient.id] });
      }
    }
    expect((await sendSample(device)).status).toBe(200);
  });

  it("leave an event in the patient's log with each request, also after the device was removed", async () => {
    const { patient, wearer, device } = await newWearer();
    const path = `${API}/devices/${device.id}`;
    const staff = { as: world.nurse };
    const ifMatch = (version: number) => ({ "If-Match": `"${version}"` });
    const subjectsOf = async (response: Response) => {
      expect(response.status, await response.clone().text()).toBe(200);
      return (await readAuditEvents(response.headers.get("x-request-id") ?? "")).map(({ subjects }) => subjects);
    };
    const requests = (version: number) => [
      () => sendRequest(path, staff),
      () => sendRequest(`${path}/credentials`, staff),
      () => sendRequest(`${path}/assignments`, staff),
      () => sendRequest(path, { ...staff, method: "PATCH", json: { name: "Renamed" }, headers: ifMatch(version) }),
    ];
    for (const request of requests(1)) expect(await subjectsOf(await request())).toEqual([[patient.id]]);
    const remove = await sendRequest(path, { as: wearer, method: "DELETE", headers: ifMatch(2) });
    expect(await subjectsOf(remove)).toEqual([[patient.id]]);
    for (const request of requests(3)) expect(await subjectsOf(await request())).toEqual([[patient.id]]);
    const [listed] = await subjectsOf(await sendRequest(`${API}/devices?limit=100`, staff));
    expect(listed).toContain(patient.id);
    const revoke = { ...staff, method: "DELETE" };
    expect(await subjectsOf(await sendRequest(`${path}/credentials/${device.credentialId}`, revoke))).toEqual([[patient.id]]);
  });
});

describe("what an own device stores", () => {
  const day = utcDayOf(Date.now());
  const counter = (scope: string, name: string, period = day) =>
    env.DB.prepare("SELECT n FROM counters WHERE scope = ? AND day = ? AND name = ?")
      .bind(scope, period, name)
      .first<number>("n");
  const fill = (scope: string, name: string, period: number, n: number) =>
    env.DB.prepare(
      "INSERT INTO counters (scope, day, name, n) VALUES (?, CAST(? AS INTEGER), ?, CAST(? AS INTEGER)) ON CONFLICT DO UPDATE SET n = excluded.n",
    )
      .bind(scope, period, name, n)
      .run();

  it("counts against one quota of the record, that of a patient, also for a device that is registered anew", async () => {
    const { patient, wearer, device } = await newWearer();
    expect((await uploadReport(device, newPdf())).status).toBe(201);
    const subject = `r:${patient.id}`;
    expect(await counter(`quota-day:${subject}`, "files")).toBeGreaterThan(0);
    expect(await counter(`quota:m:${device.id}`, "files", 0)).toBeNull();
    const fills = [
      {
        scope: `quota-day:${subject}`,
        name: "records",
        period: day,
        most: STORAGE_LIMITS.patient.records.day,
        code: "quota_exceeded",
      },
      {
        scope: `quota-day:${subject}`,
        name: "files",
        period: day,
        most: STORAGE_LIMITS.patient.files.day,
        code: "quota_exceeded",
      },
      { scope: `quota:${subject}`, name: "records", period: 0, most: STORAGE_LIMITS.patient.records.total, code: "storage_full" },
    ] as const;
    const gone = await sendRequest(`${API}/devices/${device.id}`, {
      as: wearer,
      method: "DELETE",
      headers: { "If-Match": '"1"' },
    });
    expect(gone.status).toBe(200);
    const anew = await newOwnDevice(wearer, patient);
    for (const { scope, name, period, most, code } of fills) {
      await fill(scope, name, period, most);
      await expectProblem(await uploadReport(anew, newPdf()), code === "storage_full" ? 409 : 429, code);
      await fill(scope, name, period, 0);
    }
    expect((await uploadReport(anew, newPdf())).status).toBe(201);
    // A device of the hospital has its own quota, and the higher one.
    const cart = await newDevice(world.nurse, patient.id, "ecg");
    await fill(`quota-day:m:${cart.id}`, "records", day, STORAGE_LIMITS.patient.records.day);
    expect((await uploadReport(cart, newPdf())).status).toBe(201);
  });

  it("is never put into the hospital's quarantine", async () => {
    const { patient, device } = await newWearer();
    const stranger = await newPatient(world.hospitalId, world.nurse);
    const notPdf = new Uint8Array([...new TextEncoder().encode("no PDF at all, only text")]);
    await expectProblem(await sendSample(device, { patient_id: stranger.id }), 404, "not_found");
    await expectProblem(await uploadReport(device, notPdf), 415, "not_pdf");
    await expectProblem(await uploadReport(device, newPdf(), { patient_id: stranger.id }), 404, "not_found");
    const before = new Date(Date.now() - 5 * 86_400_000).toISOString();
    await expectProblem(await uploadReport(device, newPdf(), { recorded_at: before }), 404, "not_found");
    await expectProblem(await uploadReport(device, newPdf(), { recorded_at: "yesterday" }), 400, "invalid_request");
    const rejected = [{ status: "rejected", reason: "not_bound_then" }];
    const early = await sendRequest(`${API}/observations`, { as: device, json: { samples: [createSample(71, 86_400_000)] } });
    expect((await readJson(early)).data.results).toMatchObject(rejected);
    const shared = newPdf();
    expect((await uploadReport(world.nurse, shared, { patient_id: stranger.id })).status).toBe(201);
    await expectProblem(await uploadReport(device, shared), 404, "not_found");
    // A device that staff unassigned before they no longer could, and a closed record.
    const end = (at: number | null) =>
      env.DB.prepare("UPDATE device_assignments SET ended_at = ? WHERE device_id = ?").bind(at, device.id).run();
    await end(Date.now());
    while ((await deliverChanges(env)) > 0);
    expect((await readJson(await sendSample(device))).data.results).toMatchObject(rejected);
    await expectProblem(await uploadReport(device, newPdf()), 404, "not_found");
    await end(null);
    await env.DB.prepare("UPDATE patients SET active = 0 WHERE id = ?").bind(patient.id).run();
    while ((await deliverChanges(env)) > 0);
    await expectProblem(await sendSample(device), 409, "conflict");
    await expectProblem(await uploadReport(device, newPdf()), 404, "not_found");
    const held = await env.DB.prepare("SELECT count(*) AS n FROM held_observations WHERE device_id = ?")
      .bind(device.id)
      .first("n");
    const files = await env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE outcome = 'quarantined' AND actor_id = ?")
      .bind(device.credentialId)
      .first("n");
    expect([held, files]).toEqual([0, 0]);
  });
});

describe("the name of a device", () => {
  it.each(["\u200b", "a\u202eb", "a\nb", "\u3164"])("is not %j", async (name) => {
    const { wearer } = await newWearer();
    for (const as of [wearer, world.nurse])
      await expectProblem(await post(`${API}/devices`, as, { kind: "wearable", name }), 400, "invalid_request");
    const { device } = await newWearer();
    const path = `${API}/devices/${device.id}`;
    const ifMatch = { "If-Match": '"1"' };
    const renamed = await sendRequest(path, { as: world.nurse, method: "PATCH", json: { name }, headers: ifMatch });
    await expectProblem(renamed, 400, "invalid_request");
  });
});
