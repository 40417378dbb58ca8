// Reads tiles of one tree and checks each against the tile above it.
import { isEqual } from "./bytes.ts";
import { type LogSource, ProblemError, type TilePlace } from "./source.ts";
import { edgeOf, HASH_BYTES, hashAt, placeIn, rootOfEdge, rootOfTile, TILE_WIDTH, tilePath } from "./tree.ts";

/** Entries below a place, as far as they concern a message. */
const firstLeaf = ({ level, index }: TilePlace): number => index * TILE_WIDTH ** (level + 1);

export async function readTile(source: LogSource, place: TilePlace): Promise<Uint8Array> {
  const tile = await source.readTile(place);
  if (!tile) throw new ProblemError("tile_changed", firstLeaf(place), `The tile ${tilePath(place)} is missing.`);
  if (tile.length !== place.width * HASH_BYTES)
    throw new ProblemError("tile_changed", firstLeaf(place), `The tile ${tilePath(place)} has another length.`);
  return tile;
}

export const readEdge = (source: LogSource, size: number): Promise<Uint8Array[]> =>
  Promise.all(edgeOf(size).map((place) => readTile(source, place)));

/** The tiles of a tree whose root is known. */
export class Tiles {
  readonly #source: LogSource;
  readonly #size: number;
  readonly #checked = new Map<string, Uint8Array>();

  constructor(source: LogSource, size: number) {
    this.#source = source;
    this.#size = size;
  }

  /** @throws ProblemError tile_changed if the tree of tiles does not have this root */
  async checkRoot(root: Uint8Array): Promise<void> {
    if (isEqual(rootOfEdge(await readEdge(this.#source, this.#size)), root)) return;
    throw new ProblemError("tile_changed", null, `The tiles of ${this.#size} entries do not have the root of the checkpoint.`);
  }

  /** A tile that agrees with all tiles above it. Call checkRoot first. */
  async read(level: number, index: number): Promise<Uint8Array> {
    const place = placeIn(this.#size, level, index);
    const path = tilePath(place);
    const known = this.#checked.get(path);
    if (known) return known;
    const tile = await readTile(this.#source, place);
    if (place.width === TILE_WIDTH) {
      const above = await this.read(level + 1, Math.floor(index / TILE_WIDTH));
      if (!isEqual(rootOfTile(tile), hashAt(above, index % TILE_WIDTH)))
        throw new ProblemError(
          "tile_changed",
          firstLeaf(place),
          `The tile ${path} is not the one that the tile above it covers.`,
        );
    }
    if (this.#checked.size > 64) this.#checked.clear();
    this.#checked.set(path, tile);
    return tile;
  }

  /** The root of the first `size` leaves. */
  async rootAt(size: number): Promise<Uint8Array> {
    const edge: Uint8Array[] = [];
    for (const { level, index, width } of edgeOf(size)) {
      edge.push((await this.read(level, index)).subarray(0, width * HASH_BYTES));
    }
    return rootOfEdge(edge);
  }
}
