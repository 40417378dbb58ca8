// Budgets of consents.
import { newConsent, newForeignCode, newOffer, newScope, withTwoRecords } from "../consent-rows.ts";
import { newGrantable as newGrantableAt, newGuardianBody, newGuardianCode, newGuardianship } from "../guardian-rows.ts";
import { API, newPerson, sendRequest } from "../world.ts";
import { type BudgetCase, budget, clinic, getAs, nurse, withNewKey, world } from "./budgets-world.ts";

const person = () => world.self;
const post = (path: string, as: { token: string }, json: object, env: Env) =>
  sendRequest(`${API}/consents${path}`, { as, json, env, ...withNewKey() });
const newGrantable = () => newGrantableAt(clinic.hospitalId, clinic.nurse, world.patient.id, world.self.id);
const newWaiting = async () => newGuardianship(world.patient.id, (await newPerson("patient")).id);
const stepOf = (path: string, as: { token: string }, env: Env) => sendRequest(`${API}/${path}`, { as, method: "POST", env });
let filled: Promise<unknown> | undefined;
/** More consents than a page. */
const fill = () => (filled ??= Promise.all(Array.from({ length: 30 }, () => newConsent(world.patient.id, "denied"))));

/** Lists show a page of 20 out of 30 consents. */
export const consents: BudgetCase[] = [
  [
    "GET /consents",
    "read",
    200,
    budget(1, 220, 0),
    async (e) => {
      await fill();
      return getAs(`/consents?patient_id=${world.patient.id}`, nurse)(e);
    },
  ],
  ["GET /consents, of a person", "read", 200, budget(1, 360, 0), getAs("/consents", person)],
  [
    "GET /consents/{id}",
    "read",
    200,
    budget(1, 20, 0),
    async (e) => getAs(`/consents/${await newConsent(world.patient.id)}`, nurse)(e),
  ],
  [
    "GET /consents/check",
    "read",
    200,
    budget(1, 300, 0),
    (e) => getAs(`/consents/check?patient_id=${world.patient.id}`, nurse)(e),
  ],
  ["GET /consents/offers", "read", 200, budget(1, 60, 0), getAs("/consents/offers", person)],
  [
    "POST /consents",
    "write",
    201,
    budget(3, 120, 30),
    (e) => post("", world.nurse, { patient_id: world.patient.id, purpose: "CAREMGT", ...newScope() }, e),
  ],
  [
    "POST /consents/{id}/grant",
    "write",
    200,
    budget(3, 200, 40),
    async (e) => post(`/${await newGrantable()}/grant`, world.self, { patient_ids: [world.patient.id] }, e),
  ],
  [
    "POST /consents/{id}/deny",
    "write",
    200,
    budget(3, 200, 30),
    async (e) => post(`/${await newConsent(world.patient.id)}/deny`, world.self, {}, e),
  ],
  [
    "POST /consents/{id}/revoke",
    "write",
    200,
    budget(3, 200, 30),
    async (e) => post(`/${await newConsent(world.patient.id, "granted")}/revoke`, world.self, {}, e),
  ],
  [
    "POST /consents/share",
    "write",
    201,
    budget(3, 200, 40),
    (e) =>
      withTwoRecords(world.self, (hospital_id, patientId) =>
        post("/share", world.self, { hospital_id, patient_ids: [patientId], ...newScope() }, e),
      ),
  ],
  [
    "POST /consents/redeem",
    "write",
    201,
    budget(3, 200, 40),
    async (e) => post("/redeem", world.nurse, { code: await newForeignCode(), patient_id: world.patient.id }, e),
  ],
  [
    "POST /consents/offers",
    "write",
    201,
    budget(3, 60, 20),
    (e) => post("/offers", world.self, { patient_ids: [world.patient.id], ...newScope() }, e),
  ],
  [
    "DELETE /consents/offers/{id}",
    "write",
    200,
    budget(2, 40, 20),
    async (e) => {
      const { offerId } = await newOffer(world.self, [world.patient.id]);
      return sendRequest(`${API}/consents/offers/${offerId}`, { as: world.self, method: "DELETE", env: e });
    },
  ],
  ["GET /guardianships", "read", 200, budget(1, 60, 0), getAs("/guardianships", person)],
  [
    "GET /patients/{id}/guardians",
    "read",
    200,
    budget(1, 80, 0),
    (e) => getAs(`/patients/${world.patient.id}/guardians`, nurse)(e),
  ],
  ["POST /guardian-codes", "write", 201, budget(2, 40, 20), (e) => stepOf("guardian-codes", world.self, e)],
  [
    "POST /patients/{id}/guardians",
    "write",
    201,
    budget(3, 120, 30),
    async (e) => {
      const json = newGuardianBody(await newGuardianCode(await newPerson("patient")));
      return sendRequest(`${API}/patients/${world.patient.id}/guardians`, { as: world.nurse, json, env: e });
    },
  ],
  [
    "POST /guardianships/{id}/confirm",
    "write",
    200,
    // Reads the consents of the record, which other lines make, for the requests that wait.
    budget(2, 200, 20),
    async (e) => stepOf(`guardianships/${await newWaiting()}/confirm`, world.nurse, e),
  ],
  [
    "POST /guardianships/{id}/end",
    "write",
    200,
    budget(2, 60, 20),
    async (e) => {
      const path = `${API}/guardianships/${await newWaiting()}/end`;
      return sendRequest(path, { as: world.nurse, json: { reason: "a test" }, env: e });
    },
  ],
];
