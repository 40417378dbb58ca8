// Budgets of reports, the upload log and uploads.
import { API, env, newPdf, readJson, sendRequest, sha256, uploadRaw, uploadReport } from "../world.ts";
import {
  admin,
  type BudgetCase,
  budget,
  device,
  doctor,
  getAs,
  link,
  nurse,
  REPLAYED,
  reportId,
  storedPdf,
  unbound,
  withNewKey,
  world,
} from "./budgets-world.ts";

const about = () => ({ patient_id: world.patient.id, metrics: '{"heart_rate":70}', confidence: "0.9" });
const begun = () => ({
  as: world.nurse,
  json: { patient_id: world.patient.id, size: 1000, sha256: "0".repeat(64) },
});

async function newQuarantined(): Promise<string> {
  return (await readJson(await uploadReport(unbound, newPdf(), { metrics: '{"heart_rate":70}' }))).data.upload_id;
}

async function newReport(): Promise<string> {
  return (await readJson(await uploadReport(world.nurse, newPdf(), about()))).data.report_id;
}
const change = (json: object) => ({ as: world.nurse, json, headers: { "If-Match": '"1"' } });

/** Lists show a page of 20 out of 41 reports. */
export const reports: BudgetCase[] = [
  ["GET /reports (nurse)", "read", 200, budget(1, 155, 0), getAs("/reports", nurse)],
  ["GET /reports (doctor)", "read", 200, budget(1, 185, 0), getAs("/reports", doctor)],
  ["GET /reports (admin)", "read", 200, budget(1, 150, 0), getAs("/reports", admin)],
  ["GET /reports?kind=ecg", "read", 200, budget(1, 155, 0), getAs("/reports?kind=ecg", nurse)],
  ["GET /reports?heart_rate_min=60", "read", 200, budget(1, 200, 0), getAs("/reports?heart_rate_min=60", nurse)],
  ["GET /reports/{id}", "read", 200, budget(1, 15, 0, "get"), (e) => getAs(`/reports/${reportId}`, doctor)(e)],
  ["GET /reports/{id}/file", "read", 200, budget(1, 15, 0, "get"), (e) => getAs(`/reports/${reportId}/file`, doctor)(e)],
  ["GET /reports/{id}/file?link", "read", 200, budget(1, 16, 0, "get"), (e) => sendRequest(link, { env: e })],
  ["GET /reports/stats", "read", 200, budget(1, 40, 0), getAs("/reports/stats", nurse)],
  ["GET /reports/stats (doctor)", "read", 200, budget(1, 42, 0), getAs("/reports/stats", doctor)],
  [
    "PATCH /reports/{id}",
    "write",
    200,
    budget(3, 25, 40),
    async (e) => {
      const json = { recorded_at: "2026-01-02T03:04:05Z", kind: "other", comment: "x", reason: "x" };
      return sendRequest(`${API}/reports/${await newReport()}`, { ...change(json), method: "PATCH", env: e });
    },
  ],
  [
    "POST /reports/{id}/move",
    "move",
    200,
    budget(4, 30, 40),
    async (e) => {
      const id = await newReport();
      return sendRequest(`${API}/reports/${id}/move`, { ...change({ patient_id: world.stranger.id, reason: "x" }), env: e });
    },
  ],
  [
    "GET /reports/{id}/changes",
    "read",
    200,
    budget(1, 15, 0),
    async (e) => {
      const id = await newReport();
      await sendRequest(`${API}/reports/${id}`, { ...change({ comment: "x", reason: "x" }), method: "PATCH" });
      return getAs(`/reports/${id}/changes`, nurse)(e);
    },
  ],
  [
    "GET /patients/{id}/moved-reports",
    "read",
    200,
    budget(1, 15, 0),
    (e) => getAs(`/patients/${world.patient.id}/moved-reports`, nurse)(e),
  ],
  ["GET /uploads", "read", 200, budget(1, 120, 0), getAs("/uploads", nurse)],
  ["GET /reports?sort=-effective", "read", 200, budget(1, 155, 0), getAs("/reports?sort=-effective", nurse)],
  ["GET /reports?device_id", "read", 200, budget(1, 15, 0), (e) => getAs(`/reports?device_id=${device.id}`, nurse)(e)],
  ["GET /reports?uploaded_by", "read", 200, budget(1, 280, 0), (e) => getAs(`/reports?uploaded_by=${world.nurse.id}`, nurse)(e)],
  ["GET /uploads/quarantine", "read", 200, budget(1, 15, 0), getAs("/uploads/quarantine", nurse)],
  [
    "GET /uploads/{id}",
    "read",
    200,
    budget(1, 15, 0),
    async (e) => {
      const id = await newQuarantined();
      return getAs(`/uploads/${id}`, nurse)(e);
    },
  ],
  [
    "GET /uploads/{id}/file",
    "read",
    200,
    budget(1, 15, 0, "get"),
    async (e) => {
      const id = await newQuarantined();
      return getAs(`/uploads/${id}/file`, nurse)(e);
    },
  ],
  [
    "POST /uploads/{id}/assign",
    "write",
    201,
    budget(3, 35, 40, "get put"),
    async (e) => {
      const json = { patient_id: world.patient.id };
      return sendRequest(`${API}/uploads/${await newQuarantined()}/assign`, { as: world.nurse, json, env: e });
    },
  ],
  [
    "POST /uploads/{id}/discard",
    "write",
    200,
    budget(3, 15, 15, "delete"),
    async (e) => {
      const json = { reason: "a test print" };
      return sendRequest(`${API}/uploads/${await newQuarantined()}/discard`, { as: world.nurse, json, env: e });
    },
  ],
  [
    "POST /reports/direct",
    "write",
    201,
    budget(3, 15, 20),
    (e) => sendRequest(`${API}/reports/direct`, { ...begun(), ...withNewKey(), env: e }),
  ],
  [
    "POST /reports/direct/{id}/confirm",
    "write",
    201,
    budget(3, 35, 40, "get put delete"),
    async (e) => {
      const pdf = newPdf("direct", 200_000);
      const json = { patient_id: world.patient.id, size: pdf.length, sha256: await sha256(pdf) };
      const { data } = await readJson(await sendRequest(`${API}/reports/direct`, { as: world.nurse, json }));
      const row = env.DB.prepare("SELECT incoming_key FROM uploads WHERE id = ?").bind(data.upload_id);
      await env.FILES.put((await row.first<string>("incoming_key")) ?? "", pdf);
      return sendRequest(`${API}/reports/direct/${data.upload_id}/confirm`, { as: world.nurse, method: "POST", env: e });
    },
  ],
  ["GET /admin/reports", "read", 200, budget(1, 150, 0), getAs("/admin/reports", admin)],
  ["GET /admin/stats", "read", 200, budget(1, 40, 0), getAs("/admin/stats", admin)],
  ["GET /admin/keys", "read", 200, budget(1, 60, 0), getAs("/admin/keys", admin)],
];

