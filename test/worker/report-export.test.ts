// Reports as PDF and DOCX files, through the front door.
import { describe, expect, it } from "vitest";
import { MAX_BLOCKS } from "../../src/care/exports/document-model.ts";
import { renderDocument } from "../../src/care/exports/render.ts";
import type { DocumentRenderer } from "../../src/care/exports/renderer.ts";
import { type ExportedReport, reportModel } from "../../src/care/exports/report-model.ts";
import type { SignatureView } from "../../src/reports/written/content.ts";
import { documentModel } from "../document-models.ts";
import { API, env, findEvents, newPdf, newWorld, readJson, sendRequest, uploadReport, type World } from "../world.ts";

const PDF = "%PDF-1.7";

async function newReport(world: World, metrics = '{"heart_rate":71,"qt_interval_ms":388,"interpretation":"Sinus rhythm"}') {
  const response = await uploadReport(world.nurse, newPdf(), { patient_id: world.patient.id, metrics });
  const { data } = await readJson(response);
  return String(data.report_id);
}

const startOf = async (response: Response) => new TextDecoder("latin1").decode((await response.bytes()).subarray(0, 8));

describe("the export of a report", () => {
  it("is a PDF that no cache keeps, named by patient number and day", async () => {
    const world = await newWorld();
    const id = await newReport(world);
    const response = await sendRequest(`${API}/reports/${id}/export?format=pdf&language=hi`, { as: world.doctor });
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("application/pdf");
    expect(response.headers.get("Cache-Control")).toContain("no-store");
    expect(response.headers.get("Content-Disposition")).toMatch(/^attachment; filename="report-\d+-\d{4}-\d\d-\d\d\.pdf"/);
    expect(await startOf(response)).toBe(PDF);
  });

  it("is a DOCX", async () => {
    const world = await newWorld();
    const response = await sendRequest(`${API}/reports/${await newReport(world)}/export?format=docx`, { as: world.doctor });
    expect(response.headers.get("Content-Disposition")).toContain(".docx");
    expect((await startOf(response)).slice(0, 2)).toBe("PK");
  });

  it("is audited before it is made", async () => {
    const world = await newWorld();
    const id = await newReport(world);
    await sendRequest(`${API}/reports/${id}/export?format=pdf`, { as: world.doctor });
    const events = await findEvents({ event: "report.export", entity_id: id });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      action: "R",
      outcome: "success",
      detail: '{"format":"pdf"}',
      subjects: [world.patient.id],
    });
  });

  it("answers 400 for another format and 404 for an unknown report", async () => {
    const world = await newWorld();
    const id = await newReport(world);
    const statuses = await Promise.all(
      [
        `${id}/export?format=html`,
        `${id}/export`,
        `${id}/export?format=pdf&language=xx`,
        `${crypto.randomUUID()}/export?format=pdf`,
      ].map(async (path) => (await sendRequest(`${API}/reports/${path}`, { as: world.doctor })).status),
    );
    expect(statuses).toEqual([400, 400, 400, 404]);
  });

  it.each([
    ["fails", () => Promise.reject(new Error("no such service"))],
    [
      "throws at once",
      () => {
        throw new Error("no binding");
      },
    ],
  ])("answers 503 if the render Worker %s", async (_, render) => {
    const world = await newWorld();
    const id = await newReport(world);
    const broken = { ...env, RENDER: { render } } as unknown as Env;
    const response = await sendRequest(`${API}/reports/${id}/export?format=pdf`, { as: world.doctor, env: broken });
    expect(response.status).toBe(503);
    expect((await readJson(response)).code).toBe("render_unavailable");
  });

  it("is refused for more text than a document may have", async () => {
    const renderer = { render: () => Promise.reject(new Error("not asked")) } satisfies DocumentRenderer;
    const block = { type: "paragraph", text: "x" } as const;
    const many = documentModel({ blocks: Array.from({ length: MAX_BLOCKS + 1 }, () => block) });
    const long = documentModel({ blocks: [{ type: "paragraph", text: "x".repeat(1_048_576) }] });
    for (const model of [many, long])
      await expect(renderDocument(renderer, model, "pdf")).rejects.toMatchObject({ code: "export_too_large" });
  });
});

describe("the document of a report", () => {
  const source = (changes: Partial<ExportedReport> = {}): ExportedReport => ({
    language: "hi",
    hospital: { name: "City Hospital", address: null, phone: null, email: null, time_zone: "Asia/Kolkata" },
    patient: { number: 1042, name: "Asha Verma", date_of_birth: "1964-03-04", gender: "female" },
    report: {
      kind: "ecg",
      status: "preliminary",
      effective_at: "2026-11-30T04:45:00.000Z",
      created_at: "2026-11-30T04:46:00.000Z",
      file_name: "ecg.pdf",
      sha256: "ab",
      comment: null,
      confidence: 0.94,
      is_written: false,
    },
    metrics: { metrics: { heart_rate: 72, p_axis_deg: "--" }, metrics_text: null, metric_flags: [], metric_flags_omitted: 0 },
    qtc: null,
    content: null,
    signature: null,
    now: Date.parse("2026-11-30T05:00:00Z"),
    ...changes,
  });
  const signature = (changes: Partial<SignatureView> = {}): SignatureView => ({
    n: 1,
    status: "final",
    as_signed: true,
    reason: null,
    signed_at: "2026-11-30T04:50:00.000Z",
    signed_by: { user_id: "u", name: "Dr Rao", role: "doctor", registration_number: "MCI 12345" },
    sha256: "cd",
    file_sha256: null,
    statement: "",
    signature: "",
    kid: "k1",
    ...changes,
  });

  it("has times of the hospital, words of the language, values with units and what was not measured", () => {
    const text = JSON.stringify(reportModel(source()));
    expect(text).toContain("30 नवंबर 2026");
    expect(text).toContain("10:15");
    expect(text).toContain("72 /min");
    expect(text).toContain("नहीं मापा गया");
    expect(text).toContain("94 %");
    expect(text).toContain("निर्णय सहायता");
  });

  it("says that nobody signed it, and who did", () => {
    expect(reportModel(source())).toMatchObject({ signature: null, as_signed: null });
    const signed = reportModel(source({ language: "en", signature: signature() }));
    expect(signed.as_signed).toBe(true);
    expect(signed.signature?.lines.join("\n")).toMatch(/Dr Rao, doctor[\s\S]*MCI 12345[\s\S]*SHA-256 cd/);
    expect(signed.blocks.filter(({ type }) => type === "notice")).toEqual([]);
  });

  it.each(["bytes", "signature", "unreadable", "file"] as const)("warns twice if it is not as signed: %s", (reason) => {
    const model = reportModel(source({ language: "en", signature: signature({ as_signed: false, reason }) }));
    expect(model.as_signed).toBe(false);
    expect(model.signature?.title).toContain("NOT AS SIGNED");
    expect(model.blocks[0]).toMatchObject({ type: "notice", level: "warning" });
  });

  it("names no patient for a reader who may not know them", () => {
    const model = reportModel(source({ patient: { number: null, name: null, date_of_birth: null, gender: null } }));
    expect(JSON.stringify(model)).not.toMatch(/1042|Asha|1964/);
  });
});
