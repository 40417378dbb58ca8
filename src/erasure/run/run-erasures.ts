// The job that erases restricted records when retention and holds allow it: bounded steps per run, continued by the next run.
import { sql } from "drizzle-orm";
import { getVerifiedKeys } from "../../platform/config.ts";
import { type Db, getDb } from "../../platform/db/client.ts";
import { type ErasureContext, eraseStep, readErasure } from "./erase-patient.ts";
import type { ErasedTable } from "./erased-tables.ts";
import { markError } from "./failures.ts";
import { hasOpenHold, startErasure } from "./start.ts";

/** Erasures that one run works on. */
const ERASURES_PER_RUN = 50;
/** Calls of D1, R2, KV and objects after which a run begins no further step: half of those of a Worker's invocation. */
export const CALLS_PER_RUN = 500;
/** Of the start of an erasure, with the end of retention. */
const CALLS_OF_START = 10;

/** @param tables what is deleted; other than by default in tests  @returns how many erasures were completed */
export async function runErasures(env: Env, now: number, tables?: readonly ErasedTable[]): Promise<number> {
  const db = getDb(env.DB);
  const due = await selectDue(db, now);
  if (due.length === 0) return 0;
  const context = { env, db, keys: await getVerifiedKeys(env), ...(tables && { tables }) };
  let completed = 0;
  let left = CALLS_PER_RUN;
  for (const { id } of due) {
    try {
      const { isDone, calls } = await runErasure(context, id, now, left);
      left -= calls;
      if (isDone) completed++;
    } catch (error) {
      // A later run repeats the step, and the others have their turn.
      left -= CALLS_OF_START;
      await markError(context, id, error, now);
    }
    if (left <= 0) break;
  }
  return completed;
}

/** Those that have begun first, so that each ends before others begin. */
const selectDue = (db: Db, now: number) =>
  db.all<{ id: string }>(sql`SELECT id FROM erasures WHERE state IN ('restricted', 'erasing') AND erase_on <= ${now}
    AND coalesce(retry_at, 0) <= ${now} AND (state = 'erasing' OR NOT ${hasOpenHold(sql`erasures.patient_id`)})
    ORDER BY state, erase_on LIMIT ${ERASURES_PER_RUN}`);

/** Runs steps of an erasure until it ends or waits, or until `maxCalls`. */
export async function runErasure(
  context: ErasureContext,
  id: string,
  now: number,
  maxCalls: number,
): Promise<{ isDone: boolean; calls: number }> {
  const { env, db, keys } = context;
  const row = await readErasure(db, id);
  let calls = 1;
  if (row?.state === "restricted") {
    calls += CALLS_OF_START;
    if (!(await startErasure(env, db, keys, row, now))) return { isDone: false, calls };
  }
  while (calls < maxCalls) {
    const step = await eraseStep(context, id, now);
    calls += step.calls;
    if (step.outcome !== "continue") return { isDone: step.outcome === "done", calls };
  }
  return { isDone: false, calls };
}
