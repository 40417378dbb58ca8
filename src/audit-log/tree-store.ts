// The log's Merkle tree in R2 (C2SP tlog-tiles) and its newest checkpoint.
import { getKeys } from "../platform/config.ts";
import { ApiError } from "../platform/errors.ts";
import type { LogCheckpoint, StoredCheckpoint } from "./contract.ts";
import { lastOpen, readLeafHashes } from "./entries.ts";
import { changeState, type LogContext, readState } from "./state.ts";
import { parseCheckpoint, signCheckpoint, verifierKeyOf } from "./tree/note.ts";
import type { TileReader } from "./tree/proof.ts";
import {
  EMPTY_TREE,
  extendTree,
  partialTiles,
  rootHash,
  type Tile,
  type TileId,
  type TreeEdge,
  tileOfTree,
  tilePath,
} from "./tree/tiles.ts";

/** Leaves that one checkpoint adds at most: 256 full tiles. */
const MAX_ADDED = 65_536;

const tileKey = (logId: string, tile: TileId): string => `tlog/${logId}/tile/${tilePath(tile)}`;
export const checkpointKey = (logId: string, size: number): string =>
  `tlog/${logId}/checkpoints/${String(size).padStart(12, "0")}`;

/** The right edge of the tree at the newest checkpoint. */
function readEdge(sql: SqlStorage, size: number): TreeEdge {
  const rows = sql.exec<{ hashes: ArrayBuffer }>("SELECT hashes FROM tiles ORDER BY level").toArray();
  return size === 0 ? EMPTY_TREE : { size, partials: rows.map(({ hashes }) => new Uint8Array(hashes)) };
}

function writeEdge(sql: SqlStorage, { partials }: TreeEdge): void {
  for (const [level, hashes] of partials.entries()) {
    sql.exec("INSERT OR REPLACE INTO tiles (level, hashes) VALUES (?, ?)", level, hashes);
  }
}

/** Stores an object, never over another one. @returns the bytes of a different object that is there; null when all is well */
async function putOnce(bucket: R2Bucket, key: string, bytes: Uint8Array): Promise<Uint8Array | null> {
  if (await bucket.put(key, bytes, { onlyIf: { etagDoesNotMatch: "*" } })) return null;
  const object = await bucket.get(key);
  const found = object && new Uint8Array(await object.arrayBuffer());
  if (!found) throw new ApiError("unavailable");
  return found.length === bytes.length && found.every((byte, i) => byte === bytes[i]) ? null : found;
}

async function putTile(bucket: R2Bucket, logId: string, tile: Tile): Promise<void> {
  if (await putOnce(bucket, tileKey(logId, tile), tile.hashes)) throw differs(tileKey(logId, tile));
}

const differs = (key: string) =>
  new ApiError("integrity_error", undefined, { cause: new Error(`another object is stored as ${key}`) });

/** Keeps one run at a time; callers of the meantime wait for it and look again. */
export class TreeStore {
  readonly #log: LogContext;
  #run: Promise<void> | null = null;

  constructor(log: LogContext) {
    this.#log = log;
  }

  /**
   * The newest checkpoint, once it covers `size` entries. A new one covers all entries that there are.
   * @throws ApiError integrity_error if R2 holds another tree
   */
  async cover(size: number): Promise<LogCheckpoint> {
    for (;;) {
      const { checkpoint } = readState(this.#log.storage.sql);
      if ((checkpoint?.size ?? 0) >= size) return checkpoint ? toCheckpoint(checkpoint) : signEmpty(this.#log);
      this.#run ??= this.#extend().finally(() => {
        this.#run = null;
      });
      await this.#run;
    }
  }

  /** Tiles come before the checkpoint that needs them, and both before the object's own state. */
  async #extend(): Promise<void> {
    const { storage, env, logId } = this.#log;
    const { sql } = storage;
    const before = readEdge(sql, readState(sql).checkpoint?.size ?? 0);
    const end = Math.min((lastOpen(sql)?.seq ?? -1) + 1, before.size + MAX_ADDED);
    if (end <= before.size) throw new RangeError("the log has no further entries");
    const { full, edge } = extendTree(before, readLeafHashes(sql, before.size, end));
    if (edge.size !== end) throw new ApiError("integrity_error", undefined, { cause: new Error("an entry is missing") });
    await Promise.all([...full, ...partialTiles(edge)].map((tile) => putTile(env.FILES, logId, tile)));
    const checkpoint = await storeCheckpoint(this.#log, edge);
    storage.transactionSync(() => {
      writeEdge(sql, edge);
      changeState(sql, { checkpoint });
      sql.exec("INSERT OR IGNORE INTO checkpoints (size, root) VALUES (?, ?)", edge.size, rootHash(edge));
    });
  }
}

/** Checkpoints of more than `afterSize` entries by size. Those of before the table exist in R2 alone. */
export function listCheckpoints(sql: SqlStorage, afterSize: number, limit: number): StoredCheckpoint[] {
  const query = "SELECT size, root FROM checkpoints WHERE size > ? ORDER BY size LIMIT ?";
  const rows = sql.exec<{ size: number; root: ArrayBuffer }>(query, afterSize, limit).toArray();
  return rows.map(({ size, root }) => ({ size, rootHash: Buffer.from(root).toString("base64") }));
}

async function storeCheckpoint({ env, logId }: LogContext, edge: TreeEdge) {
  const { auditSigners } = await getKeys(env);
  const root = rootHash(edge);
  const text = await signCheckpoint(auditSigners, logId, { size: edge.size, rootHash: root });
  const key = checkpointKey(logId, edge.size);
  const other = await putOnce(env.FILES, key, new TextEncoder().encode(text));
  // Signed with an earlier key in an attempt whose outcome was lost: the same tree, and the new signature is as good.
  if (other && !isSameTree(text, new TextDecoder().decode(other))) throw differs(key);
  return { text, size: edge.size, verifierKey: verifierKeyOf(auditSigners.current, logId) };
}

function isSameTree(note: string, other: string): boolean {
  const end = note.indexOf("\n\n");
  return parseCheckpoint(other) !== null && other.slice(0, end + 2) === note.slice(0, end + 2);
}

function toCheckpoint({ text, size, verifierKey }: { text: string; size: number; verifierKey: string }): LogCheckpoint {
  return { checkpoint: text, size, rootHash: text.split("\n")[2] ?? "", verifierKey };
}

/** A log without entries stores nothing. */
export async function signEmpty({ env, logId }: Pick<LogContext, "env" | "logId">): Promise<LogCheckpoint> {
  const { auditSigners } = await getKeys(env);
  const text = await signCheckpoint(auditSigners, logId, { size: 0, rootHash: rootHash(EMPTY_TREE) });
  return toCheckpoint({ text, size: 0, verifierKey: verifierKeyOf(auditSigners.current, logId) });
}

/** Reads the tiles that were stored with the checkpoint of this size; they are as wide as those of any smaller tree. */
export function tileReader({ env, logId }: LogContext, size: number): TileReader {
  return async ({ level, index }) => {
    const key = tileKey(logId, tileOfTree(size, level, index));
    const object = await env.FILES.get(key);
    if (!object) throw new ApiError("integrity_error", undefined, { cause: new Error(`${key} is missing`) });
    return new Uint8Array(await object.arrayBuffer());
  };
}
