// The job that seals stored data again after a rotation of FIELD_KEYS: everything that is not under the current key. Run by cron every
// minute; each step is bounded and can be killed, and the next run continues where its row in D1 says.
import { sql } from "drizzle-orm";
import { getVerifiedKeys } from "../../platform/config.ts";
import { getDb } from "../../platform/db/client.ts";
import { describeCause } from "../../platform/errors.ts";
import { log } from "../../platform/log.ts";
import {
  afterCounting,
  afterSealing,
  beginProgress,
  isRecountDue,
  isSettled,
  type Progress,
  readProgress,
  saveProgress,
} from "./progress.ts";
import { deleteReplacedFiles, replacedFilesStore } from "./replaced-files.ts";
import { SEALED_TABLES, SENTINEL_TABLE } from "./sealed-columns.ts";
import { FILE_COLUMNS, sealedFiles } from "./sealed-files.ts";
import { sealedMonths } from "./sealed-months.ts";
import { sealedObjects } from "./sealed-objects.ts";
import { sealedRows } from "./sealed-rows.ts";
import { SETTLED_MS, type SealedStore, type SealingJob } from "./sealed-store.ts";

/** Steps per run by weight, and a time after which no further step begins. A step takes at most 500 rows, 20 files or 20 objects. */
export const MAX_STEPS = 50;
const MAX_RUN_MS = 20_000;

/** In the order of the runs. Files that were replaced come after those that replace them. */
export const STORES: readonly SealedStore[] = [
  ...SEALED_TABLES.map((table) => sealedRows(table)),
  ...FILE_COLUMNS.map(sealedFiles),
  sealedMonths,
  sealedObjects,
  replacedFilesStore,
];
/** Sealed again when all other stores are done: a ring without the key that any of them needs is refused at the start. */
export const SENTINEL_STORE: SealedStore = sealedRows(SENTINEL_TABLE, sql`name = 'sentinel'`);
export const STORE_NAMES: readonly string[] = [...STORES, SENTINEL_STORE].map(({ name }) => name);

/** While the ring has one key, only files that were replaced before are deleted. @returns the number of steps */
export async function sealAgain(env: Env, now: number, maxSteps = MAX_STEPS): Promise<number> {
  const ring = (await getVerifiedKeys(env)).fields;
  const job = { env, db: getDb(env.DB), ring, now };
  await deleteReplacedFiles(job).catch((error: unknown) =>
    log(env, "ERROR", "replaced files not deleted", { cause: describeCause(error) }),
  );
  if (ring.keys.size < 2) return 0;
  const known = await readProgress(env);
  const run = { job, known, stepsLeft: maxSteps, endsAt: Date.now() + MAX_RUN_MS };
  for (const store of STORES)
    await runStore(run, store).catch((error: unknown) =>
      log(env, "ERROR", "store not sealed again", { operation: store.name, cause: describeCause(error) }),
    );
  if (STORES.every(({ name }) => isDone(known.get(name), ring.currentKid))) await runStore(run, SENTINEL_STORE);
  return maxSteps - run.stepsLeft;
}

const isDone = (progress: Progress | undefined, keyId: string) => progress?.keyId === keyId && isSettled(progress);

type Run = { job: SealingJob; known: Map<string, Progress>; stepsLeft: number; endsAt: number };

async function runStore(run: Run, store: SealedStore): Promise<void> {
  while (run.stepsLeft > 0 && Date.now() < run.endsAt) {
    const before = run.known.get(store.name);
    const progress = findWork(run.job, store.name, before);
    if (!progress) return;
    run.stepsLeft -= store.weight;
    const after = await runStep(run.job, store, progress);
    if (!(await saveProgress(run.job.db, before, after))) return;
    run.known.set(store.name, after);
    logEnd(run.job, progress, after);
  }
}

/** The progress to continue from; null when the store has nothing to do now. */
function findWork({ ring, now }: SealingJob, store: string, before: Progress | undefined): Progress | null {
  if (before?.keyId !== ring.currentKid) {
    // The other stores are settled before the sentinel begins.
    const keySince = store === SENTINEL_STORE.name ? now - SETTLED_MS : now;
    return { ...beginProgress(store, ring.currentKid, now, before), keySince };
  }
  if (before.phase !== "done") return before.phase === "counting" && before.phaseStartedAt > now ? null : before;
  return isRecountDue(before, now)
    ? { ...before, phase: "counting", phaseStartedAt: now, cursor: null, counted: {}, unreadable: 0 }
    : null;
}

async function runStep(job: SealingJob, store: SealedStore, progress: Progress): Promise<Progress> {
  if (progress.phase === "sealing") return afterSealing(progress, await store.seal(job, progress.cursor), job.now);
  const { next, counts } = await store.count(job, progress.cursor);
  return afterCounting(progress, next, counts, job.now);
}

function logEnd({ env }: SealingJob, { phase }: Progress, after: Progress): void {
  if (phase !== "sealing" || after.phase === "sealing") return;
  const { store: operation, keyId: kid } = after;
  log(env, "INFO", "sealed again under the current key", { operation, kid });
  if (after.unreadable > 0) log(env, "ERROR", "sealed values cannot be opened", { operation, kid, count: after.unreadable });
}
