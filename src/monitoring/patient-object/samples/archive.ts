// Archive of blocks older than 31 days: sealed files in R2, listed in the patient's object and not in D1.

import { z } from "zod";
import { getVerifiedKeys } from "../../../platform/config.ts";
import { storeFile } from "../../../platform/files.ts";
import { randomOpaqueId } from "../../../platform/ids.ts";
import { storedDocument } from "../../../platform/stored-document.ts";
import { DAY_MS } from "../../../platform/time.ts";
import type { Store } from "./store.ts";

/** One day more than the 30 days that samples may be late, so that all samples of a recounted hour are in the object. */
export const HOT_RETENTION_MS = 31 * DAY_MS;
/** About 3 MB. */
const MAX_BLOCKS_PER_FILE = 500;
/** Fewer blocks are archived only after MAX_ARCHIVE_WAIT_MS. */
const MIN_BLOCKS_PER_FILE = 100;
const MAX_ARCHIVE_WAIT_MS = 7 * DAY_MS;
/** After other file work was running. */
const RETRY_MS = 60_000;

/** The archive file that is being written. It is named before it is written: a crash, or a lost response of R2, leaves no unknown file. */
const writtenArchiveDocument = storedDocument("archive being written", z.string().nullable());

/** The file that was being written when the object ended; null for none. It may exist. */
export const findUnfinishedArchive = ({ documents }: Store): string | null => documents.setting(writtenArchiveDocument);

/** `id (float64) · length (uint32) · block`, repeated, little-endian. */
export function packArchive(blocks: readonly { id: number; data: ArrayBuffer }[]): Uint8Array<ArrayBuffer> {
  const size = blocks.reduce((sum, { data }) => sum + 12 + data.byteLength, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { id, data } of blocks) {
    view.setFloat64(at, id, true);
    view.setUint32(at + 8, data.byteLength, true);
    bytes.set(new Uint8Array(data), at + 12);
    at += 12 + data.byteLength;
  }
  return bytes;
}

/** The blocks of an archive file, undecoded; `id` is negative for a block of late samples. */
export function* listArchivedBlocks(bytes: Uint8Array<ArrayBuffer>): Generator<{ id: number; data: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at + 8, true);
    yield { id: view.getFloat64(at, true), data: bytes.subarray(at + 12, at + 12 + length) };
    at += 12 + length;
  }
}

/** Cache of the oldest block by the store's write count: it is read after every batch and changes only with a write. */
const oldestBlocks = new WeakMap<Store, { writes: number; oldest: number | null }>();

function findOldestBlock(store: Store): number | null {
  const cached = oldestBlocks.get(store);
  if (cached?.writes === store.writes) return cached.oldest;
  const oldest = store.rows.oldestOpenedAt();
  oldestBlocks.set(store, { writes: store.writes, oldest });
  return oldest;
}

/** When the next blocks are due for the archive, epoch milliseconds; null for none. */
export function nextArchiveAt(store: Store): number | null {
  const oldest = findOldestBlock(store);
  return oldest === null ? null : Math.max(oldest + HOT_RETENTION_MS + MAX_ARCHIVE_WAIT_MS, store.archiveAgainAt);
}

const hasOldBlocks = ({ rows }: Store, now: number): boolean => {
  const oldest = rows.oldestOpenedAt();
  return oldest !== null && oldest <= now - HOT_RETENTION_MS;
};

/**
 * Moves old blocks to R2. The file is written before the rows are deleted. Does not wait for other work on files: the object's next
 * alarm may be due before that ends.
 * @param transact runs its argument in one transaction
 */
export async function archiveOldBlocks(
  env: Env,
  store: Store,
  patientId: string,
  now: number,
  transact: (work: () => void) => void,
): Promise<void> {
  if (!hasOldBlocks(store, now)) return;
  if (store.fileWork.isBusy) store.archiveAgainAt = now + RETRY_MS;
  else await store.fileWork.run(() => archiveInTurn(env, store, patientId, now, transact));
}

async function archiveInTurn(
  env: Env,
  store: Store,
  patientId: string,
  now: number,
  transact: (work: () => void) => void,
): Promise<void> {
  const oldest = store.rows.oldestOpenedAt();
  if (oldest === null || oldest > now - HOT_RETENTION_MS) return;
  const unfinished = findUnfinishedArchive(store);
  if (unfinished !== null) {
    await env.FILES.delete(unfinished);
    transact(() => store.documents.saveSetting(writtenArchiveDocument, null));
  }
  for (;;) {
    const blocks = store.rows.listOpenedBefore(now - HOT_RETENTION_MS, MAX_BLOCKS_PER_FILE);
    if (blocks.length === 0 || (blocks.length < MIN_BLOCKS_PER_FILE && oldest > now - HOT_RETENTION_MS - MAX_ARCHIVE_WAIT_MS))
      return;
    const keys = await getVerifiedKeys(env);
    const bytes = packArchive(blocks);
    const file = `${keys.fields.currentKid}/vitals/${randomOpaqueId()}`;
    transact(() => store.documents.saveSetting(writtenArchiveDocument, file));
    await storeFile(env.FILES, keys.fields, file, `vitals:${patientId}`, bytes, bytes.length);
    transact(() => {
      store.recordArchive(file, bytes.length, blocks);
      store.documents.saveSetting(writtenArchiveDocument, null);
    });
  }
}
