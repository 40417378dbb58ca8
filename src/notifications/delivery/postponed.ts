// Quiet hours: which deliveries wait, and until when.
import { sql } from "drizzle-orm";
import { ACTIVE_MEMBERSHIP } from "../../access/effective-role.ts";
import type { Db } from "../../platform/db/client.ts";
import type { Delivery } from "../channel.ts";
import { type QuietHours, quietUntil } from "../preferences/quiet-hours.ts";

type Row = QuietHours & { userId: string; hospitalZone: string | null };

/** By id of the delivery, when its recipient's quiet hours end (epoch milliseconds); those without an entry are sent now. */
export async function postponed(db: Db, deliveries: readonly Delivery[], now: number): Promise<ReadonlyMap<string, number>> {
  const held = deliveries.filter(({ priority, userId }) => priority === "normal" && userId !== null);
  if (held.length === 0) return new Map();
  const userIds = JSON.stringify([...new Set(held.map(({ userId }) => userId))]);
  const rows = await db.all<Row>(sql`SELECT s.user_id AS userId, s.quiet_from AS quietFrom, s.quiet_until AS quietUntil,
      s.time_zone AS timeZone, (SELECT h.time_zone FROM memberships m JOIN hospitals h ON h.id = m.hospital_id
        WHERE m.user_id = s.user_id AND ${ACTIVE_MEMBERSHIP} ORDER BY m.created_at, m.hospital_id LIMIT 1) AS hospitalZone
    FROM notification_settings s
    WHERE s.user_id IN (SELECT value FROM json_each(${userIds})) AND s.quiet_from IS NOT NULL`);
  const byUser = new Map(rows.map((row) => [row.userId, row]));
  return new Map(
    held.flatMap(({ id, userId, priority }) => {
      const quiet = byUser.get(userId ?? "");
      const until = quiet ? quietUntil(priority, quiet, quiet.hospitalZone, now) : null;
      return until === null ? [] : [[id, until] as const];
    }),
  );
}
