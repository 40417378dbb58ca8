// Budgets of intake.
import { newSubmissionRow } from "../care-rows.ts";
import { API, newAddress, newPatient, newWorld, readJson, sendRequest, type World } from "../world.ts";
import { type BudgetCase, budget, withNewKey } from "./budgets-world.ts";

/** A hospital of its own, with more links and submissions than a page. */
let world: World;
let made: Promise<void> | undefined;
const makeWorld = () => (made ??= fill());
const FORM = { fields: ["first_name", "chief_complaint"] };
async function fill(): Promise<void> {
  world = await newWorld();
  for (let i = 0; i < 25; i++) {
    await sendRequest(`${API}/intake-links`, { as: world.nurse, json: FORM });
    await newSubmissionRow({
      hospitalId: world.hospitalId,
      patientId: i % 2 ? world.patient.id : null,
      submittedBy: world.nurse.id,
    });
  }
}

async function newLink(): Promise<{ intake_link_id: string; token: string }> {
  await makeWorld();
  return (await readJson(await sendRequest(`${API}/intake-links`, { as: world.nurse, json: FORM }))).data;
}
async function newSubmission(): Promise<string> {
  await makeWorld();
  const patient = await newPatient(world.hospitalId, world.nurse);
  return newSubmissionRow({ hospitalId: world.hospitalId, patientId: patient.id, submittedBy: world.nurse.id });
}
const get = (path: () => string | Promise<string>) => async (env: Env) => {
  await makeWorld();
  return sendRequest(API + (await path()), { as: world.nurse, env });
};
const publicly = (path: string, json: object) => async (env: Env) => {
  const { token } = await newLink();
  return sendRequest(API + path, { json: { token, ...json }, headers: { "CF-Connecting-IP": newAddress() }, env });
};
const review = (step: string, json: object) => async (env: Env) => {
  const id = await newSubmission();
  return sendRequest(`${API}/intake-submissions/${id}/${step}`, { as: world.nurse, json, headers: { "If-Match": "*" }, env });
};

export const careG: BudgetCase[] = [
  ["GET /intake-links", "read", 200, budget(1, 160, 0), get(() => "/intake-links")],
  [
    "POST /intake-links",
    "write",
    201,
    budget(3, 100, 24),
    async (env) => {
      await makeWorld();
      return sendRequest(`${API}/intake-links`, { as: world.nurse, json: FORM, ...withNewKey(), env });
    },
  ],
  [
    "DELETE /intake-links/{id}",
    "write",
    200,
    budget(2, 40, 12),
    async (env) =>
      sendRequest(`${API}/intake-links/${(await newLink()).intake_link_id}`, { as: world.nurse, method: "DELETE", env }),
  ],
  ["POST /intake/open", "read", 200, budget(1, 12, 0), publicly("/intake/open", {})],
  ["POST /intake/submit", "write", 201, budget(2, 80, 30), publicly("/intake/submit", { answers: { first_name: "Asha" } })],
  [
    "POST /intake-submissions",
    "write",
    201,
    budget(3, 100, 24),
    async (env) => {
      await makeWorld();
      const json = { answers: { chief_complaint: "Cough" } };
      return sendRequest(`${API}/intake-submissions`, { as: world.nurse, json, ...withNewKey(), env });
    },
  ],
  ["GET /intake-submissions", "read", 200, budget(1, 160, 0), get(() => "/intake-submissions")],
  [
    "GET /intake-submissions/{id}",
    "read",
    200,
    budget(1, 30, 0),
    get(async () => `/intake-submissions/${await newSubmission()}`),
  ],
  // The submission, the hospital of the record, the record, the change, and the answer.
  ["POST /intake-submissions/{id}/take", "move", 200, budget(4, 140, 40), review("take", { take: ["chief_complaint"] })],
  ["POST /intake-submissions/{id}/reject", "write", 200, budget(2, 50, 16), review("reject", { reason: "Twice" })],
];
