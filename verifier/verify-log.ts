// Verifies a log in parts of bounded work: first its checkpoints, then its entries.
import { parseRing, type Ring } from "./bytes.ts";
import { checkCheckpoints, checkNewest, checkSaved, openCheckpoint } from "./checkpoints.ts";
import { checkLeaves, type Position } from "./entries.ts";
import { checkRows } from "./open-entries.ts";
import { readEntries } from "./segment.ts";
import { type LogSource, type Problem, ProblemError, type Segment } from "./source.ts";
import { Tiles } from "./tiles.ts";
import { hashesOf, hashNode, placeIn, rootOf, TILE_WIDTH } from "./tree.ts";

/** Work of one part. Tiles without opened entries count as 16 events each. */
export type Limits = { events: number; checkpoints: number };
export const DEFAULT_LIMITS: Limits = { events: 20_000, checkpoints: 100 };
const TILE_COST = 16;
const MAX_ROWS = 1_000;
const MAX_SEGMENTS = 100;

export type Checked = {
  events: number;
  segments: number;
  checkpoints: number;
  firstSeq: number;
  endSeq: number;
  openEvents: number;
};
export type Verdict = { isIntact: boolean; problem: Problem | null; checked: Checked; nextCursor: string | null };

type Cursor = { phase: "checkpoints"; size: number } | { phase: "entries"; size: number; position: Position };

const formatCursor = (cursor: Cursor): string =>
  cursor.phase === "checkpoints" ? `c.${cursor.size}` : `e.${cursor.size}.${cursor.position.seq}.${cursor.position.logged}`;

/** @throws RangeError for anything but a cursor of an earlier part */
export function parseCursor(text: string | null): Cursor {
  if (text === null) return { phase: "checkpoints", size: 0 };
  const [, phase, size = 0, seq, logged] = /^(?:(c)\.(\d{1,15})|e\.(\d{1,15})\.(\d{1,15})\.(\d{1,15}))$/.test(text)
    ? [null, text[0], ...text.slice(2).split(".").map(Number)]
    : [];
  if (phase === "c") return { phase: "checkpoints", size: Number(size) };
  if (phase === "e") return { phase: "entries", size: Number(size), position: { seq: Number(seq), logged: Number(logged) } };
  throw new RangeError("not a cursor of a verification");
}

/**
 * Verifies the next part of a log.
 * @param cursor `nextCursor` of the part before; null for the first
 * @returns `nextCursor` null after the last part or at a problem
 * @throws RangeError for a malformed cursor, Error for malformed keys
 */
export async function verifyPart(source: LogSource, cursor: string | null, limits = DEFAULT_LIMITS): Promise<Verdict> {
  const from = parseCursor(cursor);
  const start = from.phase === "entries" ? from.position.seq : 0;
  const checked: Checked = { events: 0, segments: 0, checkpoints: 0, firstSeq: start, endSeq: start, openEvents: 0 };
  try {
    const next =
      from.phase === "checkpoints"
        ? await verifyCheckpoints(source, from.size, limits, checked)
        : await new EntryRun(source, from.size, from.position, limits, checked).run();
    return { isIntact: true, problem: null, checked, nextCursor: next && formatCursor(next) };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { isIntact: false, problem: error.problem, checked, nextCursor: null };
  }
}

/** Verifies a whole log; one block of entries is in memory at a time. */
export async function verifyLog(source: LogSource, limits = DEFAULT_LIMITS): Promise<Omit<Verdict, "nextCursor">> {
  const total: Checked = { events: 0, segments: 0, checkpoints: 0, firstSeq: 0, endSeq: 0, openEvents: 0 };
  for (let cursor: string | null = null; ; ) {
    const { isIntact, problem, checked, nextCursor } = await verifyPart(source, cursor, limits);
    for (const name of ["events", "segments", "checkpoints", "openEvents"] as const) total[name] += checked[name];
    total.endSeq = Math.max(total.endSeq, checked.endSeq);
    cursor = nextCursor;
    if (cursor === null) return { isIntact, problem, checked: total };
  }
}

async function verifyCheckpoints(source: LogSource, size: number, limits: Limits, checked: Checked): Promise<Cursor> {
  const { count, last, isComplete } = await checkCheckpoints(source, size, limits.checkpoints);
  checked.checkpoints = count;
  if (!isComplete) return { phase: "checkpoints", size: last };
  await checkNewest(source, last);
  return { phase: "entries", size: last, position: { seq: 0, logged: 0 } };
}

/** The root of the first `size` leaves, from tiles of a tree. */
async function rootAt(tiles: Tiles, size: number): Promise<Uint8Array> {
  let root: Uint8Array | null = null;
  for (let level = 0; TILE_WIDTH ** level <= size; level++) {
    const { index, width } = placeIn(size, level, Math.floor(size / TILE_WIDTH ** (level + 1)));
    if (width <= 0) continue;
    const hashes = hashesOf(await tiles.read(level, index)).slice(0, width);
    for (let step = 1; hashes.length > 0; step *= 2) {
      if ((hashes.length / step) % 2 !== 1) continue;
      const subtree = rootOf(hashes.splice(hashes.length - step));
      root = root ? hashNode(subtree, root) : subtree;
    }
  }
  return root ?? rootOf([]);
}

