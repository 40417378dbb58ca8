// How far the erasure of a patient is, in the row of the erasure: each step saves it together with what it deletes.
import { sql } from "drizzle-orm";
import { z } from "zod";
import { failsUnless } from "../../access/sign-in.ts";
import { sha256Hex } from "../../platform/crypto.ts";
import type { Db, Statement } from "../../platform/db/client.ts";
import type { erasures } from "../../platform/db/schema.ts";

/** Whom the erasure is about; ids alone. It is read once, before anything is deleted. */
export const Subject = z.strictObject({
  patientId: z.string(),
  hospitalId: z.string(),
  patientUid: z.string().nullable(),
  /** Epoch milliseconds. */
  createdAt: z.number(),
  /** When the record was locked: no sample was received after it. Epoch milliseconds. */
  lockedAt: z.number(),
  /** Accounts that are deleted with the record: those that have no other record and were never staff. */
  users: z.array(z.string()),
  /** Devices that the person registered. */
  ownDevices: z.array(z.string()),
  /** Credentials of the devices that were ever assigned: KV holds a hint for each that was used in the last day. */
  credentials: z.array(z.string()),
});
export type Subject = z.infer<typeof Subject>;

export const Progress = z.strictObject({
  subject: Subject,
  /** The tables in their order, to which `step` refers: a deployment may change them during an erasure. */
  plan: z.string(),
  /** Index of the current step. */
  step: z.int(),
  /** Up to where the current step has searched. */
  cursor: z.union([z.string(), z.number()]).nullable(),
  /** What was deleted, by store: `d1.<table>`, `d1.<table>.<column>` for what was cleared, `r2.files`, `object.rows`, `object.files`, `kv.hints`. */
  counts: z.record(z.string(), z.int()),
});
export type Progress = z.infer<typeof Progress>;

export type ErasureRow = typeof erasures.$inferSelect;

export const readProgress = ({ progress }: ErasureRow): Progress | null =>
  progress === null ? null : Progress.parse(JSON.parse(progress));

export function addCounts(progress: Progress, added: Readonly<Record<string, number>>): Progress {
  const counts = { ...progress.counts };
  for (const [store, n] of Object.entries(added)) if (n > 0) counts[store] = (counts[store] ?? 0) + n;
  return { ...progress, counts };
}

/** The hash of the list so far and the next items, one per line. */
export const extendHash = (hash: string, items: readonly string[]): Promise<string> => sha256Hex([hash, ...items].join("\n"));

/**
 * Statements of one step: the first fails the batch (`isRoleChanged`) unless the erasure is where `row` says, so that of two runs
 * only one counts what it deletes.
 */
export function saveStep(
  db: Db,
  row: ErasureRow,
  next: Progress,
  listHash: string,
  deletions: readonly Statement[],
): Statement[] {
  const isCurrent = sql`EXISTS (SELECT 1 FROM erasures WHERE id = ${row.id} AND state = 'erasing' AND list_hash = ${row.listHash}
    AND progress IS ${row.progress})`;
  return [
    failsUnless(db, isCurrent),
    ...deletions,
    // An error is over with a step that succeeds; references may still be there when the tables come to their end again.
    db.run(sql`UPDATE erasures SET progress = ${JSON.stringify(next)}, list_hash = ${listHash},
      failures = iif(failure IS 'reference', failures, 0), failure = nullif(failure, 'error') WHERE id = ${row.id}`),
  ];
}
