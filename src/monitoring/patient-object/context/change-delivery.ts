// Changes of rights and settings on their way to the objects that act on them. Triggers write the rows (migration
// 0004_changes), whatever verb made the change; they are delivered behind the answer, and by cron what was left.
import { sql } from "drizzle-orm";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../http/router.ts";
import { getVerifiedKeys } from "../../../platform/config.ts";
import { batch, getDb } from "../../../platform/db/client.ts";
import { log } from "../../../platform/log.ts";
import { loadFacts } from "./facts.ts";

const MAX_CHANGES_PER_ROUND = 100;
const MAX_ROUNDS = 10;
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 10 * 60_000;

type OutboxChange = { id: string; topic: string; payload: string; attempts: number; changes: number };

/** Delivers what is due. @returns how many changes were delivered */
export async function deliverChanges(env: Env, now = Date.now()): Promise<number> {
  const db = getDb(env.DB);
  // Rows carry the database's clock, which may be ahead of ours; sockets first, since they wait the shortest.
  const due = await db.all<OutboxChange>(sql`SELECT id, topic, payload, attempts, changes FROM outbox
    WHERE done_at IS NULL AND due_at <= max(${now}, unixepoch('subsec') * 1000) ORDER BY topic, due_at LIMIT ${MAX_CHANGES_PER_ROUND}`);
  if (due.length === 0) return 0;
  const outcomes = await Promise.allSettled(due.map((change) => deliverChange(env, change)));
  const done = due.filter((_, i) => outcomes[i]?.status === "fulfilled");
  const failed = due.filter((_, i) => outcomes[i]?.status === "rejected");
  const toIdPairs = (changes: OutboxChange[]) => JSON.stringify(changes.map(({ id, changes: n }) => [id, n]));
  await batch(db, [
    // What changed again meanwhile stays.
    db.run(sql`DELETE FROM outbox WHERE (id, changes) IN (SELECT value->>0, value->>1 FROM json_each(${toIdPairs(done)}))`),
    ...failed.map(({ id, attempts }) =>
      db.run(sql`UPDATE outbox SET attempts = attempts + 1, due_at = CAST(${now + Math.min(RETRY_MS * 2 ** attempts, MAX_RETRY_MS)} AS INTEGER)
        WHERE id = ${id}`),
    ),
  ]);
  if (failed.length > 0) log(env, "WARNING", "changes not delivered", { count: failed.length });
  return done.length;
}

async function deliverChange(env: Env, { topic, payload }: OutboxChange): Promise<void> {
  if (topic === "feed") return env.WARD_FEED.getByName(payload).recheck();
  if (topic !== "monitor") throw new Error("a change of an unknown topic");
  const facts = await loadFacts({ db: getDb(env.DB), keys: await getVerifiedKeys(env) }, payload, Date.now());
  if (facts) await env.PATIENT_MONITOR.getByName(payload).configure(facts);
}

/** After the answer, not beside it. */
async function deliverInBackground(env: Env): Promise<void> {
  await scheduler.wait(0);
  await deliverAllDue(env);
}

/** A ward or hospital may have more than one round of patients. */
async function deliverAllDue(env: Env): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) if ((await deliverChanges(env)) < MAX_CHANGES_PER_ROUND) return;
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
  log(env, "WARNING", "changes not delivered", { cause: error instanceof Error ? error.name : "unknown" });
