// The consumer of the queues: leases what is due, sends it, and stores what became of it.
// Providers' failures are retried from the row (settle.ts); the queue's own retries are for failures of D1 alone.
import { getVerifiedKeys } from "../../platform/config.ts";
import { getDb } from "../../platform/db/client.ts";
import { log } from "../../platform/log.ts";
import { writeAlarms } from "../alarms.ts";
import { CHANNELS, type Channels } from "../channels.ts";
import { announce } from "./announce.ts";
import { leaseDue, ofEvent, withIds } from "./lease.ts";
import { ALARM_QUEUE_NAME, DeliveryMessage, sendEvents, UNDELIVERED_QUEUE_NAME } from "./messages.ts";
import { SendingRun, TIME_LIMITS } from "./sending-run.ts";

export type ConsumeOptions = { channels?: Channels; clock?: () => number };

/** @throws what D1 throws: the queue repeats the batch, and leases keep what was sent from being sent again */
export async function consume(env: Env, batch: MessageBatch, options: ConsumeOptions = {}): Promise<void> {
  if (batch.queue === UNDELIVERED_QUEUE_NAME) return logUndelivered(env, batch);
  const messages = batch.messages.flatMap(({ body }) => readMessage(env, body));
  const alarms = messages.flatMap((message) => ("alarm" in message ? [message.alarm] : []));
  const written = await writeAlarms(getDb(env.DB), alarms);
  const events = [...new Set([...messages.flatMap((message) => ("event" in message ? [message.event] : [])), ...written])];
  const ids = [...new Set(messages.flatMap((message) => ("ids" in message ? message.ids : [])))];
  const isAlarm = batch.queue === ALARM_QUEUE_NAME;
  const announced = announce(env, getDb(env.DB), events);
  await deliver(env, events, ids, isAlarm, options);
  await announced;
}

function readMessage(env: Env, body: unknown): DeliveryMessage[] {
  const parsed = DeliveryMessage.safeParse(body);
  if (parsed.success) return [parsed.data];
  log(env, "ERROR", "message of an unknown form dropped");
  return [];
}

/** Sends what is due of the events and ids until nothing is left or the time is over; the rest gets a message of its own. */
async function deliver(
  env: Env,
  events: readonly string[],
  ids: readonly string[],
  isAlarm: boolean,
  { channels = CHANNELS, clock = Date.now }: ConsumeOptions,
): Promise<void> {
  const db = getDb(env.DB);
  const keys = await getVerifiedKeys(env);
  const scopes = [...events.map(ofEvent), ...(ids.length > 0 ? [withIds(ids)] : [])];
  const run = new SendingRun({ env, db, keys }, channels, isAlarm ? TIME_LIMITS.alarm : TIME_LIMITS.other, clock);
  while (!run.isOver) {
    const leased = await leaseDue(db, scopes, channels, clock());
    if (leased.length === 0) break;
    await run.send(leased);
  }
  const priority = isAlarm ? "alarm" : "normal";
  if (run.isOver) await sendEvents(env, new Map(events.map((event) => [event, priority])));
  await run.finish();
}

/** The queue gave up after its retries. Cron finds the deliveries. */
function logUndelivered(env: Env, batch: MessageBatch): void {
  for (const { id, attempts } of batch.messages) log(env, "ERROR", "message not delivered", { code: id, count: attempts });
  batch.ackAll();
}
