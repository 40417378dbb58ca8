// What a consent opens of lists: the list of one shared record has the rows of the granted kinds and times, its totals count them alone,
// and no list of a whole hospital has any.
import { beforeAll, describe, expect, it } from "vitest";
import { addToCareTeam } from "../authz.world.ts";
import { type ConsentScene, grantAsAsked, newConsentScene, postJson, revoke } from "../consent-scene.ts";
import { markInError, newText, uploadDocument } from "../document-files.ts";
import { API, findEvents, newPdf, type Person, readAuditEvents, readJson, sendRequest, uploadReport } from "../world.ts";

const FROM = "2026-01-01T00:00:00.000Z";
const UNTIL = "2026-06-30T23:59:59.999Z";
const BEFORE = "2025-12-31T23:59:59.999Z";
const AFTER = "2026-07-01T00:00:00.000Z";
const scope = (...kinds: string[]) => ({ kinds, data_from: FROM, data_until: UNTIL });

let scene: ConsentScene;
const reports: Record<string, string> = {};
const documents: Record<string, string> = {};

async function newReport(kind: string, recorded_at: string): Promise<string> {
  const sent = await uploadReport(scene.a.nurse, newPdf(), { patient_id: scene.atA.id, kind, recorded_at });
  expect(sent.status).toBe(201);
  return (await readJson(sent)).data.report_id;
}

async function newDocument(date: string): Promise<string> {
  const sent = await uploadDocument(scene.a.nurse, newText(), { patient_id: scene.atA.id, date });
  expect(sent.status).toBe(201);
  return (await readJson(sent)).data.document_id;
}

const list = (path: string, as: Person, query = `?patient_id=${scene.atA.id}`) => sendRequest(`${API}${path}${query}`, { as });
const idsOf = async (response: Response, member: string) => {
  expect(response.status).toBe(200);
  return (await readJson(response)).data.map((row: Record<string, string>) => row[member]);
};
const listReports = async (as: Person, query?: string) => idsOf(await list("/reports", as, query), "report_id");
const listDocuments = async (as: Person, query?: string) => idsOf(await list("/documents", as, query), "document_id");

beforeAll(async () => {
  scene = await newConsentScene();
  for (const [name, time] of Object.entries({ first: FROM, last: UNTIL, early: BEFORE, late: AFTER })) {
    reports[name] = await newReport("ecg", time);
    documents[name] = await newDocument(time);
  }
  reports.cpap = await newReport("cpap", FROM);
  documents.wrong = await newDocument(FROM);
  expect((await markInError(scene.a.nurse, documents.wrong)).status).toBe(200);
});

describe("the reports of a shared record", () => {
  it("are those of the granted kinds and times, and so are their total and pages", async () => {
    const { b } = scene;
    expect(await listReports(b.nurse)).toEqual([]);
    const consent = await grantAsAsked(scene, scope("report:ecg"));
    const response = await list("/reports", b.nurse);
    const { data, meta } = await readJson(response.clone());
    expect(data.map((row: { report_id: string }) => row.report_id).sort()).toEqual([reports.first, reports.last].sort());
    expect(meta.pagination).toMatchObject({ total: 2, total_is_exact: true });
    const [event] = await readAuditEvents(response.headers.get("x-request-id") ?? "");
    expect(event).toMatchObject({ event: "report.list", basis: "consent", purpose: "TREAT", hospital_id: scene.a.hospitalId });
    expect([event?.actor_hospital_id, event?.detail]).toEqual([b.hospitalId, expect.stringContaining(consent)]);
    const page = await readJson(await list("/reports", b.nurse, `?patient_id=${scene.atA.id}&limit=1`));
    const rest = await listReports(b.nurse, `?patient_id=${scene.atA.id}&limit=1&cursor=${page.meta.pagination.next_cursor}`);
    expect([...page.data.map((row: { report_id: string }) => row.report_id), ...rest].sort()).toEqual(
      [reports.first, reports.last].sort(),
    );
    for (const filter of ["kind=cpap", "status=entered-in-error", `from=${AFTER}&effective_from=${AFTER}`])
      expect([filter, await listReports(b.nurse, `?patient_id=${scene.atA.id}&${filter}`)]).toEqual([filter, []]);
    await revoke(scene, consent);
    expect(await listReports(b.nurse)).toEqual([]);
    expect((await readJson(await list("/reports", b.nurse))).meta.pagination.total).toBe(0);
  });

  it("are in no list or statistic of the hospital that reads them", async () => {
    const { b } = scene;
    const before = (await readJson(await list("/reports/stats", b.nurse, ""))).data.total;
    const consent = await grantAsAsked(scene, scope("report:ecg"));
    const shared = new Set(Object.values(reports));
    expect((await listReports(b.nurse, "?limit=100")).filter((id: string) => shared.has(id))).toEqual([]);
    expect((await readJson(await list("/reports/stats", b.nurse, ""))).data.total).toBe(before);
    expect((await listReports(b.nurse, `?hospital_id=${scene.a.hospitalId}`)).length).toBe(0);
    const withDocuments = await grantAsAsked(scene, scope("documents"));
    expect((await listDocuments(b.nurse, "?limit=100")).length).toBe(0);
    await revoke(scene, withDocuments);
    const found = await sendRequest(`${API}/patients/search?q=${scene.atA.number}`, { as: b.nurse });
    expect(JSON.stringify(await found.json())).not.toContain(scene.atA.id);
    await revoke(scene, consent);
  });

  it("are for doctors in the care team of the hospital's own record", async () => {
    const { b, atB } = scene;
    const consent = await grantAsAsked(scene, scope("report:ecg", "report:cpap"));
    expect(await listReports(b.doctor)).toEqual([]);
    await addToCareTeam(atB.id, b.doctor.id);
    expect((await listReports(b.doctor)).sort()).toEqual([reports.first, reports.last, reports.cpap].sort());
    await revoke(scene, consent);
  });

  it("count once where two consents cover them, and the holder's own list stays whole", async () => {
    const consents = [
      await grantAsAsked(scene, scope("report:ecg")),
      await grantAsAsked(scene, scope("report:ecg", "documents")),
    ];
    const { data, meta } = await readJson(await list("/reports", scene.b.nurse));
    expect([data.length, meta.pagination.total]).toEqual([2, 2]);
    const own = await readJson(await list("/reports", scene.a.nurse));
    expect([own.data.length, own.meta.pagination.total]).toEqual([5, 5]);
    const events = await findEvents({ event: "report.list", hospital_id: scene.a.hospitalId, actor_id: scene.a.nurse.id });
    expect(events.map(({ basis }) => basis)).not.toContain("consent");
    for (const consent of consents) await revoke(scene, consent);
  });
});

