// Hands the events of a request to their queues, behind its response.
import type { MiddlewareHandler } from "hono";
import type { Actor, Call } from "../../access/actor.ts";
import type { AppEnv } from "../../http/router.ts";
import { describeCause, stackFrames } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import type { Priority } from "../kinds.ts";
import { drainEvents } from "../notify.ts";
import { sendEvents, sendIds } from "./messages.ts";

/** Hands over the events that statements of the actor's request were made for. A failure is logged: cron finds the deliveries. */
export async function handOverEvents(env: Env, actor: Actor): Promise<void> {
  const events = drainEvents(actor);
  if (events.size === 0) return;
  try {
    await sendEvents(env, events);
  } catch (error) {
    log(env, "WARNING", "events not handed to the queue", { cause: describeCause(error), at: stackFrames(error) });
  }
}

/** For every request, also one that failed: it may have committed an event before. */
export const handOverMessages: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const call: Call | undefined = c.get("call");
  if (call) c.executionCtx.waitUntil(handOverEvents(c.env, call.actor));
};

/** Hands over one delivery that is due now. A failure is logged: cron finds it. */
export async function sendIdsInBackground(env: Env, due: { id: string; priority: Priority }): Promise<void> {
  try {
    await sendIds(env, [{ ...due, attempts: 0 }]);
  } catch (error) {
    log(env, "WARNING", "delivery not handed to the queue", { cause: describeCause(error), at: stackFrames(error) });
  }
}
