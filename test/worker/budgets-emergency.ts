// Budgets of emergency access and of the delay of its notices.
import { newAccessRow, newDelayRow, startAccess } from "../emergency-scene.ts";
import { makeOfficer } from "../privacy-rows.ts";
import { API, newPatient, newPerson, newWorld, type Person, sendRequest, type World } from "../world.ts";
import { type BudgetCase, budget, getAs, world } from "./budgets-world.ts";

let madeHospital: Promise<World> | undefined;
/** A hospital of its own: whom accesses are told to is not whom other lines list. */
const place = () => (madeHospital ??= newWorld());

let made: Promise<Person> | undefined;
/** A doctor with 30 accesses. */
const reader = () => (made ??= fill());
async function fill(): Promise<Person> {
  const doctor = await newPerson("doctor", world.hospitalId);
  for (let i = 0; i < 30; i++) await newAccessRow(doctor, world.hospitalId, world.patient.id);
  return doctor;
}
const newOne = async () => newAccessRow(await reader(), world.hospitalId, world.patient.id);
const asReader = (path: () => Promise<string>) => async (counted: Env) => {
  const person = await reader();
  return getAs(await path(), () => person)(counted);
};

let madeOfficer: Promise<Person> | undefined;
const officer = () => (madeOfficer ??= newOfficer());
async function newOfficer(): Promise<Person> {
  const person = await newPerson("nurse", world.hospitalId);
  await makeOfficer(person);
  return person;
}
async function sendDelay(method: "GET" | "PUT" | "DELETE", e?: Env) {
  const as = await officer();
  const { id } = await newPatient(world.hospitalId, world.nurse);
  if (method !== "PUT") await newDelayRow(id, as);
  const json = { reason: "Another person reads this patient's messages", days: 3 };
  return sendRequest(`${API}/patients/${id}/notice-delay`, {
    as,
    method,
    ...(method === "PUT" && { json }),
    ...(e && { env: e }),
  });
}

/** Lists show a page of 20 out of 30 accesses. */
export const emergency: BudgetCase[] = [
  ["GET /emergency-access", "read", 200, budget(1, 140, 0), asReader(async () => "/emergency-access")],
  ["GET /emergency-access/{id}", "read", 200, budget(1, 20, 0), asReader(async () => `/emergency-access/${await newOne()}`)],
  [
    "POST /emergency-access",
    "write",
    201,
    budget(2, 160, 60),
    async (e) => {
      const { hospitalId, nurse } = await place();
      const doctor = await newPerson("doctor", hospitalId);
      const { id } = await newPatient(hospitalId, nurse);
      return startAccess(doctor, id, {}, {}, e);
    },
  ],
  [
    "POST /emergency-access/{id}/end",
    "write",
    200,
    budget(2, 30, 16, "", "feed.endGrant"),
    async (e) => {
      const path = `${API}/emergency-access/${await newOne()}/end`;
      return sendRequest(path, { as: await reader(), method: "POST", env: e });
    },
  ],
  ["GET /patients/{id}/notice-delay", "read", 200, budget(1, 20, 0), (e) => sendDelay("GET", e)],
  ["PUT /patients/{id}/notice-delay", "write", 200, budget(2, 30, 12), (e) => sendDelay("PUT", e)],
  ["DELETE /patients/{id}/notice-delay", "write", 200, budget(2, 30, 12), (e) => sendDelay("DELETE", e)],
];
