// Changes of rights and settings on their way to the objects that act on them. Triggers write the rows (migration
// 0004_changes), whatever verb made the change; they are delivered behind the answer, and by cron what was left.
import { sql } from "drizzle-orm";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../http/router.ts";
import { batch, getDb } from "../../../platform/db/client.ts";
import { describeCause, stackFrames } from "../../../platform/errors.ts";
import { log } from "../../../platform/log.ts";
import { HOUR_MS } from "../../../platform/time.ts";
import { factsFromD1 } from "./facts.ts";

const MAX_CHANGES_PER_ROUND = 100;
const MAX_ROUNDS = 10;
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 10 * 60_000;
/** A change that has failed this often is parked, after about an hour: tried every six hours, counted by the metrics. */
export const MAX_ATTEMPTS = 12;
const PARKED_RETRY_MS = 6 * HOUR_MS;
/** One object that hangs must not keep the changes for others waiting. */
const DEADLINE_MS = 10_000;

type OutboxChange = { id: string; topic: string; payload: string; attempts: number; changes: number };

/** Delivers what is due. @returns how many changes were delivered */
export async function deliverChanges(env: Env, now = Date.now()): Promise<number> {
  return (await deliverRound(env, now)).delivered;
}

/** `due`: how many were tried, `MOST` when there may be more. */
async function deliverRound(env: Env, now: number): Promise<{ due: number; delivered: number }> {
  const db = getDb(env.DB);
  // Rows carry the database's clock, which may be ahead of ours. What has failed before comes last, so that it never takes the
  // place of what has not; sockets come first, since they wait the shortest.
  const due = await db.all<OutboxChange>(sql`SELECT id, topic, payload, attempts, changes FROM outbox
    WHERE done_at IS NULL AND due_at <= max(${now}, unixepoch('subsec') * 1000) ORDER BY attempts > 0, topic, due_at LIMIT ${MAX_CHANGES_PER_ROUND}`);
  if (due.length === 0) return { due: 0, delivered: 0 };
  const outcomes = await Promise.allSettled(due.map((change) => withDeadline(deliverChange(env, change))));
  const done = due.filter((_, i) => outcomes[i]?.status === "fulfilled");
  const failed = due.flatMap((change, i) => {
    const outcome = outcomes[i];
    return outcome?.status === "rejected" ? [{ ...change, error: outcome.reason }] : [];
  });
  const toIdPairs = (changes: OutboxChange[]) => JSON.stringify(changes.map(({ id, changes: n }) => [id, n]));
  await batch(db, [
    // What changed again meanwhile stays.
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

function withDeadline(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("an object did not answer in time")), DEADLINE_MS);
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}

async function deliverChange(env: Env, { topic, payload }: OutboxChange): Promise<void> {
  if (topic === "feed") return env.WARD_FEED.getByName(payload).recheck();
  if (topic !== "monitor") throw new Error("a change of an unknown topic");
  const facts = await factsFromD1(env, payload, Date.now());
  if (facts) await env.PATIENT_MONITOR.getByName(payload).configure(facts);
}

/** After the answer, not beside it. */
async function deliverInBackground(env: Env): Promise<void> {
  await scheduler.wait(0);
  await deliverAllDue(env);
}

/** A ward or hospital may have more than one round of patients. A change that fails does not end it. */
export async function deliverAllDue(env: Env): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) if ((await deliverRound(env, Date.now())).due < MAX_CHANGES_PER_ROUND) return;
}

/** Behind a request that may have changed a right, also one that was refused: the objects hear of it within a second. */
export const deliverAfterResponse: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.req.method !== "GET" && c.req.method !== "HEAD")
    c.executionCtx.waitUntil(deliverInBackground(c.env).catch(logDeliveryFailure(c.env)));
};

/** As `announceChanges`, before the answer: whose device it is now is known to both patients' objects when it is told. */
export const deliverBeforeResponse: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.req.method !== "GET" && c.req.method !== "HEAD" && c.res.ok) await deliverAllDue(c.env).catch(logDeliveryFailure(c.env));
};

const logDeliveryFailure = (env: Env) => (error: unknown) =>
  log(env, "WARNING", "changes not delivered", { cause: describeCause(error), at: stackFrames(error) });
