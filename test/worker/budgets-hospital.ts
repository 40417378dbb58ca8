// Budgets of patients, devices, hospitals, wards and practitioners.
import { API, env, newHospital, newPatient, newPerson, readJson, sendRequest, uniqueText } from "../world.ts";
import {
  type BudgetCase,
  budget,
  device,
  doctor,
  getAs,
  NOTIFIED_OBJECTS,
  nurse,
  practitionerId,
  REPLAYED,
  wardId,
  withNewKey,
  world,
} from "./budgets-world.ts";

const grantBody = () => ({ bytes: 1000, expires_at: new Date(Date.now() + 3_600_000).toISOString(), reason: "Old reports" });

export const hospitalReads: BudgetCase[] = [
  ["GET /patients", "read", 200, budget(1, 20, 0), getAs("/patients", nurse)],
  ["GET /patients/{id}", "read", 200, budget(1, 15, 0), (e) => getAs(`/patients/${world.patient.id}`, doctor)(e)],
  [
    "GET /patients/{id}/care-team",
    "read",
    200,
    budget(1, 22, 0),
    (e) => getAs(`/patients/${world.patient.id}/care-team`, nurse)(e),
  ],
  ["GET /patients/{id}/changes", "read", 200, budget(1, 30, 0), (e) => getAs(`/patients/${world.patient.id}/changes`, nurse)(e)],
  [
    "GET /patients/{id}/claim-codes",
    "read",
    200,
    budget(1, 40, 0),
    (e) => getAs(`/patients/${world.patient.id}/claim-codes`, nurse)(e),
  ],
  ["GET /devices", "read", 200, budget(1, 22, 0), getAs("/devices", nurse)],
  ["GET /devices, by a patient", "read", 200, budget(1, 22, 0), getAs("/devices", () => world.self)],
  ["GET /devices/{id}", "read", 200, budget(1, 15, 0), (e) => getAs(`/devices/${device.id}`, nurse)(e)],
  ["GET /hospitals", "read", 200, budget(1, 10, 0), getAs("/hospitals", nurse)],
  [
    "GET /hospitals/{id}/members",
    "read",
    200,
    budget(1, 28, 0),
    (e) => getAs(`/hospitals/${world.hospitalId}/members`, () => world.manager)(e),
  ],
  [
    "GET /hospitals/{id}/storage",
    "read",
    200,
    budget(1, 30, 0),
    (e) => getAs(`/hospitals/${world.hospitalId}/storage`, () => world.manager)(e),
  ],
  [
    "GET /hospitals/{id}/import-grants",
    "read",
    200,
    budget(1, 20, 0),
    (e) => getAs(`/hospitals/${world.hospitalId}/import-grants`, () => world.manager)(e),
  ],
  ["GET /hospitals/{id}", "read", 200, budget(1, 10, 0), (e) => getAs(`/hospitals/${world.hospitalId}`, nurse)(e)],
  ["GET /wards", "read", 200, budget(1, 175, 0), getAs("/wards", nurse)],
  ["GET /wards (doctor)", "read", 200, budget(1, 180, 0), getAs("/wards", doctor)],
  ["GET /wards/{id}", "read", 200, budget(1, 10, 0), (e) => getAs(`/wards/${wardId}`, nurse)(e)],
  ["GET /practitioners", "read", 200, budget(1, 40, 0), getAs("/practitioners", nurse)],
  ["GET /practitioners (patient)", "read", 200, budget(1, 50, 0), getAs("/practitioners", () => world.self)],
  ["GET /practitioners?specialty", "read", 200, budget(1, 40, 0), getAs("/practitioners?specialty=ICU", nurse)],
  ["GET /practitioners/{id}", "read", 200, budget(1, 15, 0), (e) => getAs(`/practitioners/${practitionerId}`, nurse)(e)],
];

