// Blocks older than thirty days go to R2, sealed, and are read back from there; no row of D1 names them, the object does.
import { getVerifiedKeys } from "../../../platform/config.ts";
import { storeFile } from "../../../platform/files.ts";
import { randomOpaqueId } from "../../../platform/ids.ts";
import { DAY_MS } from "../../../platform/time.ts";
import { decodeBlock } from "./blocks.ts";
import type { LocatedSample, Store } from "./store.ts";

/** A day more than is promised to be hot, so that an hour that is counted again lies here whole. */
export const HOT_RETENTION_MS = 31 * DAY_MS;
/** About 3 MB of blocks. */
const MAX_BLOCKS_PER_FILE = 500;
/** A file with fewer is worth making only when nothing more will come for it. */
const MIN_BLOCKS_PER_FILE = 100;
const MAX_ARCHIVE_WAIT_MS = 7 * DAY_MS;

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

/** The samples of one block after the other. */
export function* unpackArchive(bytes: Uint8Array<ArrayBuffer>): Generator<LocatedSample[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const block = view.getFloat64(at, true);
    const length = view.getUint32(at + 8, true);
    yield decodeBlock(bytes.subarray(at + 12, at + 12 + length)).map((sample) => ({ ...sample, block }));
    at += 12 + length;
  }
}

/** The oldest block as of so many writes: it changes with a write alone, and is asked for after every batch. */
const known = new WeakMap<Store, { writes: number; oldest: number | null }>();

function oldestOf(store: Store): number | null {
  const kept = known.get(store);
  if (kept?.writes === store.writes) return kept.oldest;
  const oldest = store.oldestBlockAt();
  known.set(store, { writes: store.writes, oldest });
  return oldest;
}

/** When there will be something to archive, or null. */
export function nextArchiveAt(store: Store): number | null {
  const oldest = oldestOf(store);
  return oldest === null ? null : oldest + HOT_RETENTION_MS + MAX_ARCHIVE_WAIT_MS;
}

/**
 * Moves what is old enough; the file is there before the rows go.
 * @param transact runs its argument in one transaction
 */
export async function archiveOldBlocks(
  env: Env,
  store: Store,
  patientId: string,
  now: number,
  transact: (work: () => void) => void,
): Promise<void> {
  const oldest = store.oldestBlockAt();
  if (oldest === null || oldest > now - HOT_RETENTION_MS) return;
  for (;;) {
    const blocks = store.listClosedBlocks(now - HOT_RETENTION_MS, MAX_BLOCKS_PER_FILE);
    if (blocks.length === 0 || (blocks.length < MIN_BLOCKS_PER_FILE && oldest > now - HOT_RETENTION_MS - MAX_ARCHIVE_WAIT_MS))
      return;
    const keys = await getVerifiedKeys(env);
    const bytes = packArchive(blocks);
    const file = `${keys.fields.currentKid}/vitals/${randomOpaqueId()}`;
    await storeFile(env.FILES, keys.fields, file, `vitals:${patientId}`, bytes, bytes.length);
    transact(() => store.recordArchive(file, bytes.length, blocks));
  }
}
