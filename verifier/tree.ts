// The Merkle tree (RFC 9162, section 2.1) in tiles of 256 hashes (C2SP tlog-tiles).
import { isEqual, sha256 } from "./bytes.ts";
import type { TilePlace } from "./source.ts";

export const HASH_BYTES = 32;
export const TILE_WIDTH = 256;
const NODE = Uint8Array.of(1);

export const hashNode = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(NODE, left, right);
export const hashAt = (tile: Uint8Array, i: number): Uint8Array => tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);

/** `<L>/<N>[.p/<W>]`, e.g. `0/x001/067.p/12`. */
export function tilePath({ level, index, width }: TilePlace): string {
  let path = String(index % 1_000).padStart(3, "0");
  for (let rest = Math.floor(index / 1_000); rest > 0; rest = Math.floor(rest / 1_000)) {
    path = `x${String(rest % 1_000).padStart(3, "0")}/${path}`;
  }
  return `${level}/${path}${width < TILE_WIDTH ? `.p/${width}` : ""}`;
}

/** The tile at a place of a tree of `size` leaves; a width of 0 or less means that there is none. */
export function placeIn(size: number, level: number, index: number): TilePlace {
  return { level, index, width: Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH) };
}

/** The partial tiles at the right edge of a tree, lowest level first. */
export function edgeOf(size: number): TilePlace[] {
  const places: TilePlace[] = [];
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const place = placeIn(size, level, Math.floor(size / TILE_WIDTH ** (level + 1)));
    if (place.width > 0) places.push(place);
  }
  return places;
}

/** The Merkle Tree Hash of a list of subtrees of equal, perfect size. */
export function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes;
  if (!first) return sha256();
  if (hashes.length === 1) return first;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return hashNode(rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)));
}

export const hashesOf = (tile: Uint8Array): Uint8Array[] =>
  Array.from({ length: tile.length / HASH_BYTES }, (_, i) => hashAt(tile, i));

/** The root of a full tile: the hash of it in the level above. */
export const rootOfTile = (tile: Uint8Array): Uint8Array => rootOf(hashesOf(tile));

/** The root of a tree from the partial tiles at its right edge, lowest level first. */
export function rootOfEdge(tiles: readonly Uint8Array[]): Uint8Array {
  let root: Uint8Array | null = null;
  for (const tile of tiles) {
    const hashes = hashesOf(tile);
    // The perfect subtrees of a tile, from the smallest, at its right end, to the largest.
    for (let width = 1; hashes.length > 0; width *= 2) {
      if ((hashes.length / width) % 2 !== 1) continue;
      const subtree = rootOf(hashes.splice(hashes.length - width));
      root = root ? hashNode(subtree, root) : subtree;
    }
  }
  return root ?? sha256();
}

/** Whether a proof leads from a leaf hash to the root (RFC 9162, section 2.1.3.2). */
export function verifyInclusion(index: number, size: number, leaf: Uint8Array, proof: readonly Uint8Array[], root: Uint8Array) {
  if (index < 0 || index >= size || leaf.length !== HASH_BYTES) return false;
  let [fn, sn, hash] = [index, size - 1, leaf];
  for (const p of proof) {
    if (sn === 0 || p.length !== HASH_BYTES) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = hashNode(p, hash);
      for (; fn % 2 === 0 && fn > 0; fn /= 2) sn = Math.floor(sn / 2);
    } else hash = hashNode(hash, p);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && isEqual(hash, root);
}

type Tree = { size: number; root: Uint8Array };

/** Whether the second tree begins with the first one (RFC 9162, section 2.1.4.2). */
export function verifyConsistency(first: Tree, second: Tree, proof: readonly Uint8Array[]): boolean {
  if (first.size < 1 || first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && isEqual(first.root, second.root);
  const isPowerOfTwo = Number.isInteger(Math.log2(first.size));
  const [start, ...path] = isPowerOfTwo ? [first.root, ...proof] : proof;
  if (!start || proof.some((hash) => hash.length !== HASH_BYTES)) return false;
  let [fn, sn, fr, sr] = [first.size - 1, second.size - 1, start, start];
  for (; fn % 2 === 1; fn = Math.floor(fn / 2)) sn = Math.floor(sn / 2);
  for (const c of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [hashNode(c, fr), hashNode(c, sr)];
      for (; fn % 2 === 0 && fn > 0; fn /= 2) sn = Math.floor(sn / 2);
    } else sr = hashNode(sr, c);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && isEqual(fr, first.root) && isEqual(sr, second.root);
}
