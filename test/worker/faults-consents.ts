// Faults in consents.
import { newConsent, newForeignCode, newOffer, newScope } from "../consent-rows.ts";
import { newGrantable as newGrantableAt, newGuardianBody, newGuardianCode, newGuardianship } from "../guardian-rows.ts";
import { API, env, link, newPatient, newPerson, newWorld, type Person, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, readCase, withNewKey, world } from "./faults-world.ts";

const post = (path: string, as: Person, json: object, faulty: Env, more: object = {}) =>
  sendRequest(`${API}/consents${path}`, { as, json, env: faulty, ...more });
const countConsents = (condition: string, value: string) =>
  // biome-ignore lint/plugin: conditions of this file.
  queryCount(env.DB.prepare(`SELECT count(*) AS n FROM consents WHERE ${condition}`).bind(value));

/** A person with a record at the hospital and one elsewhere. */
async function newSharer() {
  const [person, other] = [await newPerson("patient"), await newWorld()];
  const here = await newPatient(world.hospitalId, world.nurse);
  const elsewhere = await newPatient(other.hospitalId, other.nurse);
  for (const record of [here, elsewhere]) await link(person, record);
  return { person, here, elsewhere };
}

/** An answer of the person of the world's patient. A second one is refused. */
const answer = (
  step: "grant" | "deny" | "revoke",
  reached: string,
  newOne: () => Promise<string>,
  json: () => object,
): FaultCase => ({
  name: `POST /consents/{id}/${step}`,
  status: 200,
  retry: "none",
  used: 409,
  async attempt() {
    const id = await newOne();
    return {
      send: (faulty) => post(`/${id}/${step}`, world.self, json(), faulty),
      effects: () => countConsents(`status = '${reached}' AND id = ?`, id),
    };
  },
});
const newGrantable = async () => {
  const other = await newWorld();
  return newGrantableAt(other.hospitalId, other.nurse, world.patient.id, world.self.id);
};

/** A step of a guardianship. A second one is refused. */
const guardianStep = (step: "confirm" | "end", column: "confirmed_at" | "ended_at"): FaultCase => ({
  name: `POST /guardianships/{id}/${step}`,
  status: 200,
  retry: "none",
  used: 409,
  async attempt() {
    const id = await newGuardianship(world.patient.id, (await newPerson("patient")).id);
    return {
      send: (faulty) =>
        sendRequest(`${API}/guardianships/${id}/${step}`, {
          as: world.nurse,
          method: "POST",
          env: faulty,
          ...(step === "end" && { json: { reason: "a test" } }),
        }),
      effects: () => countGuardianships(`id = ? AND ${column} IS NOT NULL`, id),
    };
  },
});
const countGuardianships = (condition: string, value: string) =>
  // biome-ignore lint/plugin: conditions of this file.
  queryCount(env.DB.prepare(`SELECT count(*) AS n FROM guardianships WHERE ${condition}`).bind(value));

export const consents: FaultCase[] = [
  readCase("GET /consents", () => `${API}/consents`),
  readCase("GET /consents/check", () => `${API}/consents/check?patient_id=${world.patient.id}`),
  readCase(
    "GET /consents/offers",
    () => `${API}/consents/offers`,
    () => world.self,
  ),
  {
    name: "POST /consents",
    status: 201,
    retry: "once",
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const [json, options] = [{ patient_id: id, purpose: "CAREMGT", ...newScope() }, withNewKey()];
      return {
        send: (faulty) => post("", world.nurse, json, faulty, options),
        effects: () => countConsents("patient_id = ?", id),
      };
    },
  },
  answer("grant", "granted", newGrantable, () => ({ patient_ids: [world.patient.id] })),
  answer(
    "deny",
    "denied",
    () => newConsent(world.patient.id),
    () => ({}),
  ),
  answer(
    "revoke",
    "revoked",
    () => newConsent(world.patient.id, "granted"),
    () => ({}),
  ),
  {
    name: "POST /consents/share",
    status: 201,
    retry: "once",
    async attempt() {
      const { person, here, elsewhere } = await newSharer();
      const json = { hospital_id: world.hospitalId, patient_ids: [elsewhere.id], ...newScope() };
      const options = withNewKey();
      return {
        send: (faulty) => post("/share", person, json, faulty, options),
        effects: () => countConsents("patient_id = ?", here.id),
      };
    },
  },
  {
    name: "POST /consents/redeem",
    status: 201,
    retry: "none",
    used: 404,
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const json = { code: await newForeignCode(), patient_id: id };
      return {
        send: (faulty) => post("/redeem", world.nurse, json, faulty),
        effects: () => countConsents("patient_id = ?", id),
      };
    },
  },
  {
    // Without a key: a code whose response was lost stays until it expires or is withdrawn.
    name: "POST /consents/offers",
    status: 201,
    retry: "any",
    async attempt() {
      const { person, elsewhere } = await newSharer();
      return { send: (faulty) => post("/offers", person, { patient_ids: [elsewhere.id], ...newScope() }, faulty) };
    },
  },
  {
    name: "DELETE /consents/offers/{id}",
    status: 200,
    retry: "none",
    used: 409,
    async attempt() {
      const { person, elsewhere } = await newSharer();
      const { offerId } = await newOffer(person, [elsewhere.id]);
      const withdrawn = env.DB.prepare("SELECT count(*) AS n FROM consent_offers WHERE id = ? AND withdrawn_at IS NOT NULL");
      return {
        send: (faulty) => sendRequest(`${API}/consents/offers/${offerId}`, { as: person, method: "DELETE", env: faulty }),
        effects: () => queryCount(withdrawn.bind(offerId)),
      };
    },
  },
  readCase(
    "GET /guardianships",
    () => `${API}/guardianships`,
    () => world.self,
  ),
  readCase("GET /patients/{id}/guardians", () => `${API}/patients/${world.patient.id}/guardians`),
  {
    // A code whose response was lost is replaced by the next one.
    name: "POST /guardian-codes",
    status: 201,
    retry: "any",
    async attempt() {
      const person = await newPerson("patient");
      return { send: (faulty) => sendRequest(`${API}/guardian-codes`, { as: person, method: "POST", env: faulty }) };
    },
  },
  {
    name: "POST /patients/{id}/guardians",
    status: 201,
    retry: "none",
    used: 404,
    async attempt() {
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const json = newGuardianBody(await newGuardianCode(await newPerson("patient")));
      return {
        send: (faulty) => sendRequest(`${API}/patients/${id}/guardians`, { as: world.nurse, json, env: faulty }),
        effects: () => countGuardianships("patient_id = ?", id),
      };
    },
  },
  guardianStep("confirm", "confirmed_at"),
  guardianStep("end", "ended_at"),
];
