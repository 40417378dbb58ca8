// What each request may cost: D1 round trips, rows read and written, R2 and KV operations, calls of objects. Any read 2 round
// trips, any write 3, and one that tells objects first what that takes; samples of a device none.
import { runDurableObjectAlarm } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { cleanUp } from "../../src/cron.ts";
import { deliverChanges } from "../../src/monitor/changes.ts";
import { alertId } from "../../src/monitor/ids.ts";
import { type Counts, counting } from "../stores.ts";
import {
  API,
  type Ask,
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
  sha256,
  unique,
  upload,
  uploadRaw,
  type World,
} from "../world.ts";

let world: World;
let device: Awaited<ReturnType<typeof newDevice>>;
let unbound: Awaited<ReturnType<typeof newDevice>>;
let reportId: string;
let link: string;
let wardId: string;
let practitionerId: string;
/** Another hospital, where five patients of a ward are watched. */
let clinic: World;
let clinicWard: string;
let watched: Watched;
let heldId: string;
const stored = newPdf("stored", 200_000);
const REPLAYED = { headers: { "Idempotency-Key": "budget-replayed" } };

beforeAll(async () => {
  world = await newWorld();
  device = await newDevice(world.nurse, world.patient.id);
  unbound = await newDevice(world.nurse, null);
  const about = { patient_id: world.patient.id, metrics: '{"heart_rate":70}' };
  reportId = (await read(await upload(world.nurse, stored, about, REPLAYED))).data.report_id;
  for (let i = 0; i < 40; i++) await upload(world.nurse, newPdf(), i % 2 ? about : { patient_id: world.stranger.id });
  await ask(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, ...REPLAYED });
  wardId = (await read(await ask(`${API}/wards`, { as: world.manager, json: { name: "Ward" } }))).data.ward_id;
  for (let i = 0; i < 20; i++) await ask(`${API}/wards`, { as: world.manager, json: { name: `Ward ${i}` } });
  for (const { id } of [world.nurse, world.doctor]) {
    const profile = await read(await ask(`${API}/practitioners`, { as: world.manager, json: { user_id: id, specialty: "ICU" } }));
    practitionerId = profile.data.practitioner_id;
  }
  clinic = await newWorld();
  clinicWard = await newWard(clinic);
  for (let i = 0; i < 5; i++) watched = await newWatched(clinicWard);
  const samples = Array.from({ length: 300 }, (_, i) => sample(70 + (i % 9), (i + 1) * 60_000));
  await ask(`${API}/observations`, { as: world.nurse, json: { patient_id: world.patient.id, samples } });
  await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(world.patient.id));
  await ask(`${API}/observations`, { as: unbound, json: sample(72) });
  heldId = (await env.DB.prepare("SELECT id FROM held_observations").first<string>("id")) ?? "";
  link = (await read(await ask(`${API}/reports/${reportId}`, { as: world.doctor }))).data.download_url;
});

type Watched = { id: string; alertId: string; observationId: string };

const sample = (value: number, ago = 0) => ({
  code: "8867-4",
  value,
  unit: "/min",
  effective_at: new Date(Date.now() - ago).toISOString(),
});

async function newWard({ manager }: World): Promise<string> {
  return (await read(await ask(`${API}/wards`, { as: manager, json: { name: unique() } }))).data.ward_id;
}

/** A new patient whose heart stands still, told to D1. */
async function newWatched(ward_id: string | null = null): Promise<Watched> {
  const { id } = await newPatient(clinic.hospitalId, clinic.nurse, [clinic.doctor]);
  const change = {
    as: clinic.nurse,
    method: "PATCH",
    json: { monitoring: "home", ward_id },
    headers: { "If-Match": '"1"' },
  };
  await ask(`${API}/patients/${id}`, change);
  const sent = await ask(`${API}/observations`, { as: clinic.nurse, json: { patient_id: id, ...sample(0) } });
  await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(id));
  return { id, alertId: alertId(id, 1), observationId: (await read(sent)).data.results[0].observation_id };
}

type Budget = { d1: number; read: number; written: number; r2: string; kv: number; objects: string };
const TOLD = "feed.recheck monitor.configure";
/** `told`: a write that tells objects before it answers (monitor/changes.ts): a read, the facts of each patient, a write more. */
const MOST = { read: 2, write: 3, told: 7 };
type Line = [name: string, kind: keyof typeof MOST, status: number, budget: Budget, run: (env: Env) => Promise<Response>];

