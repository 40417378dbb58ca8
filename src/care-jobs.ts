// Scheduled jobs of appointments, the clinic day, intake forms and exports of records.
import { pruneAppointments, runAppointmentJobs } from "./care/jobs/appointments.ts";
import { pruneAvailability } from "./care/jobs/availability.ts";
import { pruneClinic, runClinicJobs } from "./care/jobs/clinic.ts";
import { pruneIntake } from "./patients/intake/jobs.ts";
import type { Db, Statement } from "./platform/db/client.ts";
import { describeCause, stackFrames } from "./platform/errors.ts";
import { log } from "./platform/log.ts";
import { pruneRecordExports, runRecordExportJobs } from "./service/record-exports/jobs.ts";

const JOBS = {
  appointments: runAppointmentJobs,
  clinic: runClinicJobs,
  "record exports": runRecordExportJobs,
};

/** Runs every job; one that fails does not hold up the others, and the next minute tries it again. */
export async function runCareJobs(env: Env, now: number): Promise<void> {
  const runs = Object.entries(JOBS).map(([job, run]) =>
    run(env, now).catch((error: unknown) =>
      log(env, "ERROR", "scheduled job failed", { operation: job, cause: describeCause(error), at: stackFrames(error) }),
    ),
  );
  await Promise.all(runs);
}

/** Statements that delete what is past its time, for the batch of the cleanup. */
export const pruneCare = (db: Db, now: number): Statement[] => [
  ...pruneAvailability(db, now),
  ...pruneAppointments(db, now),
  ...pruneClinic(db, now),
  ...pruneIntake(db, now),
  ...pruneRecordExports(db, now),
];