export const uploads: BudgetCase[] = [
  [
    "POST /reports, device",
    "write",
    201,
    budget(3, 40, 48, "put put"),
    (e) => uploadReport(device, newPdf(), { metrics: "{}", confidence: "1" }, { ...withNewKey(), env: e }),
  ],
  [
    "POST /reports, nurse",
    "write",
    201,
    budget(3, 27, 40, "put put"),
    (e) => uploadReport(world.nurse, newPdf(), about(), { ...withNewKey(), env: e }),
  ],
  [
    "POST /reports, raw",
    "write",
    201,
    budget(3, 24, 35, "put"),
    (e) => uploadRaw(world.nurse, newPdf(), `?patient_id=${world.patient.id}`, { ...withNewKey(), env: e }),
  ],
  [
    "POST /reports, same file",
    "write",
    200,
    budget(3, 15, 15),
    (e) => uploadReport(world.nurse, storedPdf, about(), { ...withNewKey(), env: e }),
  ],
  [
    "POST /reports, same key",
    "write",
    201,
    budget(3, 15, 10),
    (e) =>
      uploadReport(
        world.nurse,
        storedPdf,
        { patient_id: world.patient.id, metrics: '{"heart_rate":70}' },
        { ...REPLAYED, env: e },
      ),
  ],
  [
    "POST /reports, refused",
    "write",
    415,
    budget(3, 14, 14),
    (e) => uploadReport(world.nurse, newPdf().slice(3), about(), { env: e }),
  ],
  [
    "POST /reports, wrong type",
    "write",
    415,
    budget(3, 10, 10),
    (e) => uploadRaw(device, newPdf(), "", { headers: { "Content-Type": "text/html" }, env: e }),
  ],
  [
    "POST /reports, quarantine",
    "write",
    202,
    budget(3, 32, 18, "put"),
    (e) => uploadReport(device, newPdf().slice(3), {}, { env: e }),
  ],
];
