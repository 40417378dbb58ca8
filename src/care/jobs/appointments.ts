// What the clock does. Reminders, ended proposals, no-shows, and times that became free.
import type { Db, Statement } from "../../platform/db/client.ts";

/** Every minute. A run that is cut off is continued by the next. */
export const runAppointmentJobs = (_env: Env, _now: number): Promise<void> => Promise.resolve();

/** Every 15 minutes, with the cleanup. @param _now epoch milliseconds */
export const pruneAppointments = (_db: Db, _now: number): Statement[] => [];
