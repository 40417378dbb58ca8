// Budgets of reports, of the upload log and of uploads.
import { API, ask, env, newPdf, read, sha256, upload, uploadRaw } from "../world.ts";
import {
  admin,
  budget,
  device,
  doctor,
  get,
  keyed,
  type Line,
  link,
  nurse,
  REPLAYED,
  reportId,
  stored,
  unbound,
  world,
} from "./budgets-world.ts";

const about = () => ({ patient_id: world.patient.id, metrics: '{"heart_rate":70}', confidence: "0.9" });
const begun = () => ({
  as: world.nurse,
  json: { patient_id: world.patient.id, size: 1000, sha256: "0".repeat(64) },
});

async function newQuarantined(): Promise<string> {
  return (await read(await upload(unbound, newPdf(), { metrics: '{"heart_rate":70}' }))).data.upload_id;
}

/** Lists show a page of 20 of the 41 reports that there are. */
export const reports: Line[] = [
  ["GET /reports (nurse)", "read", 200, budget(2, 155, 10), get("/reports", nurse)],
  ["GET /reports (doctor)", "read", 200, budget(2, 185, 10), get("/reports", doctor)],
  ["GET /reports (admin)", "read", 200, budget(2, 150, 10), get("/reports", admin)],
  ["GET /reports?kind=ecg", "read", 200, budget(2, 155, 10), get("/reports?kind=ecg", nurse)],
  ["GET /reports?heart_rate_min=60", "read", 200, budget(2, 200, 10), get("/reports?heart_rate_min=60", nurse)],
  ["GET /reports/{id}", "read", 200, budget(2, 15, 10, "get"), (e) => get(`/reports/${reportId}`, doctor)(e)],
  ["GET /reports/{id}/file", "read", 200, budget(2, 15, 10, "get"), (e) => get(`/reports/${reportId}/file`, doctor)(e)],
  ["GET /reports/{id}/file?link", "read", 200, budget(2, 15, 10, "get"), (e) => ask(link, { env: e })],
  ["GET /reports/stats", "read", 200, budget(2, 40, 5), get("/reports/stats", nurse)],
  ["GET /reports/stats (doctor)", "read", 200, budget(2, 42, 5), get("/reports/stats", doctor)],
  ["GET /uploads", "read", 200, budget(2, 90, 10), get("/uploads", nurse)],
  ["GET /reports?sort=-effective", "read", 200, budget(2, 155, 10), get("/reports?sort=-effective", nurse)],
  ["GET /reports?device_id", "read", 200, budget(2, 15, 10), (e) => get(`/reports?device_id=${device.id}`, nurse)(e)],
  ["GET /reports?uploaded_by", "read", 200, budget(2, 280, 10), (e) => get(`/reports?uploaded_by=${world.nurse.id}`, nurse)(e)],
  ["GET /uploads/quarantine", "read", 200, budget(2, 15, 10), get("/uploads/quarantine", nurse)],
  [
    "GET /uploads/{id}",
    "read",
    200,
    budget(2, 15, 10),
    async (e) => {
      const id = await newQuarantined();
      return get(`/uploads/${id}`, nurse)(e);
    },
  ],
  [
    "GET /uploads/{id}/file",
    "read",
    200,
    budget(2, 15, 10, "get"),
    async (e) => {
      const id = await newQuarantined();
      return get(`/uploads/${id}/file`, nurse)(e);
    },
  ],
  [
    "POST /uploads/{id}/assign",
    "write",
    201,
    budget(3, 35, 40, "get put"),
    async (e) => {
      const json = { patient_id: world.patient.id };
      return ask(`${API}/uploads/${await newQuarantined()}/assign`, { as: world.nurse, json, env: e });
    },
  ],
  [
    "POST /uploads/{id}/discard",
    "write",
    200,
    budget(3, 15, 15, "delete"),
    async (e) => {
      const json = { reason: "a test print" };
      return ask(`${API}/uploads/${await newQuarantined()}/discard`, { as: world.nurse, json, env: e });
    },
  ],
  [
    "POST /reports/direct",
    "write",
    201,
    budget(3, 15, 20),
    (e) => ask(`${API}/reports/direct`, { ...begun(), ...keyed(), env: e }),
  ],
  [
    "POST /reports/direct/{id}/confirm",
    "write",
    201,
    budget(3, 35, 40, "get put delete"),
    async (e) => {
      const pdf = newPdf("direct", 200_000);
      const json = { patient_id: world.patient.id, size: pdf.length, sha256: await sha256(pdf) };
      const { data } = await read(await ask(`${API}/reports/direct`, { as: world.nurse, json }));
      const row = env.DB.prepare("SELECT incoming_key FROM uploads WHERE id = ?").bind(data.upload_id);
      await env.FILES.put((await row.first<string>("incoming_key")) ?? "", pdf);
      return ask(`${API}/reports/direct/${data.upload_id}/confirm`, { as: world.nurse, method: "POST", env: e });
    },
  ],
  ["GET /admin/reports", "read", 200, budget(2, 150, 10), get("/admin/reports", admin)],
  ["GET /admin/stats", "read", 200, budget(2, 40, 5), get("/admin/stats", admin)],
];

export const uploads: Line[] = [
  [
    "POST /reports, device",
    "write",
    201,
    budget(3, 40, 48, "put put"),
    (e) => upload(device, newPdf(), { metrics: "{}", confidence: "1" }, { ...keyed(), env: e }),
  ],
  [
    "POST /reports, nurse",
    "write",
    201,
    budget(3, 25, 40, "put put"),
    (e) => upload(world.nurse, newPdf(), about(), { ...keyed(), env: e }),
  ],
  [
    "POST /reports, raw",
    "write",
    201,
    budget(3, 24, 35, "put"),
    (e) => uploadRaw(world.nurse, newPdf(), `?patient_id=${world.patient.id}`, { ...keyed(), env: e }),
  ],
  [
    "POST /reports, same file",
    "write",
    200,
    budget(3, 15, 15),
    (e) => upload(world.nurse, stored, about(), { ...keyed(), env: e }),
  ],
  [
    "POST /reports, same key",
    "write",
    201,
    budget(3, 15, 10),
    (e) => upload(world.nurse, stored, { patient_id: world.patient.id, metrics: '{"heart_rate":70}' }, { ...REPLAYED, env: e }),
  ],
  ["POST /reports, refused", "write", 415, budget(3, 14, 14), (e) => upload(world.nurse, newPdf().slice(3), about(), { env: e })],
  [
    "POST /reports, wrong type",
    "write",
    415,
    budget(3, 10, 10),
    (e) => uploadRaw(device, newPdf(), "", { headers: { "Content-Type": "text/html" }, env: e }),
  ],
  ["POST /reports, quarantine", "write", 202, budget(3, 32, 18, "put"), (e) => upload(device, newPdf().slice(3), {}, { env: e })],
];
