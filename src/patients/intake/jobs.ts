// What the clock does. Intake forms that nobody reviewed, and links that have ended.
import { sql } from "drizzle-orm";
import type { Db, Statement } from "../../platform/db/client.ts";
import { DAY_MS } from "../../platform/time.ts";

/** How long answers wait for a review, and how long their decision is kept. */
export const SUBMISSION_KEPT_MS = 90 * DAY_MS;
/** How long an ended link is listed. */
export const LINK_KEPT_MS = 30 * DAY_MS;
/** Rows that one run deletes. */
const MAX_ROWS = 500;

/** Every 15 minutes, with the cleanup. @param now epoch milliseconds */
export const pruneIntake = (db: Db, now: number): Statement[] => [
  db.run(sql`DELETE FROM intake_submissions WHERE id IN (SELECT id FROM intake_submissions
    WHERE submitted_at < ${now - SUBMISSION_KEPT_MS} LIMIT ${MAX_ROWS})`),
  db.run(sql`DELETE FROM intake_links WHERE id IN (SELECT id FROM intake_links
    WHERE expires_at < ${now - LINK_KEPT_MS} LIMIT ${MAX_ROWS})`),
];
