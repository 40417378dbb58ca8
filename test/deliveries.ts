// Deliveries for tests of a channel: rows that the statements of the product write, as the consumer hands them to the channel.
import { desc, type SQL, sql } from "drizzle-orm";
import type { SystemActor } from "../src/access/actor.ts";
import type { ChannelCall, Delivery, DeliveryChannel } from "../src/notifications/channel.ts";
import type { LetterKind, NotificationKind, Priority } from "../src/notifications/kinds.ts";
import { notify, type Refs, writeLetter } from "../src/notifications/notify.ts";
import { getKeys } from "../src/platform/config.ts";
import { batch, getDb } from "../src/platform/db/client.ts";
import { deliveries } from "../src/platform/db/schema.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { env } from "./world.ts";

const newActor = (): SystemActor => ({ kind: "system", name: "test", via: { requestId: uuidv7(), ip: null } });

export async function channelCall(change: Partial<ChannelCall> = {}): Promise<ChannelCall> {
  const signal = AbortSignal.timeout(20_000);
  return { env, db: getDb(env.DB), keys: await getKeys(env), now: Date.now(), signal, ...change };
}

/** The person has shown that the e-mail address is theirs. */
export async function verifyEmail(userId: string): Promise<void> {
  await env.DB.prepare("UPDATE users SET email_verified_at = 1 WHERE id = ?").bind(userId).run();
}

export async function setLanguage(userId: string, language: "en" | "hi", timeZone: string | null = null): Promise<void> {
  await getDb(env.DB).run(sql`INSERT INTO notification_settings (user_id, language, time_zone, updated_at)
    VALUES (${userId}, ${language}, ${timeZone}, 1) ON CONFLICT (user_id) DO UPDATE SET language = ${language}, time_zone = ${timeZone}`);
}

/** All rows of tables as text, to look for what must not be there in the clear. */
export async function dumpTables(...tables: string[]): Promise<string> {
  const rows = tables.map((table) => getDb(env.DB).all(sql`SELECT * FROM ${sql.identifier(table)}`));
  return JSON.stringify(await Promise.all(rows));
}

/** The newest delivery that a condition holds for. */
export async function readDelivery(where: SQL): Promise<Delivery | null> {
  const [row] = await getDb(env.DB).select().from(deliveries).where(where).orderBy(desc(deliveries.id));
  if (!row) return null;
  const { id, userId, hospitalId, channel, targetId, kind, priority, refs, attempts, bodySealed, bodyHasDetails, createdAt } =
    row;
  const eventId = id.split(".")[0] ?? "";
  return {
    ...{ id, eventId, userId, hospitalId, channel, targetId, kind, priority, attempts, bodySealed, bodyHasDetails, createdAt },
    refs: JSON.parse(refs),
  };
}

type NewNotice = { kind: NotificationKind; userId: string; refs?: Refs; priority?: Priority; hospitalId?: string | null };

/** The delivery of a notification by a channel; null if the person is not told by it. */
export async function newNotice(channel: DeliveryChannel, notice: NewNotice, now = Date.now()): Promise<Delivery | null> {
  const { kind, userId, refs = {}, priority, hospitalId = null } = notice;
  const db = getDb(env.DB);
  const eventId = uuidv7();
  const recipients = sql`SELECT ${userId}`;
  await batch(db, notify(db, newActor(), now, { kind, hospitalId, refs, recipients, eventId, ...(priority && { priority }) }));
  return readDelivery(sql`id >= ${`${eventId}.`} AND id < ${`${eventId}/`} AND channel = ${channel}`);
}

/** The delivery of a letter. */
export async function newLetter(kind: LetterKind, targetId: string, userId: string | null, refs: Refs = {}): Promise<Delivery> {
  const db = getDb(env.DB);
  const eventId = uuidv7();
  await batch(db, [writeLetter(db, newActor(), Date.now(), { kind, targetId, userId, hospitalId: null, refs, eventId })]);
  const delivery = await readDelivery(sql`id >= ${`${eventId}.`} AND id < ${`${eventId}/`}`);
  if (!delivery) throw new Error("no delivery was written");
  return delivery;
}
