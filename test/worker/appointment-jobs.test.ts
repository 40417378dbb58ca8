// What the clock does to appointments: requests end, reminders come once at each time, who did not come is recorded.
import { sql } from "drizzle-orm";
import { beforeEach, expect, it } from "vitest";
import { MAX_REMINDER_DELAY_MS, runAppointmentJobs } from "../../src/care/jobs/appointments.ts";
import { getDb } from "../../src/platform/db/client.ts";
import {
  type Booked,
  book,
  DAY_MS,
  HOUR_MS,
  hourAhead,
  iso,
  MINUTE_MS,
  newBookable,
  setRules,
  step,
} from "../appointment-steps.ts";
import { API, env, link, newPerson, newWorld, type Person, readJson, sendRequest, type World } from "../world.ts";

let world: World;
let practitionerId: string;
let person: Person;
beforeEach(async () => {
  world = await newWorld();
  practitionerId = await newBookable(world);
  person = await newPerson("patient");
  await link(person, world.patient);
});

const bookAt = (start: number): Promise<Booked> =>
  book(world.nurse, { patient_id: world.patient.id, practitioner_id: practitionerId, start: iso(start) });

const reminders = async () => {
  const rows = await getDb(env.DB).all<{ at: number }>(sql`SELECT created_at AS at FROM notifications
    WHERE user_id = ${person.id} AND kind = 'appointment.reminder' ORDER BY created_at`);
  return rows.map(({ at }) => at);
};
const statusNow = async (id: string) =>
  (await readJson(await sendRequest(`${API}/appointments/${id}`, { as: world.nurse }))).data.status as string;

it("reminds a day and two hours before, once each though cron repeats, and again after a move", async () => {
  const start = hourAhead(24);
  const booked = await bookAt(start);
  for (let at = start - 25 * HOUR_MS; at <= start; at += 30 * MINUTE_MS)
    for (let repeat = 0; repeat < 2; repeat++) await runAppointmentJobs(env, at);
  expect(await reminders()).toEqual([start - DAY_MS, start - 2 * HOUR_MS]);
  const later = await bookAt(start + DAY_MS);
  await step(world.nurse, later.appointment_id, "reschedule", { start: iso(start + 2 * DAY_MS) }, 1);
  await Promise.all([runAppointmentJobs(env, start + DAY_MS), runAppointmentJobs(env, start + DAY_MS)]);
  expect(await reminders()).toEqual([start - DAY_MS, start - 2 * HOUR_MS, start + DAY_MS]);
  expect(booked.status).toBe("booked");
});

it("leaves out a reminder that would be late, and all of what was cancelled", async () => {
  const start = hourAhead(24);
  await bookAt(start);
  await runAppointmentJobs(env, start - DAY_MS + MAX_REMINDER_DELAY_MS + MINUTE_MS);
  expect(await reminders()).toEqual([]);
  await runAppointmentJobs(env, start - 2 * HOUR_MS);
  expect(await reminders()).toEqual([start - 2 * HOUR_MS]);
  const cancelled = await bookAt(start + 3 * HOUR_MS);
  await step(world.nurse, cancelled.appointment_id, "cancel", {});
  await runAppointmentJobs(env, start + HOUR_MS);
  expect(await reminders()).toEqual([start - 2 * HOUR_MS]);
});

it("ends requests that nobody confirmed, tells the person and records it", async () => {
  const asked = await book(person, { practitioner_id: practitionerId, start: iso(hourAhead(72)) });
  const now = Date.now() + 25 * HOUR_MS;
  await Promise.all([runAppointmentJobs(env, now), runAppointmentJobs(env, now)]);
  expect(await statusNow(asked.appointment_id)).toBe("cancelled");
  const told = await getDb(env.DB).all(
    sql`SELECT 1 FROM notifications WHERE user_id = ${person.id} AND kind = 'appointment.cancelled'`,
  );
  expect(told).toHaveLength(1);
});

it("records who did not come, as the hospital says", async () => {
  const start = hourAhead();
  const [first, second] = [await bookAt(start), await bookAt(start + HOUR_MS)];
  await runAppointmentJobs(env, start + 59 * MINUTE_MS);
  expect(await statusNow(first.appointment_id)).toBe("booked");
  await runAppointmentJobs(env, start + 61 * MINUTE_MS);
  expect(await statusNow(first.appointment_id)).toBe("noshow");
  await setRules(world.hospitalId, { noshowAfterMinutes: null });
  await runAppointmentJobs(env, start + 10 * DAY_MS);
  expect(await statusNow(second.appointment_id)).toBe("booked");
});
