// What the clock does. Past absences of practitioners and closed days.
import type { Db, Statement } from "../../platform/db/client.ts";

/** Every 15 minutes, with the cleanup. @param _now epoch milliseconds */
export const pruneAvailability = (_db: Db, _now: number): Statement[] => [];
