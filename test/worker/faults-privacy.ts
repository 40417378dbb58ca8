// Faults in privacy officers, their reviews, and questions of patients.
import { makeOfficer, newReview } from "../privacy-rows.ts";
import { API, env, newPerson, type Person, readJson, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, readCase, world } from "./faults-world.ts";

let made: Promise<Person> | undefined;
const officer = () => (made ??= newOfficer());
async function newOfficer(): Promise<Person> {
  const person = await newPerson("nurse", world.hospitalId);
  await makeOfficer(person);
  return person;
}
const newOne = () => newReview(world.hospitalId, world.patient.id, world.nurse);
const pathOf = (userId = "") => `${API}/hospitals/${world.hospitalId}/privacy-officers${userId && `/${userId}`}`;

/** A read by the privacy officer. */
const readAsOfficer = (name: string, path: () => string | Promise<string>): FaultCase => ({
  name,
  status: 200,
  retry: "any",
  async attempt() {
    const [as, url] = [await officer(), API + (await path())];
    return { send: (faulty) => sendRequest(url, { as, env: faulty }) };
  },
});

async function newEvent(): Promise<string> {
  await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse });
  const { data } = await readJson(await sendRequest(`${API}/audit-events?event=patient.read&limit=1`, { as: world.self }));
  return data[0].id;
}

export const privacy: FaultCase[] = [
  readCase("GET /hospitals/{id}/privacy-officers", () => pathOf()),
  readAsOfficer("GET /privacy-reviews", () => "/privacy-reviews"),
  readAsOfficer("GET /privacy-reviews/{id}", async () => `/privacy-reviews/${await newOne()}`),
  readCase(
    "GET /privacy-questions",
    () => `${API}/privacy-questions`,
    () => world.self,
  ),
  {
    name: "PUT /hospitals/{id}/privacy-officers/{user_id}",
    status: 200,
    retry: "any",
    async attempt() {
      const { id } = await newPerson("nurse", world.hospitalId);
      const flag = env.DB.prepare("SELECT privacy_officer AS n FROM memberships WHERE user_id = ?").bind(id);
      // One less than the limit is left: later attempts need the room.
      await env.DB.prepare("UPDATE memberships SET privacy_officer = 0 WHERE hospital_id = ? AND user_id <> ?")
        .bind(world.hospitalId, (await officer()).id)
        .run();
      return {
        send: (faulty) => sendRequest(pathOf(id), { as: world.manager, method: "PUT", env: faulty }),
        effects: () => queryCount(flag),
      };
    },
  },
  {
    name: "DELETE /hospitals/{id}/privacy-officers/{user_id}",
    status: 200,
    retry: "none",
    used: 404,
    async attempt() {
      const person = await newPerson("nurse", world.hospitalId);
      await makeOfficer(person);
      const flag = env.DB.prepare("SELECT 1 - privacy_officer AS n FROM memberships WHERE user_id = ?").bind(person.id);
      return {
        send: (faulty) => sendRequest(pathOf(person.id), { as: world.manager, method: "DELETE", env: faulty }),
        effects: () => queryCount(flag),
      };
    },
  },
  {
    name: "POST /privacy-reviews/{id}/close",
    status: 200,
    retry: "none",
    used: 409,
    async attempt() {
      const [as, id] = [await officer(), await newOne()];
      const closed = env.DB.prepare("SELECT count(*) AS n FROM privacy_reviews WHERE id = ? AND status = 'closed'").bind(id);
      const json = { outcome: "justified", note: "A test" };
      return {
        send: (faulty) => sendRequest(`${API}/privacy-reviews/${id}/close`, { as, json, env: faulty }),
        effects: () => queryCount(closed),
      };
    },
  },
  {
    name: "POST /privacy-questions",
    status: 201,
    retry: "none",
    used: 200,
    async attempt() {
      const eventId = await newEvent();
      const asked = env.DB.prepare("SELECT count(*) AS n FROM privacy_reviews WHERE ref_id = ?").bind(eventId);
      const json = { event_id: eventId, text: "Why was this?" };
      return {
        send: (faulty) => sendRequest(`${API}/privacy-questions`, { as: world.self, json, env: faulty }),
        effects: () => queryCount(asked),
      };
    },
  },
];
