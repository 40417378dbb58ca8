// The objects of patients as a store: reasons of corrections and archives of samples. The other classes of objects store nothing sealed
// under FIELD_KEYS.

import { sql } from "drizzle-orm";
import { mapAsync } from "es-toolkit/array";
import { emptySealing, type ObjectSealing } from "../../monitoring/patient-object/samples/resealing.ts";
import { patients } from "../../platform/db/schema.ts";
import { describeCause } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import { isAfter } from "./row-windows.ts";
import {
  addCounts,
  type CountStep,
  type Cursor,
  type SealedStore,
  type SealingJob,
  type SealStep,
  UNKNOWN_KEY,
} from "./sealed-store.ts";

/** Objects per step, each with at most so many calls; what is left is for the next pass. */
const MAX_OBJECTS = 20;
const MAX_CALLS = 2;
const CONCURRENT_OBJECTS = 5;

export const sealedObjects: SealedStore = { name: "patient_monitors", weight: 5, count: countObjects, seal: sealObjects };

/** Logs the failure of an object, which is tried again later. */
const asUnusable = (job: SealingJob, id: string) => (error: unknown) => {
  log(job.env, "ERROR", "an object's values not sealed again", { object_id: id, cause: describeCause(error) });
  return null;
};

async function nextPatients({ db }: SealingJob, cursor: Cursor | null) {
  const rows = await db.all<{ id: string }>(sql`SELECT id FROM ${patients} WHERE ${isAfter([patients.id], cursor)}
    ORDER BY id LIMIT ${MAX_OBJECTS}`);
  const last = rows.at(-1);
  return { ids: rows.map(({ id }) => id), next: last ? [last.id] : null };
}

async function countObjects(job: SealingJob, cursor: Cursor | null): Promise<CountStep> {
  const { ids, next } = await nextPatients(job, cursor);
  const step: CountStep = { next, counts: {} };
  const count = async (id: string) => {
    const object = await job.env.PATIENT_MONITOR.getByName(id).countSealed(null).catch(asUnusable(job, id));
    // What an object that fails has is not known, so its store is not done and no key can be dropped.
    addCounts(step.counts, object?.counts ?? { [UNKNOWN_KEY]: 1 });
  };
  await mapAsync(ids, count, { concurrency: CONCURRENT_OBJECTS });
  return step;
}

async function sealObjects(job: SealingJob, cursor: Cursor | null): Promise<SealStep> {
  const { ids, next } = await nextPatients(job, cursor);
  const step: SealStep = { next, sealed: {}, failed: 0, waiting: 0 };
  const seal = async (id: string) => {
    const object = await sealObject(job, id).catch(asUnusable(job, id));
    if (!object) {
      step.waiting++;
      return;
    }
    const { sealed, failed, waiting, more } = object;
    addCounts(step.sealed, sealed);
    if (failed.values > 0) log(job.env, "ERROR", "values of an object not sealed again", { object_id: id, count: failed.values });
    step.failed += failed.values;
    step.waiting += waiting + Number(more);
  };
  await mapAsync(ids, seal, { concurrency: CONCURRENT_OBJECTS });
  return step;
}

async function sealObject({ env, now }: SealingJob, id: string): Promise<ObjectSealing> {
  const total = emptySealing();
  for (let call = 0; call < MAX_CALLS; call++) {
    const { sealed, failed, waiting, more } = await env.PATIENT_MONITOR.getByName(id).countSealed({ failed: total.failed, now });
    addCounts(total.sealed, sealed);
    total.failed.corrections += failed.corrections;
    total.failed.archives += failed.archives;
    total.failed.values += failed.values;
    total.waiting = waiting;
    total.more = more;
    if (!more) break;
  }
  return total;
}
