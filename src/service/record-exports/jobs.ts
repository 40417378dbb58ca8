// What the clock does. Exports of records: those that wait or were cut off, and files past their time.
import type { Db, Statement } from "../../platform/db/client.ts";

/** Every minute. A run that is cut off is continued by the next. */
export const runRecordExportJobs = (_env: Env, _now: number): Promise<void> => Promise.resolve();

/** Every 15 minutes, with the cleanup. @param _now epoch milliseconds */
export const pruneRecordExports = (_db: Db, _now: number): Statement[] => [];
