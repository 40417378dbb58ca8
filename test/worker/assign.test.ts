// The quarantine queue: listed, opened, assigned once or discarded once, only by its own hospital.
import { beforeAll, describe, expect, it } from "vitest";
import { runCleanup } from "../../src/cron.ts";
import { withRandomDelays, withStoreFault } from "../stores.ts";
import {
  API,
  env,
  findEvents,
  newDevice,
  newPatient,
  newPdf,
  newWorld,
  readAuditEvents,
  readJson,
  sendRequest,
  sha256,
  uploadRaw,
  uploadReport,
  type World,
} from "../world.ts";
import { listReferencedKeys, listReportIds, listStoredKeys, verifyEveryReport } from "./storage-evidence.ts";

let world: World;
let other: World;
let device: Awaited<ReturnType<typeof newDevice>>;
beforeAll(async () => {
  [world, other] = [await newWorld(), await newWorld()];
  device = await newDevice(world.nurse, null);
});

const METRICS = '{"heart_rate":71,"vendor":{"kept":true}}';
const about = { metrics: METRICS, session_type: "rest", confidence: "0.5", recorded_at: "2026-01-02T03:04:05Z" };

async function quarantined(pdf = newPdf(), fields: Record<string, string> = about): Promise<string> {
  const sent = await uploadReport(device, pdf, { fileName: "night.pdf", ...fields });
  expect(sent.status).toBe(202);
  return (await readJson(sent)).data.upload_id;
}

type As = { token: string };
const assign = (as: As, id: string, patient_id: string, more: object = {}, on = env) =>
  sendRequest(`${API}/uploads/${id}/assign`, { as, json: { patient_id, ...more }, env: on });
const discard = (as: As, id: string, on = env) =>
  sendRequest(`${API}/uploads/${id}/discard`, { as, json: { reason: "a test print" }, env: on });
const rowOf = (id: string) =>
  env.DB.prepare("SELECT outcome, file_key, report_id, patient_id FROM uploads WHERE id = ?")
    .bind(id)
    .first<Record<string, string | null>>();
const events = async (id: string, event: string) =>
  (await findEvents({ event })).filter(({ detail }) => detail?.includes(id)).length;
const trace = (response: Response) => readAuditEvents(response.headers.get("x-request-id") ?? "");
const statsOf = async (as: As) => (await readJson(await sendRequest(`${API}/reports/stats`, { as }))).data;

describe("the queue", () => {
  it("shows what is known, newest first, to nurses and administrators of the hospital", async () => {
    const pdf = newPdf();
    const [older, id] = [await quarantined(), await quarantined(pdf)];
    for (const as of [world.nurse, world.manager, world.admin]) {
      const { data, meta } = await readJson(await sendRequest(`${API}/uploads/quarantine?limit=2`, { as }));
      expect(data.map((item: { upload_id: string }) => item.upload_id)).toEqual([id, older]);
      expect(meta.pagination.total).toBeGreaterThanOrEqual(2);
      expect(data[0]).toMatchObject({
        outcome: "quarantined",
        reason: "not_found",
        kind: "ecg",
        device_id: device.id,
        file_name: "night.pdf",
        file_size: pdf.length,
        sha256: await sha256(pdf),
        metrics: METRICS,
        fields: { session_type: "rest", confidence: 0.5, recorded_at: about.recorded_at },
      });
    }
    expect((await readJson(await sendRequest(`${API}/uploads/quarantine`, { as: other.nurse }))).data).toEqual([]);
    for (const as of [world.doctor, world.self, device]) {
      expect((await sendRequest(`${API}/uploads/quarantine`, { as })).status).toBe(403);
    }
    const one = await sendRequest(`${API}/uploads/${id}`, { as: world.nurse });
    expect((await readJson(one)).data).toMatchObject({ upload_id: id, metrics: METRICS, discard_reason: null });
    expect(await trace(one)).toMatchObject([{ event: "upload.read", entity_id: id, hospital_id: world.hospitalId }]);
  });

  it("returns the bytes as an attachment, and records who downloaded them", async () => {
    const pdf = newPdf("night", 150_000);
    const id = await quarantined(pdf);
    const file = await sendRequest(`${API}/uploads/${id}/file`, { as: world.nurse });
    expect(file.status).toBe(200);
    expect(Object.fromEntries(file.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": expect.stringMatching(/^attachment; filename="night.pdf"/),
      "content-security-policy": "default-src 'none'; sandbox",
      "x-content-type-options": "nosniff",
      "cache-control": "private, no-store",
    });
    expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(await sha256(pdf));
    expect(await trace(file)).toMatchObject([{ event: "upload.download", actor_id: world.nurse.id, entity_id: id }]);
    const part = await sendRequest(`${API}/uploads/${id}/file`, { as: world.nurse, headers: { Range: "bytes=0-4" } });
    expect({ status: part.status, text: await part.text() }).toEqual({ status: 206, text: "%PDF-" });
    expect((await sendRequest(`${API}/uploads/${id}/file`, { as: other.nurse })).status).toBe(404);
    expect((await sendRequest(`${API}/uploads/${id}/file`, { as: world.doctor })).status).toBe(403);
  });

  it("keeps no second copy of what one machine sends again", async () => {
    const pdf = newPdf();
    const id = await quarantined(pdf);
    const objects = (await listStoredKeys()).length;
    for (const again of [await uploadReport(device, pdf), await uploadRaw(device, pdf)]) {
      expect({ status: again.status, id: (await readJson(again)).data.upload_id }).toEqual({ status: 202, id });
    }
    expect(await listStoredKeys()).toHaveLength(objects);
    const mine = await newDevice(world.nurse, null);
    expect((await readJson(await uploadReport(mine, pdf))).data.upload_id).not.toBe(id);
  });

  it("keeps one copy of what one machine sends 50 times at once", async () => {
    const [pdf, before] = [newPdf(), (await listStoredKeys()).length];
    const all = await Promise.all(
      Array.from({ length: 50 }, () => uploadReport(device, pdf, {}, { env: withRandomDelays(env) })),
    );
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([202]));
    const ids = await Promise.all(all.map(async (response) => (await readJson(response)).data.upload_id));
    expect(new Set(ids).size).toBe(1);
    expect(await listStoredKeys()).toHaveLength(before + 1);
  });
});

