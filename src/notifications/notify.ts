// Statements that write notifications and deliveries, for the batch of the event itself: both commit or neither.
// Behind the response the event is handed to its queue (delivery/hand-over.ts); cron finds what a queue lost.
import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../access/actor.ts";
import { ACTIVE_MEMBERSHIP } from "../access/effective-role.ts";
import type { Db, Statement } from "../platform/db/client.ts";
import { uuidv7 } from "../platform/ids.ts";
import { type KindRule, type LetterKind, type NotificationKind, type PersonChannel, type Priority, ruleOf } from "./kinds.ts";

/** Recipients of one event unless it says otherwise; lowest ids first, more are not notified. */
export const MAX_RECIPIENTS = 200;

export type Refs = Readonly<Record<string, string | number>>;

export type Notice = {
  kind: NotificationKind;
  /** Default: that of the kind. */
  priority?: Priority;
  /** The hospital whose administrators see the deliveries, and whose rules of channels apply; null for matters of the account alone. */
  hospitalId: string | null;
  /** Ids of what it is about. */
  refs: Refs;
  /** SELECT of one column with the ids of the recipients. Inactive accounts are left out. */
  recipients: SQL;
  /** A UUIDv7 derived from the event, when the same event may be written twice. */
  eventId?: string;
  /** Nobody is notified unless this holds. */
  when?: SQL;
  maxRecipients?: number;
};

/** Events that statements of a request were made for, with the most urgent priority; read behind the response. */
const eventsByRequest = new WeakMap<Actor["via"], Map<string, Priority>>();

/** Events of one request that are handed over; cron finds the deliveries of more. */
const MAX_EVENTS = 1_000;

/** Has the event handed to its queue behind the response. */
export function noteEvent(actor: Actor, eventId: string, priority: Priority): void {
  const events = eventsByRequest.get(actor.via) ?? new Map<string, Priority>();
  if (events.size < MAX_EVENTS) eventsByRequest.set(actor.via, events.set(eventId, priority));
}

/** The events of a request since the last call, each with its priority; whether they were committed is for the consumer to see. */
export function drainEvents({ via }: Actor): ReadonlyMap<string, Priority> {
  const events = eventsByRequest.get(via) ?? new Map<string, Priority>();
  eventsByRequest.delete(via);
  return events;
}

/**
 * Statements that write a notification per recipient and a delivery per recipient and channel. Running them again for the same
 * `eventId` changes nothing.
 */
export function notify(db: Db, actor: Actor, now: number, notice: Notice): Statement[] {
  const { kind, hospitalId, recipients, when = sql`1`, maxRecipients = MAX_RECIPIENTS } = notice;
  const eventId = notice.eventId ?? uuidv7();
  const priority = notice.priority ?? ruleOf(kind).priority;
  noteEvent(actor, eventId, priority);
  const rows = sql`SELECT u.id AS id, ${eventId} AS event_id, ${hospitalId} AS hospital_id, ${kind} AS kind, ${priority} AS priority,
      ${JSON.stringify(notice.refs)} AS refs, ${now} AS at
    FROM users u WHERE u.active = 1 AND u.id IN (${recipients}) AND ${when} ORDER BY u.id LIMIT ${maxRecipients}`;
  return insertNotices(db, rows, (channel) => isChannelOn(notice, channel));
}

/**
 * The two statements of `notify`, for any number of events whose kinds have the same rule.
 * @param rows SELECT of id (of the recipient), event_id, hospital_id, kind, priority, refs and at (epoch milliseconds)
 * @param isOn whether the row `r` of `rows` is sent over the channel
 */
