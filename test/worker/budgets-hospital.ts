// Budgets of patients, devices, hospitals, wards and practitioners.
import { API, ask, env, newHospital, newPatient, newPerson, read, unique } from "../world.ts";
import {
  budget,
  device,
  doctor,
  get,
  keyed,
  type Line,
  nurse,
  practitionerId,
  REPLAYED,
  TOLD,
  wardId,
  world,
} from "./budgets-world.ts";

export const hospitalReads: Line[] = [
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
];

export const hospitalWrites: Line[] = [
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
];
