// Fails the k-th call of a store or object of every route of the main job, before it happens and after it committed, for every k.
import { runDurableObjectAlarm } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { emailIndex } from "../../src/auth/names.ts";
import { keysOf } from "../../src/config.ts";
import { cleanUp } from "../../src/cron.ts";
import { alertId } from "../../src/monitor/ids.ts";
import { around, failing, type StoreCall } from "../stores.ts";
import {
  API,
  ask,
  env,
  newDevice,
  newHospital,
  newLogin,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  PASSWORD,
  read,
  unique,
  upload,
  uploadRaw,
  type World,
} from "../world.ts";
import { namedKeys, openEveryReport, storedKeys } from "./evidence.ts";

let world: World;
let device: { id: string; token: string };
let reportId: string;
let wardId: string;
let watched: Watched;
beforeAll(async () => {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id);
  const sent = await upload(world.nurse, newPdf(), { patient_id: world.patient.id, metrics: '{"heart_rate":70}' });
  reportId = (await read(sent)).data.report_id;
  wardId = (await read(await ask(`${API}/wards`, { as: world.manager, json: { name: `Ward ${unique()}` } }))).data.ward_id;
  watched = await newWatched();
});

type Watched = { id: string; alertId: string; observationId: string };

const sample = (value: number) => ({ code: "8867-4", value, unit: "/min", effective_at: new Date().toISOString() });

/** Somebody new in the ward whose heart stands still, told to D1. */
async function newWatched(): Promise<Watched> {
  const { id } = await newPatient(world.hospitalId, world.nurse, [world.doctor]);
  const change = {
    as: world.nurse,
    method: "PATCH",
    json: { monitoring: "home", ward_id: wardId },
    headers: { "If-Match": '"1"' },
  };
  await ask(`${API}/patients/${id}`, change);
  const sent = await ask(`${API}/observations`, { as: world.nurse, json: { patient_id: id, ...sample(0) } });
  await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(id));
  return { id, alertId: alertId(id, 1), observationId: (await read(sent)).data.results[0].observation_id };
}

/** One request that can be sent again as it was: same body, same key. */
type Attempt = { send(env: Env): Promise<Response>; effects?(): Promise<number> };
type Route = {
  name: string;
  status: number;
  attempt(): Promise<Attempt>;
  retry: "once" | "any" | "none" /** What a retry of a lost success hears; 412 unless told. */;
  used?: number;
  /** What the trail calls the effect of an object: it stands there before the object is asked. */
  event?: string;
  /** Answers also where an object does not. */
  withoutObjects?: true;
  /** Tells objects of the change before it answers (monitor/changes.ts); when that fails cron does it, and the change stands. */
  told?: true;
  /** Machines' limits are counted where they are: without KV. */
  machine?: true;
};

const PHRASE = "lanterns over seven hills";
const METRICS = JSON.stringify({ heart_rate: 64, note: "kept" });
const keyed = () => ({ headers: { "Idempotency-Key": `fault-${unique()}` } });
const reportsWith = async (pdf: Uint8Array<ArrayBuffer>): Promise<number> => {
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", pdf)).toString("hex");
  const row = await env.DB.prepare("SELECT count(*) AS n FROM reports WHERE sha256 = ?").bind(digest).first<{ n: number }>();
  return row?.n ?? -1;
};

/** How often a row has been changed since it was made. */
const versionsOf = (table: "hospitals" | "wards" | "practitioners", id: string) =>
  // biome-ignore lint/plugin: constants of this file.
  count(env.DB.prepare(`SELECT version - 1 AS n FROM ${table} WHERE id = ?`).bind(id));

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

function reads(name: string, path: () => string, as = () => world.doctor): Route {
  return {
    name,
    status: 200,
    retry: "any",
    attempt: async () => ({ send: (faulty) => ask(path(), { as: as(), env: faulty }) }),
  };
}

async function newQuarantined(): Promise<string> {
  const unbound = await newDevice(world.nurse, null);
  return (await read(await upload(unbound, newPdf(unique(), 70_000), { metrics: METRICS }))).data.upload_id;
}

