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
/** Deliveries per round trip. */
export const ROWS_PER_LEASE = 100;

export type Leased = Delivery & { leasedUntil: number };

type Row = Omit<Leased, "refs"> & { refs: string };
const COLUMNS = sql`id, substr(id, 1, 36) AS eventId, user_id AS userId, hospital_id AS hospitalId, channel, target_id AS targetId,
  kind, priority, refs, attempts, body_sealed AS bodySealed, created_at AS createdAt, leased_until AS leasedUntil`;

/** Deliveries of an event. Ids begin with that of the event and a full stop; a slash is the next character. */
export const ofEvent = (eventId: string): SQL => sql`id >= ${`${eventId}.`} AND id < ${`${eventId}/`}`;
export const withIds = (ids: readonly string[]): SQL => sql`id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;

const namesOf = (channels: Channels, isNamed: (channel: DeliveryChannel) => boolean): string =>
  JSON.stringify((Object.keys(channels) as DeliveryChannel[]).filter(isNamed));
export const hasChannel = (channels: Channels): SQL =>
  sql`channel IN (SELECT value FROM json_each(${namesOf(channels, () => true)}))`;

/**
 * Leases up to ROWS_PER_LEASE due deliveries of each scope. Of those whose sender was interrupted, only alarms and those of channels
 * that drop repeats are sent again; the others become `unknown`.
 */
export async function leaseDue(db: Db, scopes: readonly SQL[], channels: Channels, now: number): Promise<Leased[]> {
  const answers = await batch(db, [
    ...scopes.map((scope) => cancelWithoutRight(db, isDue(scope, now), now)),
    ...scopes.map((scope) => parkInterrupted(db, scope, channels, now)),
    ...scopes.map((scope) => lease(db, scope, channels, now)),
  ]);
  const rows = answers.slice(2 * scopes.length).flat() as Row[];
  return rows.map((row) => ({ ...row, refs: JSON.parse(row.refs) as Refs }));
}

/** The plus sign keeps SQLite from reading everything that is due instead of the scope. */
const isDue = (scope: SQL, now: number): SQL => sql`${scope} AND +next_attempt_at <= ${now}`;

function lease(db: Db, scope: SQL, channels: Channels, now: number): Statement {
  const until = sql`CAST(${now + LEASE_MS} AS INTEGER)`;
  return db.all<Row>(sql`UPDATE deliveries SET status = 'waiting', leased_until = ${until}, next_attempt_at = ${until}
    WHERE id IN (SELECT id FROM deliveries WHERE ${isDue(scope, now)} AND ${hasChannel(channels)} LIMIT ${ROWS_PER_LEASE})
    RETURNING ${COLUMNS}`);
}

function parkInterrupted(db: Db, scope: SQL, channels: Channels, now: number): Statement {
  const idempotent = namesOf(channels, (name) => channels[name]?.isIdempotent === true);
  return db.run(sql`UPDATE deliveries SET status = 'unknown', next_attempt_at = NULL, leased_until = NULL,
      settled_at = CAST(${now} AS INTEGER)
    WHERE id IN (SELECT id FROM deliveries WHERE ${isDue(scope, now)} AND status = 'sending' AND priority <> 'alarm'
      AND channel NOT IN (SELECT value FROM json_each(${idempotent})) LIMIT ${ROWS_PER_LEASE})`);
}
