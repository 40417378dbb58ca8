// Delivery of changed rights and settings to the objects that act on them. Triggers (migrations/0004_changes.sql, 0007_facts_follow.sql)
// queue a row in `outbox` in the transaction of the change: topic `monitor` for a patient's object, `feed` for a hospital's feed. Rows
// are delivered after the response on the routes of MONITOR_CHANGE_PATHS (app.ts), and by cron otherwise.
import { sql } from "drizzle-orm";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../http/router.ts";
import { batch, getDb } from "../../../platform/db/client.ts";
import { withDeadline } from "../../../platform/deadline.ts";
import { describeCause, stackFrames } from "../../../platform/errors.ts";
import { log } from "../../../platform/log.ts";
import { factsFromD1 } from "./facts.ts";

const MAX_CHANGES_PER_ROUND = 100;
const MAX_ROUNDS = 10;
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 10 * 60_000;
/** A change that fails this often (about an hour) is parked: retried every six hours and counted by the metrics. */
export const MAX_ATTEMPTS = 12;
const PARKED_RETRY_MS = 6 * 3_600_000;
/** A hanging object must not delay the changes for others. */
const DEADLINE_MS = 10_000;

type OutboxChange = { id: string; topic: string; payload: string; attempts: number; changes: number };

/** Delivers due changes. @returns how many were delivered */
export async function deliverChanges(env: Env, now = Date.now()): Promise<number> {
  return (await deliverRound(env, now)).delivered;
}

/** `due`: how many were tried; MAX_CHANGES_PER_ROUND when there may be more. */
async function deliverRound(env: Env, now: number): Promise<{ due: number; delivered: number }> {
  const db = getDb(env.DB);
  // Rows carry the database's clock, which may be ahead of the Worker's. Failed changes come last, so that they never displace new
  // ones; feeds come first, since they end access of open sockets.
  const due = await db.all<OutboxChange>(sql`SELECT id, topic, payload, attempts, changes FROM outbox
    WHERE done_at IS NULL AND due_at <= max(${now}, unixepoch('subsec') * 1000) ORDER BY attempts > 0, topic, due_at LIMIT ${MAX_CHANGES_PER_ROUND}`);
  if (due.length === 0) return { due: 0, delivered: 0 };
  const outcomes = await Promise.allSettled(
    due.map((change) => withDeadline(deliverChange(env, change), DEADLINE_MS, "the object")),
  );
  const done = due.filter((_, i) => outcomes[i]?.status === "fulfilled");
  const failed = due.flatMap((change, i) => {
    const outcome = outcomes[i];
    return outcome?.status === "rejected" ? [{ ...change, error: outcome.reason }] : [];
  });
  const toIdPairs = (changes: OutboxChange[]) => JSON.stringify(changes.map(({ id, changes: n }) => [id, n]));
  await batch(db, [
    // A row that changed again during the delivery stays.
    db.run(sql`DELETE FROM outbox WHERE (id, changes) IN (SELECT value->>0, value->>1 FROM json_each(${toIdPairs(done)}))`),
    ...failed.map(({ id, attempts }) =>
      db.run(sql`UPDATE outbox SET attempts = attempts + 1, due_at = CAST(${now + waitAfter(attempts)} AS INTEGER)
        WHERE id = ${id}`),
    ),
  ]);
  for (const { id, attempts, error } of failed) {
    const reason = attempts + 1 >= MAX_ATTEMPTS ? "parked" : "will retry";
    log(env, "WARNING", "change not delivered", {
      code: id,
      count: attempts + 1,
      reason,
      cause: describeCause(error),
      at: stackFrames(error),
    });
  }
  return { due: due.length, delivered: done.length };
}

function waitAfter(attempts: number): number {
  return attempts + 1 >= MAX_ATTEMPTS ? PARKED_RETRY_MS : Math.min(RETRY_MS * 2 ** attempts, MAX_RETRY_MS);
}

async function deliverChange(env: Env, { topic, payload }: OutboxChange): Promise<void> {
  if (topic === "feed") return env.WARD_FEED.getByName(payload).recheck();
  if (topic !== "monitor") throw new Error("unknown topic of a change");
  const facts = await factsFromD1(env, payload, Date.now());
  if (facts) await env.PATIENT_MONITOR.getByName(payload).configure(facts);
}

/** Waits for the response to be sent first, so that the delivery does not slow it down. */
async function deliverInBackground(env: Env): Promise<void> {
  await scheduler.wait(0);
  await deliverAllDue(env);
}

/** Delivers in rounds, since a ward or hospital may have more patients than one round. Failures do not stop it. */
export async function deliverAllDue(env: Env): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) if ((await deliverRound(env, Date.now())).due < MAX_CHANGES_PER_ROUND) return;
}

/** Delivers changes after a changing request, even a rejected one (it may have revoked something): objects get them within a second. */
export const deliverAfterResponse: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.req.method !== "GET" && c.req.method !== "HEAD")
    c.executionCtx.waitUntil(deliverInBackground(c.env).catch(logDeliveryFailure(c.env)));
};

/** Delivers changes before the response, so that both patients' objects know an assignment of a device when the client does. */
export const deliverBeforeResponse: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.req.method !== "GET" && c.req.method !== "HEAD" && c.res.ok) await deliverAllDue(c.env).catch(logDeliveryFailure(c.env));
};

const logDeliveryFailure = (env: Env) => (error: unknown) =>
  log(env, "WARNING", "changes not delivered", { cause: describeCause(error), at: stackFrames(error) });