const samplesOf = async (patientId: string): Promise<number> => {
  const query = { codes: null, from: 0, to: Date.now() + 60_000, limit: 100, after: null };
  return (await env.PATIENT_MONITOR.getByName(patientId).history(query)).samples.length;
};

/** What is done to an alert, and how it is seen that it was. */
function acts(verb: string, more: Partial<Route>, json?: () => object): Route {
  return {
    name: `POST /alerts/{id}/${verb}`,
    status: 200,
    retry: "any",
    event: `alert.${verb}`,
    async attempt() {
      const { id, alertId } = await newWatched();
      const options = { as: world.nurse, method: "POST", ...(json && { json: json() }) };
      return {
        send: (faulty) => ask(`${API}/alerts/${alertId}/${verb}`, { ...options, env: faulty }),
        async effects() {
          const snapshot = await env.PATIENT_MONITOR.getByName(id).snapshot();
          const alert = snapshot?.alerts.find((open) => open.alert_id === alertId);
          const done = { acknowledge: alert?.acknowledged_at, assign: alert?.assigned_to, snooze: alert?.snoozed_until };
          return Number(verb === "resolve" ? !alert : Boolean(Object.entries(done).find(([name]) => name === verb)?.[1]));
        },
      };
    },
    ...more,
  };
}

const rulesOf = (scopeId: string) =>
  count(env.DB.prepare("SELECT count(*) AS n FROM alert_rules WHERE scope_id = ?").bind(scopeId));