export const hospitalWrites: BudgetCase[] = [
  [
    "POST /patients",
    "write",
    201,
    budget(2, 17, 28),
    (e) => sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, ...withNewKey(), env: e }),
  ],
  [
    "POST /patients, same key",
    "write",
    201,
    budget(3, 10, 10),
    (e) => sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "Uma" }, ...REPLAYED, env: e }),
  ],
  [
    "PATCH /patients/{id}",
    "write",
    200,
    budget(3, 15, 10),
    async (e) => {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      return sendRequest(`${API}/patients/${id}`, {
        as: world.nurse,
        method: "PATCH",
        json: { notes: "x" },
        headers: { "If-Match": '"1"' },
        env: e,
      });
    },
  ],
  [
    "POST /patients, all of the identity",
    "write",
    201,
    // Each row of the search index is written once: prefixes of the names, the phone number and the address.
    budget(2, 100, 130),
    (e) =>
      sendRequest(`${API}/patients`, {
        as: world.nurse,
        json: {
          first_name: "Uma",
          last_name: uniqueText(),
          date_of_birth: "1964-03-04",
          phone: `+91 8${String(Math.floor(Math.random() * 1e9)).padStart(9, "0")}`,
          email: `${uniqueText()}@example.org`,
        },
        ...withNewKey(),
        env: e,
      }),
  ],
  [
    "PATCH /patients/{id}, of what a claim asks for",
    "write",
    200,
    budget(3, 60, 40),
    async (e) => {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const json = { date_of_birth: "1964-03-05", reason: "Typed wrongly" };
      const options = { as: world.nurse, method: "PATCH", headers: { "If-Match": '"1"' } };
      return sendRequest(`${API}/patients/${id}`, { ...options, json, env: e });
    },
  ],
  [
    "POST /patients/{id}/claim-codes",
    "write",
    201,
    budget(2, 30, 20),
    (e) => sendRequest(`${API}/patients/${world.patient.id}/claim-codes`, { as: world.nurse, method: "POST", env: e }),
  ],
  [
    "POST /patients/claim, with a wrong birth date",
    "write",
    404,
    budget(2, 40, 20),
    async (e) => {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const path = `${API}/patients/${id}/claim-codes`;
      const { data } = await readJson(await sendRequest(path, { as: world.nurse, method: "POST" }));
      const json = { code: data.code, date_of_birth: "1964-03-05" };
      return sendRequest(`${API}/patients/claim`, { as: world.self, json, env: e });
    },
  ],
  [
    "PUT /patients/{id}/care-team/{user_id}",
    "write",
    200,
    budget(3, 22, 10),
    (e) =>
      sendRequest(`${API}/patients/${world.patient.id}/care-team/${world.nurse.id}`, { as: world.nurse, method: "PUT", env: e }),
  ],
  [
    "POST /devices",
    "notify",
    201,
    budget(4, 15, 15),
    (e) => sendRequest(`${API}/devices`, { as: world.nurse, json: { kind: "ecg", name: "x" }, ...withNewKey(), env: e }),
  ],
  [
    "POST /devices, by a patient",
    "notify",
    201,
    // Assigned at once: notifies the patient's object and the hospital's live views.
    budget(5, 72, 40, "", NOTIFIED_OBJECTS),
    (e) => sendRequest(`${API}/devices`, { as: world.self, json: { kind: "wearable", name: "x" }, env: e }),
  ],
  [
    "POST /devices/{id}/assignments",
    "notify",
    201,
    // Notifies the patient and the hospital's live views (0004_changes).
    budget(5, 72, 28, "", NOTIFIED_OBJECTS),
    (e) =>
      sendRequest(`${API}/devices/${device.id}/assignments`, { as: world.nurse, json: { patient_id: world.patient.id }, env: e }),
  ],
  [
    "POST /devices/{id}/credentials",
    "notify",
    201,
    budget(3, 22, 12),
    (e) => sendRequest(`${API}/devices/${device.id}/credentials`, { as: world.nurse, json: { name: "x" }, env: e }),
  ],
  ...(
    [
      ["PATCH /hospitals/{id}", "PATCH", { address: "x" }],
      ["DELETE /hospitals/{id}", "DELETE", undefined],
    ] as const
  ).map(
    ([name, method, json]): BudgetCase => [
      name,
      "write",
      200,
      // Notifies its live views (0004_changes).
      budget(3, 30, 17),
      async (e) => {
        const home = await newHospital();
        for (let i = 0; i < 3; i++) await newPerson("nurse", home);
        return sendRequest(`${API}/hospitals/${home}`, { as: world.admin, method, json, headers: { "If-Match": '"1"' }, env: e });
      },
    ],
  ),
  [
    "POST /hospitals/{id}/import-grants",
    "write",
    201,
    budget(3, 15, 12),
    (e) =>
      sendRequest(`${API}/hospitals/${world.hospitalId}/import-grants`, {
        as: world.admin,
        json: grantBody(),
        ...withNewKey(),
        env: e,
      }),
  ],
  [
    "DELETE /hospitals/{id}/import-grants/{grant_id}",
    "write",
    200,
    budget(3, 15, 10),
    async (e) => {
      const path = `${API}/hospitals/${world.hospitalId}/import-grants`;
      const made = await readJson(await sendRequest(path, { as: world.admin, json: grantBody() }));
      return sendRequest(`${path}/${made.data.grant_id}`, { as: world.admin, method: "DELETE", env: e });
    },
  ],
  [
    "POST /wards",
    "write",
    201,
    budget(3, 40, 15),
    (e) => sendRequest(`${API}/wards`, { as: world.manager, json: { name: uniqueText() }, ...withNewKey(), env: e }),
  ],
  [
    "DELETE /wards/{id}, occupied",
    "write",
    409,
    budget(3, 15, 10),
    async (e) => {
      const made = await readJson(await sendRequest(`${API}/wards`, { as: world.manager, json: { name: uniqueText() } }));
      const id: string = made.data.ward_id;
      await env.DB.prepare("UPDATE patients SET ward_id = ? WHERE id = ?").bind(id, world.stranger.id).run();
      return sendRequest(`${API}/wards/${id}`, { as: world.manager, method: "DELETE", headers: { "If-Match": '"1"' }, env: e });
    },
  ],
  [
    "POST /practitioners",
    "write",
    201,
    budget(3, 20, 15),
    async (e) => {
      const { id } = await newPerson("doctor", world.hospitalId);
      return sendRequest(`${API}/practitioners`, { as: world.manager, json: { user_id: id }, ...withNewKey(), env: e });
    },
  ],
  [
    "PATCH /practitioners/{id}, stale",
    "write",
    412,
    budget(3, 15, 10),
    (e) =>
      sendRequest(`${API}/practitioners/${practitionerId}`, {
        as: world.manager,
        method: "PATCH",
        json: { about: "x" },
        headers: { "If-Match": '"9"' },
        env: e,
      }),
  ],
  [
    "PUT /hospitals/{id}/members/{user_id}",
    "write",
    200,
    budget(3, 20, 10),
    async (e) => {
      const { id } = await newPerson("doctor", world.hospitalId);
      const path = `${API}/hospitals/${world.hospitalId}/members/${id}`;
      return sendRequest(path, { as: world.manager, method: "PUT", json: { role: "nurse" }, env: e });
    },
  ],
];