describe("an assignment", () => {
  it("makes the report that the upload would have been", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse, [world.doctor]);
    const pdf = newPdf("assigned", 90_000);
    const before = await statsOf(world.manager);
    const id = await quarantined(pdf);
    const assigned = await assign(world.nurse, id, patient.id);
    expect(assigned.status).toBe(201);
    expect((await readJson(assigned)).data).toMatchObject({ upload_id: id, report_id: id, duplicate_of: null });
    expect(await trace(assigned)).toMatchObject([
      { event: "upload.assign", actor_id: world.nurse.id, basis: "staff", entity_id: id, subjects: [patient.id] },
    ]);
    const { data } = await readJson(await sendRequest(`${API}/reports/${id}`, { as: world.doctor }));
    expect(data).toMatchObject({
      kind: "ecg",
      status: "preliminary",
      heart_rate: 71,
      metrics: JSON.parse(METRICS),
      session_type: "rest",
      confidence: 0.5,
      effective_at: "2026-01-02T03:04:05.000Z",
      file_name: "night.pdf",
      uploaded_by: { kind: "device", id: device.id },
      patient: { patient_id: patient.id },
    });
    const file = await sendRequest(`${API}/reports/${id}/file`, { as: world.doctor });
    expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(await sha256(pdf));
    const after = await statsOf(world.manager);
    expect(after).toMatchObject({ total: before.total + 1, recent_7_days: before.recent_7_days + 1 });
    expect(await rowOf(id)).toMatchObject({ outcome: "assigned", file_key: null, report_id: id, patient_id: patient.id });
    expect((await sendRequest(`${API}/uploads/${id}/file`, { as: world.nurse })).status).toBe(404);
    const { data: rest } = await readJson(await sendRequest(`${API}/uploads/quarantine?limit=100`, { as: world.nurse }));
    expect(rest.map((item: { upload_id: string }) => item.upload_id)).not.toContain(id);
  });

  it("again is the same report, for another patient a conflict", async () => {
    const id = await quarantined();
    expect((await assign(world.nurse, id, String(world.patient.number))).status).toBe(201);
    const again = await assign(world.manager, id, world.patient.id);
    expect(again.status).toBe(200);
    expect((await readJson(again)).data).toMatchObject({ report_id: id, duplicate_of: null });
    const refused = await assign(world.nurse, id, world.stranger.id);
    expect({ status: refused.status, code: (await readJson(refused)).code }).toEqual({ status: 409, code: "conflict" });
    expect(await trace(refused)).toMatchObject([{ event: "upload.settle", outcome: "failed", reason: "conflict" }]);
    expect((await discard(world.nurse, id)).status).toBe(409);
    expect(await events(id, "upload.assign")).toBe(1);
  });

  it("50 times at once, to two patients, makes one report", async () => {
    const patients = [await newPatient(world.hospitalId, world.nurse), await newPatient(world.hospitalId, world.nurse)];
    const id = await quarantined();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) => assign(world.nurse, id, patients[i % 2]?.id ?? "", {}, withRandomDelays(env))),
    );
    const by = Map.groupBy(all, ({ status }) => status);
    expect([...by.keys()].sort()).toEqual([200, 201, 409]);
    expect(by.get(201)).toHaveLength(1);
    expect(by.get(409)).toHaveLength(25);
    const made = (await Promise.all(patients.map((patient) => listReportIds(patient.id)))).flat();
    expect(made).toEqual([id]);
    expect(await events(id, "upload.assign")).toBe(1);
    expect((await runCleanup(env, Date.now() + 2 * 3_600_000)) ?? (await listStoredKeys()).sort()).toEqual(
      (await listReferencedKeys()).sort(),
    );
    await verifyEveryReport();
  });

  it("without the compare-and-set would make as many reports as there are nurses: the race is real", async () => {
    const id = await quarantined();
    let made = 0;
    const naive = async (on: Env) => {
      const row = await on.DB.prepare("SELECT outcome FROM uploads WHERE id = ?").bind(id).first("outcome");
      if (row !== "quarantined") return;
      await on.DB.prepare("UPDATE uploads SET outcome = 'assigned' WHERE id = ?").bind(id).run();
      made++;
    };
    await Promise.all(Array.from({ length: 50 }, () => naive(withRandomDelays(env))));
    expect(made).toBeGreaterThan(1);
  });

  it("of a file that the patient has ends at that report, and the copy goes", async () => {
    const pdf = newPdf();
    const { data: first } = await readJson(await uploadReport(world.nurse, pdf, { patient_id: world.patient.id }));
    const id = await quarantined(pdf);
    const key = (await rowOf(id))?.["file_key"] ?? "";
    const assigned = await assign(world.nurse, id, world.patient.id);
    expect(assigned.status).toBe(200);
    expect((await readJson(assigned)).data).toMatchObject({ report_id: first.report_id, duplicate_of: first.report_id });
    expect(await listStoredKeys()).not.toContain(key);
    expect((await assign(world.nurse, id, world.patient.id)).status).toBe(200);
    await runCleanup(env, Date.now());
    expect(await rowOf(id)).toMatchObject({ outcome: "assigned", file_key: null, report_id: first.report_id });
  });

  it("is for the hospital's own people, files and patients", async () => {
    const id = await quarantined();
    expect((await assign(other.nurse, id, other.patient.id)).status).toBe(404);
    expect((await discard(other.nurse, id)).status).toBe(404);
    expect((await sendRequest(`${API}/uploads/${id}`, { as: other.manager })).status).toBe(404);
    const abroad = await assign(world.nurse, id, other.patient.id);
    expect(abroad.status).toBe(404);
    expect(await trace(abroad)).toMatchObject([{ event: "access.denied", outcome: "denied", reason: "not_found" }]);
    expect((await assign(world.admin, id, other.patient.id)).status).toBe(404);
    for (const as of [world.doctor, world.self, device]) {
      expect((await assign(as, id, world.patient.id)).status).toBe(403);
      expect((await discard(as, id)).status).toBe(403);
    }
    expect(await rowOf(id)).toMatchObject({ outcome: "quarantined" });
    expect((await assign(world.admin, id, world.patient.id)).status).toBe(201);
  });

  it("keeps metrics as sent, flagged for the kind that is named, and checks the file", async () => {
    const metrics = '{"heart_rate":"fast","spo2_percent":196}';
    const id = await quarantined(newPdf(), { metrics });
    expect((await assign(world.nurse, id, world.patient.id, { kind: "oxygen" })).status).toBe(201);
    const report = (await readJson(await sendRequest(`${API}/reports/${id}`, { as: world.nurse }))).data;
    expect(report).toMatchObject({
      metrics: JSON.parse(metrics),
      metric_flags: [
        { name: "spo2_percent", code: "out_of_range" },
        { name: "heart_rate", code: "unknown" },
      ],
    });
    const corrupt = await quarantined(newPdf().slice(3));
    const refused = await assign(world.nurse, corrupt, world.patient.id);
    expect({ status: refused.status, detail: (await readJson(refused)).detail }).toEqual({
      status: 409,
      detail: "The file is not a PDF. It can only be discarded.",
    });
    expect((await discard(world.nurse, corrupt)).status).toBe(200);
  });

  it("files what a person has looked at, with a reason, though it is no proper PDF", async () => {
    const junk = new Uint8Array(Buffer.concat([Buffer.from("SCP-ECG 1.3 export\n"), newPdf()]));
    for (const file of [junk, newPdf("cut").slice(0, -8)]) {
      const id = await quarantined(file);
      const without = await assign(world.nurse, id, world.patient.id);
      expect([without.status, (await readJson(without)).errors]).toMatchObject([400, [{ path: "reason", code: "required" }]]);
      expect((await assign(world.nurse, id, world.patient.id, { reason: "Opened: an ECG of this patient" })).status).toBe(201);
      const stored = await sendRequest(`${API}/reports/${id}/file`, { as: world.nurse });
      expect(Buffer.from(await stored.arrayBuffer()).equals(Buffer.from(file))).toBe(true);
      const upload = (await readJson(await sendRequest(`${API}/uploads/${id}`, { as: world.nurse }))).data;
      expect(upload).toMatchObject({ outcome: "assigned", assign_reason: "Opened: an ECG of this patient" });
    }
  });

  it("needs a time for a file whose own is unclear, and then files it at that", async () => {
    const id = await quarantined(newPdf(), { recorded_at: "21/11/2026 09:30" });
    const listed = (await readJson(await sendRequest(`${API}/uploads/${id}`, { as: world.nurse }))).data;
    expect(listed).toMatchObject({ reason: "time_unclear", measured_at: null, fields: { recorded_at: "21/11/2026 09:30" } });
    for (const [time, code] of [
      [undefined, "required"],
      ["yesterday", "invalid_format"],
      ["2099-01-01T00:00:00Z", "in_the_future"],
    ]) {
      const refused = await assign(world.nurse, id, world.patient.id, { ...(time && { recorded_at: time }) });
      expect([refused.status, (await readJson(refused)).errors]).toMatchObject([400, [{ path: "recorded_at", code }]]);
    }
    const time = { recorded_at: "2026-11-21T09:30:00+05:30" };
    expect((await assign(world.nurse, id, world.patient.id, time)).status).toBe(201);
    const report = (await readJson(await sendRequest(`${API}/reports/${id}`, { as: world.nurse }))).data;
    expect(report.effective_at).toBe("2026-11-21T04:00:00.000Z");
  });
});

