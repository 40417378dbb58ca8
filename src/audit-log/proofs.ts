// Proofs about a log's tree: that it has an entry, and that it only grew.
import { findClosedEntry } from "./closed-entries.ts";
import type { LogProof } from "./contract.ts";
import { findOpenEntry, lastOpen } from "./entries.ts";
import { isUuidv7 } from "./known-ids.ts";
import { type LogContext, readState } from "./state.ts";
import { consistencyProof, inclusionProof } from "./tree/proof.ts";
import { type TreeStore, tileReader } from "./tree-store.ts";

const toBase64 = (hash: Uint8Array): string => Buffer.from(hash).toString("base64");

/** Entries that the log ever had. */
export const sizeOf = (sql: SqlStorage): number => (lastOpen(sql)?.seq ?? readState(sql).closedEnd - 1) + 1;

/** Null if the log has no entry with this id, or no longer. */
export async function proveEntry(log: LogContext, tree: TreeStore, id: string): Promise<LogProof | null> {
  if (!isUuidv7(id)) return null;
  const { sql } = log.storage;
  // Closed between the two searches: not in the rows any more, and in the list by now.
  const entry = findOpenEntry(sql, id) ?? (await findClosedEntry(log, id)) ?? findOpenEntry(sql, id);
  if (!entry) return null;
  const checkpoint = await tree.cover(entry.seq + 1);
  const hashes = await inclusionProof(entry.seq, checkpoint.size, tileReader(log, checkpoint.size));
  return { ...checkpoint, entry, index: entry.seq, hashes: hashes.map(toBase64) };
}

/** Null if the log has fewer than `newSize` entries, or `oldSize` is larger. */
export async function proveConsistency(
  log: LogContext,
  tree: TreeStore,
  oldSize: number,
  newSize: number,
): Promise<string[] | null> {
  const isSize = Number.isSafeInteger(oldSize) && Number.isSafeInteger(newSize) && oldSize >= 0;
  if (!isSize || oldSize > newSize || newSize > sizeOf(log.storage.sql)) return null;
  const { size } = await tree.cover(newSize);
  return (await consistencyProof(oldSize, newSize, tileReader(log, size))).map(toBase64);
}
