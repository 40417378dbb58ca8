// The list of erasures, and their repetition after a backup was restored that is older than they are.
import { sql } from "drizzle-orm";
import { getVerifiedKeys } from "../../platform/config.ts";
import { batch, getDb } from "../../platform/db/client.ts";
import { runErasure } from "./run-erasures.ts";

/** An erasure as a backup keeps it beside the data: ids and times (epoch milliseconds) alone. */
export type ListedErasure = {
  id: string;
  patientId: string;
  hospitalId: string;
  requestedBy: string;
  requestedAt: number;
  erasedAt: number;
};

/** Erasures of one call, by the time of their end. */
const PAGE = 1_000;
/** Steps of one erasure per call; an erasure that needs more goes on with the next call, or by cron. */
const MAX_STEPS = 5_000;

/** The erasures that ended after a time, oldest first. @param after epoch milliseconds */
export const listErasuresSince = (env: Pick<Env, "DB">, after: number): Promise<ListedErasure[]> =>
  getDb(env.DB).all<ListedErasure>(sql`SELECT id, patient_id AS patientId, hospital_id AS hospitalId, requested_by AS requestedBy,
      requested_at AS requestedAt, erased_at AS erasedAt
    FROM erasures WHERE state = 'erased' AND erased_at > ${after} ORDER BY erased_at, id LIMIT ${PAGE}`);

/**
 * Erases the patients of the list again where they exist. Runs before a restored deployment serves requests. Retention and holds are
 * not asked: the erasure had been lawful.
 * @returns the ids of the patients that have been erased again
 */
export async function applyErasures(env: Env, erasures: readonly ListedErasure[], now: number): Promise<string[]> {
  const db = getDb(env.DB);
  const context = { env, db, keys: await getVerifiedKeys(env) };
  const applied: string[] = [];
  for (const { id, patientId, hospitalId, requestedBy, requestedAt, erasedAt } of erasures) {
    const exists = sql`EXISTS (SELECT 1 FROM patients WHERE id = ${patientId})`;
    await batch(db, [
      // The restored row of the erasure may be in any state.
      db.run(sql`DELETE FROM erasures WHERE patient_id = ${patientId} AND id <> ${id}
        AND state IN ('requested', 'restricted', 'erasing') AND ${exists}`),
      db.run(sql`INSERT INTO erasures (id, patient_id, hospital_id, state, requested_by, requested_at, erase_on, started_at)
        SELECT ${id}, ${patientId}, ${hospitalId}, 'erasing', ${requestedBy}, CAST(${requestedAt} AS INTEGER),
          CAST(${erasedAt} AS INTEGER), CAST(${now} AS INTEGER) WHERE ${exists}
        ON CONFLICT (id) DO UPDATE SET state = 'erasing', progress = NULL, list_hash = '', certificate = NULL, erased_at = NULL,
          erase_on = excluded.erase_on, started_at = excluded.started_at WHERE state <> 'erasing'`),
    ]);
    const { isDone, steps } = await runErasure(context, id, now, MAX_STEPS);
    if (isDone && steps > 1) applied.push(patientId);
  }
  return applied;
}
