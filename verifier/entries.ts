// Checks entries: contiguous, each the leaf of the tree at its position, and in order of time.
import { isEqual } from "./bytes.ts";
import { type Entry, leafHash } from "./leaf.ts";
import { nameChange } from "./name-change.ts";
import { ProblemError } from "./source.ts";
import type { Tiles } from "./tiles.ts";
import { hashAt, TILE_WIDTH } from "./tree.ts";

/** Where a run over the entries stands: the next one, and the time of the last. */
export type Position = { seq: number; logged: number };

/** @throws ProblemError edited for what is no entry at all */
export function hashEntry(entry: Entry, seq: number): Uint8Array {
  try {
    return leafHash(entry);
  } catch {
    throw new ProblemError("edited", seq, `Entry ${seq} is malformed.`);
  }
}

/** @throws ProblemError deleted or inserted */
export function checkNumber(seq: number, entry: Pick<Entry, "seq">): void {
  if (entry.seq > seq) throw new ProblemError("deleted", seq, `Entry ${seq} is missing; ${entry.seq} follows.`);
  if (entry.seq < seq) throw new ProblemError("inserted", seq, `Entry ${entry.seq} is there twice or out of order.`);
}

/** After the entry itself was checked: a changed time is an edit. @throws ProblemError reordered */
export function checkTime({ seq, logged }: Position, entry: Pick<Entry, "logged">): void {
  if (entry.logged < logged) throw new ProblemError("reordered", seq, `Entry ${seq} is older than the one before it.`);
}

/** Entries of one tile against the leaf hashes of the tree, of `size` entries. */
export async function checkLeaves(tiles: Tiles, size: number, entries: readonly Entry[], position: Position): Promise<Position> {
  const index = Math.floor(position.seq / TILE_WIDTH);
  const tile = position.seq < size ? await tiles.read(0, index) : null;
  let { seq, logged } = position;
  for (const [i, entry] of entries.entries()) {
    checkNumber(seq, entry);
    const hash = hashEntry(entry, seq);
    if (tile && seq < size && !isEqual(hash, hashAt(tile, seq % TILE_WIDTH)))
      throw nameChange(entries.slice(i), seq, { first: index * TILE_WIDTH, leaves: tile });
    checkTime({ seq, logged }, entry);
    [seq, logged] = [seq + 1, entry.logged];
  }
  return { seq, logged };
}
