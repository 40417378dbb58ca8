// Verifies entries from a position on: those of segments, then open rows, each against the tree of the last checkpoint.
import { parseRing, type Ring } from "./bytes.ts";
import { checkSaved, openCheckpoint } from "./checkpoints.ts";
import { checkLeaves, type Position } from "./entries.ts";
import type { Entry } from "./leaf.ts";
import type { KnownLeaves } from "./name-change.ts";
import { isOwnRow, nameRow } from "./open-entries.ts";
import type { Checked, Cursor } from "./part.ts";
import { readEntries } from "./segment.ts";
import { type LogSource, type OpenRow, ProblemError, type Segment } from "./source.ts";
import { Fingerprints, parseTerms, termsOf } from "./terms.ts";
import { Tiles } from "./tiles.ts";
import { hashAt, TILE_WIDTH } from "./tree.ts";

const TILE_COST = 16;
const MAX_ROWS = 1_000;
const MAX_SEGMENTS = 100;

/** `more`: the part's work is done; `unchecked`: there are checkpoints that were not checked. */
type Outcome = "end" | "more" | "unchecked";

export class EntryRun {
  readonly #source: LogSource;
  readonly #size: number;
  readonly #ring: Ring | null;
  readonly #tiles: Tiles;
  readonly #checked: Checked;
  readonly #fingerprints = new Fingerprints();
  #position: Position;
  #budget: number;

  constructor(source: LogSource, { size, position }: Cursor, maxEvents: number, checked: Checked) {
    this.#source = source;
    this.#size = size;
    this.#ring = source.auditKeys === null ? null : parseRing(source.auditKeys);
    this.#tiles = new Tiles(source, size);
    this.#checked = checked;
    this.#position = position;
    this.#budget = maxEvents;
  }