const PHRASE = "lanterns over seven hills";
const budget = (d1: number, rowsRead: number, written: number, r2 = "", objects = ""): Budget => ({
  d1,
  read: rowsRead,
  written,
  r2,
  kv: 1,
  objects,
});
/** Of what lies in a patient's object. */
const live = (d1: number, rowsRead: number, written: number, ...objects: string[]) =>
  budget(d1, rowsRead, written, "", objects.map((name) => `monitor.${name}`).join(" "));
const ofPatient = (path: string) => (e: Env) => get(`/patients/${world.patient.id}/${path}`, doctor)(e);
const ago = (hours: number) => `from=${new Date(Date.now() - hours * 3_600_000).toISOString()}`;
const put = (path: string, json: object, headers?: Record<string, string>) => (e: Env) =>
  ask(API + path, { as: clinic.nurse, method: "PUT", json, ...(headers && { headers }), env: e });
const get = (path: string, as: () => Ask["as"]) => (counted: Env) => ask(API + path, { as: as(), env: counted });
const nurse = () => world.nurse;
const doctor = () => world.doctor;
const admin = () => world.admin;
const about = () => ({ patient_id: world.patient.id, metrics: '{"heart_rate":70}', confidence: "0.9" });
const keyed = () => ({ headers: { "Idempotency-Key": unique() } });
const begun = () => ({
  as: world.nurse,
  json: { patient_id: world.patient.id, size: 1000, sha256: "0".repeat(64) },
});
async function newQuarantined(): Promise<string> {
  return (await read(await upload(unbound, newPdf(), { metrics: '{"heart_rate":70}' }))).data.upload_id;
}
/** Lists show a page of 20 of the 41 reports that there are. Rows are about a third above what was counted when written. */
const lines: Line[] = [
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
  ["GET /patients", "read", 200, budget(2, 20, 10), get("/patients", nurse)],
  ["GET /patients/{id}", "read", 200, budget(2, 15, 10), (e) => get(`/patients/${world.patient.id}`, doctor)(e)],
  [
    "GET /patients/{id}/care-team",
    "read",
    200,
    budget(2, 15, 10),
    (e) => get(`/patients/${world.patient.id}/care-team`, nurse)(e),
  ],
  ["GET /devices", "read", 200, budget(2, 22, 8), get("/devices", nurse)],
  ["GET /devices/{id}", "read", 200, budget(2, 15, 10), (e) => get(`/devices/${device.id}`, nurse)(e)],
  ["GET /auth/me", "read", 200, budget(2, 15, 5), get("/auth/me", nurse)],
  ["GET /users", "read", 200, budget(2, 55, 5), get("/users", () => world.manager)],
  ["GET /users/{id}", "read", 200, budget(2, 15, 5), (e) => get(`/users/${world.nurse.id}`, () => world.manager)(e)],
  ["GET /users/invitations", "read", 200, budget(2, 15, 5), get("/users/invitations", () => world.manager)],
  ["GET /auth/sessions", "read", 200, budget(2, 10, 5), get("/auth/sessions", nurse)],
  ["GET /hospitals", "read", 200, budget(2, 10, 5), get("/hospitals", nurse)],
  [
    "GET /hospitals/{id}/members",
    "read",
    200,
    budget(2, 28, 5),
    (e) => get(`/hospitals/${world.hospitalId}/members`, () => world.manager)(e),
  ],
  ["GET /hospitals/{id}", "read", 200, budget(2, 10, 5), (e) => get(`/hospitals/${world.hospitalId}`, nurse)(e)],
  ["GET /wards", "read", 200, budget(2, 175, 5), get("/wards", nurse)],
  ["GET /wards (doctor)", "read", 200, budget(2, 180, 5), get("/wards", doctor)],
  ["GET /wards/{id}", "read", 200, budget(2, 10, 5), (e) => get(`/wards/${wardId}`, nurse)(e)],
  ["GET /practitioners", "read", 200, budget(2, 40, 5), get("/practitioners", nurse)],
  ["GET /practitioners (patient)", "read", 200, budget(2, 50, 5), get("/practitioners", () => world.self)],
  ["GET /practitioners?specialty", "read", 200, budget(2, 40, 5), get("/practitioners?specialty=ICU", nurse)],
  ["GET /practitioners/{id}", "read", 200, budget(2, 15, 5), (e) => get(`/practitioners/${practitionerId}`, nurse)(e)],
  ["GET /audit-events", "read", 200, budget(2, 190, 5), get("/audit-events", () => world.manager)],
  ["GET /admin/users", "read", 200, budget(2, 80, 5), get("/admin/users", admin)],
  ["GET /admin/reports", "read", 200, budget(2, 150, 10), get("/admin/reports", admin)],
  ["GET /admin/stats", "read", 200, budget(2, 40, 5), get("/admin/stats", admin)],
  // An hour that is asked for is two rows read, whether there is one or not: the list of hours, and looking one up by its key.
  ["GET /patients/{id}/observations", "read", 200, live(2, 15, 10, "history"), ofPatient("observations")],
  [
    "GET /patients/{id}/observations?buckets",
    "read",
    200,
    live(2, 15, 10, "buckets"),
    (e) => ofPatient(`history?buckets=50&${ago(12)}`)(e),
  ],
  [
    "GET /patients/{id}/observations?buckets, a year",
    "read",
    200,
    live(2, 2 * 365 * 24 + 30, 10, "openHours"),
    (e) => ofPatient(`history?buckets=50&${ago(365 * 24)}`)(e),
  ],
  ["GET /patients/{id}/observations/latest", "read", 200, live(2, 15, 10, "snapshot"), ofPatient("observations/latest")],
  ["GET /patients/{id}/observations/rollups", "read", 200, live(2, 90, 10, "openHours"), ofPatient("observations/rollups")],
  ["GET /patients/{id}/scores/news2", "read", 200, live(2, 15, 10, "snapshot"), ofPatient("scores/news2")],
  ["GET /observations/quarantine", "read", 200, budget(2, 15, 10), get("/observations/quarantine", nurse)],
  [
    "GET /observations/quarantine/{id}",
    "read",
    200,
    budget(2, 15, 10),
    (e) => get(`/observations/quarantine/${heldId}`, nurse)(e),
  ],
  [
    "GET /analytics/patients/{id}/summary",
    "read",
    200,
    live(2, 90, 10, "openHours", "snapshot"),
    (e) => get(`/analytics/patients/${world.patient.id}/summary`, doctor)(e),
  ],
  ["GET /analytics/hourly-stats", "read", 200, budget(2, 50, 8), get("/analytics/hourly-stats", () => clinic.nurse)],
  ["GET /analytics/hourly-stats (doctor)", "read", 200, budget(2, 60, 8), get("/analytics/hourly-stats", () => clinic.doctor)],
  ["GET /wearables/metrics/recent", "read", 200, live(2, 15, 10, "history"), get("/wearables/metrics/recent", () => world.self)],
  ["GET /wearables/summary", "read", 200, live(2, 2 * 7 * 24 + 30, 10, "openHours"), get("/wearables/summary", () => world.self)],
  ["GET /alerts", "read", 200, budget(2, 40, 14), get("/alerts", () => clinic.nurse)],
  ["GET /alerts (doctor)", "read", 200, budget(2, 80, 14), get("/alerts", () => clinic.doctor)],
  ["GET /alerts?open=true", "read", 200, budget(2, 40, 14), get("/alerts?open=true", () => clinic.nurse)],
  [
    "GET /alerts/{id}",
    "read",
    200,
    live(2, 20, 10, "snapshot"),
    (e) => get(`/alerts/${watched.alertId}`, () => clinic.doctor)(e),
  ],
  ["GET /alert-rules/defaults", "read", 200, budget(2, 10, 5), get("/alert-rules/defaults", nurse)],
  ["GET /alert-rules", "read", 200, budget(2, 40, 5), get("/alert-rules", () => clinic.nurse)],
  ["GET /patients/{id}/alert-rules", "read", 200, budget(2, 20, 10), ofPatient("alert-rules")],
  ["GET /patients/{id}/monitoring", "read", 200, budget(2, 15, 10), ofPatient("monitoring")],
  [
    "GET /wards/{id}/board, five patients",
    "read",
    200,
    live(2, 80, 15, ...Array(5).fill("snapshot")),
    (e) => get(`/wards/${clinicWard}/board`, () => clinic.nurse)(e),
  ],
  ["GET /devices/{id}/assignments", "read", 200, budget(2, 20, 10), (e) => get(`/devices/${device.id}/assignments`, nurse)(e)],
  [
    "GET /live",
    "read",
    101,
    budget(2, 60, 10, "", "feed.fetch"),
    async (e) => {
      const headers = { Upgrade: "websocket" };
      const response = await ask(`${API}/live?patient_id=${watched.id}`, { as: clinic.doctor, headers, env: e });
      response.webSocket?.accept();
      response.webSocket?.close();
      return response;
    },
  ],
  [
    "GET /live/sse",
    "read",
    200,
    budget(2, 60, 10, "", "feed.fetch"),
    async (e) => {
      const response = await ask(`${API}/live/sse?patient_id=${watched.id}`, { as: clinic.doctor, env: e });
      await response.body?.cancel();
      return new Response(null, response);
    },
  ],
  [
    "POST /live/tickets",
    "write",
    201,
    budget(3, 60, 10),
    (e) => ask(`${API}/live/tickets`, { as: clinic.doctor, json: { patient_id: watched.id }, env: e }),
  ],
  [
    "POST /observations, nurse, a hundred",
    "write",
    200,
    live(3, 15, 10, "record"),
    (e) => {
      const samples = Array.from({ length: 100 }, (_, i) => sample(70, i * 1000));
      return ask(`${API}/observations`, { as: world.nurse, json: { patient_id: world.patient.id, samples }, env: e });
    },
  ],
  [
    "POST /observations, first of a patient",
    "write",
    200,
    live(3, 25, 10, "record", "configure", "record"),
    async (e) => {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      return ask(`${API}/observations`, { as: world.nurse, json: { patient_id: id, ...sample(70) }, env: e });
    },
  ],
  [
    "POST /observations, device of nobody",
    "write",
    200,
    { ...budget(3, 15, 15), kv: 2 },
    (e) => ask(`${API}/observations`, { as: unbound, json: sample(70), env: e }),
  ],
  [
    "POST /wearables/sync, by its owner",
    "write",
    200,
    live(3, 15, 10, "record"),
    (e) => {
      const metrics = [{ timestamp: new Date().toISOString(), heart_rate: 70, spo2: 97, steps: 120 }];
      return ask(`${API}/wearables/sync`, { as: world.self, json: { metrics }, env: e });
    },
  ],
  [
    "PATCH /observations/{id}",
    "write",
    200,
    live(3, 15, 10, "amend"),
    async (e) => {
      const json = { status: "amended", value: 74, reason: "Read off wrongly" };
      return ask(`${API}/observations/${(await newWatched()).observationId}`, {
        as: clinic.nurse,
        method: "PATCH",
        json,
        env: e,
      });
    },
  ],
  ...(
    [
      ["acknowledge", undefined],
      ["snooze", { minutes: 15 }],
      ["assign", {}],
      ["resolve", undefined],
    ] as const
  ).map(
    ([verb, json]): Line => [
      `POST /alerts/{id}/${verb}`,
      "write",
      200,
      live(3, 25, 10, "act"),
      async (e) => {
        const { alertId } = await newWatched();
        const body = verb === "assign" ? { user_id: clinic.doctor.id } : json;
        return ask(`${API}/alerts/${alertId}/${verb}`, { as: clinic.nurse, method: "POST", json: body, env: e });
      },
    ],
  ),
  [
    "POST /alerts/{id}/comment",
    "write",
    200,
    live(3, 25, 10, "snapshot"),
    async (e) => {
      const { alertId } = await newWatched();
      return ask(`${API}/alerts/${alertId}/comment`, { as: clinic.nurse, json: { text: "Probe had slipped." }, env: e });
    },
  ],
  ...(["PUT", "DELETE"] as const).map(
    (method): Line => [
      `${method} /wards/{id}/alert-rules/{code}, two patients`,
      "write",
      200,
      budget(3, 30, 15),
      async (e) => {
        const ward = await newWard(clinic);
        const move = env.DB.prepare("UPDATE patients SET ward_id = ? WHERE id IN (?, ?)");
        await move.bind(ward, clinic.patient.id, clinic.stranger.id).run();
        const path = `/wards/${ward}/alert-rules/spo2`;
        if (method === "PUT") return put(path, { low: 91 })(e);
        await put(path, { low: 91 })(env);
        return ask(API + path, { as: clinic.nurse, method, headers: { "If-Match": '"1"' }, env: e });
      },
    ],
  ),
  [
    "PUT /patients/{id}/alert-rules/{code}",
    "write",
    200,
    budget(3, 25, 15),
    (e) => put(`/patients/${watched.id}/alert-rules/spo2`, { low: 90 })(e),
  ],
  [
    "PUT /patients/{id}/alert-rules/{code}, again",
    "write",
    200,
    budget(3, 25, 15),
    (e) => put(`/patients/${watched.id}/alert-rules/spo2`, { low: 89 }, { "If-Match": '"1"' })(e),
  ],
  [
    "DELETE /patients/{id}/alert-rules/{code}",
    "write",
    200,
    budget(3, 25, 15),
    (e) =>
      ask(`${API}/patients/${watched.id}/alert-rules/spo2`, {
        as: clinic.nurse,
        method: "DELETE",
        headers: { "If-Match": '"2"' },
        env: e,
      }),
  ],
  [
    "POST /patients/{id}/alert-rules/preview",
    "write",
    200,
    live(3, 30, 10, "history"),
    (e) => {
      const json = { code: "heart_rate", limits: { high: 75 } };
      return ask(`${API}/patients/${world.patient.id}/alert-rules/preview`, { as: world.nurse, json, env: e });
    },
  ],
  [
    "PATCH /patients/{id}/monitoring",
    "write",
    200,
    budget(3, 20, 15),
    (e) =>
      ask(`${API}/patients/${watched.id}/monitoring`, {
        as: clinic.nurse,
        method: "PATCH",
        json: { spo2_scale: 2 },
        headers: { "If-Match": '"1"' },
        env: e,
      }),
  ],
  ...(
    [
      ["PATCH", { model: "M2" }, live(3, 22, 12)],
      ["DELETE", undefined, budget(5, 60, 24, "", TOLD)],
    ] as const
  ).map(
    ([method, json, may]): Line => [
      `${method} /devices/{id}`,
      "told",
      200,
      may,
      async (e) => {
        const { id } = await newDevice(world.nurse, world.stranger.id);
        return ask(`${API}/devices/${id}`, { as: world.nurse, method, json, headers: { "If-Match": '"1"' }, env: e });
      },
    ],
  ),
  [
    "POST /devices/{id}/claim-code",
    "write",
    201,
    budget(3, 15, 15),
    (e) => ask(`${API}/devices/${device.id}/claim-code`, { as: world.nurse, method: "POST", env: e }),
  ],
  [
    "POST /devices/claim",
    "write",
    201,
    budget(3, 25, 15),
    async (e) => {
      const { data } = await read(await ask(`${API}/devices/${device.id}/claim-code`, { as: world.nurse, method: "POST" }));
      return ask(`${API}/devices/claim`, { json: { code: data.code }, env: e });
    },
  ],
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
  [
    "POST /patients",
    "write",
    201,
    budget(2, 17, 28),
    (e) => ask(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, ...keyed(), env: e }),
  ],
  [
    "POST /patients, same key",
    "write",
    201,
    budget(3, 10, 10),
    (e) => ask(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, ...REPLAYED, env: e }),
  ],
  [
    "PATCH /patients/{id}",
    "write",
    200,
    budget(3, 15, 10),
    async (e) => {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      return ask(`${API}/patients/${id}`, {
        as: world.nurse,
        method: "PATCH",
        json: { notes: "x" },
        headers: { "If-Match": '"1"' },
        env: e,
      });
    },
  ],
  [
    "PUT care-team member",
    "write",
    200,
    budget(3, 15, 10),
    (e) => ask(`${API}/patients/${world.patient.id}/care-team/${world.nurse.id}`, { as: world.nurse, method: "PUT", env: e }),
  ],
  [
    "POST /devices",
    "told",
    201,
    budget(4, 15, 15),
    (e) => ask(`${API}/devices`, { as: world.nurse, json: { kind: "ecg", name: "x" }, ...keyed(), env: e }),
  ],
  [
    "POST assignment",
    "told",
    201,
    // The patient and the hospital's live views are told (0004_changes).
    budget(5, 72, 28, "", TOLD),
    (e) => ask(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id: world.patient.id }, env: e }),
  ],
  [
    "POST credential",
    "told",
    201,
    budget(3, 16, 12),
    (e) => ask(`${API}/devices/${device.id}/credentials`, { as: world.nurse, json: { name: "x" }, env: e }),
  ],
  ...(
    [
      ["PATCH /hospitals/{id}", "PATCH", { address: "x" }],
      ["DELETE /hospitals/{id}", "DELETE", undefined],
    ] as const
  ).map(
    ([name, method, json]): Line => [
      name,
      "write",
      200,
      // Its live views are told (0004_changes).
      budget(3, 30, 17),
      async (e) => {
        const home = await newHospital();
        for (let i = 0; i < 3; i++) await newPerson("nurse", home);
        return ask(`${API}/hospitals/${home}`, { as: world.admin, method, json, headers: { "If-Match": '"1"' }, env: e });
      },
    ],
  ),
  [
    "POST /wards",
    "write",
    201,
    budget(3, 15, 15),
    (e) => ask(`${API}/wards`, { as: world.manager, json: { name: unique() }, ...keyed(), env: e }),
  ],
  [
    "DELETE /wards/{id}, occupied",
    "write",
    409,
    budget(3, 15, 10),
    async (e) => {
      const made = await read(await ask(`${API}/wards`, { as: world.manager, json: { name: unique() } }));
      const id: string = made.data.ward_id;
      await env.DB.prepare("UPDATE patients SET ward_id = ? WHERE id = ?").bind(id, world.stranger.id).run();
      return ask(`${API}/wards/${id}`, { as: world.manager, method: "DELETE", headers: { "If-Match": '"1"' }, env: e });
    },
  ],
  [
    "POST /practitioners",
    "write",
    201,
    budget(3, 20, 15),
    async (e) => {
      const { id } = await newPerson("doctor", world.hospitalId);
      return ask(`${API}/practitioners`, { as: world.manager, json: { user_id: id }, ...keyed(), env: e });
    },
  ],
  [
    "PATCH /practitioners/{id}, stale",
    "write",
    412,
    budget(3, 15, 10),
    (e) =>
      ask(`${API}/practitioners/${practitionerId}`, {
        as: world.manager,
        method: "PATCH",
        json: { about: "x" },
        headers: { "If-Match": '"9"' },
        env: e,
      }),
  ],
  [
    "PUT member",
    "write",
    200,
    budget(3, 20, 10),
    async (e) => {
      const { id } = await newPerson("doctor", world.hospitalId);
      const path = `${API}/hospitals/${world.hospitalId}/members/${id}`;
      return ask(path, { as: world.manager, method: "PUT", json: { role: "nurse" }, env: e });
    },
  ],
  [
    "POST /auth/register",
    "write",
    201,
    budget(3, 45, 90),
    (e) =>
      ask(`${API}/auth/register`, {
        json: { email: `${unique()}@example.org`, password: PHRASE, full_name: "Meera Iyer" },
        env: e,
      }),
  ],
  [
    "POST /users/invite",
    "write",
    201,
    budget(3, 15, 15),
    (e) =>
      ask(`${API}/users/invite`, {
        as: world.manager,
        json: { email: `${unique()}@example.org`, role: "nurse" },
        ...keyed(),
        env: e,
      }),
  ],
  [
    "POST /users/invite, other body",
    "write",
    409,
    budget(3, 15, 10),
    async (e) => {
      const headers = { "Idempotency-Key": unique() };
      const invite = (email: string, of: Env) =>
        ask(`${API}/users/invite`, { as: world.manager, json: { email, role: "nurse" }, headers, env: of });
      await invite("one@example.org", env);
      return invite("two@example.org", e);
    },
  ],
  [
    "POST /auth/invitations/accept",
    "write",
    201,
    budget(3, 60, 40),
    async (e) => {
      const json = { email: `${unique()}@example.org`, full_name: "Ravi Kumar", role: "nurse" };
      const { data } = await read(await ask(`${API}/users/invite`, { as: world.manager, json }));
      return ask(`${API}/auth/invitations/accept`, { json: { token: data.token, password: PHRASE }, env: e });
    },
  ],
  [
    "POST /auth/invitations/join",
    "write",
    200,
    budget(3, 45, 20),
    async (e) => {
      const person = await newPerson("patient");
      const json = { email: person.email, role: "nurse" };
      const { data } = await read(await ask(`${API}/users/invite`, { as: world.manager, json }));
      return ask(`${API}/auth/invitations/join`, { as: person, json: { token: data.token }, env: e });
    },
  ],
  [
    "POST /users/{id}/password-reset",
    "write",
    201,
    budget(3, 45, 20),
    async (e) => {
      const { id } = await newPerson("nurse", world.hospitalId);
      return ask(`${API}/users/${id}/password-reset`, { as: world.manager, method: "POST", ...keyed(), env: e });
    },
  ],
  [
    "POST /auth/password/reset",
    "write",
    200,
    budget(3, 60, 25),
    async (e) => {
      const { id } = await newPerson("nurse", world.hospitalId);
      const { data } = await read(await ask(`${API}/users/${id}/password-reset`, { as: world.manager, method: "POST" }));
      return ask(`${API}/auth/password/reset`, { json: { token: data.token, new_password: PHRASE }, env: e });
    },
  ],
  [
    "POST /auth/password/change",
    "write",
    200,
    budget(3, 40, 20),
    async (e) => {
      const as = await newPerson("nurse", world.hospitalId);
      const json = { current_password: PASSWORD, new_password: PHRASE };
      return ask(`${API}/auth/password/change`, { as, json, env: e });
    },
  ],
  [
    "PATCH /users/{id}",
    "write",
    200,
    budget(3, 45, 15),
    async (e) => {
      const { id } = await newPerson("nurse", world.hospitalId);
      const change = { as: world.manager, method: "PATCH", json: { is_active: false }, headers: { "If-Match": '"1"' } };
      return ask(`${API}/users/${id}`, { ...change, env: e });
    },
  ],
  [
    "DELETE /users/{id}",
    "write",
    200,
    budget(3, 45, 15),
    async (e) => {
      const { id } = await newPerson("nurse", world.hospitalId);
      return ask(`${API}/users/${id}`, { as: world.manager, method: "DELETE", env: e });
    },
  ],
  [
    "PATCH /auth/me",
    "write",
    200,
    budget(3, 15, 10),
    async (e) => {
      const as = await newPerson("nurse", world.hospitalId);
      return ask(`${API}/auth/me`, { as, method: "PATCH", json: { full_name: "X" }, headers: { "If-Match": '"1"' }, env: e });
    },
  ],
  [
    "POST /auth/switch-hospital",
    "write",
    200,
    // The live views of both hospitals are told (0004_changes).
    budget(3, 20, 12),
    async (e) =>
      ask(`${API}/auth/switch-hospital`, { as: await newPerson("nurse", world.hospitalId), json: { hospital_id: null }, env: e }),
  ],
  [
    "POST /auth/login",
    "write",
    200,
    budget(3, 40, 15),
    async (e) => {
      const { email } = await newPerson("nurse", world.hospitalId);
      return ask(`${API}/auth/login`, { json: { email, password: PASSWORD }, env: e });
    },
  ],
  [
    "POST /auth/refresh",
    "write",
    200,
    budget(3, 15, 10),
    async (e) => {
      const session = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
      return ask(`${API}/auth/refresh`, { json: { refresh_token: session.refresh }, env: e });
    },
  ],
  [
    "POST /auth/logout",
    "write",
    200,
    budget(3, 10, 10),
    async (e) => {
      const session = await newLogin(world.nurse.id, { role: "nurse", hospitalId: world.hospitalId, doctorScope: "care_team" });
      return ask(`${API}/auth/logout`, { as: session, method: "POST", env: e });
    },
  ],
];

