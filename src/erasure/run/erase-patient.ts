// The steps of an erasure, each of which may be repeated after a kill.
import { sql } from "drizzle-orm";
import type { Keys } from "../../platform/config.ts";
import { batch, type Db, isForeignKeyViolation, isRoleChanged } from "../../platform/db/client.ts";
import { erasures } from "../../platform/db/schema.ts";
import { finishErasure } from "./certificate.ts";
import { countOutside, eraseOutside } from "./erase-outside.ts";
import { clearColumns, eraseRows, repeatTables, type StepResult } from "./erase-rows.ts";
import { ERASED_TABLES, type ErasedTable } from "./erased-tables.ts";
import { type ErasureRow, type Progress, readProgress } from "./progress.ts";
import { prepareErasure } from "./start.ts";

export type ErasureContext = { env: Env; db: Db; keys: Keys; tables?: readonly ErasedTable[] };

/** Index of the first table among the steps. */
const FIRST_TABLE = 3;

export async function readErasure(db: Db, id: string): Promise<ErasureRow | null> {
  const [row] = await db.select().from(erasures).where(sql`id = ${id}`);
  return row ?? null;
}

/**
 * Runs one step of an erasure in the state `erasing`.
 * @returns `done` when nothing is left to do; `wait` when it must go on later; `taken` when another run did the step
 */
export async function eraseStep(context: ErasureContext, id: string, now: number): Promise<StepResult | "done" | "taken"> {
  const { db } = context;
  const row = await readErasure(db, id);
  if (row?.state !== "erasing") return "done";
  const progress = readProgress(row);
  const plan = planOf(context);
  try {
    if (!progress) await prepareErasure(db, row, plan, now);
    else if (progress.plan !== plan && progress.step > FIRST_TABLE) await repeatTables(db, row, progress, plan, FIRST_TABLE);
    else return await runStep(context, row, progress, now);
    return "continue";
  } catch (error) {
    if (isRoleChanged(error)) return "taken";
    if (!progress || !isForeignKeyViolation(error)) throw error;
    // Rows came after the step of their table, and refer to those of this one.
    await repeatTables(db, row, progress, plan, FIRST_TABLE);
    return "wait";
  }
}

const planOf = ({ tables = ERASED_TABLES }: ErasureContext): string => tables.map(({ table }) => table).join(" ");

async function runStep(
  { env, db, keys, tables = ERASED_TABLES }: ErasureContext,
  row: ErasureRow,
  progress: Progress,
  now: number,
): Promise<StepResult | "done"> {
  const { step } = progress;
  const erased = tables[step - FIRST_TABLE];
  if (erased) return eraseRows({ db, files: env.FILES }, row, progress, erased, now);
  if (step === 0) await countOutside(env, db, row, progress);
  // Again after the tables: a change of settings may have reached the object while D1 still had the patient.
  else if (step === 1 || step === FIRST_TABLE + tables.length) await eraseOutside(env, db, row, progress);
  else if (step === 2) await clearColumns(db, row, progress);
  else {
    await batch(db, await finishErasure(db, keys, row, progress, now));
    return "done";
  }
  return "continue";
}
