// Faults in intake.
import { newSubmissionRow } from "../care-rows.ts";
import { API, env, newAddress, newPatient, readJson, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, readCase, withNewKey, world } from "./faults-world.ts";

const FORM = { fields: ["first_name", "chief_complaint"] };
const newLink = async (): Promise<{ intake_link_id: string; token: string }> =>
  (await readJson(await sendRequest(`${API}/intake-links`, { as: world.nurse, json: FORM }))).data;
const newSubmission = async () => {
  const patient = await newPatient(world.hospitalId, world.nurse);
  return newSubmissionRow({ hospitalId: world.hospitalId, patientId: patient.id, submittedBy: world.nurse.id });
};
const count = (from: string, ...values: string[]) =>
  // biome-ignore lint/plugin: a constant of this file with a placeholder.
  queryCount(env.DB.prepare(`SELECT count(*) AS n FROM ${from}`).bind(...values));

/** A review of the first version. @param state after it */
const reviewCase = (step: string, json: object, state: string): FaultCase => ({
  name: `POST /intake-submissions/{id}/${step}`,
  status: 200,
  retry: "none",
  used: 409,
  async attempt() {
    const id = await newSubmission();
    const options = { as: world.nurse, json, headers: { "If-Match": '"1"' } };
    return {
      send: (faulty) => sendRequest(`${API}/intake-submissions/${id}/${step}`, { ...options, env: faulty }),
      effects: () => count("intake_submissions WHERE id = ? AND state = ?", id, state),
    };
  },
});

const addCase = (name: string, path: string, json: object, table: string): FaultCase => ({
  name,
  status: 201,
  retry: "once",
  async attempt() {
    const [options, before] = [withNewKey(), await count(table)];
    return {
      send: (faulty) => sendRequest(API + path, { as: world.nurse, json, ...options, env: faulty }),
      effects: async () => (await count(table)) - before,
    };
  },
});

export const careG: FaultCase[] = [
  readCase("GET /intake-links", () => `${API}/intake-links`),
  addCase("POST /intake-links", "/intake-links", FORM, "intake_links"),
  {
    name: "DELETE /intake-links/{id}",
    status: 200,
    retry: "none",
    used: 409,
    async attempt() {
      const { intake_link_id: id } = await newLink();
      return {
        send: (faulty) => sendRequest(`${API}/intake-links/${id}`, { as: world.nurse, method: "DELETE", env: faulty }),
        effects: () => count("intake_links WHERE revoked_at IS NOT NULL AND id = ?", id),
      };
    },
  },
  {
    name: "POST /intake/open",
    status: 200,
    retry: "any",
    async attempt() {
      const { token } = await newLink();
      const headers = { "CF-Connecting-IP": newAddress() };
      return { send: (faulty) => sendRequest(`${API}/intake/open`, { json: { token }, headers, env: faulty }) };
    },
  },
  {
    name: "POST /intake/submit",
    status: 201,
    retry: "none",
    used: 410,
    async attempt() {
      const { intake_link_id: id, token } = await newLink();
      const json = { token, answers: { first_name: "Asha" } };
      const headers = { "CF-Connecting-IP": newAddress() };
      return {
        send: (faulty) => sendRequest(`${API}/intake/submit`, { json, headers, env: faulty }),
        effects: () => count("intake_submissions WHERE link_id = ?", id),
      };
    },
  },
  addCase("POST /intake-submissions", "/intake-submissions", { answers: { chief_complaint: "Cough" } }, "intake_submissions"),
  readCase("GET /intake-submissions", () => `${API}/intake-submissions`),
  {
    name: "GET /intake-submissions/{id}",
    status: 200,
    retry: "any",
    async attempt() {
      const id = await newSubmission();
      return { send: (faulty) => sendRequest(`${API}/intake-submissions/${id}`, { as: world.nurse, env: faulty }) };
    },
  },
  reviewCase("take", { take: ["chief_complaint"] }, "taken"),
  reviewCase("reject", { reason: "Twice" }, "rejected"),
];
