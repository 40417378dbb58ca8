// What the clock does. Intake forms that nobody reviewed, and links that have ended.
import type { Db, Statement } from "../../platform/db/client.ts";

/** Every minute. A run that is cut off is continued by the next. */
export const runIntakeJobs = (_env: Env, _now: number): Promise<void> => Promise.resolve();

/** Every 15 minutes, with the cleanup. @param _now epoch milliseconds */
export const pruneIntake = (_db: Db, _now: number): Statement[] => [];
