// The progress of sealing again, a row per store in D1: where the next run continues, and what is under which key.
import { eq, sql } from "drizzle-orm";
import type { KeyRing } from "../../platform/crypto.ts";
import { type Db, getDb } from "../../platform/db/client.ts";
import { resealing } from "../../platform/db/schema.ts";
import { DAY_MS } from "../../platform/time.ts";
import { addCounts, type Cursor, countOthers, KeyCounts, parseCursor, SETTLED_MS, type SealStep } from "./sealed-store.ts";

type Row = typeof resealing.$inferSelect;
/** A store's row with its JSON columns read. */
export type Progress = Omit<Row, "cursor" | "remaining" | "counted"> & {
  cursor: Cursor | null;
  remaining: KeyCounts | null;
  counted: KeyCounts;
};

/** A store with files that wait for their deletion is counted again after this time. */
const WAIT_MS = 10 * 60_000;
/** While the ring has several keys, what is done is counted again: an isolate may have written under the key of before. */
const RECOUNT_MS = DAY_MS;

const parseCounts = (text: string): KeyCounts => KeyCounts.parse(JSON.parse(text));

export const toProgress = (row: Row): Progress => ({
  ...row,
  cursor: parseCursor(row.cursor),
  remaining: row.remaining === null ? null : parseCounts(row.remaining),
  counted: parseCounts(row.counted),
});

export const selectProgress = (db: Db) => db.select().from(resealing);

export async function readProgress(env: Env): Promise<Map<string, Progress>> {
  const rows = await selectProgress(getDb(env.DB));
  return new Map(rows.map((row) => [row.store, toProgress(row)]));
}

/** Writes the row, if it is as `before`: of two runs at once, one goes on. @returns whether it was */
export async function saveProgress(db: Db, before: Progress | undefined, after: Progress): Promise<boolean> {
  const row: Row = {
    ...after,
    cursor: after.cursor && JSON.stringify(after.cursor),
    remaining: after.remaining && JSON.stringify(after.remaining),
    counted: JSON.stringify(after.counted),
  };
  if (!before)
    return (await db.insert(resealing).values(row).onConflictDoNothing().returning({ store: resealing.store })).length > 0;
  const isBefore = sql`${eq(resealing.store, before.store)} AND key_id = ${before.keyId} AND phase = ${before.phase}
    AND phase_started_at = ${before.phaseStartedAt} AND cursor IS ${before.cursor && JSON.stringify(before.cursor)}`;
  return (await db.update(resealing).set(row).where(isBefore).returning({ store: resealing.store })).length > 0;
}

/** The beginning of a run of a store under a key that has become the current one. */
export const beginProgress = (store: string, keyId: string, now: number, before: Progress | undefined): Progress => ({
  store,
  keyId,
  keySince: now,
  phase: "counting",
  cursor: null,
  phaseStartedAt: now,
  remaining: before?.remaining ?? null,
  countedAt: before?.countedAt ?? null,
  counted: {},
  unreadable: 0,
  failed: 0,
});

/** Also the values under other keys that cannot be opened count as done: dropping their key loses nothing more. */
const isSealed = (counts: KeyCounts, progress: Progress): boolean => countOthers(counts, progress.keyId) <= progress.unreadable;

/** The progress after a part of a count. */
export function afterCounting(progress: Progress, next: Cursor | null, counts: KeyCounts, now: number): Progress {
  const counted = { ...progress.counted };
  addCounts(counted, counts);
  if (next !== null) return { ...progress, cursor: next, counted };
  const counting = { ...progress, cursor: null, remaining: counted, countedAt: now, counted: {} };
  // A done store keeps the time at which its count began: what was written later was not counted.
  return isSealed(counted, progress)
    ? { ...counting, phase: "done" }
    : { ...counting, phase: "sealing", phaseStartedAt: now, failed: 0 };
}

/** The progress after a part was sealed again. After the end the store is counted once more. */
export function afterSealing(progress: Progress, { next, sealed, failed, waiting }: SealStep, now: number): Progress {
  const remaining = { ...progress.remaining };
  const moved = Object.values(sealed).reduce((sum, n) => sum + n, 0);
  addCounts(remaining, { ...Object.fromEntries(Object.entries(sealed).map(([keyId, n]) => [keyId, -n])) });
  addCounts(remaining, { [progress.keyId]: moved });
  const sealing = { ...progress, remaining, failed: progress.failed + failed, cursor: next };
  const isWaiting = waiting > 0 || progress.phaseStartedAt > now;
  if (next !== null) return isWaiting ? { ...sealing, phaseStartedAt: now + WAIT_MS } : sealing;
  const startsAt = isWaiting ? now + WAIT_MS : now;
  // What waits is not done with: only a run without any tells what cannot be opened.
  const unreadable = isWaiting ? 0 : sealing.failed;
  return { ...sealing, phase: "counting", phaseStartedAt: startsAt, unreadable, counted: {} };
}

/** Whether a store that is done has to be counted again. */
export function isRecountDue({ phaseStartedAt, keySince }: Progress, now: number): boolean {
  const settledAt = keySince + SETTLED_MS;
  return (phaseStartedAt < settledAt && now >= settledAt) || now - phaseStartedAt >= RECOUNT_MS;
}

/** Done for good: counted at a time when nobody wrote under the key of before any more. */
export const isSettled = ({ phase, phaseStartedAt, keySince }: Progress): boolean =>
  phase === "done" && phaseStartedAt >= keySince + SETTLED_MS;

/** Whether what is left of a key in all stores is nothing, so that the ring does not need it. */
export function isKeyFree(ring: KeyRing, keyId: string, stores: readonly Progress[], names: readonly string[]): boolean {
  const known = new Map(stores.map((progress) => [progress.store, progress]));
  return names.every((name) => {
    const progress = known.get(name);
    return progress?.keyId === ring.currentKid && isSettled(progress) && (progress.remaining?.[keyId] ?? 0) === 0;
  });
}