class EntryRun {
  readonly #source: LogSource;
  readonly #size: number;
  readonly #ring: Ring | null;
  readonly #tiles: Tiles;
  readonly #checked: Checked;
  #position: Position;
  #budget: number;

  constructor(source: LogSource, size: number, position: Position, limits: Limits, checked: Checked) {
    this.#source = source;
    this.#size = size;
    this.#ring = source.auditKeys === null ? null : parseRing(source.auditKeys);
    this.#tiles = new Tiles(source, size);
    this.#checked = checked;
    this.#position = position;
    this.#budget = limits.events;
  }

  /** @returns null at the end of the log */
  async run(): Promise<Cursor | null> {
    const isComplete = await this.#runParts();
    this.#checked.endSeq = this.#position.seq;
    return isComplete ? null : { phase: "entries", size: this.#size, position: this.#position };
  }

  async #runParts(): Promise<boolean> {
    if (this.#size > 0) await this.#checkRoot();
    if (this.#position.seq === 0) await checkSaved(this.#source, this.#size, (size) => rootAt(this.#tiles, size));
    const { prunedUpTo } = this.#source;
    if (!(await this.#checkTiles(this.#ring ? prunedUpTo : Math.max(prunedUpTo, this.#size)))) return false;
    for (;;) {
      const segments = await this.#source.segments(this.#position.seq, MAX_SEGMENTS);
      for (const segment of segments) if (!(await this.#checkSegment(segment))) return false;
      if (segments.length > 0) continue;
      const end = await this.#checkOpen();
      if (end !== "closed") return end === "end";
    }
  }

  async #checkRoot(): Promise<void> {
    const [stored] = await this.#source.checkpoints(this.#size - 1, 1);
    const { root } = await openCheckpoint(this.#source, this.#size, stored?.text ?? "");
    await this.#tiles.checkRoot(root);
  }

  /** Tiles of entries that are not opened. @returns false when the part's work is done */
  async #checkTiles(end: number): Promise<boolean> {
    while (this.#position.seq < end) {
      if (this.#budget <= 0) return false;
      const { seq } = this.#position;
      if (seq < this.#size) await this.#tiles.read(0, Math.floor(seq / TILE_WIDTH));
      this.#position = { ...this.#position, seq: Math.min(end, (Math.floor(seq / TILE_WIDTH) + 1) * TILE_WIDTH) };
      this.#budget -= TILE_COST;
    }
    return true;
  }

  async #checkSegment(segment: Segment): Promise<boolean> {
    const { seq } = this.#position;
    if (segment.first > seq)
      throw new ProblemError("deleted", seq, `The entries ${seq} to ${segment.first - 1} are in no segment.`);
    if (!this.#ring) return this.#checkTiles(segment.end);
    for await (const entries of readEntries(this.#source, this.#ring, segment, seq)) {
      if (this.#budget <= 0) return false;
      this.#position = await checkLeaves(this.#tiles, this.#size, entries, this.#position);
      this.#checked.events += entries.length;
      this.#budget -= entries.length;
    }
    this.#checked.segments += 1;
    return true;
  }

  /** @returns "closed" if the rows went into a segment meanwhile, "more" when the part's work is done */
  async #checkOpen(): Promise<"end" | "more" | "closed"> {
    for (;;) {
      if (this.#budget <= 0) return "more";
      const { seq } = this.#position;
      const { entries: rows, previousMac } = await this.#source.openRows(seq - 1, MAX_ROWS);
      const isGap = (rows[0]?.seq ?? Number.POSITIVE_INFINITY) > seq;
      if (isGap && (await this.#source.segments(seq, 1)).length > 0) return "closed";
      if (rows.length === 0) return this.#finish();
      await this.#checkRows(checkRows(this.#ring, rows, previousMac, this.#position));
    }
  }

  /** Entries are compared with one tile at a time. */
  async #checkRows(entries: ReturnType<typeof checkRows>): Promise<void> {
    for (let i = 0; i < entries.length; ) {
      const end = i + TILE_WIDTH - (this.#position.seq % TILE_WIDTH);
      const part = entries.slice(i, end);
      this.#position = await checkLeaves(this.#tiles, this.#size, part, this.#position);
      i = end;
    }
    this.#checked.events += entries.length;
    this.#checked.openEvents += entries.length;
    this.#budget -= entries.length;
  }

  #finish(): "end" {
    const { seq } = this.#position;
    if (seq < this.#size)
      throw new ProblemError("truncated", seq, `The tree has ${this.#size} entries, the log ends before ${seq}.`);
    return "end";
  }
}
