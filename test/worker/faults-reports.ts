// Faults of reports, of uploads and of the quarantine.
import { API, ask, env, newDevice, newPdf, read, unique, upload, uploadRaw } from "../world.ts";
import { count, device, keyed, type Route, reads, reportId, world } from "./faults-world.ts";

const METRICS = JSON.stringify({ heart_rate: 64, note: "kept" });
const reportsWith = async (pdf: Uint8Array<ArrayBuffer>): Promise<number> => {
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", pdf)).toString("hex");
  const row = await env.DB.prepare("SELECT count(*) AS n FROM reports WHERE sha256 = ?").bind(digest).first<{ n: number }>();
  return row?.n ?? -1;
};

function uploads(name: string, send: (pdf: Uint8Array<ArrayBuffer>, options: object) => Promise<Response>): Route {
  return {
    name,
    status: 201,
    retry: "once",
    async attempt() {
      const [pdf, options] = [newPdf(unique(), 70_000), keyed()];
      return { send: (faulty) => send(pdf, { ...options, env: faulty }), effects: () => reportsWith(pdf) };
    },
  };
}

async function newQuarantined(): Promise<string> {
  const unbound = await newDevice(world.nurse, null);
  return (await read(await upload(unbound, newPdf(unique(), 70_000), { metrics: METRICS }))).data.upload_id;
}

export const reports: Route[] = [
  { ...uploads("POST /reports, multipart, device", (pdf, o) => upload(device, pdf, { metrics: METRICS }, o)), machine: true },
  uploads("POST /reports, multipart, nurse", (pdf, o) =>
    upload(world.nurse, pdf, { patient_id: world.patient.id, metrics: METRICS }, o),
  ),
  uploads("POST /reports, raw, nurse", (pdf, o) => uploadRaw(world.nurse, pdf, `?patient_id=${world.patient.id}`, o)),
  reads("GET /reports", () => `${API}/reports`),
  reads("GET /reports/{id}", () => `${API}/reports/${reportId}`),
  reads("GET /reports/{id}/file, token", () => `${API}/reports/${reportId}/file`),
  reads("GET /reports/stats", () => `${API}/reports/stats`),
  reads(
    "GET /uploads",
    () => `${API}/uploads`,
    () => world.nurse,
  ),
  reads(
    "GET /admin/reports",
    () => `${API}/admin/reports`,
    () => world.admin,
  ),
  reads(
    "GET /admin/stats",
    () => `${API}/admin/stats`,
    () => world.admin,
  ),
  reads(
    "GET /uploads/quarantine",
    () => `${API}/uploads/quarantine`,
    () => world.nurse,
  ),
  {
    name: "POST /uploads/{id}/assign",
    status: 201,
    retry: "none",
    used: 200,
    async attempt() {
      const id = await newQuarantined();
      const options = { as: world.nurse, json: { patient_id: world.patient.id } };
      return {
        send: (faulty) => ask(`${API}/uploads/${id}/assign`, { ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM reports WHERE id = ?").bind(id)),
      };
    },
  },
  {
    name: "POST /uploads/{id}/discard",
    status: 200,
    retry: "any",
    async attempt() {
      const id = await newQuarantined();
      const key = await env.DB.prepare("SELECT file_key FROM uploads WHERE id = ?").bind(id).first<string>("file_key");
      const options = { as: world.nurse, json: { reason: "a test print" } };
      return {
        send: (faulty) => ask(`${API}/uploads/${id}/discard`, { ...options, env: faulty }),
        effects: async () => ((await env.FILES.head(key ?? "")) ? 0 : 1),
      };
    },
  },
  {
    name: "POST /reports/direct",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, pdf] = [keyed(), newPdf()];
      const digest = Buffer.from(await crypto.subtle.digest("SHA-256", pdf)).toString("hex");
      const json = { patient_id: world.patient.id, size: pdf.length, sha256: digest };
      const begun = env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE sha256 = ? AND outcome = 'awaiting'");
      return {
        send: (faulty) => ask(`${API}/reports/direct`, { as: world.nurse, json, ...options, env: faulty }),
        effects: () => count(begun.bind(digest)),
      };
    },
  },
  {
    name: "GET /reports/{id}/file, link",
    status: 200,
    retry: "any",
    async attempt() {
      const { data } = await read(await ask(`${API}/reports/${reportId}`, { as: world.doctor }));
      return { send: (faulty) => ask(data.download_url, { env: faulty }) };
    },
  },
];
