// The job that erases restricted records when retention and holds allow it: bounded steps per run, continued by the next run.
import { sql } from "drizzle-orm";
import { getVerifiedKeys } from "../../platform/config.ts";
import { type Db, getDb } from "../../platform/db/client.ts";
import { describeCause } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { type ErasureContext, eraseStep, readErasure } from "./erase-patient.ts";
import type { ErasedTable } from "./erased-tables.ts";
import { hasOpenHold, startErasure } from "./start.ts";

/** Erasures that one run works on. */
const ERASURES_PER_RUN = 50;
/** Steps of one run. Each has at most five calls of D1 and R2. */
export const STEPS_PER_RUN = 100;

/** @param tables what is deleted; other than by default in tests  @returns how many erasures were completed */
export async function runErasures(env: Env, now: number, tables?: readonly ErasedTable[]): Promise<number> {
  const db = getDb(env.DB);
  const due = await selectDue(db, now);
  if (due.length === 0) return 0;
  const context = { env, db, keys: await getVerifiedKeys(env), ...(tables && { tables }) };
  let completed = 0;
  let left = STEPS_PER_RUN;
  for (const { id } of due) {
    try {
      const { isDone, steps } = await runErasure(context, id, now, left);
      left -= steps;
      if (isDone) completed++;
    } catch (error) {
      // The next run repeats the step. What fails counts as a step, and keeps no other erasure from its turn.
      left--;
      log(env, "ERROR", "erasure interrupted", { code: id, cause: describeCause(error) });
    }
    if (left <= 0) break;
  }
  return completed;
}

/** Those that have begun first, so that each ends before others begin. */
const selectDue = (db: Db, now: number) =>
  db.all<{ id: string }>(sql`SELECT id FROM erasures WHERE state IN ('restricted', 'erasing') AND erase_on <= ${now}
    AND (state = 'erasing' OR NOT ${hasOpenHold(sql`erasures.patient_id`)})
    ORDER BY state, erase_on LIMIT ${ERASURES_PER_RUN}`);

export async function runErasure(
  context: ErasureContext,
  id: string,
  now: number,
  maxSteps: number,
): Promise<{ isDone: boolean; steps: number }> {
  const { env, db, keys } = context;
  const row = await readErasure(db, id);
  if (row?.state === "restricted" && !(await startErasure(env, db, keys, row, now))) return { isDone: false, steps: 1 };
  for (let steps = 1; steps <= maxSteps; steps++) {
    const result = await eraseStep(context, id, now);
    if (result !== "continue") return { isDone: result === "done", steps };
  }
  return { isDone: false, steps: maxSteps };
}
