// Names what happened to the first entry that is not as it was, by where it and those after it belong.
import { isEqual } from "./bytes.ts";
import { type Entry, leafHash } from "./leaf.ts";
import { ProblemError, type ProblemKind } from "./source.ts";
import { HASH_BYTES, hashAt } from "./tree.ts";

/** Leaf hashes of the tree from the number `first` on. */
export type KnownLeaves = { first: number; leaves: Uint8Array };
/** What rows that no tree covers tell about their numbers. */
export type RowEvidence = {
  /** Whether row `k` has the MAC of entry `number`, after the row of this index; -1 is the last row that was checked. */
  follows(k: number, number: number, previous: number): boolean;
  /** The leaf hash that is stored in row `k`. */
  storedHash(k: number): Uint8Array | null;
};

/** Numbers around the place of a row that are tried. */
const WINDOW = 1_000;
/** Hashes and MACs that are computed to name one problem: less than a second. */
const MAX_TRIES = 20_000;

/**
 * @param entries those that stand at `seq` and after it; null for what cannot be read
 * @param rows null for entries of a segment
 */
export function nameChange(
  entries: readonly (Entry | null)[],
  seq: number,
  known: KnownLeaves,
  rows: RowEvidence | null = null,
): ProblemError {
  const search = new Search(entries, seq, known, rows);
  const place = search.findTrue();
  const own = search.findOwn(place);
  const [kind, detail] = place === null ? withoutTrue(seq, own) : withTrue(seq, own);
  return new ProblemError(kind, seq, detail);
}

/** The entry that belongs at `seq` follows later. */
const withTrue = (seq: number, own: number | null): [ProblemKind, string] =>
  own === null
    ? ["inserted", `The log did not write what stands at ${seq}; the entry that belongs there follows.`]
    : ["reordered", `Entry ${own} stands at position ${seq}, whose entry follows.`];

function withoutTrue(seq: number, own: number | null): [ProblemKind, string] {
  if (own === null) return ["edited", `Entry ${seq} is not the one that the log wrote: it was edited, replaced or added.`];
  if (own > seq) return ["deleted", `Entry ${seq} is missing; entry ${own} was renumbered to take its place.`];
  if (own < seq) return ["inserted", `A copy of entry ${own} stands at position ${seq}.`];
  return ["edited", `Entry ${seq} was edited.`];
}

class Search {
  readonly #entries: readonly (Entry | null)[];
  readonly #seq: number;
  readonly #known: KnownLeaves;
  readonly #rows: RowEvidence | null;
  #tries = 0;

  constructor(entries: readonly (Entry | null)[], seq: number, known: KnownLeaves, rows: RowEvidence | null) {
    this.#entries = entries;
    this.#seq = seq;
    this.#known = known;
    this.#rows = rows;
  }

  /** Index of the entry that belongs at the first place; null if it is none of them. */
  findTrue(): number | null {
    for (let k = 1; k < this.#entries.length; k++) if (this.#is(k, this.#seq, -1)) return k;
    return null;
  }

  /** The number of the first entry; null if the log wrote no such entry nearby. */
  findOwn(place: number | null): number | null {
    return this.#ownByHash() ?? this.#ownByNext() ?? (place === null ? null : this.#ownByWalk(place));
  }

  #hash(k: number, number: number): Uint8Array | null {
    const entry = this.#entries[k];
    this.#tries += 1;
    if (!entry || this.#tries > MAX_TRIES) return null;
    try {
      return leafHash({ ...entry, seq: number });
    } catch {
      return null;
    }
  }

  #leafAt(number: number): Uint8Array | null {
    const i = number - this.#known.first;
    return i >= 0 && i < this.#known.leaves.length / HASH_BYTES ? hashAt(this.#known.leaves, i) : null;
  }

  #is(k: number, number: number, previous: number): boolean {
    const leaf = this.#leafAt(number);
    if (!leaf) return this.#tries++ < MAX_TRIES && (this.#rows?.follows(k, number, previous) ?? false);
    const hash = this.#hash(k, number);
    return hash !== null && isEqual(hash, leaf);
  }

  /** By the tree, or by the leaf hash that was left in the row. */
  #ownByHash(): number | null {
    const stored = this.#rows?.storedHash(0) ?? null;
    for (const number of this.#nearby()) {
      const leaf = this.#leafAt(number);
      const mayBeStored = stored !== null && number !== this.#seq;
      if (!leaf && !mayBeStored) continue;
      const hash = this.#hash(0, number);
      if (hash && ((leaf && isEqual(hash, leaf)) || (mayBeStored && isEqual(hash, stored)))) return number;
    }
    return null;
  }

  /** By the next row, if it was moved together with this one: its MAC continues this row's under their former numbers. */
  #ownByNext(): number | null {
    if (!this.#rows || this.#entries.length < 2) return null;
    for (const number of this.#nearby()) if (this.#rows.follows(1, number + 1, 0)) return number;
    return null;
  }

  /** By following the chain from the true entry until it reaches the first one. */
  #ownByWalk(place: number): number | null {
    let previous = place;
    for (let number = this.#seq + 1; this.#tries < MAX_TRIES; number++) {
      if (this.#is(0, number, previous)) return number;
      const next = this.#findAfter(previous, number);
      if (next === null) return null;
      previous = next;
    }
    return null;
  }

  #findAfter(previous: number, number: number): number | null {
    for (let step = 1; step < this.#entries.length; step++) {
      const k = (previous + step) % this.#entries.length;
      if (k !== 0 && this.#is(k, number, previous)) return k;
    }
    return null;
  }

  /** The place itself, then ever farther from it. */
  *#nearby(): Generator<number> {
    yield this.#seq;
    for (let step = 1; step <= WINDOW; step++) {
      yield this.#seq + step;
      if (this.#seq >= step) yield this.#seq - step;
    }
  }
}
