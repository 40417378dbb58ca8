// Checks entries: contiguous, in order of time, and each the leaf of the tree at its position.
import { isEqual } from "./bytes.ts";
import { type Entry, leafHash } from "./leaf.ts";
import { ProblemError, type ProblemKind } from "./source.ts";
import type { Tiles } from "./tiles.ts";
import { hashAt, hashesOf, TILE_WIDTH } from "./tree.ts";

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

/** @throws ProblemError deleted, inserted or reordered */
export function checkOrder({ seq, logged }: Position, entry: Pick<Entry, "seq" | "logged">): void {
  if (entry.seq > seq) throw new ProblemError("deleted", seq, `Entry ${seq} is missing; ${entry.seq} follows.`);
  if (entry.seq < seq) throw new ProblemError("inserted", seq, `Entry ${entry.seq} is there twice or out of order.`);
  if (entry.logged < logged) throw new ProblemError("reordered", seq, `Entry ${seq} is older than the one before it.`);
}

/** Entries of one tile against the leaf hashes of the tree, of `size` entries. */
export async function checkLeaves(tiles: Tiles, size: number, entries: readonly Entry[], position: Position): Promise<Position> {
  const tile = position.seq < size ? await tiles.read(0, Math.floor(position.seq / TILE_WIDTH)) : null;
  let { seq, logged } = position;
  for (const [i, entry] of entries.entries()) {
    checkOrder({ seq, logged }, entry);
    const hash = hashEntry(entry, seq);
    if (tile && seq < size && !isEqual(hash, hashAt(tile, seq % TILE_WIDTH))) throw nameChange(tile, entries, i, seq);
    [seq, logged] = [seq + 1, entry.logged];
  }
  return { seq, logged };
}

const DETAILS: Partial<Record<ProblemKind, (seq: number) => string>> = {
  reordered: (seq) => `Entry ${seq} stood at another position.`,
  deleted: (seq) => `Entry ${seq} is missing, and later ones were renumbered.`,
  inserted: (seq) => `Entry ${seq} was inserted, and later ones were renumbered.`,
  edited: (seq) => `Entry ${seq} is not the one in the tree.`,
};

/** What happened to the first entry that differs: the renumbered entry, or the one after it, may be a leaf of the tile. */
function nameChange(tile: Uint8Array, entries: readonly Entry[], i: number, seq: number): ProblemError {
  const leaves = new Map(hashesOf(tile).map((hash, n) => [String(hash), n]));
  const base = seq - (seq % TILE_WIDTH);
  const originalOf = (entry: Entry | undefined): number | undefined => {
    if (!entry) return undefined;
    const numbers = Array.from(leaves.values(), (n) => base + n);
    return numbers.find((number) => leaves.get(String(hashEntry({ ...entry, seq: number }, seq))) === number - base);
  };
  const [own, next] = [originalOf(entries[i]), originalOf(entries[i + 1])];
  const kind =
    next === seq && own === undefined
      ? "inserted"
      : own === undefined
        ? "edited"
        : isShifted(own, next, seq)
          ? "deleted"
          : "reordered";
  return new ProblemError(kind, seq, DETAILS[kind]?.(seq) ?? "");
}

const isShifted = (own: number, next: number | undefined, seq: number): boolean =>
  own > seq && (next === undefined || next - own === 1);