const vitals: Route[] = [
  ...[
    "observations",
    "history?buckets=20",
    "history?buckets=20&from=2026-01-01T00:00:00Z",
    "observations/latest",
    "observations/rollups",
    "scores/news2",
    "alert-rules",
    "monitoring",
  ].map((path) =>
    reads(
      `GET /patients/{id}/${path}`,
      () => `${API}/patients/${watched.id}/${path}`,
      () => world.doctor,
    ),
  ),
  ...["alerts", "alert-rules", "alert-rules/defaults", "analytics/hourly-stats", "observations/quarantine"].map((path) =>
    reads(
      `GET /${path}`,
      () => `${API}/${path}`,
      () => world.nurse,
    ),
  ),
  ...["wearables/metrics/recent", "wearables/summary"].map((path) =>
    reads(
      `GET /${path}`,
      () => `${API}/${path}`,
      () => world.self,
    ),
  ),
  reads("GET /analytics/patients/{id}/summary", () => `${API}/analytics/patients/${watched.id}/summary`),
  reads("GET /alerts/{id}", () => `${API}/alerts/${watched.alertId}`),
  reads(
    "GET /devices/{id}/assignments",
    () => `${API}/devices/${device.id}/assignments`,
    () => world.nurse,
  ),
  {
    ...reads(
      "GET /wards/{id}/board",
      () => `${API}/wards/${wardId}/board`,
      () => world.nurse,
    ),
    withoutObjects: true,
  },
  {
    name: "GET /live",
    status: 101,
    retry: "any",
    attempt: async () => ({
      async send(faulty) {
        const headers = { Upgrade: "websocket" };
        const response = await ask(`${API}/live?patient_id=${watched.id}`, { as: world.doctor, headers, env: faulty });
        response.webSocket?.accept();
        response.webSocket?.close();
        return response;
      },
    }),
  },
  {
    name: "POST /live/tickets",
    status: 201,
    retry: "any",
    attempt: async () => ({
      send: (faulty) => ask(`${API}/live/tickets`, { as: world.doctor, json: { patient_id: watched.id }, env: faulty }),
    }),
  },
  {
    name: "POST /observations, nurse",
    status: 200,
    retry: "any",
    event: "observation.create",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const json = { patient_id: id, ...sample(70) };
      return {
        send: (faulty) => ask(`${API}/observations`, { as: world.nurse, json, env: faulty }),
        effects: () => samplesOf(id),
      };
    },
  },
  {
    name: "POST /observations, device that its patient's object does not know",
    status: 200,
    retry: "any",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const bedside = await newDevice(world.nurse, id, "bedside_monitor");
      const json = { samples: [{ ...sample(70), seq: 1 }] };
      return {
        send: (faulty) => ask(`${API}/observations`, { as: bedside, json, env: faulty }),
        effects: () => samplesOf(id),
      };
    },
  },
  {
    name: "POST /wearables/sync",
    status: 200,
    retry: "any",
    event: "observation.create",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const json = { patient_id: id, metrics: [{ timestamp: new Date().toISOString(), heart_rate: 70 }] };
      return {
        send: (faulty) => ask(`${API}/wearables/sync`, { as: world.nurse, json, env: faulty }),
        effects: () => samplesOf(id),
      };
    },
  },
  {
    name: "PATCH /observations/{id}",
    status: 200,
    retry: "any",
    event: "observation.amend",
    async attempt() {
      const { id, observationId } = await newWatched();
      const json = { status: "amended", value: 74, reason: "Read off wrongly" };
      return {
        send: (faulty) => ask(`${API}/observations/${observationId}`, { as: world.nurse, method: "PATCH", json, env: faulty }),
        effects: async () => Number((await env.PATIENT_MONITOR.getByName(id).snapshot())?.latest[0]?.value === 74),
      };
    },
  },
  acts("acknowledge", {}),
  acts("snooze", {}, () => ({ minutes: 15 })),
  acts("assign", {}, () => ({ user_id: world.doctor.id })),
  acts("resolve", { retry: "none", used: 409 }),
  {
    name: "POST /alerts/{id}/comment",
    status: 200,
    retry: "once",
    async attempt() {
      const { alertId } = await newWatched();
      const options = { as: world.nurse, json: { text: "Probe had slipped." }, ...keyed() };
      const said = env.DB.prepare("SELECT count(*) AS n FROM alert_events WHERE alert_id = ? AND what = 'commented'").bind(
        alertId,
      );
      return {
        send: (faulty) => ask(`${API}/alerts/${alertId}/comment`, { ...options, env: faulty }),
        effects: () => count(said),
      };
    },
  },
  ...(["wards", "patients"] as const).flatMap((scope): Route[] => {
    const place = async () => {
      if (scope === "patients") return (await newPatient(world.hospitalId, world.nurse)).id;
      const made = await ask(`${API}/wards`, { as: world.manager, json: { name: `Ward ${unique()}` } });
      return String((await read(made)).data.ward_id);
    };
    const put = { method: "PUT", json: { low: 46 } };
    return [
      {
        name: `PUT /${scope}/{id}/alert-rules/{code}`,
        status: 200,
        retry: "none",
        used: 428,
        async attempt() {
          const id = await place();
          return {
            send: (faulty) => ask(`${API}/${scope}/${id}/alert-rules/heart_rate`, { ...put, as: world.nurse, env: faulty }),
            effects: () => rulesOf(id),
          };
        },
      },
      {
        name: `DELETE /${scope}/{id}/alert-rules/{code}`,
        status: 200,
        retry: "none",
        used: 404,
        async attempt() {
          const id = await place();
          const path = `${API}/${scope}/${id}/alert-rules/heart_rate`;
          await ask(path, { ...put, as: world.nurse });
          const options = { as: world.nurse, method: "DELETE", headers: { "If-Match": '"1"' } };
          return { send: (faulty) => ask(path, { ...options, env: faulty }), effects: async () => 1 - (await rulesOf(id)) };
        },
      },
    ];
  }),
  {
    name: "POST /patients/{id}/alert-rules/preview",
    status: 200,
    retry: "any",
    attempt: async () => ({
      send: (faulty) => {
        const json = { code: "heart_rate", limits: { high: 120 } };
        return ask(`${API}/patients/${watched.id}/alert-rules/preview`, { as: world.nurse, json, env: faulty });
      },
    }),
  },
  {
    name: "PATCH /patients/{id}/monitoring",
    status: 200,
    retry: "none",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const change = { as: world.nurse, method: "PATCH", json: { spo2_scale: 2 }, headers: { "If-Match": '"1"' } };
      const set = env.DB.prepare("SELECT count(*) AS n FROM monitoring_settings WHERE patient_id = ?").bind(id);
      return {
        send: (faulty) => ask(`${API}/patients/${id}/monitoring`, { ...change, env: faulty }),
        effects: () => count(set),
      };
    },
  },
  ...(["PATCH", "DELETE"] as const).map(
    (method): Route => ({
      name: `${method} /devices/{id}`,
      status: 200,
      retry: "none",
      told: true,
      async attempt() {
        const { id } = await newDevice(world.nurse, world.stranger.id);
        const options = {
          as: world.nurse,
          method,
          headers: { "If-Match": '"1"' },
          ...(method === "PATCH" && { json: { model: "M2" } }),
        };
        const changes = env.DB.prepare("SELECT version - 1 AS n FROM devices WHERE id = ?").bind(id);
        return {
          send: (faulty) => ask(`${API}/devices/${id}`, { ...options, env: faulty }),
          effects: () => count(changes),
        };
      },
    }),
  ),
  {
    name: "POST /devices/{id}/claim-code",
    status: 201,
    retry: "any",
    told: true,
    async attempt() {
      const { id } = await newDevice(world.nurse, null);
      const codes = env.DB.prepare("SELECT count(*) AS n FROM device_claim_codes WHERE device_id = ?").bind(id);
      return {
        send: (faulty) => ask(`${API}/devices/${id}/claim-code`, { as: world.nurse, method: "POST", env: faulty }),
        effects: () => count(codes),
      };
    },
  },
  {
    name: "POST /devices/claim",
    status: 201,
    retry: "none",
    told: true,
    used: 404,
    async attempt() {
      const { id } = await newDevice(world.nurse, null);
      const { data } = await read(await ask(`${API}/devices/${id}/claim-code`, { as: world.nurse, method: "POST" }));
      const claimed = env.DB.prepare("SELECT count(*) AS n FROM credentials WHERE device_id = ? AND name = 'Claimed'").bind(id);
      return {
        send: (faulty) => ask(`${API}/devices/claim`, { json: { code: data.code }, env: faulty }),
        effects: () => count(claimed),
      };
    },
  },
];

