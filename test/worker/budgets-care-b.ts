// Budgets of appointments.
import { iso, newBookable, nextFreeTime } from "../appointment-steps.ts";
import { newAppointmentRow } from "../care-rows.ts";
import { API, newWorld, sendRequest, type World } from "../world.ts";
import { type BudgetCase, budget, withNewKey } from "./budgets-world.ts";

/** A hospital of its own, with more appointments than a page. */
let world: World;
let practitionerId: string;
let made: Promise<void> | undefined;
const makeWorld = () => (made ??= fill());
const of = () => ({ hospitalId: world.hospitalId, patientId: world.patient.id, practitionerId, bookedBy: world.nurse.id });
async function fill(): Promise<void> {
  world = await newWorld();
  practitionerId = await newBookable(world);
  for (let i = 0; i < 30; i++) await newAppointmentRow(of(), { startsAt: nextFreeTime() });
}

const newAppointment = async (isProposed = false) => {
  await makeWorld();
  const startsAt = nextFreeTime();
  return newAppointmentRow(of(), { startsAt, ...(isProposed && ({ status: "proposed", expiresAt: startsAt } as const)) });
};
const list = (query: () => string) => async (env: Env) => {
  await makeWorld();
  return sendRequest(`${API}/appointments${query()}`, { as: world.nurse, env });
};
const change =
  (method: string, step: string, json: () => object, isProposed = false) =>
  async (env: Env) => {
    const id = await newAppointment(isProposed);
    const headers = { "If-Match": "*" };
    return sendRequest(`${API}/appointments/${id}${step}`, { as: world.nurse, method, json: json(), headers, env });
  };

/** Lists show a page of 20 out of 30; a row is shown with its patient, practitioner, place and number. */
export const careB: BudgetCase[] = [
  ["GET /appointments", "read", 200, budget(1, 320, 0), list(() => "")],
  ["GET /appointments?practitioner_id", "read", 200, budget(1, 320, 0), list(() => `?practitioner_id=${practitionerId}`)],
  ["GET /appointments?patient_id", "read", 200, budget(1, 320, 0), list(() => `?patient_id=${world.patient.id}&status=booked`)],
  [
    "GET /appointments/{id}",
    "read",
    200,
    budget(1, 20, 0),
    async (env) => sendRequest(`${API}/appointments/${await newAppointment()}`, { as: world.nurse, env }),
  ],
  [
    "POST /appointments",
    "write",
    201,
    // Open times, rules and what is booked ahead of patient and practitioner.
    budget(3, 260, 60),
    async (env) => {
      await makeWorld();
      const json = { patient_id: world.patient.id, practitioner_id: practitionerId, start: iso(nextFreeTime()) };
      return sendRequest(`${API}/appointments`, { as: world.nurse, json, ...withNewKey(), env });
    },
  ],
  ["PATCH /appointments/{id}", "write", 200, budget(2, 60, 30), change("PATCH", "", () => ({ reason: "Other" }))],
  ["DELETE /appointments/{id}", "write", 200, budget(2, 60, 40), change("DELETE", "", () => ({}))],
  ["POST /appointments/{id}/confirm", "write", 200, budget(2, 80, 40), change("POST", "/confirm", () => ({}), true)],
  ["POST /appointments/{id}/cancel", "write", 200, budget(2, 80, 40), change("POST", "/cancel", () => ({ reason: "Ill" }))],
  ["POST /appointments/{id}/no-show", "write", 200, budget(2, 60, 40), change("POST", "/no-show", () => ({}))],
  [
    "POST /appointments/{id}/reschedule",
    "write",
    200,
    budget(3, 120, 50),
    change("POST", "/reschedule", () => ({ start: iso(nextFreeTime()) })),
  ],
];
