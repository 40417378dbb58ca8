// Erasure of a patient's object: what it stores, in numbers, and the deletion of all of it with its files in R2.
import { getVerifiedKeys } from "../../platform/config.ts";
import { findUnfinishedArchive } from "./samples/archive.ts";
import { listReplacedArchives, toResealedName } from "./samples/resealing.ts";
import type { Store } from "./samples/store.ts";

/** R2 deletes as many files per call. */
const FILES_PER_CALL = 1_000;
const DATA_TABLES = ["open", "blocks", "late", "settings", "outbox", "corrections", "archives"] as const;

export type StoredCounts = { rows: number; files: number };

/** Files that no row of `archives` names. */
function listUnnamed(store: Store): string[] {
  const unfinished = findUnfinishedArchive(store);
  return [...listReplacedArchives(store), ...(unfinished === null ? [] : [unfinished])];
}

/** Rows of all tables, and the files in R2 that they name. */
export function countStored(sql: SqlStorage, store: Store): StoredCounts {
  if (!store.hasTables) return { rows: 0, files: 0 };
  const count = (table: string) => sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n;
  return {
    rows: DATA_TABLES.reduce((sum, table) => sum + count(table), 0),
    files: count("archives") + listUnnamed(store).length,
  };
}

/** Deletes everything, after files that are being written, so that none is written later. */
export const eraseObject = (env: Env, storage: DurableObjectStorage, store: Store): Promise<void> =>
  store.fileWork.run(() => eraseInTurn(env, storage, store));

/**
 * Deletes the files first: a call that is interrupted leaves the rows that name them. An archive may also be under its name of another
 * key, if the object ended between writing the file that replaces it and naming it.
 */
async function eraseInTurn(env: Env, storage: DurableObjectStorage, store: Store): Promise<void> {
  if (store.hasTables) {
    const { keys: ring } = (await getVerifiedKeys(env)).fields;
    const archives = storage.sql.exec<{ file: string }>("SELECT file FROM archives").toArray();
    const named = [...archives.map(({ file }) => file), ...listUnnamed(store)];
    const keys = [...new Set(named.flatMap((file) => [file, ...[...ring.keys()].map((kid) => toResealedName(file, kid))]))];
    for (let i = 0; i < keys.length; i += FILES_PER_CALL) await env.FILES.delete(keys.slice(i, i + FILES_PER_CALL));
  }
  // Also in an object without tables: it may have an alarm.
  await storage.deleteAlarm();
  await storage.deleteAll();
  store.reset();
}
