// Rows of appointments, encounters and intakes, for tests whose subject is something else.
import { getKeys } from "../src/platform/config.ts";
import { sealValue } from "../src/platform/crypto.ts";
import { getDb } from "../src/platform/db/client.ts";
import { appointments, encounters, intakeSubmissions, locations, practitioners, schedules } from "../src/platform/db/schema.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { DAY_MS } from "../src/platform/time.ts";
import { env, uniqueText } from "./world.ts";

/** The profile of a doctor or nurse, sealed as the service does. @returns its id */
export async function newPractitionerRow(userId: string, hospitalId: string): Promise<string> {
  const [id, now] = [uuidv7(), Date.now()];
  const details = { qualifications: [], registration_number: "REG-1", languages: [], phone: null, about: null };
  const { fields } = await getKeys(env);
  const detailsSealed = await sealValue(fields, { table: "practitioners", column: "details", id, version: 1 }, details);
  const made = { createdBy: userId, createdAt: now, updatedAt: now };
  await getDb(env.DB)
    .insert(practitioners)
    .values({ id, userId, hospitalId, detailsSealed, ...made });
  return id;
}

export async function newLocationRow(hospitalId: string, by: string, name = `Clinic ${uniqueText()}`): Promise<string> {
  const [id, now] = [uuidv7(), Date.now()];
  await getDb(env.DB).insert(locations).values({ id, hospitalId, name, createdBy: by, createdAt: now, updatedAt: now });
  return id;
}

/** Every day from 00:00 to 24:00, unless `change` says otherwise. */
export async function newScheduleRow(
  practitionerId: string,
  hospitalId: string,
  change: Partial<typeof schedules.$inferInsert> = {},
): Promise<string> {
  const [id, now] = [uuidv7(), Date.now()];
  const weekly = JSON.stringify([1, 2, 3, 4, 5, 6, 7].map((weekday) => [weekday, 0, 1440]));
  const made = { createdBy: practitionerId, createdAt: now, updatedAt: now };
  await getDb(env.DB)
    .insert(schedules)
    .values({ id, practitionerId, hospitalId, weekly, ...made, ...change });
  return id;
}

/** Booked for 30 minutes, tomorrow unless `startsAt` is given. */
export async function newAppointmentRow(
  of: { hospitalId: string; patientId: string; practitionerId: string; bookedBy: string },
  change: Partial<typeof appointments.$inferInsert> = {},
): Promise<string> {
  const [id, now] = [uuidv7(), Date.now()];
  const startsAt = change.startsAt ?? now + DAY_MS;
  const endsAt = change.endsAt ?? startsAt + 30 * 60_000;
  const times = { startsAt, endsAt, blockedFrom: startsAt, blockedUntil: endsAt, createdAt: now, updatedAt: now };
  const state = { status: "booked", holds: 1, bookedByKind: "staff" } as const;
  await getDb(env.DB)
    .insert(appointments)
    .values({ id, ...of, ...state, ...times, ...change });
  return id;
}

/** In progress since now. */
export async function newEncounterRow(
  of: { hospitalId: string; patientId: string; doctorId: string },
  change: Partial<typeof encounters.$inferInsert> = {},
): Promise<string> {
  const [id, now] = [uuidv7(), Date.now()];
  const made = { startedAt: now, createdBy: of.doctorId, createdAt: now, updatedAt: now };
  await getDb(env.DB)
    .insert(encounters)
    .values({ id, ...of, status: "in-progress", sessionType: "consultation", ...made, ...change });
  return id;
}

/** Answers by staff that wait for review. */
export async function newSubmissionRow(
  of: { hospitalId: string; patientId: string | null; submittedBy: string },
  answers: Record<string, unknown> = { chief_complaint: "Cough" },
): Promise<string> {
  const id = uuidv7();
  const { fields } = await getKeys(env);
  const answersSealed = await sealValue(fields, { table: "intake_submissions", column: "answers", id }, answers);
  await getDb(env.DB)
    .insert(intakeSubmissions)
    .values({ id, ...of, source: "staff", state: "submitted", answersSealed, submittedAt: Date.now() });
  return id;
}
