// The Merkle tree of the audit log: published vectors, and random trees against the definition in RFC 9162.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  consistencyProof,
  inclusionProof,
  rootOfTiles,
  type TileReader,
  verifyConsistency,
  verifyInclusion,
} from "../../src/audit-log/tree/proof.ts";
import {
  EMPTY_TREE,
  extendTree,
  HASH_BYTES,
  partialTiles,
  rootHash,
  type Tile,
  tilePath,
} from "../../src/audit-log/tree/tiles.ts";
import { times } from "../long.ts";
import { createRandom } from "./alerts-randomness.ts";

type Vector = { name: string; proof: string[] | null; wantErr: boolean };
type InclusionVector = Vector & { leafIdx: number; treeSize: number; root: string | null; leafHash: string | null };
type ConsistencyVector = Vector & { size1: number; size2: number; root1: string | null; root2: string | null };
const vectors = <T>(kind: string): T[] => JSON.parse(readFileSync(`test/fixtures/merkle/${kind}.json`, "utf8"));
const bytes = (base64: string | null) => new Uint8Array(Buffer.from(base64 ?? "", "base64"));
const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");
const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

/** MTH of RFC 9162, section 2.1.1, as it is written there. */
function naiveRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  const [first] = leafHashes;
  if (!first) return sha256();
  if (leafHashes.length === 1) return first;
  let split = 1;
  while (split * 2 < leafHashes.length) split *= 2;
  return sha256(Uint8Array.of(1), naiveRoot(leafHashes.slice(0, split)), naiveRoot(leafHashes.slice(split)));
}

/** PATH of RFC 9162, section 2.1.3.1. */
function naivePath(index: number, leafHashes: readonly Uint8Array[]): Uint8Array[] {
  if (leafHashes.length === 1) return [];
  let split = 1;
  while (split * 2 < leafHashes.length) split *= 2;
  const [left, right] = [leafHashes.slice(0, split), leafHashes.slice(split)];
  return index < split ? [...naivePath(index, left), naiveRoot(right)] : [...naivePath(index - split, right), naiveRoot(left)];
}

const LEAF_INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
/** Roots of the trees of 0 to 8 of these leaves (testonly/constants.go of transparency-dev/merkle). */
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const leafHashOf = (leaf: Uint8Array) => sha256(Uint8Array.of(0), leaf);

/** A tree that grew in steps, with every tile that was ever written. */
function growTree(leafHashes: readonly Uint8Array[], step: () => number) {
  const tiles = new Map<string, Uint8Array>();
  const keep = (tile: Tile) => tiles.set(tilePath(tile), tile.hashes);
  let edge = EMPTY_TREE;
  while (edge.size < leafHashes.length) {
    const grown = extendTree(edge, leafHashes.slice(edge.size, edge.size + step()));
    edge = grown.edge;
    for (const tile of [...grown.full, ...partialTiles(edge)]) keep(tile);
  }
  const read: TileReader = (tile) => tiles.get(tilePath(tile)) ?? new Uint8Array();
  return { edge, tiles, read };
}

describe("published vectors", () => {
  it("gives the roots of the trees of one to eight leaves", () => {
    const hashes = LEAF_INPUTS.map((leaf) => leafHashOf(Buffer.from(leaf, "hex")));
    const roots = ROOTS.map((_, size) => hex(rootHash(extendTree(EMPTY_TREE, hashes.slice(0, size)).edge)));
    expect(roots).toEqual(ROOTS);
  });

  it.each(vectors<InclusionVector>("inclusion"))("$name", ({ leafIdx, treeSize, root, leafHash, proof, wantErr }) => {
    const tree = { index: leafIdx, size: treeSize, leafHash: bytes(leafHash), root: bytes(root) };
    expect(verifyInclusion(tree, (proof ?? []).map(bytes))).toBe(!wantErr);
  });

  it.each(vectors<ConsistencyVector>("consistency"))("$name", ({ size1, size2, root1, root2, proof, wantErr }) => {
    const [first, second] = [
      { size: size1, root: bytes(root1) },
      { size: size2, root: bytes(root2) },
    ];
    expect(verifyConsistency(first, second, (proof ?? []).map(bytes))).toBe(!wantErr);
  });

  it("makes the proofs of the vectors", async () => {
    const hashes = LEAF_INPUTS.map((leaf) => leafHashOf(Buffer.from(leaf, "hex")));
    const { read } = growTree(hashes, () => 1);
    const valid = <T extends Vector>(kind: string) => vectors<T>(kind).filter(({ wantErr }) => !wantErr);
    for (const { leafIdx, treeSize, proof } of valid<InclusionVector>("inclusion").filter(({ treeSize }) => treeSize > 1))
      expect((await inclusionProof(leafIdx, treeSize, read)).map(hex)).toEqual((proof ?? []).map((hash) => hex(bytes(hash))));
    for (const { size1, size2, proof } of valid<ConsistencyVector>("consistency"))
      expect((await consistencyProof(size1, size2, read)).map(hex)).toEqual((proof ?? []).map((hash) => hex(bytes(hash))));
  });
});

