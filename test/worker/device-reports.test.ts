// What a device reads back: the reports that it sent, without the patient, also after it was assigned to somebody else; its scopes.
import { beforeEach, describe, expect, it } from "vitest";
import { deliverChanges } from "../../src/monitoring/patient-object/context/change-delivery.ts";
import { expectProblem } from "../token-forge.ts";
import { API, env, newDevice, newPdf, newWorld, readJson, sendRequest, uploadReport, type World } from "../world.ts";

let world: World;
let device: Awaited<ReturnType<typeof newDevice>>;
beforeEach(async () => {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id);
  const json = { date_of_birth: "1961-02-03", gender: "female" };
  const change = { as: world.nurse, method: "PATCH", json, headers: { "If-Match": '"1"' } };
  expect((await sendRequest(`${API}/patients/${world.patient.id}`, change)).status).toBe(200);
});

const pdf = newPdf("sent by a device");
const send = async () =>
  (await readJson(await uploadReport(device, pdf, { fileName: "cart 7.pdf", metrics: '{"heart_rate":71}' }))).data.report_id;
const assign = (patientId: string) =>
  sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id: patientId } });

async function expectOnlyWhatWasSent(id: string): Promise<void> {
  for (const path of [`reports/${id}`, `ecg/reports/${id}`]) {
    const response = await sendRequest(`${API}/${path}`, { as: device });
    expect(response.status).toBe(200);
    const text = await response.text();
    const { data } = JSON.parse(text);
    expect(Object.keys(data).sort()).toEqual([
      "confidence",
      "created_at",
      "download_expires_at",
      "download_url",
      "effective_at",
      "encounter_id",
      "file_name",
      "file_size",
      "file_url",
      "heart_rate",
      "kind",
      "metric_flags",
      "metric_flags_omitted",
      "metrics",
      "metrics_text",
      "report_id",
      "session_type",
      "sha256",
      "status",
      "uploaded_by",
      "version",
    ]);
    expect(data).toMatchObject({
      report_id: id,
      file_name: "cart 7.pdf",
      metrics: { heart_rate: 71 },
      status: "preliminary",
      uploaded_by: { kind: "device", id: device.id },
    });
    for (const { id: patientId, canary } of [world.patient, world.stranger])
      for (const word of [patientId, canary, "1961-02-03", "female", "gender", "patient"]) expect(text).not.toContain(word);
    expect(new Uint8Array(await (await sendRequest(data.download_url)).arrayBuffer())).toEqual(pdf);
  }
}

describe("a device", () => {
  it("reads back what it sent, without the patient, whomever it is assigned to", async () => {
    const id = await send();
    await expectOnlyWhatWasSent(id);
    expect((await assign(world.stranger.id)).status).toBe(201);
    await expectOnlyWhatWasSent(id);
    await sendRequest(`${API}/devices/${device.id}/assignments/current`, { as: world.nurse, method: "DELETE" });
    await expectOnlyWhatWasSent(id);
    const { data } = await readJson(await sendRequest(`${API}/reports/${id}`, { as: world.nurse }));
    expect(data.patient).toMatchObject({ patient_id: world.patient.id, gender: "female", date_of_birth: "1961-02-03" });
  });

  it("learns nothing of the patient to whom staff assign a file from quarantine", async () => {
    await sendRequest(`${API}/devices/${device.id}/assignments/current`, { as: world.nurse, method: "DELETE" });
    const sent = await uploadReport(device, pdf, { fileName: "cart 7.pdf", metrics: '{"heart_rate":71}' });
    expect(sent.status).toBe(202);
    const { upload_id } = (await readJson(sent)).data;
    const assigned = await sendRequest(`${API}/uploads/${upload_id}/assign`, {
      as: world.nurse,
      json: { patient_id: world.patient.id },
    });
    expect(assigned.status).toBeLessThan(300);
    await expectOnlyWhatWasSent((await readJson(assigned)).data.report_id);
  });

  it("reads no report of others, of the same patient or not", async () => {
    const other = await newDevice(world.nurse, world.patient.id);
    const { data } = await readJson(await uploadReport(other, newPdf()));
    const { data: ofPerson } = await readJson(await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id }));
    for (const { report_id } of [data, ofPerson])
      await expectProblem(await sendRequest(`${API}/reports/${report_id}`, { as: device }), 404, "not_found");
  });
});

describe("the scopes of a device", () => {
  const sample = () => ({ code: "8867-4", value: 72, unit: "/min", effective_at: new Date().toISOString() });
  const measure = () => sendRequest(`${API}/observations`, { as: device, json: sample() });
  const openStream = () => sendRequest(`${API}/observations/stream`, { as: device, headers: { Upgrade: "websocket" } });
  const setScopes = async (scopes: string) => {
    await env.DB.prepare("UPDATE credentials SET scopes = ? WHERE id = ?").bind(scopes, device.credentialId).run();
    while ((await deliverChanges(env)) > 0);
  };

  it("limit it, also where the patient's object already knows its credential", async () => {
    const id = await send();
    expect((await readJson(await measure())).data).toMatchObject({ stored: 1 });
    await setScopes("report:create");
    await expectProblem(await measure(), 403, "forbidden");
    await expectProblem(await openStream(), 403, "forbidden");
    expect((await uploadReport(device, newPdf())).status).toBe(201);
    await setScopes("observation:create");
    expect((await readJson(await measure())).data).toMatchObject({ stored: 1 });
    await expectProblem(await uploadReport(device, newPdf()), 403, "forbidden");
    for (const path of [`reports/${id}`, `reports/${id}/file`])
      await expectProblem(await sendRequest(`${API}/${path}`, { as: device }), 403, "forbidden");
    const held = env.DB.prepare("SELECT count(*) AS n FROM held_observations WHERE device_id = ?").bind(device.id);
    expect(await held.first<number>("n")).toBe(0);
  });
});