export function insertNotices(db: Db, rows: SQL, isOn: (channel: PersonChannel) => SQL): Statement[] {
  const target = (
    channel: PersonChannel,
    targetId: SQL,
  ) => sql`SELECT r.event_id || ${`.${channel}.`} || ${targetId} AS delivery_id,
    ${channel} AS channel, ${targetId} AS target_id, r.*`;
  return [
    db.run(sql`INSERT INTO notifications (user_id, id, hospital_id, kind, priority, refs, created_at)
      SELECT id, event_id, hospital_id, kind, priority, refs, CAST(at AS INTEGER) FROM (${rows}) WHERE 1 ON CONFLICT DO NOTHING`),
    db.run(sql`INSERT INTO deliveries (id, user_id, hospital_id, channel, target_id, kind, priority, refs, next_attempt_at, created_at)
      SELECT d.delivery_id, d.id, d.hospital_id, d.channel, d.target_id, d.kind, d.priority, d.refs, CAST(d.at AS INTEGER),
        CAST(d.at AS INTEGER) FROM (
        WITH r AS MATERIALIZED (${rows})
        ${target("email", sql`r.id`)} FROM r JOIN users u ON u.id = r.id
          WHERE u.email_verified_at IS NOT NULL AND ${isOn("email")}
        UNION ALL ${target("push", sql`p.id`)} FROM r JOIN push_subscriptions p ON p.user_id = r.id WHERE ${isOn("push")}
        UNION ALL ${target("sms", sql`r.id`)} FROM r JOIN notification_settings s ON s.user_id = r.id
          WHERE s.phone_verified_at IS NOT NULL AND ${isOn("sms")}
      ) d WHERE 1 ON CONFLICT DO NOTHING`),
  ];
}

/** Whether the recipient `r.id` has the channel on for the kind, by choice, by default or because the hospital requires it. */
export function isChannelOn({ kind, hospitalId }: Pick<Notice, "kind" | "hospitalId">, channel: PersonChannel): SQL {
  return isOnByRule(ruleOf(kind), sql`${kind}`, hospitalId === null ? null : sql`${hospitalId}`, channel);
}

/** The same for rows `r` with `kind` and `hospital_id`, all of one rule. */
export const isRowsChannelOn = (rule: KindRule, channel: PersonChannel): SQL =>
  isOnByRule(rule, sql`r.kind`, sql`r.hospital_id`, channel);

function isOnByRule({ fixed, defaults }: KindRule, kind: SQL, hospitalId: SQL | null, channel: PersonChannel): SQL {
  if (fixed.includes(channel)) return sql`1`;
  const chosen = sql`coalesce((SELECT c.is_on FROM notification_choices c
    WHERE c.user_id = r.id AND c.kind = ${kind} AND c.channel = ${channel}), ${Number(defaults.includes(channel))}) = 1`;
  if (hospitalId === null) return chosen;
  return sql`(${chosen} OR EXISTS (SELECT 1 FROM memberships m JOIN required_channels q ON q.hospital_id = m.hospital_id
    AND q.role = m.role AND q.channel = ${channel}
    WHERE m.user_id = r.id AND m.hospital_id = ${hospitalId} AND ${ACTIVE_MEMBERSHIP}))`;
}

export type Letter = {
  kind: LetterKind;
  /** The row that the letter's address and link come from (email/letters.ts). */
  targetId: string;
  /** Null for somebody who has no account yet. */
  userId: string | null;
  hospitalId: string | null;
  refs?: Refs;
  eventId?: string;
  when?: SQL;
};

/** The statement that writes a mail with a link. */
export function writeLetter(db: Db, actor: Actor, now: number, letter: Letter): Statement {
  const { kind, targetId, userId, hospitalId, refs = {}, when = sql`1` } = letter;
  const eventId = letter.eventId ?? uuidv7();
  noteEvent(actor, eventId, "security");
  return db.run(sql`INSERT INTO deliveries (id, user_id, hospital_id, channel, target_id, kind, priority, refs, next_attempt_at, created_at)
    SELECT ${`${eventId}.email.${targetId}`}, ${userId}, ${hospitalId}, 'email', ${targetId}, ${kind}, 'security',
      ${JSON.stringify(refs)}, CAST(${now} AS INTEGER), CAST(${now} AS INTEGER) WHERE ${when} ON CONFLICT DO NOTHING`);
}
