// Messages of the queues: they name rows of `deliveries` and start what is due; what is sent is in the rows.
import { z } from "@hono/zod-openapi";
import { AlarmSchema } from "../alarms.ts";
import type { Priority } from "../kinds.ts";

/** Deliveries per message: a message has at most 128 KB. */
const IDS_PER_MESSAGE = 50;
/** Messages per call of `sendBatch`, as the platform limits it. */
const MESSAGES_PER_CALL = 100;
/** Longest delay of a prompt retry; later ones are found by cron. */
export const MAX_DELAY_MS = 15 * 60_000;

const EventId = z.uuid();
export const DeliveryMessage = z.union([
  /** All due deliveries of an event, whose recipients' live sockets are notified too. */
  z.strictObject({ event: EventId }),
  /** An alarm of a patient's object, which may come before its rows in D1: they are written, and are those of the event. */
  z.strictObject({ alarm: AlarmSchema }),
  /** These deliveries, if they are due. */
  z.strictObject({ ids: z.array(z.string().max(200)).max(IDS_PER_MESSAGE) }),
]);
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;

/** Names of wrangler.toml. */
export const ALARM_QUEUE_NAME = "edgecare-alarms";
export const UNDELIVERED_QUEUE_NAME = "edgecare-undelivered";

type QueueEnv = Pick<Env, "ALARM_QUEUE" | "MESSAGE_QUEUE">;
const queueOf = (env: QueueEnv, isAlarm: boolean): Queue => (isAlarm ? env.ALARM_QUEUE : env.MESSAGE_QUEUE);

/** Sends each event to the queue of its priority. @throws what the queue throws: cron finds the deliveries */
export async function sendEvents(env: QueueEnv, events: ReadonlyMap<string, Priority>): Promise<void> {
  const bodies = (isAlarm: boolean): DeliveryMessage[] =>
    [...events].flatMap(([event, priority]) => ((priority === "alarm") === isAlarm ? [{ event }] : []));
  await Promise.all([sendAll(env.ALARM_QUEUE, bodies(true), 0), sendAll(env.MESSAGE_QUEUE, bodies(false), 0)]);
}

export type QueuedDelivery = { id: string; priority: Priority; attempts: number };
/** Later attempts at alarms, as at those for a dead provider, do not hold up other alarms. */
const isUrgent = ({ priority, attempts }: QueuedDelivery): boolean => priority === "alarm" && attempts === 0;

/** Sends alarms that were never tried to the queue of alarms, and all else to the other one. @throws what the queue throws: cron finds the deliveries */
export async function sendIds(env: QueueEnv, deliveries: readonly QueuedDelivery[], delayMs = 0): Promise<void> {
  await Promise.all(
    [true, false].map((isAlarm) => {
      const ids = deliveries.filter((delivery) => isUrgent(delivery) === isAlarm).map(({ id }) => id);
      const count = Math.ceil(ids.length / IDS_PER_MESSAGE);
      const bodies = Array.from({ length: count }, (_, i) => ({
        ids: ids.slice(i * IDS_PER_MESSAGE, (i + 1) * IDS_PER_MESSAGE),
      }));
      return sendAll(queueOf(env, isAlarm), bodies, delayMs);
    }),
  );
}

async function sendAll(queue: Queue, bodies: readonly DeliveryMessage[], delayMs: number): Promise<void> {
  const delay = delayMs > 0 ? { delaySeconds: Math.ceil(delayMs / 1000) } : {};
  for (let from = 0; from < bodies.length; from += MESSAGES_PER_CALL) {
    await queue.sendBatch(bodies.slice(from, from + MESSAGES_PER_CALL).map((body) => ({ body, ...delay })));
  }
}