describe("tile paths", () => {
  it.each([
    [{ level: 0, index: 1_234_067, width: 256 }, "0/x001/x234/067"],
    [{ level: 0, index: 0, width: 256 }, "0/000"],
    [{ level: 1, index: 999, width: 5 }, "1/999.p/5"],
    [{ level: 2, index: 1_000, width: 255 }, "2/x001/000.p/255"],
  ])("%j is %s", (tile, path) => {
    expect(tilePath(tile)).toBe(path);
  });

  it("of a tree of 70,000 leaves are those of the specification's example", () => {
    const leaf = sha256();
    const { full, edge } = extendTree(
      EMPTY_TREE,
      Array.from({ length: 70_000 }, () => leaf),
    );
    expect(full.filter(({ level }) => level === 0)).toHaveLength(273);
    expect(full.filter(({ level }) => level === 1)).toHaveLength(1);
    expect(partialTiles(edge).map(tilePath)).toEqual(["0/273.p/112", "1/001.p/17", "2/000.p/1"]);
    expect(new Set(full.map(tilePath)).size).toBe(274);
  });
});

describe("random trees", () => {
  const random = createRandom(20_261_130);
  const draw = (below: number) => Math.floor(random.next() * below);
  const sizes = [1, 2, 255, 256, 257, 511, 512, 513, ...Array.from({ length: times(6, 60) }, () => 1 + draw(1_500))];

  it.each(sizes)("of %i leaves have the root, the proofs and the tiles of the definition", async (size) => {
    const hashes = Array.from({ length: size }, (_, i) => leafHashOf(Buffer.from(`${size}:${i}`)));
    const { edge, read } = growTree(hashes, () => 1 + draw(400));
    const root = naiveRoot(hashes);
    expect(hex(rootHash(edge))).toBe(hex(root));
    expect(hex(await rootOfTiles(size, read))).toBe(hex(root));
    for (let i = 0; i < 12; i++) {
      const index = draw(size);
      const proof = await inclusionProof(index, size, read);
      expect(proof.map(hex)).toEqual(naivePath(index, hashes).map(hex));
      const leafHash = hashes[index] ?? new Uint8Array();
      expect(verifyInclusion({ index, size, leafHash, root }, proof)).toBe(true);
      expect(verifyInclusion({ index: (index + 1) % size, size, leafHash, root }, proof)).toBe(size === 1);
      expect(verifyInclusion({ index, size, leafHash: sha256(leafHash), root }, proof)).toBe(false);
    }
  });

  it("of any two sizes are consistent, and of changed leaves are not", async () => {
    const size = times(70, 600);
    const hashes = Array.from({ length: size }, (_, i) => leafHashOf(Buffer.from(String(i))));
    const { read } = growTree(hashes, () => 1);
    const roots = hashes.map((_, i) => naiveRoot(hashes.slice(0, i + 1)));
    const rootAt = (leaves: number) => roots[leaves - 1] ?? sha256();
    for (let second = 1; second <= size; second++) {
      for (let first = 1; first <= second; first++) {
        const proof = await consistencyProof(first, second, read);
        const [a, b] = [
          { size: first, root: rootAt(first) },
          { size: second, root: rootAt(second) },
        ];
        expect(verifyConsistency(a, b, proof)).toBe(true);
        expect(verifyConsistency({ ...a, root: sha256(a.root) }, b, proof)).toBe(false);
        expect(verifyConsistency(a, { ...b, root: sha256(b.root) }, proof)).toBe(false);
      }
    }
  });

  it("refuse what they do not have", async () => {
    const { read } = growTree([sha256()], () => 1);
    expect(() => inclusionProof(1, 1, read)).toThrow(RangeError);
    expect(() => inclusionProof(-1, 1, read)).toThrow(RangeError);
    expect(() => consistencyProof(2, 1, read)).toThrow(RangeError);
    await expect(rootOfTiles(0, read)).rejects.toThrow(RangeError);
    await expect(rootOfTiles(5, read)).rejects.toThrow("fewer than 5 hashes");
    expect(() => extendTree(EMPTY_TREE, [new Uint8Array(HASH_BYTES - 1)])).toThrow(RangeError);
  });
});
