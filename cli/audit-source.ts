// Reads the audit logs of a folder: the local state of `npm start`, or a plain copy of the bucket.
import {
  closeSync,
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { KnownCheckpoint, LogSource, OpenRow, Segment } from "../verifier/source.ts";
import { tilePath } from "../verifier/tree.ts";

/** Objects of a bucket by key. */
type Files = { list(prefix: string): string[]; pathOf(key: string): string | null };
type Row = { seq: number; id: string; logged: number; event: string; seed: Uint8Array; leaf_hash: Uint8Array; mac: string };
type State = { closed_mac: string; checkpoint: string | null; pruned_end: number };
type Options = Pick<LogSource, "verifierKeys" | "auditKeys" | "savedCheckpoint">;

/** Opens copies of SQLite files with their write-ahead logs: the originals stay as they are. */
class Copies {
  readonly #folder = mkdtempSync(join(tmpdir(), "edgecare-audit-"));
  readonly #open: DatabaseSync[] = [];

  open(file: string): DatabaseSync {
    const copy = join(this.#folder, String(this.#open.length));
    for (const end of ["", "-wal"]) if (existsSync(file + end)) cpSync(file + end, copy + end);
    const db = new DatabaseSync(copy);
    this.#open.push(db);
    return db;
  }

  close(): void {
    try {
      for (const db of this.#open) db.close();
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

function plainFiles(folder: string): Files {
  const keys = globSync("{tlog,audit}/**", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length))
    .sort();
  const pathOf = (key: string) => (existsSync(join(folder, key)) ? join(folder, key) : null);
  return { list: (prefix) => keys.filter((key) => key.startsWith(prefix)), pathOf };
}

/** Opens the SQLite files of a pattern; one that cannot be read is named in `unreadable`. */
function readDatabases(folder: string, pattern: string, copies: Copies, unreadable: string[], read: (db: DatabaseSync) => void) {
  for (const file of globSync(pattern, { cwd: folder }).sort()) {
    if (file.endsWith("metadata.sqlite")) continue;
    try {
      read(copies.open(join(folder, file)));
    } catch (error) {
      unreadable.push(`${file}: unreadable: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** The bucket whose local metadata name objects of audit logs. */
function localFiles(folder: string, copies: Copies, unreadable: string[]): Files {
  const blobs = new Map<string, string>();
  readDatabases(folder, "r2/miniflare-R2BucketObject/*.sqlite", copies, unreadable, (db) => {
    const query = db.prepare("SELECT key, blob_id FROM _mf_objects WHERE key LIKE 'tlog/%' OR key LIKE 'audit/%' ORDER BY key");
    for (const { key, blob_id } of query.all()) blobs.set(String(key), String(blob_id));
  });
  const keys = [...blobs.keys()].sort();
  const pathOf = (key: string) => {
    const blob = blobs.get(key) ?? "";
    const [path] = /^[\w-]+$/.test(blob) ? globSync(`r2/*/blobs/${blob}`, { cwd: folder }) : [];
    return path === undefined ? null : join(folder, path);
  };
  return { list: (prefix) => keys.filter((key) => key.startsWith(prefix)), pathOf };
}

function objectsOf(folder: string, copies: Copies, unreadable: string[]): Map<string, DatabaseSync> {
  const objects = new Map<string, DatabaseSync>();
  readDatabases(folder, "do/*-AuditLog/*.sqlite", copies, unreadable, (db) => {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    const own = tables.map(({ name }) => String(name)).filter((name) => !/^(_cf_|sqlite_|__miniflare_)/.test(name));
    // An object that was only read has no tables.
    if (own.length === 0) return;
    const row = own.includes("state") ? db.prepare("SELECT log_id FROM state").get() : undefined;
    if (!row) throw new Error("the object of an audit log has no state row");
    const logId = String(row["log_id"]);
    if (objects.has(logId)) throw new Error(`it is a second object of the log ${logId}`);
    objects.set(logId, db);
  });
  return objects;
}

/** Segments by the names of files: the longest one from each position. */
function segmentsByName(keys: readonly string[]): Segment[] {
  const named = keys.map((key) => {
    const [, first, end] = /\/(\d+)-(\d+)-[\w-]+$/.exec(key) ?? [];
    return { key, first: Number(first), end: Number(end) };
  });
  const sorted = named.filter(({ end }) => end > 0).sort((a, b) => a.first - b.first || b.end - a.end);
  let end = 0;
  return sorted.filter((segment) => {
    if (segment.end <= end) return false;
    end = segment.end;
    return true;
  });
}

/** Empty for an object of before it had the table. */
function knownCheckpoints(db: DatabaseSync | undefined): KnownCheckpoint[] {
  if (!db?.prepare("SELECT 1 FROM sqlite_master WHERE name = 'checkpoints'").get()) return [];
  const rows = db.prepare("SELECT size, root FROM checkpoints ORDER BY size").all() as { size: number; root: Uint8Array }[];
  return rows.map(({ size, root }) => ({ size, rootHash: Buffer.from(root).toString("base64") }));
}

/** Tiles and checkpoints are far smaller. */
const MAX_OBJECT_BYTES = 1_024 * 1_024;

function readObject(path: string, key: string): Uint8Array {
  if (statSync(path).size > MAX_OBJECT_BYTES) throw new Error(`${key} has more than ${MAX_OBJECT_BYTES} bytes`);
  return new Uint8Array(readFileSync(path));
}

function checkpointSize(key: string): number {
  const [, size] = /\/(\d{12,15})$/.exec(key) ?? [];
  if (size === undefined) throw new Error(`${key} is not the name of a checkpoint`);
  return Number(size);
}

function readRange(path: string, offset: number, length: number): Uint8Array {
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
  } finally {
    closeSync(file);
  }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
const toRow = ({ leaf_hash, seed, ...row }: Row): OpenRow => ({ ...row, seed: text(seed), leafHash: text(leaf_hash) });

export class AuditFolder {
  /** Lines about files of the folder that cannot be read. */
  readonly unreadable: string[] = [];
  readonly #copies = new Copies();
  readonly #isLocal: boolean;
  readonly #files: Files;
  readonly #objects: Map<string, DatabaseSync>;

  constructor(folder: string) {
    try {
      this.#isLocal = readdirSync(folder).includes("r2");
      // In this order: a running server stores a file before its object refers to it.
      this.#objects = this.#isLocal ? objectsOf(folder, this.#copies, this.unreadable) : new Map();
      this.#files = this.#isLocal ? localFiles(folder, this.#copies, this.unreadable) : plainFiles(folder);
    } catch (error) {
      this.#copies.close();
      throw error;
    }
  }

  /** Ids of the logs. */
  logs(): string[] {
    const keys = [...this.#files.list("tlog/"), ...this.#files.list("audit/")];
    const named = keys.map((key) => key.split("/")).flatMap(([, logId, ...rest]) => (logId && rest.length > 0 ? [logId] : []));
    return [...new Set([...this.#objects.keys(), ...named])].sort();
  }

  close(): void {
    this.#copies.close();
  }

  source(logId: string, options: Options): LogSource {
    const files = this.#files;
    const db = this.#objects.get(logId);
    if (this.#isLocal && !db) throw new Error("the folder has files of this log, but not its object");
    const state = db?.prepare("SELECT closed_mac, checkpoint, pruned_end FROM state").get() as State | undefined;
    const known = knownCheckpoints(db);
    const rows = db
      ?.prepare(
        "SELECT first_seq AS first, end_seq AS end, object_key AS key, recorded_from AS recordedFrom, recorded_to AS recordedTo FROM segments ORDER BY first_seq",
      )
      .all();
    const segments = rows ? (rows as Segment[]) : segmentsByName(files.list(`audit/${logId}/`));
    const prunedUpTo = state?.pruned_end ?? segments[0]?.first ?? 0;
    const prefix = `tlog/${logId}/checkpoints/`;
    const sizes = files.list(prefix).map((key) => ({ key, size: checkpointSize(key) }));
    const read = (key: string) => {
      const path = files.pathOf(key);
      return path === null ? null : readObject(path, key);
    };
    return {
      logId,
      isCopy: !this.#isLocal,
      ...options,
      prunedUpTo,
      newestCheckpoint: state?.checkpoint ?? null,
      checkpoints: async (afterSize, limit) =>
        sizes
          .filter(({ size }) => size > afterSize)
          .slice(0, limit)
          .map(({ key, size }) => ({ size, text: Buffer.from(read(key) ?? []).toString("utf8") })),
      knownCheckpoints: async (afterSize, limit) => known.filter(({ size }) => size > afterSize).slice(0, limit),
      readTile: async (place) => read(`tlog/${logId}/tile/${tilePath(place)}`),
      segments: async (fromSeq, limit) => segments.filter(({ end }) => end > fromSeq).slice(0, limit),
      segmentTerms: async (first) => {
        const row = db?.prepare("SELECT terms FROM segments WHERE first_seq = ?").get(first);
        return row ? (row["terms"] as Uint8Array) : null;
      },
      readSegment: async (key, offset, length) => {
        const path = files.pathOf(key);
        return path === null ? null : readRange(path, offset, length);
      },
      openRows: async (afterSeq, limit) => {
        const rows = db?.prepare("SELECT * FROM entries WHERE seq > ? ORDER BY seq LIMIT ?").all(afterSeq, limit) ?? [];
        const before = db?.prepare("SELECT mac FROM entries WHERE seq = ?").get(afterSeq);
        return { entries: (rows as Row[]).map(toRow), previousMac: String(before?.["mac"] ?? state?.closed_mac ?? "") };
      },
    };
  }
}
