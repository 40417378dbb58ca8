// Budgets of privacy officers, their reviews, and questions of patients.
import { makeOfficer, newReview } from "../privacy-rows.ts";
import { API, newPerson, type Person, readJson, sendRequest } from "../world.ts";
import { type BudgetCase, budget, getAs, world } from "./budgets-world.ts";

const officersPath = () => `/hospitals/${world.hospitalId}/privacy-officers`;

let made: Promise<Person> | undefined;
/** A privacy officer, and 30 reviews. */
const officer = () => (made ??= fill());
async function fill(): Promise<Person> {
  const person = await newPerson("nurse", world.hospitalId);
  await makeOfficer(person);
  await Promise.all(Array.from({ length: 30 }, () => newReview(world.hospitalId, world.patient.id, world.nurse)));
  return person;
}
const asOfficer = (path: () => string | Promise<string>) => async (counted: Env) => {
  const person = await officer();
  return getAs(await path(), () => person)(counted);
};
const newOne = () => newReview(world.hospitalId, world.patient.id, world.nurse);

/** An entry of the patient's log. */
async function newEvent(): Promise<string> {
  await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse });
  const { data } = await readJson(await sendRequest(`${API}/audit-events?event=patient.read&limit=1`, { as: world.self }));
  return data[0].id;
}
const ask = (eventId: string, e?: Env) =>
  sendRequest(`${API}/privacy-questions`, { as: world.self, json: { event_id: eventId, text: "Why?" }, ...(e && { env: e }) });

/** Lists show a page of 20 out of 30 reviews. */
export const privacy: BudgetCase[] = [
  ["GET /hospitals/{id}/privacy-officers", "read", 200, budget(1, 16, 0), asOfficer(officersPath)],
  ["GET /privacy-reviews", "read", 200, budget(1, 120, 0), asOfficer(() => "/privacy-reviews")],
  ["GET /privacy-reviews/{id}", "read", 200, budget(1, 20, 0), asOfficer(async () => `/privacy-reviews/${await newOne()}`)],
  ["GET /privacy-questions", "read", 200, budget(1, 20, 0), getAs("/privacy-questions", () => world.self)],
  [
    "PUT /hospitals/{id}/privacy-officers/{user_id}",
    "write",
    200,
    budget(2, 30, 12),
    async (e) => {
      const { id } = await newPerson("nurse", world.hospitalId);
      return sendRequest(`${API}${officersPath()}/${id}`, { as: world.manager, method: "PUT", env: e });
    },
  ],
  [
    "DELETE /hospitals/{id}/privacy-officers/{user_id}",
    "write",
    200,
    budget(2, 30, 12),
    async (e) => {
      const person = await newPerson("nurse", world.hospitalId);
      await makeOfficer(person);
      return sendRequest(`${API}${officersPath()}/${person.id}`, { as: world.manager, method: "DELETE", env: e });
    },
  ],
  [
    "POST /privacy-reviews/{id}/close",
    "write",
    200,
    budget(2, 30, 12),
    async (e) => {
      const json = { outcome: "justified", note: "A test" };
      return sendRequest(`${API}/privacy-reviews/${await newOne()}/close`, { as: await officer(), json, env: e });
    },
  ],
  ["POST /privacy-questions", "write", 201, budget(3, 60, 24, "", "audit.prove"), async (e) => ask(await newEvent(), e)],
];