const routes: Route[] = [
  ...vitals,
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
  reads("GET /patients", () => `${API}/patients`),
  reads("GET /patients/{id}", () => `${API}/patients/${world.patient.id}`),
  reads("GET /patients/search", () => `${API}/patients/search?q=first`),
  reads("GET /patients/{id}/summary", () => `${API}/patients/${world.patient.id}/summary`),
  reads("GET /patients/{id}/intake", () => `${API}/patients/${world.patient.id}/intake`),
  reads(
    "GET /patients/{id}/links",
    () => `${API}/patients/${world.patient.id}/links`,
    () => world.nurse,
  ),
  reads(
    "GET /api-keys",
    () => `${API}/api-keys`,
    () => world.manager,
  ),
  {
    name: "POST /patients, with a number",
    status: 201,
    retry: "once",
    async attempt() {
      const json = { first_name: "Uma", phone: `+91 ${Math.floor(1e9 + Math.random() * 8e9)}`, aadhaar_number: "999999990019" };
      const options = { as: world.nurse, json, ...keyed() };
      const find = `${API}/patients/search?q=${json.phone.replace(/\D/g, "").slice(2)}`;
      return {
        send: (faulty) => ask(`${API}/patients`, { ...options, env: faulty }),
        effects: async () => (await read(await ask(find, { as: world.nurse }))).data.length,
      };
    },
  },
  {
    name: "POST /patients/{id}/intake",
    status: 201,
    retry: "once",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const options = { as: world.nurse, json: { symptoms: ["cough"] }, ...keyed() };
      return {
        send: (faulty) => ask(`${API}/patients/${id}/intake`, { ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM intake_responses WHERE patient_id = ?").bind(id)),
      };
    },
  },
  {
    name: "POST /patients/claim",
    status: 200,
    retry: "none",
    used: 404,
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const { data } = await read(await ask(`${API}/patients/${id}/claim-codes`, { as: world.nurse, method: "POST" }));
      const person = await newPerson("patient");
      return {
        send: (faulty) => ask(`${API}/patients/claim`, { as: person, json: { code: data.code }, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM patient_links WHERE patient_id = ?").bind(id)),
      };
    },
  },
  {
    name: "DELETE /patients/{id}",
    status: 200,
    retry: "none",
    used: 404,
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const options = { as: world.manager, method: "DELETE", headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/patients/${id}`, { ...options, env: faulty }),
        effects: async () => 1 - (await count(env.DB.prepare("SELECT count(*) AS n FROM patients WHERE id = ?").bind(id))),
      };
    },
  },
  {
    name: "POST /api-keys",
    status: 201,
    retry: "once",
    async attempt() {
      const json = { name: `key ${unique()}`, scopes: ["patient:read"] };
      const options = { as: world.manager, json, ...keyed() };
      return {
        send: (faulty) => ask(`${API}/api-keys`, { ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM credentials WHERE name = ?").bind(json.name)),
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
  {
    name: "POST /patients",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, nurse] = [keyed(), await newPerson("nurse", world.hospitalId)];
      const json = { first_name: "Uma", last_name: `canary-${unique()}` };
      return {
        send: (faulty) => ask(`${API}/patients`, { as: nurse, json, ...options, env: faulty }),
        async effects() {
          const made = env.DB.prepare("SELECT count(*) AS n FROM patients WHERE created_by = ?").bind(nurse.id);
          return (await made.first<{ n: number }>())?.n ?? -1;
        },
      };
    },
  },
  {
    name: "PATCH /patients/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const patient = await newPatient(world.hospitalId, world.nurse);
      const change = { as: world.nurse, method: "PATCH", json: { notes: "changed" }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/patients/${patient.id}`, { ...change, env: faulty }),
        async effects() {
          const { data } = await read(await ask(`${API}/patients/${patient.id}`, { as: world.nurse }));
          expect(data.version === 1 || data.notes === "changed").toBe(true);
          return data.version - 1;
        },
      };
    },
  },
  reads("GET /hospitals", () => `${API}/hospitals`),
  reads(
    "GET /hospitals/{id}/members",
    () => `${API}/hospitals/${world.hospitalId}/members`,
    () => world.manager,
  ),
  reads("GET /wards", () => `${API}/wards`),
  reads("GET /practitioners", () => `${API}/practitioners`),
  {
    name: "PATCH /hospitals/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const home = await newHospital();
      const change = { as: world.admin, method: "PATCH", json: { address: "changed" }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/hospitals/${home}`, { ...change, env: faulty }),
        effects: () => versionsOf("hospitals", home),
      };
    },
  },
  {
    name: "DELETE /hospitals/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const home = await newHospital();
      const nurse = await newPerson("nurse", home);
      const end = { as: world.admin, method: "DELETE", headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/hospitals/${home}`, { ...end, env: faulty }),
        async effects() {
          const changes = await versionsOf("hospitals", home);
          const revoked = env.DB.prepare("SELECT count(revoked_at) AS n FROM sessions WHERE id = ?").bind(nurse.sessionId);
          expect(await count(revoked)).toBe(changes);
          return changes;
        },
      };
    },
  },
  {
    name: "POST /wards",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, name] = [keyed(), `Ward ${unique()}`];
      return {
        send: (faulty) => ask(`${API}/wards`, { as: world.manager, json: { name }, ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM wards WHERE name = ?").bind(name)),
      };
    },
  },
  {
    name: "PATCH /wards/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const made = await read(await ask(`${API}/wards`, { as: world.manager, json: { name: `Ward ${unique()}` } }));
      const id: string = made.data.ward_id;
      const change = { as: world.manager, method: "PATCH", json: { is_active: false }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/wards/${id}`, { ...change, env: faulty }),
        effects: () => versionsOf("wards", id),
      };
    },
  },
  {
    name: "POST /practitioners",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, doctor] = [keyed(), await newPerson("doctor", world.hospitalId)];
      const json = { user_id: doctor.id, about: "canary" };
      return {
        send: (faulty) => ask(`${API}/practitioners`, { as: world.manager, json, ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM practitioners WHERE user_id = ?").bind(doctor.id)),
      };
    },
  },
  {
    name: "PATCH /practitioners/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const doctor = await newPerson("doctor", world.hospitalId);
      const made = await ask(`${API}/practitioners`, { as: world.manager, json: { user_id: doctor.id } });
      const id: string = (await read(made)).data.practitioner_id;
      const change = { as: doctor, method: "PATCH", json: { about: "changed" }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => ask(`${API}/practitioners/${id}`, { ...change, env: faulty }),
        effects: () => versionsOf("practitioners", id),
      };
    },
  },
  {
    name: "PUT /hospitals/{id}/members/{user_id}",
    status: 200,
    retry: "any",
    async attempt() {
      const doctor = await newPerson("doctor", world.hospitalId);
      const path = `${API}/hospitals/${world.hospitalId}/members/${doctor.id}`;
      const role = env.DB.prepare("SELECT role = 'nurse' AS n FROM memberships WHERE user_id = ?").bind(doctor.id);
      return {
        send: (faulty) => ask(path, { as: world.manager, method: "PUT", json: { role: "nurse" }, env: faulty }),
        effects: () => count(role),
      };
    },
  },
  {
    name: "POST /auth/register",
    status: 201,
    retry: "none",
    used: 409,
    async attempt() {
      const json = { email: `${unique()}@example.org`, password: PHRASE, full_name: `Canary ${unique()}` };
      const index = await emailIndex(await keysOf(env), json.email);
      return {
        send: (faulty) => ask(`${API}/auth/register`, { json, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM users WHERE email_index = ?").bind(index)),
      };
    },
  },
  {
    name: "POST /users/invite",
    status: 201,
    retry: "once",
    async attempt() {
      const manager = await newPerson("hospital_admin", world.hospitalId);
      const options = { as: manager, json: { email: `${unique()}@example.org`, role: "nurse" }, ...keyed() };
      return {
        send: (faulty) => ask(`${API}/users/invite`, { ...options, env: faulty }),
        effects: () => count(env.DB.prepare("SELECT count(*) AS n FROM invitations WHERE created_by = ?").bind(manager.id)),
      };
    },
  },
  {
    name: "POST /auth/invitations/accept",
    status: 201,
    retry: "none",
    used: 403,
    async attempt() {
      const json = { email: `${unique()}@example.org`, full_name: "Ravi Kumar", role: "nurse" };
      const { data } = await read(await ask(`${API}/users/invite`, { as: world.manager, json }));
      const taken = env.DB.prepare(
        "SELECT count(*) AS n FROM memberships WHERE user_id = (SELECT accepted_by FROM invitations WHERE id = ?)",
      );
      const accept = { token: data.token, password: PHRASE };
      return {
        send: (faulty) => ask(`${API}/auth/invitations/accept`, { json: accept, env: faulty }),
        effects: () => count(taken.bind(data.invitation_id)),
      };
    },
  },
  {
    name: "POST /auth/password/reset",
    status: 200,
    retry: "none",
    used: 403,
    async attempt() {
      const { id } = await newPerson("nurse", world.hospitalId);
      const { data } = await read(await ask(`${API}/users/${id}/password-reset`, { as: world.manager, method: "POST" }));
      const json = { token: data.token, new_password: PHRASE };
      const used = env.DB.prepare("SELECT count(*) AS n FROM password_resets WHERE user_id = ? AND used_at IS NOT NULL");
      return {
        send: (faulty) => ask(`${API}/auth/password/reset`, { json, env: faulty }),
        effects: () => count(used.bind(id)),
      };
    },
  },
  {
    name: "PATCH /users/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const { id } = await newPerson("nurse", world.hospitalId);
      const change = { as: world.manager, method: "PATCH", json: { is_active: false }, headers: { "If-Match": '"1"' } };
      const off = env.DB.prepare("SELECT count(*) AS n FROM memberships WHERE user_id = ? AND suspended_at IS NOT NULL");
      return {
        send: (faulty) => ask(`${API}/users/${id}`, { ...change, env: faulty }),
        effects: () => count(off.bind(id)),
      };
    },
  },
  {
    name: "POST /auth/login",
    status: 200,
    retry: "any",
    async attempt() {
      const { email } = await newPerson("nurse", world.hospitalId);
      return { send: (faulty) => ask(`${API}/auth/login`, { json: { email, password: PASSWORD }, env: faulty }) };
    },
  },
  {
    name: "POST /auth/refresh",
    status: 200,
    retry: "any",
    async attempt() {
      const session = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
      return { send: (faulty) => ask(`${API}/auth/refresh`, { json: { refresh_token: session.refresh }, env: faulty }) };
    },
  },
];

const count = async (statement: D1PreparedStatement): Promise<number> => (await statement.first<{ n: number }>())?.n ?? -1;
const eventsOf = (id: string, event: string) =>
  count(env.DB.prepare("SELECT count(*) AS n FROM audit_events WHERE request_id = ? AND event = ?").bind(id, event));

/** State and trace of one request stand or fall together. */
async function expectTraced(response: Response): Promise<void> {
  const id = response.headers.get("x-request-id") ?? "";
  const stored = env.DB.prepare("SELECT count(*) AS n FROM uploads WHERE request_id = ? AND outcome = 'stored'").bind(id);
  expect(await eventsOf(id, "report.create")).toBe(await count(stored));
}

async function expectHonest(response: Response): Promise<void> {
  const text = await response.text();
  expect({ status: response.status, type: response.headers.get("content-type") }).toEqual({
    status: 503,
    type: "application/problem+json",
  });
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(JSON.parse(text)).toMatchObject({ code: "unavailable", errors: [] });
  expect(text).not.toMatch(/canary|D1_ERROR|injected|SELECT|INSERT|First-/);
  await expectTraced(response);
}

/** Sends one request of a route with each of its calls to one store failing in turn. @returns how many faults fired */
async function failEach(
  route: Route,
  when: "before" | "after",
  store: StoreCall["store"],
  check: (response: Response, attempt: Attempt, k: number) => Promise<void>,
): Promise<number> {
  for (let k = 1; k <= 20; k++) {
    const attempt = await route.attempt();
    const faulty = failing(env, k, when, store);
    const response = await attempt.send(faulty.env);
    if (!faulty.fault.fired) {
      expect(response.status, "without a fault").toBe(route.status);
      await response.body?.cancel();
      return k - 1;
    }
    await check(response, attempt, k);
  }
  throw new Error(`${route.name} calls ${store} more than 20 times`);
}

const injected: Record<string, number> = {};

describe.each(routes)("$name", (route) => {
  it.each(["before", "after"] as const)("fails honestly %s each call, and a retry has one effect", async (when) => {
    for (const store of ["DB", "FILES", "OBJECTS"] as const) {
      if (store === "OBJECTS" && route.withoutObjects) continue;
      const fired = await failEach(route, when, store, async (response, attempt, k) => {
        if (route.told && response.ok) {
          expect(await attempt.effects?.()).toBe(1);
          return response.body?.cancel();
        }
        const id = response.headers.get("x-request-id") ?? "";
        await expectHonest(response);
        const effects = (await attempt.effects?.()) ?? 0;
        expect(effects).toBeLessThanOrEqual(when === "before" ? 0 : 1);
        if (route.event && effects > 0) expect(await eventsOf(id, route.event), `traced, call ${k}`).toBe(1);
        const again = await attempt.send(env);
        const stale = route.retry === "none" && effects === 1;
        expect(again.status).toBe(stale ? (route.used ?? 412) : route.status);
        if (attempt.effects) expect(await attempt.effects()).toBe(1);
        await again.body?.cancel();
      });
      injected[`${route.name} ${when} ${store}`] = fired;
    }
    expect(injected[`${route.name} ${when} DB`]).toBeGreaterThan(0);
  });

  it.runIf(route.withoutObjects)("answers also where objects do not", async () => {
    const fired = await failEach(route, "before", "OBJECTS", async (response) => {
      expect(response.status).toBe(route.status);
      await response.body?.cancel();
    });
    expect(fired).toBeGreaterThan(0);
    injected[`${route.name} before OBJECTS`] = fired;
  });

  it("does not need KV", async () => {
    for (const when of ["before", "after"] as const) {
      const fired = await failEach(route, when, "KV", async (response) => {
        expect(response.status).toBe(route.status);
        await response.body?.cancel();
      });
      if (!route.machine) expect(fired).toBeGreaterThan(0);
      injected[`${route.name} ${when} KV`] = fired;
    }
  });
});

describe("a device whose object knows it", () => {
  it("is answered while D1 is down, and all of it is kept", async () => {
    const nurse = await newPerson("nurse", world.hospitalId);
    const patient = await newPatient(world.hospitalId, nurse);
    const bedside = await newDevice(nurse, patient.id, "bedside_monitor");
    let calls = 0;
    const down = around(env, (call, run) => {
      if (call.store !== "DB") return run();
      calls++;
      return Promise.reject(new Error("D1_ERROR: Network connection lost. (injected fault)"));
    });
    const send = (seq: number, of: Env) =>
      ask(`${API}/observations`, { as: bedside, json: { samples: [{ ...sample(70), seq }] }, env: of });
    expect((await send(1, env)).status).toBe(200);
    for (const seq of [2, 3, 4]) {
      const response = await send(seq, down);
      expect(response.status).toBe(200);
      expect((await read(response)).data).toMatchObject({ stored: 1, refused: 0 });
    }
    expect(calls).toBe(0);
    expect(await samplesOf(patient.id)).toBe(4);
    // A person passes the gate, and the gate needs D1.
    await expectHonest(
      await ask(`${API}/observations`, { as: nurse, json: { patient_id: patient.id, ...sample(71) }, env: down }),
    );
    expect(calls).toBeGreaterThan(0);
    expect(await samplesOf(patient.id)).toBe(4);
  });
});

describe("the known-bad twin", () => {
  it("that answers before it has written is caught by the same check", async () => {
    const id = unique();
    const naive: Route = {
      name: "naive",
      status: 201,
      retry: "once",
      attempt: async () => ({
        async send(faulty) {
          const write = faulty.DB.prepare("INSERT INTO deployment (name, value) VALUES (?, 'x')")
            .bind(id + unique())
            .run();
          await write.catch(() => undefined);
          return new Response("{}", { status: 201 });
        },
      }),
    };
    await expect(failEach(naive, "before", "DB", (response) => expectHonest(response))).rejects.toThrow();
    expect(await failEach(naive, "before", "DB", async () => {})).toBe(1);
  });
});

describe("after all these faults", () => {
  it("every report opens to its bytes, and a sweep leaves exactly the objects that rows name", async () => {
    const reports = await openEveryReport();
    expect(reports).toBeGreaterThan(20);
    const named = new Set(await namedKeys());
    const orphans = (await storedKeys()).filter((key) => !named.has(key));
    expect(orphans.length).toBeGreaterThan(0);
    await cleanUp(env, Date.now() + 2 * 3_600_000);
    expect((await storedKeys()).sort()).toEqual((await namedKeys()).sort());
    expect(await openEveryReport()).toBe(reports);
  });

  it("says how many were injected", async ({ annotate }) => {
    const total = Object.values(injected).reduce((sum, n) => sum + n, 0);
    expect(total).toBeGreaterThan(100);
    await annotate(`${total} faults injected into ${routes.length} routes of the main job`);
  });
});
