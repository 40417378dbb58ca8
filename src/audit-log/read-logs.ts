// Lists the entries of several logs in one order, newest first, with few requests to R2.
import type { Keys } from "../platform/config.ts";
import { ApiError } from "../platform/errors.ts";
import {
  compareNewestFirst,
  type LogEntry,
  type LogFilter,
  type LogPosition,
  type LogSelection,
  NO_HOSPITAL_LOG,
} from "./contract.ts";
import { SegmentGoneError, SegmentScan } from "./segments/read-segment.ts";

export const MAX_LISTED_LOGS = 100;
export const MAX_LISTED_ENTRIES = 500;
/** R2 reads per call. */
export const MAX_READS = 20;
/**
 * R2 reads per call while nothing can be returned and `next` would not move: more logs than MAX_READS have a segment that begins
 * before and ends after the position.
 */
export const MAX_READS_TO_MOVE = 400;
const CONCURRENT_REQUESTS = 6;
/** The lowest id, so that every entry of a time comes before the position of that time with this id. */
export const LOWEST_ID = "00000000-0000-0000-0000-000000000000";

export type ListedLog = { logId: string; filter: LogFilter };
/** An entry, and the log that it was read from. */
export type ListedEntry = LogEntry & { log: string };
export type LogPage = {
  /** Newest first, at most `limit`, each event once. */
  entries: ListedEntry[];
  /** Where the next page begins; null when there is nothing more. A page may be short, even empty, and have a next one. */
  next: LogPosition | null;
};

/** Where selections and segments come from: the objects and the bucket. */
export type LogSource = {
  select(logId: string, filter: LogFilter, before: LogPosition | null, limit: number): Promise<LogSelection>;
  bucket: R2Bucket;
  keys: Pick<Keys, "audit">;
};

/**
 * Lists the entries that meet the filter of their log, after `before`, newest first by (recorded, id).
 * @param logs at most MAX_LISTED_LOGS, each once  @param limit 1 to MAX_LISTED_ENTRIES
 * @throws RangeError beyond these bounds; ApiError integrity_error for a changed segment; ApiError unavailable when a segment is
 * missing, or the position cannot move within MAX_READS_TO_MOVE
 */
export function readLogs(
  env: Env,
  keys: Pick<Keys, "audit">,
  logs: readonly ListedLog[],
  before: LogPosition | null,
  limit: number,
): Promise<LogPage> {
  const selectOnce: LogSource["select"] = async (logId, ...asked) => env.AUDIT_LOG.getByName(logId).select(...asked);
  const select: LogSource["select"] = (...asked) =>
    selectOnce(...asked).catch(() =>
      // A stub that has failed stays broken: a new one asks again.
      selectOnce(...asked).catch((cause: unknown) => {
        throw new ApiError("unavailable", undefined, { cause, headers: { "Retry-After": "2" } });
      }),
    );
  return readLogsFrom({ select, bucket: env.FILES, keys }, logs, before, limit);
}

/** Like readLogs, from any source. */
export async function readLogsFrom(
  source: LogSource,
  logs: readonly ListedLog[],
  before: LogPosition | null,
  limit: number,
): Promise<LogPage> {
  if (logs.length > MAX_LISTED_LOGS) throw new RangeError("too many logs in one list");
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LISTED_ENTRIES) throw new RangeError("limit out of range");
  const page = new PageReader(source, before, limit);
  const asked = logs.filter(({ filter }) => filter.patientIds === null || filter.patientIds.length > 0);
  await forEachConcurrently(asked, (log) => page.selectFrom(log));
  await page.read();
  return page.finish();
}

/** A segment of a log that is not read to its end. `latest` bounds what it can still give. */
type OpenScan = { log: ListedLog; scan: SegmentScan };

class PageReader {
  readonly #source: LogSource;
  readonly #before: LogPosition | null;
  readonly #limit: number;
  /** The newest found, by id: an event that stands in two logs is one. */
  #found = new Map<string, ListedEntry>();
  #scans: OpenScan[] = [];
  readonly #selectedTwice = new Set<string>();
  /** By log, the latest time that entries of segments may have which the object did not name. */
  readonly #unnamed = new Map<string, number>();
  #hasMore = false;
  #reads = 0;

  constructor(source: LogSource, before: LogPosition | null, limit: number) {
    this.#source = source;
    this.#before = before;
    this.#limit = limit;
  }

