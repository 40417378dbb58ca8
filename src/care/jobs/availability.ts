// What the clock does to open times.
import { sql } from "drizzle-orm";
import type { Db, Statement } from "../../platform/db/client.ts";
import { EXCEPTION_KEPT_MS } from "../availability/exceptions.ts";

/** Every 15 minutes, with the cleanup. @param now epoch milliseconds */
export const pruneAvailability = (db: Db, now: number): Statement[] => [
  db.run(
    sql`DELETE FROM schedule_exceptions WHERE id IN (SELECT id FROM schedule_exceptions WHERE until_at < ${now - EXCEPTION_KEPT_MS} LIMIT 500)`,
  ),
];
