// Blocks older than thirty days go to R2, sealed, and are read back from there; no row of D1 names them, the object does.
import { readyKeys } from "../config.ts";
import { DAY_MS } from "../counters.ts";
import { putFile } from "../files.ts";
import { opaqueId } from "../ids.ts";
import { decode } from "./blocks.ts";
import type { Placed, Store } from "./store.ts";

/** A day more than is promised to be hot, so that an hour that is counted again lies here whole. */
export const HOT_MS = 31 * DAY_MS;
/** About 3 MB of blocks. */
const MOST_BLOCKS = 500;
/** A file with fewer is worth making only when nothing more will come for it. */
const FEW_BLOCKS = 100;
const WAIT_MS = 7 * DAY_MS;

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
export function* unpackArchive(bytes: Uint8Array<ArrayBuffer>): Generator<Placed[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const block = view.getFloat64(at, true);
    const length = view.getUint32(at + 8, true);
    yield decode(bytes.subarray(at + 12, at + 12 + length)).map((sample) => ({ ...sample, block }));
    at += 12 + length;
  }
}

/** The oldest block as of so many writes: it changes with a write alone, and is asked for after every batch. */
const known = new WeakMap<Store, { writes: number; oldest: number | null }>();

function oldestOf(store: Store): number | null {
  const kept = known.get(store);
  if (kept?.writes === store.writes) return kept.oldest;
  const oldest = store.oldestBlock();
  known.set(store, { writes: store.writes, oldest });
  return oldest;
}

/** When there will be something to archive, or null. */
export function nextArchive(store: Store): number | null {
  const oldest = oldestOf(store);
  return oldest === null ? null : oldest + HOT_MS + WAIT_MS;
}

/**
 * Moves what is old enough; the file is there before the rows go.
 * @param change runs its argument in one transaction
 */
export async function archiveOld(
  env: Env,
  store: Store,
  patientId: string,
  now: number,
  change: (work: () => void) => void,
): Promise<void> {
  const oldest = store.oldestBlock();
  if (oldest === null || oldest > now - HOT_MS) return;
  for (;;) {
    const blocks = store.closedBefore(now - HOT_MS, MOST_BLOCKS);
    if (blocks.length === 0 || (blocks.length < FEW_BLOCKS && oldest > now - HOT_MS - WAIT_MS)) return;
    const keys = await readyKeys(env);
    const bytes = packArchive(blocks);
    const file = `${keys.fields.current}/vitals/${opaqueId()}`;
    await putFile(env.FILES, keys.fields, file, `vitals:${patientId}`, bytes, bytes.length);
    change(() => store.archived(file, bytes.length, blocks));
  }
}
