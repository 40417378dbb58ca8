import { iso, newBookable, nextFreeTime } from "../appointment-steps.ts";
import { newPatient, newWorld, type World } from "../world.ts";
import { type Case, countRows, NEW_ID, post, seed, withEnv } from "./row-limit-cases.ts";

const DAY_MS = 86_400_000;
const YEAR_MS = 366 * DAY_MS;

/** Appointments next year, an hour each, of a patient and a practitioner. */
const seedAppointments = (n: number, { hospitalId }: World, patientId: string, practitionerId: string) =>
  seed(
    n,
    `INSERT INTO appointments (id, hospital_id, patient_id, practitioner_id, status, holds, starts_at, ends_at, blocked_from, blocked_until,
        booked_by, booked_by_kind, created_at, updated_at)
      SELECT ${NEW_ID}, ?2, ?3, ?4, 'booked', 1, ?5 + n * 3600000, ?5 + n * 3600000 + 1800000, ?5 + n * 3600000,
        ?5 + n * 3600000 + 1800000, 'x', 'staff', 1, 1 FROM k`,
    hospitalId,
    patientId,
    practitionerId,
    Date.now() + YEAR_MS,
  );

export const LIMIT_CASES: readonly Case[] = (["openAppointments", "practitionerAppointments"] as const).map((limit) => ({
  name: `POST /appointments (${limit})`,
  limit,
  status: 201,
  arrange: async (max) => {
    const world = await newWorld();
    const practitionerId = await newBookable(world);
    const other = await newPatient(world.hospitalId, world.nurse);
    const isOfPatient = limit === "openAppointments";
    await seedAppointments(max - 1, world, isOfPatient ? world.patient.id : other.id, practitionerId);
    const json = () => ({ patient_id: world.patient.id, practitioner_id: practitionerId, start: iso(nextFreeTime()) });
    return {
      add: (over) => post("/appointments", world.nurse, json(), withEnv(over)),
      count: () =>
        isOfPatient
          ? countRows("appointments WHERE patient_id = ?", world.patient.id)
          : countRows("appointments WHERE practitioner_id = ?", practitionerId),
    };
  },
}));
