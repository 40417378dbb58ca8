// Deletes old notifications and deliveries. Ids begin with their time (UUIDv7), so that a range of ids is a range of times.
import { sql } from "drizzle-orm";
import type { Db, Statement } from "../../platform/db/client.ts";
import { firstIdAt } from "../../platform/ids.ts";
import { DAY_MS } from "../../platform/time.ts";

export const NOTIFICATION_DAYS = 180;
export const DELIVERY_DAYS = 90;
/** Newest notifications that a person keeps, once cron has come to them. */
export const MAX_NOTIFICATIONS = 1_000;
/** Rows per table and run; the next run, 15 minutes later, continues. */
const ROWS_PER_RUN = 5_000;
/** People who got a notification lately are looked at for too many; of more than fit in a run, some by chance. */
const RECENT_MS = 30 * 60_000;
const PEOPLE_PER_RUN = 200;

export const pruneMessages = (db: Db, now: number): Statement[] => [
  db.run(sql`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries
    WHERE id < ${firstIdAt(now - DELIVERY_DAYS * DAY_MS)} ORDER BY id LIMIT ${ROWS_PER_RUN})`),
  db.run(sql`DELETE FROM notifications WHERE (user_id, id) IN (SELECT user_id, id FROM notifications
    WHERE id < ${firstIdAt(now - NOTIFICATION_DAYS * DAY_MS)} ORDER BY id LIMIT ${ROWS_PER_RUN})`),
  db.run(sql`DELETE FROM notifications WHERE (user_id, id) IN (
    SELECT n.user_id, n.id FROM (SELECT DISTINCT user_id FROM (SELECT user_id FROM notifications
        WHERE id >= ${firstIdAt(now - RECENT_MS)} LIMIT ${ROWS_PER_RUN}) ORDER BY random() LIMIT ${PEOPLE_PER_RUN}) r
      JOIN notifications n ON n.user_id = r.user_id
        AND n.id <= (SELECT k.id FROM notifications k WHERE k.user_id = r.user_id ORDER BY k.id DESC LIMIT 1 OFFSET ${MAX_NOTIFICATIONS})
    LIMIT ${ROWS_PER_RUN})`),
];
