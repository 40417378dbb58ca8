// Budgets of privacy officers, their reviews, and questions of patients.
import { makeOfficer, newReview } from "../privacy-rows.ts";
import { API, type Person, type RequestOptions, readJson, sendRequest, type World } from "../world.ts";
import { type BudgetCase, budget, clinic } from "./budgets-world.ts";

type Place = World & { officer: Person; officersPath: string };
let made: Promise<Place> | undefined;
/** The hospital whose members no other line counts: with a privacy officer and 30 reviews. */
const place = () => (made ??= fill());
async function fill(): Promise<Place> {
  await makeOfficer(clinic.nurse);
  await Promise.all(Array.from({ length: 30 }, () => newOne(clinic)));
  return { ...clinic, officer: clinic.nurse, officersPath: `/hospitals/${clinic.hospitalId}/privacy-officers` };
}

type Ask = RequestOptions & { path: string };
/** A request that is made ready before anything is counted. */
const request = (prepare: (place: Place) => Ask | Promise<Ask>) => async (counted: Env) => {
  const { path, ...options } = await prepare(await place());
  return sendRequest(API + path, { ...options, env: counted });
};
const newOne = ({ hospitalId, patient, nurse }: World) => newReview(hospitalId, patient.id, nurse);

/** An entry of the patient's log. */
async function newEvent({ nurse, self, patient }: World): Promise<string> {
  await sendRequest(`${API}/patients/${patient.id}`, { as: nurse });
  const { data } = await readJson(await sendRequest(`${API}/audit-events?event=patient.read&limit=1`, { as: self }));
  return data[0].id;
}

/** Lists show a page of 20 out of 30 reviews. */
export const privacy: BudgetCase[] = [
  [
    "GET /hospitals/{id}/privacy-officers",
    "read",
    200,
    budget(1, 16, 0),
    request(({ officer, officersPath }) => ({ as: officer, path: officersPath })),
  ],
  ["GET /privacy-reviews", "read", 200, budget(1, 120, 0), request(({ officer }) => ({ as: officer, path: "/privacy-reviews" }))],
  [
    "GET /privacy-reviews/{id}",
    "read",
    200,
    budget(1, 20, 0),
    request(async (at) => ({ as: at.officer, path: `/privacy-reviews/${await newOne(at)}` })),
  ],
  ["GET /privacy-questions", "read", 200, budget(1, 20, 0), request(({ self }) => ({ as: self, path: "/privacy-questions" }))],
  [
    "PUT /hospitals/{id}/privacy-officers/{user_id}",
    "write",
    200,
    budget(2, 30, 12),
    request(({ manager, doctor, officersPath }) => ({ as: manager, path: `${officersPath}/${doctor.id}`, method: "PUT" })),
  ],
  [
    "DELETE /hospitals/{id}/privacy-officers/{user_id}",
    "write",
    200,
    budget(2, 30, 12),
    request(async ({ manager, doctor, officersPath }) => {
      await makeOfficer(doctor);
      return { as: manager, path: `${officersPath}/${doctor.id}`, method: "DELETE" };
    }),
  ],
  [
    "POST /privacy-reviews/{id}/close",
    "write",
    200,
    budget(2, 30, 12),
    request(async (at) => ({
      as: at.officer,
      path: `/privacy-reviews/${await newOne(at)}/close`,
      json: { outcome: "justified", note: "A test" },
    })),
  ],
  [
    "POST /privacy-questions",
    "write",
    201,
    budget(3, 60, 24, "", "audit.prove"),
    request(async (at) => ({
      as: at.self,
      path: "/privacy-questions",
      json: { event_id: await newEvent(at), text: "Why was this?" },
    })),
  ],
];
