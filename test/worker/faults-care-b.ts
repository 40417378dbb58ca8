// Faults in appointments.
import { iso, newBookable, nextFreeTime } from "../appointment-steps.ts";
import { newAppointmentRow } from "../care-rows.ts";
import { API, env, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, readCase, withNewKey, world } from "./faults-world.ts";

let practitionerId: Promise<string> | undefined;
const findPractitioner = () => (practitionerId ??= newBookable(world));
const newAppointment = async (isProposed = false) => {
  const startsAt = nextFreeTime();
  const of = {
    hospitalId: world.hospitalId,
    patientId: world.patient.id,
    practitionerId: await findPractitioner(),
    bookedBy: world.nurse.id,
  };
  return newAppointmentRow(of, { startsAt, ...(isProposed && ({ status: "proposed", expiresAt: startsAt } as const)) });
};
const countById = (condition: string, id: string) =>
  // biome-ignore lint/plugin: a constant of this file with a placeholder.
  queryCount(env.DB.prepare(`SELECT count(*) AS n FROM appointments WHERE id = ? AND ${condition}`).bind(id));

/** A step that is taken once. @param status after it */
const stepCase = (step: string, status: string, json: object = {}, isProposed = false): FaultCase => ({
  name: `POST /appointments/{id}/${step}`,
  status: 200,
  retry: "none",
  used: 409,
  async attempt() {
    const id = await newAppointment(isProposed);
    return {
      send: (faulty) => sendRequest(`${API}/appointments/${id}/${step}`, { as: world.nurse, method: "POST", json, env: faulty }),
      effects: () => countById(`status = '${status}'`, id),
    };
  },
});

/** A change of the first version. */
const changeCase = (name: string, method: string, path: string, json: () => object, condition: string): FaultCase => ({
  name,
  status: 200,
  retry: "none",
  async attempt() {
    const [id, body] = [await newAppointment(), json()];
    const options = { as: world.nurse, method, json: body, headers: { "If-Match": '"1"' } };
    return {
      send: (faulty) => sendRequest(`${API}/appointments/${id}${path}`, { ...options, env: faulty }),
      effects: () => countById(condition, id),
    };
  },
});

export const careB: FaultCase[] = [
  readCase("GET /appointments", () => `${API}/appointments`),
  {
    name: "GET /appointments/{id}",
    status: 200,
    retry: "any",
    async attempt() {
      const id = await newAppointment();
      return { send: (faulty) => sendRequest(`${API}/appointments/${id}`, { as: world.nurse, env: faulty }) };
    },
  },
  {
    name: "POST /appointments",
    status: 201,
    retry: "once",
    async attempt() {
      const startsAt = nextFreeTime();
      const json = { patient_id: world.patient.id, practitioner_id: await findPractitioner(), start: iso(startsAt) };
      const options = withNewKey();
      return {
        send: (faulty) => sendRequest(`${API}/appointments`, { as: world.nurse, json, ...options, env: faulty }),
        effects: () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM appointments WHERE starts_at = ?").bind(startsAt)),
      };
    },
  },
  changeCase("PATCH /appointments/{id}", "PATCH", "", () => ({ reason: "Other" }), "reason_sealed IS NOT NULL"),
  changeCase("DELETE /appointments/{id}", "DELETE", "", () => ({}), "status = 'entered-in-error'"),
  changeCase(
    "POST /appointments/{id}/reschedule",
    "POST",
    "/reschedule",
    () => ({ start: iso(nextFreeTime()) }),
    "changed_from IS NOT NULL",
  ),
  stepCase("confirm", "booked", {}, true),
  stepCase("cancel", "cancelled"),
  stepCase("no-show", "noshow"),
];
