// Statements that tell webhooks of an event, for the batch of the event itself: both commit or neither.
import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../access/actor.ts";
import { type Db, onResult, type Statement } from "../../platform/db/client.ts";
import { uuidv7 } from "../../platform/ids.ts";
import type { Priority, WebhookEvent } from "../kinds.ts";
import { noteEvent, type Refs } from "../notify.ts";

/** Webhooks of one hospital. */
export const MAX_WEBHOOKS = 20;

export type PublishedEvent = {
  type: WebhookEvent;
  /** The hospital whose webhooks are told; of none, nothing is written. */
  hospitalId: string | null;
  /** Ids of what it is about; they are the payload. */
  refs: Refs;
  /** Default: `normal`. */
  priority?: Priority;
  /** A UUIDv7 derived from the event, when the same event may be written twice. */
  eventId?: string;
  /** Nothing is told unless this holds. */
  when?: SQL;
};

/** The row of a delivery is `<event>.webhook.<webhook>`. */
export const webhookDeliveryId = (eventId: string, webhookId: string): string => `${eventId}.webhook.${webhookId}`;

function insertDeliveries(
  db: Db,
  actor: Actor,
  now: number,
  event: { eventId: string; type: string; refs: Refs; priority: Priority },
  condition: SQL,
): Statement {
  const { eventId, type, refs, priority } = event;
  const insert = db.all<{
    id: string;
  }>(sql`INSERT INTO deliveries (id, hospital_id, channel, target_id, kind, priority, refs, next_attempt_at, created_at)
    SELECT ${`${eventId}.webhook.`} || w.id, w.hospital_id, 'webhook', w.id, ${type}, ${priority}, ${JSON.stringify(refs)},
      CAST(${now} AS INTEGER), CAST(${now} AS INTEGER)
    FROM webhooks w WHERE ${condition} AND w.active = 1 LIMIT ${MAX_WEBHOOKS} ON CONFLICT DO NOTHING RETURNING id`);
  // Most hospitals have no webhook: an event without a delivery needs no message of the queue.
  return onResult(insert, (rows) => {
    if (rows.length > 0) noteEvent(actor, eventId, priority);
  });
}

/**
 * The statement that writes a delivery per webhook of the hospital that chose the event type; none for a hospital without one. Running
 * it again for the same `eventId` changes nothing.
 */
export function publishEvent(db: Db, actor: Actor, now: number, event: PublishedEvent): Statement[] {
  const { type, hospitalId, refs, priority = "normal", eventId = uuidv7(), when = sql`1` } = event;
  if (hospitalId === null) return [];
  const isChosen = sql`w.hospital_id = ${hospitalId} AND instr(' ' || w.events || ' ', ${` ${type} `}) > 0 AND ${when}`;
  return [insertDeliveries(db, actor, now, { eventId, type, refs: { hospital_id: hospitalId, ...refs }, priority }, isChosen)];
}

/** The statement that writes an event of type `webhook.test` for one webhook. */
export function publishTestEvent(
  db: Db,
  actor: Actor,
  now: number,
  webhookId: string,
): { eventId: string; statement: Statement } {
  const eventId = uuidv7();
  const event = { eventId, type: "webhook.test", refs: { webhook_id: webhookId }, priority: "normal" } as const;
  return { eventId, statement: insertDeliveries(db, actor, now, event, sql`w.id = ${webhookId}`) };
}
