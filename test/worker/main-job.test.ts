// The main job end to end: a device's PDF from upload to a doctor's signed download, and the audit log of it.
import { describe, expect, it } from "vitest";
import {
  API,
  newDevice,
  newPdf,
  newWorld,
  readAuditEvents,
  readJson,
  sendRequest,
  sha256,
  uploadRaw,
  uploadReport,
} from "../world.ts";

const METRICS = { heart_rate: 72, pr_interval_ms: 158, qrs_duration_ms: 96, vendor_key: { kept: true } };

describe("an ECG report", () => {
  it("travels from the device to the doctor, and leaves a trace of both", async () => {
    const world = await newWorld();
    const device = await newDevice(world.nurse, world.patient.id);
    const pdf = newPdf("ecg", 200_000);
    const sent = await uploadReport(device, pdf, {
      metrics: JSON.stringify(METRICS),
      confidence: "0.93",
      fileName: "मीना ECG.pdf",
    });
    expect(sent.status).toBe(201);
    const { data: created } = await readJson(sent);
    expect(created).toMatchObject({
      status: "preliminary",
      duplicate_of: null,
      file_url: `/api/v1/reports/${created.report_id}/file`,
    });

    const list = await readJson(await sendRequest(`${API}/reports`, { as: world.doctor }));
    expect(list.data).toHaveLength(1);
    expect(list.data[0]).toMatchObject({
      report_id: created.report_id,
      heart_rate: 72,
      sha256: await sha256(pdf),
      patient: { patient_id: world.patient.id, name: `First-${world.patient.canary} Last-${world.patient.canary}` },
    });
    expect(list.meta.pagination).toMatchObject({ total: 1, total_is_exact: true, has_more: false });

    const detail = await sendRequest(`${API}/reports/${created.report_id}`, { as: world.doctor });
    const { data: report } = await readJson(detail);
    expect(report.metrics).toEqual(METRICS);
    expect(report.file_name).toBe("मीना ECG.pdf");

    const file = await sendRequest(report.download_url);
    expect(file.status).toBe(200);
    expect(file.headers.get("content-type")).toBe("application/pdf");
    expect(Number(file.headers.get("content-length"))).toBe(pdf.length);
    expect(await sha256(new Uint8Array(await file.arrayBuffer()))).toBe(await sha256(pdf));

    const [uploaded] = await readAuditEvents(sent.headers.get("x-request-id") ?? "");
    expect(uploaded).toMatchObject({ event: "report.create", outcome: "success", basis: "device", subjects: [world.patient.id] });
    const [downloaded] = await readAuditEvents(file.headers.get("x-request-id") ?? "");
    expect(downloaded).toMatchObject({
      event: "report.download",
      actor_id: world.doctor.id,
      basis: "care_team",
      subjects: [world.patient.id],
    });
  });

  it("streams a raw upload of 3 MB and serves any range of it", async () => {
    const world = await newWorld();
    const pdf = newPdf("raw", 3_000_000);
    pdf.set(crypto.getRandomValues(new Uint8Array(60_000)), 70_000);
    const sent = await uploadRaw(world.nurse, pdf, `?patient_id=${world.patient.id}`);
    expect(sent.status).toBe(201);
    const { data } = await readJson(sent);
    for (const [from, to] of [
      [0, 0],
      [65_535, 65_536],
      [131_000, 400_000],
      [2_999_999, 2_999_999],
      [0, 2_999_999],
    ] as const) {
      const part = await sendRequest(`${API}/reports/${data.report_id}/file`, {
        as: world.doctor,
        headers: { Range: `bytes=${from}-${to}` },
      });
      expect(part.status).toBe(206);
      expect(part.headers.get("content-range")).toBe(`bytes ${from}-${to}/3000000`);
      expect(Buffer.compare(Buffer.from(await part.arrayBuffer()), Buffer.from(pdf.slice(from, to + 1)))).toBe(0);
    }
  });

  it("is not found by another hospital's doctor", async () => {
    const [world, other] = await Promise.all([newWorld(), newWorld("hospital")]);
    const { data } = await readJson(await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id }));
    for (const path of [`/reports/${data.report_id}`, `/reports/${data.report_id}/file`, `/patients/${world.patient.id}`]) {
      expect((await sendRequest(API + path, { as: other.doctor })).status).toBe(404);
    }
    expect((await readJson(await sendRequest(`${API}/reports`, { as: other.doctor }))).data).toEqual([]);
  });
});
