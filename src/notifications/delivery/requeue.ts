// Cron's share: hands deliveries that are due to their queues.
import { sql } from "drizzle-orm";
import { getDb } from "../../platform/db/client.ts";
import { describeCause, stackFrames } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { CHANNELS, type Channels } from "../channels.ts";
import { hasChannel } from "./lease.ts";
import { type QueuedDelivery, sendIds } from "./messages.ts";

/** Deliveries per run; the next run takes the next ones. */
const MAX_ROWS = 5_000;

/** Queues what is due: retries, expired leases, and what a queue lost. @returns the number of deliveries  @throws what D1 and the queue throw */
export async function requeueDue(env: Env, now: number, channels: Channels = CHANNELS): Promise<number> {
  const due = await getDb(env.DB).all<QueuedDelivery>(sql`SELECT id, priority, attempts FROM deliveries
    WHERE next_attempt_at <= ${now} AND ${hasChannel(channels)} ORDER BY next_attempt_at LIMIT ${MAX_ROWS}`);
  await sendIds(env, due);
  return due.length;
}

/** Failures are logged: the next run repeats it. */
export async function requeueInBackground(env: Env, now: number): Promise<void> {
  try {
    await requeueDue(env, now);
  } catch (error) {
    log(env, "WARNING", "due deliveries not queued", { cause: describeCause(error), at: stackFrames(error) });
  }
}
