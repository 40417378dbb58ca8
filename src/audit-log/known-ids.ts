// Ids of the entries that a log has: which of an append's events are new, without an index of ids.

/** An event's id is made at most this much after the log's clock, the difference of two machines, in milliseconds. */
const MAX_CLOCK_DIFFERENCE_MS = 120_000;
/** Ids in memory after an append; about 2 MB. */
export const MAX_KNOWN_IDS = 16_384;

const UUIDV7_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const isUuidv7 = (id: string): boolean => UUIDV7_PATTERN.test(id);

type Place = { seq: number; logged: number };
type IdRow = { seq: number; id: string; logged: number };

/** When a UUIDv7 was made, epoch milliseconds (RFC 9562, section 5.7). */
export const idTime = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** No entry with this id was logged before. */
export const earliestLogged = (id: string): number => idTime(id) - MAX_CLOCK_DIFFERENCE_MS;

/**
 * Knows the ids of all entries from a position on, which are all that were logged since some time. Reads further back when an
 * older id is asked for: an object that wakes reads the rows of two minutes.
 */
export class KnownIds {
  readonly #sql: SqlStorage;
  readonly #places = new Map<string, Place>();
  #firstSeq: number;
  #since: number;

  /** @param next where the next entry goes, and the time of the last one */
  constructor(sql: SqlStorage, next: Place) {
    this.#sql = sql;
    this.#firstSeq = next.seq;
    this.#since = next.seq === 0 ? Number.NEGATIVE_INFINITY : next.logged + 1;
  }

  has(id: string): boolean {
    return this.#places.has(id);
  }

  add(id: string, place: Place): void {
    this.#places.set(id, place);
  }

  /** @returns false if entries of closed segments may have an id that is not known here */
  covers(id: string): boolean {
    const time = earliestLogged(id);
    if (this.#since > time) this.#readBack(time);
    return this.#since <= time;
  }

  /** Reads the ids of rows logged at `time` or later, and those of recently closed entries if that is not enough. */
  #readBack(time: number): void {
    const query = "SELECT seq, id, logged FROM entries WHERE seq < ? ORDER BY seq DESC";
    for (const { seq, id, logged } of this.#sql.exec<IdRow>(query, this.#firstSeq)) {
      if (logged < time) {
        this.#since = logged + 1;
        return;
      }
      this.#places.set(id, { seq, logged });
      this.#firstSeq = seq;
    }
    this.#readRecent();
  }

  /** The closed entries; all open ones are known. */
  #readRecent(): void {
    const recent = readRecentIds(this.#sql);
    for (const [id, place] of recent?.places ?? []) this.#places.set(id, place);
    this.#since = Math.min(this.#since, recent ? recent.since : Number.NEGATIVE_INFINITY);
  }

  /** Forgets the oldest half of the ids when they are too many. */
  trim(): void {
    if (this.#places.size <= MAX_KNOWN_IDS) return;
    const times = [...this.#places.values()].map(({ logged }) => logged).sort((a, b) => a - b);
    const since = (times[Math.floor(times.length / 2)] ?? 0) + 1;
    for (const [id, place] of this.#places) if (place.logged < since) this.#places.delete(id);
    this.#since = since;
    // Rows of the time before are read again when they are needed.
    this.#firstSeq = [...this.#places.values()].reduce((first, { seq }) => Math.min(first, seq), Number.MAX_SAFE_INTEGER);
  }
}

/** Closed entries whose ids are in the object: all that were logged at `since` or later. */
type RecentIds = { since: number; places: Map<string, Place> };
/** A repeated append rarely is about an older entry, which is found by reading a segment. */
const RECENT_MS = 15 * 60_000;
/** About 200 kB in one row. */
export const MAX_RECENT_IDS = 4_096;

/** Null while no entry is closed. */
function readRecentIds(sql: SqlStorage): RecentIds | null {
  const [row] = sql.exec<{ since: number; ids: string }>("SELECT since, ids FROM recent_ids WHERE id = 1").toArray();
  if (!row) return null;
  const rows = JSON.parse(row.ids) as [id: string, seq: number, logged: number][];
  return { since: row.since, places: new Map(rows.map(([id, seq, logged]) => [id, { seq, logged }])) };
}

/** Keeps the ids of the last minutes of entries that are about to be deleted. Part of the transaction that closes a segment. */
export function keepRecentIds(sql: SqlStorage, end: number, now: number): void {
  const before = readRecentIds(sql);
  const rows = sql.exec<IdRow>("SELECT seq, id, logged FROM entries WHERE seq < ? ORDER BY seq", end).toArray();
  const closed = [...[...(before?.places ?? [])].map(([id, place]) => ({ id, ...place })), ...rows];
  const old = closed.findLastIndex(({ logged }, i) => logged < now - RECENT_MS || i < closed.length - MAX_RECENT_IDS);
  const since = old < 0 ? (before?.since ?? 0) : (closed[old]?.logged ?? 0) + 1;
  // Of entries of one millisecond either all are kept or none.
  const kept = closed.filter(({ logged }) => logged >= since).map(({ id, seq, logged }) => [id, seq, logged]);
  sql.exec("INSERT OR REPLACE INTO recent_ids (id, since, ids) VALUES (1, ?, ?)", since, JSON.stringify(kept));
}
