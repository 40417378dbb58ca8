// Device uploads without a patient are stored completely: file, metrics and fields, sealed.
import { expect, it } from "vitest";
import { getKeys } from "../../src/platform/config.ts";
import { unsealValue } from "../../src/platform/crypto.ts";
import { API, env, newDevice, newPdf, newWorld, readAuditEvents, readJson, sendRequest, uploadReport } from "../world.ts";

const fields = { metrics: '{"heart_rate":71}', session_type: "rest", confidence: "0.5", recorded_at: "2026-01-02T03:04:05Z" };

function whole(file_name: string) {
  const { metrics, ...about } = fields;
  return { file_name, metrics, about: { ...about, confidence: 0.5 } };
}

async function detailOf(uploadId: string): Promise<unknown> {
  const row = await env.DB.prepare("SELECT detail_sealed FROM uploads WHERE id = ?")
    .bind(uploadId)
    .first<{ detail_sealed: string }>();
  const keys = await getKeys(env);
  return unsealValue(keys.fields, { table: "uploads", column: "detail", id: uploadId }, row?.detail_sealed ?? "");
}

it("keeps the fields and metrics of a quarantined upload for whoever assigns it", async () => {
  const world = await newWorld();
  const device = await newDevice(world.nurse, null);
  const { data } = await readJson(await uploadReport(device, newPdf(), { ...fields, fileName: "night.pdf" }));
  expect(await detailOf(data.upload_id)).toEqual({ ...whole("night.pdf"), measured_at: Date.parse(fields.recorded_at) });

  // The same for an existing file: the report stays unchanged, and the new fields are not lost.
  const pdf = newPdf();
  const patient_id = world.patient.id;
  await uploadReport(world.nurse, pdf, { patient_id });
  const again = (await readJson(await uploadReport(world.nurse, pdf, { ...fields, patient_id }))).data;
  const kept = whole("ecg.pdf");
  expect(await detailOf(again.upload_id)).toEqual({ ...kept, about: { ...kept.about, patient_id } });
});

it("holds a device's reports and samples for a closed record, which people may still complete", async () => {
  const { nurse, patient } = await newWorld();
  const device = await newDevice(nurse, patient.id);
  const pdf = newPdf();
  const stored = (await readJson(await uploadReport(device, pdf))).data;
  const close = { method: "PATCH", json: { is_active: false, reason: "Registered twice" }, headers: { "If-Match": "*" } };
  expect((await sendRequest(`${API}/patients/${patient.id}`, { as: nurse, ...close })).status).toBe(200);
  const file = newPdf();
  const key = { headers: { "Idempotency-Key": `closed-${patient.id}` } };
  const ofToday = { ...fields, recorded_at: new Date().toISOString() };
  for (const sent of [await uploadReport(device, file, ofToday, key), await uploadReport(device, file, ofToday, key)]) {
    expect([sent.status, (await readJson(sent)).data]).toMatchObject([202, { status: "quarantined", reason: "record_closed" }]);
  }
  const again = (await readJson(await uploadReport(device, file))).data;
  expect(again).toMatchObject({ status: "quarantined", reason: "record_closed" });
  expect((await readJson(await uploadReport(device, pdf))).data).toMatchObject({ duplicate_of: stored.report_id });
  const sample = { code: "8867-4", value: 72, unit: "/min", effective_at: new Date().toISOString() };
  const samples = [sample, { ...sample, value: "x" }];
  const held = (await readJson(await sendRequest(`${API}/observations`, { as: device, json: { samples } }))).data;
  expect(held.results).toEqual([
    { index: 1, status: "rejected", reason: "value_not_a_number", message: expect.any(String) },
    { index: 0, status: "quarantined", reason: "record_closed", message: "Quarantined: the patient record is closed" },
  ]);
  const assigned = await sendRequest(`${API}/uploads/${again.upload_id}/assign`, { as: nurse, json: { patient_id: patient.id } });
  expect(assigned.status).toBe(201);
  expect((await uploadReport(nurse, newPdf(), { patient_id: patient.id })).status).toBe(201);
});

it("refuses a machine's time that lies days ahead, and metrics over 64 KiB, before anything is stored", async () => {
  const world = await newWorld();
  const patient_id = world.patient.id;
  expect((await uploadReport(world.nurse, newPdf(), { patient_id, recorded_at: "9999-12-31T23:59:59-23:00" })).status).toBe(400);
  expect((await uploadReport(world.nurse, newPdf(), { patient_id, metrics: `{"a":"${"x".repeat(65_536)}"}` })).status).toBe(413);
  expect((await uploadReport(world.nurse, newPdf(), { patient_id, recorded_at: new Date().toISOString() })).status).toBe(201);
});

it("writes nothing to a patient's log when a stranger's request for their audit log is denied", async () => {
  const [world, other] = [await newWorld(), await newWorld()];
  const subjects = async (response: Response) =>
    (await readAuditEvents(response.headers.get("x-request-id") ?? "")).flatMap((row) => row.subjects);
  const ask1 = (as: { token: string }) => sendRequest(`${API}/audit-events?patient_id=${world.patient.id}`, { as });
  for (const as of [other.self, other.manager]) {
    const answer = await ask1(as);
    expect((await readJson(answer)).data).toEqual([]);
    expect(await subjects(answer)).not.toContain(world.patient.id);
  }
  expect(await subjects(await ask1(world.self))).toEqual([world.patient.id]);
});

it("a device that sends a nurse's file again gets the duplicate without a link that it could not open", async () => {
  const world = await newWorld();
  const device = await newDevice(world.nurse, world.patient.id);
  const pdf = newPdf();
  const first = (await readJson(await uploadReport(world.nurse, pdf, { patient_id: world.patient.id }))).data;
  const again = await uploadReport(device, pdf);
  expect(again.status).toBe(200);
  expect((await readJson(again)).data).toMatchObject({ duplicate_of: first.report_id, cloud_url: null, file_url: null });
});

it("two registrations of one device with one key are one device, whichever comes first", async () => {
  const world = await newWorld();
  const json = { kind: "ecg", name: "Cart", serial_number: "SN-1" };
  const headers = { "Idempotency-Key": "register-cart-1" };
  const all = await Promise.all([1, 2, 3, 4].map(() => sendRequest(`${API}/devices`, { as: world.nurse, json, headers })));
  expect(all.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  const ids = await Promise.all(all.map(async (response) => (await readJson(response)).data.device_id));
  expect(new Set(ids).size).toBe(1);
});
