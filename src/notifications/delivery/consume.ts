// The consumer of the queues: leases what is due, sends it, and stores what became of it.
// Providers' failures are retried from the row (settle.ts); the queue's own retries are for failures of D1 alone.
import { getVerifiedKeys } from "../../platform/config.ts";
import { getDb } from "../../platform/db/client.ts";
import { describeCause, stackFrames } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { writeAlarms } from "../alarms.ts";
import { CHANNELS, type Channels } from "../channels.ts";
import { announce } from "./announce.ts";
import { leaseDue, type Scope } from "./lease.ts";
import { ALARM_QUEUE_NAME, DeliveryMessage, sendEvents, UNDELIVERED_QUEUE_NAME } from "./messages.ts";
import { SendingRun, TIME_LIMITS } from "./sending-run.ts";

/** Deliveries per lease. An alarm's are all leased before the first waits for a dead provider. */
export const ROWS_PER_LEASE = { alarm: 500, other: 100 } as const;
/** More is leased before what is under way has ended, so that a destination that hangs does not hold up the rest. */
const NEXT_LEASE_MS = 500;

/** `waitUntil`: for what a destination that hangs would keep the queue from; without it, all is awaited. */
export type ConsumeOptions = { channels?: Channels; clock?: () => number; waitUntil?: (work: Promise<unknown>) => void };

/** @throws what D1 throws: the queue repeats the batch, and leases keep what was sent from being sent again */
export async function consume(env: Env, batch: MessageBatch, options: ConsumeOptions = {}): Promise<void> {
  if (batch.queue === UNDELIVERED_QUEUE_NAME) return logUndelivered(env, batch);
  const messages = batch.messages.flatMap(({ body }) => readMessage(env, body));
  const alarms = messages.flatMap((message) => ("alarm" in message ? [message.alarm] : []));
  const written = await writeAlarms(getDb(env.DB), alarms);
  const events = [...new Set([...messages.flatMap((message) => ("event" in message ? [message.event] : [])), ...written])];
  const ids = [...new Set(messages.flatMap((message) => ("ids" in message ? message.ids : [])))];
  const isAlarm = batch.queue === ALARM_QUEUE_NAME;
  const work = Promise.all([announce(env, getDb(env.DB), events), deliver(env, { events, ids }, isAlarm, options)]);
  if (!options.waitUntil) return void (await work);
  await Promise.race([work, scheduler.wait(TIME_LIMITS[isAlarm ? "alarm" : "other"].holdMs)]);
  options.waitUntil(work.catch((error: unknown) => reportFailure(env, error)));
}

/** Of an invocation that the queue no longer waits for: cron finds the deliveries when their lease has expired. */
function reportFailure(env: Env, error: unknown): void {
  log(env, "WARNING", "deliveries interrupted", { cause: describeCause(error), at: stackFrames(error) });
}

function readMessage(env: Env, body: unknown): DeliveryMessage[] {
  const parsed = DeliveryMessage.safeParse(body);
  if (parsed.success) return [parsed.data];
  log(env, "ERROR", "message of an unknown form dropped");
  return [];
}

/** Sends what is due of the scope until nothing is left or the time is over; the rest gets a message of its own. */
async function deliver(
  env: Env,
  scope: Scope,
  isAlarm: boolean,
  { channels = CHANNELS, clock = Date.now }: ConsumeOptions,
): Promise<void> {
  const db = getDb(env.DB);
  const call = { env, db, keys: await getVerifiedKeys(env) };
  const kind = isAlarm ? "alarm" : "other";
  const run = new SendingRun(call, channels, TIME_LIMITS[kind], clock);
  const limit = ROWS_PER_LEASE[kind];
  const sending: Promise<void>[] = [];
  let mayHaveMore = true;
  while (mayHaveMore && !run.isOver) {
    const leased = await leaseDue(db, scope, channels, clock(), limit).catch((error: unknown) => run.fail(error));
    if (!leased) break;
    mayHaveMore = leased.length === limit;
    const sent = run.send(leased);
    sending.push(sent);
    await Promise.race([sent, scheduler.wait(NEXT_LEASE_MS)]);
  }
  // After a failure the queue repeats the whole message.
  if (mayHaveMore && !run.hasFailed) await sendRest(env, scope, isAlarm);
  await Promise.all(sending);
  await run.finish();
}

async function sendRest(env: Env, { events }: Scope, isAlarm: boolean): Promise<void> {
  const priority = isAlarm ? "alarm" : "normal";
  await sendEvents(env, new Map(events.map((event) => [event, priority]))).catch((error: unknown) => reportFailure(env, error));
}

/** The queue gave up after its retries. Cron finds the deliveries. */
function logUndelivered(env: Env, batch: MessageBatch): void {
  for (const { id, attempts } of batch.messages) log(env, "ERROR", "message not delivered", { code: id, count: attempts });
  batch.ackAll();
}
