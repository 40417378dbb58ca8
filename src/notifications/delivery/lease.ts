// Leases of deliveries: a consumer sends only what it has leased, and an expired lease is for the next one.
// While a delivery is leased `next_attempt_at` is the end of the lease, so that one index finds everything that is due.
import { type SQL, sql } from "drizzle-orm";
import { batch, type Db, type Statement } from "../../platform/db/client.ts";
import { cancelWithoutRight } from "../alarms.ts";
import type { Delivery, DeliveryChannel } from "../channel.ts";
import type { Channels } from "../channels.ts";
import type { Refs } from "../notify.ts";

/** Longer than an invocation sends (consume.ts). */
export const LEASE_MS = 60_000;

export type Leased = Delivery & { leasedUntil: number };

type Row = Omit<Leased, "refs"> & { refs: string };
const COLUMNS = sql`id, substr(id, 1, 36) AS eventId, user_id AS userId, hospital_id AS hospitalId, channel, target_id AS targetId,
  kind, priority, refs, attempts - (priority = 'alarm') AS attempts, body_sealed AS bodySealed, body_has_details AS bodyHasDetails,
  created_at AS createdAt, leased_until AS leasedUntil`;

/** What messages name: events, all of whose deliveries are meant, and single deliveries. */
export type Scope = { events: readonly string[]; ids: readonly string[] };

const namesOf = (channels: Channels, isNamed: (channel: DeliveryChannel) => boolean): string =>
  JSON.stringify((Object.keys(channels) as DeliveryChannel[]).filter(isNamed));
export const hasChannel = (channels: Channels): SQL =>
  sql`channel IN (SELECT value FROM json_each(${namesOf(channels, () => true)}))`;

/**
 * Leases due deliveries of the scope, in one round trip. An alarm is marked as being sent at once, since it may be sent again after an
 * interruption. Of other deliveries whose sender was interrupted, only those of channels that drop repeats are sent again; the others
 * become `unknown`.
 */
export async function leaseDue(db: Db, scope: Scope, channels: Channels, now: number, limit: number): Promise<Leased[]> {
  const [, , rows] = await batch(db, [
    cancelWithoutRight(db, sql`id IN (${selectDue(scope, now, sql`kind LIKE 'alert.%'`)})`, now),
    parkInterrupted(db, scope, channels, now),
    lease(db, scope, channels, now, limit),
  ]);
  return rows.map((row) => ({ ...row, refs: JSON.parse(row.refs) as Refs }));
}

/**
 * SELECT of ids. Ids of deliveries begin with that of the event and a full stop; a slash is the next character. The plus sign keeps
 * SQLite from reading everything that is due instead of the scope.
 */
function selectDue({ events, ids }: Scope, now: number, condition: SQL): SQL {
  const isDue = sql`+next_attempt_at <= ${now} AND ${condition}`;
  return sql`SELECT d.id FROM json_each(${JSON.stringify(events)}) e CROSS JOIN deliveries d
      WHERE d.id >= e.value || '.' AND d.id < e.value || '/' AND ${isDue}
    UNION ALL SELECT d.id FROM json_each(${JSON.stringify(ids)}) e CROSS JOIN deliveries d WHERE d.id = e.value AND ${isDue}`;
}

function lease(db: Db, scope: Scope, channels: Channels, now: number, limit: number) {
  const until = sql`CAST(${now + LEASE_MS} AS INTEGER)`;
  return db.all<Row>(sql`UPDATE deliveries SET leased_until = ${until}, next_attempt_at = ${until},
      status = iif(priority = 'alarm', 'sending', 'waiting'), attempts = attempts + (priority = 'alarm'),
      attempted_at = iif(priority = 'alarm', CAST(${now} AS INTEGER), attempted_at)
    WHERE id IN (${selectDue(scope, now, hasChannel(channels))} LIMIT ${limit}) RETURNING ${COLUMNS}`);
}

function parkInterrupted(db: Db, scope: Scope, channels: Channels, now: number): Statement {
  const idempotent = namesOf(channels, (name) => channels[name]?.isIdempotent === true);
  const isInterrupted = sql`status = 'sending' AND priority <> 'alarm'
    AND channel NOT IN (SELECT value FROM json_each(${idempotent}))`;
  return db.run(sql`UPDATE deliveries SET status = 'unknown', next_attempt_at = NULL, leased_until = NULL,
      settled_at = CAST(${now} AS INTEGER) WHERE id IN (${selectDue(scope, now, isInterrupted)})`);
}
