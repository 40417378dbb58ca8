// The steps of an erasure, each of which may be repeated after a kill.
import { sql } from "drizzle-orm";
import type { Keys } from "../../platform/config.ts";
import { batch, type Db, isForeignKeyViolation, isRoleChanged } from "../../platform/db/client.ts";
import { erasures } from "../../platform/db/schema.ts";
import { finishErasure } from "./certificate.ts";
import { countOutside, eraseOutside } from "./erase-outside.ts";
import { clearColumns, eraseRows, repeatTables, type StepResult } from "./erase-rows.ts";
import { ERASED_TABLES, type ErasedTable } from "./erased-tables.ts";
import { holdUp } from "./failures.ts";
import { type ErasureRow, type Progress, readProgress } from "./progress.ts";
import { prepareErasure } from "./start.ts";

export type ErasureContext = { env: Env; db: Db; keys: Keys; tables?: readonly ErasedTable[] };

/** Calls of a step that failed, with those that mark the failure; at most, but for files. */
const CALLS_OF_A_FAILURE = 15;
/** Index of the first table among the steps. */
const FIRST_TABLE = 3;

export async function readErasure(db: Db, id: string): Promise<ErasureRow | null> {
  const [row] = await db.select().from(erasures).where(sql`id = ${id}`);
  return row ?? null;
}

/** Runs one step of an erasure in the state `erasing`. */
export async function eraseStep(context: ErasureContext, id: string, now: number): Promise<StepResult> {
  const row = await readErasure(context.db, id);
  if (row?.state !== "erasing") return { outcome: "done", calls: 1 };
  const { outcome, calls } = await stepFrom(context, row, now);
  return { outcome, calls: calls + 1 };
}

async function stepFrom(context: ErasureContext, row: ErasureRow, now: number): Promise<StepResult> {
  const { db } = context;
  const progress = readProgress(row);
  const plan = planOf(context);
  try {
    if (!progress) await prepareErasure(db, row, plan, now);
    else if (progress.plan !== plan && progress.step > FIRST_TABLE) await repeatTables(db, row, progress, plan, FIRST_TABLE);
    else return await runStep(context, row, progress, now);
    return { outcome: "continue", calls: 2 };
  } catch (error) {
    if (isRoleChanged(error)) return { outcome: "taken", calls: CALLS_OF_A_FAILURE };
    if (!progress || !isForeignKeyViolation(error)) throw error;
    return repeatLater(context, row, progress, now);
  }
}

/** Rows came after the step of their table, and refer to those of this one: the tables are gone through again, by a later run. */
async function repeatLater(context: ErasureContext, row: ErasureRow, progress: Progress, now: number): Promise<StepResult> {
  try {
    await repeatTables(context.db, row, progress, planOf(context), FIRST_TABLE);
  } catch (error) {
    if (isRoleChanged(error)) return { outcome: "taken", calls: CALLS_OF_A_FAILURE };
    throw error;
  }
  await holdUp(context, row, listTables(context)[progress.step - FIRST_TABLE], progress.subject, now);
  return { outcome: "wait", calls: CALLS_OF_A_FAILURE };
}

const listTables = ({ tables = ERASED_TABLES }: ErasureContext): readonly ErasedTable[] => tables;
const planOf = (context: ErasureContext): string =>
  listTables(context)
    .map(({ table }) => table)
    .join(" ");

async function runStep(context: ErasureContext, row: ErasureRow, progress: Progress, now: number): Promise<StepResult> {
  const { env, db, keys } = context;
  const { step } = progress;
  const tables = listTables(context);
  const erased = tables[step - FIRST_TABLE];
  if (erased) return eraseRows({ db, files: env.FILES, keys }, row, progress, erased, now);
  if (step === 0) return countOutside(env, db, row, progress);
  // Again after the tables: a change of settings may have reached the object while D1 still had the patient.
  if (step === 1 || step === FIRST_TABLE + tables.length) return eraseOutside(env, db, row, progress);
  if (step === 2) return clearColumns(db, row, progress);
  await batch(db, await finishErasure(db, keys, row, progress, now));
  return { outcome: "done", calls: 1 };
}
