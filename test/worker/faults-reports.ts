// Faults in reports, uploads and quarantine.
import { API, env, newDevice, newPdf, readJson, sendRequest, uniqueText, uploadRaw, uploadReport } from "../world.ts";
import { device, type FaultCase, queryCount, readCase, reportId, withNewKey, world } from "./faults-world.ts";

const METRICS = JSON.stringify({ heart_rate: 64, note: "kept" });
const reportsWith = async (pdf: Uint8Array<ArrayBuffer>): Promise<number> => {
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", pdf)).toString("hex");
  const row = await env.DB.prepare("SELECT count(*) AS n FROM reports WHERE sha256 = ?").bind(digest).first<{ n: number }>();
  return row?.n ?? -1;
};

function uploads(name: string, send: (pdf: Uint8Array<ArrayBuffer>, options: object) => Promise<Response>): FaultCase {
  return {
    name,
    status: 201,
    retry: "once",
    async attempt() {
      const [pdf, options] = [newPdf(uniqueText(), 70_000), withNewKey()];
      return { send: (faulty) => send(pdf, { ...options, env: faulty }), effects: () => reportsWith(pdf) };
    },
  };
}

async function newQuarantined(): Promise<string> {
  const unbound = await newDevice(world.nurse, null);
  return (await readJson(await uploadReport(unbound, newPdf(uniqueText(), 70_000), { metrics: METRICS }))).data.upload_id;
}

async function newReport(): Promise<string> {
  return (await readJson(await uploadReport(world.nurse, newPdf(uniqueText()), { patient_id: world.patient.id }))).data.report_id;
}

function corrections(name: string, method: string, path: string, json: () => object): FaultCase {
  return {
    name,
    status: 200,
    retry: "none",
    async attempt() {
      const id = await newReport();
      const change = { as: world.nurse, method, json: json(), headers: { "If-Match": '"1"' } };
      const written = env.DB.prepare(`SELECT count(*) AS n FROM report_changes c JOIN reports r ON r.id = c.report_id
        AND r.version = c.version WHERE r.id = ?`);
      return {
        send: (faulty) => sendRequest(`${API}/reports/${id}${path}`, { ...change, env: faulty }),
        effects: () => queryCount(written.bind(id)),
      };
    },
  };
}

export const reports: FaultCase[] = [
  corrections("PATCH /reports/{id}", "PATCH", "", () => ({ kind: "other", reason: "x" })),
  corrections("POST /reports/{id}/move", "POST", "/move", () => ({ patient_id: world.stranger.id, reason: "x" })),
  readCase(
    "GET /reports/{id}/changes",
    () => `${API}/reports/${reportId}/changes`,
    () => world.nurse,
  ),
  readCase("GET /patients/{id}/moved-reports", () => `${API}/patients/${world.patient.id}/moved-reports`),
  {
    ...uploads("POST /reports, multipart, device", (pdf, o) => uploadReport(device, pdf, { metrics: METRICS }, o)),
    withoutKv: true,
  },
  uploads("POST /reports, multipart, nurse", (pdf, o) =>
    uploadReport(world.nurse, pdf, { patient_id: world.patient.id, metrics: METRICS }, o),
  ),
  uploads("POST /reports, raw, nurse", (pdf, o) => uploadRaw(world.nurse, pdf, `?patient_id=${world.patient.id}`, o)),
  readCase("GET /reports", () => `${API}/reports`),
  readCase("GET /reports/{id}", () => `${API}/reports/${reportId}`),
  readCase("GET /reports/{id}/file, token", () => `${API}/reports/${reportId}/file`),
  readCase("GET /reports/stats", () => `${API}/reports/stats`),
  readCase(
    "GET /uploads",
    () => `${API}/uploads`,
    () => world.nurse,
  ),
  readCase(
    "GET /admin/reports",
    () => `${API}/admin/reports`,
    () => world.admin,
  ),
  readCase(
    "GET /admin/stats",
    () => `${API}/admin/stats`,
    () => world.admin,
  ),
  readCase(
    "GET /admin/keys",
    () => `${API}/admin/keys`,
    () => world.admin,
  ),
  readCase(
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
        send: (faulty) => sendRequest(`${API}/uploads/${id}/assign`, { ...options, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM reports WHERE id = ?").bind(id)),
      };
    },
  },
  {
    name: "POST /uploads/{id}/discard",
    status: 200,
    retry: "any",
    event: "upload.discard",
    async attempt() {
      const id = await newQuarantined();
      const key = await env.DB.prepare("SELECT file_key FROM uploads WHERE id = ?").bind(id).first<string>("file_key");
      const options = { as: world.nurse, json: { reason: "a test print" } };
      return {
        send: (faulty) => sendRequest(`${API}/uploads/${id}/discard`, { ...options, env: faulty }),
        effects: async () => ((await env.FILES.head(key ?? "")) ? 0 : 1),
      };
    },
  },
  {
    name: "POST /reports/direct",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, pdf] = [withNewKey(), newPdf()];
      const digest = Buffer.from(await crypto.subtle.digest("SHA-256", pdf)).toString("hex");
      const json = { patient_id: world.patient.id, size: pdf.length, sha256: digest };
      const begun = env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE sha256 = ? AND outcome = 'awaiting'");
      return {
        send: (faulty) => sendRequest(`${API}/reports/direct`, { as: world.nurse, json, ...options, env: faulty }),
        effects: () => queryCount(begun.bind(digest)),
      };
    },
  },
  {
    name: "GET /reports/{id}/file, link",
    status: 200,
    retry: "any",
    async attempt() {
      const { data } = await readJson(await sendRequest(`${API}/reports/${reportId}`, { as: world.doctor }));
      return { send: (faulty) => sendRequest(data.download_url, { env: faulty }) };
    },
  },
];
