// Faults in requests about patients, API keys, hospitals, wards and practitioners.
import { expect } from "vitest";
import { API, env, link, newHospital, newPatient, newPerson, readJson, sendRequest, uniqueText } from "../world.ts";
import { type FaultCase, queryCount, readCase, withNewKey, world } from "./faults-world.ts";

/** How often a row has been changed since its creation. */
const versionsOf = (table: "hospitals" | "wards" | "practitioners", id: string) =>
  // biome-ignore lint/plugin: constants of this file.
  queryCount(env.DB.prepare(`SELECT version - 1 AS n FROM ${table} WHERE id = ?`).bind(id));

const grantBody = () => ({ bytes: 1000, expires_at: new Date(Date.now() + 3_600_000).toISOString(), reason: "Old reports" });

export const hospital: FaultCase[] = [
  readCase("GET /patients", () => `${API}/patients`),
  readCase("GET /patients/{id}", () => `${API}/patients/${world.patient.id}`),
  readCase("GET /patients/search", () => `${API}/patients/search?q=first`),
  readCase("GET /patients/{id}/summary", () => `${API}/patients/${world.patient.id}/summary`),
  readCase("GET /patients/{id}/intake", () => `${API}/patients/${world.patient.id}/intake`),
  readCase("GET /patients/{id}/changes", () => `${API}/patients/${world.patient.id}/changes`),
  readCase(
    "GET /patients/{id}/claim-codes",
    () => `${API}/patients/${world.patient.id}/claim-codes`,
    () => world.nurse,
  ),
  readCase(
    "GET /patients/{id}/links",
    () => `${API}/patients/${world.patient.id}/links`,
    () => world.nurse,
  ),
  readCase(
    "GET /api-keys",
    () => `${API}/api-keys`,
    () => world.manager,
  ),
  {
    name: "POST /patients, with a number",
    status: 201,
    retry: "once",
    async attempt() {
      const json = {
        first_name: "Uma",
        phone: `+91 ${Math.floor(1e9 + Math.random() * 8e9)}`,
        aadhaar_number: "999999990019",
        duplicate_reason: "Other case",
      };
      const options = { as: world.nurse, json, ...withNewKey() };
      const find = `${API}/patients/search?q=${json.phone.replace(/\D/g, "").slice(2)}`;
      return {
        send: (faulty) => sendRequest(`${API}/patients`, { ...options, env: faulty }),
        effects: async () => (await readJson(await sendRequest(find, { as: world.nurse }))).data.length,
      };
    },
  },
  {
    name: "POST /patients/{id}/intake",
    status: 201,
    retry: "once",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const options = { as: world.nurse, json: { symptoms: ["cough"] }, ...withNewKey() };
      return {
        send: (faulty) => sendRequest(`${API}/patients/${id}/intake`, { ...options, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM intake_responses WHERE patient_id = ?").bind(id)),
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
      const { data } = await readJson(
        await sendRequest(`${API}/patients/${id}/claim-codes`, { as: world.nurse, method: "POST" }),
      );
      const person = await newPerson("patient");
      return {
        send: (faulty) =>
          sendRequest(`${API}/patients/claim`, {
            as: person,
            json: { code: data.code, date_of_birth: "1964-03-04" },
            env: faulty,
          }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM patient_links WHERE patient_id = ?").bind(id)),
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
        send: (faulty) => sendRequest(`${API}/patients/${id}`, { ...options, env: faulty }),
        effects: async () => 1 - (await queryCount(env.DB.prepare("SELECT count(*) AS n FROM patients WHERE id = ?").bind(id))),
      };
    },
  },
  {
    name: "POST /api-keys",
    status: 201,
    retry: "once",
    async attempt() {
      const json = { name: `key ${uniqueText()}`, scopes: ["patient:read"] };
      const options = { as: world.manager, json, ...withNewKey() };
      return {
        send: (faulty) => sendRequest(`${API}/api-keys`, { ...options, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM credentials WHERE name = ?").bind(json.name)),
      };
    },
  },
  {
    name: "POST /devices, by a patient",
    status: 201,
    retry: "once",
    notifies: true,
    async attempt() {
      const [options, wearer] = [withNewKey(), await newPerson("patient")];
      await link(wearer, await newPatient(world.hospitalId, world.nurse));
      const made = env.DB.prepare(`SELECT (SELECT count(*) FROM devices WHERE created_by = ?1)
        + (SELECT count(*) FROM device_assignments WHERE created_by = ?1) AS n`).bind(wearer.id);
      return {
        send: (faulty) =>
          sendRequest(`${API}/devices`, { as: wearer, json: { kind: "wearable", name: "x" }, ...options, env: faulty }),
        effects: async () => (await queryCount(made)) / 2,
      };
    },
  },
  {
    name: "POST /patients",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, nurse] = [withNewKey(), await newPerson("nurse", world.hospitalId)];
      const json = { first_name: "Uma", last_name: `canary-${uniqueText()}` };
      return {
        send: (faulty) => sendRequest(`${API}/patients`, { as: nurse, json, ...options, env: faulty }),
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
        send: (faulty) => sendRequest(`${API}/patients/${patient.id}`, { ...change, env: faulty }),
        async effects() {
          const { data } = await readJson(await sendRequest(`${API}/patients/${patient.id}`, { as: world.nurse }));
          expect(data.version === 1 || data.notes === "changed").toBe(true);
          return data.version - 1;
        },
      };
    },
  },
  readCase("GET /hospitals", () => `${API}/hospitals`),
  readCase(
    "GET /hospitals/{id}/members",
    () => `${API}/hospitals/${world.hospitalId}/members`,
    () => world.manager,
  ),
  readCase(
    "GET /hospitals/{id}/storage",
    () => `${API}/hospitals/${world.hospitalId}/storage`,
    () => world.manager,
  ),
  readCase(
    "GET /hospitals/{id}/import-grants",
    () => `${API}/hospitals/${world.hospitalId}/import-grants`,
    () => world.manager,
  ),
  readCase("GET /wards", () => `${API}/wards`),
  readCase("GET /practitioners", () => `${API}/practitioners`),
  {
    name: "PATCH /hospitals/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const home = await newHospital();
      const change = { as: world.admin, method: "PATCH", json: { address: "changed" }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => sendRequest(`${API}/hospitals/${home}`, { ...change, env: faulty }),
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
        send: (faulty) => sendRequest(`${API}/hospitals/${home}`, { ...end, env: faulty }),
        async effects() {
          const changes = await versionsOf("hospitals", home);
          const revoked = env.DB.prepare("SELECT count(revoked_at) AS n FROM sessions WHERE id = ?").bind(nurse.sessionId);
          expect(await queryCount(revoked)).toBe(changes);
          return changes;
        },
      };
    },
  },
  {
    name: "PUT /hospitals/{id}/legal-hold",
    status: 200,
    retry: "any",
    withoutObjects: true,
    async attempt() {
      const home = await newHospital();
      const json = { reason: "Proceedings" };
      return {
        send: (faulty) =>
          sendRequest(`${API}/hospitals/${home}/legal-hold`, { as: world.admin, method: "PUT", json, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM legal_holds WHERE hospital_id = ?").bind(home)),
      };
    },
  },
  {
    name: "DELETE /hospitals/{id}/legal-hold",
    status: 200,
    retry: "any",
    withoutObjects: true,
    async attempt() {
      const home = await newHospital();
      const path = `${API}/hospitals/${home}/legal-hold`;
      await sendRequest(path, { as: world.admin, method: "PUT", json: { reason: "Proceedings" } });
      return {
        send: (faulty) => sendRequest(path, { as: world.admin, method: "DELETE", env: faulty }),
        effects: async () =>
          1 - (await queryCount(env.DB.prepare("SELECT count(*) AS n FROM legal_holds WHERE hospital_id = ?").bind(home))),
      };
    },
  },
  {
    name: "POST /hospitals/{id}/import-grants",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, home] = [withNewKey(), await newHospital()];
      const json = grantBody();
      return {
        send: (faulty) =>
          sendRequest(`${API}/hospitals/${home}/import-grants`, { as: world.admin, json, ...options, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM import_grants WHERE hospital_id = ?").bind(home)),
      };
    },
  },
  {
    name: "DELETE /hospitals/{id}/import-grants/{grant_id}",
    status: 200,
    retry: "none",
    used: 409,
    async attempt() {
      const path = `${API}/hospitals/${world.hospitalId}/import-grants`;
      const id: string = (await readJson(await sendRequest(path, { as: world.admin, json: grantBody() }))).data.grant_id;
      return {
        send: (faulty) => sendRequest(`${path}/${id}`, { as: world.admin, method: "DELETE", env: faulty }),
        effects: () =>
          queryCount(env.DB.prepare("SELECT count(*) AS n FROM import_grants WHERE id = ? AND revoked_at IS NOT NULL").bind(id)),
      };
    },
  },
  {
    name: "POST /wards",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, name] = [withNewKey(), `Ward ${uniqueText()}`];
      return {
        send: (faulty) => sendRequest(`${API}/wards`, { as: world.manager, json: { name }, ...options, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM wards WHERE name = ?").bind(name)),
      };
    },
  },
  {
    name: "PATCH /wards/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const made = await readJson(
        await sendRequest(`${API}/wards`, { as: world.manager, json: { name: `Ward ${uniqueText()}` } }),
      );
      const id: string = made.data.ward_id;
      const change = { as: world.manager, method: "PATCH", json: { is_active: false }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => sendRequest(`${API}/wards/${id}`, { ...change, env: faulty }),
        effects: () => versionsOf("wards", id),
      };
    },
  },
  {
    name: "POST /practitioners",
    status: 201,
    retry: "once",
    async attempt() {
      const [options, doctor] = [withNewKey(), await newPerson("doctor", world.hospitalId)];
      const json = { user_id: doctor.id, about: "canary" };
      return {
        send: (faulty) => sendRequest(`${API}/practitioners`, { as: world.manager, json, ...options, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM practitioners WHERE user_id = ?").bind(doctor.id)),
      };
    },
  },
  {
    name: "PATCH /practitioners/{id}",
    status: 200,
    retry: "none",
    async attempt() {
      const doctor = await newPerson("doctor", world.hospitalId);
      const made = await sendRequest(`${API}/practitioners`, { as: world.manager, json: { user_id: doctor.id } });
      const id: string = (await readJson(made)).data.practitioner_id;
      const change = { as: doctor, method: "PATCH", json: { about: "changed" }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => sendRequest(`${API}/practitioners/${id}`, { ...change, env: faulty }),
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
        send: (faulty) => sendRequest(path, { as: world.manager, method: "PUT", json: { role: "nurse" }, env: faulty }),
        effects: () => queryCount(role),
      };
    },
  },
];
