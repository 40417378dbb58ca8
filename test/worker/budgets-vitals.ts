// Budgets of live vitals: observations, alerts, alert rules, boards, live views, and device uploads.
import { API, env, newDevice, newPatient, newWard, readJson, sendRequest } from "../world.ts";
import {
  type BudgetCase,
  budget,
  clinic,
  clinicWard,
  device,
  doctor,
  getAs,
  heldId,
  liveBudget,
  monitoredPatient,
  NOTIFIED_OBJECTS,
  nurse,
  unbound,
  world,
} from "./budgets-world.ts";
import { createMonitoredPatient, createSample } from "./monitored-patient.ts";

const ofPatient = (path: string) => (e: Env) => getAs(`/patients/${world.patient.id}/${path}`, doctor)(e);
const ago = (hours: number) => `from=${new Date(Date.now() - hours * 3_600_000).toISOString()}`;
const put = (path: string, json: object, headers?: Record<string, string>) => (e: Env) =>
  sendRequest(API + path, { as: clinic.nurse, method: "PUT", json, ...(headers && { headers }), env: e });

export const vitals: BudgetCase[] = [
  // A requested hour is two rows read, whether it exists or not: the list of hours, and the lookup by key.
  ["GET /patients/{id}/observations", "read", 200, liveBudget(1, 15, 0, "history"), ofPatient("observations")],
  [
    "GET /patients/{id}/observations?buckets",
    "read",
    200,
    liveBudget(1, 15, 0, "buckets"),
    (e) => ofPatient(`history?buckets=50&${ago(12)}`)(e),
  ],
  [
    "GET /patients/{id}/observations?buckets, a year",
    "read",
    200,
    liveBudget(2, 2 * 365 * 24 + 30, 10, "openHours"),
    (e) => ofPatient(`history?buckets=50&${ago(365 * 24)}`)(e),
  ],
  ["GET /patients/{id}/observations/latest", "read", 200, liveBudget(1, 15, 0, "snapshot"), ofPatient("observations/latest")],
  ["GET /patients/{id}/observations/rollups", "read", 200, liveBudget(2, 90, 0, "openHours"), ofPatient("observations/rollups")],
  ["GET /patients/{id}/scores/news2", "read", 200, liveBudget(1, 15, 0, "snapshot"), ofPatient("scores/news2")],
  ["GET /observations/quarantine", "read", 200, budget(1, 15, 0), getAs("/observations/quarantine", nurse)],
  [
    "GET /observations/quarantine/{id}",
    "read",
    200,
    budget(1, 15, 0),
    (e) => getAs(`/observations/quarantine/${heldId}`, nurse)(e),
  ],
  [
    "GET /analytics/patients/{id}/summary",
    "read",
    200,
    liveBudget(2, 90, 0, "openHours", "snapshot"),
    (e) => getAs(`/analytics/patients/${world.patient.id}/summary`, doctor)(e),
  ],
  ["GET /analytics/hourly-stats", "read", 200, budget(1, 50, 0), getAs("/analytics/hourly-stats", () => clinic.nurse)],
  ["GET /analytics/hourly-stats (doctor)", "read", 200, budget(1, 60, 0), getAs("/analytics/hourly-stats", () => clinic.doctor)],
  [
    "GET /wearables/metrics/recent",
    "read",
    200,
    // A patient's reads count against the day's quota.
    liveBudget(2, 24, 11, "history"),
    getAs("/wearables/metrics/recent", () => world.self),
  ],
  [
    "GET /wearables/summary",
    "read",
    200,
    liveBudget(2, 2 * 7 * 24 + 30, 10, "openHours"),
    getAs("/wearables/summary", () => world.self),
  ],
  ["GET /alerts", "read", 200, budget(1, 40, 0), getAs("/alerts", () => clinic.nurse)],
  ["GET /alerts (doctor)", "read", 200, budget(1, 110, 0), getAs("/alerts", () => clinic.doctor)],
  ["GET /alerts?open=true", "read", 200, budget(1, 40, 0), getAs("/alerts?open=true", () => clinic.nurse)],
  [
    "GET /alerts/{id}",
    "read",
    200,
    liveBudget(1, 20, 0, "snapshot"),
    (e) => getAs(`/alerts/${monitoredPatient.alertId}`, () => clinic.doctor)(e),
  ],
  ["GET /alert-rules/defaults", "read", 200, budget(1, 10, 0), getAs("/alert-rules/defaults", nurse)],
  ["GET /alert-rules", "read", 200, budget(1, 40, 0), getAs("/alert-rules", () => clinic.nurse)],
  ["GET /patients/{id}/alert-rules", "read", 200, budget(1, 20, 0), ofPatient("alert-rules")],
  ["GET /patients/{id}/monitoring", "read", 200, budget(1, 15, 0), ofPatient("monitoring")],
  [
    "GET /wards/{id}/board, five patients",
    "read",
    200,
    liveBudget(1, 80, 0, ...Array(5).fill("snapshot")),
    (e) => getAs(`/wards/${clinicWard}/board`, () => clinic.nurse)(e),
  ],
  [
    "GET /wards/{id}/observations-due, five patients",
    "read",
    200,
    liveBudget(1, 80, 0, ...Array(5).fill("snapshot")),
    (e) => getAs(`/wards/${clinicWard}/observations-due`, () => clinic.nurse)(e),
  ],
  [
    "GET /wards/{id}/trends, five patients",
    "read",
    200,
    liveBudget(1, 80, 0, ...Array(5).fill("buckets")),
    (e) => getAs(`/wards/${clinicWard}/trends?code=heart_rate`, () => clinic.nurse)(e),
  ],
  ["GET /devices/{id}/assignments", "read", 200, budget(1, 20, 0), (e) => getAs(`/devices/${device.id}/assignments`, nurse)(e)],
  [
    "GET /live",
    "read",
    101,
    budget(2, 60, 2, "", "feed.fetch"),
    async (e) => {
      const headers = { Upgrade: "websocket" };
      const response = await sendRequest(`${API}/live?patient_id=${monitoredPatient.id}`, { as: clinic.doctor, headers, env: e });
      response.webSocket?.accept();
      response.webSocket?.close();
      return response;
    },
  ],
  [
    "GET /live/sse",
    "read",
    200,
    budget(2, 60, 2, "", "feed.fetch"),
    async (e) => {
      const response = await sendRequest(`${API}/live/sse?patient_id=${monitoredPatient.id}`, { as: clinic.doctor, env: e });
      await response.body?.cancel();
      return new Response(null, response);
    },
  ],
  [
    "POST /live/tickets",
    "write",
    201,
    budget(3, 60, 10),
    (e) => sendRequest(`${API}/live/tickets`, { as: clinic.doctor, json: { patient_id: monitoredPatient.id }, env: e }),
  ],
  [
    "POST /observations, nurse, a hundred",
    "write",
    200,
    liveBudget(3, 15, 10, "record"),
    (e) => {
      const samples = Array.from({ length: 100 }, (_, i) => createSample(70, i * 1000));
      return sendRequest(`${API}/observations`, { as: world.nurse, json: { patient_id: world.patient.id, samples }, env: e });
    },
  ],
  [
    "POST /observations, first of a patient",
    "write",
    200,
    liveBudget(3, 25, 10, "record", "configure", "record"),
    async (e) => {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      return sendRequest(`${API}/observations`, { as: world.nurse, json: { patient_id: id, ...createSample(70) }, env: e });
    },
  ],
  [
    "POST /observations, device of nobody",
    "write",
    200,
    { ...budget(3, 15, 15), kv: 2 },
    (e) => sendRequest(`${API}/observations`, { as: unbound, json: createSample(70), env: e }),
  ],
  ...(["file", "discard"] as const).map(
    (verb): BudgetCase => [
      `POST /observations/quarantine/${verb}`,
      "write",
      200,
      verb === "file" ? liveBudget(3, 40, 25, "record") : budget(2, 30, 15),
      async (e) => {
        const { id } = await createMonitoredPatient(world);
        const device = await newDevice(world.nurse, null);
        await sendRequest(`${API}/observations`, { as: device, json: createSample(70) });
        const entries = env.DB.prepare("SELECT id FROM held_observations WHERE device_id = ?").bind(device.id);
        const json = {
          device_id: device.id,
          held_ids: [await entries.first<string>("id")],
          reason: "x",
          ...(verb === "file" && { patient_id: id }),
        };
        return sendRequest(`${API}/observations/quarantine/${verb}`, { as: world.nurse, json, env: e });
      },
    ],
  ),
  [
    "POST /wearables/sync, by its owner",
    "write",
    200,
    liveBudget(3, 15, 10, "record"),
    (e) => {
      const metrics = [{ timestamp: new Date().toISOString(), heart_rate: 70, spo2: 97, steps: 120 }];
      return sendRequest(`${API}/wearables/sync`, { as: world.self, json: { metrics }, env: e });
    },
  ],
  [
    "PATCH /observations/{id}",
    "write",
    200,
    liveBudget(3, 15, 10, "amend"),
    async (e) => {
      const json = { status: "amended", value: 74, reason: "Read off wrongly" };
      return sendRequest(`${API}/observations/${(await createMonitoredPatient(clinic)).observationId}`, {
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
    ([verb, json]): BudgetCase => [
      `POST /alerts/{id}/${verb}`,
      "write",
      200,
      liveBudget(3, 25, 10, "actOnAlert"),
      async (e) => {
        const { alertId } = await createMonitoredPatient(clinic);
        const body = verb === "assign" ? { user_id: clinic.doctor.id } : json;
        return sendRequest(`${API}/alerts/${alertId}/${verb}`, { as: clinic.nurse, method: "POST", json: body, env: e });
      },
    ],
  ),
  [
    "POST /patients/{id}/observation-sets, with a key",
    "write",
    201,
    liveBudget(3, 25, 15, "recordSet"),
    async (e) => {
      const { id } = await createMonitoredPatient(clinic);
      const json = { effective_at: new Date().toISOString(), samples: [], confirmed_score: null, partial_reason: "refused" };
      const headers = { "Idempotency-Key": `budget-${id}` };
      return sendRequest(`${API}/patients/${id}/observation-sets`, { as: clinic.nurse, json, headers, env: e });
    },
  ],
  ...(["PUT", "DELETE"] as const).map(
    (method): BudgetCase => [
      `${method} /patients/{id}/observation-pause`,
      "write",
      200,
      liveBudget(2, 25, 10, "changePause"),
      async (e) => {
        const { id } = await createMonitoredPatient(clinic);
        const path = `${API}/patients/${id}/observation-pause`;
        const json = { reason: "dialysis", expected_return_at: new Date(Date.now() + 3_600_000).toISOString() };
        if (method === "DELETE") await sendRequest(path, { as: clinic.nurse, method: "PUT", json });
        return sendRequest(path, { as: clinic.nurse, method, ...(method === "PUT" && { json }), env: e });
      },
    ],
  ),
  [
    "POST /alerts/{id}/comment",
    "write",
    200,
    liveBudget(3, 25, 10, "snapshot"),
    async (e) => {
      const { alertId } = await createMonitoredPatient(clinic);
      return sendRequest(`${API}/alerts/${alertId}/comment`, { as: clinic.nurse, json: { text: "Probe had slipped." }, env: e });
    },
  ],
  ...(["PUT", "DELETE"] as const).map(
    (method): BudgetCase => [
      `${method} /wards/{id}/alert-rules/{code}, two patients`,
      "write",
      200,
      budget(3, 30, 15),
      async (e) => {
        const ward = await newWard(clinic.manager);
        const move = env.DB.prepare("UPDATE patients SET ward_id = ? WHERE id IN (?, ?)");
        await move.bind(ward, clinic.patient.id, clinic.stranger.id).run();
        const path = `/wards/${ward}/alert-rules/spo2`;
        if (method === "PUT") return put(path, { low: 91 })(e);
        await put(path, { low: 91 })(env);
        return sendRequest(API + path, { as: clinic.nurse, method, headers: { "If-Match": '"1"' }, env: e });
      },
    ],
  ),
  [
    "PUT /patients/{id}/alert-rules/{code}",
    "write",
    200,
    budget(3, 25, 15),
    (e) => put(`/patients/${monitoredPatient.id}/alert-rules/spo2`, { low: 90 })(e),
  ],
  [
    "PUT /patients/{id}/alert-rules/{code}, again",
    "write",
    200,
    budget(3, 25, 15),
    (e) => put(`/patients/${monitoredPatient.id}/alert-rules/spo2`, { low: 89 }, { "If-Match": '"1"' })(e),
  ],
  [
    "DELETE /patients/{id}/alert-rules/{code}",
    "write",
    200,
    budget(3, 25, 15),
    (e) =>
      sendRequest(`${API}/patients/${monitoredPatient.id}/alert-rules/spo2`, {
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
    liveBudget(3, 30, 10, "history"),
    (e) => {
      const json = { code: "heart_rate", limits: { high: 75 } };
      return sendRequest(`${API}/patients/${world.patient.id}/alert-rules/preview`, { as: world.nurse, json, env: e });
    },
  ],
  [
    "PATCH /patients/{id}/monitoring",
    "write",
    200,
    budget(3, 20, 15),
    (e) =>
      sendRequest(`${API}/patients/${monitoredPatient.id}/monitoring`, {
        as: clinic.nurse,
        method: "PATCH",
        json: { spo2_scale: 2 },
        headers: { "If-Match": '"1"' },
        env: e,
      }),
  ],
  ...(
    [
      ["PATCH", { model: "M2" }, liveBudget(3, 22, 12)],
      ["DELETE", undefined, budget(5, 60, 24, "", NOTIFIED_OBJECTS)],
    ] as const
  ).map(
    ([method, json, may]): BudgetCase => [
      `${method} /devices/{id}`,
      "notify",
      200,
      may,
      async (e) => {
        const { id } = await newDevice(world.nurse, world.stranger.id);
        return sendRequest(`${API}/devices/${id}`, { as: world.nurse, method, json, headers: { "If-Match": '"1"' }, env: e });
      },
    ],
  ),
  [
    "POST /devices/{id}/claim-code",
    "write",
    201,
    budget(3, 15, 15),
    (e) => sendRequest(`${API}/devices/${device.id}/claim-code`, { as: world.nurse, method: "POST", env: e }),
  ],
  [
    "POST /devices/claim",
    "write",
    201,
    budget(3, 25, 15),
    async (e) => {
      const { data } = await readJson(
        await sendRequest(`${API}/devices/${device.id}/claim-code`, { as: world.nurse, method: "POST" }),
      );
      return sendRequest(`${API}/devices/claim`, { json: { code: data.code }, env: e });
    },
  ],
];
