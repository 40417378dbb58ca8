// Inclusion and consistency proofs (RFC 9162, sections 2.1.3 and 2.1.4) from tiles.
import { HASH_BYTES, hashChildren, subtreeRoot, TILE_WIDTH, type TileId, tileOfTree } from "./tiles.ts";

/** Reads a tile: at least `width` hashes. A wider tile of the same place is as good, as tiles only grow. */
export type TileReader = (tile: TileId) => Promise<Uint8Array> | Uint8Array;

/** The leaves from `start` to `end`, exclusive: a node of the tree. */
type Range = { start: number; end: number };
/** A perfect subtree: 2^height leaves from `index` * 2^height on. */
type Subtree = { height: number; index: number };

const TILE_HEIGHT = 8;

/** Hashes from the leaf's sibling up to the root's child. @throws RangeError if the tree has no such leaf */
export function inclusionProof(index: number, size: number, readTile: TileReader): Promise<Uint8Array[]> {
  if (!isSize(index) || !isSize(size) || index >= size) throw new RangeError("the tree has no such leaf");
  return hashRanges(inclusionRanges(index, { start: 0, end: size }), size, readTile);
}

/** Empty for equal sizes and for the empty tree. @throws RangeError if the first tree is larger */
export function consistencyProof(first: number, second: number, readTile: TileReader): Promise<Uint8Array[]> {
  if (!isSize(first) || !isSize(second) || first > second) throw new RangeError("the first tree must not be the larger one");
  const ranges = first === 0 ? [] : consistencyRanges(first, { start: 0, end: second }, true);
  return hashRanges(ranges, second, readTile);
}

/** The Merkle Tree Hash of the first `size` leaves, from tiles of this or a larger tree. */
export async function rootOfTiles(size: number, readTile: TileReader): Promise<Uint8Array> {
  if (!isSize(size) || size === 0) throw new RangeError("a tree read from tiles has at least one leaf");
  const [root] = await hashRanges([{ start: 0, end: size }], size, readTile);
  if (!root) throw new Error("no root");
  return root;
}

const isSize = (number: number): boolean => Number.isSafeInteger(number) && number >= 0;

/** The largest power of two below `count`, where a tree of so many leaves divides. */
const splitOf = (count: number): number => 2 ** heightOf(count - 1);

/** The largest height of a perfect subtree with at most `count` leaves. */
function heightOf(count: number): number {
  let height = 0;
  while (2 ** (height + 1) <= count) height += 1;
  return height;
}

function inclusionRanges(leaf: number, { start, end }: Range): Range[] {
  if (end - start <= 1) return [];
  const middle = start + splitOf(end - start);
  return leaf < middle
    ? [...inclusionRanges(leaf, { start, end: middle }), { start: middle, end }]
    : [...inclusionRanges(leaf, { start: middle, end }), { start, end: middle }];
}

/** SUBPROOF of RFC 9162, section 2.1.4.1; `isWhole`: the verifier knows the root of the first tree. */
function consistencyRanges(first: number, { start, end }: Range, isWhole: boolean): Range[] {
  if (first === end) return isWhole ? [] : [{ start, end }];
  const middle = start + splitOf(end - start);
  return first <= middle
    ? [...consistencyRanges(first, { start, end: middle }, isWhole), { start: middle, end }]
    : [...consistencyRanges(first, { start: middle, end }, false), { start, end: middle }];
}

/** The perfect subtrees of a range, left to right. */
function subtreesOf({ start, end }: Range): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let from = start; from < end; ) {
    const height = heightOf(end - from);
    subtrees.push({ height, index: from / 2 ** height });
    from += 2 ** height;
  }
  return subtrees;
}

function placeOf({ height, index }: Subtree): { level: number; tile: number; start: number; height: number } {
  const level = Math.floor(height / TILE_HEIGHT);
  const first = index * 2 ** (height % TILE_HEIGHT);
  return { level, tile: Math.floor(first / TILE_WIDTH), start: first % TILE_WIDTH, height: height % TILE_HEIGHT };
}

/** Reads each tile that the ranges need once, all at the same time. */
async function hashRanges(ranges: Range[], size: number, readTile: TileReader): Promise<Uint8Array[]> {
  const parts = ranges.map((range) => subtreesOf(range).map(placeOf));
  const tiles = new Map(parts.flat().map(({ level, tile }) => [`${level}/${tile}`, tileOfTree(size, level, tile)]));
  const read = async (name: string, tile: TileId) => [name, await readWhole(tile, readTile)] as const;
  const hashes = new Map(await Promise.all([...tiles].map(([name, tile]) => read(name, tile))));
  return parts.map((places) =>
    places
      .map(({ level, tile, start, height }) => subtreeRoot(hashes.get(`${level}/${tile}`) ?? new Uint8Array(), start, height))
      .reduceRight((right, left) => hashChildren(left, right)),
  );
}

async function readWhole(tile: TileId, readTile: TileReader): Promise<Uint8Array> {
  const hashes = await readTile(tile);
  if (hashes.length < tile.width * HASH_BYTES || hashes.length % HASH_BYTES !== 0)
    throw new Error(`tile ${tile.level}/${tile.index} has fewer than ${tile.width} hashes`);
  return hashes;
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** Whether the proof leads from the leaf's hash to the root (RFC 9162, section 2.1.3.2). */
export function verifyInclusion(
  { index, size, leafHash, root }: { index: number; size: number; leafHash: Uint8Array; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || !proof.every(isHash) || !isHash(leafHash)) return false;
  const rest = [...proof];
  const up = ({ start, end }: Range): Uint8Array | null => {
    if (end - start === 1) return leafHash;
    const middle = start + splitOf(end - start);
    const sibling = rest.pop();
    const child = sibling ? up(index < middle ? { start, end: middle } : { start: middle, end }) : null;
    if (!sibling || !child) return null;
    return index < middle ? hashChildren(child, sibling) : hashChildren(sibling, child);
  };
  const found = up({ start: 0, end: size });
  return found !== null && rest.length === 0 && isEqual(found, root);
}

/** Whether the tree of `second` leaves begins with that of `first` leaves (RFC 9162, section 2.1.4.2). */
export function verifyConsistency(
  first: { size: number; root: Uint8Array },
  second: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(first.size) || !isSize(second.size) || first.size > second.size || !proof.every(isHash)) return false;
  // Every tree extends the empty one: a proof of that says nothing.
  if (first.size === 0) return false;
  if (first.size === second.size) return proof.length === 0 && isEqual(first.root, second.root);
  const rest = [...proof];
  type Pair = { old: Uint8Array; now: Uint8Array };
  const up = ({ start, end }: Range, isWhole: boolean): Pair | null => {
    if (first.size === end) {
      const hash = isWhole ? first.root : rest.pop();
      return hash ? { old: hash, now: hash } : null;
    }
    const middle = start + splitOf(end - start);
    const sibling = rest.pop();
    if (!sibling) return null;
    if (first.size <= middle) {
      const pair = up({ start, end: middle }, isWhole);
      return pair && { old: pair.old, now: hashChildren(pair.now, sibling) };
    }
    const pair = up({ start: middle, end }, false);
    return pair && { old: hashChildren(sibling, pair.old), now: hashChildren(sibling, pair.now) };
  };
  const pair = up({ start: 0, end: second.size }, true);
  return pair !== null && rest.length === 0 && isEqual(pair.old, first.root) && isEqual(pair.now, second.root);
}

const isHash = (hash: Uint8Array): boolean => hash.length === HASH_BYTES;