  async selectFrom(log: ListedLog): Promise<void> {
    const { entries, segments, isComplete } = await this.#source.select(log.logId, log.filter, this.#before, this.#limit);
    // The object returns no more than the page can use; older ones remain.
    if (entries.length >= this.#limit) this.#hasMore = true;
    this.#add(log.logId, entries);
    this.#scans.push(...segments.map((ref) => ({ log, scan: new SegmentScan(ref, log.filter, this.#before) })));
    const last = segments.at(-1);
    if (isComplete || !last) this.#unnamed.delete(log.logId);
    else this.#unnamed.set(log.logId, Math.min(last.recordedTo, this.#before?.recorded ?? last.recordedTo));
  }

  #add(log: string, entries: LogEntry[]): void {
    for (const entry of entries) {
      const isOwn = log === (entry.hospital_id ?? NO_HOSPITAL_LOG);
      if (isOwn || !this.#found.has(entry.id)) this.#found.set(entry.id, { ...entry, log });
    }
    const sorted = [...this.#found.values()].sort(compareNewestFirst);
    if (sorted.length > this.#limit) this.#hasMore = true;
    this.#found = new Map(sorted.slice(0, this.#limit).map((entry) => [entry.id, entry]));
  }

  /** Reads by descending time until the page is full of entries newer than everything unread, or the reads are used up. */
  async read(): Promise<void> {
    for (let concurrent = 1; ; concurrent = Math.min(concurrent * 2, CONCURRENT_REQUESTS)) {
      const needed = this.#neededScans();
      const inMemory = needed.filter(({ scan }) => scan.isInMemory);
      if (inMemory.length > 0) {
        await this.#readFrom(inMemory);
        continue;
      }
      const hasMoved = this.#hasMoved();
      const left = (hasMoved ? MAX_READS : MAX_READS_TO_MOVE) - this.#reads;
      if (needed.length === 0 || left <= 0) {
        if (!hasMoved) throw new ApiError("unavailable");
        return;
      }
      const untilBudget = this.#reads < MAX_READS ? MAX_READS - this.#reads : left;
      await this.#readFrom(needed.slice(0, Math.min(concurrent, untilBudget)));
    }
  }

  /** Unread segments that may hold an entry of the page, latest first. */
  #neededScans(): OpenScan[] {
    const oldest = this.#found.size < this.#limit ? null : [...this.#found.values()].at(-1);
    this.#scans = this.#scans.filter(({ scan }) => scan.latest !== null);
    return this.#scans
      .filter(({ scan }) => !oldest || (scan.latest ?? 0) >= oldest.recorded)
      .sort((a, b) => (b.scan.latest ?? 0) - (a.scan.latest ?? 0));
  }

  async #readFrom(scans: OpenScan[]): Promise<void> {
    const { bucket, keys } = this.#source;
    this.#reads += scans.filter(({ scan }) => !scan.isInMemory).length;
    const results = await Promise.allSettled(scans.map(({ scan }) => scan.readNext(bucket, keys.audit)));
    const gone = new Set<ListedLog>();
    for (const [i, result] of results.entries()) {
      const log = scans[i]?.log;
      if (!log) continue;
      if (result.status === "fulfilled") for (const entries of result.value) this.#add(log.logId, entries);
      else if (result.reason instanceof SegmentGoneError) gone.add(log);
      else throw result.reason;
    }
    for (const log of gone) await this.#selectAgain(log);
  }

  /** A merge has deleted a segment since the object named it: asks once more, and reads what it names now from the beginning. */
  async #selectAgain(log: ListedLog): Promise<void> {
    if (this.#selectedTwice.has(log.logId)) throw new SegmentGoneError();
    this.#selectedTwice.add(log.logId);
    this.#scans = this.#scans.filter((open) => open.log !== log);
    await this.selectFrom(log);
  }

  /** The latest time that an unread entry can have; null when everything was read. */
  #latestUnread(): number | null {
    const times = [...this.#scans.map(({ scan }) => scan.latest), ...this.#unnamed.values()].filter((time) => time !== null);
    return times.length === 0 ? null : Math.max(...times);
  }

  /** Whether the page, as it is, ends behind the position that it began at. */
  #hasMoved(): boolean {
    const { entries, next } = this.finish();
    return entries.length > 0 || next === null || this.#before === null || compareNewestFirst(this.#before, next) < 0;
  }

  /** Found entries that are newer than everything unread. */
  #returnable(): ListedEntry[] {
    const latest = this.#latestUnread();
    return [...this.#found.values()].filter(({ recorded }) => latest === null || recorded > latest);
  }

  finish(): LogPage {
    const latest = this.#latestUnread();
    const entries = this.#returnable();
    const last = entries.at(-1);
    if (last && entries.length === this.#limit) {
      const next = this.#hasMore || latest !== null ? { recorded: last.recorded, id: last.id } : null;
      return { entries, next };
    }
    return { entries, next: latest === null ? null : { recorded: latest + 1, id: LOWEST_ID } };
  }
}

async function forEachConcurrently<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const work = async () => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: CONCURRENT_REQUESTS }, work));
}
