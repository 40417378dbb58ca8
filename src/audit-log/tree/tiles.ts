// The Merkle tree as tiles (C2SP tlog-tiles): 256 hashes of 32 bytes each; level L holds the roots of full tiles of level L - 1.
import { sha256 } from "@noble/hashes/sha2.js";

export const HASH_BYTES = 32;
/** Hashes of a full tile. */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
const NODE_PREFIX = Uint8Array.of(0x01);

/** A tile's place; `width` is the number of its hashes, TILE_WIDTH for a full one. */
export type TileId = { level: number; index: number; width: number };
export type Tile = TileId & { hashes: Uint8Array };

/** A tree's size and the partial tiles of its right edge, lowest level first; a level without one has no bytes. */
export type TreeEdge = { size: number; partials: readonly Uint8Array[] };
export const EMPTY_TREE: TreeEdge = { size: 0, partials: [] };

/** SHA-256(0x01 || left || right) (RFC 9162, section 2.1.1). */
export const hashChildren = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  sha256.create().update(NODE_PREFIX).update(left).update(right).digest();

/** `<L>/<N>[.p/<W>]` below `tile/`; N in groups of three digits, all but the last with an x, e.g. `0/x001/x234/067`. */
export function tilePath({ level, index, width }: TileId): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g) ?? [];
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
  return `${level}/${path}${width < TILE_WIDTH ? `.p/${width}` : ""}`;
}

/** The tile at a place in a tree of `size` leaves; its width is 0 or less where the tree has none. */
export function tileOfTree(size: number, level: number, index: number): TileId {
  return { level, index, width: Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH) };
}

/** The `i`-th hash of a tile. */
export const hashAt = (hashes: Uint8Array, i: number): Uint8Array => hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);

/** The root of the subtree over 2^height hashes of a tile from the `start`-th on. */
export function subtreeRoot(hashes: Uint8Array, start: number, height: number): Uint8Array {
  if (height === 0) return hashAt(hashes, start);
  const half = 2 ** (height - 1);
  return hashChildren(subtreeRoot(hashes, start, height - 1), subtreeRoot(hashes, start + half, height - 1));
}

/**
 * Appends leaf hashes to a tree.
 * @returns the tiles that became full, each once, lowest level of each step first, and the new right edge; the given edge is unchanged
 */
export function extendTree(edge: TreeEdge, leafHashes: Iterable<Uint8Array>): { full: Tile[]; edge: TreeEdge } {
  const levels = edge.partials.map((hashes) => growing(hashes));
  const full: Tile[] = [];
  let size = edge.size;
  for (const leaf of leafHashes) {
    size += 1;
    let hash: Uint8Array | null = leaf;
    for (let level = 0; hash; level++) {
      levels[level] ??= growing(new Uint8Array());
      const row: Growing | undefined = levels[level];
      hash = row ? addHash(row, hash, { level, size, full }) : null;
    }
  }
  return { full, edge: { size, partials: levels.map(({ bytes, width }) => bytes.slice(0, width * HASH_BYTES)) } };
}

type Growing = { bytes: Uint8Array; width: number };

function growing(hashes: Uint8Array): Growing {
  const bytes = new Uint8Array(TILE_WIDTH * HASH_BYTES);
  bytes.set(hashes);
  return { bytes, width: hashes.length / HASH_BYTES };
}

/** @returns the root of the tile if the hash made it full: it belongs to the level above */
function addHash(row: Growing, hash: Uint8Array, at: { level: number; size: number; full: Tile[] }): Uint8Array | null {
  if (hash.length !== HASH_BYTES) throw new RangeError(`a hash must be ${HASH_BYTES} bytes`);
  row.bytes.set(hash, row.width * HASH_BYTES);
  row.width += 1;
  if (row.width < TILE_WIDTH) return null;
  const hashes = row.bytes.slice();
  row.width = 0;
  const index = at.size / TILE_WIDTH ** (at.level + 1) - 1;
  at.full.push({ level: at.level, index, width: TILE_WIDTH, hashes });
  return subtreeRoot(hashes, 0, TILE_HEIGHT);
}

/** The partial tiles that a checkpoint of this tree needs, each with at least one hash. */
export function partialTiles({ size, partials }: TreeEdge): Tile[] {
  return partials.flatMap((hashes, level) => {
    const width = hashes.length / HASH_BYTES;
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    return width > 0 ? [{ level, index, width, hashes }] : [];
  });
}

/** The Merkle Tree Hash (RFC 9162, section 2.1.1), 32 bytes. */
export function rootHash({ partials }: TreeEdge): Uint8Array {
  // From the smallest perfect subtree at the right edge to the largest.
  let root: Uint8Array | null = null;
  for (const hashes of partials) {
    let end = hashes.length / HASH_BYTES;
    for (let height = 0; end > 0; height++) {
      if ((end / 2 ** height) % 2 !== 1) continue;
      end -= 2 ** height;
      const subtree = subtreeRoot(hashes, end, height);
      root = root ? hashChildren(subtree, root) : subtree;
    }
  }
  return root ?? sha256(new Uint8Array());
}
