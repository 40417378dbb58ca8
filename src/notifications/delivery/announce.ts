// Tells the live sockets of an event's recipients that they have a new notification.
import { sql } from "drizzle-orm";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import type { Db } from "../../platform/db/client.ts";
import { withDeadline } from "../../platform/deadline.ts";
import { describeCause, stackFrames } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";

const DEADLINE_MS = 2_000;
/** Pairs of recipient and hospital per event; others see the notification when the portal asks next. */
const MAX_PAIRS = 500;

/** A person's sockets are at the feeds of the hospitals that they work at or have records at. Failures are logged. */
export async function announce(env: Env, db: Db, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return;
  try {
    const pairs = await db.all<{ userId: string; feed: string }>(sql`
      WITH recipients AS MATERIALIZED (SELECT DISTINCT user_id, hospital_id FROM notifications
        WHERE id IN (SELECT value FROM json_each(${JSON.stringify(eventIds)})))
      SELECT t.user_id AS userId, m.hospital_id AS feed FROM recipients t JOIN memberships m ON m.user_id = t.user_id AND ${ACTIVE_MEMBERSHIP}
      UNION SELECT t.user_id, p.hospital_id FROM recipients t JOIN patient_links l ON l.user_id = t.user_id
        JOIN patients p ON p.id = l.patient_id
      UNION SELECT t.user_id, t.hospital_id FROM recipients t WHERE t.hospital_id IS NOT NULL LIMIT ${MAX_PAIRS}`);
    const byFeed = Map.groupBy(pairs, ({ feed }) => feed);
    const calls = [...byFeed].map(([feed, recipients]) =>
      env.WARD_FEED.getByName(feed).announce(recipients.map(({ userId }) => userId)),
    );
    await withDeadline(Promise.all(calls), DEADLINE_MS, "the feed");
  } catch (error) {
    log(env, "WARNING", "notifications not announced", { cause: describeCause(error), at: stackFrames(error) });
  }
}