const table: string[] = [];
const cells = (...texts: (string | number)[]) => `| ${texts.join(" | ")} |`;
const note = (name: string, counts: Counts) => {
  const { d1, rowsRead, rowsWritten, r2, kv, objects } = counts;
  const lists = [r2, kv, objects].map((list) => list.join(" ") || "-");
  table.push(cells(name.padEnd(32), d1, rowsRead, rowsWritten, ...lists));
};

/** Where a count is above its budget. */
function over(counts: Counts, may: Budget): string[] {
  return [
    ...(counts.d1 > may.d1 ? [`${counts.d1} round trips`] : []),
    ...(counts.rowsRead > may.read ? [`${counts.rowsRead} rows read`] : []),
    ...(counts.rowsWritten > may.written ? [`${counts.rowsWritten} rows written`] : []),
    ...(counts.r2.join(" ") !== may.r2 ? [`R2 ${counts.r2.join(" ")}`] : []),
    ...(counts.kv.length > may.kv ? [`KV ${counts.kv.join(" ")}`] : []),
    ...(counts.objects.join(" ") !== may.objects ? [`objects ${counts.objects.join(" ")}`] : []),
  ];
}

describe("the budget of", () => {
  it.each(lines)("%s", async (name, kind, status, may, run) => {
    expect(may.d1).toBeLessThanOrEqual(MOST[kind]);
    // What earlier lines changed is not this one's to tell.
    while ((await deliverChanges(env)) > 0);
    const { env: counted, counts } = counting(env);
    const response = await run(counted);
    expect(response.status).toBe(status);
    await response.arrayBuffer();
    note(name, counts);
    expect(over(counts, may)).toEqual([]);
    expect(counts.d1).toBeGreaterThan(0);
  });

  it("samples of a device: no D1, one object; KV is asked where to send them once a minute, and knows when the object does", async () => {
    const bedside = await newDevice(world.nurse, world.patient.id, "bedside_monitor");
    const send = async (value: number) => {
      const { env: counted, counts } = counting(env);
      const response = await ask(`${API}/observations`, { as: bedside, json: { samples: [sample(value)] }, env: counted });
      expect((await read(response)).data.stored).toBe(1);
      return counts;
    };
    const first = await send(70);
    note("POST /observations, device, first", first);
    expect(over(first, { ...live(3, 50, 2, "record", "configure", "record"), kv: 3 })).toEqual([]);
    const second = await send(71);
    note("POST /observations, device", second);
    expect(over(second, live(0, 0, 0, "record"))).toEqual([]);
    expect(second.objects).toHaveLength(1);
  });

  it("what is told behind an answer: one read, each change's facts, one write", async () => {
    while ((await deliverChanges(env)) > 0);
    const { env: counted, counts } = counting(env);
    await env.DB.prepare("UPDATE patients SET ward_id = NULL WHERE id = ?").bind(watched.id).run();
    expect(await deliverChanges(counted)).toBe(2);
    note("behind an answer: a patient moved", counts);
    expect(counts.d1).toBe(3);
    expect(counts.objects.toSorted()).toEqual(["feed.recheck", "monitor.configure"]);
    const { env: idle, counts: nothing } = counting(env);
    expect(await deliverChanges(idle)).toBe(0);
    note("behind an answer: nothing changed", nothing);
    expect(nothing).toMatchObject({ d1: 1, rowsWritten: 0, objects: [] });
  });

  it("a sweep of a day: one list for each hour, and one for what lies in clear", async () => {
    await cleanUp(env, Date.now() + 2 * 3_600_000);
    const { env: counted, counts } = counting(env);
    await cleanUp(counted, Date.now() + 2 * 3_600_000);
    note("cron, nothing to sweep", counts);
    expect(counts.d1).toBeLessThanOrEqual(3);
    expect(counts.r2.every((op) => op === "list")).toBe(true);
    expect(counts.r2.length).toBeLessThanOrEqual(27);
  });

  it("a spendthrift is exceeded: the table has teeth", async () => {
    const { env: counted, counts } = counting(env);
    for (let i = 0; i < 3; i++) await counted.DB.prepare("SELECT * FROM reports").all();
    await counted.FILES.head("x");
    await counted.KV.get("x");
    await counted.KV.get("x");
    await counted.PATIENT_MONITOR.getByName("nobody").snapshot();
    expect(over(counts, budget(2, 100, 0))).toEqual([
      "3 round trips",
      expect.stringMatching(/rows read$/),
      "R2 head",
      "KV get get",
      "objects monitor.snapshot",
    ]);
  });

  it("all, as counted", async ({ annotate }) => {
    expect(table).toHaveLength(lines.length + 5);
    const head = cells("request".padEnd(32), "D1 round trips", "rows read", "rows written", "R2", "KV", "objects");
    await annotate([head, "|---|---|---|---|---|---|---|", ...table].join("\n"));
  });
});