describe("a discarded upload", () => {
  it("keeps its log row and reason, and its bytes are deleted", async () => {
    const id = await quarantined();
    const key = (await rowOf(id))?.["file_key"] ?? "";
    const gone = await discard(world.nurse, id);
    expect((await readJson(gone)).data).toMatchObject({
      outcome: "discarded",
      discard_reason: "a test print",
      file_name: "night.pdf",
    });
    const traced = (await trace(gone)).toSorted((a, b) => a.event.length - b.event.length);
    expect(traced).toMatchObject([
      { event: "upload.discard", action: "D", actor_id: world.nurse.id },
      { event: "upload.discard_begin", action: "D", actor_id: world.nurse.id },
    ]);
    expect(JSON.stringify(await trace(gone))).not.toContain("test print");
    expect(await listStoredKeys()).not.toContain(key);
    expect((await sendRequest(`${API}/uploads/${id}/file`, { as: world.nurse })).status).toBe(404);
    expect((await assign(world.nurse, id, world.patient.id)).status).toBe(409);
    expect((await discard(world.manager, id)).status).toBe(200);
    expect(await events(id, "upload.discard")).toBe(0);
    const { data } = await readJson(await sendRequest(`${API}/uploads/${id}`, { as: world.nurse }));
    expect(data).toMatchObject({ outcome: "discarded", discard_reason: "a test print", metrics: METRICS });
  });

  it("whose bytes could not be deleted is finished by the sweep, however old it is", async () => {
    const id = await quarantined();
    const key = (await rowOf(id))?.["file_key"] ?? "";
    const faulty = withStoreFault(env, 1, "before", "FILES");
    expect((await discard(world.nurse, id, faulty.env)).status).toBe(503);
    expect(await rowOf(id)).toMatchObject({ outcome: "discarded", file_key: key });
    expect(await listStoredKeys()).toContain(key);
    await runCleanup(env, Date.now() + 40 * 86_400_000);
    expect(await listStoredKeys()).not.toContain(key);
    expect(await rowOf(id)).toMatchObject({ file_key: null });
  });

  it("races with its assignment: one of the two, never both", async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const id = await quarantined();
      const on = withRandomDelays(env);
      const [a, d] = await Promise.all([assign(world.nurse, id, world.patient.id, {}, on), discard(world.manager, id, on)]);
      const outcome = (await rowOf(id))?.["outcome"] ?? "";
      seen.add(outcome);
      expect([a.status, d.status]).toEqual(outcome === "assigned" ? [201, 409] : [409, 200]);
      expect((await listReportIds(world.patient.id)).includes(id)).toBe(outcome === "assigned");
    }
    await verifyEveryReport();
  });
});
