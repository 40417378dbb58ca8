// What the clock does. Queue numbers of past days, and calendar addresses that were revoked.
import type { Db, Statement } from "../../platform/db/client.ts";

/** Every minute. A run that is cut off is continued by the next. */
export const runClinicJobs = (_env: Env, _now: number): Promise<void> => Promise.resolve();

/** Every 15 minutes, with the cleanup. @param _now epoch milliseconds */
export const pruneClinic = (_db: Db, _now: number): Statement[] => [];
