// What the job that seals again needs of a store: to count its values by key, and to seal a part of them under the current key.
import { z } from "zod";
import type { KeyRing } from "../../platform/crypto.ts";
import type { Db } from "../../platform/db/client.ts";

/** Numbers of values by key id. */
export type KeyCounts = Record<string, number>;
export const KeyCounts = z.record(z.string(), z.number().int());

/** The primary key of the row that was read last. */
export type Cursor = readonly (string | number)[];
const StoredCursor = z.array(z.union([z.string(), z.number()]));

export const parseCursor = (text: string | null): Cursor | null => (text === null ? null : StoredCursor.parse(JSON.parse(text)));

/** `now`: epoch milliseconds. */
export type SealingJob = { env: Env; db: Db; ring: KeyRing; now: number };

/** `next`: where the next step begins; null at the end of the store. */
export type CountStep = { next: Cursor | null; counts: KeyCounts };
/**
 * `sealed`: values by the key that they were under before. `failed`: values that do not open, which stay as they are. `waiting`: values
 * that can only be dealt with later.
 */
export type SealStep = { next: Cursor | null; sealed: KeyCounts; failed: number; waiting: number };

/** Both functions read a bounded part of the store after `cursor`, and can be repeated and interrupted at any time. */
export type SealedStore = {
  name: string;
  /** How many steps of the run's budget one takes: a step with files or objects calls them one by one. */
  weight: number;
  count: (job: SealingJob, cursor: Cursor | null) => Promise<CountStep>;
  seal: (job: SealingJob, cursor: Cursor | null) => Promise<SealStep>;
};

/** The key of values whose format is unknown. */
export const UNKNOWN_KEY = "?";

/** After this time no request still reads a file under the name that it found, and no isolate has the secrets from before. */
export const SETTLED_MS = 3_600_000;

export function addCount(counts: KeyCounts, keyId: string, n = 1): void {
  counts[keyId] = (counts[keyId] ?? 0) + n;
}

export function addCounts(counts: KeyCounts, more: KeyCounts): void {
  for (const [keyId, n] of Object.entries(more)) addCount(counts, keyId, n);
}

/** Values that are not under the current key. */
export function countOthers(counts: KeyCounts, currentKeyId: string): number {
  return Object.entries(counts).reduce((sum, [keyId, n]) => sum + (keyId === currentKeyId ? 0 : n), 0);
}