describe("the documents of a shared record", () => {
  it("are those of the granted times, never one entered in error, in list, detail and file", async () => {
    const { b } = scene;
    expect(await listDocuments(b.nurse)).toEqual([]);
    const consent = await grantAsAsked(scene, scope("documents"));
    expect((await listDocuments(b.nurse)).sort()).toEqual([documents.first, documents.last].sort());
    expect((await readJson(await list("/documents", b.nurse))).meta.pagination.total).toBe(2);
    for (const status of ["superseded", "entered-in-error"])
      expect(await listDocuments(b.nurse, `?patient_id=${scene.atA.id}&status=${status}`)).toEqual([]);
    const statusOf = async (id: string | undefined, path = "") =>
      (await sendRequest(`${API}/documents/${id}${path}`, { as: b.nurse })).status;
    for (const path of ["", "/file"]) {
      const { first, last, early, late, wrong } = documents;
      const statuses = await Promise.all([first, last, early, late, wrong].map((id) => statusOf(id, path)));
      expect([path, statuses]).toEqual([path, [200, 200, 404, 404, 404]]);
    }
    const { data } = await readJson(await postJson(`/documents/${documents.first}/link`, b.nurse));
    const { pathname, search } = new URL(data.download_url);
    expect((await sendRequest(pathname + search)).status).toBe(200);
    const change = { as: b.nurse, method: "DELETE", json: { reason: "A test of rights" }, headers: { "If-Match": "*" } };
    expect((await sendRequest(`${API}/documents/${documents.first}`, change)).status).toBe(404);
    await revoke(scene, consent);
    expect((await sendRequest(pathname + search)).status).toBe(404);
    expect(await statusOf(documents.first)).toBe(404);
    expect(await listDocuments(b.nurse)).toEqual([]);
  });
});

describe("the medical history of a shared record", () => {
  it("is the intake of the granted times", async () => {
    const { a, b, atA } = scene;
    const recorded = await postJson(`/patients/${atA.id}/intake`, a.nurse, { symptoms: ["cough"] });
    expect(recorded.status).toBe(201);
    const intake = () => sendRequest(`${API}/patients/${atA.id}/intake`, { as: b.nurse });
    expect((await intake()).status).toBe(404);
    const [past, present] = [
      await grantAsAsked(scene, { ...scope("medical_history"), data_until: "2026-02-01T00:00:00.000Z" }),
      await grantAsAsked(scene, { ...scope("medical_history"), data_until: "2099-01-01T00:00:00.000Z" }),
    ];
    expect((await readJson(await intake())).data.length).toBe(1);
    await revoke(scene, present);
    const { data, meta } = await readJson(await intake());
    expect([data, meta.pagination.total]).toEqual([[], 0]);
    await revoke(scene, past);
    expect((await intake()).status).toBe(404);
  });
});
