// Budgets of availability.
import { iso, newBookable } from "../appointment-steps.ts";
import { newAppointmentRow, newLocationRow, newPractitionerRow, newScheduleRow } from "../care-rows.ts";
import { API, newPerson, newWorld, type Person, readJson, sendRequest, uniqueText, type World } from "../world.ts";
import { type BudgetCase, budget, withNewKey } from "./budgets-world.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A hospital of its own, with 20 practitioners, each with 40 appointments ahead, and 30 locations. */
let world: World;
let practitionerId: string;
let locationId: string;
let made: Promise<void> | undefined;
const makeWorld = () => (made ??= fill());

async function fill(): Promise<void> {
  world = await newWorld();
  practitionerId = await newBookable(world);
  for (let i = 0; i < 30; i++) locationId = await newLocationRow(world.hospitalId, world.manager.id);
  for (let i = 0; i < 19; i++) {
    const doctor = await newPerson("doctor", world.hospitalId);
    const id = await newPractitionerRow(doctor.id, world.hospitalId);
    await newScheduleRow(id, world.hospitalId);
    const of = { hospitalId: world.hospitalId, patientId: world.patient.id, practitionerId: id, bookedBy: doctor.id };
    for (let j = 1; j <= 40; j++) await newAppointmentRow(of, { startsAt: Date.now() + j * HOUR_MS });
  }
}

const get = (path: () => string) => async (env: Env) => {
  await makeWorld();
  return sendRequest(API + path(), { as: world.nurse, env });
};
const write = (method: string, path: () => string | Promise<string>, json: () => object, headers: () => object = () => ({})) => {
  return async (env: Env) => {
    await makeWorld();
    return sendRequest(API + (await path()), { as: world.manager, method, json: json(), ...headers(), env });
  };
};
const ANY_VERSION = () => ({ headers: { "If-Match": "*" } });
const span = () => ({ from: iso(Date.now() + 90 * DAY_MS), until: iso(Date.now() + 91 * DAY_MS) });
const exceptionsPath = () => `/practitioners/${practitionerId}/availability/exceptions`;
const closuresPath = () => `/hospitals/${world.hospitalId}/closures`;
const newException = async (path: string, json: object, as: () => Person = () => world.manager) =>
  (await readJson(await sendRequest(API + path, { as: as(), json }))).data.exception_id as string;

export const RULES = {
  ...{ self_booking: "direct", lead_minutes: 60, window_days: 60, cancel_until_minutes: 120, max_open_own: 5 },
  ...{ proposal_minutes: 1440, offer_minutes: 30, noshow_after_minutes: 30 },
};

export const careA: BudgetCase[] = [
  ["GET /locations", "read", 200, budget(1, 110, 0), get(() => "/locations")],
  ["GET /locations/{id}", "read", 200, budget(1, 12, 0), get(() => `/locations/${locationId}`)],
  [
    "POST /locations",
    "write",
    201,
    budget(3, 90, 20),
    write(
      "POST",
      () => "/locations",
      () => ({ name: uniqueText() }),
      withNewKey,
    ),
  ],
  [
    "PATCH /locations/{id}",
    "write",
    200,
    budget(2, 40, 20),
    write(
      "PATCH",
      () => `/locations/${locationId}`,
      () => ({ name: uniqueText() }),
      ANY_VERSION,
    ),
  ],
  ["GET /hospitals/{id}/care-settings", "read", 200, budget(1, 12, 0), get(() => `/hospitals/${world.hospitalId}/care-settings`)],
  [
    "PUT /hospitals/{id}/care-settings",
    "write",
    200,
    budget(2, 40, 16),
    write(
      "PUT",
      () => `/hospitals/${world.hospitalId}/care-settings`,
      () => RULES,
    ),
  ],
  [
    "GET /practitioners/{id}/availability",
    "read",
    200,
    budget(1, 60, 0),
    get(() => `/practitioners/${practitionerId}/availability`),
  ],
  [
    "PUT /practitioners/{id}/availability",
    "write",
    200,
    budget(2, 120, 30),
    write(
      "PUT",
      () => `/practitioners/${practitionerId}/availability`,
      () => ({ schedules: [{ weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => [day, 0, 1440]) }] }),
      ANY_VERSION,
    ),
  ],
  [
    "POST /practitioners/{id}/availability/exceptions",
    "write",
    201,
    budget(2, 80, 24),
    write("POST", exceptionsPath, () => ({ kind: "leave", ...span() })),
  ],
  [
    "DELETE /practitioners/{id}/availability/exceptions/{id}",
    "write",
    200,
    budget(2, 50, 24),
    write(
      "DELETE",
      async () => `${exceptionsPath()}/${await newException(exceptionsPath(), { kind: "leave", ...span() })}`,
      () => ({}),
    ),
  ],
  ["POST /hospitals/{id}/closures", "write", 201, budget(2, 80, 24), write("POST", closuresPath, span)],
  [
    "DELETE /hospitals/{id}/closures/{id}",
    "write",
    200,
    budget(2, 50, 24),
    write(
      "DELETE",
      async () => `${closuresPath()}/${await newException(closuresPath(), span())}`,
      () => ({}),
    ),
  ],
  [
    "GET /appointments/slots",
    "read",
    200,
    // Of 20 practitioners with 40 appointments each.
    budget(1, 1_700, 0),
    get(() => `/appointments/slots?from=${iso(Date.now())}&to=${iso(Date.now() + 31 * DAY_MS)}&limit=1000&duration_minutes=480`),
  ],
];
