// Checks checkpoints: that none is missing, signature, order, root, and that each tree continues the one before it.
import { isEqual, toBase64 } from "./bytes.ts";
import { type Checkpoint, isSigned, parseCheckpoint } from "./note.ts";
import { type KnownCheckpoint, type LogSource, ProblemError, type TilePlace } from "./source.ts";
import { readEdge, readTile } from "./tiles.ts";
import { edgeOf, HASH_BYTES, placeIn, rootOfEdge, tilePath } from "./tree.ts";

/** @throws ProblemError checkpoint_replaced for a note that the log did not sign */
export async function openCheckpoint(source: LogSource, size: number | null, text: string): Promise<Checkpoint> {
  const checkpoint = parseCheckpoint(source.logId, text);
  const name = `The checkpoint of ${size ?? checkpoint?.size ?? "unknown"} entries`;
  if (!checkpoint || (size !== null && checkpoint.size !== size))
    throw new ProblemError("checkpoint_replaced", null, `${name} is not a checkpoint of this log and size.`);
  if (source.verifierKeys && !(await isSigned(text, source.verifierKeys)))
    throw new ProblemError("checkpoint_replaced", null, `${name} is not signed with a key of the log.`);
  return checkpoint;
}

const missing = (size: number) => new ProblemError("checkpoint_deleted", null, `The checkpoint of ${size} entries is missing.`);
const another = (size: number) =>
  new ProblemError("checkpoint_replaced", null, `The checkpoint of ${size} entries is not the one that the log wrote.`);

/** That every partial tile of the smaller tree is the start of the larger tree's tile at its place. */
async function checkContinued(source: LogSource, size: number, nextSize: number): Promise<void> {
  await Promise.all(edgeOf(size).map((place) => checkPrefix(source, place, nextSize)));
}

async function checkPrefix(source: LogSource, place: TilePlace, nextSize: number): Promise<void> {
  const next = placeIn(nextSize, place.level, place.index);
  const [tile, wider] = await Promise.all([readTile(source, place), readTile(source, next)]);
  if (isEqual(tile, wider.subarray(0, place.width * HASH_BYTES))) return;
  throw new ProblemError("tile_changed", null, `The tile ${tilePath(next)} does not continue ${tilePath(place)}.`);
}

/** @param isKnown the log's own state has the same root  @param nextSize of the next checkpoint, null for none */
async function checkRoot(source: LogSource, { size, root }: Checkpoint, isKnown: boolean, nextSize: number | null) {
  if (isEqual(rootOfEdge(await readEdge(source, size)), root)) return;
  // Tiles that the next checkpoint's tree continues are those that the log wrote.
  if (!isKnown && nextSize !== null) {
    await checkContinued(source, size, nextSize);
    throw another(size);
  }
  throw new ProblemError("tile_changed", null, `The tiles of ${size} entries do not have the root of their checkpoint.`);
}

/**
 * Checks the stored checkpoints after a size.
 * @returns their number, the size of the last, and whether there are no more
 */
export async function checkCheckpoints(source: LogSource, afterSize: number, limit: number) {
  // In this order: the log stores a checkpoint before its state has it.
  const known = await source.knownCheckpoints(afterSize, limit);
  const stored = await source.checkpoints(afterSize, limit);
  const isComplete = stored.length < limit;
  let last = afterSize;
  for (const [i, { size, text }] of stored.entries()) {
    if (size <= last) throw new ProblemError("checkpoint_replaced", null, "The sizes of the checkpoints do not grow.");
    const own = takeKnown(known, size);
    const checkpoint = await openCheckpoint(source, size, text);
    if (own && own.rootHash !== toBase64(checkpoint.root)) throw another(size);
    await checkRoot(source, checkpoint, own !== null, stored[i + 1]?.size ?? null);
    if (last > 0) await checkContinued(source, last, size);
    last = size;
  }
  const [next] = known;
  if (isComplete && next) throw missing(next.size);
  return { count: stored.length, last, isComplete };
}

/** Removes the checkpoint of this size from the list. @throws ProblemError checkpoint_deleted if a smaller one is left in it */
function takeKnown(known: KnownCheckpoint[], size: number): KnownCheckpoint | null {
  const [next] = known;
  if (!next || next.size > size) return null;
  if (next.size < size) throw missing(next.size);
  known.shift();
  return next;
}

/** The checkpoint of the log's own state against the stored ones, the last of which has `size` entries. */
export async function checkNewest(source: LogSource, size: number): Promise<void> {
  if (source.newestCheckpoint === null) return;
  const newest = await openCheckpoint(source, null, source.newestCheckpoint);
  if (newest.size === 0 && size === 0) return;
  if (newest.size > size) throw missing(newest.size);
  const [stored] = await source.checkpoints(newest.size - 1, 1);
  if (stored?.size !== newest.size) throw missing(newest.size);
  const root = parseCheckpoint(source.logId, stored.text)?.root;
  if (!root || !isEqual(root, newest.root)) throw another(newest.size);
}

/** A checkpoint from outside against today's tree of `size` entries. */
export async function checkSaved(source: LogSource, size: number, readRoot: (size: number) => Promise<Uint8Array>) {
  if (source.savedCheckpoint === null) return;
  const text = source.savedCheckpoint;
  const saved = parseCheckpoint(source.logId, text);
  const isSignedHere = source.verifierKeys === null || (await isSigned(text, source.verifierKeys));
  if (!saved || !isSignedHere)
    throw new ProblemError("saved_checkpoint_differs", null, "The saved checkpoint is not one that this log signed.");
  const isSame = saved.size <= size && isEqual(await readRoot(saved.size), saved.root);
  if (isSame) return;
  const detail =
    saved.size > size
      ? `The saved checkpoint has ${saved.size} entries, today's tree only ${size}.`
      : `The first ${saved.size} entries of today's tree are not those of the saved checkpoint.`;
  throw new ProblemError("saved_checkpoint_differs", null, detail);
}