  /** @returns null at the end of the log  @throws ProblemError */
  async run(): Promise<Cursor | null> {
    try {
      const outcome = await this.#checkAll();
      if (outcome === "end") return null;
      const phase = outcome === "unchecked" ? "checkpoints" : "entries";
      return { phase, size: this.#size, position: this.#position };
    } finally {
      this.#checked.endSeq = this.#position.seq;
    }
  }

  async #checkAll(): Promise<Outcome> {
    if (this.#size > 0) await this.#checkRoot();
    if (this.#position.seq === 0) await checkSaved(this.#source, this.#size, (size) => this.#tiles.rootAt(size));
    const pruned = await this.#checkPruned();
    if (pruned !== "end") return pruned;
    for (;;) {
      const segments = await this.#source.segments(this.#position.seq, MAX_SEGMENTS);
      for (const [i, segment] of segments.entries()) {
        const outcome = await this.#checkSegment(segment, i === 0);
        if (outcome !== "end") return outcome;
      }
      if (segments.length > 0) continue;
      const outcome = await this.#checkOpen();
      if (outcome !== "closed") return outcome;
    }
  }

  async #checkRoot(): Promise<void> {
    const [stored] = await this.#source.checkpoints(this.#size - 1, 1);
    const { root } = await openCheckpoint(this.#source, this.#size, stored?.text ?? "");
    await this.#tiles.checkRoot(root);
  }

  /** Of entries that are not opened, the tiles: those that were pruned, or all without a key. */
  async #checkPruned(): Promise<Outcome> {
    const [oldest] = await this.#source.segments(0, 1);
    const end = Math.min(this.#source.prunedUpTo, oldest?.first ?? Number.POSITIVE_INFINITY);
    const covered = await this.#requireCheckpoint(end);
    if (covered !== "end") return covered;
    return (await this.#checkTiles(this.#ring ? end : Math.max(end, this.#size))) ? "end" : "more";
  }

  /** Closed entries have a checkpoint. */
  async #requireCheckpoint(end: number): Promise<Outcome> {
    if (end <= this.#size) return "end";
    if ((await this.#source.checkpoints(end - 1, 1)).length > 0) return "unchecked";
    const detail = `The entries up to ${end - 1} are closed, but the newest checkpoint has ${this.#size} entries.`;
    throw new ProblemError("checkpoint_deleted", this.#size, detail);
  }

  /** @returns false when the part's work is done */
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

  /** @param isFirst it may begin before the position, where a part ended or rows were closed or segments merged meanwhile */
  async #checkSegment(segment: Segment, isFirst: boolean): Promise<Outcome> {
    const { seq } = this.#position;
    if (segment.first > seq)
      throw new ProblemError("deleted", seq, `The entries ${seq} to ${segment.first - 1} are in no segment.`);
    if (segment.first < seq && this.#ring && !isFirst)
      throw new ProblemError("index_changed", segment.first, `The segment ${segment.key} is listed within another one.`);
    const covered = await this.#requireCheckpoint(segment.end);
    if (covered !== "end") return covered;
    if (!this.#ring) return (await this.#checkTiles(segment.end)) ? "end" : "more";
    const terms = await this.#source.segmentTerms(segment.first);
    const listed = terms && parseTerms(terms);
    for await (const entries of readEntries(this.#source, this.#ring, segment, seq)) {
      if (this.#budget <= 0) return "more";
      this.#position = await checkLeaves(this.#tiles, this.#size, entries, this.#position);
      this.#checkListed(segment, listed, entries);
      this.#checked.events += entries.length;
      this.#budget -= entries.length;
    }
    this.#checked.segments += 1;
    return "end";
  }

  /** That lists find entries by their times and terms. @param terms null: they exclude nothing */
  #checkListed({ key, recordedFrom, recordedTo }: Segment, terms: ReadonlySet<number> | null, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const time = Number(entry["recorded"]);
      const isInTime = time >= (recordedFrom ?? time) && time <= (recordedTo ?? time);
      if (isInTime && (!terms || termsOf(entry).every((term) => terms.has(this.#fingerprints.of(term))))) continue;
      throw new ProblemError("index_changed", entry.seq, `Lists do not find entry ${entry.seq}: they skip ${key}.`);
    }
  }

  /** @returns closed if the rows went into a segment meanwhile */
  async #checkOpen(): Promise<Outcome | "closed"> {
    await this.#checkBefore();
    for (;;) {
      if (this.#budget <= 0) return "more";
      const { seq } = this.#position;
      const { entries: rows, previousMac } = await this.#source.openRows(seq - 1, MAX_ROWS);
      const isGap = (rows[0]?.seq ?? Number.POSITIVE_INFINITY) > seq;
      if (isGap && (await this.#source.segments(seq, 1)).length > 0) return "closed";
      if (rows.length === 0) return await this.#finish();
      await this.#checkRows(rows, previousMac);
    }
  }

  /** That no row stands before the first open entry: lists would show it. */
  async #checkBefore(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { entries } = await this.#source.openRows(Number.MIN_SAFE_INTEGER, 1);
      const [first] = entries;
      if (!first) return;
      const { seq } = first;
      const isClosed = seq < this.#source.prunedUpTo || (await this.#source.segments(seq, 1)).length > 0;
      if (seq >= 0 && !isClosed) return;
      // A segment that was closed between the two reads has taken the row with it.
      if (attempt > 1) throw new ProblemError("inserted", seq, `A row ${seq} stands before the first open entry.`);
    }
  }

  async #checkRows(rows: readonly OpenRow[], previousMac: string): Promise<void> {
    let previous = previousMac;
    for (const [i, row] of rows.entries()) {
      const { seq } = this.#position;
      const tile = seq < this.#size ? await this.#tiles.read(0, Math.floor(seq / TILE_WIDTH)) : null;
      const leaf = tile && hashAt(tile, seq % TILE_WIDTH);
      if (!isOwnRow(this.#ring, row, previous, this.#position, leaf)) throw await this.#nameRow(rows.slice(i), previous);
      this.#position = { seq: seq + 1, logged: row.logged };
      previous = row.mac;
    }
    this.#checked.events += rows.length;
    this.#checked.openEvents += rows.length;
    this.#budget -= rows.length;
  }

  async #nameRow(rows: readonly OpenRow[], previousMac: string): Promise<ProblemError> {
    const { seq } = this.#position;
    const read = await this.#source.openRows(seq - 1, MAX_ROWS);
    const following = read.entries[0]?.seq === seq ? read.entries : rows;
    return nameRow(this.#ring, following, previousMac, seq, await this.#leavesAround(seq));
  }

  /** Leaf hashes of the tree from the start of an entry's tile on. */
  async #leavesAround(seq: number): Promise<KnownLeaves> {
    const index = Math.floor(seq / TILE_WIDTH);
    const end = Math.min(this.#size, seq + MAX_ROWS);
    const tiles: Uint8Array[] = [];
    for (let next = index; next * TILE_WIDTH < end; next++) tiles.push(await this.#tiles.read(0, next));
    return { first: index * TILE_WIDTH, leaves: new Uint8Array(Buffer.concat(tiles)) };
  }

  async #finish(): Promise<Outcome> {
    if (this.#source.isCopy) return (await this.#checkTiles(this.#size)) ? "end" : "more";
    const { seq } = this.#position;
    if (seq < this.#size)
      throw new ProblemError("truncated", seq, `The tree has ${this.#size} entries, the log ends before ${seq}.`);
    return "end";
  }
}
