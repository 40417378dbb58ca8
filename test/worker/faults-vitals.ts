// Faults in live vitals: observations, alerts, alert rules, boards, live views, and device uploads.
import { API, env, newDevice, newPatient, readJson, sendRequest, uniqueText } from "../world.ts";
import {
  countSamples,
  device,
  type FaultCase,
  monitoredPatient,
  queryCount,
  readCase,
  wardId,
  withNewKey,
  world,
} from "./faults-world.ts";
import { createMonitoredPatient, createSample } from "./monitored-patient.ts";

/** Actions on an alert, and how their effect is observed. */
function acts(verb: string, more: Partial<FaultCase>, json?: () => object): FaultCase {
  return {
    name: `POST /alerts/{id}/${verb}`,
    status: 200,
    retry: "any",
    event: `alert.${verb}`,
    async attempt() {
      const { id, alertId } = await createMonitoredPatient(world, wardId);
      const options = { as: world.nurse, method: "POST", ...(json && { json: json() }) };
      return {
        send: (faulty) => sendRequest(`${API}/alerts/${alertId}/${verb}`, { ...options, env: faulty }),
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
  queryCount(env.DB.prepare("SELECT count(*) AS n FROM alert_rules WHERE scope_id = ?").bind(scopeId));

export const vitals: FaultCase[] = [
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
    readCase(
      `GET /patients/{id}/${path}`,
      () => `${API}/patients/${monitoredPatient.id}/${path}`,
      () => world.doctor,
    ),
  ),
  ...["alerts", "alert-rules", "alert-rules/defaults", "analytics/hourly-stats", "observations/quarantine"].map((path) =>
    readCase(
      `GET /${path}`,
      () => `${API}/${path}`,
      () => world.nurse,
    ),
  ),
  ...["wearables/metrics/recent", "wearables/summary"].map((path) =>
    readCase(
      `GET /${path}`,
      () => `${API}/${path}`,
      () => world.self,
    ),
  ),
  readCase("GET /analytics/patients/{id}/summary", () => `${API}/analytics/patients/${monitoredPatient.id}/summary`),
  readCase("GET /alerts/{id}", () => `${API}/alerts/${monitoredPatient.alertId}`),
  readCase(
    "GET /devices/{id}/assignments",
    () => `${API}/devices/${device.id}/assignments`,
    () => world.nurse,
  ),
  ...["board", "observations-due", "trends?code=heart_rate"].map((list) => ({
    ...readCase(
      `GET /wards/{id}/${list}`,
      () => `${API}/wards/${wardId}/${list}`,
      () => world.nurse,
    ),
    withoutObjects: true as const,
  })),
  {
    name: "GET /live",
    status: 101,
    retry: "any",
    attempt: async () => ({
      async send(faulty) {
        const headers = { Upgrade: "websocket" };
        const response = await sendRequest(`${API}/live?patient_id=${monitoredPatient.id}`, {
          as: world.doctor,
          headers,
          env: faulty,
        });
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
      send: (faulty) =>
        sendRequest(`${API}/live/tickets`, { as: world.doctor, json: { patient_id: monitoredPatient.id }, env: faulty }),
    }),
  },
  {
    name: "POST /observations, nurse",
    status: 200,
    retry: "any",
    event: "observation.create",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const json = { patient_id: id, ...createSample(70) };
      return {
        send: (faulty) => sendRequest(`${API}/observations`, { as: world.nurse, json, env: faulty }),
        effects: () => countSamples(id),
      };
    },
  },
  {
    name: "POST /observations, device that its patient's object does not know",
    status: 200,
    retry: "any",
    withoutEvent: true,
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const bedside = await newDevice(world.nurse, id, "bedside_monitor");
      const json = { samples: [{ ...createSample(70), seq: 1 }] };
      return {
        send: (faulty) => sendRequest(`${API}/observations`, { as: bedside, json, env: faulty }),
        effects: () => countSamples(id),
      };
    },
  },
  {
    name: "POST /patients/{id}/observation-sets",
    status: 201,
    retry: "once",
    event: "observation_set.create",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const samples = [{ code: "8867-4", value: 70, unit: "/min" }];
      const json = { effective_at: new Date().toISOString(), samples, confirmed_score: null, partial_reason: "asleep" };
      const options = { as: world.nurse, json, ...withNewKey() };
      return {
        send: (faulty) => sendRequest(`${API}/patients/${id}/observation-sets`, { ...options, env: faulty }),
        effects: () => countSamples(id),
      };
    },
  },
  ...(["PUT", "DELETE"] as const).map(
    (method): FaultCase => ({
      name: `${method} /patients/{id}/observation-pause`,
      status: 200,
      ...(method === "PUT" ? { retry: "any" } : { retry: "none", used: 404 }),
      event: "observation_pause.update",
      async attempt() {
        const { id } = await createMonitoredPatient(world, wardId);
        const path = `${API}/patients/${id}/observation-pause`;
        const json = { reason: "procedure", expected_return_at: new Date(Date.now() + 3_600_000).toISOString() };
        const put = { as: world.nurse, method: "PUT", json };
        if (method === "DELETE") await sendRequest(path, put);
        const isPaused = async () => Boolean((await env.PATIENT_MONITOR.getByName(id).snapshot())?.observations.pause);
        return {
          send: (faulty) => sendRequest(path, { ...(method === "PUT" ? put : { as: world.nurse, method }), env: faulty }),
          effects: async () => Number((await isPaused()) === (method === "PUT")),
        };
      },
    }),
  ),
  ...(["file", "discard"] as const).map(
    (verb): FaultCase => ({
      name: `POST /observations/quarantine/${verb}`,
      status: 200,
      retry: "any",
      async attempt() {
        const { id } = await newPatient(world.hospitalId, world.nurse);
        const device = await newDevice(world.nurse, null);
        const sample = { code: "8867-4", value: 70, unit: "/min", effective_at: new Date().toISOString() };
        await sendRequest(`${API}/observations`, { as: device, json: sample });
        const row = env.DB.prepare("SELECT id FROM held_observations WHERE device_id = ?").bind(device.id);
        const json = {
          device_id: device.id,
          held_ids: [await row.first<string>("id")],
          reason: "x",
          ...(verb === "file" && { patient_id: id }),
        };
        const resolved = env.DB.prepare("SELECT count(*) AS n FROM held_observations WHERE device_id = ? AND state <> 'held'");
        // The samples are stored before the entry is filed: a request that breaks off in between leaves it held for the repetition.
        const effects = async () => {
          const entries = await queryCount(resolved.bind(device.id));
          return verb === "file" && entries > 0 ? countSamples(id) : entries;
        };
        return {
          send: (faulty) => sendRequest(`${API}/observations/quarantine/${verb}`, { as: world.nurse, json, env: faulty }),
          effects,
        };
      },
    }),
  ),
  {
    name: "POST /wearables/sync",
    status: 200,
    retry: "any",
    event: "observation.create",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const json = { patient_id: id, metrics: [{ timestamp: new Date().toISOString(), heart_rate: 70 }] };
      return {
        send: (faulty) => sendRequest(`${API}/wearables/sync`, { as: world.nurse, json, env: faulty }),
        effects: () => countSamples(id),
      };
    },
  },
  {
    name: "PATCH /observations/{id}",
    status: 200,
    retry: "any",
    event: "observation.amend",
    async attempt() {
      const { id, observationId } = await createMonitoredPatient(world, wardId);
      const json = { status: "amended", value: 74, reason: "Read off wrongly" };
      return {
        send: (faulty) =>
          sendRequest(`${API}/observations/${observationId}`, { as: world.nurse, method: "PATCH", json, env: faulty }),
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
      const { alertId } = await createMonitoredPatient(world, wardId);
      const options = { as: world.nurse, json: { text: "Probe had slipped." }, ...withNewKey() };
      const said = env.DB.prepare("SELECT count(*) AS n FROM alert_events WHERE alert_id = ? AND what = 'commented'").bind(
        alertId,
      );
      return {
        send: (faulty) => sendRequest(`${API}/alerts/${alertId}/comment`, { ...options, env: faulty }),
        effects: () => queryCount(said),
      };
    },
  },
  ...(["wards", "patients"] as const).flatMap((scope): FaultCase[] => {
    const place = async () => {
      if (scope === "patients") return (await newPatient(world.hospitalId, world.nurse)).id;
      const made = await sendRequest(`${API}/wards`, { as: world.manager, json: { name: `Ward ${uniqueText()}` } });
      return String((await readJson(made)).data.ward_id);
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
            send: (faulty) =>
              sendRequest(`${API}/${scope}/${id}/alert-rules/heart_rate`, { ...put, as: world.nurse, env: faulty }),
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
          await sendRequest(path, { ...put, as: world.nurse });
          const options = { as: world.nurse, method: "DELETE", headers: { "If-Match": '"1"' } };
          return {
            send: (faulty) => sendRequest(path, { ...options, env: faulty }),
            effects: async () => 1 - (await rulesOf(id)),
          };
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
        return sendRequest(`${API}/patients/${monitoredPatient.id}/alert-rules/preview`, { as: world.nurse, json, env: faulty });
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
        send: (faulty) => sendRequest(`${API}/patients/${id}/monitoring`, { ...change, env: faulty }),
        effects: () => queryCount(set),
      };
    },
  },
  ...(["PATCH", "DELETE"] as const).map(
    (method): FaultCase => ({
      name: `${method} /devices/{id}`,
      status: 200,
      retry: "none",
      notifies: true,
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
          send: (faulty) => sendRequest(`${API}/devices/${id}`, { ...options, env: faulty }),
          effects: () => queryCount(changes),
        };
      },
    }),
  ),
  {
    name: "POST /devices/{id}/claim-code",
    status: 201,
    retry: "any",
    notifies: true,
    async attempt() {
      const { id } = await newDevice(world.nurse, null);
      const codes = env.DB.prepare("SELECT count(*) AS n FROM device_claim_codes WHERE device_id = ?").bind(id);
      return {
        send: (faulty) => sendRequest(`${API}/devices/${id}/claim-code`, { as: world.nurse, method: "POST", env: faulty }),
        effects: () => queryCount(codes),
      };
    },
  },
  {
    name: "POST /devices/claim",
    status: 201,
    retry: "none",
    notifies: true,
    used: 404,
    async attempt() {
      const { id } = await newDevice(world.nurse, null);
      const { data } = await readJson(await sendRequest(`${API}/devices/${id}/claim-code`, { as: world.nurse, method: "POST" }));
      const claimed = env.DB.prepare("SELECT count(*) AS n FROM credentials WHERE device_id = ? AND name = 'Claimed'").bind(id);
      return {
        send: (faulty) => sendRequest(`${API}/devices/claim`, { json: { code: data.code }, env: faulty }),
        effects: () => queryCount(claimed),
      };
    },
  },
];
