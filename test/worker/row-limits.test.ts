// Every kind of row that callers could create without end has a limit: at it the request gets 409 limit_reached and writes nothing.
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_ENDED_SESSIONS, MAX_SESSIONS } from "../../src/accounts/sessions/sessions.ts";
import { MAX_ALERT_ACTIONS } from "../../src/monitoring/alarm-rules/alert-lifecycle.ts";
import {
  MAX_AMENDED_SAMPLES_PER_PATIENT,
  MAX_AMENDMENTS_PER_SAMPLE,
} from "../../src/monitoring/patient-object/recording/amend-sample.ts";
import { ROW_LIMITS } from "../../src/platform/db/row-limits.ts";
import { renewSignIn } from "../authz.factors.ts";
import { newConsent, newForeignCode, newOffer, newScope } from "../consent-rows.ts";
import { newDocument, newText, uploadVersion } from "../document-files.ts";
import { registerPasskey } from "../factor-steps.ts";
import { newGuardianBody, newGuardianCode, newGuardianship } from "../guardian-rows.ts";
import { withRandomDelays } from "../stores.ts";
import {
  API,
  env,
  link,
  newDevice,
  newPatient,
  newPdf,
  newPerson,
  newWorld,
  PASSWORD,
  type Patient,
  type Person,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";
import { createMonitoredPatient } from "./monitored-patient.ts";
import { type Case, countRows, NEW_ID, post, seed, withEnv } from "./row-limit-cases.ts";
import { LIMIT_CASES as CARE_A } from "./row-limits-care-a.ts";
import { LIMIT_CASES as CARE_B } from "./row-limits-care-b.ts";
import { LIMIT_CASES as CARE_C } from "./row-limits-care-c.ts";
import { LIMIT_CASES as CARE_D } from "./row-limits-care-d.ts";
import { LIMIT_CASES as CARE_E } from "./row-limits-care-e.ts";
import { LIMIT_CASES as CARE_F } from "./row-limits-care-f.ts";
import { LIMIT_CASES as CARE_G } from "./row-limits-care-g.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

/** @returns the prefix of the ids */
async function seedUsers(n: number): Promise<string> {
  const prefix = uniqueText();
  const columns = "id, email_index, profile_sealed, password_hash, password_changed_at, created_at, updated_at";
  await seed(n, `INSERT INTO users (${columns}) SELECT ?2 || n, ?2 || n, 'x', 'x', 1, 1, 1 FROM k`, prefix);
  return prefix;
}

async function newCode(nurse: Person, { id }: Patient): Promise<string> {
  return (await readJson(await sendRequest(`${API}/patients/${id}/claim-codes`, { as: nurse, method: "POST" }))).data.code;
}

/** Of every patient of the tests. */
const PROOF = { date_of_birth: "1964-03-04" };

async function fillPatient(hospitalId: string): Promise<Patient> {
  return newPatient(hospitalId, world.nurse);
}

const CASES: Case[] = [
  ...CARE_A,
  ...CARE_B,
  ...CARE_C,
  ...CARE_D,
  ...CARE_E,
  ...CARE_F,
  ...CARE_G,
  {
    name: "POST /wards",
    limit: "wards",
    status: 201,
    arrange: async (max) => {
      const { hospitalId, manager } = await newWorld();
      const count = () => countRows("wards WHERE hospital_id = ?", hospitalId);
      const insert = `INSERT INTO wards (id, hospital_id, name, created_at, updated_at) SELECT ${NEW_ID}, ?2, 'Ward ' || n, 1, 1 FROM k`;
      await seed(max - 1, insert, hospitalId);
      return { add: (over) => post("/wards", manager, { name: uniqueText() }, withEnv(over)), count };
    },
  },
  {
    name: "POST /hospitals",
    limit: "hospitals",
    status: 201,
    arrange: async (max) => {
      const count = () => countRows("hospitals");
      const missing = max - 1 - (await count());
      await seed(missing, `INSERT INTO hospitals (id, name, created_at, updated_at) SELECT 'limit-' || n, 'H', 1, 1 FROM k`);
      return { add: (over) => post("/hospitals", world.admin, { name: uniqueText() }, withEnv(over)), count };
    },
  },
  ...(["POST /users", "PUT /hospitals/{id}/members/{user_id}", "POST /auth/invitations/join"] as const).map(
    (name): Case => ({
      name,
      limit: "members",
      status: name === "POST /users" ? 201 : 200,
      arrange: async (max) => {
        const { hospitalId, manager } = await newWorld();
        const count = () => countRows("memberships WHERE hospital_id = ?", hospitalId);
        const missing = max - 1 - (await count());
        const prefix = await seedUsers(missing);
        const insert = `INSERT INTO memberships (user_id, hospital_id, role, created_by, created_at, ended_at)
          SELECT ?2 || n, ?3, 'nurse', 'x', 1, 2 FROM k`;
        await seed(missing, insert, prefix, hospitalId);
        const password = "a long enough passphrase";
        const create = (over?: Env) =>
          post(
            "/users",
            manager,
            { email: `${uniqueText()}@example.org`, full_name: "A B", role: "nurse", password },
            withEnv(over),
          );
        const place = async (over?: Env) => {
          const { id } = await newPerson("patient");
          const options = { as: world.admin, method: "PUT", json: { role: "nurse" }, ...withEnv(over) };
          return sendRequest(`${API}/hospitals/${hospitalId}/members/${id}`, options);
        };
        const join = async (over?: Env) => {
          const person = await newPerson("patient");
          const invited = await readJson(await post("/users/invite", manager, { email: person.email, role: "nurse" }));
          return post("/auth/invitations/join", person, { token: invited.data.token }, withEnv(over));
        };
        return { add: { "POST /users": create, "POST /auth/invitations/join": join }[String(name)] ?? place, count };
      },
    }),
  ),
  {
    name: "POST /users/invite",
    limit: "recentInvitations",
    status: 201,
    arrange: async (max) => {
      const { hospitalId, manager } = await newWorld();
      const count = () => countRows("invitations WHERE hospital_id = ?", hospitalId);
      const columns = "id, token_hash, hospital_id, role, email_index, invitee_sealed, created_by, created_at, expires_at";
      const insert = `INSERT INTO invitations (${columns}) SELECT ${NEW_ID}, ${NEW_ID}, ?2, 'nurse', 'x', 'x', 'x', ?3, ?3 FROM k`;
      await seed(max - 1, insert, hospitalId, Date.now());
      const add = (over?: Env) =>
        post("/users/invite", manager, { email: `${uniqueText()}@example.org`, role: "nurse" }, withEnv(over));
      return { add, count };
    },
  },
  {
    name: "POST /devices",
    limit: "devices",
    status: 201,
    arrange: async (max) => {
      const { hospitalId, nurse } = await newWorld();
      const count = () => countRows("devices WHERE hospital_id = ?", hospitalId);
      const columns = "id, hospital_id, kind, name, created_by, created_at, updated_at";
      await seed(max - 1, `INSERT INTO devices (${columns}) SELECT ${NEW_ID}, ?2, 'ecg', 'D', 'x', 1, 1 FROM k`, hospitalId);
      return { add: (over) => post("/devices", nurse, { kind: "ecg", name: "One more" }, withEnv(over)), count };
    },
  },
  ...(
    [
      ["currentOwnDevices", 1],
      ["ownDevices", 0],
    ] as const
  ).map(
    ([limit, active]): Case => ({
      name: "POST /devices, of a patient",
      limit,
      status: 201,
      arrange: async (max) => {
        const { hospitalId, self, patient } = await newWorld();
        const count = () => countRows("devices WHERE owner_patient_id = ?", patient.id);
        const columns = "id, hospital_id, kind, name, active, owner_patient_id, created_by, created_at, updated_at";
        const insert = `INSERT INTO devices (${columns}) SELECT ${NEW_ID}, ?2, 'ecg', 'D', CAST(?3 AS INTEGER), ?4, 'x', 1, 1 FROM k`;
        await seed(max - 1, insert, hospitalId, active, patient.id);
        return { add: (over) => post("/devices", self, { kind: "wearable", name: "One more" }, withEnv(over)), count };
      },
    }),
  ),
  ...(
    [
      ["deviceCredentials", 1],
      ["validDeviceCredentials", null],
    ] as const
  ).flatMap(([limit, revokedAt]) =>
    ["POST /devices/{id}/credentials", "POST /devices/claim"].map(
      (name): Case => ({
        name,
        limit,
        status: 201,
        arrange: async (max) => {
          const { nurse, hospitalId } = world;
          const { id } = await newDevice(nurse, null);
          const count = () => countRows("credentials WHERE device_id = ?", id);
          const columns = "id, kind, device_id, hospital_id, name, secret_hash, scopes, created_by, created_at, revoked_at";
          const insert = `INSERT INTO credentials (${columns}) SELECT ${NEW_ID}, 'device', ?2, ?3, 'x', 'x', 'x', 'x', 1, ${revokedAt} FROM k`;
          await seed(max - 1 - (await count()), insert, id, hospitalId);
          const claim = async (over?: Env) => {
            const issued = await readJson(await sendRequest(`${API}/devices/${id}/claim-code`, { as: nurse, method: "POST" }));
            return sendRequest(`${API}/devices/claim`, { json: { code: issued.data.code }, ...withEnv(over) });
          };
          const issue = (over?: Env) => post(`/devices/${id}/credentials`, nurse, { name: "one more" }, withEnv(over));
          return { add: name === "POST /devices/claim" ? claim : issue, count };
        },
      }),
    ),
  ),
  ...["POST /api-keys", "POST /api-keys/{id}/rotate"].map(
    (name): Case => ({
      name,
      limit: "apiKeys",
      status: 201,
      arrange: async (max) => {
        const { hospitalId, manager } = await newWorld();
        const create = (over?: Env) => post("/api-keys", manager, { name: "x", scopes: ["patient:read"] }, withEnv(over));
        const first = (await readJson(await create())).data.api_key_id;
        const count = () => countRows("credentials WHERE kind = 'app' AND hospital_id = ?", hospitalId);
        const columns = "id, kind, hospital_id, name, secret_hash, scopes, created_by, created_at, revoked_at";
        const insert = `INSERT INTO credentials (${columns}) SELECT ${NEW_ID}, 'app', ?2, 'x', 'x', 'x', 'x', 1, 1 FROM k`;
        await seed(max - 1 - (await count()), insert, hospitalId);
        const rotate = (over?: Env) => post(`/api-keys/${first}/rotate`, manager, { grace_days: 1 }, withEnv(over));
        return { add: name === "POST /api-keys" ? create : rotate, count };
      },
    }),
  ),
  {
    name: "POST /webhooks",
    limit: "webhooks",
    status: 201,
    arrange: async (max) => {
      const { hospitalId, manager } = await newWorld();
      const json = { url: "https://his.example.org/", events: ["alert.raised"] };
      const columns = "id, hospital_id, url_sealed, events, secrets_sealed, created_by, created_at, updated_at";
      await seed(max - 1, `INSERT INTO webhooks (${columns}) SELECT ${NEW_ID}, ?2, 'x', 'x', 'x', 'x', 1, 1 FROM k`, hospitalId);
      const add = (over?: Env) => post("/webhooks", manager, json, withEnv(over));
      return { add, count: () => countRows("webhooks WHERE hospital_id = ?", hospitalId) };
    },
  },
  {
    name: "PUT /hospitals/{id}/privacy-officers/{user_id}",
    limit: "privacyOfficers",
    status: 200,
    arrange: async (max) => {
      const { hospitalId, manager } = await newWorld();
      const prefix = await seedUsers(max - 1);
      const columns = "user_id, hospital_id, role, created_by, created_at, privacy_officer";
      await seed(
        max - 1,
        `INSERT INTO memberships (${columns}) SELECT ?2 || n, ?3, 'nurse', 'x', 1, 1 FROM k`,
        prefix,
        hospitalId,
      );
      const add = async (over?: Env) => {
        const { id } = await newPerson("nurse", hospitalId);
        const options = { as: manager, method: "PUT", ...withEnv(over) };
        return sendRequest(`${API}/hospitals/${hospitalId}/privacy-officers/${id}`, options);
      };
      return { add, count: () => countRows("memberships WHERE hospital_id = ? AND privacy_officer = 1", hospitalId) };
    },
  },
  ...(["openQuestions", "questions"] as const).map(
    (limit): Case => ({
      name: `POST /privacy-questions, ${limit}`,
      limit,
      status: 201,
      arrange: async (max) => {
        const { hospitalId, nurse, self, patient } = await newWorld();
        const columns = "id, hospital_id, kind, ref_id, patient_id, status, content_sealed, opened_by, opened_at";
        const status = limit === "openQuestions" ? "open" : "closed";
        const insert = `INSERT INTO privacy_reviews (${columns})
          SELECT ${NEW_ID}, ?2, 'question', ${NEW_ID}, ?3, ?4, 'x', 'x', 1 FROM k`;
        await seed(max - 1, insert, hospitalId, patient.id, status);
        const add = async (over?: Env) => {
          await sendRequest(`${API}/patients/${patient.id}`, { as: nurse });
          const { data } = await readJson(await sendRequest(`${API}/audit-events?event=patient.read&limit=1`, { as: self }));
          return post("/privacy-questions", self, { event_id: data[0].id, text: "Why?" }, withEnv(over));
        };
        return { add, count: () => countRows("privacy_reviews WHERE patient_id = ?", patient.id) };
      },
    }),
  ),
  {
    name: "POST /devices/{id}/assignments",
    limit: "deviceAssignments",
    status: 201,
    arrange: async (max) => {
      const { nurse, patient } = world;
      const { id } = await newDevice(nurse, null);
      const count = () => countRows("device_assignments WHERE device_id = ?", id);
      const columns = "id, device_id, patient_id, started_at, ended_at, created_by";
      await seed(
        max - 1,
        `INSERT INTO device_assignments (${columns}) SELECT ${NEW_ID}, ?2, ?3, 1, 2, 'x' FROM k`,
        id,
        patient.id,
      );
      return { add: (over) => post(`/devices/${id}/assignments`, nurse, { patient_id: patient.id }, withEnv(over)), count };
    },
  },
  {
    name: "POST /devices/{id}/assignments, of one patient",
    limit: "recentPatientAssignments",
    status: 201,
    arrange: async (max) => {
      const { nurse, hospitalId } = world;
      const patient = await fillPatient(hospitalId);
      const { id } = await newDevice(nurse, null);
      const other = await newDevice(nurse, null);
      const count = () => countRows("device_assignments WHERE patient_id = ?", patient.id);
      const columns = "id, device_id, patient_id, started_at, ended_at, created_by";
      const insert = `INSERT INTO device_assignments (${columns}) SELECT ${NEW_ID}, ?2, ?3, ?4, ?4, 'x' FROM k`;
      await seed(max - 1, insert, other.id, patient.id, Date.now());
      return { add: (over) => post(`/devices/${id}/assignments`, nurse, { patient_id: patient.id }, withEnv(over)), count };
    },
  },
  ...[
    ["PATCH /reports/{id}", "PATCH", "", () => ({ kind: "other", reason: "x" })] as const,
    ["POST /reports/{id}/move", "POST", "/move", () => ({ patient_id: world.stranger.id, reason: "x" })] as const,
  ].map(
    ([name, method, path, json]): Case => ({
      name,
      limit: "reportChanges",
      status: 200,
      arrange: async (max) => {
        const { nurse, patient } = world;
        const sent = await uploadReport(nurse, newPdf(), { patient_id: patient.id });
        const id: string = (await readJson(sent)).data.report_id;
        const count = () => countRows("report_changes WHERE report_id = ?", id);
        const columns = "id, report_id, what, version, changed_by, changed_at, detail_sealed";
        await seed(
          max - 1,
          `INSERT INTO report_changes (${columns}) SELECT ${NEW_ID}, ?2, 'corrected', 1, 'x', 1, 'x' FROM k`,
          id,
        );
        let target = json();
        const add = (over?: Env) => {
          const headers = { "If-Match": "*" };
          const response = sendRequest(`${API}/reports/${id}${path}`, {
            as: nurse,
            method,
            json: target,
            headers,
            ...withEnv(over),
          });
          target = method === "POST" ? { patient_id: patient.id, reason: "x" } : { kind: "ecg", reason: "x" };
          return response;
        };
        return { add, count };
      },
    }),
  ),
  {
    name: "POST /consents",
    limit: "openConsentRequests",
    status: 201,
    arrange: async (max) => {
      const { nurse, hospitalId } = world;
      const { id } = await newPatient(hospitalId, nurse);
      for (let i = 1; i < max; i++) await newConsent(id);
      const json = { patient_id: id, purpose: "CAREMGT", ...newScope() };
      return {
        add: (over) => post("/consents", nurse, json, withEnv(over)),
        count: () => countRows("consents WHERE patient_id = ?", id),
      };
    },
  },
  {
    name: "POST /consents/redeem",
    limit: "liveConsents",
    status: 201,
    arrange: async (max) => {
      const { nurse, hospitalId } = world;
      const { id } = await newPatient(hospitalId, nurse);
      for (let i = 1; i < max; i++) await newConsent(id, "granted");
      const codes = [await newForeignCode(), await newForeignCode(), await newForeignCode()];
      const add = (over?: Env) => post("/consents/redeem", nurse, { code: codes.pop(), patient_id: id }, withEnv(over));
      return { add, count: () => countRows("consents WHERE patient_id = ?", id) };
    },
  },
  {
    name: "POST /consents/offers",
    limit: "openConsentOffers",
    status: 201,
    arrange: async (max) => {
      const { nurse, hospitalId } = world;
      const [person, patient] = [await newPerson("patient"), await newPatient(hospitalId, nurse)];
      await link(person, patient);
      for (let i = 1; i < max; i++) await newOffer(person, [patient.id]);
      const json = { patient_ids: [patient.id], ...newScope() };
      const add = (over?: Env) => post("/consents/offers", person, json, withEnv(over));
      return { add, count: () => countRows("consent_offers WHERE user_id = ?", person.id) };
    },
  },
  {
    name: "POST /patients/{id}/guardians",
    limit: "recordGuardians",
    status: 201,
    arrange: async (max) => {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      for (let i = 1; i < max; i++) await newGuardianship(id, (await newPerson("patient")).id);
      const add = async (over?: Env) => {
        const json = newGuardianBody(await newGuardianCode(await newPerson("patient")));
        return post(`/patients/${id}/guardians`, world.nurse, json, withEnv(over));
      };
      return { add, count: () => countRows("guardianships WHERE patient_id = ?", id) };
    },
  },
  {
    name: "POST /patients/{id}/guardians",
    limit: "guardianRecords",
    status: 201,
    arrange: async (max) => {
      const [guardian, other] = [await newPerson("patient"), await newPatient(world.hospitalId, world.nurse)];
      for (let i = 1; i < max; i++) await newGuardianship(other.id, guardian.id);
      const add = async (over?: Env) => {
        const { id } = await newPatient(world.hospitalId, world.nurse);
        return post(`/patients/${id}/guardians`, world.nurse, newGuardianBody(await newGuardianCode(guardian)), withEnv(over));
      };
      return { add, count: () => countRows("guardianships WHERE guardian_id = ?", guardian.id) };
    },
  },
  {
    name: "POST /documents/{id}/versions",
    limit: "documentVersions",
    status: 201,
    arrange: async (max) => {
      const { nurse, patient } = world;
      const series = await newDocument(nurse, patient.id);
      const columns = `patient_id, hospital_id, type_code, date_at, title_sealed, file_name_sealed, content_type, file_size, sha256,
        uploaded_by_kind, uploaded_by, created_at, updated_at`;
      const count = () => countRows("documents WHERE series_id = ?", series);
      await env.DB.prepare("UPDATE documents SET series_version = CAST(? AS INTEGER) WHERE id = ?")
        .bind(max - 1, series)
        .run();
      await seed(
        max - 2,
        `INSERT INTO documents (id, series_id, series_version, status, file_key, ${columns}) SELECT ${NEW_ID}, ?2, n, 'superseded',
          'key' || n || ?2, ${columns} FROM k, documents WHERE documents.id = ?2`,
        series,
      );
      const newest = env.DB.prepare("SELECT id FROM documents WHERE series_id = ? AND status = 'current'").bind(series);
      const add = async (over?: Env) =>
        uploadVersion(nurse, (await newest.first<string>("id")) ?? "", newText(), "*", {}, withEnv(over));
      return { add, count };
    },
  },
  ...(["erasure", "hold"] as const).map(
    (name): Case => ({
      name: `POST /patients/{id}/${name}`,
      limit: name === "erasure" ? "erasureRequests" : "patientHolds",
      status: 201,
      arrange: async (max) => {
        const { manager, hospitalId } = world;
        const { id } = await fillPatient(hospitalId);
        const [table, columns, values] =
          name === "erasure"
            ? ["erasures", "state, requested_by, requested_at", "'rejected', 'x', 1"]
            : ["patient_holds", "reason_sealed, set_by, set_at, released_at", "'x', 'x', 1, 1"];
        const insert = `INSERT INTO ${table} (id, patient_id, hospital_id, ${columns}) SELECT ${NEW_ID}, ?2, ?3, ${values} FROM k`;
        await seed(max - 1, insert, id, hospitalId);
        const add = async (over?: Env) => {
          await renewSignIn(manager.sessionId);
          return post(`/patients/${id}/${name}`, manager, { reason: "Asked for" }, withEnv(over));
        };
        return { add, count: () => countRows(`${table} WHERE patient_id = ?`, id) };
      },
    }),
  ),
  {
    name: "POST /patients/{id}/intake",
    limit: "intakes",
    status: 201,
    arrange: async (max) => {
      const { nurse, hospitalId } = world;
      const { id } = await fillPatient(hospitalId);
      const count = () => countRows("intake_responses WHERE patient_id = ?", id);
      const columns = "id, patient_id, answers_sealed, authored_by, authored_at";
      await seed(max - 1, `INSERT INTO intake_responses (${columns}) SELECT ${NEW_ID}, ?2, 'x', 'x', 1 FROM k`, id);
      return { add: (over) => post(`/patients/${id}/intake`, nurse, { chief_complaint: "x" }, withEnv(over)), count };
    },
  },
  ...["PUT /patients/{id}/care-team/{user_id}", "PATCH /patients/{id}"].map(
    (name): Case => ({
      name,
      limit: "currentCareTeam",
      status: 200,
      arrange: async (max) => {
        const { nurse, hospitalId } = world;
        const { id } = await fillPatient(hospitalId);
        const count = () => countRows("care_team WHERE ended_at IS NULL AND patient_id = ?", id);
        const prefix = await seedUsers(max - 1);
        await seed(
          max - 1,
          "INSERT INTO care_team (patient_id, user_id, added_by, started_at) SELECT ?2, ?3 || n, 'x', 1 FROM k",
          id,
          prefix,
        );
        const add = async (over?: Env) => {
          const doctor = await newPerson("doctor", hospitalId);
          if (name.startsWith("PUT"))
            return sendRequest(`${API}/patients/${id}/care-team/${doctor.id}`, { as: nurse, method: "PUT", ...withEnv(over) });
          const { data } = await readJson(await sendRequest(`${API}/patients/${id}`, { as: nurse }));
          const headers = { "If-Match": `"${data.version}"` };
          const json = { assigned_doctor_id: doctor.id };
          return sendRequest(`${API}/patients/${id}`, { as: nurse, method: "PATCH", headers, json, ...withEnv(over) });
        };
        return { add, count };
      },
    }),
  ),
  {
    name: "PATCH /patients/{id}, of the identity",
    limit: "patientChanges",
    status: 200,
    arrange: async (max) => {
      const { nurse, hospitalId } = world;
      const { id } = await fillPatient(hospitalId);
      const count = () => countRows("patient_changes WHERE patient_id = ?", id);
      const columns = "id, patient_id, changed_by, changed_by_kind, changed_at, change_sealed";
      await seed(max - 1, `INSERT INTO patient_changes (${columns}) SELECT ?2 || n, ?2, 'x', 'user', 1, 'x' FROM k`, id);
      const add = async (over?: Env) => {
        const { data } = await readJson(await sendRequest(`${API}/patients/${id}`, { as: nurse }));
        const headers = { "If-Match": `"${data.version}"` };
        const json = { address: uniqueText() };
        return sendRequest(`${API}/patients/${id}`, { as: nurse, method: "PATCH", headers, json, ...withEnv(over) });
      };
      return { add, count };
    },
  },
  {
    name: "POST /patients/claim, of one record",
    limit: "patientLogins",
    status: 200,
    arrange: async (max) => {
      const { nurse, hospitalId } = world;
      const patient = await fillPatient(hospitalId);
      const count = () => countRows("patient_links WHERE patient_id = ?", patient.id);
      const prefix = await seedUsers(max - 1);
      const columns = "user_id, patient_id, method, verified_by, created_at";
      await seed(
        max - 1,
        `INSERT INTO patient_links (${columns}) SELECT ?2 || n, ?3, 'claim_code', 'x', 1 FROM k`,
        prefix,
        patient.id,
      );
      const add = async (over?: Env) =>
        post("/patients/claim", await newPerson("patient"), { code: await newCode(nurse, patient), ...PROOF }, withEnv(over));
      return { add, count };
    },
  },
  {
    name: "POST /patients/claim, by one account",
    limit: "accountRecords",
    status: 200,
    arrange: async (max) => {
      const { nurse, hospitalId } = world;
      const person = await newPerson("patient");
      const count = () => countRows("patient_links WHERE user_id = ?", person.id);
      for (let i = 1; i < max; i += 10) {
        const records = await Promise.all(Array.from({ length: Math.min(10, max - i) }, () => fillPatient(hospitalId)));
        const insert = env.DB.prepare(
          "INSERT INTO patient_links (user_id, patient_id, method, verified_by, created_at) VALUES (?, ?, 'claim_code', 'x', 1)",
        );
        await env.DB.batch(records.map(({ id }) => insert.bind(person.id, id)));
      }
      const add = async (over?: Env) =>
        post("/patients/claim", person, { code: await newCode(nurse, await fillPatient(hospitalId)), ...PROOF }, withEnv(over));
      return { add, count };
    },
  },
  {
    name: "POST /auth/passkeys",
    limit: "passkeys",
    status: 201,
    arrange: async (max) => {
      const person = await newPerson("patient");
      const columns = "id, user_id, credential_id, public_key, counter, transports, is_backed_up, name_sealed, created_at";
      await seed(
        max - 1,
        `INSERT INTO passkeys (${columns}) SELECT ?2 || n, ?2, ?2 || n, 'AA', 0, '', 0, 'x', 1 FROM k`,
        person.id,
      );
      await renewSignIn(person.sessionId);
      const add = async (over?: Env) => (await registerPasskey(person, {}, "Key", over)).response;
      return { add, count: () => countRows("passkeys WHERE user_id = ?", person.id) };
    },
  },
  {
    name: "POST /alerts/{id}/comment",
    limit: "alertComments",
    status: 200,
    arrange: async (max) => {
      const { alertId } = await createMonitoredPatient(world);
      const count = () => countRows("alert_events WHERE n < 0 AND alert_id = ?", alertId);
      await seed(max - 1, "INSERT INTO alert_events (alert_id, n, what, at) SELECT ?2, -n, 'commented', 1 FROM k", alertId);
      return { add: (over) => post(`/alerts/${alertId}/comment`, world.nurse, { text: "One more" }, withEnv(over)), count };
    },
  },
];

describe("the last row fits, and one more gets 409 limit_reached:", () => {
  it.each(CASES.map((c) => [`${c.name} (${c.limit})`, c] as const))("%s", async (_, { limit, status, arrange }) => {
    const { max, detail } = ROW_LIMITS[limit];
    const { add, count } = await arrange(max);
    const before = await count();
    const last = await add();
    expect(last.status, await last.clone().text()).toBe(status);
    expect(await count()).toBe(before + 1);
    for (let i = 0; i < 2; i++) {
      const refused = await add();
      expect(refused.status).toBe(409);
      expect(await readJson(refused)).toMatchObject({ code: "limit_reached", status: 409, detail });
    }
    expect(await count()).toBe(before + 1);
  });

  it("every limit has a case", () => {
    expect([...new Set(CASES.map(({ limit }) => limit))].sort()).toEqual(Object.keys(ROW_LIMITS).sort());
  });

  it("five at the same time for one place: one succeeds", async () => {
    const wards = CASES.find(({ limit }) => limit === "wards");
    if (!wards) throw new Error("no case");
    const { add, count } = await wards.arrange(ROW_LIMITS.wards.max);
    const statuses = await Promise.all(Array.from({ length: 5 }, async () => (await add(withRandomDelays(env))).status));
    expect(statuses.sort()).toEqual([201, 409, 409, 409, 409]);
    expect(await count()).toBe(ROW_LIMITS.wards.max);
  });

  it("a count before the insert would let several pass (the known-bad twin)", async () => {
    const { hospitalId } = await newWorld();
    const delayed = withRandomDelays(env);
    const countThenInsert = async () => {
      const n = await delayed.DB.prepare("SELECT count(*) AS n FROM wards WHERE hospital_id = ?")
        .bind(hospitalId)
        .first<number>("n");
      if ((n ?? 0) >= 1) return;
      await delayed.DB.prepare("INSERT INTO wards (id, hospital_id, name, created_at, updated_at) VALUES (?1, ?2, ?1, 1, 1)")
        .bind(uniqueText(), hospitalId)
        .run();
    };
    await Promise.all(Array.from({ length: 5 }, countThenInsert));
    expect(await countRows("wards WHERE hospital_id = ?", hospitalId)).toBeGreaterThan(1);
  });
});

describe("what an object keeps:", () => {
  const amend = (id: string, value: number) =>
    sendRequest(`${API}/observations/${id}`, {
      as: world.nurse,
      method: "PATCH",
      json: { status: "amended", value, reason: "artefact" },
    });

  it("amendments of one sample", async () => {
    const { observationId } = await createMonitoredPatient(world);
    for (let i = 0; i < MAX_AMENDMENTS_PER_SAMPLE; i++) expect((await amend(observationId, 60 + i)).status).toBe(200);
    const refused = await amend(observationId, 99);
    expect([refused.status, (await readJson(refused)).code]).toEqual([409, "limit_reached"]);
    const entered = await readJson(
      await sendRequest(`${API}/observations/${observationId}`, {
        as: world.nurse,
        method: "PATCH",
        json: { status: "entered-in-error", reason: "artefact" },
      }),
    );
    expect(entered.code).toBe("limit_reached");
  });

  it("amended samples of one patient", async () => {
    const { id, observationId } = await createMonitoredPatient(world);
    const body = JSON.stringify({ v: 1, status: "amended", value: 1, by: "x", reason: "x", at: 1, before: [] });
    const fill = (max: number) =>
      runInDurableObject(env.PATIENT_MONITOR.getByName(id), (_, state) => {
        state.storage.sql.exec("DELETE FROM corrections");
        state.storage.sql.exec(
          `WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < CAST(? AS INTEGER))
          INSERT INTO corrections (block, place, body) SELECT -n, 0, ? FROM k`,
          max,
          body,
        );
      });
    await fill(MAX_AMENDED_SAMPLES_PER_PATIENT);
    const refused = await amend(observationId, 70);
    expect([refused.status, (await readJson(refused)).code]).toEqual([409, "limit_reached"]);
    await fill(MAX_AMENDED_SAMPLES_PER_PATIENT - 1);
    expect((await amend(observationId, 70)).status).toBe(200);
    // The sample is amended already, so this adds no row.
    expect((await amend(observationId, 71)).status).toBe(200);
  });

  it("assignments and snoozes of one alert, which can still be acknowledged and resolved", async () => {
    const { alertId } = await createMonitoredPatient(world);
    const act = (what: string, json: object) => post(`/alerts/${alertId}/${what}`, world.nurse, json);
    for (let i = 0; i < MAX_ALERT_ACTIONS; i++) {
      const response =
        i % 2 ? await act("snooze", { minutes: 5 }) : await act("assign", { user_id: i % 4 ? null : world.nurse.id });
      expect(response.status).toBe(200);
    }
    for (const refused of [await act("snooze", { minutes: 5 }), await act("assign", { user_id: world.doctor.id })]) {
      expect([refused.status, (await readJson(refused)).code]).toEqual([409, "limit_reached"]);
    }
    const plain = (what: string) => sendRequest(`${API}/alerts/${alertId}/${what}`, { as: world.nurse, method: "POST" });
    expect((await plain("acknowledge")).status).toBe(200);
    expect((await plain("resolve")).status).toBe(200);
  });
});

describe("rows that make room for new ones:", () => {
  it("ended sessions of an account", async () => {
    const person = await newPerson("patient");
    const columns = "id, user_id, rotated_at, created_at, idle_expires_at, expires_at, revoked_at, revoked_reason, client_sealed";
    const insert = `INSERT INTO sessions (${columns}) SELECT ${NEW_ID}, ?2, 1, n, 1, 1, 1, 'logout', 'x' FROM k`;
    await seed(300, insert, person.id);
    for (let i = 0; i < 3; i++) {
      const json = { email: person.email, password: PASSWORD };
      expect((await sendRequest(`${API}/auth/login`, { json })).status).toBe(200);
    }
    const ended = "sessions WHERE revoked_at IS NOT NULL AND user_id = ?";
    expect(await countRows(ended, person.id)).toBe(MAX_ENDED_SESSIONS);
    expect(await countRows("sessions WHERE user_id = ?", person.id)).toBeLessThanOrEqual(MAX_ENDED_SESSIONS + MAX_SESSIONS);
    // The newest ended ones stay, and the session of the test.
    expect(await countRows(`${ended} AND created_at <= 200`, person.id)).toBe(0);
    expect((await sendRequest(`${API}/auth/me`, { as: person })).status).toBe(200);
  });

  it("invitations older than 90 days", async () => {
    const { hospitalId, manager } = await newWorld();
    const columns = "id, token_hash, hospital_id, role, email_index, invitee_sealed, created_by, created_at, expires_at";
    const insert = `INSERT INTO invitations (${columns}) SELECT ${NEW_ID}, ${NEW_ID}, ?2, 'nurse', 'x', 'x', 'x', ?3, ?3 FROM k`;
    await seed(ROW_LIMITS.recentInvitations.max, insert, hospitalId, Date.now() - 91 * 86_400_000);
    expect((await post("/users/invite", manager, { email: `${uniqueText()}@example.org`, role: "nurse" })).status).toBe(201);
    expect(await countRows("invitations WHERE hospital_id = ?", hospitalId)).toBe(1);
  });

  it("password reset links of an account: the newest is the valid one", async () => {
    const { manager, nurse } = world;
    let token = "";
    for (let i = 0; i < 25; i++) {
      const issued = await sendRequest(`${API}/users/${nurse.id}/password-reset`, { as: manager, method: "POST" });
      token = (await readJson(issued)).data.token;
    }
    expect(await countRows("password_resets WHERE user_id = ?", nurse.id)).toBe(20);
    const json = { token, new_password: "another quiet river" };
    expect((await sendRequest(`${API}/auth/password/reset`, { json })).status).toBe(200);
  });
});
