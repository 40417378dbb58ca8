// Changes of rights and settings on their way to the objects that act on them. Triggers write the rows (migration
// 0004_changes), whatever verb made the change; they are delivered behind the answer, and by cron what was left.
import { sql } from "drizzle-orm";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../http/router.ts";
import { readyKeys } from "../../../platform/config.ts";
import { batch, database } from "../../../platform/db/client.ts";
import { log } from "../../../platform/log.ts";
import { loadFacts } from "./facts.ts";

const MOST = 100;
const MOST_ROUNDS = 10;
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 10 * 60_000;

type Change = { id: string; topic: string; payload: string; attempts: number; changes: number };

/** Delivers what is due. @returns how many changes were delivered */
export async function deliverChanges(env: Env, now = Date.now()): Promise<number> {
  const db = database(env.DB);
  // Rows carry the database's clock, which may be ahead of ours; sockets first, since they wait the shortest.
  const due = await db.all<Change>(sql`SELECT id, topic, payload, attempts, changes FROM outbox
    WHERE done_at IS NULL AND due_at <= max(${now}, unixepoch('subsec') * 1000) ORDER BY topic, due_at LIMIT ${MOST}`);
  if (due.length === 0) return 0;
  const outcomes = await Promise.allSettled(due.map((change) => deliver(env, change)));
  const done = due.filter((_, i) => outcomes[i]?.status === "fulfilled");
  const failed = due.filter((_, i) => outcomes[i]?.status === "rejected");
  const pairs = (changes: Change[]) => JSON.stringify(changes.map(({ id, changes: n }) => [id, n]));
  await batch(db, [
    // What changed again meanwhile stays.
    db.run(sql`DELETE FROM outbox WHERE (id, changes) IN (SELECT value->>0, value->>1 FROM json_each(${pairs(done)}))`),
    ...failed.map(({ id, attempts }) =>
      db.run(sql`UPDATE outbox SET attempts = attempts + 1, due_at = CAST(${now + Math.min(RETRY_MS * 2 ** attempts, MAX_RETRY_MS)} AS INTEGER)
        WHERE id = ${id}`),
    ),
  ]);
  if (failed.length > 0) log(env, "WARNING", "changes not delivered", { count: failed.length });
  return done.length;
}

async function deliver(env: Env, { topic, payload }: Change): Promise<void> {
  if (topic === "feed") return env.WARD_FEED.getByName(payload).recheck();
  if (topic !== "monitor") throw new Error("a change of an unknown topic");
  const facts = await loadFacts({ db: database(env.DB), keys: await readyKeys(env) }, payload, Date.now());
  if (facts) await env.PATIENT_MONITOR.getByName(payload).configure(facts);
}

/** After the answer, not beside it. */
async function behind(env: Env): Promise<void> {
  await scheduler.wait(0);
  await deliverAll(env);
}

/** A ward or hospital may have more than one round of patients. */
async function deliverAll(env: Env): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round++) if ((await deliverChanges(env)) < MOST) return;
}

/** Behind a request that may have changed a right, also one that was refused: the objects hear of it within a second. */
export const announceChanges: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.req.method !== "GET" && c.req.method !== "HEAD") c.executionCtx.waitUntil(behind(c.env).catch(notDelivered(c.env)));
};

/** As `announceChanges`, before the answer: whose device it is now is known to both patients' objects when it is told. */
export const deliverFirst: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.req.method !== "GET" && c.req.method !== "HEAD" && c.res.ok) await deliverAll(c.env).catch(notDelivered(c.env));
};

const notDelivered = (env: Env) => (error: unknown) =>
  log(env, "WARNING", "changes not delivered", { cause: error instanceof Error ? error.name : "unknown" });
